//! One question to a server and the head of its answer, redirects followed.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use reqwest::{Response, header};
use tokio::time::timeout;
use url::Url;

use crate::client::Client;
use crate::error::{NetError, cause};
use crate::reach::NotPublic;
use crate::redirect::{follow, same_server};
use crate::shown::shown;
use crate::sink::Watch;

/// How often a caller is asked whether to stop.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Where to go on in a file, and by which tag or date the server knows that it is still the same.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) start: u64,
    pub(crate) validator: String,
}

/// The bounds of one download in time.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    pub(crate) watch: &'a dyn Watch,
    pub(crate) deadline: Instant,
}

/// Why a wait ended without what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Cancelled,
    Idle(Duration),
    Deadline,
}

impl Ended {
    /// The error for a URL, given as messages show it.
    pub(crate) fn explain(self, client: &Client, url: &str, received: u64) -> NetError {
        let url = url.to_owned();
        match self {
            Self::Cancelled => NetError::Cancelled { url },
            Self::Idle(waited) => NetError::Stalled { url, received, waited },
            Self::Deadline => NetError::TooSlow { url, received, limit: client.timeouts.whole },
        }
    }
}

impl Patience<'_> {
    /// Waits for a future, but no longer than `idle`.
    pub(crate) async fn wait<T>(self, idle: Duration, future: impl Future<Output = T>) -> Result<T, Ended> {
        self.wait_while(|| idle, || 0, future).await
    }

    /// The same, where the time that `idle` allows begins anew whenever `moved` has changed.
    pub(crate) async fn wait_while<T>(
        self,
        idle: impl Fn() -> Duration,
        moved: impl Fn() -> u64,
        future: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        let (mut start, mut before) = (Instant::now(), moved());
        let mut future = pin!(future);
        loop {
            if self.watch.cancelled() {
                return Err(Ended::Cancelled);
            }
            let now = Instant::now();
            if now >= self.deadline {
                return Err(Ended::Deadline);
            }
            let found = moved();
            if found != before {
                (start, before) = (now, found);
            }
            let idle = idle();
            let left = idle.saturating_sub(now - start);
            if left.is_zero() {
                return Err(Ended::Idle(idle));
            }
            if let Ok(output) = timeout(left.min(TICK), future.as_mut()).await {
                return Ok(output);
            }
        }
    }
}

impl Client {
    /// Asks for a file, or for the rest of it.
    pub(crate) async fn ask(
        &self,
        url: &Url,
        rest: Option<&Rest>,
        patience: Patience<'_>,
    ) -> Result<Response, NetError> {
        let received = rest.map_or(0, |rest| rest.start);
        let mut at = url.clone();
        let mut followed = 0;
        // Once a redirect has led elsewhere, nothing secret is sent any more.
        let mut at_home = true;
        loop {
            let request = self.request(&at, rest, at_home);
            let sent = patience.wait(self.patience_to_answer(), request.send()).await;
            let response = sent.map_err(|ended| ended.explain(self, &shown(url), received))?;
            let response = response.map_err(|error| explain(error, &shown(url), received))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION).map(header::HeaderValue::as_bytes);
            let to = follow(&at, location, followed);
            let mut to = to.map_err(|refusal| NetError::Redirect { url: shown(url), refusal })?;
            at_home &= same_server(url, &to);
            if at_home {
                // These fail for URLs that have no server, which a redirect does not lead to.
                let _: Result<(), ()> = to.set_username(url.username());
                let _: Result<(), ()> = to.set_password(url.password());
            }
            at = to;
            followed += 1;
        }
    }

    fn request(&self, at: &Url, rest: Option<&Rest>, at_home: bool) -> reqwest::RequestBuilder {
        // What stands in the URL is taken out of it below and sent as a header.
        let mut request = self.http.anywhere.get(at.clone());
        let in_url = !at.username().is_empty() || at.password().is_some();
        if at_home
            && !in_url
            && let Some((login, password)) = self.credentials.for_url(at, self.sees_plain)
        {
            request = request.basic_auth(login, Some(password));
        }
        if let Some(Rest { start, validator }) = rest {
            request = request.header(header::RANGE, format!("bytes={start}-")).header(header::IF_RANGE, validator);
        }
        request
    }
}

/// What a failure below means, for a URL as messages show it.
pub(crate) fn explain(error: reqwest::Error, url: &str, received: u64) -> NetError {
    // Its own message would show the URL as it is.
    let error = error.without_url();
    let url = url.to_owned();
    if let Some(NotPublic(address)) = cause(&error) {
        NetError::Address { url, address: *address }
    } else if let Some(rustls::Error::InvalidCertificate(_)) = cause(&error) {
        NetError::Certificate { url, source: Box::new(error) }
    } else if error.is_connect() || error.is_builder() {
        NetError::Connect { url, source: Box::new(error) }
    } else {
        NetError::Interrupted { url, received, source: Box::new(error) }
    }
}
