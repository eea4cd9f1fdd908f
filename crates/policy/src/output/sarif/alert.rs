//! One alert: what is wrong, where, and how bad.

use std::cmp::Ordering;

use distil_imgcore::Digest;
use distil_vulns::{Finding, Level, Severity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::log::{
    Configuration, Fingerprints, Location, ReportingDescriptor, RuleProperties, SarifResult, Suppression,
};
use super::{MAX_TEXT, message};
use crate::output::{cut, severity, shown, weight};
use crate::rules::rule;
use crate::{Suppressed, Violation, VulnerabilityNote, Weight};

/// Tags of a rule that GitHub keeps.
const MAX_TAGS: usize = 10;
/// Where a violation lies that is about no file: what an image says of itself is in its configuration.
const CONFIGURATION: &str = "config.json";
/// What stands for itself in the path of a file.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b'+');

/// Something wrong.
pub(super) struct Alert {
    rule: String,
    title: String,
    about: String,
    help: String,
    help_uri: Option<String>,
    tags: Vec<String>,
    weight: Weight,
    /// Tenths of what GitHub calls the security severity.
    score: Option<u8>,
    evidence: Vec<String>,
    path: String,
    fingerprint: String,
    suppression: Option<String>,
}

impl Alert {
    pub(super) fn of_violation(violation: &Violation, image: &str) -> Self {
        match &violation.vulnerability {
            Some(note) => {
                let mut alert = Self::of_vulnerability(&Vulnerability::of(note), image);
                alert.weight = violation.weight;
                alert.tags.push(shown(&violation.rule));
                alert.evidence = vec![evidence(violation)];
                alert
            }
            None => Self::of_rule(violation, image),
        }
    }

    pub(super) fn of_suppressed(suppressed: &Suppressed, image: &str) -> Self {
        let mut alert = Self::of_violation(&suppressed.violation, image);
        let until = suppressed.expires.map(|day| format!(" (until {day})")).unwrap_or_default();
        alert.suppression = Some(format!("{}: {}{until}", shown(&suppressed.by), shown(&suppressed.reason)));
        alert
    }

    pub(super) fn of_finding(finding: &Finding, severity: &Severity, image: &str) -> Self {
        let packages: Vec<String> = finding.packages.keys().cloned().collect();
        let note = Vulnerability {
            id: &finding.id,
            source: &finding.source,
            installed: &finding.source_version,
            fixed: finding.fixed.as_deref(),
            packages: &packages,
            severity,
            status: finding.status.as_str(),
            title: finding.title.as_deref(),
            release: finding.release.as_deref(),
        };
        Self::of_vulnerability(&note, image)
    }

    fn of_vulnerability(note: &Vulnerability<'_>, image: &str) -> Self {
        let (id, source) = (shown(note.id), shown(note.source));
        let title = note.title.map(shown).filter(|title| !title.is_empty());
        let rule = format!("{id}-{source}");
        let package = note.packages.first().map_or(note.source, String::as_str);
        let fixed = note.fixed.map_or_else(|| "none".to_owned(), shown);
        let release = note.release.unwrap_or_default();
        let help = format!(
            "Vulnerability: {id}\nSource package: {source}\nPackages: {}\nInstalled version: {}\nFixed version: {fixed}\n\
             Severity: {}\nStatus: {}",
            note.packages.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", "),
            shown(note.installed),
            severity(note.severity),
            note.status,
        );
        let is_plain = note.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        Self {
            title: format!("{id} in {source}"),
            about: title.unwrap_or_else(|| format!("{id} in {source}")),
            help,
            help_uri: is_plain.then(|| format!("https://security-tracker.debian.org/tracker/{id}")),
            tags: vec!["security".into(), "vulnerability".into()],
            weight: match note.severity.level {
                Some(Level::Critical | Level::High) => Weight::Error,
                Some(Level::Moderate) => Weight::Warning,
                _ => Weight::Note,
            },
            score: score(note.severity),
            evidence: vec![format!("{source} {} has {id} ({})", shown(note.installed), severity(note.severity))],
            path: format!("var/lib/dpkg/status.d/{package}"),
            fingerprint: fingerprint(&[&rule, image, release]),
            rule,
            suppression: None,
        }
    }

    fn of_rule(violation: &Violation, image: &str) -> Self {
        let known = rule(&violation.rule);
        let id = shown(&violation.rule);
        let mut tags = vec!["security".to_owned()];
        tags.extend(known.iter().flat_map(|rule| rule.references).map(|reference| (*reference).to_owned()));
        let path = violation.location.as_deref().map(|path| path.trim_start_matches('/'));
        let fix = shown(&violation.fix);
        let fix = if fix.is_empty() { known.map(|rule| rule.fix.to_owned()).unwrap_or_default() } else { fix };
        let help = known.map_or("", |rule| rule.help);
        Self {
            title: known.map_or_else(|| id.clone(), |rule| rule.title.to_owned()),
            about: if help.is_empty() { id.clone() } else { help.to_owned() },
            help: [help, fix.as_str()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n"),
            help_uri: None,
            tags,
            weight: violation.weight,
            score: None,
            evidence: vec![evidence(violation)],
            path: path.filter(|path| !path.is_empty()).unwrap_or(CONFIGURATION).to_owned(),
            fingerprint: fingerprint(&[&id, image, &violation.subject]),
            rule: id,
            suppression: None,
        }
    }

    /// What two alerts have in common that are one for a reader.
    pub(super) fn key(&self) -> (String, String) {
        (self.rule.clone(), self.fingerprint.clone())
    }

    /// Takes in another alert about the same. One that counts is not suppressed by another one.
    pub(super) fn join(&mut self, other: &Self) {
        self.weight = self.weight.min(other.weight);
        self.score = self.score.max(other.score);
        if other.suppression.is_none() {
            self.suppression = None;
        }
        for evidence in &other.evidence {
            if !self.evidence.contains(evidence) {
                self.evidence.push(evidence.clone());
            }
        }
        for tag in &other.tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
    }

    pub(super) fn worst_first(&self, other: &Self) -> Ordering {
        let place = |alert: &Self| (alert.suppression.is_some(), alert.weight, std::cmp::Reverse(alert.score));
        place(self).cmp(&place(other)).then_with(|| self.key().cmp(&other.key()))
    }

    pub(super) fn rule_id(&self) -> &str {
        &self.rule
    }

    pub(super) fn rule(&self) -> ReportingDescriptor {
        ReportingDescriptor {
            id: self.rule.clone(),
            name: self.rule.clone(),
            short_description: message(&self.title),
            full_description: message(&self.about),
            help: message(if self.help.is_empty() { &self.title } else { &self.help }),
            help_uri: self.help_uri.clone(),
            default_configuration: Configuration { level: weight(self.weight) },
            properties: RuleProperties {
                tags: self.tags.iter().take(MAX_TAGS).cloned().collect(),
                precision: "very-high",
                security_severity: self.score.map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)),
            },
        }
    }

    pub(super) fn result(&self, rule_index: usize) -> SarifResult {
        let suppressions = self.suppression.iter().map(|justification| Suppression {
            kind: "external",
            status: "accepted",
            justification: cut(justification, MAX_TEXT),
        });
        SarifResult {
            rule_id: self.rule.clone(),
            rule_index,
            level: weight(self.weight),
            message: message(&self.evidence.join("; ")),
            locations: [Location::of(utf8_percent_encode(&self.path, PATH).to_string())],
            partial_fingerprints: Fingerprints { primary_location_line_hash: format!("{}:1", self.fingerprint) },
            suppressions: suppressions.collect(),
        }
    }
}

