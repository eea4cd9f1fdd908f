//! A verdict as people and other programs want it.
//!
//! Much of a verdict is text by others: titles of vulnerabilities, names of files and packages. Every form has its own way of
//! keeping such text from being more than text.

mod junit;
mod markdown;
mod openvex;
mod sarif;
mod table;
mod vsa;

use distil_imgcore::{Escaped, Visible};
use distil_vulns::Severity;
use serde::Serialize;

use crate::{Outcome, Verdict, Violation, Weight};

pub use junit::junit;
pub use markdown::markdown;
pub use openvex::{Described, openvex};
pub use sarif::{sarif, sarif_findings};
pub use table::table;
pub use vsa::vsa;

/// The verdict as one line of JSON, its fields as they are.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    line(verdict)
}

/// The JSON Schema of [`json`].
#[must_use]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Verdict)
}

/// One line of JSON with nothing in it that steers a terminal.
fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Visible);
    value.serialize(&mut serializer).expect("a vector takes all, and all keys are text");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// Text by others, with nothing in it that is not text.
fn shown(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// As much of a text as may be shown, with a mark where something is missing.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest.saturating_sub(1)) {
        Some((end, c)) if end + c.len_utf8() < text.len() => format!("{}…", text.get(..end).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Undecided => "undecided",
    }
}

fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

/// How bad, and who says so.
fn severity(severity: &Severity) -> String {
    let level = severity.level.map_or("unknown", distil_vulns::Level::as_str);
    severity.from.map_or_else(|| level.to_owned(), |from| format!("{level} ({})", from.as_str()))
}

/// How many days are left, or since how many it is overdue.
fn due(violation: &Violation) -> String {
    violation.days_left.map(|days| format!("{days} d")).unwrap_or_default()
}

/// The verdict in a line: what counts, what is told, what is let pass.
fn totals(verdict: &Verdict) -> String {
    let count = |weight| verdict.violations.iter().filter(|violation| violation.weight == weight).count();
    format!(
        "{}: errors {}, warnings {}, notes {}, suppressed {}",
        outcome(verdict.verdict),
        count(Weight::Error),
        count(Weight::Warning),
        count(Weight::Note),
        verdict.suppressed.len()
    )
}

#[cfg(test)]
mod tests;
