//! Blobs: whether they are there, and their bytes.

use std::io;
use std::sync::Arc;

use distil_imgcore::digest::ContentMismatch;
use distil_imgcore::{Descriptor, Digest, Error};
use distil_net::{Attempts, Method, Response};

use super::Repository;
use super::answer;
use super::download::Download;
use crate::error::RegistryError;

impl Repository {
    pub(super) fn has_blob(&self, attempts: &mut Attempts, blob: &Descriptor) -> Result<bool, Error> {
        let answer = self.remote.ask_for_blob(attempts, Method::Head, &path(blob.digest()), Vec::new());
        self.is_there(answer, blob)
    }

    /// What the answer to a `HEAD` means. Another size is as good as nothing: whoever puts the blob then learns whether the
    /// descriptor is wrong or the registry.
    pub(super) fn is_there(&self, answer: Result<Response, RegistryError>, blob: &Descriptor) -> Result<bool, Error> {
        let answer = answer.map_err(|e| self.remote.unreadable(e))?;
        match answer.status() {
            200 => Ok(answer::length(&answer).is_none_or(|length| length == blob.size())),
            404 => Ok(false),
            _ => Err(self.remote.unreadable(self.remote.refused("look for a blob", answer))),
        }
    }

    /// Reads a blob as it comes; a connection that breaks is made anew, and goes on where it stopped.
    pub(super) fn open_blob(&self, blob: &Descriptor) -> Result<Download, Error> {
        let path = path(blob.digest());
        let mut attempts = Attempts::begin();
        let answer = self.remote.ask_for_blob(&mut attempts, Method::Get, &path, Vec::new());
        let answer = answer.map_err(|e| self.remote.unreadable(e))?;
        match answer.status() {
            200 => {}
            404 => return Err(self.missing(blob)),
            _ => return Err(self.remote.unreadable(self.remote.refused("read a blob", answer))),
        }
        answer::check_encoding(&answer).map_err(|e| self.remote.unreadable(e))?;
        if let Some(found) = answer::length(&answer).filter(|length| *length != blob.size()) {
            let mismatch = ContentMismatch::Size { expected: blob.size(), found };
            return Err(self.bad_blob(blob.digest(), io::Error::new(io::ErrorKind::InvalidData, mismatch)));
        }
        Ok(Download::new(Arc::clone(&self.remote), path, blob.size(), answer.into_reader(), attempts))
    }

    pub(super) fn missing(&self, blob: &Descriptor) -> Error {
        Error::NoBlob { digest: blob.digest().clone(), place: self.remote.place().to_owned() }
    }

    pub(super) fn bad_blob(&self, digest: &Digest, source: io::Error) -> Error {
        Error::Blob { digest: digest.clone(), place: self.remote.place().to_owned(), source }
    }
}

fn path(digest: &Digest) -> String {
    format!("blobs/{digest}")
}
