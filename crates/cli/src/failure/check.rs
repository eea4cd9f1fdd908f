//! How to get on where an image was not judged, or not approved of.

use std::io::ErrorKind;

use distil_pipeline::Escaped;
use distil_pipeline::check::CheckError;
use distil_pipeline::policy::{Outcome, Verdict, Weight};
use distil_pipeline::signing::{KeyFileError, TrustError};

use super::{advice::MOST, advice::of_read, signing};

/// Whether the answer is no, or none.
pub(super) fn answer(verdict: &Verdict) -> (bool, bool) {
    (verdict.verdict != Outcome::Undecided, verdict.verdict == Outcome::Undecided)
}

/// What is against the image, or keeps it from being decided; of very many the first.
pub(super) fn details(verdict: &Verdict) -> Vec<String> {
    let errors = verdict.violations.iter().filter(|violation| violation.weight == Weight::Error);
    let lines = errors.map(|violation| {
        let text = format!("{} {}: {}", violation.rule, violation.subject, violation.evidence);
        Escaped(text.as_bytes()).to_string()
    });
    let mut lines: Vec<String> = lines.collect();
    if let Some(more) = lines.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}

pub(super) fn advice(error: &CheckError) -> Option<String> {
    match error {
        CheckError::Read(error) => of_read(error),
        CheckError::Authority { source, .. } if is_missing(source) => Some(
            "paths in a policy begin at its folder; put the public key of whoever signs there: \
             `distil key generate --output-key-prefix PREFIX` makes a pair"
                .to_owned(),
        ),
        CheckError::Authority { source, .. } => signing::trust_advice(source),
        CheckError::Ledger(_) => {
            Some("the ledger is as it was: repair it, or name another file with --ledger".to_owned())
        }
        CheckError::NoLedger { .. } => Some(
            "nothing was judged, since all times would begin anew. `distil attest REF --type ledger --predicate FILE` attaches \
             one; where there was no release before, leave --ledger-from away"
                .to_owned(),
        ),
        CheckError::NoDocuments { .. } => Some("patterns in a policy begin at its folder".to_owned()),
        CheckError::NoAuthority { .. } => Some("name one in [[signatures.authority]]".to_owned()),
        CheckError::Moved { .. } => Some("name it by its digest, or run it once more".to_owned()),
        CheckError::Schema { .. } => Some("it was written by another version of this program".to_owned()),
        _ => None,
    }
}

fn is_missing(error: &TrustError) -> bool {
    matches!(error, TrustError::Key(KeyFileError::Read { source, .. }) if source.kind() == ErrorKind::NotFound)
}
