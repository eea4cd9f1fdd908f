//! Steps 2 to 5 for signatures by keys that the caller trusts.

use sigstore_verify::PublicKeyVerificationPolicy;
use sigstore_verify::types::{
    DerPublicKey, DigestBytes, HashAlgorithm as CrateHash, MessageDigest as CrateDigest, SignatureContent,
};

use super::Requirements;
use super::legacy_evidence::By;
use super::log;
use super::report::{SignedBy, StepName};
use super::signed::{Artifact, Content, Evidence, Signed};
use super::trail::{Failed, Trail, told};
use super::trusted_root::TrustedRoot;
use crate::bundle::{HashAlgorithm, MessageDigest};
use crate::key::{PublicKey, Scheme};

/// Judges who signed, and what proves when.
pub(super) fn judge(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    keys: &[PublicKey],
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<SignedBy, Failed> {
    // What a key hint says is not signed, so no key is chosen by it.
    if matches!(signed.evidence, Evidence::Bundle { certified: true, .. }) {
        return Err(trail.fail(StepName::Signer, "it was signed with a certificate, and a key is asked for"));
    }
    let (key, scheme) = match signed.message() {
        Some(message) => {
            let found = keys.iter().find_map(|key| Some((key, key.verify(&message, &signed.signature).ok()?)));
            let (key, scheme) = trail.need(StepName::Signer, found.ok_or_else(|| by_none(keys)))?;
            trail.pass(StepName::Signer, format!("the key {}", key.fingerprint()));
            let stated = stated_digest(signed);
            trail.need(StepName::Signature, stated)?;
            trail.pass(StepName::Signature, scheme.to_string());
            (key, Some(scheme))
        }
        None => over_digest(signed, about, keys, wanted, trail)?,
    };
    if wanted.require_tlog {
        let found = trusted_root(wanted).and_then(|root| in_log(signed, about, (key, scheme), root));
        let entries = trail.need(StepName::Log, found)?;
        trail.pass(StepName::Log, format!("{entries} for this signature by this key"));
    }
    if wanted.use_signed_timestamps {
        let found = trusted_root(wanted).and_then(|root| stamped(signed, root));
        let times = trail.need(StepName::Timestamps, found)?;
        trail.pass(StepName::Timestamps, told_times(&times));
    }
    Ok(SignedBy::Key(key.fingerprint()))
}

fn by_none(keys: &[PublicKey]) -> String {
    match keys {
        [one] => format!("it is not a signature by the key {}", one.fingerprint()),
        several => format!("it is not a signature by any of {} keys", several.len()),
    }
}

/// Where the bytes are not at hand, their digest stands for them, if it is what the key signs. Otherwise the log entry does: it
/// names the digest.
fn over_digest<'k>(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    keys: &'k [PublicKey],
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<(&'k PublicKey, Option<Scheme>), Failed> {
    let digest = about.digest();
    let verifies = |sha256| keys.iter().find_map(|key| Some((key, key.verify_sha256(sha256, &signed.signature).ok()?)));
    if let Some((key, scheme)) = digest.as_sha256().and_then(verifies) {
        trail.pass(StepName::Signer, format!("the key {}", key.fingerprint()));
        trail.need(StepName::Signature, stated_digest(signed))?;
        trail.pass(StepName::Signature, scheme.to_string());
        return Ok((key, Some(scheme)));
    }
    if !wanted.require_tlog {
        let why = format!("{}, unless that signs bytes of which only the digest is at hand", by_none(keys));
        return Err(trail.fail(StepName::Signer, why));
    }
    let root = trail.need(StepName::Log, trusted_root(wanted))?;
    let found = keys.iter().find(|key| in_log(signed, about, (key, None), root).is_ok());
    let key = trail.need(StepName::Signer, found.ok_or_else(|| by_none(keys)))?;
    trail.pass(StepName::Signer, format!("the key {}", key.fingerprint()));
    trail.pass(StepName::Signature, "over the digest");
    Ok((key, None))
}

/// The digest that a bundle states is not signed. Where it is another than that of the bytes, something is wrong all the
/// same.
fn stated_digest(signed: &Signed<'_>) -> Result<(), String> {
    let Content::Artifact { artifact, stated: Some(stated) } = &signed.content else { return Ok(()) };
    let same = match artifact {
        Artifact::Bytes(bytes) => MessageDigest::by(stated.algorithm(), bytes) == *stated,
        // Another function than that of the digest at hand cannot be compared.
        Artifact::Digest(digest) => {
            stated.algorithm() == HashAlgorithm::Sha256
                && digest.as_sha256().is_some_and(|found| found == stated.bytes())
        }
    };
    if same { Ok(()) } else { Err("the digest that the bundle states is not that of the signed bytes".into()) }
}

/// The root, which whoever asks for evidence has to give.
pub(super) fn trusted_root(wanted: &Requirements) -> Result<&TrustedRoot, String> {
    wanted
        .trusted_root
        .as_ref()
        .ok_or_else(|| "no trusted root is given that says which logs and authorities count".into())
}

/// Has the log entries judged. Gives how many there are.
///
/// The crate that does it verifies the signature once more, and knows fewer algorithms: it refuses log entries of signatures
/// by P-521, with Ed25519ph, and in envelopes with P-384 over SHA-256.
fn in_log(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    (key, scheme): (&PublicKey, Option<Scheme>),
    root: &TrustedRoot,
) -> Result<String, String> {
    let mut bundle = signed.to_bundle(By::Key)?;
    // It takes P-384 to be over SHA-384 where it is told nothing else. Cosign 2 signed over SHA-256.
    if let (Some(Scheme::EcdsaP384Sha256), Some(message), SignatureContent::MessageSignature(found)) =
        (scheme, signed.message(), &mut bundle.content)
    {
        let bytes = MessageDigest::by(HashAlgorithm::Sha256, &message).bytes().to_vec();
        found.message_digest = Some(CrateDigest::new(CrateHash::Sha2256, DigestBytes::new(bytes)));
    }
    // Judged by themselves, where they are asked for.
    bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.clear();
    let entries = bundle.verification_material.tlog_entries.len();
    if entries == 0 {
        return Err("there is no log entry".into());
    }
    if let Content::Envelope { layer: Some(layer), .. } = &signed.content {
        log::check_envelope(&bundle, layer)?;
    }
    let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki().to_vec()));
    root.verifier().verify(signed.artifact(about)?, &bundle, &policy).map_err(|error| told(&error))?;
    Ok(told_entries(entries))
}

/// Has the timestamps judged, of which there has to be one. Gives their times in seconds since 1970.
pub(super) fn stamped(signed: &Signed<'_>, root: &TrustedRoot) -> Result<Vec<i64>, String> {
    let stamps = signed.timestamps()?;
    if stamps.is_empty() {
        return Err("there is no timestamp".into());
    }
    stamps.iter().map(|stamp| root.stamped(stamp, signed.stamped())).collect()
}

pub(super) fn told_entries(count: usize) -> String {
    if count == 1 { "one entry".into() } else { format!("{count} entries") }
}

pub(super) fn told_times(times: &[i64]) -> String {
    let times: Vec<String> = times.iter().map(ToString::to_string).collect();
    format!("signed at {} (seconds since 1970)", times.join(", "))
}
