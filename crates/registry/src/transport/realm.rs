//! Which token servers are asked, and which of them may have the login.
//!
//! A registry that names any server it likes as its token server would get logins sent there, or requests sent to servers
//! that only this machine can reach. So a login goes to the registry's own scheme, host and port, to the few token servers
//! of well-known registries, and to those that the user names. Without a login any server on the public network is asked.

use distil_net::Reach;
use url::Url;

use crate::error::RealmRefusal;

/// Registries whose token servers are known to have another name than they.
const KNOWN: [(&str, &str); 2] =
    [("https://registry-1.docker.io", "https://auth.docker.io"), ("https://registry.gitlab.com", "https://gitlab.com")];

/// A token server that may be asked.
#[derive(Debug, Clone)]
pub(super) struct Realm {
    pub(super) url: Url,
    /// Whether it may have the login.
    pub(super) trusted: bool,
}

impl Realm {
    /// The one that a registry at `home` names. `listed` are those that the user trusts, as `HOST` or `HOST:PORT`.
    pub(super) fn new(text: &str, home: &Url, listed: &[String]) -> Result<Self, RealmRefusal> {
        let mut url = Url::parse(text).map_err(|_| RealmRefusal::Url)?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(RealmRefusal::Url);
        }
        if url.scheme() == "http" && home.scheme() != "http" {
            return Err(RealmRefusal::Plain);
        }
        url.set_fragment(None);
        let own = url.origin() == home.origin();
        let (from, to) = (home.origin().ascii_serialization(), url.origin().ascii_serialization());
        let known = KNOWN.contains(&(from.as_str(), to.as_str()));
        let trusted = own || known || listed.iter().any(|server| is_at(&url, server));
        Ok(Self { url, trusted })
    }

    /// The same, if it may have the login.
    pub(super) fn for_login(self) -> Result<Self, RealmRefusal> {
        if self.trusted { Ok(self) } else { Err(RealmRefusal::Login) }
    }

    /// Where the request may go.
    pub(super) fn reach(&self) -> Reach {
        if self.trusted { Reach::Anywhere } else { Reach::Public }
    }
}

/// Whether a URL is at `HOST` or `HOST:PORT`, where the port is that of the scheme if none is given.
fn is_at(url: &Url, server: &str) -> bool {
    let same = |listed: Url| listed.path() == "/" && listed.query().is_none() && listed.origin() == url.origin();
    Url::parse(&format!("{}://{server}", url.scheme())).is_ok_and(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(home: &str, realm: &str, listed: &[&str]) -> Result<bool, RealmRefusal> {
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        Realm::new(realm, &Url::parse(home).unwrap(), &listed).map(|realm| realm.trusted)
    }

    #[test]
    fn the_login_stays_with_the_registry_and_those_it_is_meant_for() {
        let (secure, plain) = ("https://a.example/v2/", "http://127.0.0.1:5000/v2/");
        for (home, realm, listed) in [
            (secure, "https://a.example/token", &[][..]),
            (secure, "https://A.example:443/token?x=y#z", &[]),
            (plain, "http://127.0.0.1:5000/token", &[]),
            ("https://registry-1.docker.io/v2/", "https://auth.docker.io/token", &[]),
            ("https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth", &[]),
            (secure, "https://b.example/token", &["b.example"]),
            (secure, "https://b.example:444/token", &["c.example", "b.example:444"]),
            (plain, "http://127.0.0.1:5001/token", &["127.0.0.1:5001"]),
        ] {
            assert_eq!(check(home, realm, listed), Ok(true), "{home} {realm}");
        }
        for (home, realm, listed) in [
            (secure, "https://b.example/token", &[][..]),
            (secure, "https://a.example:444/token", &[]),
            (secure, "https://x.a.example/token", &[]),
            (secure, "https://a.example.org/token", &[]),
            (secure, "https://auth.docker.io/token", &[]),
            ("http://registry-1.docker.io/v2/", "http://auth.docker.io/token", &[]),
            (secure, "https://b.example/token", &["b.example:444", "example", "b.example/token", "u@b.example.org"]),
            (secure, "https://b.example:444/token", &["b.example"]),
            (plain, "http://127.0.0.1:5001/token", &[]),
            (plain, "http://localhost:5000/token", &[]),
            (plain, "https://127.0.0.1:5000/token", &[]),
        ] {
            assert_eq!(check(home, realm, listed), Ok(false), "{home} {realm}");
        }
    }

    #[test]
    fn what_is_no_token_server_is_not_asked() {
        let home = "https://a.example/v2/";
        for realm in
            ["", "token", "/token", "file:///etc/passwd", "https://u:p@a.example/", "https://", "ftp://a.example/"]
        {
            assert_eq!(check(home, realm, &[]), Err(RealmRefusal::Url), "{realm}");
        }
        assert_eq!(check(home, "http://a.example/token", &["a.example"]), Err(RealmRefusal::Plain));
    }
}
