//! `verify` and `verify-attestation`: the signatures that lie beside an image.

use distil_imgcore::{Descriptor, Error, Platform, Reference, Store, statement};
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{self, Report, Requirements, VerifiedSignature, VerifiedStatement};

use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};

/// What is to be verified.
#[derive(Debug, Clone, Copy)]
pub struct VerifyRequest<'a> {
    /// The image, index or artifact.
    pub reference: &'a Reference,
    /// Of an image for several platforms the one that is meant, by its own digest. Without it the index is meant: who signs
    /// an index has signed all images in it, and who signs one of these has not signed the index.
    pub platform: Option<&'a Platform>,
    /// Who must have signed, and what else is asked.
    pub wanted: &'a Requirements,
    /// The machine and the network, for registries.
    pub machine: &'a Machine,
}

/// Why it is not known whether an image is signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The image cannot be read, or what lies beside it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An archive that has no place for signatures.
    #[error("{reference} cannot hold signatures")]
    DockerArchive {
        /// The archive.
        reference: String,
    },
}

impl VerifyError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read(error) => error.is_mistake(),
            Self::DockerArchive { .. } => true,
        }
    }
}

/// Verifies the signatures of an image, by the [procedure](distil_signing::verify) that `distil-signing` has. The tag is
/// resolved once, and everything is about that digest, which is the one of the report.
///
/// That nobody signed is no error: the report says so.
///
/// # Errors
/// [`VerifyError`] where it cannot be told who signed.
pub fn verify(request: &VerifyRequest<'_>, progress: &dyn Progress) -> Result<Report<VerifiedSignature>, VerifyError> {
    beside(request, progress, |store, image| verify_in(store, image, request.wanted))
}

/// Verifies the statements of one type about an image, as [`verify()`] does its signatures.
///
/// # Errors
/// As [`verify()`].
pub fn verify_attestation(
    request: &VerifyRequest<'_>,
    kind: &PredicateType,
    progress: &dyn Progress,
) -> Result<Report<VerifiedStatement>, VerifyError> {
    beside(request, progress, |store, image| attestation_in(store, image, kind, request.wanted))
}

/// What a statement says, as JSON, byte for byte as it was signed; nothing where it has no predicate.
#[must_use]
pub fn predicate(statement: &VerifiedStatement) -> Option<&str> {
    statement::read_signed(statement.payload()).ok()?.predicate
}

/// Verifies the signatures of an image that lie beside it in a store.
///
/// # Errors
/// Where the store cannot be asked, or the image is not in it, or not what its digest says.
pub(crate) fn verify_in(
    store: &dyn Store,
    image: &Descriptor,
    wanted: &Requirements,
) -> Result<Report<VerifiedSignature>, Error> {
    Ok(verify::image(image.digest(), &verify::gather(store, image)?, wanted))
}

/// Verifies the statements of one type about an image that lie beside it in a store.
///
/// # Errors
/// As [`verify_in`].
pub(crate) fn attestation_in(
    store: &dyn Store,
    image: &Descriptor,
    kind: &PredicateType,
    wanted: &Requirements,
) -> Result<Report<VerifiedStatement>, Error> {
    Ok(verify::attestation(image.digest(), kind, &verify::gather(store, image)?, wanted))
}

/// Finds the image, and asks what lies beside it.
fn beside<V>(
    request: &VerifyRequest<'_>,
    progress: &dyn Progress,
    ask: impl FnOnce(&dyn Store, &Descriptor) -> Result<Report<V>, Error>,
) -> Result<Report<V>, VerifyError> {
    let reference = request.reference;
    if matches!(reference, Reference::DockerArchive(_)) {
        return Err(VerifyError::DockerArchive { reference: reference.to_string() });
    }
    let places = Places::uncancelled(request.machine, progress);
    let (store, image) = match request.platform {
        // What an index lists is not asked for: any digest can be signed.
        None => places.find(reference).map_err(ReadError::from)?,
        Some(platform) => {
            let named = Named::open(reference, &places)?.only(Choice::Exactly(platform))?;
            (named.store, named.root)
        }
    };
    Ok(ask(store.as_ref(), &image).map_err(ReadError::from)?)
}
