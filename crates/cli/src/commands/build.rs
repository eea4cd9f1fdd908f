//! `distil build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::init::RECIPE_NAME;
use distil_pipeline::inputs::InputError;
use distil_pipeline::recipe::{Recipe, RecipeError};
use distil_pipeline::{BuildError, BuildRequest, Platform, Reference, What};

use super::Context;
use crate::environment::Environment;
use crate::failure::{Failure, Mistaken};
use crate::progress;
use crate::signals::Signals;
use crate::status::Status;

/// Build an image from a recipe, or from packages
///
/// Without --deb and --tar the image is what the recipe says. With them packages are taken as they are, each tar is a
/// layer of its own, and nothing is resolved or added.
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
    /// How many threads to use; as many as there are cores where nothing is said
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Build {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let (global, environment, printer) = (&context.global, context.environment, &context.printer);
        let signals = Signals::install().map_err(Failure::Signals)?;
        let (what, written) = if self.debs.is_empty() && self.tars.is_empty() {
            let path = self.recipe.unwrap_or_else(|| PathBuf::from(RECIPE_NAME));
            let written = Written { text: distil_pipeline::inputs::read_recipe(&path)?, path };
            let recipe = written.recipe(self.variant.as_deref())?;
            (What::Recipe { recipe: Box::new(recipe), dir: written.directory() }, Some(written))
        } else {
            (What::Packages { debs: self.debs, tars: self.tars }, None)
        };
        let cancelled = signals.cancel();
        let request = BuildRequest {
            what,
            platforms: self.platforms,
            host: Environment::host()?,
            outputs: self.outputs,
            epoch: environment.epoch()?,
            jobs: environment.jobs(self.jobs),
            cache_dir: environment.cache_dir(global.cache_dir.as_deref())?,
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
            (built, ..) => built?,
        };
        for (platform, warning) in &built.warnings {
            printer.warning(format!("{platform}: {warning}"));
        }
        super::print_written(&built.images, context)
    }
}

/// A recipe as it was written.
struct Written {
    path: PathBuf,
    text: String,
}

impl Written {
    fn recipe(&self, variant: Option<&str>) -> Result<Recipe, Failure> {
        let recipe = Recipe::parse(&self.text).map_err(|error| self.mistaken(error))?;
        Ok(match variant {
            Some(name) => recipe.with_variant(name)?,
            None => recipe,
        })
    }

    fn mistaken(&self, error: RecipeError) -> Failure {
        Failure::Recipe(Box::new(Mistaken { path: self.path.clone(), text: self.text.clone(), error }))
    }

    /// The directory to which the recipe's paths are relative.
    fn directory(&self) -> PathBuf {
        match self.path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}
