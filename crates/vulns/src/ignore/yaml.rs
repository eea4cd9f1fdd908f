//! YAML within limits, and whose it is.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::{Error, Spanned};

use super::{IgnoreError, List, MAX_ENTRIES, grype, trivy};

#[derive(Deserialize)]
struct Marks {
    vulnerabilities: Option<IgnoredAny>,
    misconfigurations: Option<IgnoredAny>,
    secrets: Option<IgnoredAny>,
    licenses: Option<IgnoredAny>,
    ignore: Option<IgnoredAny>,
}

pub(super) fn read(text: &str, list: &mut List<'_>) -> Result<(), IgnoreError> {
    // Nothing but comments is a file without entries.
    if text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#'))) {
        return Ok(());
    }
    let marks: Marks = parse(text)?;
    if marks.ignore.is_some() {
        return grype::read(text, list);
    }
    let is_trivy = [marks.vulnerabilities, marks.misconfigurations, marks.secrets, marks.licenses];
    if is_trivy.iter().any(Option::is_some) { trivy::read(text, list) } else { Err(IgnoreError::Unknown) }
}

/// Parses one document. Aliases could make much of little, and no such file has them.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, IgnoreError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 40 * MAX_ENTRIES,
            max_aliases: 0,
            max_anchors: 0,
            max_depth: 16,
            max_documents: 1,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| problem(&e))
}

fn problem(e: &Error) -> IgnoreError {
    let place = e.location();
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    IgnoreError::Syntax {
        line: place.map_or(1, |place| number(place.line())),
        column: place.map_or(1, |place| number(place.column())),
        problem: e.to_string().chars().take(500).collect(),
    }
}

/// The line of a value.
pub(super) fn line<T>(value: &Spanned<T>) -> usize {
    usize::try_from(value.referenced.line()).unwrap_or(usize::MAX)
}
