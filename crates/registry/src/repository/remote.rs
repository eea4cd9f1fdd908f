//! What all requests to one repository share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::Error;
use distil_imgcore::document::MAX_DOCUMENT;
use distil_net::{Attempts, Body, Client, Lead, Method, Passing, Response, Watch};
use url::Url;

use super::answer::AnswerError;
use crate::error::RegistryError;
use crate::transport::{Ask, Scope, Target, Transport};

/// A repository as requests see it.
pub(super) struct Remote {
    transport: Transport,
    client: Arc<Client>,
    watch: Arc<dyn Watch + Send>,
    /// Whether this run writes here. Then everything is asked with the right to do so: a repository that does not exist
    /// yet is shown by some registries to those alone who may make it.
    writes: AtomicBool,
}

/// An answer that was read to its end, or that is not the one hoped for.
pub(super) enum Whole<H> {
    Read(H, Vec<u8>),
    Other(Box<Response>),
}

/// Why an answer did not come as a whole.
pub(super) enum Break {
    /// The connection broke; another may bring it.
    Passing(Box<RegistryError>),
    /// After all the attempts that make sense.
    Final(Box<RegistryError>),
}

impl Break {
    pub(super) fn last(error: impl Into<RegistryError>) -> Self {
        Self::Final(Box::new(error.into()))
    }

    pub(super) fn into_error(self) -> RegistryError {
        let (Self::Passing(error) | Self::Final(error)) = self;
        *error
    }
}

impl Passing for Break {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Passing(_))
    }
}

/// Header fields of a request.
pub(super) type Headers = Vec<(&'static str, String)>;

impl Remote {
    pub(super) fn new(transport: Transport, client: Arc<Client>, watch: Arc<dyn Watch + Send>) -> Self {
        Self { transport, client, watch, writes: AtomicBool::new(false) }
    }

    pub(super) fn place(&self) -> &str {
        self.transport.place()
    }

    /// From now on, everything is asked with the right to write.
    pub(super) fn will_write(&self) {
        self.writes.store(true, Ordering::Relaxed);
    }

    fn scope(&self) -> Scope {
        if self.writes.load(Ordering::Relaxed) { Scope::Push } else { Scope::Pull }
    }

    /// Asks for something that lies at the registry itself, or for a manifest, which front doors have elsewhere.
    pub(super) fn ask(
        &self,
        attempts: &mut Attempts,
        method: Method,
        target: Target<'_>,
        headers: Headers,
    ) -> Result<Response, RegistryError> {
        let is_manifest = matches!(target, Target::Path(path) if path.starts_with("manifests/"));
        let may_lead = if is_manifest { Lead::AwayOverTls } else { Lead::Nowhere };
        self.transport.send(attempts, Ask { method, target, scope: self.scope(), headers, body: Body::Empty, may_lead })
    }

    /// Reads something small, again where the connection breaks in the middle. `head` takes what is needed of the answer's
    /// head, and nothing where its body is not to be read.
    pub(super) fn read<H>(
        &self,
        target: &Target<'_>,
        headers: &Headers,
        head: &dyn Fn(&Response) -> Result<Option<H>, RegistryError>,
    ) -> Result<Whole<H>, RegistryError> {
        let read = self.persist(&mut Attempts::begin(), &mut |attempts, _| {
            let answer = self.ask(attempts, Method::Get, target.clone(), headers.clone()).map_err(Break::last)?;
            let Some(head) = head(&answer).map_err(Break::last)? else { return Ok(Whole::Other(Box::new(answer))) };
            match answer.bytes(MAX_DOCUMENT as u64) {
                Ok(bytes) => Ok(Whole::Read(head, bytes)),
                Err(error) if error.may_retry() => Err(Break::Passing(Box::new(error.into()))),
                Err(error) => Err(Break::last(error)),
            }
        });
        read.map_err(Break::into_error)
    }

    /// Asks for a blob, which may lie somewhere else.
    pub(super) fn ask_for_blob(
        &self,
        attempts: &mut Attempts,
        method: Method,
        path: &str,
        headers: Headers,
    ) -> Result<Response, RegistryError> {
        let (target, scope) = (Target::Path(path), self.scope());
        self.transport.send(attempts, Ask { method, target, scope, headers, body: Body::Empty, may_lead: Lead::Away })
    }

    /// Sends something.
    pub(super) fn send<'a>(
        &self,
        attempts: &mut Attempts,
        method: Method,
        target: Target<'a>,
        headers: Headers,
        body: Body<'a>,
    ) -> Result<Response, RegistryError> {
        self.transport
            .send(attempts, Ask { method, target, scope: Scope::Push, headers, body, may_lead: Lead::Nowhere })
    }

    /// Asks for a blob of another repository to be taken over.
    pub(super) fn mount(&self, attempts: &mut Attempts, path: &str, from: &str) -> Result<Response, RegistryError> {
        let (method, target, scope) = (Method::Post, Target::Path(path), Scope::Mount(from.to_owned()));
        self.transport.send(
            attempts,
            Ask { method, target, scope, headers: Vec::new(), body: Body::Empty, may_lead: Lead::Nowhere },
        )
    }

    /// The registry's own name for a repository that was written so.
    pub(super) fn repository(&self, written: &str) -> String {
        self.transport.repository(written)
    }

    /// The error of an answer with an unexpected status.
    pub(super) fn refused(&self, what: &str, answer: Response) -> RegistryError {
        self.transport.refused(what, answer)
    }

    /// Repeats what fails for a passing reason; see [`Client::persist`].
    pub(super) fn persist<T, E: Passing>(
        &self,
        attempts: &mut Attempts,
        work: &mut dyn FnMut(&mut Attempts, u32) -> Result<T, E>,
    ) -> Result<T, E> {
        self.client.persist(attempts, self.watch.as_ref(), work)
    }

    /// Where `Location` leads from what was asked for.
    pub(super) fn location(&self, asked: &Target<'_>, answer: &Response) -> Result<Url, RegistryError> {
        let location = answer.header("location").filter(|location| !location.is_empty());
        self.locate(asked, location.ok_or(AnswerError::NoLocation)?)
    }

    /// Where a link leads from what was asked for: never away from the registry.
    pub(super) fn locate(&self, asked: &Target<'_>, link: &str) -> Result<Url, RegistryError> {
        self.transport.locate(asked, link)
    }

    pub(super) fn unreadable(&self, source: impl Into<RegistryError>) -> Error {
        Error::Remote {
            action: "read",
            place: self.place().to_owned(),
            may_repeat: false,
            source: Box::new(source.into()),
        }
    }

    pub(super) fn unwritable(&self, source: impl Into<RegistryError>) -> Error {
        let source: RegistryError = source.into();
        let may_repeat = matches!(source, RegistryError::Answer(AnswerError::Lost));
        Error::Remote { action: "write to", place: self.place().to_owned(), may_repeat, source: Box::new(source) }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("transport", &self.transport).finish_non_exhaustive()
    }
}
