//! `osv-scanner.toml`.

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{IgnoreError, List, Terms, day, literal};

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "IgnoredVulns", default)]
    ignored: Vec<Spanned<Ignored>>,
    #[serde(rename = "PackageOverrides", default)]
    overrides: Vec<Spanned<Override>>,
}

#[derive(Deserialize)]
struct Ignored {
    id: Option<String>,
    #[serde(rename = "ignoreUntil")]
    until: Option<Datetime>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Override {
    name: Option<String>,
}

pub(super) fn read(text: &str, list: &mut List<'_>) -> Result<(), IgnoreError> {
    let line_of = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
    let config: Config = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        IgnoreError::Syntax { line: line_of(at), column, problem: e.message().to_owned() }
    })?;
    // Lines are counted on, not from the start for each entry.
    let (mut at, mut line) = (0, 1);
    for entry in config.ignored {
        let start = entry.span().start;
        line += text.bytes().take(start).skip(at).filter(|b| *b == b'\n').count();
        at = at.max(start);
        let Ignored { id, until, reason } = entry.into_inner();
        let expires = until.map(|until| day(&until.to_string(), line)).transpose()?;
        list.add(line, id.as_deref().unwrap_or_default(), Terms { expires, reason, ..Terms::default() })?;
    }
    for entry in config.overrides.iter().take(super::MAX_ENTRIES) {
        let name = entry.get_ref().name.as_deref().map(literal);
        let about = name.map_or_else(|| "any package".to_owned(), |name| format!("the package {name}"));
        list.leave_out(line_of(entry.span().start), &format!("it is about all vulnerabilities of {about}"))?;
    }
    Ok(())
}
