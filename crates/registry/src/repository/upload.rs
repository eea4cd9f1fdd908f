//! Sending blobs: one request where that works, and on from where it broke where not.

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

use distil_imgcore::{Descriptor, Error};
use distil_net::{Attempts, Body, Method, Passing, Response};
use url::Url;

use super::Repository;
use super::answer::{self, AnswerError};
use super::outgoing::Outgoing;
use super::remote::{Headers, Remote};
use crate::error::RegistryError;
use crate::transport::Target;

/// Bytes that can be sent again, of each blob that is on its way: what a registry may have lost when a connection breaks.
const KEPT: usize = 8 << 20;
/// Bytes of one request to a registry, or a proxy before it, that finds the whole too large. They can all be sent again.
const PART: u64 = 8 << 20;

impl Repository {
    /// Sends a blob. It goes as one request, since there are registries that take nothing else ([Artifact Registry] is
    /// one); after a break, the rest goes as another, from the byte that the registry names.
    ///
    /// [Artifact Registry]: https://cloud.google.com/artifact-registry/docs/reference/docker-api
    pub(super) fn put_blob(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        let memory = self.memory().pop().unwrap_or_default();
        let mut outgoing = Outgoing::new(blob, content, KEPT, memory);
        outgoing.check_empty().map_err(|source| self.bad_blob(blob.digest(), source))?;
        let session = self.spare_session(blob.digest());
        let mut upload = Upload { repository: self, remote: &self.remote, blob, outgoing, session, furthest: 0 };
        let mut attempts = Attempts::begin();
        let result = self.remote.persist(&mut attempts, &mut |attempts, attempt| upload.attempt(attempts, attempt));
        let failure = upload.outgoing.failure();
        let result = match (failure, result) {
            (Some(source), _) => {
                upload.cancel(&mut attempts);
                Err(self.bad_blob(blob.digest(), source))
            }
            (None, Ok(())) => Ok(()),
            (None, Err(setback)) => {
                if setback.answered {
                    upload.cancel(&mut attempts);
                }
                Err(self.remote.unwritable(*setback.error))
            }
        };
        self.memory().push(upload.outgoing.into_memory());
        result
    }

    /// Begins an upload, and gives back where it is to go.
    fn begin(&self, attempts: &mut Attempts) -> Result<Url, Setback> {
        let uploads = Target::Path("blobs/uploads/");
        let answer = self.remote.send(attempts, Method::Post, uploads.clone(), Vec::new(), Body::Empty);
        let answer = answer.map_err(Setback::last)?;
        match answer.status() {
            202 => self.remote.location(&uploads, &answer).map_err(Setback::last),
            _ => Err(Setback { passing: false, ..Setback::of(&self.remote, "begin an upload", answer) }),
        }
    }
}

struct Upload<'a> {
    repository: &'a Repository,
    remote: &'a Remote,
    blob: &'a Descriptor,
    outgoing: Outgoing<'a>,
    /// Where the registry wants the blob.
    session: Option<Url>,
    /// The most that the registry ever had: one that loses what it has does not keep us for ever.
    furthest: u64,
}

/// Why an attempt did not succeed.
struct Setback {
    error: Box<RegistryError>,
    /// Whether another attempt may.
    passing: bool,
    /// Whether the registry said no, so that it may be told that the upload is over.
    answered: bool,
}

impl Setback {
    fn of(remote: &Remote, what: &str, answer: Response) -> Self {
        // An upload that is unknown or elsewhere than thought is begun or asked for again.
        let lost = matches!(answer.status(), 404 | 416);
        let error = remote.refused(what, answer);
        Self { passing: lost || error.may_pass(), error: Box::new(error), answered: true }
    }

    /// A failure after all the attempts that make sense.
    fn last(error: RegistryError) -> Self {
        Self { error: Box::new(error), passing: false, answered: false }
    }

    /// A failure of a request that nobody has repeated yet.
    fn first(error: RegistryError) -> Self {
        Self { passing: error.may_pass(), error: Box::new(error), answered: false }
    }
}

impl From<AnswerError> for Setback {
    fn from(error: AnswerError) -> Self {
        Self { error: Box::new(error.into()), passing: false, answered: true }
    }
}

impl Passing for Setback {
    fn may_pass(&self) -> bool {
        self.passing
    }

    fn retry_after(&self) -> Option<Duration> {
        self.error.retry_after()
    }
}

