//! Trivy's JSON: the present form, the bare list that came before it, and the form for clusters.

use std::collections::BTreeMap;
use std::str::FromStr;

use distil_debunpack::Version;
use distil_sbom::purl::Purl;
use serde::Deserialize;

use super::{DEB, Report, ReportError, ReportKind, ReportSystem, Reported, json, rated};
use crate::finding::Status;
use crate::severity::{Level, Rater, Rating};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    artifact_name: Option<String>,
    created_at: Option<String>,
    trivy: Option<Program>,
    metadata: Option<Metadata>,
    results: Option<Vec<Target>>,
    cluster_name: Option<String>,
    resources: Option<Vec<Resource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Program {
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(rename = "OS")]
    os: Option<Os>,
    #[serde(rename = "ImageID")]
    image_id: Option<String>,
    repo_digests: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Os {
    family: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    results: Option<Vec<Target>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    class: Option<String>,
    r#type: Option<String>,
    packages: Option<Vec<Package>>,
    vulnerabilities: Option<Vec<Vulnerability>>,
    misconfigurations: Option<Vec<serde::de::IgnoredAny>>,
    secrets: Option<Vec<serde::de::IgnoredAny>>,
    experimental_modified_findings: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package {
    name: Option<String>,
    version: Option<String>,
    release: Option<String>,
    epoch: Option<u64>,
    src_name: Option<String>,
    src_version: Option<String>,
    src_release: Option<String>,
    src_epoch: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: Option<String>,
    #[serde(rename = "VendorIDs")]
    vendor_ids: Option<Vec<String>>,
    pkg_name: Option<String>,
    pkg_identifier: Option<Identifier>,
    installed_version: Option<String>,
    fixed_version: Option<String>,
    status: Option<String>,
    severity_source: Option<String>,
    severity: Option<String>,
    vendor_severity: Option<BTreeMap<String, u64>>,
    #[serde(rename = "CVSS")]
    cvss: Option<BTreeMap<String, Cvss>>,
    published_date: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "PURL")]
    purl: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cvss {
    v2_vector: Option<String>,
    v2_score: Option<f64>,
    v3_vector: Option<String>,
    v3_score: Option<f64>,
    #[serde(rename = "V40Vector")]
    v4_vector: Option<String>,
    #[serde(rename = "V40Score")]
    v4_score: Option<f64>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    let mut report = Report::new(ReportKind::Trivy);
    report.tool = Some("trivy".to_owned());
    let start = bytes.iter().find(|b| !b.is_ascii_whitespace());
    let targets = if start == Some(&b'{') {
        let document: Document = serde_json::from_slice(bytes).map_err(json(ReportKind::Trivy))?;
        describe(document, &mut report)
    } else {
        report.notes.push("it is of an old version of Trivy, and has less detail".to_owned());
        let targets: Option<Vec<Target>> = serde_json::from_slice(bytes).map_err(json(ReportKind::Trivy))?;
        targets.unwrap_or_default()
    };
    let mut left = [("misconfigurations", 0), ("secrets", 0), ("findings that Trivy was told to leave out", 0)];
    let mut unnamed = 0_usize;
    for target in targets {
        let counts = [&target.misconfigurations, &target.secrets, &target.experimental_modified_findings];
        for ((_, left), list) in left.iter_mut().zip(counts) {
            *left += list.as_ref().map_or(0, Vec::len);
        }
        unnamed += findings(target, &mut report.findings);
    }
    for (what, count) in left.into_iter().filter(|(_, count)| *count > 0) {
        report.notes.push(format!("{count} {what} are not taken from it"));
    }
    if unnamed > 0 {
        report.notes.push(format!("{unnamed} entries without a vulnerability or a package are not taken from it"));
    }
    Ok(report)
}

fn describe(document: Document, report: &mut Report) -> Vec<Target> {
    report.version = document.trivy.and_then(|trivy| trivy.version);
    report.target = document.artifact_name.or(document.cluster_name);
    report.created = document.created_at.and_then(|time| time.parse().ok());
    if let Some(metadata) = document.metadata {
        report.add_digests(metadata.repo_digests.iter().flatten().chain(&metadata.image_id));
        report.system = metadata.os.and_then(|os| {
            Some(ReportSystem { family: os.family?.to_ascii_lowercase(), version: os.name.unwrap_or_default() })
        });
    }
    let mut targets = document.results.unwrap_or_default();
    targets.extend(document.resources.unwrap_or_default().into_iter().flat_map(|r| r.results.unwrap_or_default()));
    targets
}

