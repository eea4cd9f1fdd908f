//! `distil db`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use distil_pipeline::Timestamp;
use distil_pipeline::advisories::{
    DatabaseDocument, DatabaseError, ImportRequest, Imported, SourceFacts, Suites, SuitesRequest, fetch_suites, import,
};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::Format;
use crate::progress;
use crate::repositories::Repositories;
use crate::signals::Signals;
use crate::status::Status;
use crate::table::{Align, Table};
use crate::written::Written;

/// Fill the advisory database from files, or show what it holds
///
/// `scan` and `check` look vulnerabilities up there. No feed is fetched: files come from the Debian security tracker, OSV,
/// KEV, EPSS and NVD by whatever way the machine has, and what a file is shows in its content. Suites are asked over the
/// network, as a lock asks them, and only by --suites.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil db import tracker.json all.zip known_exploited_vulnerabilities.json\n  \
    distil db import --suites distil.toml\n  \
    distil db import /usr/share/debian-security-support\n  \
    distil db status")]
pub(crate) struct Db {
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    Import(Import),
    Status(ShowStatus),
}

/// Read advisory feeds into the database
///
/// Takes the tracker's JSON, OSV records (all.zip, lines of JSON, a record in a file), the tracker's DSA and DLA lists, KEV,
/// EPSS, NVD 2.0, debian.csv of distro-info-data and the lists of debian-security-support, each also packed with gzip, and
/// directories of these. A feed replaces what was there of its kind; other kinds stay. Where anything is wrong the database
/// stays as it was. With --suites it is also asked which packages the suites of a recipe have, so that it is known which
/// repairs are to be had, and which packages have newer versions; that replaces what was known of suites.
#[derive(Debug, Args)]
struct Import {
    /// A feed, or a directory of feeds
    #[arg(value_name = "FILE", required_unless_present = "suites")]
    files: Vec<PathBuf>,
    /// Ask the suites that this recipe names, for its platforms; what they sign is verified as for a lock
    #[arg(long, value_name = "RECIPE")]
    suites: Option<PathBuf>,
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    database: InDatabase,
}

/// Show which feeds the database was made from, how old they are, and which releases they know
#[derive(Debug, Args)]
struct ShowStatus {
    #[command(flatten)]
    database: InDatabase,
}

/// The option of commands that use the database.
#[derive(Debug, Args)]
pub(crate) struct InDatabase {
    /// The database; the default is advisories.redb in distil's directory of state
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
}

impl InDatabase {
    /// The file.
    pub(crate) fn path(&self, context: &Context<'_>) -> Result<PathBuf, Failure> {
        context.environment.advisories(self.database.as_deref())
    }
}

impl Db {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        match self.command {
            DbCommand::Import(command) => command.run(context),
            DbCommand::Status(command) => show(&command.database.path(context)?, context),
        }
    }
}

impl Import {
    fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let database = self.database.path(context)?;
        let now = i64::try_from(context.environment.now).ok().and_then(|now| Timestamp::from_second(now).ok());
        let signals = Signals::install().map_err(Failure::Signals)?;
        let cancelled = signals.cancel();
        let suites = match self.suites {
            None => None,
            Some(recipe) => match ask(recipe, self.repositories, &signals, context)? {
                Ok(suites) => Some(suites),
                Err(status) => return Ok(status),
            },
        };
        let progress = progress::of(&context.global, context.environment, &context.printer);
        let request = ImportRequest {
            files: &self.files,
            suites: suites.as_ref(),
            database: &database,
            now: now.unwrap_or(Timestamp::MAX),
            cancelled: &cancelled,
        };
        let imported = import(&request, progress.as_ref());
        drop(progress);
        let imported = match (imported, signals.status()) {
            (Err(DatabaseError::Cancelled), Some(status)) => return Ok(status),
            (imported, _) => imported?,
        };
        tell(&imported, context);
        show(&database, context)
    }
}

