//! Where a registry is: its host, the scheme it speaks, and what it wants of those who ask.
//!
//! TLS is spoken to every registry, with two exceptions. On loopback, where nobody listens on the way, plain HTTP is tried
//! first, and TLS where the answer is not one of plain HTTP; a certificate that is not trusted is an error then. With
//! [`Options::insecure_http`](crate::Options), TLS is tried first, and plain HTTP where no connection with TLS comes about. A
//! certificate that is not trusted never leads to plain HTTP, and what is sent to find out holds nothing secret.

use distil_imgcore::RegistryName;
use distil_net::{Body, Method, NetError, Reach, Request, Response, is_loopback};
use url::Url;

use super::refusal::{self, Refusing};
use super::wanted::Wanted;
use crate::error::{PASSING, RegistryError};
use crate::repository::Options;

/// The name of Docker Hub in references, in files of logins, and its other one.
const HUB: [&str; 2] = ["docker.io", "index.docker.io"];
/// Where Docker Hub speaks the protocol.
const HUB_HOST: &str = "registry-1.docker.io";

/// A registry and a repository in it, before anything was asked.
#[derive(Debug)]
pub(super) struct Address {
    /// As in references and files of logins: `docker.io`.
    pub(super) host: String,
    /// With the `library/` that references to Docker Hub leave out.
    pub(super) repository: String,
    secure: Url,
    plain: Option<(Url, Order)>,
}

/// A registry that has answered.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// `https://HOST/v2/`.
    pub(super) base: Url,
    pub(super) wanted: Wanted,
}

/// When plain HTTP is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    First,
    Last,
}

impl Address {
    pub(super) fn new(name: &RegistryName, insecure_http: bool) -> Result<Self, RegistryError> {
        let is_hub = HUB.contains(&name.host());
        let host = if is_hub { HUB_HOST } else { name.host() };
        let base = |scheme: &str| {
            let url = Url::parse(&format!("{scheme}://{host}/v2/")).ok();
            url.filter(Url::has_host).ok_or_else(|| RegistryError::Host { host: name.host().to_owned() })
        };
        let secure = base("https")?;
        let plain = match (secure.host().is_some_and(|host| is_loopback(&host)), insecure_http) {
            (true, _) => Some((base("http")?, Order::First)),
            (false, true) => Some((base("http")?, Order::Last)),
            (false, false) => None,
        };
        let host = if is_hub { "docker.io" } else { name.host() };
        Ok(Self { host: host.to_owned(), repository: repository_on(host, name.repository()), secure, plain })
    }

    /// Asks the registry for its version, as the specification wants it of everybody who asks for more.
    pub(super) fn ask(&self, options: &Options) -> Result<Home, RegistryError> {
        let ping = |base: &Url| ping(base, options).map(|answer| (base.clone(), answer));
        let (base, answer) = match &self.plain {
            None => ping(&self.secure),
            Some((plain, Order::Last)) => match ping(&self.secure) {
                Err(NetError::Connect { .. }) => ping(plain),
                other => other,
            },
            Some((plain, Order::First)) => match ping(plain) {
                // Servers that expect TLS answer with 400, or with what is no HTTP at all.
                Ok((_, answer)) if answer.status() != 400 => Ok((plain.clone(), answer)),
                first => match ping(&self.secure) {
                    Ok(found) => Ok(found),
                    Err(error @ (NetError::Certificate { .. } | NetError::NoRoots { .. })) => Err(error),
                    Err(_) => first,
                },
            },
        }
        .map_err(|error| self.explain(error))?;
        if PASSING.contains(&answer.status()) {
            let refusing = Refusing { place: &self.host, server: &self.host, login: false };
            return Err(refusal::refused(refusing, "/v2/", answer));
        }
        let wanted = match answer.status() {
            401 => Wanted::of(&self.host, &answer)?,
            _ => Wanted::Nothing,
        };
        Ok(Home { base, wanted })
    }

    /// The schemes that are tried, in their order.
    #[cfg(test)]
    pub(super) fn schemes(&self) -> Vec<&str> {
        let secure = self.secure.scheme();
        match &self.plain {
            None => vec![secure],
            Some((plain, Order::First)) => vec![plain.scheme(), secure],
            Some((plain, Order::Last)) => vec![secure, plain.scheme()],
        }
    }

    fn explain(&self, error: NetError) -> RegistryError {
        match error {
            error if error.is_not_tls() => RegistryError::Plain { host: self.host.clone(), source: error },
            error => error.into(),
        }
    }
}

/// The name of a repository as a registry has it. On Docker Hub those of one word lie in `library`.
pub(super) fn repository_on(host: &str, repository: &str) -> String {
    let is_short = host == "docker.io" && !repository.contains('/');
    if is_short { format!("library/{repository}") } else { repository.to_owned() }
}

fn ping(base: &Url, options: &Options) -> Result<Response, NetError> {
    let request = Request {
        method: Method::Get,
        url: base.clone(),
        headers: Vec::new(),
        body: Body::Empty,
        reach: Reach::Anywhere,
    };
    options.client.send(request, &options.watch)
}
