//! For a page of a CI system, such as the summary of a job.

use super::{cut, due, outcome, severity, shown, totals, weight};
use crate::{Verdict, Violation};

/// Bytes of a page. GitHub takes 1 MiB for a step.
const MAX_BYTES: usize = 900 << 10;
/// Characters of a cell.
const CELL: usize = 300;

/// The verdict as Markdown of GitHub's kind, at most 1 MiB.
///
/// All text by others is within code spans, where no markup, link or mention is anything but text.
#[must_use]
pub fn markdown(verdict: &Verdict) -> String {
    let mut page = Page { text: String::new(), left_out: 0 };
    page.push(&format!("## distil check: {}\n\n", outcome(verdict.verdict)));
    page.push(&format!(
        "Image {} at {}, policy {}.\n",
        code(&verdict.reference),
        code(&verdict.digest),
        code(&verdict.policy)
    ));
    page.push(&format!("{}.\n", totals(verdict)));
    if let Some(day) = verdict.good_until {
        page.push(&format!("Good until {day}, if nothing new is found.\n"));
    }
    let vulnerabilities: Vec<_> = verdict.violations.iter().filter_map(vulnerability).collect();
    page.table(
        "Vulnerabilities",
        &["Package", "Installed", "Fixed", "Id", "Severity", "Status", "Due", "Weight", "Rule"],
        &vulnerabilities,
    );
    let others = verdict.violations.iter().filter(|violation| violation.vulnerability.is_none());
    let others: Vec<_> = others.map(rule).collect();
    page.table("Rules", &["Weight", "Rule", "Subject", "Evidence", "Fix"], &others);
    let suppressed = verdict.suppressed.iter().map(|suppressed| {
        let until = suppressed.expires.map(|day| day.to_string()).unwrap_or_default();
        vec![code(&suppressed.violation.subject), code(&suppressed.by), code(&suppressed.reason), until]
    });
    page.table("Suppressed", &["Subject", "By", "Reason", "Until"], &suppressed.collect::<Vec<_>>());
    let undecided: Vec<_> = verdict.undecided.iter().map(|reason| vec![code(reason)]).collect();
    page.table("Undecided", &["Reason"], &undecided);
    let manual: Vec<_> = verdict.manual.iter().map(|(rule, words)| vec![code(rule), code(words)]).collect();
    page.table("To be looked after by people", &["Rule", "What"], &manual);
    if page.left_out > 0 {
        let words = format!("\n{} rows are left out, since a page ends.\n", page.left_out);
        page.push(&words);
    }
    page.text
}

fn vulnerability(violation: &Violation) -> Option<Vec<String>> {
    let note = violation.vulnerability.as_ref()?;
    Some(vec![
        code(&note.source),
        code(&note.installed),
        code(note.fixed.as_deref().unwrap_or_default()),
        code(&note.id),
        severity(&note.severity),
        note.status.as_str().to_owned(),
        due(violation),
        weight(violation.weight).to_owned(),
        code(&violation.rule),
    ])
}

fn rule(violation: &Violation) -> Vec<String> {
    vec![
        weight(violation.weight).to_owned(),
        code(&violation.rule),
        code(&violation.subject),
        code(&violation.evidence),
        code(&violation.fix),
    ]
}

/// Text in a code span. A backtick would end it; a bar would end the cell, in a code span as well.
fn code(text: &str) -> String {
    let text = cut(&shown(text), CELL).replace('`', "'").replace('|', "\\|");
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn table(&mut self, title: &str, columns: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let heading = format!(
            "\n### {title} ({})\n\n| {} |\n|{}\n",
            rows.len(),
            columns.join(" | "),
            "---|".repeat(columns.len())
        );
        self.text.push_str(&heading);
        for row in rows {
            let line = format!("| {} |\n", row.join(" | "));
            if self.text.len() + line.len() > MAX_BYTES {
                self.left_out += 1;
            } else {
                self.text.push_str(&line);
            }
        }
    }
}
