//! One question to a server and the head of its answer, redirects followed.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use reqwest::{Response, header};
use url::Url;

use crate::client::Client;
use crate::error::{NetError, cause};
use crate::reach::OutOfReach;
use crate::redirect::{Lead, Redirects, is_redirect, same_server};
use crate::shown::shown;
use crate::sink::Watch;

/// How often a caller is asked whether to stop, and limits are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// Those of downloads: mirrors have their files in a content network.
const REDIRECTS: Redirects = Redirects { lead: Lead::AwayOverTls, most: Redirects::USUAL };

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
    /// Waits for a future, but no longer than `idle`. Within [`block_on`] alone.
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
        poll_fn(|cx| {
            if self.watch.cancelled() {
                return Poll::Ready(Err(Ended::Cancelled));
            }
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let now = Instant::now();
            if now >= self.deadline {
                return Poll::Ready(Err(Ended::Deadline));
            }
            let found = moved();
            if found != before {
                (start, before) = (now, found);
            }
            let idle = idle();
            if now - start >= idle { Poll::Ready(Err(Ended::Idle(idle))) } else { Poll::Pending }
        })
        .await
    }
}

/// Runs a future on this thread, and looks at it after every [`TICK`] even where nothing has woken it. The timers of the
/// runtime do not do for the limits of waits: they stand still while a server keeps its threads busy.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread::park_timeout(TICK);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
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
            if !is_redirect(response.status().as_u16()) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION).map(header::HeaderValue::as_bytes);
            let to = REDIRECTS.follow(&at, location.and_then(|bytes| str::from_utf8(bytes).ok()), followed);
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
    if let Some(OutOfReach(address)) = cause(&error) {
        NetError::Address { url, address: *address }
    } else if let Some(rustls::Error::InvalidCertificate(_)) = cause(&error) {
        NetError::Certificate { url, source: Box::new(error) }
    } else if error.is_connect() || error.is_builder() {
        NetError::Connect { url, source: Box::new(error) }
    } else {
        NetError::Interrupted { url, received, source: Box::new(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Unwatched;

    fn patience() -> Patience<'static> {
        Patience { watch: &Unwatched, deadline: Instant::now() + Duration::from_mins(10) }
    }

    /// A future that is ready when it has been looked at so often.
    async fn after(mut looks: u32) -> &'static str {
        poll_fn(|_| {
            looks -= 1;
            if looks == 0 { Poll::Ready("ready") } else { Poll::Pending }
        })
        .await
    }

    #[test]
    fn what_moves_is_waited_for() {
        let idle = Duration::from_millis(1);
        assert_eq!(block_on(patience().wait(idle, after(1))), Ok("ready"));
        assert_eq!(block_on(patience().wait(idle, after(10))), Err(Ended::Idle(idle)));
        let moved = std::cell::Cell::new(0);
        let moving = || {
            moved.set(moved.get() + 1);
            moved.get()
        };
        assert_eq!(block_on(patience().wait_while(|| idle, moving, after(10))), Ok("ready"));
        let over = Patience { deadline: Instant::now(), ..patience() };
        assert_eq!(block_on(over.wait(Duration::MAX, after(2))), Err(Ended::Deadline));
    }
}
