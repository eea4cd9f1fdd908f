//! The accounts of an image, from `etc/passwd`, `etc/shadow` and `etc/group`.

use std::collections::BTreeMap;

use super::Sight;

/// The files, which are kept whole up to [`super::looker::MAX_TEXT`].
pub(super) const PASSWD: &str = "etc/passwd";
const SHADOW: &[&str] = &["etc/shadow", "etc/shadow-"];
const GROUP: &str = "etc/group";

/// Whether the text of a file is to be kept for [`look`].
pub(super) fn is_wanted(path: &str) -> bool {
    path == PASSWD || path == GROUP || SHADOW.contains(&path)
}

/// What a file of accounts says that it should not.
pub(super) fn look(path: &str, text: &str) -> Vec<Sight> {
    let mut found = Vec::new();
    match path {
        PASSWD => {
            for [name, password, uid, ..] in text.lines().filter_map(fields::<4>) {
                if password.is_empty() {
                    found.push(sight("DSTL-FS-011", format!("{name} has no password")));
                } else if is_hash(password) {
                    found.push(sight("DSTL-FS-024", format!("{name} has a password")));
                }
                // `+` takes accounts from elsewhere, and has no number.
                if number(uid) == Some(Number::Zero) && name != "root" {
                    found.push(sight("DSTL-FS-011", format!("{name} is root: its uid is 0")));
                }
            }
            twice(text, 2, "uid", &mut found);
            twice(text, 0, "name", &mut found);
        }
        GROUP => {
            for [name, password, ..] in text.lines().filter_map(fields::<3>) {
                if is_hash(password) {
                    found.push(sight("DSTL-FS-024", format!("the group {name} has a password")));
                }
            }
            twice(text, 2, "gid", &mut found);
            twice(text, 0, "name", &mut found);
        }
        _ => {
            for [name, password] in text.lines().filter_map(fields::<2>) {
                if password.is_empty() {
                    found.push(sight("DSTL-FS-011", format!("{name} has no password")));
                } else if is_hash(password) {
                    found.push(sight("DSTL-FS-024", format!("{name} has a password")));
                }
            }
        }
    }
    found
}

/// What [`uid`] asks of `etc/passwd`, without passwords and whatever else stands there.
pub(super) fn uids(passwd: &str) -> String {
    let lines = passwd.lines().filter_map(fields::<3>).map(|[name, _, uid]| [name, "*", uid].join(":"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The uid of a name in `etc/passwd`; the first line counts, as for the C library.
pub(super) fn uid(passwd: &str, wanted: &str) -> Option<u32> {
    let of = |[name, _, uid]: [&str; 3]| (name == wanted).then(|| uid.parse().ok());
    passwd.lines().filter_map(fields::<3>).find_map(of)?
}

/// A number as runtimes and the C library read one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// 0, in any spelling, as in `-00`.
    Zero,
    Other,
}

/// Whether a word is a number, which may have a sign.
pub(crate) fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    let is_one = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_one.then(|| if digits.bytes().all(|b| b == b'0') { Number::Zero } else { Number::Other })
}

/// The first fields of a line.
fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    let mut fields = line.split(':');
    let mut found = [""; N];
    for place in &mut found {
        *place = fields.next()?;
    }
    (!line.starts_with(['#', '+', '-'])).then_some(found)
}

/// Numbers or names that two lines have. That of root is told elsewhere.
fn twice(text: &str, field: usize, what: &str, found: &mut Vec<Sight>) {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '+', '-'])) {
        if let (Some(name), Some(value)) = (line.split(':').next(), line.split(':').nth(field))
            && !value.is_empty()
            && value != "0"
        {
            names.entry(value).or_default().push(name);
        }
    }
    for (value, names) in names {
        if let [one, other, ..] = names.as_slice() {
            found.push(sight("DSTL-FS-011", format!("{one} and {other} have the {what} {value}")));
        }
    }
}

/// Whether a field holds the hash of a password, rather than what locks an account or points to `etc/shadow`.
fn is_hash(field: &str) -> bool {
    let is_old = field.len() == 13 && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
    is_old || field.starts_with('$') && field.len() > 8
}

fn sight(rule: &'static str, seen: String) -> Sight {
    Sight { rule, seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let found: Vec<String> = look(path, text).into_iter().map(|s| format!("{} {}", s.rule, s.seen)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn debians_accounts_are_in_order() {
        check(
            PASSWD,
            "root:x:0:0:root:/root:/bin/bash\nsync:x:4:65534:sync:/bin:/bin/sync\nnobody:x:65534:65534::/:\n",
            &[],
        );
        check("etc/shadow", "root:*:19000:0:99999:7:::\nx:!:19000::::::\ny:!*:::::::\nz:!$6$abcdefgh$x:1:::::\n", &[]);
        check(GROUP, "root:x:0:\nadm::4:\nnogroup:x:65534:\n", &[]);
    }

    #[test]
    fn what_lets_somebody_in_is_told() {
        check(PASSWD, "root::0:0::/:\n", &["DSTL-FS-011 root has no password"]);
        check("etc/shadow", "root::19000:0:99999:7:::\n", &["DSTL-FS-011 root has no password"]);
        check("etc/shadow-", "app:$6$abc$def:19000::::::\n", &["DSTL-FS-024 app has a password"]);
        check(PASSWD, "root:x:0:0::/:\ntoor:x:0:0::/:\n", &["DSTL-FS-011 toor is root: its uid is 0"]);
        check(PASSWD, "a:x:7:7::/:\nb:x:7:8::/:\n", &["DSTL-FS-011 a and b have the uid 7"]);
        check(GROUP, "a:x:7:\nb:x:7:\n", &["DSTL-FS-011 a and b have the gid 7"]);
        check(GROUP, "a:$1$abcdefgh$x:7:\n", &["DSTL-FS-024 the group a has a password"]);
    }

    #[test]
    fn the_first_line_of_a_name_counts() {
        assert_eq!(uid("a:x:5:5::/:\na:x:0:0::/:\n", "a"), Some(5));
        assert_eq!(uid("a:x:5:5::/:\n", "b"), None);
    }

    #[test]
    fn uids_are_kept_without_passwords() {
        let passwd = "# a comment\na:$6$abcdefgh$x:5:5::/:\na:x:0:0::/:\n+::\nshort:x\nb::7\r\n";
        let kept = uids(passwd);
        assert_eq!(kept, "a:*:5\na:*:0\nb:*:7");
        for name in ["a", "b", "short", "+", ""] {
            assert_eq!(uid(&kept, name), uid(passwd, name), "{name}");
        }
    }
}