/// What an alert is made of, whether or not a policy has judged it.
struct Vulnerability<'a> {
    id: &'a str,
    source: &'a str,
    installed: &'a str,
    fixed: Option<&'a str>,
    packages: &'a [String],
    severity: &'a Severity,
    status: &'a str,
    title: Option<&'a str>,
    release: Option<&'a str>,
}

impl<'a> Vulnerability<'a> {
    fn of(note: &'a VulnerabilityNote) -> Self {
        Self {
            id: &note.id,
            source: &note.source,
            installed: &note.installed,
            fixed: note.fixed.as_deref(),
            packages: &note.packages,
            severity: &note.severity,
            status: note.status.as_str(),
            title: note.title.as_deref(),
            release: note.release.as_deref(),
        }
    }
}

/// The CVSS score, or where there is none, a number within the band of the level. 0.0 would say that it is no matter of
/// security; what nobody rated has no number, and the level of the result alone.
fn score(severity: &Severity) -> Option<u8> {
    let by_level = severity.level.map(|level| match level {
        Level::Critical => 95,
        Level::High => 80,
        Level::Moderate => 55,
        Level::Low => 20,
        Level::Negligible => 1,
    });
    severity.score.map(distil_vulns::Score::tenths).filter(|tenths| *tenths > 0).or(by_level)
}

fn evidence(violation: &Violation) -> String {
    let text = format!("{}: {}", shown(&violation.rule), shown(&violation.evidence));
    match violation.deadline {
        Some(day) => format!("{text} (due {day})"),
        None => text,
    }
}

/// What is the same for one thing in all builds of an image. The parts are of any text, so that each is told with its length.
fn fingerprint(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Digest::of(parts.concat().as_bytes()).hex().chars().take(32).collect()
}