impl Upload<'_> {
    fn attempt(&mut self, attempts: &mut Attempts, attempt: u32) -> Result<(), Setback> {
        // The answer to a blob that arrived whole may have been lost.
        if attempt > 0 && self.repository.has_blob(attempts, self.blob).unwrap_or(false) {
            return Ok(());
        }
        let session = match self.resume(attempts, attempt)? {
            Some(session) => session,
            None => self.restart(attempts)?,
        };
        self.session = Some(session.clone());
        if self.outgoing.at() > self.furthest {
            self.furthest = self.outgoing.at();
            attempts.advanced();
        }
        if self.outgoing.at() == 0 && self.outgoing.left() <= self.most() {
            return self.finish(attempts, &session, true);
        }
        let mut session = session;
        while self.outgoing.left() > 0 {
            session = self.part(attempts, &session)?;
            self.session = Some(session.clone());
        }
        self.finish(attempts, &session, false)
    }

    /// Goes on with an upload where the registry knows how far it is, and what it lacks is still there.
    fn resume(&mut self, attempts: &mut Attempts, attempt: u32) -> Result<Option<Url>, Setback> {
        let Some(session) = self.session.clone() else { return Ok(None) };
        if attempt == 0 {
            return Ok(Some(session));
        }
        let answer =
            self.remote.ask(attempts, Method::Get, Target::Url(&session), Vec::new()).map_err(Setback::last)?;
        if !matches!(answer.status(), 200 | 202 | 204) {
            return Ok(None);
        }
        if answer.header("range").and_then(received).is_some_and(|received| self.outgoing.rewind(received)) {
            // The new location may hold what the old one did not know.
            return Ok(Some(self.remote.location(&Target::Url(&session), &answer).unwrap_or(session)));
        }
        if self.outgoing.may_rewind(0) {
            return Ok(None);
        }
        // It may not have seen yet that the connection is gone, and find more when asked again.
        Err(Setback { passing: true, ..AnswerError::Lost.into() })
    }

    fn restart(&mut self, attempts: &mut Attempts) -> Result<Url, Setback> {
        self.cancel(attempts);
        if !self.outgoing.rewind(0) {
            return Err(AnswerError::Lost.into());
        }
        self.repository.begin(attempts)
    }

    /// Sends one part, and gives back where the next is to go.
    fn part(&mut self, attempts: &mut Attempts, session: &Url) -> Result<Url, Setback> {
        let (from, size) = (self.outgoing.at(), self.outgoing.left().min(self.most()));
        let range = format!("{from}-{}", (from + size).saturating_sub(1));
        let headers = vec![("content-type", OCTETS.to_owned()), ("content-range", range)];
        let answer = self.stream(attempts, Method::Patch, session, headers, size)?;
        let next = self.remote.location(&Target::Url(session), &answer).map_err(Setback::last)?;
        match answer.header("range").and_then(received) {
            Some(received) if received != from + size => {
                let stated = answer::shortened(answer.header("range").unwrap_or_default());
                Err(Setback { passing: true, ..AnswerError::Range { from: from + size, stated }.into() })
            }
            _ => Ok(next),
        }
    }

    /// Makes a blob of what was sent, and of what is sent along.
    fn finish(&mut self, attempts: &mut Attempts, session: &Url, with_body: bool) -> Result<(), Setback> {
        let mut url = session.clone();
        url.query_pairs_mut().append_pair("digest", &self.blob.digest().to_string());
        let answer = if with_body {
            self.stream(attempts, Method::Put, &url, vec![("content-type", OCTETS.to_owned())], self.outgoing.left())?
        } else {
            self.stream(attempts, Method::Put, &url, Vec::new(), 0)?
        };
        answer::check_digest(&answer, self.blob.digest())?;
        self.session = None;
        Ok(())
    }

    fn stream(
        &mut self,
        attempts: &mut Attempts,
        method: Method,
        url: &Url,
        headers: Headers,
        size: u64,
    ) -> Result<Response, Setback> {
        let mut content = (&mut self.outgoing).take(size);
        let body = Body::Stream { content: &mut content, size };
        let answer = self.remote.send(attempts, method, Target::Url(url), headers, body).map_err(Setback::first)?;
        match answer.status() {
            200..=204 => Ok(answer),
            413 if self.most() > PART => {
                self.repository.most_at_once.store(PART, Ordering::Relaxed);
                Err(Setback { passing: true, ..Setback::of(self.remote, "send a blob", answer) })
            }
            _ => Err(Setback::of(self.remote, "send a blob", answer)),
        }
    }

    /// Bytes of one request.
    fn most(&self) -> u64 {
        self.repository.most_at_once.load(Ordering::Relaxed)
    }

    /// Tells the registry that nothing more comes, for which it need not wait. Whatever it says to that, the error that led
    /// here is the one to be shown.
    fn cancel(&mut self, attempts: &mut Attempts) {
        if let Some(session) = self.session.take() {
            self.repository.cancel(attempts, &session);
        }
    }
}

impl Repository {
    /// Ends an upload that is not to be.
    pub(super) fn cancel(&self, attempts: &mut Attempts, session: &Url) {
        let _ended = self.remote.send(attempts, Method::Delete, Target::Url(session), Vec::new(), Body::Empty);
    }
}

const OCTETS: &str = "application/octet-stream";

/// How many bytes a registry has of an upload, by the `Range` of its answer. Of none and one it says the same, so that
/// neither is known.
fn received(stated: &str) -> Option<u64> {
    let stated = stated.trim();
    let (first, last) = stated.strip_prefix("bytes=").unwrap_or(stated).split_once('-')?;
    let (first, last) = (answer::number(first)?, answer::number(last)?);
    if first == 0 && last > 0 { last.checked_add(1) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_range_of_an_upload_is_what_the_registry_has() {
        for (stated, expected) in [("0-9", Some(10)), ("bytes=0-9", Some(10)), (" 0-1 ", Some(2)), ("0-0", None)] {
            assert_eq!(received(stated), expected, "{stated}");
        }
        for other in ["", "-", "0-", "1-9", "9", "0--1", "0-+5", "0-99999999999999999999", "0-18446744073709551615"] {
            assert_eq!(received(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_read_back(size in 2_u64.., prefix in "(bytes=)?") {
            prop_assert_eq!(received(&format!("{prefix}0-{}", size - 1)), Some(size));
        }

        #[test]
        fn no_range_is_too_strange(stated in "[0-9a-z= -]{0,30}") {
            let found = received(&stated);
            prop_assert!(found.is_none_or(|size| size > 1));
        }
    }
}
