//! Which redirects are followed.
//!
//! What is fetched is checked against a signature or digest by the caller, so that a redirect cannot bring other bytes.
//! It could lead to a server inside the network that the machine can reach and the first server cannot, or take TLS
//! away, so that who listens learns what is fetched. Hence the scheme stays, and another host is taken from a server
//! that TLS has identified alone: mirrors that send to a content network do that.

use url::Url;

use crate::error::RedirectRefusal;
use crate::shown::shown;

/// Redirects, one after the other.
const MOST: u32 = 5;

/// Where a redirect leads, if it is to be followed.
///
/// `location` is the header's value, `followed` the number of redirects before this one.
pub(crate) fn follow(from: &Url, location: Option<&[u8]>, followed: u32) -> Result<Url, RedirectRefusal> {
    let text = location.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(RedirectRefusal::Location)?;
    // Parsing would drop line ends and tabs silently.
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(RedirectRefusal::Location);
    }
    // What the user wrote for the first server is not what the `Location` says.
    let mut base = from.clone();
    let _: Result<(), ()> = base.set_username("");
    let _: Result<(), ()> = base.set_password(None);
    let to = base.join(text).map_err(|_| RedirectRefusal::Location)?;
    let name = shown(&to);
    if to.scheme() != from.scheme() {
        return Err(RedirectRefusal::Scheme(name));
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(RedirectRefusal::Credentials(name));
    }
    if !same_server(from, &to) && from.scheme() != "https" {
        return Err(RedirectRefusal::Host(name));
    }
    if followed >= MOST {
        return Err(RedirectRefusal::Count(followed + 1, name));
    }
    Ok(to)
}

/// Whether two URLs of the same scheme lead to the same host and port.
pub(crate) fn same_server(a: &Url, b: &Url) -> bool {
    a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_stays_and_another_host_needs_tls() {
        let check = |from: &str, location: &str| {
            follow(&Url::parse(from).unwrap(), Some(location.as_bytes()), 0).map(String::from)
        };
        let followed = [
            ("http://u:p@a.example/x/y", "z", "http://a.example/x/z"),
            ("http://a.example/x", "http://a.example:80/z", "http://a.example/z"),
            ("https://a.example/x", "//b.example:444/z", "https://b.example:444/z"),
        ];
        for (from, location, to) in followed {
            assert_eq!(check(from, location).as_deref(), Ok(to));
        }
        let refused = [
            ("http://a.example/", "https://a.example/", RedirectRefusal::Scheme("https://a.example/".into())),
            ("https://a.example/", "http://a.example/", RedirectRefusal::Scheme("http://a.example/".into())),
            ("https://a.example/", "file:///etc/x", RedirectRefusal::Scheme("file:///etc/x".into())),
            ("http://a.example/", "//b.example/", RedirectRefusal::Host("http://b.example/".into())),
            ("http://a.example/", "//a.example:81/", RedirectRefusal::Host("http://a.example:81/".into())),
            ("https://a.example/", "//u:p@b.example/", RedirectRefusal::Credentials("https://b.example/".into())),
            ("https://a.example/", "/a\tb", RedirectRefusal::Location),
            ("https://a.example/", "/a\u{85}b", RedirectRefusal::Location),
            ("https://a.example/", "https://", RedirectRefusal::Location),
            ("https://a.example/", "", RedirectRefusal::Location),
        ];
        for (from, location, refusal) in refused {
            assert_eq!(check(from, location), Err(refusal));
        }
        let from = Url::parse("https://a.example/").unwrap();
        assert_eq!(follow(&from, None, 0), Err(RedirectRefusal::Location));
        assert!(follow(&from, Some(b"/b"), 4).is_ok());
        let refusal = RedirectRefusal::Count(6, "https://a.example/b".into());
        assert_eq!(follow(&from, Some(b"/b"), 5), Err(refusal));
    }
}
