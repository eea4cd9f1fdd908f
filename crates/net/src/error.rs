//! What can go wrong on the way to a server and back.

use std::error::Error;
use std::io;
use std::time::Duration;

/// What a library below said; its type may change.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A request that failed. URLs are shown without credentials and queries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// No connection came about: a name that does not resolve, a port that nobody listens on, a proxy that refuses.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where to.
        url: String,
        /// Why not.
        source: Cause,
    },
    /// The server is not who it should be, by the certificate authorities that count.
    #[error("the certificate of {url} is not trusted")]
    Certificate {
        /// Where to.
        url: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// `https:` without a certificate authority to check it with.
    #[error("no CA certificates to check {url} with")]
    NoRoots {
        /// Where to.
        url: String,
    },
    /// The connection ended before the answer did.
    #[error("connection to {url} broke after {received} bytes")]
    Interrupted {
        /// Where to.
        url: String,
        /// Bytes of the file that had come by then.
        received: u64,
        /// Why.
        source: Cause,
    },
    /// The connection is open, and nothing comes.
    #[error("{url} sent nothing for {} s, after {received} bytes", .waited.as_secs_f64())]
    Stalled {
        /// Where to.
        url: String,
        /// Bytes of the file that had come by then.
        received: u64,
        /// How long nothing came.
        waited: Duration,
    },
    /// The connection is open, and what comes is not worth the wait.
    #[error("{url} sent no more than {found} bytes in {} s, after which {received} bytes are here", .waited.as_secs_f64())]
    Trickle {
        /// Where to.
        url: String,
        /// Bytes of the file that had come by then.
        received: u64,
        /// Bytes that came last.
        found: u64,
        /// How long they took.
        waited: Duration,
    },
    /// The whole took longer than it may.
    #[error("{url} is not here after {} s, {received} bytes are", .limit.as_secs_f64())]
    TooSlow {
        /// Where to.
        url: String,
        /// Bytes of the file that had come by then.
        received: u64,
        /// The limit.
        limit: Duration,
    },
    /// The connection is open, and the server takes nothing more of what is sent.
    #[error("{url} took nothing for {} s, after {sent} bytes", .waited.as_secs_f64())]
    NotTaken {
        /// Where to.
        url: String,
        /// Bytes that were on their way by then.
        sent: u64,
        /// How long it took nothing.
        waited: Duration,
    },
    /// An answer that is not the file.
    #[error("{url}: status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// A redirect that is not followed.
    #[error("{url}: redirect {refusal}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Why it is not followed.
        refusal: RedirectRefusal,
    },
    /// More bytes than the file may have. What came until then is no more than the limit.
    #[error("{url}: more than {limit} bytes")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The bytes that it may have.
        limit: u64,
    },
    /// Another number of bytes than the file has.
    #[error("{url}: expected {expected} bytes, found {found}")]
    Length {
        /// What was asked for.
        url: String,
        /// The bytes that it has.
        expected: u64,
        /// The bytes that came, or were announced.
        found: u64,
    },
    /// What came could not be kept.
    #[error("cannot keep what {url} sends")]
    Sink {
        /// What was asked for.
        url: String,
        /// What the sink said.
        source: io::Error,
    },
    /// What was to be sent could not be read, or had another size.
    #[error("cannot read what is sent to {url}")]
    Source {
        /// Where it was sent.
        url: String,
        /// What the reader said.
        source: io::Error,
    },
    /// An address that is not public, where the server that named it may not lead.
    #[error("{url} is at {address}, which is not a public address")]
    Address {
        /// What was asked for.
        url: String,
        /// The address.
        address: std::net::IpAddr,
    },
    /// The proxy itself, where another server may not lead.
    #[error("{url} is on the proxy itself")]
    Proxy {
        /// What was asked for.
        url: String,
    },
    /// A user name or password in the URL of a request that says who asks in other ways.
    #[error("credentials in the URL {url}")]
    Credentials {
        /// What was asked for.
        url: String,
    },
    /// A header field with characters that it cannot have. Its value may be secret and is not shown.
    #[error("the header field {header} for {url} cannot be sent")]
    Header {
        /// What was asked for.
        url: String,
        /// The name of the field.
        header: String,
    },
    /// A file of this machine that cannot be read.
    #[error("cannot read {url}")]
    File {
        /// Which.
        url: String,
        /// Why not.
        source: io::Error,
    },
    /// A directory, pipe or device, or a URL that names no file of this machine.
    #[error("{url} is no regular file")]
    NotAFile {
        /// Which.
        url: String,
    },
    /// Neither `http:` nor `https:` nor `file:`.
    #[error("{url}: the scheme is none of file, http and https")]
    Scheme {
        /// Which.
        url: String,
    },
    /// The caller's [`crate::Watch`] said so.
    #[error("{url}: cancelled")]
    Cancelled {
        /// What was asked for.
        url: String,
    },
}

