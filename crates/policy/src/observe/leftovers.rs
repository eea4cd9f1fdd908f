//! What building leaves behind.

/// The folder or file whose presence is told, and what it is; for a file with some content.
pub(super) fn of_path(path: &str) -> Option<(&str, &'static str)> {
    for (folder, what) in FOLDERS {
        if let Some(rest) = path.strip_prefix(folder)
            && !rest.is_empty()
            && !rest.ends_with("/lock")
            && rest != "lock"
        {
            return Some((folder.trim_end_matches('/'), what));
        }
    }
    if let Some(what) = home(path) {
        return Some((path, what));
    }
    for (name, what) in REPOSITORIES {
        if let Some(at) = path.find(name).filter(|at| *at == 0 || path.get(..*at).is_some_and(|b| b.ends_with('/'))) {
            return Some((path.get(..at + name.len() - 1)?, what));
        }
    }
    let name = path.rsplit('/').next()?;
    let is_build_file = !path.contains('/') && matches!(name, "Dockerfile" | "Containerfile" | "docker-compose.yml");
    if is_build_file || name == ".DS_Store" || name == "Thumbs.db" {
        return Some((path, "a file of whoever built it"));
    }
    let is_old = path.starts_with("var/lib/dpkg/") && name.ends_with("-old");
    is_old.then_some((path, "an older list of packages"))
}

/// Whether a file in somebody's home tells what that one did.
fn home(path: &str) -> Option<&'static str> {
    let inside =
        path.strip_prefix("root/").or_else(|| path.strip_prefix("home/")?.split_once('/').map(|(_, rest)| rest))?;
    if inside.starts_with(".cache/") || inside.starts_with(".npm/_") || inside.starts_with(".m2/repository/") {
        return Some("a cache");
    }
    HISTORIES.contains(&inside).then_some("a history")
}

const FOLDERS: &[(&str, &str)] = &[
    ("var/lib/apt/lists/", "lists of packages"),
    ("var/cache/apt/", "a cache of apt"),
    ("var/cache/apk/", "a cache of apk"),
    ("var/cache/dnf/", "a cache of dnf"),
    ("var/cache/yum/", "a cache of yum"),
    ("var/cache/man/", "an index of manual pages"),
    ("var/cache/ldconfig/", "a cache of ldconfig"),
    ("var/cache/debconf/", "answers to questions of packages"),
    ("var/log/", "logs"),
    ("var/crash/", "core dumps"),
    ("var/tmp/", "temporary files"),
    ("tmp/", "temporary files"),
    ("usr/local/share/.cache/", "a cache"),
];

const REPOSITORIES: &[(&str, &str)] = &[(".git/", "a repository"), (".svn/", "a repository"), (".hg/", "a repository")];

const HISTORIES: &[&str] = &[
    ".ash_history",
    ".bash_history",
    ".history",
    ".lesshst",
    ".mysql_history",
    ".node_repl_history",
    ".psql_history",
    ".python_history",
    ".sh_history",
    ".sqlite_history",
    ".viminfo",
    ".wget-hsts",
    ".zsh_history",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_once() {
        assert_eq!(of_path("var/lib/apt/lists/x_Packages").map(|(at, _)| at), Some("var/lib/apt/lists"));
        assert_eq!(of_path("app/.git/objects/aa").map(|(at, _)| at), Some("app/.git"));
        assert_eq!(of_path("home/me/.bash_history").map(|(at, _)| at), Some("home/me/.bash_history"));
        assert_eq!(of_path("var/lib/dpkg/status-old").map(|(at, _)| at), Some("var/lib/dpkg/status-old"));
        for path in ["var/lib/apt/lists/lock", "app/x.git/a", "usr/share/tmp/x", "app/Dockerfile", "app/.gitignore"] {
            assert_eq!(of_path(path), None, "{path}");
        }
    }
}
