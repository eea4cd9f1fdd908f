//! `distil scan`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use distil_pipeline::advisories::{Database, DatabaseError};
use distil_pipeline::scan::{self, FixState, ScanDocument, ScanFinding, ScanRequest, SeverityOrder, SignedDuration};
use distil_pipeline::{Escaped, Platform, Reference};

use super::Context;
use super::db::InDatabase;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::{Format, Printer};
use crate::registries::Registries;
use crate::status::Status;
use crate::table::{Align, Table};

/// List the known vulnerabilities of an image
///
/// They are looked up in the advisories that 'distil db import' has read, and joined with the reports of scanners that are
/// given. Finding some is no failure: 'distil check' judges.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// Look at this platform alone; where none is given at all of the image
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    #[command(flatten)]
    database: InDatabase,
    /// A report of Trivy, Grype or osv-scanner in JSON, or of any scanner in SARIF; may be given several times
    #[arg(long = "report", value_name = "FILE")]
    reports: Vec<PathBuf>,
    /// A VEX document, OpenVEX or CSAF, by whose authors you stand; may be given several times
    #[arg(long = "vex", value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// The form of the result
    #[arg(long, short, value_enum, default_value_t = Form::Table, value_name = "F")]
    format: Form,
    /// How old the newest of the advisories may be, as in 48h, 7d or 2w
    #[arg(long, value_name = "AGE", default_value = "48h", value_parser = age)]
    max_data_age: SignedDuration,
    /// List also what was looked at and does not affect the image
    #[arg(long)]
    all: bool,
    /// Who says so, in a VEX document that is made
    #[arg(long, value_name = "NAME", default_value = "distil")]
    author: String,
    #[command(flatten)]
    registries: Registries,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// The document of --json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// OpenVEX 0.2.0: what the advisories say of each vulnerability, also of those that do not affect the image
    #[value(name = "openvex")]
    OpenVex,
    /// The predicate of cosign's type vuln, to be attested: the document of --json, with when the scan was made
    CosignVuln,
}

impl Scan {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let reports = self.reports.iter().map(|path| scan::read_report(path)).collect::<Result<Vec<_>, _>>()?;
        let vex = self.vex.iter().map(|path| scan::read_vex(path)).collect::<Result<Vec<_>, _>>()?;
        let database = open(&self.database, context, !reports.is_empty())?;
        let machine = self.registries.machine(&context.global, context.environment)?;
        // Without a directory for it, nothing is kept.
        let cache_dir = context.environment.cache_dir(context.global.cache_dir.as_deref()).ok();
        let request = ScanRequest {
            reference: &self.reference,
            platform: self.platform.as_ref(),
            database: database.as_ref(),
            reports: &reports,
            vex: &vex,
            vex_of: &BTreeMap::new(),
            max_data_age: self.max_data_age,
            all: self.all || self.format == Form::OpenVex,
            cache_dir: cache_dir.as_deref(),
            jobs: context.environment.jobs(None),
            machine: &machine,
        };
        let found = super::reading(context, |progress| scan::scan(&request, progress))?;
        let document = ScanDocument::new(&found, &SeverityOrder::default());
        let form = if printer.format() == Format::Json { Form::Json } else { self.format };
        match form {
            Form::Table => printer.result(&text(&document, printer))?,
            Form::Json => printer.document(&document)?,
            Form::Sarif => printer.result(&scan::sarif(&document, &name_of(&self.reference)))?,
            Form::CosignVuln => printer.result(&scan::cosign_vuln(&document, machine.now, Environment::clock()))?,
            Form::OpenVex => {
                printer.result(&String::from_utf8_lossy(&scan::openvex(&found, &self.author, &machine)))?;
            }
        }
        for note in &document.notes {
            printer.warning(note);
        }
        for platform in &document.platforms {
            let foreign: Vec<&str> = platform.without_advisories.keys().map(String::as_str).collect();
            if !foreign.is_empty() {
                let foreign = foreign.join(", ");
                printer.note(&format!("{}: nobody has advisories about {}.", platform.platform, clean(&foreign)));
            }
        }
        for reason in &found.undecided {
            printer.warning(format!("this may not be all: {reason}"));
        }
        Ok(if found.is_decided() { Status::Yes } else { Status::Undecided })
    }
}

