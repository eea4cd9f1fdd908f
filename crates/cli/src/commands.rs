//! The commands, one file for each.

mod attest;
mod build;
mod cache;
mod check;
mod completions;
mod copy;
mod db;
mod files;
mod init;
mod inspect;
mod key;
mod lock;
mod man;
mod promote;
mod sbom;
mod scan;
mod schema;
mod sign;
mod sign_blob;
mod tags;
mod trusted_root;
mod validate;
mod verify;
mod verify_attestation;
mod verify_blob;
mod verify_bundle;
mod why;

use std::error::Error;

use clap::{Args, Subcommand};
use distil_pipeline::{
    BuiltImage, Choice, Escaped, ImagePath, LockError, Platform, Progress, Reference, WrittenDocument,
};

use crate::arguments::Global;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::{Format, Printer};
use crate::progress;
use crate::signals::Signals;
use crate::status::Status;
use crate::written::Written;

/// What every command is given beside its own arguments.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) global: Global,
    pub(crate) environment: &'a Environment,
    pub(crate) printer: Printer,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Build(build::Build),
    Lock(lock::Lock),
    Why(why::Why),
    Inspect(inspect::Inspect),
    Validate(validate::Validate),
    Files(files::Files),
    Sbom(sbom::Sbom),
    Scan(scan::Scan),
    Copy(copy::Copy),
    Check(check::Check),
    Promote(Box<promote::Promote>),
    Tags(tags::Tags),
    Key(key::Key),
    Sign(sign::Sign),
    Attest(attest::Attest),
    SignBlob(sign_blob::SignBlob),
    Verify(verify::Verify),
    VerifyAttestation(verify_attestation::VerifyAttestation),
    VerifyBlob(verify_blob::VerifyBlob),
    VerifyBundle(verify_bundle::VerifyBundle),
    TrustedRoot(trusted_root::TrustedRoot),
    Db(db::Db),
    Cache(cache::Cache),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        match self {
            Self::Init(command) => command.run(context),
            Self::Build(command) => command.run(context),
            Self::Lock(command) => command.run(context),
            Self::Why(command) => command.run(context),
            Self::Inspect(command) => command.run(context),
            Self::Validate(command) => command.run(context),
            Self::Files(command) => command.run(context),
            Self::Sbom(command) => command.run(context),
            Self::Scan(command) => command.run(context),
            Self::Copy(command) => command.run(context),
            Self::Check(command) => command.run(context),
            Self::Promote(command) => command.run(context),
            Self::Tags(command) => command.run(context),
            Self::Key(command) => command.run(context),
            Self::Sign(command) => command.run(context),
            Self::Attest(command) => command.run(context),
            Self::SignBlob(command) => command.run(context),
            Self::Verify(command) => command.run(context),
            Self::VerifyAttestation(command) => command.run(context),
            Self::VerifyBlob(command) => command.run(context),
            Self::VerifyBundle(command) => command.run(context),
            Self::TrustedRoot(command) => command.run(context),
            Self::Db(command) => command.run(context),
            Self::Cache(command) => command.run(context),
            Self::Schema(command) => command.run(context),
            Self::Completions(command) => command.run(context),
            Self::Man(command) => command.run(context),
        }
    }
}

/// The option of commands that read the image of one platform.
#[derive(Debug, Args)]
pub(crate) struct OfPlatform {
    /// Look at this platform; where none is given at this machine's, or else at the first of the image
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
}

impl OfPlatform {
    fn is_given(&self) -> bool {
        self.platform.is_some()
    }

    fn choice<'a>(&'a self, host: &'a Platform) -> Choice<'a> {
        self.platform.as_ref().map_or(Choice::Preferably(host), Choice::Exactly)
    }
}

/// Reads a reference from the command line.
pub(crate) fn reference(text: &str) -> Result<Reference, String> {
    text.parse().map_err(|error| with_causes(&error))
}

/// Reads a path of an image from the command line; the slash at its start may be left out.
fn image_path(text: &str) -> Result<ImagePath, String> {
    ImagePath::from_foreign(text.as_bytes()).map_err(|error| with_causes(&error))
}

/// A message with its causes in one line, since the parser of the command line shows no more.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Does what only reads and leaves nothing behind: it shows its progress, and a signal ends it on the spot.
fn reading<T, E: Into<Failure>>(
    context: &Context<'_>,
    work: impl FnOnce(&dyn Progress) -> Result<T, E>,
) -> Result<T, Failure> {
    let _signals = Signals::install().map_err(Failure::Signals)?;
    let progress = progress::of(&context.global, context.environment, &context.printer);
    work(progress.as_ref()).map_err(Into::into)
}

/// Chooses packages for a recipe, with progress. A signal that ended the work is a status, no failure.
fn choosing<T>(
    context: &Context<'_>,
    signals: &Signals,
    written: &Written,
    work: impl FnOnce(&dyn Progress) -> Result<T, LockError>,
) -> Result<Result<T, Status>, Failure> {
    let progress = progress::of(&context.global, context.environment, &context.printer);
    match (work(progress.as_ref()), signals.status()) {
        (Err(error), Some(status)) if error.is_cancelled() => Ok(Err(status)),
        (done, _) => done.map(Ok).map_err(|error| written.explained(error)),
    }
}

/// Prints which images were written.
fn print_written(images: &[BuiltImage], document: &WrittenDocument, context: &Context<'_>) -> Result<Status, Failure> {
    let printer = &context.printer;
    if printer.format() == Format::Json {
        printer.document(document)?;
        return Ok(Status::Yes);
    }
    for image in images {
        let reference = image.reference.to_string();
        printer.result(&format!("{} {}\n", Escaped(reference.as_bytes()), image.digest))?;
        if printer.is_verbose() {
            for platform in &image.platforms {
                printer.result(&format!("  {} {}\n", platform.platform, platform.digest))?;
            }
        }
    }
    Ok(Status::Yes)
}
