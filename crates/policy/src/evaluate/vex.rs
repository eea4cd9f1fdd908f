//! Which VEX statements are believed.

use distil_vulns::{Finding, VexNote};
use jiff::civil::Date;

use super::Question;
use super::clock::{after, days_between};
use super::exceptions::Excuse;
use super::judgement::{Judgement, violation};

/// What believed statements say that a vulnerability does not matter. Of a source package with several binary packages there
/// is a note for each, and all must say so. Statements that say so and are not believed are told, with the reason.
pub(super) fn excuse(
    question: Question<'_>,
    finding: &Finding,
    platform: &str,
    judgement: &mut Judgement,
) -> Option<Excuse> {
    let mut notes: Vec<&VexNote> = finding.vex.iter().collect();
    notes.sort();
    let mut believes_all = true;
    for note in &notes {
        if !suppresses(note) {
            believes_all = false;
        } else if let Some(objection) = objection(question, note) {
            believes_all = false;
            let subject = format!("{} in {}", finding.id, finding.source);
            judgement.on(platform, violation("DSTL-VUL-008", subject, format!("{}: {objection}", note.document)));
        }
    }
    // The one that is too old first decides how long the answer holds.
    let first = notes.iter().min_by_key(|note| note.date)?;
    believes_all.then(|| believed(question, first))
}

fn suppresses(note: &VexNote) -> bool {
    matches!(note.status.as_str(), "not-affected" | "not_affected" | "fixed")
}

fn believed(question: Question<'_>, note: &VexNote) -> Excuse {
    let says = [note.justification.as_deref(), note.impact.as_deref()].into_iter().flatten();
    let mut reason = note.status.clone();
    for text in says {
        reason.push_str(": ");
        reason.push_str(text);
    }
    Excuse {
        by: format!("VEX {}", note.document),
        reason,
        expires: last_day(question, note).and_then(|last| last.tomorrow().ok()),
        is_decision: true,
    }
}

/// The last day on which a statement is not too old.
fn last_day(question: Question<'_>, note: &VexNote) -> Option<Date> {
    let days = question.policy.vex.max_age?.as_hours() / 24;
    Some(after(note.date?, u32::try_from(days).unwrap_or(u32::MAX)))
}

/// Why a statement is not believed.
fn objection(question: Question<'_>, note: &VexNote) -> Option<String> {
    let rules = &question.policy.vex;
    if rules.require_signature && !note.is_verified {
        return Some("no signature of it was verified".to_owned());
    }
    if !rules.trusted_authors.is_empty() {
        let author = note.author.as_deref();
        if !author.is_some_and(|author| rules.trusted_authors.iter().any(|trusted| trusted == author)) {
            return Some(format!("its author is not trusted: {}", author.unwrap_or("nobody")));
        }
    }
    // Facts that were kept may be judged for an earlier day than that of which they are.
    if let Some(date) = note.date.filter(|date| *date > after(question.today, 1)) {
        return Some(format!("it is dated {date}, which is still to come"));
    }
    if rules.max_age.is_some() {
        match (note.date, last_day(question, note)) {
            (Some(date), Some(last)) if last < question.today => {
                let age = days_between(date, question.today);
                return Some(format!("it is {age} days old"));
            }
            (None, _) | (_, None) => return Some("it has no date".to_owned()),
            _ => {}
        }
    }
    if note.status == "fixed" {
        return None;
    }
    match &note.justification {
        Some(word) if rules.accept_justifications.contains(word) => None,
        Some(word) => Some(format!("the justification {word} is not enough")),
        None => Some("it has no justification".to_owned()),
    }
}
