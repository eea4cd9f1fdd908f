//! `distil verify`, and what `distil verify-attestation` shares with it.

use std::path::Path;

use clap::Args;
use distil_pipeline::signing::{
    NotVerified, Refused, Report, VerificationDocument, VerifiedSignature, VerifyRequest, verify,
};
use distil_pipeline::{Escaped, Platform, Reference};

use super::Context;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::status::Status;
use crate::verification::Verification;

/// Verify the signatures of an image
///
/// Looks for signatures as cosign 2 and 3 store them, judges each by itself, and says who signed. It is the digest that the
/// name stands for now that is verified, and that is printed. The exit status is 0 where enough of those who are asked for have
/// signed it, and 1 where they have not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil verify --key release.pub registry.example.org/team/app:1.0\n  \
    distil verify --certificate-identity release@example.org --certificate-oidc-issuer https://accounts.example.org \\\n    \
    registry.example.org/team/app:1.0\n  \
    distil verify --key a.pub --key b.pub --threshold 2 oci:image:v1")]
pub(crate) struct Verify {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// Verify the image for this platform, by its own digest, in place of the index of all
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    #[command(flatten)]
    verification: Verification,
    #[command(flatten)]
    registries: Registries,
}

impl Verify {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let wanted = self.verification.options().requirements(Path::new(""))?;
        let machine = self.registries.machine(&context.global, context.environment)?;
        let request = VerifyRequest {
            reference: &self.reference,
            platform: self.platform.as_ref(),
            wanted: &wanted,
            machine: &machine,
        };
        let report = super::reading(context, |progress| verify(&request, progress))?;
        conclude(&report, &self.reference.to_string(), context, |report| text(report, report.verified(), said))
    }
}

/// Prints what was verified: text for people, or the document. Where nothing is, the failure says why.
pub(super) fn conclude<V>(
    report: &Report<V>,
    what: &str,
    context: &Context<'_>,
    text: impl FnOnce(&Report<V>) -> String,
) -> Result<Status, Failure> {
    let printer = &context.printer;
    if printer.format() == Format::Json {
        printer.document(&VerificationDocument::new(report))?;
    }
    if let Some(found) = NotVerified::of(report) {
        return Err(Failure::NotVerified { what: what.to_owned(), found: Box::new(found) });
    }
    if printer.format() == Format::Text {
        printer.result(&text(report))?;
    }
    if printer.is_verbose() {
        for refused in Refused::of(report) {
            printer.note(&format!("not good: {refused}"));
        }
    }
    Ok(Status::Yes)
}

/// The digest, and for each good signature who made it, where it lies, and what it says.
pub(super) fn text<V>(report: &Report<V>, verified: &[V], said: impl Fn(&V) -> Vec<String>) -> String {
    let mut lines = vec![format!("{} is verified", report.digest())];
    let good = report.verdicts().iter().filter(|verdict| verdict.is_good());
    for (verdict, proof) in good.zip(verified) {
        let signer = verdict.signer.as_ref().map(ToString::to_string).unwrap_or_default();
        lines.push(format!("  {}, {} in {}", clean(&signer), verdict.format, clean(&verdict.place)));
        lines.extend(said(proof).iter().map(|line| format!("    {}", clean(line))));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What a signature says beside the digest.
fn said(signature: &VerifiedSignature) -> Vec<String> {
    let name = signature.reference().map(|name| format!("signed as {name}"));
    let annotations = signature.annotations().iter().map(|(key, value)| format!("{key}={value}"));
    name.into_iter().chain(annotations).collect()
}

/// Text that somebody else wrote, fit for a terminal.
fn clean(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