/// Why a redirect is not followed. The URLs are where it leads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectRefusal {
    /// A redirect without a usable `Location`: none, one that is no URL, or one with control characters.
    #[error("to nowhere")]
    Location,
    /// Another scheme: less safe than what was asked for, or not what the user wrote.
    #[error("to another scheme, {0}")]
    Scheme(String),
    /// Another host or port, without TLS to say that the first one meant it.
    #[error("to another host, {0}")]
    Host(String),
    /// A URL that brings a user name or password.
    #[error("with credentials, to {0}")]
    Credentials(String),
    /// Too many, one after the other.
    #[error("number {0}, to {1}")]
    Count(u32, String),
}

/// Statuses that another attempt may change. 500 is among them, since proxies say it for a while, too.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

impl NetError {
    /// Whether there is no such file. Another mirror may have it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 404 | 410),
            Self::File { source, .. } => {
                matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            }
            _ => false,
        }
    }

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Interrupted { .. }
            | Self::Stalled { .. }
            | Self::Trickle { .. }
            | Self::NotTaken { .. } => true,
            Self::Status { status, .. } => PASSING.contains(status),
            _ => false,
        }
    }

    /// Whether the server was not reached or does not do its work, so that nothing is known about the file.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let no_way = matches!(self, Self::Certificate { .. } | Self::NoRoots { .. } | Self::TooSlow { .. });
        no_way || self.may_retry()
    }

    /// Whether the server was asked for TLS and does not speak it: it may well speak plain HTTP.
    #[must_use]
    pub fn is_not_tls(&self) -> bool {
        let Self::Connect { source, .. } = self else { return false };
        matches!(cause(source.as_ref()), Some(rustls::Error::InvalidMessage(_)))
    }

    /// Whether the caller ended it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled { .. })
    }
}

/// The first of an error and its causes that is of this type.
pub(crate) fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An I/O error that wraps another shows the cause of that one as its own.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// Settings that no client can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A file of CA certificates with none in it that can be used.
    #[error("no CA certificate in {name}")]
    Roots {
        /// The name of the file.
        name: String,
    },
    /// A server that is none.
    #[error("{host:?} is no HOST or HOST:PORT")]
    Host {
        /// What was given.
        host: String,
    },
    /// A certificate or private key that cannot be used. What it holds is not shown.
    #[error("{name}: {problem}")]
    Identity {
        /// The name of the file.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A proxy that is no URL with the scheme `http` or `https`. Its value may hold a password and is not shown.
    #[error("the {setting} is no URL of a proxy, http://HOST:PORT or https://HOST:PORT")]
    Proxy {
        /// Which of the settings.
        setting: &'static str,
    },
    /// A file of credentials that is not in order. Its words may be passwords and are not shown.
    #[error("{name}, line {line}: {problem}")]
    Credentials {
        /// The name of the file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// The machinery below does not start.
    #[error("cannot start the network client")]
    Start {
        /// Why.
        source: Cause,
    },
}
