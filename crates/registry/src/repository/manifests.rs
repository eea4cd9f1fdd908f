//! Manifests and indexes: the documents of a repository, by tag and by digest.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use distil_imgcore::digest::{ContentMismatch, VerifyingReader};
use distil_imgcore::document::MAX_DOCUMENT;
use distil_imgcore::json::JsonError;
use distil_imgcore::{Descriptor, Digest, Document, DocumentError, Error, MediaType, RefName, Selector};
use distil_net::{Attempts, Body, Method, Response};

use super::Repository;
use super::answer::{self, AnswerError};
use super::remote::{Break, Whole};
use crate::error::RegistryError;
use crate::transport::Target;

/// What is read: without Docker's types a registry may answer with something older, or nothing.
const READABLE: [&str; 4] =
    [MediaType::MANIFEST, MediaType::INDEX, MediaType::DOCKER_MANIFEST, MediaType::DOCKER_INDEX];

/// The wait where several write to a tag at once, and the registry trips over it.
const CROWD: Duration = Duration::from_millis(50);

/// The tag that a reference without one means, to docker and skopeo too.
const LATEST: &str = "latest";

/// A document that was read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Arc<[u8]>,
    /// What says later whether it is still this one.
    pub(super) etag: Option<String>,
}

impl Repository {
    /// Reads what a tag or digest names; the digest is that of the bytes, whatever the registry says.
    pub(super) fn fetch(&self, reference: &str, wanted: Option<&Digest>) -> Result<Option<Found>, Error> {
        let path = format!("manifests/{reference}");
        let headers = vec![("accept", READABLE.join(", "))];
        let read = self.remote.read(&Target::Path(&path), &headers, &head);
        let (head, bytes) = match read.map_err(|e| self.remote.unreadable(e))? {
            Whole::Read(head, bytes) => (head, bytes),
            Whole::Other(answer) if answer.status() == 404 => return Ok(None),
            Whole::Other(answer) => {
                return Err(self.remote.unreadable(self.remote.refused("read a manifest", *answer)));
            }
        };
        let Head { media_type, stated, etag } = head;
        // The registry chooses the algorithm where nobody else did.
        let named: Option<Digest> = stated.as_deref().and_then(|stated| stated.parse().ok());
        let digest = digest_like(wanted.or(named.as_ref()), &bytes);
        if let Some(wanted) = wanted.filter(|wanted| **wanted != digest) {
            let mismatch = ContentMismatch::Digest { expected: wanted.clone(), found: digest };
            return Err(self.bad_blob(wanted, io::Error::new(io::ErrorKind::InvalidData, mismatch)));
        }
        if let Some(stated) = stated.filter(|stated| *stated != digest_like(named.as_ref(), &bytes).to_string()) {
            return Err(self.remote.unreadable(AnswerError::Digest { stated, found: digest }));
        }
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Some(Found { descriptor, bytes: bytes.into(), etag }))
    }

    /// Finds an image, and keeps what was read of it.
    pub(super) fn find(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        let found = match wanted {
            Selector::Name(name) if name.is_tag() => self.fetch(name.as_str(), None)?,
            Selector::Name(_) => None,
            Selector::Digest(digest) => self.fetch(&digest.to_string(), Some(digest))?,
            Selector::Only => self.fetch(LATEST, None)?,
        };
        let missing = || Error::NoImage { wanted: wanted.clone(), place: self.remote.place().to_owned() };
        let found = found.ok_or_else(missing)?;
        let parsed = Document::parse(&found.descriptor, found.bytes.to_vec());
        parsed.map_err(|source| self.bad_document(found.descriptor.digest(), source))?;
        self.documents.keep(found.descriptor.digest(), found.descriptor.media_type(), &found.bytes);
        Ok(found.descriptor)
    }

    pub(super) fn has_document(&self, blob: &Descriptor) -> Result<bool, Error> {
        let path = format!("manifests/{}", blob.digest());
        let headers = vec![("accept", READABLE.join(", "))];
        let answer = self.remote.ask(&mut Attempts::begin(), Method::Head, Target::Path(&path), headers);
        self.is_there(answer, blob)
    }

    /// The bytes of a document, of the media type that was stated.
    pub(super) fn document_bytes(&self, blob: &Descriptor) -> Result<Arc<[u8]>, Error> {
        let (media_type, bytes) = if let Some(kept) = self.documents.get(blob.digest()) {
            kept
        } else {
            let found = self.fetch(&blob.digest().to_string(), Some(blob.digest()))?;
            let found = found.ok_or_else(|| self.missing(blob))?;
            self.documents.keep(blob.digest(), found.descriptor.media_type(), &found.bytes);
            (found.descriptor.media_type().clone(), found.bytes)
        };
        if media_type != *blob.media_type() {
            let (expected, found) = (blob.media_type().clone(), media_type.to_string());
            return Err(self.bad_document(blob.digest(), DocumentError::MediaType { expected, found }));
        }
        Ok(bytes)
    }

    pub(super) fn open_document(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let bytes = self.document_bytes(blob)?;
        Ok(Box::new(VerifyingReader::new(Cursor::new(bytes), blob.digest().clone(), blob.size())))
    }

    pub(super) fn put_document(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        let size = usize::try_from(blob.size()).unwrap_or(usize::MAX);
        if size > MAX_DOCUMENT {
            let source = DocumentError::Json(JsonError::TooLarge { limit: MAX_DOCUMENT, found: size });
            return Err(self.bad_document(blob.digest(), source));
        }
        let mut bytes = Vec::with_capacity(size);
        VerifyingReader::new(content, blob.digest().clone(), blob.size())
            .read_to_end(&mut bytes)
            .map_err(|source| self.bad_blob(blob.digest(), source))?;
        self.send_document(&blob.digest().to_string(), blob, &bytes)?;
        self.documents.keep(blob.digest(), blob.media_type(), &bytes.into());
        Ok(())
    }

    /// Writes a document under a tag or its digest, whatever was there, as often as it takes.
    pub(super) fn send_document(&self, reference: &str, blob: &Descriptor, bytes: &[u8]) -> Result<(), Error> {
        let sent = self.remote.persist(&mut Attempts::begin(), &mut |attempts, _| {
            self.send_once(attempts, reference, (blob, bytes), None)
        });
        sent.map(drop).map_err(|e| self.remote.unwritable(e.into_error()))
    }

    /// Writes a document that was made from what a tag meant. `only_if` is the mark of what it may replace; `false` comes back
    /// where it was not written because others write there: it has to be made anew then.
    pub(super) fn send_successor(
        &self,
        reference: &str,
        blob: &Descriptor,
        bytes: &[u8],
        only_if: Option<&str>,
    ) -> Result<bool, Error> {
        match self.send_once(&mut Attempts::begin(), reference, (blob, bytes), only_if) {
            Ok(is_written) => Ok(is_written),
            Err(Break::Passing(_)) => {
                thread::sleep(CROWD);
                Ok(false)
            }
            Err(Break::Final(error)) => Err(self.remote.unwritable(*error)),
        }
    }

    fn send_once(
        &self,
        attempts: &mut Attempts,
        reference: &str,
        (blob, bytes): (&Descriptor, &[u8]),
        only_if: Option<&str>,
    ) -> Result<bool, Break> {
        let path = format!("manifests/{reference}");
        let mut headers = vec![("content-type", blob.media_type().to_string())];
        headers.extend(only_if.map(|etag| ("if-match", etag.to_owned())));
        let (target, body) = (Target::Path(&path), Body::Bytes(bytes));
        let answer = self.remote.send(attempts, Method::Put, target, headers, body).map_err(Break::last)?;
        match answer.status() {
            200..=202 => {}
            412 if only_if.is_some() => return Ok(false),
            _ => return Err(unwritten(self.remote.refused("write a manifest", answer))),
        }
        answer::check_digest(&answer, blob.digest()).map_err(Break::last)?;
        self.learn_about_referrers(&answer, blob, bytes);
        Ok(true)
    }

    /// Writes a document under a tag that means `before` still; `false` where it means something else. Between the question and
    /// the answer others may write to the tag, unless the registry looks at the mark.
    pub(super) fn retag(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        if !name.is_tag() {
            return Err(self.remote.unwritable(AnswerError::NotATag(name.clone())));
        }
        let bytes = self.document_bytes(root)?;
        let found = self.fetch(name.as_str(), None)?;
        if found.as_ref().map(|found| found.descriptor.digest()) != before {
            return Ok(false);
        }
        let mark = found.as_ref().and_then(|found| found.etag.as_deref());
        self.send_successor(name.as_str(), root, &bytes, mark)
    }

    pub(super) fn bad_document(&self, digest: &Digest, source: DocumentError) -> Error {
        Error::Document { what: digest.to_string(), place: self.remote.place().to_owned(), source: Box::new(source) }
    }
}

/// Why a document was not written. Registries on a plain file system say "wrong digest" of one that is right, while another
/// writer puts a blob there that it names: for a moment, that blob's entry is an empty file.
fn unwritten(refusal: RegistryError) -> Break {
    match &refusal {
        RegistryError::Refused { status: 400, said, .. } if said.code() == Some("DIGEST_INVALID") => {
            Break::Passing(Box::new(refusal))
        }
        _ => Break::last(refusal),
    }
}

/// What the head of an answer says of a document.
struct Head {
    media_type: MediaType,
    stated: Option<String>,
    etag: Option<String>,
}

fn head(answer: &Response) -> Result<Option<Head>, RegistryError> {
    if answer.status() != 200 {
        return Ok(None);
    }
    answer::check_encoding(answer)?;
    let stated = answer::stated_digest(answer).map(answer::shortened);
    let etag = answer.header("etag").map(str::to_owned);
    Ok(Some(Head { media_type: answer::media_type(answer)?, stated, etag }))
}

fn digest_like(other: Option<&Digest>, bytes: &[u8]) -> Digest {
    other.map_or_else(
        || Digest::of(bytes),
        |other| {
            let mut hasher = other.hasher();
            hasher.update(bytes);
            hasher.finish()
        },
    )
}
