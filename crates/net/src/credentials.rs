//! User names and passwords, each bound to the servers it is for.

use std::fmt;

use url::{Host, Url};

use crate::error::SetupError;
use crate::netrc;
use crate::reach::is_loopback;

/// Credentials that are sent to their servers alone. Those that a URL holds come before these.
///
/// Where an entry does not say `http://`, it is sent over TLS or to this very machine alone: whoever listens on the way
/// would learn it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    entries: Vec<Entry>,
}

/// Which servers an entry is for, and what is sent to them.
#[derive(Clone)]
pub(crate) struct Entry {
    /// With a scheme, the port is that scheme's where none is given; without, any port where none is given.
    pub(crate) scheme: Option<String>,
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
    /// Without a slash at the end.
    pub(crate) path: String,
    pub(crate) login: String,
    pub(crate) password: String,
}

/// Secrets are for servers, not for logs.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("scheme", &self.scheme)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads a netrc file, or a file of apt's [`auth.conf`], which names URLs in place of hosts. `name` is for messages.
    ///
    /// The entry `default` is left out, as it is for servers that nobody named, and so are entries without a login and
    /// those for other schemes.
    ///
    /// # Errors
    /// [`SetupError::Credentials`] with the line that is not in order.
    ///
    /// [`auth.conf`]: https://manpages.debian.org/bookworm/apt/apt_auth.conf.5.en.html
    pub fn netrc(name: &str, bytes: &[u8]) -> Result<Self, SetupError> {
        let wrong = |(line, problem)| SetupError::Credentials { name: name.to_owned(), line, problem };
        Ok(Self { entries: netrc::parse(bytes).map_err(wrong)? })
    }

    /// These, and behind them others: the first that fits a URL counts.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.entries.extend(others.entries);
        self
    }

    /// What is sent to a server. `proxied` is whether a proxy would see plain HTTP.
    pub(crate) fn for_url(&self, url: &Url, proxied: bool) -> Option<(&str, &str)> {
        let entry = self.entries.iter().find(|entry| entry.fits(url) && entry.may_travel(url, proxied))?;
        Some((&entry.login, &entry.password))
    }
}

impl Entry {
    fn fits(&self, url: &Url) -> bool {
        let scheme = self.scheme.as_deref().is_none_or(|scheme| scheme == url.scheme());
        let host = url.host().is_some_and(|host| host == self.host);
        let port = self.port.is_none_or(|port| url.port_or_known_default() == Some(port));
        let below = url.path().strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        scheme && host && port && below
    }

    fn may_travel(&self, url: &Url, proxied: bool) -> bool {
        url.scheme() == "https" || self.scheme.is_some() || (is_loopback(&self.host) && !proxied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(machine: &str, url: &str, proxied: bool) -> bool {
        let text = format!("machine {machine} login u password p");
        let credentials = Credentials::netrc("netrc", text.as_bytes()).unwrap();
        credentials.for_url(&Url::parse(url).unwrap(), proxied).is_some()
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let sent_to = [
            ("a.example", "https://a.example/x"),
            ("A.example", "https://a.example:8443/x"),
            ("a.example:8443", "https://a.example:8443/x"),
            ("a.example/deb", "https://a.example/deb"),
            ("a.example/deb/", "https://a.example/deb/x"),
            ("http://a.example", "http://a.example/x"),
            ("http://a.example:8080/deb", "http://a.example:8080/deb/x"),
            ("https://a.example", "https://a.example/x"),
            ("127.0.0.1", "http://127.0.0.1:4711/x"),
            ("localhost", "http://localhost/x"),
        ];
        for (machine, url) in sent_to {
            assert!(sent(machine, url, false), "{machine} {url}");
        }
        let kept = [
            ("a.example", "http://a.example/x"),
            ("a.example", "https://b.example/x"),
            ("a.example", "https://x.a.example/"),
            ("a.example", "https://a.example.org/"),
            ("a.example:443", "https://a.example:8443/"),
            ("a.example:8443", "https://a.example/"),
            ("https://a.example", "https://a.example:8443/"),
            ("https://a.example", "http://a.example/"),
            ("http://a.example", "https://a.example/"),
            ("a.example/deb", "https://a.example/debian"),
            ("a.example/deb", "https://a.example/deb/../x"),
            ("a.example/deb", "https://a.example/deb/%2e%2e/x"),
        ];
        for (machine, url) in kept {
            assert!(!sent(machine, url, false), "{machine} {url}");
        }
        assert!(!sent("127.0.0.1", "http://127.0.0.1/", true), "a proxy would see it");
    }

    #[test]
    fn the_first_that_fits_counts() {
        let first = Credentials::netrc("a", b"machine a.example/x login first password 1").unwrap();
        let both = first.and(Credentials::netrc("b", b"machine a.example login second password 2").unwrap());
        let login = |url| both.for_url(&Url::parse(url).unwrap(), false).map(|(login, _)| login);
        assert_eq!(login("https://a.example/x/y"), Some("first"));
        assert_eq!(login("https://a.example/y"), Some("second"));
        assert!(!format!("{both:?}").contains("second"), "printed");
    }
}
