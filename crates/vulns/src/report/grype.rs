//! Grype's JSON, from schema 0.7 to the present.

use std::str::FromStr;

use distil_sbom::purl::Purl;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{DEB, Report, ReportError, ReportKind, ReportSystem, Reported, json, rated};
use crate::advisory::{Epss, Kev};
use crate::finding::Status;
use crate::severity::{Rater, Rating};

#[derive(Deserialize)]
struct Document {
    matches: Option<Vec<Match>>,
    #[serde(rename = "ignoredMatches")]
    ignored: Option<Vec<serde::de::IgnoredAny>>,
    source: Option<Source>,
    distro: Option<Distro>,
    descriptor: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Source {
    /// An image's is an object, a folder's a name.
    target: Option<Value>,
}

#[derive(Deserialize)]
struct Distro {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Descriptor {
    name: Option<String>,
    version: Option<String>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Match {
    vulnerability: Vulnerability,
    #[serde(rename = "relatedVulnerabilities")]
    related: Option<Vec<Vulnerability>>,
    artifact: Artifact,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    id: Option<String>,
    namespace: Option<String>,
    severity: Option<String>,
    description: Option<String>,
    cvss: Option<Vec<Cvss>>,
    /// Before there was `cvss`.
    cvss_v2: Option<OldCvss>,
    cvss_v3: Option<OldCvss>,
    fix: Option<Fix>,
    epss: Option<Vec<Score>>,
    known_exploited: Option<Vec<Known>>,
    advisories: Option<Vec<Advisory>>,
}

#[derive(Deserialize)]
struct Cvss {
    source: Option<String>,
    vector: Option<String>,
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    base_score: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldCvss {
    base_score: Option<f64>,
    vector: Option<String>,
}

#[derive(Deserialize)]
struct Fix {
    versions: Option<Vec<String>>,
    state: Option<String>,
    available: Option<Vec<Available>>,
}

#[derive(Deserialize)]
struct Available {
    version: Option<String>,
    date: Option<String>,
}

#[derive(Deserialize)]
struct Score {
    epss: Option<f64>,
    percentile: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    date_added: Option<String>,
    due_date: Option<String>,
    #[serde(rename = "knownRansomwareCampaignUse")]
    ransomware: Option<String>,
}

#[derive(Deserialize)]
struct Advisory {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    name: Option<String>,
    version: Option<String>,
    r#type: Option<String>,
    purl: Option<String>,
    upstreams: Option<Vec<Upstream>>,
    metadata: Option<Upper>,
}

#[derive(Deserialize)]
struct Upstream {
    name: Option<String>,
    version: Option<String>,
}

/// What older versions have in place of `upstreams`. Other kinds of packages have anything there.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upper {
    source: Option<Value>,
    source_version: Option<Value>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    let document: Document = serde_json::from_slice(bytes).map_err(json(ReportKind::Grype))?;
    let mut report = Report::new(ReportKind::Grype);
    if let Some(descriptor) = document.descriptor {
        report.tool = descriptor.name;
        report.version = descriptor.version;
        report.created = descriptor.timestamp.and_then(|time| time.parse().ok());
    }
    report.system = document.distro.and_then(|distro| {
        let family = distro.name.filter(|name| !name.is_empty())?.to_ascii_lowercase();
        Some(ReportSystem { family, version: distro.version.unwrap_or_default() })
    });
    match document.source.and_then(|source| source.target) {
        Some(Value::String(folder)) => report.target = Some(folder),
        Some(target) => {
            report.target = target.get("userInput").and_then(Value::as_str).map(str::to_owned);
            let texts = |value: &Value| value.as_str().map(str::to_owned);
            let digests = ["manifestDigest", "imageID"].into_iter().filter_map(|key| target.get(key).and_then(texts));
            let digests: Vec<String> = digests.collect();
            let repo = target.get("repoDigests").and_then(Value::as_array).into_iter().flatten();
            let repo: Vec<String> = repo.filter_map(texts).collect();
            report.add_digests(digests.iter().chain(&repo));
        }
        None => {}
    }
    let mut unnamed = 0_usize;
    let mut undated = 0_usize;
    for found in document.matches.into_iter().flatten() {
        match finding(&found, &mut undated) {
            Some(reported) => report.findings.push(reported),
            None => unnamed += 1,
        }
    }
    let ignored = document.ignored.map_or(0, |list| list.len());
    for (count, what) in [
        (ignored, "matches that Grype was told to leave out are not taken from it"),
        (unnamed, "matches without a vulnerability or a package are not taken from it"),
        (undated, "matches are known to be exploited, without a date, which is not taken from it"),
    ] {
        if count > 0 {
            report.notes.push(format!("{count} {what}"));
        }
    }
    Ok(report)
}

fn finding(found: &Match, undated: &mut usize) -> Option<Reported> {
    let Match { vulnerability, related, artifact } = found;
    let id = vulnerability.id.as_deref().map(str::trim).filter(|id| !id.is_empty())?;
    let package = artifact.name.as_deref().filter(|name| !name.is_empty())?;
    let installed = artifact.version.as_deref().unwrap_or_default();
    let mut reported = Reported::new(ReportKind::Grype, id, package, installed);
    let purl = artifact.purl.as_deref().and_then(|purl| Purl::from_str(purl).ok());
    reported.kind = purl.as_ref().map(Purl::kind).or(artifact.r#type.as_deref()).map(str::to_owned);
    if let Some((source, version)) = source(artifact, purl.as_ref()) {
        reported.finding.source = source;
        reported.finding.source_version = version.unwrap_or_else(|| installed.to_owned());
        reported.names_source = true;
    }
    let is_debian = vulnerability.namespace.as_deref().is_some_and(|name| name.starts_with("debian:"));
    let all: Vec<&Vulnerability> = std::iter::once(vulnerability).chain(related.iter().flatten()).collect();
    if let Some(fix) = &vulnerability.fix {
        let versions: Vec<&str> = fix.versions.iter().flatten().map(String::as_str).collect();
        reported = reported.fixed_in(&versions);
        let fixed = reported.finding.fixed.as_deref();
        let available = fix.available.iter().flatten().filter(|a| a.version.as_deref() == fixed && fixed.is_some());
        reported.finding.fix_available = available.filter_map(|a| day(a.date.as_deref())).min();
    }
    reported = reported.titled(all.iter().find_map(|v| v.description.as_deref()));
    let finding = &mut reported.finding;
    let state = vulnerability.fix.as_ref().and_then(|fix| fix.state.as_deref());
    finding.status = match state {
        // Grype says so of all that Debian has no advisory for, whether it is too minor, postponed or never to be repaired.
        Some("wont-fix") if is_debian => Status::NoDsa,
        Some("wont-fix") => Status::WillNotFix,
        _ if finding.fixed.is_some() => Status::Fixed,
        _ => Status::Affected,
    };
    finding.aliases.extend(all.iter().skip(1).filter_map(|v| v.id.clone()).filter(|other| other != id));
    finding.aliases.extend(vulnerability.advisories.iter().flatten().filter_map(|a| a.id.clone()));
    finding.ratings = ratings(&all, vulnerability, is_debian);
    let scores = all.iter().flat_map(|v| v.epss.iter().flatten());
    finding.epss =
        scores.into_iter().find_map(|score| Some(Epss { score: score.epss?, percentile: score.percentile? }));
    let known: Vec<&Known> = all.iter().flat_map(|v| v.known_exploited.iter().flatten()).collect();
    finding.kev = known.iter().find_map(|known| {
        let due = day(known.due_date.as_deref());
        let ransomware = known.ransomware.as_deref().is_some_and(|w| w.eq_ignore_ascii_case("known"));
        Some(Kev { added: day(known.date_added.as_deref())?, due, ransomware })
    });
    *undated += usize::from(finding.kev.is_none() && !known.is_empty());
    Some(reported)
}

/// The source package of a Debian package, and its version where it is told. Of its upstreams the first is the source.
fn source(artifact: &Artifact, purl: Option<&Purl>) -> Option<(String, Option<String>)> {
    let kind = purl.map(Purl::kind).or(artifact.r#type.as_deref());
    if kind != Some(DEB) {
        return None;
    }
    let full = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let upstream = artifact.upstreams.iter().flatten().find_map(|up| Some((full(&up.name)?, full(&up.version))));
    let from_purl = || {
        let (name, version) = purl?.qualifier("upstream").map(|text| text.split_once('@').unwrap_or((text, "")))?;
        (!name.is_empty()).then(|| (name.to_owned(), (!version.is_empty()).then(|| version.to_owned())))
    };
    let older = || {
        let metadata = artifact.metadata.as_ref()?;
        let text = |value: &Option<Value>| value.as_ref()?.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        Some((text(&metadata.source)?, text(&metadata.source_version)))
    };
    upstream.or_else(from_purl).or_else(older)
}

fn ratings(all: &[&Vulnerability], own: &Vulnerability, is_debian: bool) -> Vec<Rating> {
    let mut ratings = Vec::new();
    for vulnerability in all {
        let is_nvd = vulnerability.namespace.as_deref().is_some_and(|name| name.starts_with("nvd"));
        for cvss in vulnerability.cvss.iter().flatten() {
            // Older versions do not name the source of a score: it is that of the record.
            let rater = match cvss.source.as_deref() {
                Some("nvd" | "nvd@nist.gov") => Rater::NvdCvss,
                None | Some("") if is_nvd => Rater::NvdCvss,
                _ => Rater::CnaCvss,
            };
            let number = cvss.metrics.as_ref().and_then(|metrics| metrics.base_score);
            ratings.extend(rated::score(rater, number, cvss.vector.as_deref()));
        }
        let rater = if is_nvd { Rater::NvdCvss } else { Rater::CnaCvss };
        for old in [&vulnerability.cvss_v2, &vulnerability.cvss_v3].into_iter().flatten() {
            ratings.extend(rated::score(rater, old.base_score, old.vector.as_deref()));
        }
    }
    let word = own.severity.as_deref().unwrap_or_default();
    ratings.extend(if is_debian { rated::debian_word(word, &ratings) } else { rated::word(Rater::Vendor, word) });
    rated::tidy(ratings)
}

/// The day of a date or a time; the year 1 stands for none.
fn day(text: Option<&str>) -> Option<Date> {
    let date: Date = text?.get(..10)?.parse().ok()?;
    (date.year() > 1).then_some(date)
}
