//! How to get on where something is not verified, or nobody can tell.

use distil_pipeline::signing::{NotVerified, TrustError, VerifyError};

use super::{advice::MOST, advice::of_read, key};

/// Each signature that is not good, and why; of very many the first.
pub(super) fn refused(found: &NotVerified) -> Vec<String> {
    let mut lines: Vec<String> = found.refused.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = found.refused.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines
}

pub(super) fn not_verified_advice(found: &NotVerified) -> String {
    if found.is_unsigned() {
        let name = found.digest.to_string().replacen(':', "-", 1);
        return format!(
            "looked under the tags {name}.sig and {name}.att and among the referrers: nobody has signed it there"
        );
    }
    "each line names the signature and the step that failed".to_owned()
}

pub(super) fn trust_advice(error: &TrustError) -> Option<String> {
    Some(match error {
        TrustError::Nobody => {
            "name a public key with key, or certificate-identity with certificate-oidc-issuer".to_owned()
        }
        TrustError::Half { missing, .. } => format!("state {missing}, too, or {missing}-regexp"),
        TrustError::Threshold { .. } => "lower the threshold, or name more keys".to_owned(),
        TrustError::ReadRoot(_) | TrustError::Root { .. } => {
            "a trusted root is JSON, as `cosign trusted-root create` writes it; left out, it is that of Sigstore's public \
             instance"
                .to_owned()
        }
        TrustError::Key(error) => return key::advice(error),
        _ => return None,
    })
}

pub(super) fn verify_advice(error: &VerifyError) -> Option<String> {
    match error {
        VerifyError::Read(error) => of_read(error),
        VerifyError::DockerArchive { .. } => Some(
            "verify the image in its registry, or in a layout or OCI archive that was copied from there".to_owned(),
        ),
        _ => None,
    }
}
