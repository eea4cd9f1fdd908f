//! Which redirects are followed.
//!
//! What is fetched is checked against a signature or digest by the caller, so that a redirect cannot bring other bytes.
//! It could lead to a server inside the network that the machine can reach and the first server cannot, or take TLS
//! away, so that who listens learns what is fetched. Hence TLS stays, and another host is taken from a server that TLS
//! has identified alone: mirrors that send to a content network do that.

use url::Url;

use crate::error::RedirectRefusal;
use crate::shown::shown;

/// Which redirects are followed. No user name or password is ever taken from one, nor from the URL that led there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirects {
    /// Where they may lead.
    pub lead: Lead,
    /// So many at most, one after the other.
    pub most: u32,
}

/// Where a redirect may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// To the same scheme, host and port.
    Nowhere,
    /// To another host or port, if TLS says who it was that sent us there, and if it speaks TLS itself.
    AwayOverTls,
    /// The same, and without TLS to another port of the same host, which may speak TLS.
    Away,
}

impl Redirects {
    /// As many in a row as are followed where they are.
    pub const USUAL: u32 = 5;

    /// Where a redirect leads, if it is to be followed.
    ///
    /// `location` is the header's value, `followed` the number of redirects before this one.
    ///
    /// # Errors
    /// [`RedirectRefusal`] where it is not.
    pub fn follow(self, from: &Url, location: Option<&str>, followed: u32) -> Result<Url, RedirectRefusal> {
        // Parsing would drop line ends and tabs silently.
        let text = location.filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
        let text = text.ok_or(RedirectRefusal::Location)?;
        // What the user wrote for the first server is not what the `Location` says.
        let mut base = from.clone();
        let _: Result<(), ()> = base.set_username("");
        let _: Result<(), ()> = base.set_password(None);
        let to = base.join(text).map_err(|_| RedirectRefusal::Location)?;
        let name = shown(&to);
        if !to.username().is_empty() || to.password().is_some() {
            return Err(RedirectRefusal::Credentials(name));
        }
        match self.lead.leaves(from, &to) {
            Some(Away::Scheme) => Err(RedirectRefusal::Scheme(name)),
            Some(Away::Host) => Err(RedirectRefusal::Host(name)),
            None if followed >= self.most => Err(RedirectRefusal::Count(followed + 1, name)),
            None => Ok(to),
        }
    }
}

/// What a redirect changes, and must not.
enum Away {
    Scheme,
    Host,
}

impl Lead {
    fn leaves(self, from: &Url, to: &Url) -> Option<Away> {
        let gains_tls = from.scheme() == "http" && to.scheme() == "https";
        if from.scheme() != to.scheme() && !gains_tls {
            return Some(Away::Scheme);
        }
        if from.scheme() == "https" {
            return (self == Self::Nowhere && !same_server(from, to)).then_some(Away::Host);
        }
        // Nobody knows who it was that answered.
        if from.host() != to.host() {
            return Some(Away::Host);
        }
        match self {
            Self::Away => None,
            _ if gains_tls => Some(Away::Scheme),
            _ => (!same_server(from, to)).then_some(Away::Host),
        }
    }
}

