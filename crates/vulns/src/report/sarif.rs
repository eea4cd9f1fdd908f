//! SARIF 2.1.0. It has no place for packages and versions: Trivy, Grype and osv-scanner write them into texts, and most of what
//! their own JSON has is lost.

mod sentence;

use std::collections::BTreeMap;
use std::str::FromStr;

use distil_sbom::purl::Purl;
use serde::Deserialize;
use serde_json::Value;

use super::{DEB, Report, ReportError, ReportKind, Reported, json, rated, shown};
use crate::canonical::cve_of;
use crate::finding::Status;
use crate::severity::{Level, Rater, Rating};
use sentence::Sentence;

#[derive(Deserialize)]
struct Document {
    runs: Option<Vec<Run>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Option<Tool>,
    results: Option<Vec<Result_>>,
    properties: Option<RunProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties {
    image_name: Option<String>,
    repo_digests: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Option<Driver>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: Option<String>,
    version: Option<String>,
    semantic_version: Option<String>,
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Option<String>,
    short_description: Option<Text>,
    help: Option<Text>,
    properties: Option<RuleProperties>,
}

#[derive(Deserialize)]
struct Text {
    text: Option<String>,
}

#[derive(Deserialize)]
struct RuleProperties {
    /// A text by GitHub's rules, and a number of some programs.
    #[serde(rename = "security-severity")]
    security_severity: Option<Value>,
    tags: Option<Vec<String>>,
    purls: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Result_ {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    level: Option<String>,
    message: Option<Text>,
    locations: Option<Vec<Location>>,
    suppressions: Option<Vec<Suppression>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<PhysicalLocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Option<ArtifactLocation>,
}

#[derive(Deserialize)]
struct ArtifactLocation {
    uri: Option<String>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    let document: Document = serde_json::from_slice(bytes).map_err(json(ReportKind::Sarif))?;
    let mut report = Report::new(ReportKind::Sarif);
    report.notes.push("it is SARIF, which has less detail than the scanner's own JSON".to_owned());
    for run in document.runs.into_iter().flatten() {
        read_run(run, &mut report);
    }
    Ok(report)
}

fn read_run(run: Run, report: &mut Report) {
    let driver = run.tool.and_then(|tool| tool.driver);
    let rules = driver.as_ref().and_then(|driver| driver.rules.as_deref()).unwrap_or_default();
    let by_id: BTreeMap<&str, &Rule> =
        rules.iter().rev().filter_map(|rule| Some((rule.id.as_deref()?, rule))).collect();
    let (mut suppressed, mut others, mut unnamed) = (0_usize, 0_usize, 0_usize);
    for result in run.results.into_iter().flatten() {
        let numbered = result.rule_index.and_then(|index| rules.get(usize::try_from(index).ok()?));
        let rule = result.rule_id.as_deref().and_then(|id| by_id.get(id).copied()).or(numbered);
        let lists = result.suppressions.iter().flatten();
        // One that was refused, or waits for somebody, suppresses nothing.
        if lists.into_iter().any(|s| !matches!(s.status.as_deref(), Some("rejected" | "underReview"))) {
            suppressed += 1;
            continue;
        }
        match finding(&result, rule) {
            Ok(reported) => report.findings.push(reported),
            Err(NotTaken::NoVulnerability) => others += 1,
            Err(NotTaken::NoPackage) => unnamed += 1,
        }
    }
    for (count, what) in [
        (suppressed, "results that it suppresses are not taken from it"),
        (others, "results that are no known vulnerabilities are not taken from it"),
        (unnamed, "vulnerabilities are not taken from it, since it does not say in which package"),
    ] {
        if count > 0 {
            let tool = driver.as_ref().and_then(|driver| driver.name.as_deref()).unwrap_or("a program");
            report.notes.push(format!("{}: {count} {what}", shown(tool)));
        }
    }
    if let Some(driver) = driver {
        report.version = report.version.take().or(driver.version).or(driver.semantic_version);
        report.tool = report.tool.take().or(driver.name);
    }
    if let Some(properties) = run.properties {
        report.add_digests(properties.repo_digests.iter().flatten());
        report.target = report.target.take().or(properties.image_name);
    }
}

enum NotTaken {
    NoVulnerability,
    NoPackage,
}

fn finding(result: &Result_, rule: Option<&Rule>) -> Result<Reported, NotTaken> {
    let text = result.message.as_ref().and_then(|message| message.text.as_deref());
    if let Some(sentence) = text.and_then(Sentence::read) {
        return Ok(of_sentence(&sentence, result, rule));
    }
    let message = lines(result.message.as_ref());
    let help = lines(rule.and_then(|rule| rule.help.as_ref()));
    // A rule may be about several packages, and then names one of them: the result itself is asked first.
    let said = |key: &str| message.get(key).or_else(|| help.get(key)).copied().filter(|text| !text.is_empty());
    let rule_id = result.rule_id.as_deref().or_else(|| rule?.id.as_deref()).unwrap_or_default();
    let id = said("Vulnerability").unwrap_or_else(|| vulnerability_of(rule_id));
    let tags = rule.and_then(|rule| rule.properties.as_ref()?.tags.as_deref()).unwrap_or_default();
    let is_vulnerability = cve_of(id).is_some()
        || FAMILIES.iter().any(|family| id.starts_with(family))
        || tags.iter().any(|tag| tag == "vulnerability");
    if !is_vulnerability {
        return Err(NotTaken::NoVulnerability);
    }
    let purls = rule.and_then(|rule| rule.properties.as_ref()?.purls.as_deref()).unwrap_or_default();
    let purl = purls.first().and_then(|purl| Purl::from_str(purl).ok());
    let package = said("Package").or_else(|| purl.as_ref().map(Purl::name)).ok_or(NotTaken::NoPackage)?;
    let installed = said("Installed Version").or_else(|| said("Version"));
    let installed = installed.or_else(|| purl.as_ref()?.version()).unwrap_or_default();
    let mut reported = Reported::new(ReportKind::Sarif, id, package, installed);
    reported.kind = said("Type").or_else(|| purl.as_ref().map(Purl::kind)).map(str::to_owned);
    let versions: Vec<&str> =
        said("Fixed Version").or_else(|| said("Fix Version")).into_iter().flat_map(|list| list.split(',')).collect();
    reported = reported.fixed_in(&versions);
    reported = reported.titled(rule.and_then(|rule| rule.short_description.as_ref()?.text.as_deref()));
    let finding = &mut reported.finding;
    finding.status = if finding.fixed.is_some() { Status::Fixed } else { Status::Affected };
    let is_debian = said("Data Namespace").is_some_and(|name| name.starts_with("debian:"));
    finding.ratings = ratings(result, rule, said("Severity"), is_debian || reported.kind.as_deref() == Some(DEB));
    Ok(reported)
}

/// What osv-scanner found. Of repairs its text has those for every release, and does not say for which each is.
fn of_sentence(sentence: &Sentence<'_>, result: &Result_, rule: Option<&Rule>) -> Reported {
    let mut reported = Reported::new(ReportKind::Sarif, sentence.id, sentence.package, sentence.version);
    let files = result
        .locations
        .iter()
        .flatten()
        .filter_map(|location| location.physical_location.as_ref()?.artifact_location.as_ref()?.uri.as_deref());
    if files.into_iter().any(|file| file.contains("var/lib/dpkg/")) {
        reported.kind = Some(DEB.to_owned());
        reported.finding.packages.clear();
    }
    // It is the source package, with the version of the binary one.
    reported.names_source = true;
    let finding = &mut reported.finding;
    finding.aliases.extend(sentence.others.iter().map(|id| (*id).to_owned()));
    // The level is the same for all, and says nothing.
    finding.ratings = rated::score(Rater::Vendor, security_severity(rule), None).into_iter().collect();
    let title = rule.and_then(|rule| rule.short_description.as_ref()?.text.as_deref());
    reported.titled(title.filter(|title| *title != sentence.id))
}

/// Families of identifiers of vulnerabilities that have no CVE.
const FAMILIES: [&str; 10] =
    ["GHSA-", "DSA-", "DLA-", "TEMP-", "GO-", "RUSTSEC-", "PYSEC-", "OSV-", "MAL-", "DEBIAN-CVE-"];

/// The vulnerability of a rule that is about one in one package, as in `CVE-2024-0001-libc6`.
fn vulnerability_of(rule: &str) -> &str {
    let Some(rest) = rule.strip_prefix("CVE-") else { return rule };
    let Some((year, rest)) = rest.split_once('-') else { return rule };
    let number = rest.split('-').next().unwrap_or(rest);
    rule.get(.."CVE-".len() + year.len() + 1 + number.len()).unwrap_or(rule)
}

/// The lines `key: value` of a text; of several with one key the first, since what follows is somebody's description.
fn lines(text: Option<&Text>) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for line in text.and_then(|text| text.text.as_deref()).unwrap_or_default().lines().take(MAX_LINES) {
        let pair = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")));
        let pair = pair.or_else(|| Some(("Vulnerability", line.strip_prefix("Vulnerability ")?)));
        if let Some((key, value)) = pair {
            found.entry(key.trim()).or_insert(value.trim());
        }
    }
    found
}

/// Lines of a text that scanners write before the description.
const MAX_LINES: usize = 16;

fn security_severity(rule: Option<&Rule>) -> Option<f64> {
    match rule?.properties.as_ref()?.security_severity.as_ref()? {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

fn ratings(result: &Result_, rule: Option<&Rule>, word: Option<&str>, is_debian: bool) -> Vec<Rating> {
    // Whose score it is nobody says: Grype takes the highest of all, Trivy makes one up where there is none.
    let score = rated::score(Rater::Vendor, security_severity(rule), None);
    let Some(word) = word else {
        let level = match result.level.as_deref() {
            Some("error") => Some(Level::High),
            Some("warning") => Some(Level::Moderate),
            Some("note") => Some(Level::Low),
            _ => None,
        };
        let of_level =
            level.map(|level| Rating { rater: Rater::Vendor, level: Some(level), score: None, vector: None });
        return score.or(of_level).into_iter().collect();
    };
    // The word is the scanner's verdict. A score that says otherwise is of somebody else, who rated it by CVSS.
    let score = score.map(|score| Rating { rater: Rater::CnaCvss, ..score });
    let scores: Vec<Rating> = score.into_iter().collect();
    let word = if is_debian { rated::debian_word(word, &scores) } else { rated::word(Rater::Vendor, word) };
    match word {
        Some(word) => {
            let made_up = scores.iter().all(|score| score.level == word.level);
            rated::tidy(if made_up { vec![word] } else { scores.into_iter().chain([word]).collect() })
        }
        None => scores,
    }
}
