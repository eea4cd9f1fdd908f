//! Proxies, by the rules of the usual environment variables.

use std::fmt;

use reqwest::NoProxy;
use url::Url;

use crate::error::SetupError;

/// The values of `http_proxy`, `https_proxy` and `no_proxy`, which the caller has read. Where `all_proxy` stands for one
/// of the first two, the caller puts it there.
///
/// `no_proxy` is a list of domains (each with what is below it), addresses and networks, separated by commas; `*` is
/// all of them.
#[derive(Clone, Default)]
pub struct Proxies {
    /// The proxy for `http:`.
    pub http: Option<String>,
    /// The proxy for `https:`.
    pub https: Option<String>,
    /// What is reached without one.
    pub no_proxy: Option<String>,
}

/// Proxies often come with a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.as_ref().map(|_| "…"))
            .field("https", &self.https.as_ref().map(|_| "…"))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

impl Proxies {
    pub(crate) fn apply(&self, mut builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
        // Without this the library below would read the environment.
        builder = builder.no_proxy();
        let no_proxy = self.no_proxy.as_deref().and_then(NoProxy::from_string);
        if let Some(url) = parse("proxy for http", self.http.as_deref())? {
            let proxy = reqwest::Proxy::http(url).map_err(|_| SetupError::Proxy { setting: "proxy for http" })?;
            builder = builder.proxy(proxy.no_proxy(no_proxy.clone()));
        }
        if let Some(url) = parse("proxy for https", self.https.as_deref())? {
            let proxy = reqwest::Proxy::https(url).map_err(|_| SetupError::Proxy { setting: "proxy for https" })?;
            builder = builder.proxy(proxy.no_proxy(no_proxy));
        }
        Ok(builder)
    }

    /// The hosts of the proxies, as URLs write them.
    pub(crate) fn hosts(&self) -> Result<Vec<String>, SetupError> {
        let http = parse("proxy for http", self.http.as_deref())?;
        let https = parse("proxy for https", self.https.as_deref())?;
        Ok([http, https].iter().flatten().filter_map(Url::host_str).map(str::to_owned).collect())
    }
}

/// An empty value is none, as everywhere. A value that cannot be used must not mean that no proxy is used.
fn parse(setting: &'static str, value: Option<&str>) -> Result<Option<Url>, SetupError> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
    let value = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(Some).ok_or(SetupError::Proxy { setting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_proxy_or_an_error() {
        let url = |value| parse("proxy for http", Some(value)).map(|url| url.map(String::from));
        assert_eq!(url("proxy.example:3128").unwrap().as_deref(), Some("http://proxy.example:3128/"));
        assert_eq!(url("https://u:p@proxy.example").unwrap().as_deref(), Some("https://u:p@proxy.example/"));
        assert_eq!(url(" ").unwrap(), None);
        for bad in ["socks5://proxy.example", "http://", "proxy example", "://"] {
            assert!(matches!(url(bad), Err(SetupError::Proxy { .. })), "{bad}");
        }
    }

    #[test]
    fn passwords_are_not_printed() {
        let proxies = Proxies { http: Some("http://u:secret@proxy.example".into()), ..Proxies::default() };
        assert!(!format!("{proxies:?}").contains("secret"));
    }
}
