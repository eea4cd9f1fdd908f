//! What something is about that is copied with an image.

use crate::digest::Digest;
use crate::error::Error;
use crate::ref_name::RefName;

/// What a document is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Belonging {
    /// What it is about.
    pub(super) subject: Digest,
    pub(super) as_what: As,
}

/// How it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum As {
    /// It says itself what it is about.
    Referrer(Digest),
    /// Its name says so.
    Attachment(RefName),
}

impl Belonging {
    /// An error with what failed to be copied: nobody asked for it by name.
    pub(super) fn explain(&self, error: Error) -> Error {
        let what = match &self.as_what {
            As::Referrer(digest) => digest.to_string(),
            As::Attachment(name) => name.to_string(),
        };
        Error::About { what, subject: self.subject.clone(), source: Box::new(error) }
    }
}
