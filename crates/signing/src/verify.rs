//! Verification: one procedure, whatever signatures are stored as.
//!
//! Each signature that is found is judged by itself, by the same steps, and what is found about one changes nothing for
//! another. A step that fails ends the procedure for that signature. Every step that was gone is a [`Step`] of its
//! [`Verdict`], by name:
//!
//! 1. **form**: what is stored is a signature: strict JSON (one document, each member once), strict base64, one signature
//!    in an envelope, one layer, sizes and counts within their bounds, in a bundle the [rules of its version].
//! 2. **signer**: it is by a key that is trusted; a hint in a bundle chooses none. Or by a certificate, issued by an
//!    authority of the trusted root that was valid then with all above it, for signing code, logged (SCT), for the identity
//!    and the issuer that are asked for. A chain that lies beside a signature can help to find the way to the trusted root,
//!    and brings no root.
//! 3. **signature**: it verifies over the bytes as they are stored, with one of the algorithms that this kind of key has.
//! 4. **log**: for certificates always, for keys where it is asked for: a log of the trusted root has an entry for this
//!    very payload, signature and signer (an inclusion proof under a signed checkpoint, or in the legacy forms a signed
//!    promise); every entry is good, none is there twice. cosign's legacy attestation has to be the envelope that was
//!    logged.
//! 5. **timestamps**: for certificates, every time that is proved (the log's, each RFC 3161 timestamp) lies where certificate
//!    and authorities were valid, and there is one. Where signed timestamps are asked for there is an RFC 3161 one.
//! 6. **type**: what was signed is the payload of an image signature, or a statement of the type that is asked for: the
//!    signature of an image in a bundle has the type [`PredicateType::SIGN`], and any other attestation is none.
//! 7. **subject**: it is about this very digest.
//! 8. **annotations**: those that are asked for are in what was signed.
//! 9. **reference**: where it is asked for, the name that was signed is of this repository.
//!
//! At the end different signers are counted, keys by their fingerprint and identities by name and issuer. Where there are
//! fewer than asked for, the [`Report`] has no proofs.
//!
//! Not asked: whether the certificate is valid today, or a key was revoked; keys here have no end. The crate that judges log
//! entries compares their times with the machine's clock, and refuses those that are yet to come.
//!
//! [rules of its version]: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use distil_imgcore::Digest;

mod candidate;
mod claims;
mod gather;
mod identity;
mod keyed;
mod keyless;
mod legacy_evidence;
mod log;
mod proof;
mod report;
mod signed;
mod trail;
mod trusted_root;

pub use candidate::{Candidate, Detached, Stored};
pub use gather::gather;
pub use identity::{Identity, Pattern, PatternError};
pub(crate) use log::is_envelope_hash;
pub use proof::{VerifiedBlob, VerifiedSignature, VerifiedStatement};
pub use report::{Format, Report, SignedBy, Step, StepName, Verdict};
pub use signed::Artifact;
pub use trusted_root::{TrustedRoot, TrustedRootError};

use self::signed::{Content, Signed};
use self::trail::{Failed, Trail};
use crate::key::PublicKey;
use crate::predicate::PredicateType;

/// Who must have signed.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Whoever has one of these keys.
    Keys(Vec<PublicKey>),
    /// Whoever was this, when an authority of the trusted root certified it.
    Identity(Identity),
}

/// What is asked of signatures.
#[derive(Debug, Clone)]
pub struct Requirements {
    /// Who must have signed.
    pub trust: Trust,
    /// How many different signers there must be.
    pub threshold: NonZeroUsize,
    /// What must be among the annotations that were signed, key and value.
    pub annotations: BTreeMap<String, String>,
    /// The name that must have been signed: `registry.example.com/team/app`. Tags and digests are not compared.
    pub reference: Option<String>,
    /// Whether signatures by keys must be in a log, too.
    pub require_tlog: bool,
    /// Whether there must be an RFC 3161 timestamp.
    pub use_signed_timestamps: bool,
    /// Which logs and authorities count. Certificates, log entries and timestamps cannot be verified without.
    pub trusted_root: Option<TrustedRoot>,
}

impl Requirements {
    /// Asks for one signature by whoever is trusted, and nothing more.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            threshold: NonZeroUsize::MIN,
            annotations: BTreeMap::new(),
            reference: None,
            require_tlog: false,
            use_signed_timestamps: false,
            trusted_root: None,
        }
    }
}

