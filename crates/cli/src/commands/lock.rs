//! `distil lock`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::{BaseChange, Change, Escaped, LockAction, LockDocument, LockRequest, PackageName};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::Format;
use crate::repositories::Repositories;
use crate::signals::Signals;
use crate::status::Status;
use crate::table::{Align, Table};
use crate::written::Written;

/// Choose the packages of a recipe, and write them down with the evidence for them
///
/// Resolves what the recipe asks for from signed repositories, fetches the packages, and writes distil.lock beside the
/// recipe. What changed is printed, package by package. Commit the lock together with the recipe.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil lock\n  \
    distil lock --update openssl libssl3\n  \
    distil lock --check\n  \
    distil lock --vendor vendor\n  \
    distil lock --check --vendor vendor")]
pub(crate) struct Lock {
    /// The recipe; distil.toml where none is given
    #[arg(value_name = "RECIPE")]
    recipe: Option<PathBuf>,
    /// Move only these packages, and what must move with them
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "check")]
    update: Vec<PackageName>,
    /// Write nothing; exit with 1 where the recipe or the repositories have moved on
    #[arg(long)]
    check: bool,
    /// Write what a build without network needs here: packages and signed indices; with --check, prove the lock by what
    /// lies here, from the signatures to each package, with no network
    #[arg(long, value_name = "DIR")]
    vendor: Option<PathBuf>,
    /// How many threads to use; as many as there are cores where nothing is said
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    repositories: Repositories,
}

impl Lock {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let (global, environment, printer) = (&context.global, context.environment, &context.printer);
        let signals = Signals::install().map_err(Failure::Signals)?;
        let written = Written::read(self.recipe)?;
        let recipe = written.recipe()?;
        let cancelled = signals.cancel();
        let action = match (self.check, self.update.is_empty()) {
            (true, _) => LockAction::Check,
            (false, true) => LockAction::Renew,
            (false, false) => LockAction::Update(self.update),
        };
        let request = LockRequest {
            recipe: &recipe,
            dir: &written.directory(),
            path: &written.lock_path(),
            action,
            vendor: self.vendor,
            host: Environment::host()?,
            epoch: environment.epoch()?,
            jobs: environment.jobs(self.jobs),
            cache_dir: environment.cache_dir(global.cache_dir.as_deref())?,
            machine: self.repositories.machine(global, environment)?,
            cancelled: &cancelled,
        };
        let locked =
            super::choosing(context, &signals, &written, |progress| distil_pipeline::lock(&request, progress))?;
        let locked = match locked {
            Ok(locked) => locked,
            Err(status) => return Ok(status),
        };
        for warning in &locked.warnings {
            printer.warning(warning);
        }
        let stale = matches!(request.action, LockAction::Check) && !locked.is_current();
        if printer.format() == Format::Json {
            printer.document(&LockDocument::new(&locked))?;
        } else {
            printer.result(&table(&locked.changes))?;
            if let Some(change) = &locked.base {
                printer.result(&base(change))?;
            }
            for difference in &locked.differences {
                printer.note(&format!("the recipe has changed: {difference}"));
            }
            if let Some(proof) = &locked.proof {
                proof.findings.iter().for_each(|finding| printer.error(finding));
                printer.result(&format!(
                    "{} packages are vouched for by a key, {} lie there with the bytes of the lock\n",
                    proof.proved, proof.present
                ))?;
            }
            let verb = if matches!(request.action, LockAction::Check) { "checked" } else { "locked" };
            let packages = if locked.packages == 1 { "package" } else { "packages" };
            printer.note(&format!(
                "{} {packages} {verb}, {} changed, in {}",
                locked.packages,
                locked.changes.len(),
                Escaped::path(request.path)
            ));
        }
        Ok(if stale { Status::No } else { Status::Yes })
    }
}

/// That the base is another image.
fn base(change: &BaseChange) -> String {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => format!("base image {from} -> {to}\n"),
        (None, Some(to)) => format!("base image {to}\n"),
        (_, None) => "no base image\n".to_owned(),
    }
}

/// What changed: `+` came, `-` went, and what has another version.
fn table(changes: &[Change]) -> String {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Left, Align::Left]);
    for change in changes {
        let (sign, versions) = match (&change.from, &change.to) {
            (None, Some(to)) => ("+", to.to_string()),
            (Some(from), None) => ("-", from.to_string()),
            (Some(from), Some(to)) => (" ", format!("{from} -> {to}")),
            (None, None) => continue,
        };
        table.row([sign.to_owned(), change.package.to_string(), change.architecture.to_string(), versions]);
    }
    table.lines("")
}
