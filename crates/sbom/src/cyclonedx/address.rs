//! Addresses that may stand in a document. The schema wants URLs and mail addresses of the right form, packages have any.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