/// Verifies the signatures of an image: simple ones, and bundles with a statement of the type that cosign signs with.
/// Candidates of another kind are passed over.
#[must_use]
pub fn image(digest: &Digest, candidates: &[Candidate], wanted: &Requirements) -> Report<VerifiedSignature> {
    let artifact = Artifact::Digest(digest.clone());
    let judged =
        candidates.iter().filter(|candidate| !matches!(candidate.stored, Stored::Envelope { .. })).map(|candidate| {
            judge(&candidate.place, candidate.stored.format(), |trail| {
                let signed = trail.need(StepName::Form, candidate.stored.read())?;
                let by = evidence(&signed, &artifact, wanted, trail)?;
                let (payload, annotations, reference) = match &signed.content {
                    Content::Payload(bytes) => {
                        let payload = claims::payload(bytes, digest, wanted, trail)?;
                        (bytes.to_vec(), payload.optional, Some(payload.reference))
                    }
                    Content::Envelope { envelope, .. } => {
                        let sign = Some(&PredicateType::SIGN);
                        let statement = claims::statement(envelope, digest, sign, wanted, trail)?;
                        let subject = statement.subjects.into_iter().find(|subject| subject.is(digest));
                        let subject =
                            subject.map(|subject| (claims::texts(&subject), subject.name)).unwrap_or_default();
                        (envelope.payload.clone(), subject.0, Some(subject.1))
                    }
                    Content::Artifact { .. } => return Err(trail.fail(StepName::Type, "it is the signature of a file")),
                };
                let reference = reference.filter(|reference| !reference.is_empty());
                let proof = VerifiedSignature {
                    image: digest.clone(),
                    signer: by.clone(),
                    payload: payload.clone(),
                    annotations,
                    reference,
                };
                Ok((by, Some(payload), proof))
            })
        });
    Report::new(digest.clone(), wanted.threshold, judged.collect())
}

/// Verifies statements about an image, of this type. Simple signatures are passed over.
#[must_use]
pub fn attestation(
    digest: &Digest,
    predicate_type: &PredicateType,
    candidates: &[Candidate],
    wanted: &Requirements,
) -> Report<VerifiedStatement> {
    let artifact = Artifact::Digest(digest.clone());
    let judged =
        candidates.iter().filter(|candidate| !matches!(candidate.stored, Stored::Simple { .. })).map(|candidate| {
            judge(&candidate.place, candidate.stored.format(), |trail| {
                let signed = trail.need(StepName::Form, candidate.stored.read())?;
                let by = evidence(&signed, &artifact, wanted, trail)?;
                let Content::Envelope { envelope, .. } = &signed.content else {
                    return Err(trail.fail(StepName::Type, "it is a signature and no statement"));
                };
                let statement = claims::statement(envelope, digest, Some(predicate_type), wanted, trail)?;
                let proof = VerifiedStatement {
                    image: digest.clone(),
                    signer: by.clone(),
                    subjects: statement.subjects,
                    predicate_type: statement.predicate_type,
                    payload: envelope.payload.clone(),
                };
                Ok((by, Some(envelope.payload.clone()), proof))
            })
        });
    Report::new(digest.clone(), wanted.threshold, judged.collect())
}

/// Verifies the signature of a file. A statement about the file is none.
#[must_use]
pub fn blob(artifact: &Artifact<'_>, place: &str, detached: &Detached, wanted: &Requirements) -> Report<VerifiedBlob> {
    file(artifact, place, detached, wanted, false)
}

/// Verifies a bundle about a file, whatever it holds: a signature of the file, or a statement of any type with the file among
/// its subjects. That is what sigstore's [client protocol] asks.
///
/// [client protocol]: https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md
#[must_use]
pub fn bundle(artifact: &Artifact<'_>, place: &str, bytes: Vec<u8>, wanted: &Requirements) -> Report<VerifiedBlob> {
    file(artifact, place, &Detached::Bundle(bytes), wanted, true)
}

fn file(
    artifact: &Artifact<'_>,
    place: &str,
    detached: &Detached,
    wanted: &Requirements,
    statements: bool,
) -> Report<VerifiedBlob> {
    let digest = artifact.digest();
    let judged = judge(place, detached.format(), |trail| {
        let signed = trail.need(StepName::Form, detached.read(artifact))?;
        let by = evidence(&signed, artifact, wanted, trail)?;
        let payload = match &signed.content {
            Content::Envelope { envelope, .. } if statements => {
                claims::statement(envelope, &digest, None, wanted, trail)?;
                Some(envelope.payload.clone())
            }
            Content::Artifact { .. } => {
                trail.pass(StepName::Type, "a signature of the file itself");
                trail.pass(StepName::Subject, digest.to_string());
                claims::of_file(wanted, trail)?;
                None
            }
            Content::Envelope { .. } | Content::Payload(_) => {
                return Err(trail.fail(StepName::Type, "it is a statement, and a signature of the file is asked for"));
            }
        };
        let proof = VerifiedBlob { digest: digest.clone(), signer: by.clone() };
        Ok((by, payload, proof))
    });
    Report::new(digest.clone(), wanted.threshold, vec![judged])
}

/// Steps 2 to 5.
fn evidence(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<SignedBy, Failed> {
    trail.pass(StepName::Form, signed.format.as_str());
    match &wanted.trust {
        Trust::Keys(keys) => keyed::judge(signed, about, keys, wanted, trail),
        Trust::Identity(identity) => keyless::judge(signed, about, identity, wanted, trail),
    }
}

/// Goes through the steps for one candidate, and makes its verdict.
fn judge<V>(
    place: &str,
    format: Format,
    steps: impl FnOnce(&mut Trail) -> Result<(SignedBy, Option<Vec<u8>>, V), Failed>,
) -> (Verdict, Option<V>) {
    let mut trail = Trail::default();
    let found = steps(&mut trail);
    let mut verdict = Verdict { place: place.to_owned(), format, signer: None, steps: Vec::new(), payload: None };
    let proof = found.ok().map(|(signer, payload, proof)| {
        verdict.signer = Some(signer);
        verdict.payload = payload;
        proof
    });
    verdict.steps = trail.into_steps();
    (verdict, proof)
}
