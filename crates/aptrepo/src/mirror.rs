//! Addresses of repositories, and of files in them.

use url::Url;

use crate::time::Snapshot;

/// What stands in an address for the time of a snapshot, in sources of apt.
const PLACEHOLDER: &str = "@SNAPSHOTID@";

/// The addresses that one mirror may have a repository at, best first. None where the address needs a snapshot and there
/// is none.
pub(crate) fn bases(mirror: &Url, snapshot: Option<Snapshot>) -> Vec<Url> {
    let has_place = mirror.path().contains(PLACEHOLDER);
    match snapshot {
        None if has_place => Vec::new(),
        None => vec![mirror.clone()],
        Some(snapshot) if has_place => {
            let mut dated = mirror.clone();
            dated.set_path(&mirror.path().replace(PLACEHOLDER, &snapshot.to_string()));
            vec![dated]
        }
        Some(snapshot) => {
            let dated = file(mirror, &snapshot.to_string());
            dated.into_iter().chain([mirror.clone()]).collect()
        }
    }
}

/// The address of a file below another address. The path is text, not an address: it is encoded. `None` for addresses
/// that nothing can be below, and paths that do not stay there.
pub(crate) fn file(base: &Url, path: &str) -> Option<Url> {
    let mut url = base.clone();
    if !stays_below(path) {
        return None;
    }
    url.path_segments_mut().ok()?.pop_if_empty().extend(path.split('/').filter(|part| !matches!(*part, "" | ".")));
    Some(url)
}

/// Whether a path leads nowhere but down. Servers would resolve `..` before they look, and so would we for files.
fn stays_below(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| part != "..") && !path.chars().any(|c| c.is_control() || c == '\\')
}

/// The same for paths of which each part must be a name: those of packages.
pub(crate) fn is_plain(path: &str) -> bool {
    stays_below(path) && path.split('/').all(|part| !matches!(part, "" | "."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn files_lie_below_their_base() {
        let cases = [
            ("http://a.example/debian", "dists/b/InRelease", "http://a.example/debian/dists/b/InRelease"),
            ("http://a.example/debian/", "pool/g++_1%3a2~3.deb", "http://a.example/debian/pool/g++_1%253a2~3.deb"),
            ("http://u:p@a.example", "a b?c#d", "http://u:p@a.example/a%20b%3Fc%23d"),
            ("file:///srv/apt", ".//./Packages", "file:///srv/apt/Packages"),
        ];
        for (base, path, expected) in cases {
            assert_eq!(file(&url(base), path), Some(url(expected)), "{base} {path}");
        }
        for path in ["", "..", "a/../b", "a/..", "a\\b", "a\nb", "a\u{85}b"] {
            assert_eq!(file(&url("http://a.example/debian"), path), None, "{path:?}");
        }
        assert_eq!(file(&url("data:text"), "a"), None);
        assert!(is_plain("a/b") && !is_plain("a//b") && !is_plain("./a") && !is_plain("/a") && !is_plain("a/"));
    }

    #[test]
    fn a_snapshot_has_an_address_of_its_own() {
        let at: Option<Snapshot> = Some("20260818T205150Z".parse().unwrap());
        let check = |mirror: &str, snapshot, expected: &[&str]| {
            assert_eq!(bases(&url(mirror), snapshot), expected.iter().map(|text| url(text)).collect::<Vec<_>>());
        };
        check("http://a.example/debian/", None, &["http://a.example/debian/"]);
        let both = ["http://a.example/debian/20260818T205150Z", "http://a.example/debian/"];
        check("http://a.example/debian/", at, &both);
        check("http://a.example/@SNAPSHOTID@/debian", at, &["http://a.example/20260818T205150Z/debian"]);
        check("http://a.example/@SNAPSHOTID@/debian", None, &[]);
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_base(path in "[a./%\\\\ ?#:@]{0,12}") {
            let base = url("http://a.example/debian");
            if let Some(url) = file(&base, &path) {
                prop_assert!(url.as_str().starts_with("http://a.example/debian"));
                prop_assert!(!url.path().contains("/../") && url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
