//! The client: settings, and what it needs to run.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use url::{Host, Url};

use crate::credentials::Credentials;
use crate::download::{Download, Downloaded};
use crate::error::{NetError, SetupError};
use crate::exchange;
use crate::limit::Limit;
use crate::local;
use crate::proxies::Proxies;
use crate::reach::is_loopback;
use crate::request::Reach;
use crate::retry::Retry;
use crate::roots::Roots;
use crate::shown::shown;
use crate::sink::{Sink, Watch};
use crate::tls::{HostTls, Server};
use crate::way::Way;

/// What a client is made from. Everything comes from the caller: nothing is read from the environment.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Who vouches for servers.
    pub roots: Roots,
    /// The way to servers.
    pub proxies: Proxies,
    /// For servers that ask for them.
    pub credentials: Credentials,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to ask.
    pub retry: Retry,
    /// What holds for single servers, in [`Client::send`] alone.
    pub tls: Vec<HostTls>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, with the name's resolution and the handshake of TLS.
    pub connect: Duration,
    /// For the first or next bytes of an answer. So long, too, may next to nothing come of it, and a server take nothing of
    /// what is sent. One that has all of it may need longer to store it, and gets four times as long for its answer.
    pub idle: Duration,
    /// For a file, all attempts included; for one request of [`Client::send`] and its answer; for all
    /// [`crate::Attempts`] of one piece of work, after which none is repeated.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(3 * 60 * 60),
        }
    }
}

/// Fetches files over HTTP, reads those of this machine, and sends requests of other protocols. Calls block; one client
/// serves many threads at once and keeps connections open between calls. It must not be used from within an asynchronous
/// task.
#[derive(Debug)]
pub struct Client {
    /// There until the client is dropped.
    runtime: Option<Runtime>,
    pub(crate) http: Way,
    /// For servers with settings of their own.
    hosts: BTreeMap<Server, Way>,
    proxy_hosts: Vec<String>,
    pub(crate) sees_plain: bool,
    pub(crate) credentials: Credentials,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: Retry,
    /// Waits so far.
    pub(crate) waits: AtomicU32,
}

/// They carry connections only; the callers' threads take what comes.
const THREADS: usize = 2;
/// A server that has all that was sent may need so many times longer to answer: it puts a large file in its place.
const STORING: u32 = 4;

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// [`SetupError`] where a proxy is none, or the machinery does not start.
    pub fn new(options: ClientOptions) -> Result<Self, SetupError> {
        let ClientOptions { roots, proxies, credentials, timeouts, retry, tls } = options;
        let http = Way::new(&roots, None, &proxies, timeouts)?;
        let mut hosts = BTreeMap::new();
        for HostTls { host, roots: own, identity } in tls {
            let way = Way::new(&roots.clone().and(own), identity.as_ref(), &proxies, timeouts)?;
            hosts.insert(Server::parse(&host)?, way);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("distil-net")
            .enable_all()
            .build()
            .map_err(|e| SetupError::Start { source: Box::new(e) })?;
        let (sees_plain, proxy_hosts) = (proxies.http.is_some(), proxies.hosts()?);
        let (runtime, waits) = (Some(runtime), AtomicU32::new(0));
        Ok(Self { runtime, http, hosts, proxy_hosts, sees_plain, credentials, timeouts, retry, waits })
    }

    /// Fetches a file into a sink as it comes, within its limit. A connection that breaks or stalls is made anew, and
    /// the file goes on where it stopped if the server still has the same one.
    ///
    /// # Errors
    /// [`NetError`] where the file is not there as a whole, after the attempts that make sense.
    pub fn download(
        &self,
        url: &Url,
        limit: Limit,
        sink: &mut dyn Sink,
        watch: &dyn Watch,
    ) -> Result<Downloaded, NetError> {
        match url.scheme() {
            "file" => local::read(url, limit, sink, watch),
            "https" if !self.http.has_roots => Err(NetError::NoRoots { url: shown(url) }),
            "http" | "https" => {
                let download = Download::new(self, url, limit, sink, watch);
                self.block_on(download.run(), &shown(url))?
            }
            _ => Err(NetError::Scheme { url: shown(url) }),
        }
    }

    /// Fetches a small file, of `max` bytes at most.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub fn get(&self, url: &Url, max: u64, watch: &dyn Watch) -> Result<Vec<u8>, NetError> {
        let mut bytes = Vec::new();
        self.download(url, Limit::at_most(max), &mut bytes, watch)?;
        Ok(bytes)
    }

    /// The way to a server, if one of this reach may be taken.
    pub(crate) fn way(&self, url: &Url, reach: Reach) -> Result<&reqwest::Client, NetError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NetError::Scheme { url: shown(url) });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NetError::Credentials { url: shown(url) });
        }
        let way = Server::of(url).and_then(|server| self.hosts.get(&server)).unwrap_or(&self.http);
        if url.scheme() == "https" && !way.has_roots {
            return Err(NetError::NoRoots { url: shown(url) });
        }
        let http = match reach {
            Reach::Anywhere if url.host().is_some_and(|host| is_loopback(&host)) => return Ok(&way.here),
            Reach::Anywhere => return Ok(&way.anywhere),
            Reach::Public => &way.public,
            Reach::Near => &way.near,
        };
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if let Some(address) = address.filter(|address| !reach.allows(*address)) {
            return Err(NetError::Address { url: shown(url), address });
        }
        if url.host_str().is_some_and(|host| self.proxy_hosts.iter().any(|proxy| proxy == host)) {
            return Err(NetError::Proxy { url: shown(url) });
        }
        Ok(http)
    }

    /// Whether an answer may come from a proxy. Which servers are reached without one, the library below knows alone.
    pub(crate) fn has_proxies(&self) -> bool {
        !self.proxy_hosts.is_empty()
    }

    /// Runs something for a URL, given as messages show it.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>, url: &str) -> Result<T, NetError> {
        // Dropping takes the client away from everybody first.
        let runtime = self.runtime.as_ref().ok_or_else(|| NetError::Cancelled { url: url.to_owned() })?;
        let _entered = runtime.enter();
        Ok(exchange::block_on(future))
    }

    /// The same, which goes on while this thread does other things.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
        url: &str,
    ) -> Result<JoinHandle<T>, NetError> {
        let runtime = self.runtime.as_ref().ok_or_else(|| NetError::Cancelled { url: url.to_owned() })?;
        Ok(runtime.spawn(future))
    }

    /// How long the head of an answer may take.
    pub(crate) fn patience_to_answer(&self) -> Duration {
        self.timeouts.connect.saturating_add(self.timeouts.idle)
    }

    /// The same for a request that stores something.
    pub(crate) fn patience_to_store(&self) -> Duration {
        self.timeouts.connect.saturating_add(self.timeouts.idle.saturating_mul(STORING))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A name that is still being resolved would hold up an orderly end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