/// Adds the findings of a target, and counts the entries that name nothing.
fn findings(target: Target, into: &mut Vec<Reported>) -> usize {
    let sources: BTreeMap<&str, (&str, String)> = target.packages.iter().flatten().filter_map(source).collect();
    let is_debian = target.r#type.as_deref() == Some("debian");
    let kind = match (target.class.as_deref(), target.r#type.as_deref()) {
        (_, Some("debian" | "ubuntu")) => Some(DEB),
        (Some("os-pkgs"), _) => None,
        (_, kind) => kind,
    };
    let mut unnamed = 0;
    for vulnerability in target.vulnerabilities.into_iter().flatten() {
        let id = vulnerability.id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let package = vulnerability.pkg_name.as_deref().filter(|name| !name.is_empty());
        let (Some(id), Some(package)) = (id, package) else {
            unnamed += 1;
            continue;
        };
        let installed = vulnerability.installed_version.as_deref().unwrap_or_default();
        let mut reported = Reported::new(ReportKind::Trivy, id, package, installed);
        let purl = vulnerability.pkg_identifier.as_ref().and_then(|identifier| identifier.purl.as_deref());
        let purl = purl.and_then(|purl| Purl::from_str(purl).ok());
        reported.kind = purl.as_ref().map(Purl::kind).or(kind).map(str::to_owned);
        if let Some((source, version)) = sources.get(package) {
            (*source).clone_into(&mut reported.finding.source);
            reported.finding.source_version.clone_from(version);
            reported.names_source = true;
        }
        let versions: Vec<&str> = vulnerability.fixed_version.iter().flat_map(|list| list.split(',')).collect();
        reported = reported.fixed_in(&versions).titled(vulnerability.title.as_deref());
        let finding = &mut reported.finding;
        finding.status = status(vulnerability.status.as_deref(), finding.fixed.is_some());
        finding.aliases.extend(vulnerability.vendor_ids.iter().flatten().cloned());
        finding.published = vulnerability.published_date.as_deref().and_then(|time| time.get(..10)?.parse().ok());
        finding.ratings = ratings(&vulnerability, is_debian);
        into.push(reported);
    }
    unnamed
}

/// The source package of a binary one, with its version in Debian's form.
fn source(package: &Package) -> Option<(&str, (&str, String))> {
    let name = package.name.as_deref()?;
    let source = package.src_name.as_deref().filter(|name| !name.is_empty())?;
    let (version, revision, epoch) = match &package.src_version {
        Some(version) => (version, &package.src_release, package.src_epoch),
        None => (package.version.as_ref()?, &package.release, package.epoch),
    };
    let epoch = epoch.filter(|epoch| *epoch > 0).map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let revision = revision.as_ref().filter(|text| !text.is_empty()).map(|text| format!("-{text}")).unwrap_or_default();
    let whole = format!("{epoch}{version}{revision}");
    // What is no version of Debian's is of another distribution, and stays as it is written.
    let whole = if Version::from_str(&whole).is_ok() { whole } else { version.clone() };
    Some((name, (source, whole)))
}

/// Trivy calls unknown what its database has no word for: it was found all the same.
fn status(word: Option<&str>, has_repair: bool) -> Status {
    match word {
        Some("fixed") => Status::Fixed,
        Some("not_affected") => Status::NotAffected,
        Some("under_investigation") => Status::UnderInvestigation,
        Some("will_not_fix") => Status::WillNotFix,
        Some("fix_deferred") => Status::FixDeferred,
        Some("end_of_life") => Status::EndOfLife,
        _ if has_repair => Status::Fixed,
        _ => Status::Affected,
    }
}

fn ratings(vulnerability: &Vulnerability, is_debian: bool) -> Vec<Rating> {
    let mut ratings = Vec::new();
    for (who, cvss) in vulnerability.cvss.iter().flatten() {
        let rater = if who == "nvd" { Rater::NvdCvss } else { Rater::CnaCvss };
        ratings.extend(rated::score(rater, cvss.v2_score, cvss.v2_vector.as_deref()));
        ratings.extend(rated::score(rater, cvss.v3_score, cvss.v3_vector.as_deref()));
        ratings.extend(rated::score(rater, cvss.v4_score, cvss.v4_vector.as_deref()));
    }
    for (who, severity) in vulnerability.vendor_severity.iter().flatten() {
        let level = match severity {
            1 => Level::Low,
            2 => Level::Moderate,
            3 => Level::High,
            4 => Level::Critical,
            _ => continue,
        };
        ratings.push(Rating { rater: rater(who, is_debian), level: Some(level), score: None, vector: None });
    }
    let who = vulnerability.severity_source.as_deref().unwrap_or_default();
    ratings.extend(vulnerability.severity.as_deref().and_then(|word| rated::word(rater(who, is_debian), word)));
    // A score says more than the word that was made from it.
    let has_score = |rater| ratings.iter().any(|rating: &Rating| rating.rater == rater && rating.score.is_some());
    let (nvd, cna) = (has_score(Rater::NvdCvss), has_score(Rater::CnaCvss));
    ratings.retain(|rating| match rating.rater {
        Rater::NvdCvss => rating.score.is_some() || !nvd,
        Rater::CnaCvss => rating.score.is_some() || !cna,
        _ => true,
    });
    rated::tidy(ratings)
}

/// Whose word it is by Trivy's name of the source. Other distributions rate their own packages, not Debian's.
fn rater(who: &str, is_debian: bool) -> Rater {
    match who {
        "debian" if is_debian => Rater::DebianUrgency,
        "nvd" => Rater::NvdCvss,
        "ghsa" => Rater::CnaCvss,
        _ => Rater::Vendor,
    }
}
