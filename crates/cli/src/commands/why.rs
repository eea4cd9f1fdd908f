//! `distil why`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use distil_pipeline::{Escaped, LinkDocument, PackageName, Platform, Presence, WhyAnswer, WhyRequest};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::Format;
use crate::repositories::Repositories;
use crate::signals::Signals;
use crate::status::Status;
use crate::written::Written;

/// Say which chain of dependencies brings a package in
///
/// Exits with 1 where the package is not in the image, and says who mentions it.
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "Examples:\n  \
    distil why zlib1g\n  \
    distil why app/distil.toml zlib1g --variant debug"
)]
pub(crate) struct Why {
    /// The recipe; distil.toml where none is given
    #[arg(value_name = "RECIPE")]
    recipe: Option<PathBuf>,
    /// The package
    #[arg(value_name = "PACKAGE", required = true)]
    package: PackageName,
    /// Look at this platform; where none is given at the first of the recipe
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Look at this variant of the recipe
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// How many threads to use; as many as there are cores where nothing is said
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    repositories: Repositories,
}

impl Why {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let (global, environment, printer) = (&context.global, context.environment, &context.printer);
        let signals = Signals::install().map_err(Failure::Signals)?;
        let written = Written::read(self.recipe)?;
        let recipe = written.recipe()?;
        let cancelled = signals.cancel();
        let request = WhyRequest {
            recipe: &recipe,
            variant: self.variant.as_deref(),
            dir: &written.directory(),
            lock: &written.lock_path(),
            package: &self.package,
            platform: self.platform,
            host: Environment::host()?,
            jobs: environment.jobs(self.jobs),
            cache_dir: environment.cache_dir(global.cache_dir.as_deref())?,
            machine: self.repositories.machine(global, environment)?,
            cancelled: &cancelled,
        };
        let answer = super::choosing(context, &signals, &written, |progress| distil_pipeline::why(&request, progress))?;
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) => return Ok(status),
        };
        if printer.format() == Format::Json {
            printer.document(&answer)?;
        } else {
            printer.result(&told(&answer, printer.is_verbose()))?;
        }
        Ok(if answer.is_there() { Status::Yes } else { Status::No })
    }
}

/// The answer in lines: the chain, each link of it needing the next, and whoever else needs the package.
fn told(answer: &WhyAnswer, everything: bool) -> String {
    let package = &answer.package;
    let first = answer.chain.first().map_or(package, |link| &link.package);
    let mut lines = match answer.presence {
        Presence::Requested => vec![format!("{first} is asked for")],
        Presence::Local => vec![format!("{first} is a local package of the recipe")],
        Presence::Base => vec![format!("{first} is in the base")],
        Presence::Excluded if answer.dependents.is_empty() => {
            vec![format!("{package} is excluded; nothing would need it")]
        }
        Presence::Excluded => vec![format!("{package} is excluded; it would be needed by")],
        Presence::Absent => vec![format!("{package} is not in the image for {}", answer.platform)],
    };
    lines.extend(answer.chain.iter().map(line));
    if let (Some(version), false) = (&answer.version, answer.chain.is_empty()) {
        lines.push(format!("  {package} {version}"));
    }
    if !answer.providers.is_empty() {
        lines.push(format!("its name is provided by {}", answer.providers.join(", ")));
    }
    let rest: Vec<&LinkDocument> = answer.dependents.iter().filter(|link| !answer.chain.contains(link)).collect();
    match (answer.presence, everything) {
        (Presence::Excluded, _) => lines.extend(rest.iter().map(|link| line(link))),
        (Presence::Absent, _) if !rest.is_empty() => {
            lines.push("it is mentioned by".to_owned());
            lines.extend(rest.iter().map(|link| line(link)));
        }
        (_, true) if !rest.is_empty() => {
            lines.push("it is needed by".to_owned());
            lines.extend(rest.iter().map(|link| line(link)));
        }
        (_, false) if !rest.is_empty() && answer.is_there() => {
            lines.push(format!("{} more need it; -v names them", rest.len()));
        }
        _ => {}
    }
    lines.join("\n") + "\n"
}

fn line(link: &LinkDocument) -> String {
    format!("  {} {} {}: {}", link.package, link.version, link.field, Escaped(link.relation.as_bytes()))
}
