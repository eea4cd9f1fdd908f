//! `attest`: signed statements beside an image.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use distil_imgcore::statement::MAX_STATEMENT;
use distil_imgcore::{Artifact, Descriptor, Digest, Platform, Reference};
use distil_policy::Ledger;
use distil_signing::key::Signer;
use distil_signing::predicate::PredicateType;

use super::attached::{Found, claims};
use super::beside::{Added, Beside, Formats};
use super::error::SignError;
use super::name;
use super::room::{Room, with_room};
use super::sign::{Signed, check, manifests};
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;

/// What to say of an image, with what to sign it, and how.
#[derive(Debug)]
pub struct AttestRequest<'a> {
    /// The image or artifact.
    pub reference: &'a Reference,
    /// The type of the predicate; without a predicate, the one of all that is attached that is signed.
    pub kind: Option<&'a PredicateType>,
    /// The file with the predicate; without one, what is attached to the image is signed.
    pub predicate: Option<&'a Path>,
    /// The key.
    pub signer: &'a dyn Signer,
    /// In which forms statements are written.
    pub formats: Formats,
    /// Whether other attestations of the type go, whoever signed them. That is so in the legacy form; referrers stay.
    pub replace: bool,
    /// The repository that the image is said to be in, in place of the one that it is in.
    pub name: Option<&'a str>,
    /// Whether a predicate is about the images of all platforms, too. What is attached is signed for all of them always.
    pub recursive: bool,
    /// The machine and the network; its clock says when bundles were made.
    pub machine: &'a Machine,
    /// Set to true from elsewhere, ends it soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// Signs statements about the image that a reference names, and keeps them beside it.
///
/// With a file, that is its predicate. Without one, it is what is attached to the image and to those of its platforms: SBOMs and
/// in-toto statements, as `build` attaches them, each signed about the manifest that it is attached to. Nothing vouches for what
/// is attached: whoever may write beside an image may attach anything, and whoever signs it answers for it. A build that signs
/// signs what it made itself.
///
/// What the key has signed already with the same bytes is left alone.
///
/// # Errors
/// [`SignError`], as [`sign`](super::sign()); [`SignError::NothingAttached`] where there is nothing to sign.
pub fn attest(request: &AttestRequest<'_>, progress: &dyn Progress) -> Result<Signed, SignError> {
    let &AttestRequest { reference, signer, machine, cancelled, .. } = request;
    let name = name::of_image(reference, request.name)?;
    let name = match (name, reference) {
        (Some(name), _) => name,
        // Something else is wrong with these.
        (None, Reference::DockerArchive(_)) => String::new(),
        (None, _) => return Err(SignError::NoName { reference: reference.to_string() }),
    };
    let predicate = request.predicate.map(|path| read(path, request.kind, machine.now)).transpose()?;
    let places = Places::new(machine, progress, cancelled);
    with_room(reference, &places, |room| {
        let beside = Beside::new(room.named.store.as_ref(), signer, request.formats, machine.now);
        let beside = beside.replacing(request.replace).undisturbed(room.undisturbed);
        let mut signed = Signed::of(&room.named, Some(name.clone()), signer);
        match &predicate {
            Some((kind, predicate)) => {
                for (platform, manifest) in manifests(&room.named, request.recursive) {
                    check(cancelled)?;
                    signed.added.push((platform, beside.attest(&manifest, &name, kind, predicate)?));
                }
            }
            None => attached(request, room, (&beside, &name), &mut signed)?,
        }
        let wrote = signed.wrote();
        Ok((signed, wrote))
    })
}

fn attached(
    request: &AttestRequest<'_>,
    room: &Room,
    (beside, name): (&Beside<'_>, &str),
    signed: &mut Signed,
) -> Result<(), SignError> {
    let store = &room.named.store;
    let all = manifests(&room.named, true);
    let mut artifacts = Vec::new();
    for (_, manifest) in &all {
        for referrer in store.referrers(manifest.digest())? {
            match Artifact::read(store, &referrer) {
                Ok(artifact) => artifacts.push(artifact),
                Err(error) if error.is_io() => return Err(error.into()),
                // An index, or an image.
                Err(_) => {}
            }
        }
    }
    let (added, foreign) = attest_attached(&all, &artifacts, request.kind, (beside, name), request.cancelled)?;
    (signed.added, signed.foreign) = (added, foreign);
    if signed.added.is_empty() {
        let kind = request.kind.map(ToString::to_string);
        return Err(SignError::NothingAttached { digest: room.named.root.digest().clone(), kind });
    }
    Ok(())
}

/// Statements with the platforms of their manifests, and the digests of artifacts that are about something else.
type Attested = (Vec<(Option<Platform>, Added)>, Vec<Digest>);

/// Signs what these artifacts say about the manifests of an image, each once, or what of it has the type that is asked for.
pub(crate) fn attest_attached(
    manifests: &[(Option<Platform>, Descriptor)],
    artifacts: &[Artifact],
    wanted: Option<&PredicateType>,
    (beside, name): (&Beside<'_>, &str),
    cancelled: &AtomicBool,
) -> Result<Attested, SignError> {
    let (mut all, mut foreign) = (Vec::new(), Vec::new());
    let known: Vec<&Digest> = manifests.iter().map(|(_, manifest)| manifest.digest()).collect();
    let mut seen = BTreeSet::new();
    for artifact in artifacts {
        check(cancelled)?;
        let found = match claims(artifact, &known)? {
            Found::Claims(found) => found,
            Found::Foreign => {
                foreign.push(artifact.digest().clone());
                continue;
            }
        };
        for claim in found {
            let is_wanted = wanted.is_none_or(|wanted| claim.kind.is(wanted.uri()));
            let said = (claim.about.digest().clone(), claim.kind.to_string(), Digest::of(claim.predicate.as_bytes()));
            if !is_wanted || claim.kind.is(PredicateType::SIGN.uri()) || !seen.insert(said) {
                continue;
            }
            let platform = manifests.iter().find(|(_, manifest)| manifest.digest() == claim.about.digest());
            let platform = platform.and_then(|(platform, _)| platform.clone());
            all.push((platform, beside.attest(&claim.about, name, &claim.kind, &claim.predicate)?));
        }
    }
    Ok((all, foreign))
}

/// Reads the file of a predicate. That of a ledger has a line for each entry, and becomes an object.
fn read(path: &Path, kind: Option<&PredicateType>, now: i64) -> Result<(PredicateType, String), SignError> {
    let kind = kind.ok_or_else(|| SignError::NoType { path: path.to_owned() })?;
    let failed = |source| SignError::File { path: path.to_owned(), source };
    let limit = MAX_STATEMENT as u64;
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "more than 256 MiB")));
    }
    if kind.is(PredicateType::LEDGER.uri()) {
        let ledger = Ledger::parse(&bytes).map_err(|source| SignError::Ledger { path: path.to_owned(), source })?;
        return Ok((kind.clone(), ledger.to_predicate()));
    }
    let wrong = |source| SignError::Predicate { path: path.to_owned(), kind: kind.to_string(), source };
    Ok((kind.clone(), kind.predicate(&bytes, now).map_err(wrong)?))
}
