//! `sign`: signatures beside an image.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Descriptor, Digest, Platform, Reference};
use distil_signing::key::Signer;
use distil_signing::verify::SignedBy;

use super::beside::{Added, Beside, Formats};
use super::error::SignError;
use super::name;
use super::room::with_room;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::Named;

/// What to sign, with what, and how.
#[derive(Debug)]
pub struct SignRequest<'a> {
    /// The image or artifact.
    pub reference: &'a Reference,
    /// The key.
    pub signer: &'a dyn Signer,
    /// In which forms signatures are written.
    pub formats: Formats,
    /// What is signed with the image, key and value.
    pub annotations: &'a BTreeMap<String, String>,
    /// The repository that it is signed for, in place of the one that it is in.
    pub name: Option<&'a str>,
    /// Whether the images of all platforms are signed, too, each under its own digest.
    pub recursive: bool,
    /// The machine and the network; its clock says when bundles were made.
    pub machine: &'a Machine,
    /// Set to true from elsewhere, ends it soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The index, or the manifest where there is none.
    pub digest: Digest,
    /// The repository that it was signed for; none where no form has one.
    pub name: Option<String>,
    /// The SHA-256 of the public key.
    pub key: Digest,
    /// Whom the certificate names, where the key is one that nobody keeps.
    pub certified: Option<SignedBy>,
    /// What is beside each manifest, with its platform where it is for one.
    pub added: Vec<(Option<Platform>, Added)>,
    /// Statements that are attached to the image, and were left unsigned since they are about something else: the digests of
    /// their manifests.
    pub foreign: Vec<Digest>,
}

/// Signs the image that a reference names, by its digest. Signatures go beside it: into the same repository, layout or archive.
/// Where the key has signed the same there already, in some form, nothing is added in that form; signatures of others stay.
///
/// Nothing is half written: a signature is whole and findable, or not there. An archive is made anew, with everything that was
/// in it, and takes the place of the old one at the end.
///
/// # Errors
/// [`SignError`]; [`SignError::NoName`] where a form has to name the repository and nobody has said it,
/// [`SignError::DockerArchive`] for a place that has no room for signatures.
pub fn sign(request: &SignRequest<'_>, progress: &dyn Progress) -> Result<Signed, SignError> {
    let &SignRequest { reference, signer, formats, machine, cancelled, .. } = request;
    let places = Places::new(machine, progress, cancelled);
    let name = name::of_image(reference, request.name)?;
    if name.is_none() && formats.name_images() && !matches!(reference, Reference::DockerArchive(_)) {
        return Err(SignError::NoName { reference: reference.to_string() });
    }
    with_room(reference, &places, |room| {
        let beside = Beside::new(room.named.store.as_ref(), signer, formats, machine.now).undisturbed(room.undisturbed);
        let mut signed = Signed::of(&room.named, name.clone(), signer);
        for (platform, manifest) in manifests(&room.named, request.recursive) {
            check(cancelled)?;
            let added = beside.sign(&manifest, name.as_deref().unwrap_or_default(), request.annotations)?;
            signed.added.push((platform, added));
        }
        let wrote = signed.wrote();
        Ok((signed, wrote))
    })
}

/// The index or manifest, and where that is wanted the manifests of all platforms.
pub(super) fn manifests(named: &Named, recursive: bool) -> Vec<(Option<Platform>, Descriptor)> {
    let platform_of_root = match named.platforms.as_slice() {
        [(platform, manifest)] if manifest.digest() == named.root.digest() => Some(platform.clone()),
        _ => None,
    };
    let mut manifests = vec![(platform_of_root, named.root.bare())];
    if recursive {
        let below = named.platforms.iter().filter(|(_, manifest)| manifest.digest() != named.root.digest());
        manifests.extend(below.map(|(platform, manifest)| (Some(platform.clone()), manifest.bare())));
    }
    manifests
}

/// Ends what somebody asked to stop.
pub(super) fn check(cancelled: &AtomicBool) -> Result<(), SignError> {
    if cancelled.load(Ordering::Relaxed) { Err(SignError::Cancelled) } else { Ok(()) }
}

/// Whom the certificate of a key names, where it has one.
pub(super) fn certified(signer: &dyn Signer) -> Option<SignedBy> {
    signer.witness().map(|witness| witness.certificate().signer().clone())
}

impl Signed {
    /// Of this image nothing yet.
    pub(super) fn of(named: &Named, name: Option<String>, signer: &dyn Signer) -> Self {
        let (digest, key) = (named.root.digest().clone(), signer.public_key().fingerprint());
        Self { digest, name, key, certified: certified(signer), added: Vec::new(), foreign: Vec::new() }
    }

    /// Whether anything was written.
    pub(super) fn wrote(&self) -> bool {
        self.added.iter().flat_map(|(_, added)| &added.forms).any(|form| form.manifest.is_some())
    }
}
