//! `distil sign`.

use std::collections::BTreeMap;

use clap::Args;
use distil_pipeline::signing::{SignError, SignRequest, Signed, SignedDocument, sign};
use distil_pipeline::{Escaped, Reference};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::progress;
use crate::registries::Registries;
use crate::signals::Signals;
use crate::signatory::Signatory;
use crate::signature_form::{SignatureForm, annotation};
use crate::status::Status;

/// Sign an image, beside it, as cosign 2 and 3 verify it
///
/// A tag is resolved once, and the digest is signed. What the key has signed already is left as it is; signatures of others
/// stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil sign registry.example.org/team/app:1.0 --key cosign.key\n  \
    distil sign oci:image:latest --key cosign.key --reference registry.example.org/team/app -a release=1.0")]
pub(crate) struct Sign {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    #[command(flatten)]
    signatory: Signatory,
    #[command(flatten)]
    form: SignatureForm,
    /// Sign this, too, as in release=1.0; may be repeated
    #[arg(short, long = "annotations", value_name = "KEY=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// Sign the image of each platform, too
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    registries: Registries,
}

impl Sign {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let machine = self.registries.machine(&context.global, context.environment)?;
        let signer = self.signatory.open(context.environment, &machine)?;
        let annotations: BTreeMap<String, String> = self.annotations.into_iter().collect();
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let request = SignRequest {
            reference: &self.reference,
            signer: signer.as_ref(),
            formats: self.form.formats(),
            annotations: &annotations,
            name: self.form.name(),
            recursive: self.recursive,
            machine: &machine,
            cancelled: &cancelled,
        };
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let done = sign(&request, progress.as_ref());
        drop(progress);
        print(&self.reference, done, &signals, context)
    }
}

/// Prints what is beside the image now. A signal that ended the work is a status, no failure.
pub(super) fn print(
    reference: &Reference,
    signed: Result<Signed, SignError>,
    signals: &Signals,
    context: &Context<'_>,
) -> Result<Status, Failure> {
    let signed = match (signed, signals.status()) {
        (Err(SignError::Cancelled), Some(status)) => return Ok(status),
        (signed, _) => signed?,
    };
    let printer = &context.printer;
    for digest in &signed.foreign {
        printer.warning(format!("{digest} is attached to the image, is about something else, and was not signed"));
    }
    if printer.format() == Format::Json {
        printer.document(&SignedDocument::new(&reference.to_string(), &signed))?;
        return Ok(Status::Yes);
    }
    if let Some(certified) = &signed.certified {
        let certified = certified.to_string();
        printer.note(&format!("Signed by the certificate of {}.", Escaped(certified.as_bytes())));
    }
    for (_, added) in &signed.added {
        let what = added.predicate_type.as_deref().unwrap_or("signature");
        let what = Escaped(what.as_bytes());
        for form in &added.forms {
            let found = form.manifest.as_ref().map_or("there already".to_owned(), ToString::to_string);
            printer.result(&format!("{} {what} {} {found}\n", added.image, form.form.as_str()))?;
        }
    }
    Ok(Status::Yes)
}
