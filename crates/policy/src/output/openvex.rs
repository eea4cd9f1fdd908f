//! For other scanners: what is known of an image's vulnerabilities, and what was decided about them.

use std::collections::BTreeMap;

use distil_vulns::Finding;
use distil_vulns::vex::{self, Statement, Subject, VexStatus};
use jiff::Timestamp;

use super::shown;
use crate::Suppressed;

/// An image of one platform.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// What was found in it.
    pub findings: &'a [Finding],
    /// What it is known by.
    pub subject: &'a Subject,
}

/// What makes two statements one about several products.
type Words = (Vec<String>, VexStatus, Option<String>, Option<String>, Option<String>);

/// A document of `OpenVEX` about an image, as one line: a statement for each finding, which says what the advisories say, and
/// no more. What a policy lets pass is told as well: an exception does not make an image unaffected, so that it is what to do
/// about the vulnerability, with its reason; a VEX statement that was believed is repeated with its justification.
#[must_use]
pub fn openvex(images: &[Described<'_>], decisions: &[Suppressed], author: &str, now: Timestamp) -> String {
    let decisions: BTreeMap<(&str, &str), &Suppressed> = decisions
        .iter()
        .filter_map(|decision| {
            let note = decision.violation.vulnerability.as_ref()?;
            Some(((note.id.as_str(), note.source.as_str()), decision))
        })
        .collect();
    let mut statements: BTreeMap<Words, Statement> = BTreeMap::new();
    for image in images {
        for (finding, mut statement) in image.findings.iter().zip(vex::statements(image.findings, image.subject)) {
            if let Some(decision) = decisions.get(&(finding.id.as_str(), finding.source.as_str())) {
                decide(&mut statement, finding, decision);
            }
            let words = (
                statement.ids.iter().cloned().collect(),
                statement.status,
                statement.justification.clone(),
                statement.impact.clone(),
                statement.action.clone(),
            );
            match statements.get_mut(&words) {
                Some(known) => known.products.extend(statement.products),
                None => drop(statements.insert(words, statement)),
            }
        }
    }
    let statements: Vec<Statement> = statements.into_values().collect();
    String::from_utf8_lossy(&vex::openvex::write(author, now, &statements)).into_owned()
}

fn decide(statement: &mut Statement, finding: &Finding, decision: &Suppressed) {
    if decision.by.starts_with("VEX ") {
        let believed = finding.vex.iter().find_map(|note| Some((note, VexStatus::of(&note.status)?)));
        if let Some((note, status)) = believed {
            statement.status = status;
            statement.justification.clone_from(&note.justification);
            statement.impact.clone_from(&note.impact);
            statement.action = None;
        }
    } else if statement.status == VexStatus::Affected && decision.by.contains("(line ") {
        let until = decision.expires.map(|day| format!(" until {day}")).unwrap_or_default();
        statement.action = Some(format!("Let pass{until} by {}: {}", shown(&decision.by), shown(&decision.reason)));
    }
}
