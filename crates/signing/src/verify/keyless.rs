//! Steps 2 to 5 for signatures by certificates that live for minutes.

use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info};
use sigstore_verify::types::Bundle;
use sigstore_verify::{Error, VerificationPolicy, VerificationResult};

use super::Requirements;
use super::identity::Identity;
use super::keyed::{stamped, told_entries, told_times, trusted_root};
use super::legacy_evidence::By;
use super::log;
use super::report::{SignedBy, StepName};
use super::signed::{Artifact, Content, Signed};
use super::trail::{Failed, Trail, told};
use super::trusted_root::TrustedRoot;
use crate::key::PublicKey;

/// Judges who signed, and when.
pub(super) fn judge(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    identity: &Identity,
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<SignedBy, Failed> {
    let root = trail.need(StepName::Signer, trusted_root(wanted))?;
    let bundle = trail.need(StepName::Signer, signed.to_bundle(By::Certificate))?;
    let info = trail.need(StepName::Signer, certificate(&bundle))?;
    // The crate looks at the signature too. Looked at by itself, it is told apart from a log entry that is another's.
    let scheme = trail.need(StepName::Signature, by_certificate(signed, &info))?;
    trail.need(StepName::Log, evidence(signed, &bundle))?;
    let (result, times) =
        judge_evidence(signed, about, root, &bundle, &info).map_err(|(step, why)| trail.fail(step, why))?;
    let by = trail.need(StepName::Signer, who(identity, &result))?;
    trail.pass(StepName::Signer, by.to_string());
    trail.pass(StepName::Signature, scheme);
    trail.pass(StepName::Log, told_entries(bundle.verification_material.tlog_entries.len()));
    let stamps = trail.need(StepName::Timestamps, signed.timestamps())?;
    if wanted.use_signed_timestamps && stamps.is_empty() {
        return Err(trail.fail(StepName::Timestamps, "there is no timestamp"));
    }
    trail.pass(StepName::Timestamps, told_times(&times));
    Ok(by)
}

fn certificate(bundle: &Bundle) -> Result<CertificateInfo, String> {
    let certificate = bundle.signing_certificate().ok_or("a certificate is asked for, and it was signed with a key")?;
    parse_certificate_info(certificate).map_err(|error| told(&error))
}

fn by_certificate(signed: &Signed<'_>, info: &CertificateInfo) -> Result<String, String> {
    let key = PublicKey::from_spki(info.public_key.as_bytes()).map_err(|error| told(&error))?;
    match signed.message() {
        Some(message) => match key.verify(&message, &signed.signature) {
            Ok(scheme) => Ok(scheme.to_string()),
            Err(error) => Err(told(&error)),
        },
        None => Ok("over the digest".into()),
    }
}

fn evidence(signed: &Signed<'_>, bundle: &Bundle) -> Result<(), String> {
    match &signed.content {
        Content::Envelope { layer: Some(layer), .. } => log::check_envelope(bundle, layer),
        _ => Ok(()),
    }
}

/// Has certificate, log entries and timestamps judged. Gives every time at which it is certain to have been signed, in seconds
/// since 1970: certificate and authorities were valid at each of them.
fn judge_evidence(
    signed: &Signed<'_>,
    about: &Artifact<'_>,
    root: &TrustedRoot,
    bundle: &Bundle,
    info: &CertificateInfo,
) -> Result<(VerificationResult, Vec<i64>), (StepName, String)> {
    let policy = VerificationPolicy::any_identity();
    let artifact = || signed.artifact(about).map_err(|why| (StepName::Subject, why));
    let explain = |error: Error| (step_of(&error, signed), told(&error));
    let mut result = root.verifier().verify(artifact()?, bundle, &policy).map_err(explain)?;
    let mut times: Vec<i64> = result.verified_timestamps().iter().map(|time| time.as_second()).collect();
    if signed.is_stamped_whole() && signed.timestamps().is_ok_and(|stamps| !stamps.is_empty()) {
        let more = stamped(signed, root).map_err(|why| (StepName::Timestamps, why))?;
        let validity = info.not_before.as_second()..=info.not_after.as_second();
        if let Some(time) = more.iter().find(|time| !validity.contains(time)) {
            return Err((StepName::Signer, format!("the certificate was not valid at {time} (seconds since 1970)")));
        }
        times.extend(more);
    }
    if let Some(verifier) = root.valid_at(&times).map_err(|why| (StepName::Signer, why))? {
        result = verifier.verify(artifact()?, bundle, &policy).map_err(explain)?;
    }
    if !(result.certificate_verified() && result.sct_verified() && result.tlog_verified()) || times.is_empty() {
        return Err((StepName::Signer, "certificate or log entry were passed over".into()));
    }
    Ok((result, times))
}

fn who(identity: &Identity, result: &VerificationResult) -> Result<SignedBy, String> {
    let subject = result.identity().ok_or("the certificate names neither an address nor a URI")?.as_str();
    let issuer = result.issuer().ok_or("the certificate does not say who issued the identity")?;
    if !identity.subject().matches(subject) {
        return Err(format!("it was signed by {subject:?}, and {} is asked for", identity.subject()));
    }
    if !identity.issuer().matches(issuer) {
        return Err(format!("the identity was issued by {issuer:?}, and {} is asked for", identity.issuer()));
    }
    Ok(SignedBy::Identity { subject: subject.to_owned(), issuer: issuer.to_owned() })
}

/// Which step an error of the crate belongs to.
fn step_of(error: &Error, signed: &Signed<'_>) -> StepName {
    match error {
        Error::Certificate(_) | Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => StepName::Signer,
        Error::SignatureInvalid(_) | Error::Crypto(_) => StepName::Signature,
        // What the crate finds wrong with a bundle that was read before is what proves its log entries.
        Error::TransparencyLog(_) | Error::Bundle(_) => StepName::Log,
        Error::Timestamp(_) => StepName::Timestamps,
        Error::ArtifactMismatch(_) => match signed.content {
            Content::Envelope { .. } => StepName::Subject,
            // The signature itself was found to be good before.
            Content::Payload(_) | Content::Artifact { .. } => StepName::Log,
        },
        _ => StepName::Form,
    }
}