/// Asks the suites of a recipe what they have. A signal that ended the work is a status, no failure.
fn ask(
    recipe: PathBuf,
    repositories: Repositories,
    signals: &Signals,
    context: &Context<'_>,
) -> Result<Result<Suites, Status>, Failure> {
    let (global, environment) = (&context.global, context.environment);
    let written = Written::read(Some(recipe))?;
    let recipe = written.recipe()?;
    let cancelled = signals.cancel();
    let request = SuitesRequest {
        recipe: &recipe,
        dir: &written.directory(),
        host: Environment::host()?,
        jobs: environment.jobs(None),
        cache_dir: environment.cache_dir(global.cache_dir.as_deref())?,
        machine: repositories.machine(global, environment)?,
        cancelled: &cancelled,
    };
    super::choosing(context, signals, &written, |progress| fetch_suites(&request, progress))
}

/// What was passed over.
fn tell(imported: &Imported, context: &Context<'_>) {
    let printer = &context.printer;
    if imported.started_anew {
        printer.warning("the old database could not be read, and nothing of it was kept");
    }
    // That nothing has less support is an answer.
    let says_nothing = |source: &&SourceFacts| source.records == 0 && !source.kind.starts_with("support-");
    for source in imported.sources.iter().filter(says_nothing) {
        printer.warning(format!("{} ({}) says nothing about Debian", source.name, source.kind));
    }
    for file in &imported.files_passed_over {
        printer.warning(format!("{file} is no advisory feed, and was passed over"));
    }
    if printer.is_verbose() && imported.records_passed_over > 0 {
        printer.note(&format!("{} records are about other systems, or were withdrawn", imported.records_passed_over));
    }
}

fn show(path: &Path, context: &Context<'_>) -> Result<Status, Failure> {
    let document = DatabaseDocument::of(path)?;
    if context.printer.format() == Format::Json {
        context.printer.document(&document)?;
    } else {
        context.printer.result(&held(&document))?;
    }
    Ok(Status::Yes)
}

fn held(document: &DatabaseDocument) -> String {
    let day =
        |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d").to_string());
    let mut sources = Table::new(&[Align::Left, Align::Right, Align::Left, Align::Left]);
    for source in &document.sources {
        let records = format!("{} records", source.records);
        let fetched = source.fetched.map(|time| format!(", fetched on {}", time.strftime("%Y-%m-%d")));
        let name = format!("{}{}", source.name, fetched.unwrap_or_default());
        sources.row([source.kind.clone(), records, day(source.date), name]);
    }
    let mut releases = Table::new(&[Align::Left, Align::Left, Align::Right, Align::Left]);
    for release in &document.releases {
        let last = [("", release.regular), ("LTS ", release.lts), ("ELTS ", release.elts)];
        let support: Vec<String> =
            last.into_iter().filter_map(|(name, day)| Some(format!("{name}until {}", day?))).collect();
        let advisories = format!("{} advisories", release.advisories);
        let version = release.version.clone().unwrap_or_default();
        releases.row([release.codename.clone(), version, advisories, support.join(", ")]);
    }
    format!(
        "{}\n{}\n{}\nNewest data of {}, imported on {}; {} vulnerabilities with facts of their own.\n",
        document.database,
        sources.lines("  "),
        releases.lines("  "),
        day(document.newest),
        day(Some(document.imported)),
        document.cves
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_holds_is_shown_in_tables() {
        let document = serde_json::json!({
            "schema": "distil.db/v1", "database": "/home/user/.local/state/distil/advisories.redb",
            "imported": "2026-11-23T06:00:00Z", "newest": "2026-11-22T01:02:03Z", "cves": 40_123,
            "sources": [
                { "kind": "dsa", "name": "DSA.list", "sha256": "", "date": "2026-11-22T01:02:03Z", "records": 6000 },
                { "kind": "tracker", "name": "tracker.json", "sha256": "", "date": null, "records": 1 },
                { "kind": "suite", "name": "bookworm-security", "sha256": "", "date": "2026-11-22T01:02:03Z",
                  "fetched": "2026-11-23T06:00:00Z", "records": 9000 },
            ],
            "releases": [
                { "codename": "bookworm", "version": "12", "advisories": 33_000,
                  "regular": "2026-07-11", "lts": "2028-06-30", "elts": null },
                { "codename": "sid", "version": null, "advisories": 4, "regular": null, "lts": null, "elts": null },
            ],
        });
        let document: DatabaseDocument = serde_json::from_value(document).unwrap();
        insta::assert_snapshot!(held(&document));
    }
}
