//! Addresses that may stand in a document. The schema wants URLs and mail addresses of the right form, packages have any.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::inventory::{Artefact, SourcePackage};

/// What no URL has as it is. `%` may, before two digits.
const NEVER_IN_URL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// What stands for itself in one part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
/// Longer ones are no addresses that people use.
const MAX_URL: usize = 2048;
/// The longest mail address of RFC 5321, section 4.5.3.1.3.
const MAX_MAIL: usize = 254;

/// A page, with what a URL cannot have in it percent-encoded; none where that does not make it one.
pub(super) fn url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_known = ["http", "https", "ftp"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let digits =
        |part: &str| part.as_bytes().first_chunk::<2>().is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    let is_encoded = rest.split('%').skip(1).all(digits);
    let has_host = rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = text.len() <= MAX_URL && rest.matches('#').count() <= 1;
    (is_known && is_encoded && has_host && fits).then(|| utf8_percent_encode(text, NEVER_IN_URL).to_string())
}

/// Whether a text is a mail address of the usual form. Quoted ones, which nobody has, are not.
pub(super) fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_atom = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    let is_label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= MAX_MAIL && local.split('.').all(is_atom) && domain.split('.').all(is_label)
}

/// Where Debian keeps a file for ever, by its SHA-1. None for files that did not come from Debian.
///
/// See the [interface](https://salsa.debian.org/snapshot-team/snapshot/-/blob/master/API).
pub(super) fn snapshot(artefact: &Artefact) -> Option<String> {
    if !is_from_debian(artefact) {
        return None;
    }
    let name = utf8_percent_encode(&artefact.file_name, PART);
    artefact.digests.sha1.map(|sha1| format!("https://snapshot.debian.org/file/{}/{name}", hex::encode(sha1)))
}

/// Whether the repository of a file says that it is Debian's. Backports are kept in the same archive.
pub(super) fn is_from_debian(artefact: &Artefact) -> bool {
    let origin = artefact.repository.as_ref().and_then(|repository| repository.origin.as_deref());
    matches!(origin, Some("Debian" | "Debian Backports"))
}

/// Pages about one of Debian's source packages: the type of a reference, and its URL.
pub(super) fn source_pages(source: &SourcePackage) -> [(&'static str, String); 3] {
    let name = utf8_percent_encode(&source.name, PART);
    let version = utf8_percent_encode(&source.version, PART);
    [
        ("source-distribution", format!("https://snapshot.debian.org/package/{name}/{version}/")),
        ("issue-tracker", format!("https://bugs.debian.org/src:{name}")),
        ("advisories", format!("https://security-tracker.debian.org/tracker/source-package/{name}")),
    ]
}

/// A text as one part of a path of a URL.
pub(super) fn part(text: &[u8]) -> impl std::fmt::Display + '_ {
    percent_encoding::percent_encode(text, PART)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digests::Digests;
    use crate::inventory::Repository;

    #[test]
    fn what_is_no_address_is_none() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(url(text).as_deref(), expected, "{text}");
        check("https://example.org/a?b#c", Some("https://example.org/a?b#c"));
        check("http://example.org/ä <b>", Some("http://example.org/%C3%A4%20%3Cb%3E"));
        for bad in ["javascript:alert(1)//", "https://", "https:///x", "https://e/%zz", "https://e/#a#b", "example.org"]
        {
            check(bad, None);
        }
        check(&format!("https://e/{}", "x".repeat(MAX_URL)), None);
    }

    #[test]
    fn mail_addresses_have_two_sides() {
        for good in ["a@b", "first.last+tag@lists.example.org"] {
            assert!(is_mail(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a..b@c", "a@b..c", "a@-b", "a b@c", "a@b@c", "a@b\n", "\u{1b}@b"] {
            assert!(!is_mail(bad), "{bad}");
        }
    }

    #[test]
    fn only_what_came_from_debian_is_kept_by_debian() {
        let from = |origin: &str| Artefact {
            file_name: "a_1%3a2~3_all.deb".into(),
            digests: Digests::of(b""),
            repository: Some(Repository { origin: Some(origin.into()), suite: "bookworm".into() }),
            ..Artefact::default()
        };
        let expected = "https://snapshot.debian.org/file/da39a3ee5e6b4b0d3255bfef95601890afd80709/a_1%253a2~3_all.deb";
        assert_eq!(snapshot(&from("Debian")).as_deref(), Some(expected));
        assert_eq!(snapshot(&from("Our own")), None);
        assert_eq!(snapshot(&Artefact { digests: Digests::default(), ..from("Debian") }), None);
    }
}
