//! `distil attest`.

use std::path::PathBuf;

use clap::Args;
use distil_pipeline::Reference;
use distil_pipeline::signing::{AttestRequest, PredicateType, attest};

use super::Context;
use crate::failure::Failure;
use crate::progress;
use crate::registries::Registries;
use crate::signals::Signals;
use crate::signatory::Signatory;
use crate::signature_form::SignatureForm;
use crate::status::Status;

/// Sign statements about an image, beside it: a file, or the SBOMs and the provenance that the build attached
///
/// The statement is in-toto's, in an envelope that cosign 2 and 3 verify. What the key has signed already in the same words is
/// left as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil attest registry.example.org/team/app:1.0 --key cosign.key\n  \
    distil attest registry.example.org/team/app:1.0 --key cosign.key --type openvex --predicate vex.json")]
pub(crate) struct Attest {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// The type: spdxjson, spdx, cyclonedx, vuln, openvex, slsaprovenance, slsaprovenance02, slsaprovenance1, link, test-result,
    /// vsa, ledger (a file as --ledger of 'distil check' writes it), custom or a URI
    #[arg(long = "type", value_name = "TYPE", value_parser = predicate_type)]
    kind: Option<PredicateType>,
    /// The predicate; without one, what is attached to the image is signed
    #[arg(long, value_name = "FILE", requires = "kind")]
    predicate: Option<PathBuf>,
    #[command(flatten)]
    signatory: Signatory,
    #[command(flatten)]
    form: SignatureForm,
    /// Take away other attestations of the type, in the form of cosign 2
    #[arg(long)]
    replace: bool,
    /// Say it of the image of each platform, too
    #[arg(short, long, requires = "predicate")]
    recursive: bool,
    #[command(flatten)]
    registries: Registries,
}

impl Attest {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let machine = self.registries.machine(&context.global, context.environment)?;
        let signer = self.signatory.open(context.environment, &machine)?;
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let request = AttestRequest {
            reference: &self.reference,
            kind: self.kind.as_ref(),
            predicate: self.predicate.as_deref(),
            signer: signer.as_ref(),
            formats: self.form.formats(),
            replace: self.replace,
            name: self.form.name(),
            recursive: self.recursive,
            machine: &machine,
            cancelled: &cancelled,
        };
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let done = attest(&request, progress.as_ref());
        drop(progress);
        super::sign::print(&self.reference, done, &signals, context)
    }
}

/// Reads a type of predicates from the command line.
fn predicate_type(text: &str) -> Result<PredicateType, String> {
    text.parse().map_err(|error| super::with_causes(&error))
}
