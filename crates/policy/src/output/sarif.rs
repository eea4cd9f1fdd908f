//! For code scanning: SARIF 2.1.0 within what GitHub takes.
//!
//! See the [specification](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html) and GitHub's
//! [limits](https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
//! Severity is a property of a rule there, so that each vulnerability in a source package is a rule of its own.

mod alert;
mod log;

use std::collections::BTreeMap;

use distil_vulns::{Finding, Severity};

use super::{line, outcome, shown};
use crate::{Outcome, Verdict};
use alert::Alert;
use log::{
    AutomationDetails, Driver, Invocation, Log, Message, Notification, ReportingDescriptor, Run, SarifResult, Tool,
};

/// Results of a run. GitHub takes five times as many, and shows no more.
const MAX_RESULTS: usize = 5_000;
/// Characters of a text, of which GitHub shows 1,024.
const MAX_TEXT: usize = 1000;
/// The form, as documents name it.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The verdict as a log of one run, as one line. `image` is the image's name without tag and digest: two builds of one image
/// give the same fingerprints, so that what is still there stays the same alert. Where there are more than 5,000 results,
/// the worst are in it, and a notification says so.
#[must_use]
pub fn sarif(verdict: &Verdict, image: &str) -> String {
    let mut alerts: BTreeMap<_, Alert> = BTreeMap::new();
    let counted = verdict.violations.iter().map(|violation| Alert::of_violation(violation, image));
    let suppressed = verdict.suppressed.iter().map(|suppressed| Alert::of_suppressed(suppressed, image));
    for alert in counted.chain(suppressed) {
        alerts.entry(alert.key()).and_modify(|other| other.join(&alert)).or_insert(alert);
    }
    let notifications = verdict.undecided.iter().map(|reason| Notification::new("error", &shown(reason))).collect();
    let properties = BTreeMap::from([
        ("digest", shown(&verdict.digest)),
        ("policy-sha256", shown(&verdict.policy_sha256)),
        ("verdict", outcome(verdict.verdict).to_owned()),
    ]);
    log(alerts.into_values().collect(), image, notifications, verdict.verdict != Outcome::Undecided, properties)
}

/// Findings that no policy has judged, with the severity that counts for each, in the same way.
#[must_use]
pub fn sarif_findings<'a>(findings: impl IntoIterator<Item = (&'a Finding, &'a Severity)>, image: &str) -> String {
    let mut alerts: BTreeMap<_, Alert> = BTreeMap::new();
    for (finding, severity) in findings {
        let alert = Alert::of_finding(finding, severity, image);
        alerts.entry(alert.key()).and_modify(|other| other.join(&alert)).or_insert(alert);
    }
    log(alerts.into_values().collect(), image, Vec::new(), true, BTreeMap::new())
}

fn log(
    mut alerts: Vec<Alert>,
    image: &str,
    mut notifications: Vec<Notification>,
    is_successful: bool,
    properties: BTreeMap<&'static str, String>,
) -> String {
    alerts.sort_by(Alert::worst_first);
    if alerts.len() > MAX_RESULTS {
        let left_out = alerts.len() - MAX_RESULTS;
        notifications.push(Notification::new(
            "warning",
            &format!("{left_out} of {} results are left out: these are the worst {MAX_RESULTS}.", alerts.len()),
        ));
        alerts.truncate(MAX_RESULTS);
    }
    let mut rules: BTreeMap<String, ReportingDescriptor> = BTreeMap::new();
    for alert in &alerts {
        let rule = alert.rule();
        rules.entry(rule.id.clone()).and_modify(|other| other.raise(&rule)).or_insert(rule);
    }
    let index: BTreeMap<&str, usize> = rules.keys().map(String::as_str).zip(0..).collect();
    let results: Vec<SarifResult> =
        alerts.iter().map(|alert| alert.result(index.get(alert.rule_id()).copied().unwrap_or_default())).collect();
    let automation = format!("distil/{}/", shown(image).replace(['/', ' '], "_"));
    line(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "distil",
                    version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.into_values().collect(),
                },
            },
            automation_details: AutomationDetails { id: automation },
            invocations: [Invocation {
                execution_successful: is_successful,
                tool_execution_notifications: notifications,
            }],
            column_kind: "unicodeCodePoints",
            results,
            properties,
        }],
    })
}

/// Text as a message of SARIF has it, in which brackets are links: as much of it as fits.
fn message(text: &str) -> Message {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let escape = if matches!(c, '\\' | '[' | ']') { "\\" } else { "" };
        length += escape.len() + 1;
        if length >= MAX_TEXT {
            out.push('…');
            break;
        }
        out.push_str(escape);
        out.push(c);
    }
    Message { text: out }
}
