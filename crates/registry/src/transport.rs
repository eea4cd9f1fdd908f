//! Requests to one repository of one registry: where it is, who asks, what may be tried again and where a server may lead.

use distil_imgcore::RegistryName;
use distil_net::{Body, Method, Response};
use url::Url;

use crate::error::RegistryError;
use crate::repository::Options;

/// The way to one repository.
#[derive(Debug)]
pub(crate) struct Transport {}

/// What a token has to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
    /// That, and reading another repository of the same registry.
    Mount(String),
}

/// Of which resource something is asked.
#[derive(Debug, Clone)]
pub(crate) enum Target<'a> {
    /// Below `/v2/REPOSITORY/`: `manifests/v1`, `blobs/uploads/?mount=…`.
    Path(&'a str),
    /// Where the registry sent us: the `Location` of an upload, the `Link` of a page. It must be on the registry's own host.
    Url(&'a Url),
}

/// One thing that is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    pub(crate) scope: Scope,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body<'a>,
    /// Whether the answer may be a redirect to another host, as for blobs; followed without credentials.
    pub(crate) may_lead_away: bool,
}

impl Transport {
    pub(crate) fn new(name: &RegistryName, options: Options) -> Result<Self, RegistryError> {
        let _ = (name, options);
        todo!()
    }

    /// Where paths begin: `https://HOST/v2/REPOSITORY/`. A `Location` or `Link` may be relative to what was asked for below it.
    pub(crate) fn base(&self) -> Url {
        todo!()
    }

    /// Asks, with the login or token that is needed. The answer may have any status but 401 and a redirect; where the body
    /// can be sent again (empty or bytes), a passing failure (connection, 408, 429, 5xx) is retried.
    pub(crate) fn send(&self, ask: Ask<'_>) -> Result<Response, RegistryError> {
        let _ = ask;
        todo!()
    }

    /// The error that an answer with an unexpected status stands for, with the registry's own words, escaped and bounded.
    pub(crate) fn refused(&self, what: &str, answer: Response) -> RegistryError {
        let _ = (what, answer);
        todo!()
    }
}
