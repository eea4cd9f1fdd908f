//! osv-scanner's JSON.

use jiff::civil::Date;
use serde::Deserialize;

use super::{DEB, Report, ReportError, ReportKind, ReportSystem, Reported, json, rated};
use crate::canonical::cve_of;
use crate::finding::Status;
use crate::severity::{Rater, Rating};

#[derive(Deserialize)]
struct Document {
    results: Option<Vec<Target>>,
}

#[derive(Deserialize)]
struct Target {
    source: Option<Source>,
    packages: Option<Vec<Package>>,
}

#[derive(Deserialize)]
struct Source {
    path: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    package: Looked,
    vulnerabilities: Option<Vec<Record>>,
}

/// A package that was looked at.
#[derive(Deserialize)]
struct Looked {
    /// Of Debian's packages the source package, with the version of the binary one.
    name: Option<String>,
    version: Option<String>,
    ecosystem: Option<String>,
    /// The binary package, since 2.0.
    os_package_name: Option<String>,
}

/// A package that a record is about.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    ecosystem: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    id: Option<String>,
    aliases: Option<Vec<String>>,
    related: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    published: Option<String>,
    withdrawn: Option<String>,
    summary: Option<String>,
    severity: Option<Vec<Severity>>,
    affected: Option<Vec<Affected>>,
}

#[derive(Deserialize)]
struct Severity {
    score: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Named>,
    ranges: Option<Vec<Ranges>>,
    ecosystem_specific: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Ranges {
    events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
struct Event {
    fixed: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    let document: Document = serde_json::from_slice(bytes).map_err(json(ReportKind::OsvScanner))?;
    let mut report = Report::new(ReportKind::OsvScanner);
    report.tool = Some("osv-scanner".to_owned());
    let mut unnamed = 0_usize;
    for target in document.results.into_iter().flatten() {
        report.target = report.target.take().or(target.source.and_then(|source| source.path));
        for Package { package, vulnerabilities } in target.packages.into_iter().flatten() {
            let (family, version) = ecosystem(package.ecosystem.as_deref());
            if family.as_deref() == Some(DEB) && report.system.is_none() {
                report.system = Some(ReportSystem { family: "debian".to_owned(), version: version.to_owned() });
            }
            for record in vulnerabilities.into_iter().flatten().filter(|record| record.withdrawn.is_none()) {
                match finding(&record, &package, family.as_deref()) {
                    Some(reported) => report.findings.push(reported),
                    None => unnamed += 1,
                }
            }
        }
    }
    if unnamed > 0 {
        report.notes.push(format!("{unnamed} entries without a vulnerability or a package are not taken from it"));
    }
    Ok(report)
}

/// The kind of packages of an ecosystem, and its release: `deb` and `12` of `Debian:12`. Those of others who name Debian in
/// theirs, as `Root:Debian:12`, are other packages.
fn ecosystem(name: Option<&str>) -> (Option<String>, &str) {
    let Some(name) = name else { return (None, "") };
    let (family, version) = name.split_once(':').unwrap_or((name, ""));
    let kind = match family {
        "Debian" => DEB.to_owned(),
        other => other.to_ascii_lowercase(),
    };
    (Some(kind), version)
}

fn finding(record: &Record, package: &Looked, kind: Option<&str>) -> Option<Reported> {
    let id = record.id.as_deref().map(str::trim).filter(|id| !id.is_empty())?;
    let name = package.name.as_deref().filter(|name| !name.is_empty())?;
    let mut reported = Reported::new(ReportKind::OsvScanner, id, name, package.version.as_deref().unwrap_or_default());
    reported.kind = kind.map(str::to_owned);
    if kind == Some(DEB) {
        reported.names_source = true;
        let version = reported.finding.source_version.clone();
        let binary = package.os_package_name.clone().filter(|name| !name.is_empty());
        reported.finding.packages = binary.map(|binary| (binary, version)).into_iter().collect();
    }
    let is_about = |affected: &&Affected| {
        let about = affected.package.as_ref();
        about.is_some_and(|about| about.name == package.name && about.ecosystem == package.ecosystem)
    };
    let affected: Vec<&Affected> = record.affected.iter().flatten().filter(is_about).collect();
    let ranges = affected.iter().flat_map(|affected| affected.ranges.iter().flatten());
    let events = ranges.flat_map(|range| range.events.iter().flatten());
    let fixed: Vec<&str> = events.filter_map(|event| event.fixed.as_deref()).collect();
    reported = reported.fixed_in(&fixed).titled(record.summary.as_deref());
    let finding = &mut reported.finding;
    finding.status = if finding.fixed.is_some() { Status::Fixed } else { Status::Affected };
    // Of an advisory, what is related is what it repairs (records of 2023 have it so); of a CVE it is another CVE.
    let related = if cve_of(id).is_some() { &None } else { &record.related };
    finding.aliases.extend(record.aliases.iter().chain(&record.upstream).chain(related).flatten().cloned());
    finding.aliases.remove(id);
    finding.published = record.published.as_deref().and_then(|time| time.get(..10)?.parse::<Date>().ok());
    finding.ratings = ratings(record, &affected, id);
    Some(reported)
}

fn ratings(record: &Record, affected: &[&Affected], id: &str) -> Vec<Rating> {
    // What OSV has for CVEs of Debian was copied from the NVD.
    let rater = if cve_of(id).is_some() { Rater::NvdCvss } else { Rater::CnaCvss };
    let vectors = record.severity.iter().flatten().filter_map(|severity| severity.score.as_deref());
    let mut ratings: Vec<Rating> = vectors.filter_map(|vector| Rating::from_vector(rater, vector)).collect();
    let urgency = |affected: &&Affected| {
        let specific = affected.ecosystem_specific.as_ref()?;
        rated::word(Rater::DebianUrgency, specific.get("urgency")?.as_str()?)
    };
    ratings.extend(affected.iter().filter_map(urgency));
    rated::tidy(ratings)
}
