//! What the build attached to an image, as statements that can be signed.

use std::io::{self, Read as _};

use distil_imgcore::statement::{self, MAX_STATEMENT};
use distil_imgcore::{Artifact, Content, Descriptor, Digest, MediaType};
use distil_sbom::Format;
use distil_signing::predicate::PredicateType;

use super::error::SignError;

/// A statement that somebody can make about a manifest: what is attached to it, by the type of its predicate.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The manifest or index that it is attached to.
    pub(crate) about: Descriptor,
    /// The type.
    pub(crate) kind: PredicateType,
    /// The document, as JSON.
    pub(crate) predicate: String,
}

/// What a referrer gives.
#[derive(Debug)]
pub(crate) enum Found {
    /// Statements and SBOMs; none where it is something else, as a signature is.
    Claims(Vec<Claim>),
    /// A statement about something that is none of the images. Whoever may write beside an image may attach anything.
    Foreign,
}

/// Reads the statements and SBOMs of an artifact. It has to be about one of the `known` manifests, and so has a statement in it,
/// which is made anew about the one that the artifact is about.
///
/// # Errors
/// [`SignError`] where a document cannot be read, or could be read in two ways.
pub(crate) fn claims(artifact: &Artifact, known: &[&Digest]) -> Result<Found, SignError> {
    let manifest = artifact.manifest();
    let Some(about) = manifest.subject().filter(|subject| known.contains(&subject.digest())) else {
        return Ok(Found::Foreign);
    };
    let mut claims = Vec::new();
    for (layer, content) in manifest.layers().iter().zip(artifact.blobs()) {
        let media_type = layer.media_type().as_str();
        let sbom = Format::ALL.into_iter().find(|format| format.media_type() == media_type);
        if sbom.is_none() && media_type != MediaType::IN_TOTO {
            continue;
        }
        let bytes = read(layer, content.as_ref())?;
        let (kind, predicate) = if let Some(format) = sbom {
            let kind = typed(format.predicate_type())?;
            let wrong = |source| SignError::Document { digest: layer.digest().clone(), source };
            let predicate = kind.predicate(&bytes, 0).map_err(wrong)?;
            (kind, predicate)
        } else {
            let wrong = |source| SignError::Statement { digest: layer.digest().clone(), source };
            let found = statement::read_signed(&bytes).map_err(wrong)?;
            if !known.iter().any(|digest| found.subjects.iter().any(|subject| subject.is(digest))) {
                return Ok(Found::Foreign);
            }
            (typed(&found.predicate_type)?, found.predicate.unwrap_or("{}").to_owned())
        };
        claims.push(Claim { about: about.bare(), kind, predicate });
    }
    Ok(Found::Claims(claims))
}

fn typed(uri: &str) -> Result<PredicateType, SignError> {
    uri.parse().map_err(|_| SignError::Type { kind: uri.to_owned() })
}

fn read(blob: &Descriptor, content: &dyn Content) -> Result<Vec<u8>, SignError> {
    let mut bytes = Vec::new();
    let limit = MAX_STATEMENT as u64;
    let read = content.open().and_then(|content| content.take(limit + 1).read_to_end(&mut bytes));
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "more than 256 MiB");
    let read = read.and_then(|read| if read > MAX_STATEMENT { Err(too_large()) } else { Ok(()) });
    read.map(|()| bytes).map_err(|source| SignError::Attached { digest: blob.digest().clone(), source })
}
