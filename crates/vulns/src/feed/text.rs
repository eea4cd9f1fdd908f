//! Words of feeds, within limits.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::FeedError;

/// Names, versions and identifiers have some tens of characters.
const MAX_WORD: usize = 256;

/// Of a title no more characters are kept: it is to stand in a line.
const MAX_TITLE: usize = 200;

/// Whether it can be a name, version or identifier.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

/// A word, or an error that names the record.
pub(super) fn word(text: String, what: &'static str, record: impl FnOnce() -> String) -> Result<String, FeedError> {
    if is_word(&text) {
        return Ok(text);
    }
    let record = record().chars().take(MAX_WORD).collect();
    Err(FeedError::Record { record, what, expected: "a word of at most 256 bytes" })
}

/// The first line of a text, cut where it is long.
pub(super) fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut title: String = line.chars().take(MAX_TITLE).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    Some(title)
}

/// A time as feeds write it: RFC 3339, or the same in UTC without saying so.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// The day of such a time.
pub(super) fn day(text: &str) -> Option<Date> {
    Some(time(text)?.to_zoned(TimeZone::UTC).date())
}

/// The start of a day.
pub(super) fn start_of(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
