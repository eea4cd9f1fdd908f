//! How connections are made.

use crate::client::Timeouts;
use crate::error::SetupError;
use crate::proxies::Proxies;
use crate::reach::NamesWithin;
use crate::request::Reach;
use crate::roots::Roots;
use crate::tls::{self, Identity};

const USER_AGENT: &str = concat!("distil/", env!("CARGO_PKG_VERSION"));
/// Connections to one server that are kept for the next request.
const IDLE_CONNECTIONS: usize = 16;
/// What a server may send over HTTP/2 before it is told that it was read, for one answer and for all of a connection. That
/// bounds memory, and over long lines speed: so many bytes in the time to the server and back.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// The largest piece in HTTP/2. With the 16 KiB that are usual, the time goes into handing them on.
const FRAME: u32 = 256 << 10;

/// Connections that share who is trusted and who we are.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) anywhere: reqwest::Client,
    /// To this very machine, which no proxy knows by the same name.
    pub(crate) here: reqwest::Client,
    /// To names with public addresses alone, and without showing a certificate.
    pub(crate) public: reqwest::Client,
    /// The same, with those in private networks.
    pub(crate) near: reqwest::Client,
    pub(crate) has_roots: bool,
}

impl Way {
    pub(crate) fn new(
        roots: &Roots,
        identity: Option<&Identity>,
        proxies: &Proxies,
        timeouts: Timeouts,
    ) -> Result<Self, SetupError> {
        let start = |error: reqwest::Error| SetupError::Start { source: Box::new(error) };
        let anywhere = builder(roots, identity, proxies, timeouts)?.build().map_err(start)?;
        let here = builder(roots, identity, &Proxies::default(), timeouts)?.build().map_err(start)?;
        let within = |reach| {
            let names = NamesWithin { reach, proxies: proxies.hosts()? };
            builder(roots, None, proxies, timeouts)?.dns_resolver(names).build().map_err(start)
        };
        let (public, near) = (within(Reach::Public)?, within(Reach::Near)?);
        Ok(Self { anywhere, here, public, near, has_roots: !roots.is_empty() })
    }
}

/// The number and size of header fields is bounded below: 100 fields in a head of 400 KiB, and 16 KiB over HTTP/2.
fn builder(
    roots: &Roots,
    identity: Option<&Identity>,
    proxies: &Proxies,
    timeouts: Timeouts,
) -> Result<reqwest::ClientBuilder, SetupError> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(timeouts.connect)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_frame_size(FRAME)
        .tls_backend_preconfigured(tls::config(roots.clone(), identity)?);
    proxies.apply(builder)
}

#[cfg(test)]
mod tests;
