//! `distil build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::inputs::InputError;
use distil_pipeline::signing::open_key;
use distil_pipeline::{
    BuildError, BuildRequest, BuildSigning, Escaped, LockUse, Platform, Reference, What, WrittenDocument,
};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::passwords::PasswordOptions;
use crate::progress;
use crate::repositories::Repositories;
use crate::signals::Signals;
use crate::signature_form::FormName;
use crate::status::Status;
use crate::written::Written;

/// Build an image from a recipe, or from packages
///
/// Without --deb and --tar the image is what the recipe says, with the packages of its lock, which is made where there is
/// none. With them packages are taken as they are, each tar is a layer of its own, and nothing is resolved or added.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil build -o oci:image:latest\n  \
    distil build app/distil.toml --variant debug -o oci-archive:app.tar:debug\n  \
    distil build --deb dist/*.deb --tar files.tar -o docker-archive:app.tar:app:latest")]
pub(crate) struct Build {
    /// The recipe; distil.toml where none is given
    #[arg(value_name = "RECIPE", conflicts_with_all = ["debs", "tars"])]
    recipe: Option<PathBuf>,
    /// Where to write the image; may be repeated
    #[arg(short, long = "output", value_name = "REF", required = true, value_parser = super::reference)]
    outputs: Vec<Reference>,
    /// Build for this platform, as in linux/arm64; may be repeated
    #[arg(long = "platform", value_name = "OS/ARCH")]
    platforms: Vec<Platform>,
    /// Build this variant of the recipe
    #[arg(long, value_name = "NAME", conflicts_with_all = ["debs", "tars"])]
    variant: Option<String>,
    /// Packages to take as they are
    #[arg(long = "deb", value_name = "FILE", num_args = 1..)]
    debs: Vec<PathBuf>,
    /// Tars to add as they are, each as a layer
    #[arg(long = "tar", value_name = "FILE", num_args = 1..)]
    tars: Vec<PathBuf>,
    /// Want a lock that fits the recipe, and the image that it records, if it does
    #[arg(long, conflicts_with_all = ["debs", "tars"])]
    locked: bool,
    /// Write digests of the image into the lock
    #[arg(long, conflicts_with_all = ["debs", "tars"])]
    record: bool,
    /// Take packages from this directory, which distil lock --vendor wrote, and from nowhere else
    #[arg(long, value_name = "DIR", conflicts_with_all = ["debs", "tars"])]
    vendor: Option<PathBuf>,
    /// Refuse to write under a tag that another image has in a layout or registry
    #[arg(long)]
    immutable: bool,
    /// How many threads to use; as many as there are cores where nothing is said
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    repositories: Repositories,
}

/// Options of a build that signs.
#[derive(Debug, Args)]
struct Signing {
    /// Sign the image and what is attached to it with this private key: a file that `distil key` or cosign wrote, or the URI of
    /// a key in a token
    #[arg(long = "sign-key", value_name = "KEY")]
    key: Option<PathBuf>,
    /// In which form: as cosign 2 has it, as a bundle of cosign 3, or both
    #[arg(long = "sign-format", value_name = "FORM", default_value = "both")]
    format: FormName,
    /// The repository that is signed for, in place of the one that is written to
    #[arg(long = "sign-reference", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
}

impl Build {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let (global, environment, printer) = (&context.global, context.environment, &context.printer);
        let signer = match &self.signing.key {
            Some(key) => Some(open_key(key, &self.signing.password.source(environment))?),
            None => None,
        };
        let signing = signer.as_ref().map(|signer| BuildSigning {
            signer: signer.as_ref(),
            formats: self.signing.format.into(),
            name: self.signing.name.as_deref(),
        });
        let signals = Signals::install().map_err(Failure::Signals)?;
        let (what, written) = if self.debs.is_empty() && self.tars.is_empty() {
            let written = Written::read(self.recipe)?;
            let recipe = Box::new(written.recipe()?);
            let (required, record, vendor) = (self.locked, self.record, self.vendor);
            let lock = Some(LockUse { path: written.lock_path(), required, record, vendor });
            (What::Recipe { recipe, variant: self.variant, dir: written.directory(), lock }, Some(written))
        } else {
            (What::Packages { debs: self.debs, tars: self.tars }, None)
        };
        let cancelled = signals.cancel();
        let request = BuildRequest {
            what,
            platforms: self.platforms,
            host: Environment::host()?,
            outputs: self.outputs,
            immutable: self.immutable,
            epoch: environment.epoch()?,
            jobs: environment.jobs(self.jobs),
            cache_dir: environment.cache_dir(global.cache_dir.as_deref())?,
            machine: self.repositories.machine(global, environment)?,
            signing,
            cancelled: &cancelled,
        };
        let progress = progress::of(global, environment, printer);
        let built = distil_pipeline::build(&request, progress.as_ref());
        drop(progress);
        let built = match (built, signals.status(), written) {
            (Err(BuildError::Cancelled), Some(status), _) => return Ok(status),
            (Err(BuildError::Input(InputError::Recipe(error))), _, Some(written)) => {
                return Err(written.mistaken(error));
            }
            (built, _, written) => {
                let built = built?;
                if let Some(written) = written.filter(|_| built.new_lock) {
                    let lock = written.lock_path();
                    printer.note(&format!("{} was written: commit it with the recipe", Escaped::path(&lock)));
                }
                built
            }
        };
        for warning in &built.lock_warnings {
            printer.warning(warning);
        }
        for (platform, warning) in &built.warnings {
            printer.warning(format!("{platform}: {warning}"));
        }
        super::print_written(&built.images, &WrittenDocument::new(&built.images), context)
    }
}