/// Whether an answer says that what was asked for is elsewhere.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether two URLs of the same scheme lead to the same host and port.
pub(crate) fn same_server(a: &Url, b: &Url) -> bool {
    a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, location: &str, lead: Lead) -> Result<String, RedirectRefusal> {
        let redirects = Redirects { lead, most: 1 };
        redirects.follow(&Url::parse(from).unwrap(), Some(location), 0).map(String::from)
    }

    const SECURE: &str = "https://a.example/v2/x/blobs/y";
    const PLAIN: &str = "http://127.0.0.1:5000/v2/x/blobs/y";
    const ALL: [Lead; 3] = [Lead::Nowhere, Lead::AwayOverTls, Lead::Away];

    #[test]
    fn who_may_lead_away_does() {
        for (from, location, least, to) in [
            ("http://u:p@a.example/x/y", "z", Lead::Nowhere, "http://a.example/x/z"),
            ("http://a.example/x", "http://a.example:80/z", Lead::Nowhere, "http://a.example/z"),
            (SECURE, "/other", Lead::Nowhere, "https://a.example/other"),
            (PLAIN, "http://127.0.0.1:5000/z", Lead::Nowhere, "http://127.0.0.1:5000/z"),
            (SECURE, "//b.example:444/z", Lead::AwayOverTls, "https://b.example:444/z"),
            (SECURE, "https://b.example/z?sig=1", Lead::AwayOverTls, "https://b.example/z?sig=1"),
            (SECURE, "https://a.example:444/", Lead::AwayOverTls, "https://a.example:444/"),
            (PLAIN, "http://127.0.0.1:5001/z", Lead::Away, "http://127.0.0.1:5001/z"),
            (PLAIN, "https://127.0.0.1:5001/z", Lead::Away, "https://127.0.0.1:5001/z"),
        ] {
            for lead in ALL {
                let found = check(from, location, lead);
                let may = ALL.iter().position(|one| *one == lead) >= ALL.iter().position(|one| *one == least);
                assert_eq!(found.as_deref().ok(), may.then_some(to), "{from} {location} {lead:?} {found:?}");
            }
        }
    }

    #[test]
    fn tls_is_never_lost_and_without_it_nobody_leads_to_another_host() {
        let scheme = |url: &str| RedirectRefusal::Scheme(url.to_owned());
        let host = |url: &str| RedirectRefusal::Host(url.to_owned());
        let credentials = |url: &str| RedirectRefusal::Credentials(url.to_owned());
        for (from, location, refusal) in [
            ("https://a.example/", "http://a.example/", scheme("http://a.example/")),
            ("https://a.example/", "http://b.example/", scheme("http://b.example/")),
            ("https://a.example/", "ftp://a.example/", scheme("ftp://a.example/")),
            ("https://a.example/", "file:///etc/x", scheme("file:///etc/x")),
            ("http://a.example/", "file:///etc/x", scheme("file:///etc/x")),
            ("http://a.example/", "//b.example/", host("http://b.example/")),
            ("http://a.example/", "https://b.example/", host("https://b.example/")),
            (PLAIN, "http://127.0.0.2:5000/", host("http://127.0.0.2:5000/")),
            ("https://a.example/", "//u:p@b.example/", credentials("https://b.example/")),
            ("https://a.example/", "//u@a.example/", credentials("https://a.example/")),
            ("https://a.example/", "/a\tb", RedirectRefusal::Location),
            ("https://a.example/", "/a\u{85}b", RedirectRefusal::Location),
            ("https://a.example/", "https://", RedirectRefusal::Location),
            ("https://a.example/", "", RedirectRefusal::Location),
        ] {
            for lead in ALL {
                assert_eq!(check(from, location, lead), Err(refusal.clone()), "{from} {location} {lead:?}");
            }
        }
    }

    #[test]
    fn who_may_not_lead_away_does_not() {
        for (from, location, lead, refusal) in [
            (SECURE, "https://b.example/", Lead::Nowhere, RedirectRefusal::Host("https://b.example/".into())),
            (SECURE, "https://a.example:444/", Lead::Nowhere, RedirectRefusal::Host("https://a.example:444/".into())),
            (
                "http://a.example/",
                "//a.example:81/",
                Lead::Nowhere,
                RedirectRefusal::Host("http://a.example:81/".into()),
            ),
            (PLAIN, "//127.0.0.1:5001/", Lead::AwayOverTls, RedirectRefusal::Host("http://127.0.0.1:5001/".into())),
            (
                "http://a.example/",
                "https://a.example/",
                Lead::Nowhere,
                RedirectRefusal::Scheme("https://a.example/".into()),
            ),
            (
                "http://a.example/",
                "https://a.example/",
                Lead::AwayOverTls,
                RedirectRefusal::Scheme("https://a.example/".into()),
            ),
        ] {
            assert_eq!(check(from, location, lead), Err(refusal), "{from} {location} {lead:?}");
        }
    }

    #[test]
    fn redirects_come_to_an_end() {
        let from = Url::parse("https://a.example/").unwrap();
        let redirects = Redirects { lead: Lead::Away, most: 5 };
        assert_eq!(redirects.follow(&from, None, 0), Err(RedirectRefusal::Location));
        assert!(redirects.follow(&from, Some("/b"), 4).is_ok());
        let refusal = RedirectRefusal::Count(6, "https://a.example/b".into());
        assert_eq!(redirects.follow(&from, Some("/b"), 5), Err(refusal));
        let none = Redirects { most: 0, ..redirects };
        let refusal = RedirectRefusal::Count(1, "https://a.example/b".into());
        assert_eq!(none.follow(&from, Some("/b"), 0), Err(refusal));
    }
}
