//! `distil verify-bundle`.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::Digest;
use distil_pipeline::signing::{Blob, BlobError, Subject, TrustError, TrustOptions, TrustedRoot, verify_bundle};

use super::{Context, verify};
use crate::failure::Failure;
use crate::status::Status;

/// Verify a sigstore bundle, as sigstore's client protocol has it
///
/// The bundle holds a signature of the file, or a statement with the file among its subjects. A log entry is always asked for,
/// of keys as well: `distil verify-blob` does without.
#[derive(Debug, Args)]
pub(crate) struct VerifyBundle {
    /// Without --trusted-root, trust the staging instance of Sigstore, where anybody may try things out
    #[arg(long)]
    staging: bool,
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The certificate must name this identity
    #[arg(long, value_name = "ID", requires = "certificate_oidc_issuer", required_unless_present = "key")]
    certificate_identity: Option<String>,
    /// The identity must come from this issuer
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// It must be signed with this public key
    #[arg(long, value_name = "PEM", conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,
    /// Trust the authorities and logs of this file; without it, those of the public instance of Sigstore
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The signed file, or its digest, as in sha256:…
    #[arg(value_name = "FILE_OR_DIGEST")]
    subject: PathBuf,
}

impl VerifyBundle {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let has_root = self.trusted_root.is_some();
        let trust = TrustOptions {
            keys: self.key.into_iter().collect(),
            certificate_identity: self.certificate_identity,
            certificate_oidc_issuer: self.certificate_oidc_issuer,
            trusted_root: self.trusted_root,
            require_tlog: true,
            ..TrustOptions::default()
        };
        let mut wanted = trust.requirements(Path::new(""))?;
        if self.staging && !has_root {
            wanted.trusted_root = Some(TrustedRoot::staging().map_err(TrustError::PublicGood)?);
        }
        let report = super::reading(context, |_| verify_bundle(&subject(&self.subject)?, &self.bundle, &wanted))?;
        verify::conclude(&report, &self.subject.to_string_lossy(), context, |report| {
            verify::text(report, report.verified(), |_| Vec::new())
        })
    }
}

/// A digest, unless a file has that name.
fn subject(named: &Path) -> Result<Subject, BlobError> {
    let digest =
        named.to_str().and_then(|text| text.parse::<Digest>().ok()).filter(|digest| digest.as_sha256().is_some());
    match digest {
        Some(digest) if !named.exists() => Ok(Subject::Digest(digest)),
        _ => Ok(Subject::Blob(Blob::open(named)?)),
    }
}
