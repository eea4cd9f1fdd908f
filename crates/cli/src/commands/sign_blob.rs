//! `distil sign-blob`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use distil_pipeline::Escaped;
use distil_pipeline::signing::{Blob, BlobBundle, sign_blob};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::signatory::Signatory;
use crate::status::Status;

/// Sign a file
///
/// Without --output-signature and --bundle the signature is printed, in base64. Both versions of cosign verify it. A file
/// of more than 512 MiB wants a key ECDSA P-256 or RSA, which sign its digest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil sign-blob app.tar --key release.key --bundle app.tar.sigstore.json\n  \
    distil sign-blob - --key release.key < app.tar > app.tar.sig")]
pub(crate) struct SignBlob {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    signatory: Signatory,
    /// Write the signature, in base64, to this file
    #[arg(long, value_name = "FILE")]
    output_signature: Option<PathBuf>,
    /// Write a bundle with the signature to this file
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// What the bundle is written as
    #[arg(long, value_enum, default_value_t = Form::Bundle, value_name = "F", requires = "bundle")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A sigstore bundle, which cosign 3 writes
    Bundle,
    /// What cosign 2 writes, and both read
    Legacy,
}

impl SignBlob {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        if self.signatory.is_keyless() && self.bundle.is_none() {
            return Err(Failure::NoBundle);
        }
        if self.signatory.reads_input() && self.file == Path::new("-") {
            return Err(Failure::OneInput);
        }
        let machine = Registries::default().machine(&context.global, context.environment)?;
        let signer = self.signatory.open(context.environment, &machine)?;
        let made = super::reading(context, |_| sign_blob(&blob(&self.file)?, signer.as_ref()))?;
        let form = match self.format {
            Form::Bundle => BlobBundle::Sigstore,
            Form::Legacy => BlobBundle::Legacy,
        };
        let (signature, bundle) = (self.output_signature.as_deref(), self.bundle.as_deref());
        if let Some(path) = signature {
            made.write_signature(path)?;
        }
        if let Some(path) = bundle {
            made.write_bundle(path, form)?;
        }
        let printer = &context.printer;
        if printer.format() == Format::Json {
            printer.document(&made.document(signature, bundle))?;
        } else if signature.is_none() && bundle.is_none() {
            printer.result(&format!("{}\n", made.to_base64()))?;
        }
        if let Some(certified) = made.certified() {
            let certified = certified.to_string();
            printer.note(&format!("Signed by the certificate of {}.", Escaped(certified.as_bytes())));
        }
        for path in [signature, bundle].into_iter().flatten() {
            printer.note(&format!("Wrote {}.", Escaped::path(path)));
        }
        Ok(Status::Yes)
    }
}

/// Reads the file that a command line names; `-` is standard input.
pub(super) fn blob(path: &Path) -> Result<Blob, distil_pipeline::signing::BlobError> {
    if path == Path::new("-") { Blob::read("standard input", std::io::stdin().lock()) } else { Blob::open(path) }
}
