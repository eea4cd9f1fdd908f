//! The answer to one request.

use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use reqwest::header::{HeaderName, HeaderValue};

use crate::client::Client;
use crate::error::NetError;
use crate::exchange::{Patience, explain};
use crate::reach;
use crate::redirect::is_redirect;
use crate::request::Reach;
use crate::retry;
use crate::sink::Watch;
use crate::upload::Rest;

/// Bytes in a second, below which a server may as well send nothing: it keeps us, and another one may have the same.
pub(crate) const TRICKLE: u64 = 64;

/// The head of an answer, and its body to be read.
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Incoming,
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether what was asked for is elsewhere; see [`crate::Redirects::follow`].
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        is_redirect(self.status)
    }

    /// Which addresses a redirect of this answer may lead to. Who is in a private network may keep what belongs to it at its
    /// neighbours there; whoever is not would make us ask servers that it cannot ask itself. What a proxy has brought may be
    /// from anywhere.
    #[must_use]
    pub fn may_lead(&self) -> Reach {
        reach::of_those_named_by(self.peer())
    }

    /// Whose answer it is; none where that may be a proxy.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.body.peer
    }

    /// The first header field of this name, in any case, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server wants to be left alone, by its `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry::asked(self.header("retry-after")?, self.header("date"))
    }

    /// All header fields of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The whole body, at most so many bytes.
    ///
    /// # Errors
    /// [`NetError`], [`NetError::TooLong`] above the bound.
    pub fn bytes(self, max: u64) -> Result<Vec<u8>, NetError> {
        let mut body = self.body;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next()? {
            if body.received > max {
                return Err(NetError::TooLong { url: body.name, limit: max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The body as it comes. It has a bound on idle time and speed, none on size; errors are [`NetError`]s inside of
    /// [`io::Error`], and come again when read again. Dropped early, it ends the connection.
    #[must_use]
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        Box::new(Reader { body: self.body, chunk: Bytes::new(), at: At::Middle })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A body on its way.
pub(crate) struct Incoming {
    pub(crate) client: Arc<Client>,
    pub(crate) watch: Arc<dyn Watch + Send>,
    /// The URL as messages show it.
    pub(crate) name: String,
    pub(crate) deadline: Instant,
    /// See [`Response::peer`].
    pub(crate) peer: Option<IpAddr>,
    pub(crate) answer: reqwest::Response,
    /// What keeps the connection open where the server answered before it had all that was sent.
    pub(crate) rest: Option<Rest>,
    pub(crate) received: u64,
    pub(crate) pace: Pace,
}

impl Incoming {
    /// The answer, with the fields of its head that are text.
    pub(crate) fn into_response(self) -> Response {
        let status = self.answer.status().as_u16();
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = self.answer.headers().iter().filter_map(text).collect();
        Response { status, headers, body: self }
    }

    /// The next piece, none at the end.
    fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        let idle = self.client.timeouts.idle;
        let patience = Patience { watch: &*self.watch, deadline: self.deadline };
        let start = Instant::now();
        let chunk = self.client.block_on(patience.wait(idle, self.answer.chunk()), &self.name)?;
        let chunk = chunk.map_err(|ended| ended.explain(&self.client, &self.name, self.received))?;
        let chunk = chunk.map_err(|error| explain(error, &self.name, self.received))?;
        let Some(chunk) = chunk else {
            self.rest = None;
            return Ok(None);
        };
        self.received = self.received.saturating_add(chunk.len() as u64);
        self.pace.check(start.elapsed(), chunk.len(), idle).map_err(|(found, waited)| NetError::Trickle {
            url: self.name.clone(),
            received: self.received,
            found,
            waited,
        })?;
        Ok(Some(chunk))
    }
}

/// How fast a body comes. The time of who reads it does not count.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    found: u64,
}

impl Pace {
    /// Counts a piece; the error is what came in which time, where that is too little.
    fn check(&mut self, waited: Duration, found: usize, idle: Duration) -> Result<(), (u64, Duration)> {
        self.waited += waited;
        self.found = self.found.saturating_add(found as u64);
        if self.waited >= idle {
            let Self { waited, found } = std::mem::take(self);
            if u128::from(found) * 1000 < u128::from(TRICKLE) * waited.as_millis() {
                return Err((found, waited));
            }
        }
        Ok(())
    }
}

struct Reader {
    body: Incoming,
    chunk: Bytes,
    at: At,
}

enum At {
    Middle,
    End,
    /// What the first error said: the body is not whole, however often it is read.
    Failed(String),
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match &self.at {
                At::Middle => match self.body.next() {
                    Ok(Some(chunk)) => self.chunk = chunk,
                    Ok(None) => self.at = At::End,
                    Err(error) => {
                        self.at = At::Failed(error.to_string());
                        return Err(io::Error::other(error));
                    }
                },
                At::End => return Ok(0),
                At::Failed(error) => return Err(io::Error::other(error.clone())),
            }
        }
        let size = buf.len().min(self.chunk.len());
        self.chunk.copy_to_slice(buf.get_mut(..size).unwrap_or_default());
        Ok(size)
    }
}
