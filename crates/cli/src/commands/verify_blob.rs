//! `distil verify-blob`.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::signing::{SignatureFile, verify_blob};

use super::{Context, sign_blob, verify};
use crate::failure::Failure;
use crate::status::Status;
use crate::verification::Verification;

/// Verify the signature of a file
///
/// The signature is in a file of its own, in base64, or in a bundle, either sigstore's or what cosign 2 writes. A statement about the
/// file is no signature of it. The exit status is 0 where whoever is asked for has signed the file, and 1 where not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil verify-blob app.tar --key release.pub --bundle app.tar.sigstore.json\n  \
    distil verify-blob app.tar --key release.pub --signature app.tar.sig")]
pub(crate) struct VerifyBlob {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The signature, in base64
    #[arg(long, value_name = "FILE", required_unless_present = "bundle", conflicts_with = "bundle")]
    signature: Option<PathBuf>,
    /// The bundle with the signature
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    verification: Verification,
}

impl VerifyBlob {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let wanted = self.verification.options().requirements(Path::new(""))?;
        let signature = match (&self.signature, &self.bundle) {
            (Some(signature), _) => SignatureFile::Signature(signature),
            (None, Some(bundle)) => SignatureFile::Bundle(bundle),
            // The grammar asks for one of them.
            (None, None) => return Ok(Status::Mistake),
        };
        let report = super::reading(context, |_| verify_blob(&sign_blob::blob(&self.file)?, signature, &wanted))?;
        verify::conclude(&report, &self.file.to_string_lossy(), context, |report| {
            verify::text(report, report.verified(), |_| Vec::new())
        })
    }
}
