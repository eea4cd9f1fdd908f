//! Where an answer may lead.
//!
//! A registry keeps its blobs elsewhere as it likes, and says so with a redirect; what comes from there is checked by its
//! digest. Over TLS that may be any host of the public network. Without TLS nobody knows who it was that answered, so that
//! only another port of the same host is followed. Manifests may be elsewhere over TLS alone, since nothing but the word of the
//! registry says which one a tag names. All other redirects stay with the registry.

use distil_net::{NetError, Reach, RedirectRefusal, Response, is_loopback, shown};
use url::Url;

use super::May;

/// Redirects, one after the other.
pub(super) const MOST: u32 = 5;

/// Whether an answer says that what was asked for is elsewhere.
pub(super) fn is_redirect(answer: &Response) -> bool {
    matches!(answer.status(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect from `from` leads, if it is to be followed. `followed` is the number of redirects before this one, and
/// `most` how many there may be.
pub(super) fn follow(from: &Url, location: Option<&str>, may: May, followed: u32, most: u32) -> Result<Url, NetError> {
    let refused = |refusal| NetError::Redirect { url: shown(from), refusal };
    let text = location.filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
    let to = text.and_then(|text| from.join(text).ok()).filter(Url::has_host);
    let to = to.ok_or_else(|| refused(RedirectRefusal::Location))?;
    let name = shown(&to);
    if !to.username().is_empty() || to.password().is_some() {
        return Err(refused(RedirectRefusal::Credentials(name)));
    }
    let same_host = to.host() == from.host();
    let scheme_holds = match to.scheme() {
        "https" => true,
        "http" => from.scheme() == "http",
        _ => false,
    };
    if !scheme_holds {
        return Err(refused(RedirectRefusal::Scheme(name)));
    }
    let away = match may {
        May::Stay => false,
        May::LeadAwayOverTls => from.scheme() == "https",
        May::LeadAway => from.scheme() == "https" || same_host,
    };
    let host_holds = to.origin() == from.origin() || away;
    if !host_holds {
        return Err(refused(RedirectRefusal::Host(name)));
    }
    if followed >= most {
        return Err(refused(RedirectRefusal::Count(followed + 1, name)));
    }
    Ok(to)
}

/// Which addresses a redirect may go to: the user named the registry, and the registry everything else.
pub(super) fn reach(home: &Url, to: &Url) -> Reach {
    let is_here = home.host().is_some_and(|host| is_loopback(&host));
    let other_port_here = home.scheme() == "http" && is_here && home.host() == to.host();
    if to.origin() == home.origin() || other_port_here { Reach::Anywhere } else { Reach::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, location: &str, may: May) -> Result<String, RedirectRefusal> {
        match follow(&Url::parse(from).unwrap(), Some(location), may, 0, MOST) {
            Ok(to) => Ok(to.into()),
            Err(NetError::Redirect { refusal, .. }) => Err(refusal),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn blobs_may_be_elsewhere_and_all_else_may_not() {
        let secure = "https://a.example/v2/x/blobs/y";
        let plain = "http://127.0.0.1:5000/v2/x/blobs/y";
        for (from, location, may, to) in [
            (secure, "/other", May::Stay, "https://a.example/other"),
            (secure, "https://b.example/z?sig=1", May::LeadAway, "https://b.example/z?sig=1"),
            (secure, "//b.example:444/z", May::LeadAway, "https://b.example:444/z"),
            (plain, "http://127.0.0.1:5000/z", May::Stay, "http://127.0.0.1:5000/z"),
            (secure, "https://b.example/z", May::LeadAwayOverTls, "https://b.example/z"),
            (plain, "http://127.0.0.1:5001/z", May::LeadAway, "http://127.0.0.1:5001/z"),
        ] {
            assert_eq!(check(from, location, may).as_deref(), Ok(to), "{from} {location}");
        }
        let host = |url: &str| RedirectRefusal::Host(url.to_owned());
        let scheme = |url: &str| RedirectRefusal::Scheme(url.to_owned());
        for (from, location, may, refusal) in [
            (secure, "https://b.example/", May::Stay, host("https://b.example/")),
            (secure, "https://a.example:444/", May::Stay, host("https://a.example:444/")),
            (secure, "http://a.example/", May::LeadAway, scheme("http://a.example/")),
            (secure, "ftp://a.example/", May::LeadAway, scheme("ftp://a.example/")),
            (plain, "http://127.0.0.2:5000/", May::LeadAway, host("http://127.0.0.2:5000/")),
            (plain, "http://b.example/", May::LeadAway, host("http://b.example/")),
            (plain, "http://127.0.0.1:5001/", May::LeadAwayOverTls, host("http://127.0.0.1:5001/")),
            (plain, "http://127.0.0.1:5001/", May::Stay, host("http://127.0.0.1:5001/")),
            (
                secure,
                "https://u:p@b.example/",
                May::LeadAway,
                RedirectRefusal::Credentials("https://b.example/".into()),
            ),
            (secure, "file:///etc/passwd", May::LeadAway, RedirectRefusal::Location),
            (secure, "/a\tb", May::LeadAway, RedirectRefusal::Location),
            (secure, "", May::LeadAway, RedirectRefusal::Location),
        ] {
            assert_eq!(check(from, location, may), Err(refusal), "{from} {location}");
        }
        let from = Url::parse(secure).unwrap();
        assert!(follow(&from, Some("/z"), May::LeadAway, 4, MOST).is_ok());
        assert!(follow(&from, Some("/z"), May::LeadAway, 5, MOST).is_err());
        assert!(follow(&from, None, May::LeadAway, 0, MOST).is_err());
    }

    #[test]
    fn only_the_registry_may_be_at_any_address() {
        let url = |text| Url::parse(text).unwrap();
        for (home, to, expected) in [
            ("https://a.example/v2/", "https://a.example/z", Reach::Anywhere),
            ("https://a.example/v2/", "https://a.example:444/z", Reach::Public),
            ("https://a.example/v2/", "https://b.example/z", Reach::Public),
            ("http://localhost:5000/v2/", "http://localhost:5001/z", Reach::Anywhere),
            ("http://a.example/v2/", "http://a.example:81/z", Reach::Public),
        ] {
            assert_eq!(reach(&url(home), &url(to)), expected, "{home} {to}");
        }
    }
}
