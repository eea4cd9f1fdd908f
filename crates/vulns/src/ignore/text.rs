//! `.trivyignore`: a vulnerability a line.

use super::{IgnoreError, List, Terms, day};

/// Lines of an identifier and, behind it, `exp:2023-01-01`. A comment starts with `#`, and one in the line of an entry, or in
/// the lines right above it, is the reason.
pub(super) fn read(text: &str, list: &mut List<'_>) -> Result<(), IgnoreError> {
    let mut above: Vec<&str> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let (entry, comment) = match text.split_once('#') {
            Some((entry, comment)) => (entry, Some(comment.trim())),
            None => (text, None),
        };
        let mut words = entry.split_whitespace();
        let Some(id) = words.next() else {
            match comment {
                Some(comment) => above.push(comment),
                None => above.clear(),
            }
            continue;
        };
        let mut terms =
            Terms { reason: comment.map_or_else(|| above.join(" "), str::to_owned).into(), ..Terms::default() };
        above.clear();
        let mut unknown = None;
        for word in words {
            match word.strip_prefix("exp:") {
                Some(date) => terms.expires = Some(day(date, line)?),
                None => unknown = unknown.or(Some(word)),
            }
        }
        match unknown {
            None => list.add(line, id, terms)?,
            Some(_) => list.leave_out(line, "something other than exp: follows the vulnerability")?,
        }
    }
    Ok(())
}