/// The database that is given, or that of `db`, which need not be there where reports are.
fn open(given: &InDatabase, context: &Context<'_>, has_reports: bool) -> Result<Option<Database>, Failure> {
    match Database::open(&given.path(context)?) {
        Err(DatabaseError::Missing { .. }) if given.database.is_none() && has_reports => Ok(None),
        found => Ok(Some(found?)),
    }
}

fn age(text: &str) -> Result<SignedDuration, String> {
    scan::parse_age(text).ok_or_else(|| "an age is wanted, as in 48h, 7d or 2w".to_owned())
}

/// The image without its tag and digest, so that the results of two builds are about the same.
fn name_of(reference: &Reference) -> String {
    let text = reference.to_string();
    let text = text.split('@').next().unwrap_or_default();
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => text.to_owned(),
    }
}

fn text(document: &ScanDocument, printer: &Printer) -> String {
    let mut table = Table::new(&[Align::Left; 7]);
    let heads = ["PACKAGE", "SOURCE", "INSTALLED", "FIXED", "ID", "SEVERITY", "STATUS"];
    table.row(heads.map(str::to_owned));
    let mut rows: Vec<&ScanFinding> = document.findings.iter().collect();
    rows.sort_by_key(|found| (!found.counts(), std::cmp::Reverse(found.severity.level)));
    for found in &rows {
        let finding = &found.finding;
        let mut names = finding.packages.keys();
        let packages = match (names.next(), names.len()) {
            (None, _) => String::new(),
            (Some(name), 0) => name.clone(),
            (Some(name), more) => format!("{name} +{more}"),
        };
        let severity = match (found.severity.level, found.severity.from) {
            (Some(level), Some(from)) => format!("{level} ({})", from.as_str()),
            (Some(level), None) => level.to_string(),
            (None, _) => "unknown".to_owned(),
        };
        let excused = finding.vex.first().filter(|_| !found.counts());
        let status =
            excused.map_or_else(|| finding.status.as_str().to_owned(), |note| format!("{} (VEX)", note.status));
        let fixed = match (&finding.fixed, finding.fix_state) {
            (Some(version), FixState::Announced) => format!("{version} (not in its suites)"),
            (version, _) => version.clone().unwrap_or_default(),
        };
        table.row([
            clean(&packages),
            clean(&finding.source),
            clean(&finding.source_version),
            clean(&fixed),
            clean(&finding.id),
            severity,
            clean(&status),
        ]);
    }
    let shown = rows.iter().filter(|found| found.counts()).count();
    let mut out = if rows.is_empty() { String::new() } else { table.lines("") };
    let releases: BTreeSet<&str> = document.platforms.iter().filter_map(|p| p.release.as_deref()).collect();
    let releases = releases.into_iter().collect::<Vec<_>>().join(", ");
    let of = if releases.is_empty() { String::new() } else { format!(" ({releases})") };
    let gap = if out.is_empty() { "" } else { "\n" };
    let mut total = match shown {
        0 => format!("No known vulnerabilities{of}"),
        1 => format!("1 known vulnerability{of}"),
        _ => format!("{shown} known vulnerabilities{of}"),
    };
    if rows.len() > shown {
        let _ = write!(total, "; {} more do not affect it", rows.len() - shown);
    }
    if !document.undecided.is_empty() {
        total.push_str("; there may be more");
    }
    out.extend([gap, &printer.heading(&total), "\n"]);
    out
}

/// Text by others, of which a cell shows the start.
fn clean(text: &str) -> String {
    let text = Escaped(text.as_bytes()).to_string();
    match text.char_indices().nth(MAX_SHOWN).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}…"),
        None => text,
    }
}

const MAX_SHOWN: usize = 200;
