//! `scan`: which known vulnerabilities an image has.
//!
//! The packages are those that the image's own records name, at the versions of their source packages, for the release that the
//! image says it is. What cannot be looked up is told, and never counts as free of vulnerabilities.

mod document;
mod matched;
mod platform;
mod report_file;
mod said;
mod suites;
mod vex_file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use distil_cache::Values;
use distil_imgcore::{Digest, Escaped, Image, Platform, Reference};
use distil_policy::facts::{PlatformFacts, SourceFacts};
use distil_vulns::release::Releases;
use distil_vulns::report::ReportError;
use distil_vulns::vex::{Subject, Unusable, VexDocument, VexError};
pub use jiff::SignedDuration;
use jiff::Timestamp;

use crate::advisories::{Database, DatabaseError};
use crate::contents::Contents;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};
use crate::records;
use report_file::{about, about_others};

pub use distil_policy::document::parse_age;
pub use distil_vulns::{FixState, Severity, SeverityOrder};
pub use document::{ScanDatabase, ScanDocument, ScanFinding, ScanPlatform};
pub(crate) use matched::findings;
pub use report_file::{ReportFile, read_report};
pub use said::{cosign_vuln, openvex, sarif};
pub use vex_file::read_vex;
pub(crate) use vex_file::{read_vex_bytes, vex_bytes};

/// What is to be looked through, and with what.
#[derive(Debug)]
pub struct ScanRequest<'a> {
    /// The image.
    pub reference: &'a Reference,
    /// The one platform that is looked at; all where none is given.
    pub platform: Option<&'a Platform>,
    /// The advisories; without them there are only the reports.
    pub database: Option<&'a Database>,
    /// Reports of scanners about the image.
    pub reports: &'a [ReportFile],
    /// VEX documents whose authors count.
    pub vex: &'a [VexDocument],
    /// Such documents that are about the image or manifest with this digest alone.
    pub vex_of: &'a BTreeMap<Digest, Vec<VexDocument>>,
    /// How old the newest of the advisories may be at the machine's time.
    pub max_data_age: SignedDuration,
    /// Whether what does not affect the image is found too.
    pub all: bool,
    /// Where it is kept what layers hold.
    pub cache_dir: Option<&'a Path>,
    /// How many threads work. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The machine and the network, for images in registries.
    pub machine: &'a Machine,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The digest that the reference stood for.
    pub digest: Digest,
    /// By platform.
    pub platforms: BTreeMap<String, ScannedPlatform>,
    /// The data that findings come from.
    pub sources: Vec<SourceFacts>,
    /// Why the findings may not be all, for every platform.
    pub undecided: BTreeSet<String>,
    /// What a reader should know of the reports and VEX documents.
    pub notes: BTreeSet<String>,
    /// Statements of VEX documents that are not used, with the reason.
    pub vex_unusable: BTreeSet<String>,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedPlatform {
    /// Its packages, system and release, and the findings; the rest is as its documents say.
    pub facts: PlatformFacts,
    /// What VEX documents may know it by.
    pub subject: Subject,
    /// Packages that no advisories are about, with their versions.
    pub foreign: BTreeMap<String, String>,
}

impl Scan {
    /// Whether the findings are all that the data knows.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.undecided.is_empty()
    }
}

/// Why an image cannot be scanned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The image cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The advisories cannot be read.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A file cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is no report.
    #[error("{} cannot be read as a report", Escaped::path(.path))]
    Report {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ReportError>,
    },
    /// A file is no VEX document, or one that is not used.
    #[error("{} cannot be read as a VEX document", Escaped::path(.path))]
    Vex {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<VexError>,
    },
}

impl ScanError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Read(error) => error.is_mistake(),
            Self::Database(error) => error.is_mistake(),
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Report { .. } | Self::Vex { .. } => false,
        }
    }

    /// Whether there is no data to decide by.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_undecided())
    }
}

/// Looks up the packages of an image, and joins what is found with reports about it.
///
/// # Errors
/// [`ScanError`] where the image or the advisories cannot be read. What is missing to tell everything is no error: see
/// [`Scan::undecided`].
pub fn scan(request: &ScanRequest<'_>, progress: &dyn Progress) -> Result<Scan, ScanError> {
    let read: Reading<'_> = &|image, cache| records::read(image, cache, request.jobs, progress);
    scan_by(request, time(request.machine), progress, read)
}

/// Gives the records of an image, as [`records::read`] does; the cache is there where it can be used.
pub(crate) type Reading<'a> = &'a dyn Fn(&Image, Option<&Values>) -> Result<Contents, ReadError>;

