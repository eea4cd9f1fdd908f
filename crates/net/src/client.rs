//! The client: settings, and what it needs to run.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::runtime::Runtime;
use url::Url;

use crate::credentials::Credentials;
use crate::download::{Download, Downloaded};
use crate::error::{NetError, SetupError};
use crate::limit::Limit;
use crate::local;
use crate::proxies::Proxies;
use crate::retry::Retry;
use crate::roots::Roots;
use crate::shown::shown;
use crate::sink::{Sink, Watch};

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
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, with the name's resolution and the handshake of TLS.
    pub connect: Duration,
    /// For the first or next bytes of an answer. So long, too, may next to nothing come of it.
    pub idle: Duration,
    /// For a file, all attempts included.
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

/// Fetches files over HTTP, and reads those of this machine. Calls block; one client serves many threads at once and
/// keeps connections open between calls. It must not be used from within an asynchronous task.
#[derive(Debug)]
pub struct Client {
    /// There until the client is dropped.
    runtime: Option<Runtime>,
    pub(crate) http: reqwest::Client,
    pub(crate) has_roots: bool,
    pub(crate) sees_plain: bool,
    pub(crate) credentials: Credentials,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: Retry,
}

/// They carry connections only; the callers' threads take what comes.
const THREADS: usize = 2;
const USER_AGENT: &str = concat!("distil/", env!("CARGO_PKG_VERSION"));

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// [`SetupError`] where a proxy is none, or the machinery does not start.
    pub fn new(options: ClientOptions) -> Result<Self, SetupError> {
        let ClientOptions { roots, proxies, credentials, timeouts, retry } = options;
        let has_roots = !roots.is_empty();
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(timeouts.connect)
            .tls_backend_preconfigured(tls(roots)?);
        let http = proxies.apply(builder)?.build().map_err(|e| SetupError::Start { source: Box::new(e) })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("distil-net")
            .enable_all()
            .build()
            .map_err(|e| SetupError::Start { source: Box::new(e) })?;
        let sees_plain = proxies.http.is_some();
        Ok(Self { runtime: Some(runtime), http, has_roots, sees_plain, credentials, timeouts, retry })
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
            "https" if !self.has_roots => Err(NetError::NoRoots { url: shown(url) }),
            "http" | "https" => {
                let download = Download::new(self, url, limit, sink, watch);
                match &self.runtime {
                    Some(runtime) => runtime.block_on(download.run()),
                    // Dropping takes the client away from everybody first.
                    None => Err(NetError::Cancelled { url: shown(url) }),
                }
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
}

impl Drop for Client {
    fn drop(&mut self) {
        // A name that is still being resolved would hold up an orderly end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// TLS with its own cryptography: one that is set for the whole process would be the concern of the program.
fn tls(roots: Roots) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| SetupError::Start { source: Box::new(e) })?;
    let mut config = builder.with_root_certificates(roots.into_store()).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
