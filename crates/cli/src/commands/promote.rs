//! `distil promote`.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::check::{Approved, Checked};
use distil_pipeline::signing::{Because, PromoteError, PromoteRequest, Promoted, PromotedDocument, promote};
use distil_pipeline::{Escaped, Reference};

use super::Context;
use crate::failure::Failure;
use crate::judging::{Image, Judging};
use crate::policy_file::PolicyFile;
use crate::printer::Format;
use crate::progress;
use crate::registries::Registries;
use crate::signals::Signals;
use crate::signature_form::SignatureForm;
use crate::signing_key::SigningKey;
use crate::status::Status;
use crate::verification::SourceVerification;

/// Verify an image, copy it without a trace of where it comes from, and sign it anew
///
/// The signatures of the source must be verified, and its registry's name must be in nothing that is copied; the exit
/// status is 1 where they are not, or it is. Signatures and attestations of the source stay behind, SBOMs and provenance go along
/// and are signed. The tag of the destination is written last, and a record of the promotion is signed beside the image and
/// kept in a log. With --policy the image is judged first; nothing is promoted but the very digest that the policy approves of, and the verdict is
/// signed beside it, with the ledger where there is one. Repeating what was interrupted finishes it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    distil promote registry.example.com/team/app:1.4-rc2 registry.example.org/app:1.4 \\\n    \
    --verify-key internal.pub --key release.key")]
pub(crate) struct Promote {
    /// The image, as in registry.example.com/team/app:1.4-rc2 or oci:DIR:TAG
    #[arg(value_name = "SRC", value_parser = super::reference)]
    source: Reference,
    /// Where it goes
    #[arg(value_name = "DST", value_parser = super::reference)]
    destination: Reference,
    #[command(flatten)]
    key: SigningKey,
    #[command(flatten)]
    form: SignatureForm,
    /// Refuse to promote what has this name in it, beside the name of the source's registry; may be repeated
    #[arg(long = "internal-name", value_name = "NAME")]
    internal_names: Vec<String>,
    /// Who promotes, for the record
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// The log; the default is promotions.jsonl in distil's directory of state
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Promote it only if nothing is against it by this policy, judged as an image that is made now
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// Refuse to write under a tag that another image has in a layout or registry
    #[arg(long)]
    immutable: bool,
    #[command(flatten)]
    verification: SourceVerification,
    #[command(flatten)]
    registries: Registries,
}

impl Promote {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let policy = self.policy.as_deref().map(PolicyFile::read).transpose()?;
        let wanted = self.verification.options().requirements(Path::new(""))?;
        let log = context.environment.promotions(self.log.as_deref())?;
        // Somebody may be asked for a password: before signals are watched for.
        let signer = self.key.open(context.environment)?;
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let machine = self.registries.machine(&context.global, context.environment)?;
        let judged = match &policy {
            Some(policy) => {
                let image = Image { reference: &self.source, platform: None, now: None, is_new: true, record: None };
                Some(self.judging.judge(&image, policy, &machine, context, progress.as_ref())?)
            }
            None => None,
        };
        let has_ledger = policy.as_ref().is_some_and(|policy| self.judging.has_ledger(policy));
        let approved = judged.as_ref().map(|judged| approved(judged, has_ledger)).transpose()?;
        let request = PromoteRequest {
            source: &self.source,
            destination: &self.destination,
            verification: &wanted,
            approved: approved.as_ref(),
            signer: signer.as_ref(),
            formats: self.form.formats(),
            name: self.form.name(),
            internal_names: &self.internal_names,
            by: self.by.as_deref(),
            immutable: self.immutable,
            log: &log,
            machine: &machine,
            cancelled: &cancelled,
        };
        let promoted = promote(&request, progress.as_ref());
        drop(progress);
        let promoted = match (promoted, signals.status()) {
            (Err(PromoteError::Cancelled), Some(status)) => return Ok(status),
            (promoted, _) => promoted?,
        };
        let printer = &context.printer;
        if printer.format() == Format::Json {
            printer.document(&PromotedDocument::new(&promoted))?;
        } else {
            let reference = promoted.image.reference.to_string();
            printer.result(&format!("{} {}\n", Escaped(reference.as_bytes()), promoted.image.digest))?;
        }
        tell(&promoted, context);
        Ok(Status::Yes)
    }
}

/// What was judged, where the verdict approves of it.
fn approved(checked: &Checked, has_ledger: bool) -> Result<Approved<'_>, Failure> {
    checked.approved(has_ledger).ok_or_else(|| Failure::NotApproved { verdict: Box::new(checked.verdict.clone()) })
}

/// What stayed behind, and whether anything was searched for.
fn tell(promoted: &Promoted, context: &Context<'_>) {
    let printer = &context.printer;
    for left in &promoted.left {
        match &left.because {
            Because::Signed if printer.is_verbose() => printer.note(&format!("{} was signed, and stays", left.what)),
            Because::OtherType(found) => {
                let found = found.as_deref().unwrap_or("of no type");
                printer.warning(format!(
                    "{} is about the image and was not promoted: it is {}",
                    left.what,
                    Escaped(found.as_bytes())
                ));
            }
            Because::Signed => {}
        }
    }
    if promoted.searched.is_empty() {
        printer.warning(
            "nothing was searched for, since the source has no registry's name: state some with --internal-name",
        );
    }
}
