//! URLs as messages show them.

use url::Url;

/// The URL without user name, password, query and fragment: all of them may hold secrets, as in links that are signed.
/// What is left holds no control characters, since parsing a URL encodes them.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // These fail for URLs that have no user name or password to remove.
    let _: Result<(), ()> = url.set_username("");
    let _: Result<(), ()> = url.set_password(None);
    url.set_fragment(None);
    if url.query().is_some() {
        url.set_query(None);
        return format!("{url}?…");
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let cases = [
            ("https://user:secret@host.example/a?token=secret#secret", "https://host.example/a?…"),
            ("http://user@host.example:8080/a%20b", "http://host.example:8080/a%20b"),
            ("file:///a/\u{1b}[31m", "file:///a/%1B[31m"),
            ("http://host.example/\u{202e}", "http://host.example/%E2%80%AE"),
            ("data:text/plain,a", "data:text/plain,a"),
        ];
        for (url, expected) in cases {
            assert_eq!(shown(&Url::parse(url).unwrap()), expected);
        }
    }
}
