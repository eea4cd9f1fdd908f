//! Settings that take protection away, in the files of the programs that read them.

use super::Sight;

/// Whether the text of a file is to be kept for [`look`].
pub(super) fn is_wanted(path: &str) -> bool {
    kind(path).is_some()
}

/// What a file switches off.
pub(super) fn look(path: &str, text: &str) -> Option<Sight> {
    let (rule, marks, comment) = kind(path)?;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || comment.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        // Spaces around the sign make no difference to any of them.
        let plain: String = line.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
        if let Some(mark) = marks.iter().find(|mark| is_in(&plain, mark)) {
            return Some(Sight { rule, seen: format!("a line with {mark}") });
        }
    }
    None
}

/// A mark that ends in a line's end has a full stop behind it.
fn is_in(line: &str, mark: &str) -> bool {
    match mark.strip_suffix('.') {
        Some(whole) => line == whole,
        None => line.contains(mark),
    }
}

type Kind = (&'static str, &'static [&'static str], &'static [&'static str]);

fn kind(path: &str) -> Option<Kind> {
    let at = |end: &str| path == end || path.strip_suffix(end).is_some_and(|before| before.ends_with('/'));
    let below = |folder: &str| path.starts_with(folder);
    Some(match path {
        "etc/sudoers" => ("DSTL-FS-021", &["nopasswd:"], &["#", "%#"]),
        "etc/doas.conf" => ("DSTL-FS-021", &["permitnopass"], &["#"]),
        _ if below("etc/sudoers.d/") => ("DSTL-FS-021", &["nopasswd:"], &["#"]),
        "etc/apt/sources.list" | "etc/apt/apt.conf" => ("DSTL-FS-022", APT, &["#", "//"]),
        _ if below("etc/apt/sources.list.d/") || below("etc/apt/apt.conf.d/") => ("DSTL-FS-022", APT, &["#", "//"]),
        _ if at("pip.conf") => ("DSTL-FS-022", &["trusted-host="], &["#", ";"]),
        _ if at(".npmrc") || at("npmrc") => ("DSTL-FS-023", &["strict-ssl=false"], &["#", ";"]),
        _ if at(".gitconfig") || at("etc/gitconfig") || at(".config/git/config") => {
            ("DSTL-FS-023", &["sslverify=false", "sslverify=0"], &["#", ";"])
        }
        _ if at(".curlrc") => ("DSTL-FS-023", &["insecure.", "--insecure.", "-k."], &["#"]),
        _ if at(".wgetrc") || at("etc/wgetrc") => {
            ("DSTL-FS-023", &["check_certificate=off", "check-certificate=off"], &["#"])
        }
        _ if at(".yarnrc") => ("DSTL-FS-023", &["strict-sslfalse"], &["#"]),
        _ => return None,
    })
}

const APT: &[&str] = &[
    "trusted=yes",
    "trusted:yes",
    "allow-insecure=yes",
    "allow-insecure:yes",
    "allowunauthenticatedtrue",
    "allowunauthenticated1",
    "allowinsecurerepositoriestrue",
    "allowinsecurerepositories1",
];
