//! One question to a server and its answer, for protocols that do more than fetch files.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue};
use url::Url;

use crate::client::Client;
use crate::error::NetError;
use crate::exchange::{Patience, explain};
use crate::response::{Incoming, Pace, Response};
use crate::shown::shown;
use crate::sink::Watch;
use crate::upload::{CHUNK, Upload};

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
    /// All: the user named the server. Where that is on loopback no proxy is used: what is sent there is meant for this
    /// machine alone.
    Anywhere,
    /// Those of the public network alone: another server named this one. Loopback, private, link-local, shared, reserved and
    /// unspecified addresses are refused, and the IPv6 forms that hold one; also where a name resolves to one. Behind a
    /// proxy it is the proxy that resolves names, and only addresses in the URL are judged.
    ///
    /// Client certificates are not shown.
    Public,
    /// Those, and the private networks of IPv4 ([RFC 1918]): another server named this one, and is in such a network itself; see
    /// [`crate::Response::may_lead`]. All else that is not public is refused as before, the metadata services of clouds with it:
    /// theirs are link-local, shared or unique local IPv6 addresses.
    ///
    /// [RFC 1918]: https://www.rfc-editor.org/rfc/rfc1918
    Near,
}

/// One request. Nothing is added to it but `User-Agent`, `Accept-Encoding: identity`, `Accept: */*` where no other is there,
/// and what HTTP itself needs.
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

impl Client {
    /// Sends one request and waits for the head of the answer, whatever its status. Redirects are not followed and nothing is
    /// tried again: both are for the caller to decide, who knows what may be repeated. A server that answers before it has
    /// all that is sent gets no more of it.
    ///
    /// # Errors
    /// [`NetError`] where no answer came. One of [`Body::Stream`]'s reader comes back as [`NetError::Source`].
    pub fn send(self: &Arc<Self>, request: Request<'_>, watch: &Arc<dyn Watch + Send>) -> Result<Response, NetError> {
        let Request { method, url, headers, body, reach } = request;
        let name = shown(&url);
        let http = self.way(&url, reach)?;
        let deadline = Instant::now() + self.timeouts.whole;
        let patience = Patience { watch: &**watch, deadline };
        let mut sent = reqwest::Request::new(method.into(), url);
        for (header, value) in headers {
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| NetError::Header { url: name.clone(), header: header.to_owned() })?;
            value.set_sensitive(true);
            let header = HeaderName::from_bytes(header.as_bytes())
                .map_err(|_| NetError::Header { url: name.clone(), header: header.to_owned() })?;
            sent.headers_mut().append(header, value);
        }
        sent.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        // Where nothing is sent, a method that is to send something says so.
        if body.size() > 0 || matches!(method, Method::Post | Method::Put | Method::Patch) {
            sent.headers_mut().insert(CONTENT_LENGTH, body.size().into());
        }
        let upload = Upload { client: self, patience, name: &name, size: body.size() };
        let (answer, rest) = match body {
            Body::Stream { content, .. } => {
                upload.run(http, sent, content).map(|(answer, rest)| (answer, Some(rest)))?
            }
            Body::Bytes(mut bytes) if bytes.len() as u64 > CHUNK => {
                upload.run(http, sent, &mut bytes).map(|(answer, rest)| (answer, Some(rest)))?
            }
            Body::Bytes(bytes) => {
                *sent.body_mut() = Some(bytes.to_vec().into());
                (self.exchange(http, sent, patience, &name)?, None)
            }
            Body::Empty => (self.exchange(http, sent, patience, &name)?, None),
        };
        let body = Incoming {
            client: Arc::clone(self),
            watch: Arc::clone(watch),
            name,
            deadline,
            peer: answer.remote_addr().map(|peer| peer.ip()).filter(|_| !self.has_proxies()),
            answer,
            rest,
            received: 0,
            pace: Pace::default(),
        };
        Ok(body.into_response())
    }

    fn exchange(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
        patience: Patience<'_>,
        name: &str,
    ) -> Result<reqwest::Response, NetError> {
        let reads = matches!(*request.method(), reqwest::Method::GET | reqwest::Method::HEAD);
        let limit = if reads { self.patience_to_answer() } else { self.patience_to_store() };
        let answer = self.block_on(patience.wait(limit, http.execute(request)), name)?;
        let answer = answer.map_err(|ended| ended.explain(self, name, 0))?;
        answer.map_err(|error| explain(error, name, 0))
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl Body<'_> {
    fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { size, .. } => *size,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown(&self.url))
            .field("headers", &headers)
            .field("body", &self.body)
            .field("reach", &self.reach)
            .finish()
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

#[cfg(test)]
pub(crate) mod tests;
