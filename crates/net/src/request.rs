//! One question to a server and its answer, for protocols that do more than fetch files.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use url::Url;

use crate::client::Client;
use crate::error::NetError;
use crate::sink::Watch;

/// What is asked of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the methods of HTTP")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// What is sent to a server.
pub enum Body<'a> {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes, read while they are sent. A reader that ends before or goes on behind them is an error.
    Stream {
        /// Where they come from.
        content: &'a mut dyn Read,
        /// How many.
        size: u64,
    },
}

/// Which addresses a request may go to, whatever the name of the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All: the user named the server.
    Anywhere,
    /// Those of the public network alone: another server named this one. Loopback, private, link-local, shared, reserved and
    /// unspecified addresses are refused, and the IPv6 forms that hold one; also where a name resolves to one.
    Public,
}

/// One request. Nothing is added to it but `User-Agent`, `Accept-Encoding: identity` and what HTTP itself needs.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is asked.
    pub method: Method,
    /// Of which resource. User name and password in it are an error.
    pub url: Url,
    /// Header fields. Values are never shown.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body<'a>,
    /// Where it may go.
    pub reach: Reach,
}

/// The head of an answer, and its body to be read.
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Box<dyn Read + Send>,
}

impl Client {
    /// Sends one request and waits for the head of the answer, whatever its status. Redirects are not followed and nothing is
    /// tried again: both are for the caller to decide, who knows what may be repeated.
    ///
    /// # Errors
    /// [`NetError`] where no answer came. One of [`Body::Stream`]'s reader comes back as [`NetError::Source`].
    pub fn send(self: &Arc<Self>, request: Request<'_>, watch: &Arc<dyn Watch + Send>) -> Result<Response, NetError> {
        let _ = (request, watch);
        todo!()
    }
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header field of this name, in any case, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
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
        let _ = max;
        todo!()
    }

    /// The body as it comes. It has a bound on idle time and speed, none on size; errors are [`NetError`]s inside of
    /// [`io::Error`]. Dropped early, it ends the connection.
    #[must_use]
    pub fn into_reader(self) -> Box<dyn Read + Send> {
        self.body
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream { size, .. } => write!(f, "Stream({size})"),
        }
    }
}

/// What failed, and whether it is worth another attempt.
pub trait Passing {
    /// Whether the same may succeed a little later.
    fn may_pass(&self) -> bool;

    /// The value of `Retry-After`, where the server sent one.
    fn retry_after(&self) -> Option<&str> {
        None
    }
}

impl Client {
    /// Does something again, after growing waits, as long as it fails for a passing reason and [`crate::Retry`] allows. The
    /// work is told which attempt this is, from 0; where it says that it came further than before, by setting the flag, the
    /// count begins anew.
    ///
    /// # Errors
    /// That of the last attempt.
    pub fn persist<T, E: Passing>(
        &self,
        watch: &dyn Watch,
        work: &mut dyn FnMut(u32, &mut bool) -> Result<T, E>,
    ) -> Result<T, E> {
        let _ = watch;
        let mut advanced = false;
        work(0, &mut advanced)
    }
}

#[expect(dead_code, reason = "the shape of what is to come")]
fn io_error(error: NetError) -> io::Error {
    io::Error::other(error)
}