/// The same, by records that somebody else reads, and with the statements that have been made at this moment.
pub(crate) fn scan_by(
    request: &ScanRequest<'_>,
    now: Timestamp,
    progress: &dyn Progress,
    read: Reading<'_>,
) -> Result<Scan, ScanError> {
    let named = Named::open(request.reference, &Places::uncancelled(request.machine, progress))?;
    let named = match request.platform {
        Some(wanted) => named.only(Choice::Exactly(wanted))?,
        None => named,
    };
    // An index without images is refused by name.
    named.image(Choice::First)?;
    // Without a cache the layers are read again; that is slower, and nothing else.
    let cache = request.cache_dir.and_then(|dir| Values::open(dir).ok());
    let mut scan = Scan {
        digest: named.root.digest().clone(),
        platforms: BTreeMap::new(),
        sources: request.database.map(Database::sources).transpose()?.unwrap_or_default(),
        undecided: BTreeSet::new(),
        notes: request.vex.iter().flat_map(said_of).collect(),
        vex_unusable: BTreeSet::new(),
    };
    match request.database {
        Some(_) => scan.undecided.extend(stale(&scan.sources, time(request.machine), request.max_data_age)),
        None if request.reports.is_empty() => drop(scan.undecided.insert("there are no advisories".to_owned())),
        None => drop(scan.notes.insert("there are no advisories, and only reports tell".to_owned())),
    }
    scan.sources.extend(request.reports.iter().map(|report| report.source.clone()));
    // A check leaves it to the policy how old suites may be.
    let outdated = match request.max_data_age {
        SignedDuration::MAX => BTreeMap::new(),
        limit => suites::outdated(&scan.sources, time(request.machine), limit),
    };
    let releases = request.database.map_or_else(Releases::embedded, Database::releases);
    let images = named.platforms.iter().map(|(name, manifest)| Ok((name, Image::read(&named.store, manifest)?)));
    let images: Vec<(&Platform, Image)> =
        images.collect::<Result<_, distil_imgcore::Error>>().map_err(ReadError::from)?;
    let digests = |image: &Image| [image.digest(), image.manifest().config().digest()].map(ToString::to_string);
    let known: Vec<String> = images.iter().flat_map(|(_, image)| digests(image)).collect();
    for name in about_others(request.reports, &scan.digest, &known) {
        let name = Escaped(name.as_bytes()).to_string();
        scan.notes.insert(format!("{name}: it names another image by its digest"));
    }
    // Only names of registries mean the same everywhere.
    let reference = match request.reference {
        Reference::Registry(name) => Some(name.to_string()),
        _ => None,
    };
    for (name, image) in &images {
        let (mut platform, version) = platform::of(image, &read(image, cache.as_ref())?, &releases);
        platform.subject.digests.extend([scan.digest.to_string(), image.digest().to_string()]);
        platform.subject.references.extend(reference.clone());
        let reports = about(request.reports, &scan.digest, &digests(image), &known);
        let found = findings(&platform.facts, version.as_deref(), request.database, &reports, request.all)?;
        platform.facts.findings = found.findings;
        if let Some(database) = request.database {
            suites::add(&mut platform.facts, database)?;
            scan.notes.extend(suites::not_asked(&platform.facts, database));
        }
        if let Some(words) = platform.facts.release.as_deref().and_then(|release| outdated.get(release)) {
            suites::doubt(&mut platform.facts);
            scan.notes.extend(words.iter().cloned());
        }
        let mut vex = request.vex.to_vec();
        let about: BTreeSet<&Digest> = [&scan.digest, image.digest()].into();
        vex.extend(about.into_iter().filter_map(|digest| request.vex_of.get(digest)).flatten().cloned());
        let unusable = distil_vulns::vex::apply(&mut platform.facts.findings, &vex, &platform.subject, now);
        scan.vex_unusable.extend(unusable.iter().map(not_used));
        let is_only = images.len() == 1;
        let of_platform = |text: String| if is_only { text } else { format!("{name}: {text}") };
        scan.undecided.extend(found.undecided.into_iter().map(of_platform));
        scan.notes.extend(found.notes);
        scan.platforms.insert(name.to_string(), platform);
    }
    Ok(scan)
}

/// What a reader should know of a document.
fn said_of(document: &VexDocument) -> impl Iterator<Item = String> {
    let name = Escaped(document.id.as_bytes()).to_string();
    document.notes.iter().map(move |note| format!("{name}: {note}"))
}

fn not_used(statement: &Unusable) -> String {
    let Unusable { document, statement, reason, .. } = statement;
    let shown = |text: &str| Escaped(text.as_bytes()).to_string();
    format!("{}: statement {statement} is not used: {}", shown(document), shown(reason))
}

fn time(machine: &Machine) -> Timestamp {
    Timestamp::from_second(machine.now).unwrap_or_default()
}

/// Kinds of sources that say which packages are affected; the others only say how badly.
const ADVISORIES: [&str; 4] = ["tracker", "osv", "dsa", "dla"];

/// The newest time in the advisories.
fn newest(sources: &[SourceFacts]) -> Option<Timestamp> {
    sources.iter().filter(|source| ADVISORIES.contains(&source.kind.as_str())).filter_map(|source| source.date).max()
}

/// Why the advisories are too old to decide by.
fn stale(sources: &[SourceFacts], now: Timestamp, most: SignedDuration) -> Option<String> {
    let Some(newest) = newest(sources) else { return Some("nobody knows how old the advisories are".to_owned()) };
    let age = now.duration_since(newest);
    (age > most).then(|| {
        let hours = |duration: SignedDuration| duration.as_hours();
        format!(
            "the newest of the advisories is of {}, {} hours ago, where {} are the most",
            newest.strftime("%Y-%m-%d %H:%M UTC"),
            hours(age),
            hours(most)
        )
    })
}

#[cfg(test)]
mod tests;
