//! Values as policies write them.

use distil_settings::{Section, Value};
use distil_vulns::Level;
use jiff::SignedDuration;

use super::glob::Glob;
use crate::problem::Problems;
use crate::verdict::Weight;

const AGE: &str = "a time as in 48h, 30d or 8w";
const AGE_OR_NONE: &str = "a time as in 48h, 30d or 8w, or none";
const DAYS: &str = "whole days or weeks, as in 30d or 8w";
const DAYS_OR_NONE: &str = "whole days or weeks, as in 30d or 8w, or none";
const BYTES: &str = "a size as in 200MiB or 1GB";
const TEXT: &str = "a text that is not empty, without control characters";
const NAMES: &str = "a pattern of names, in which *, ?, [ab] and {one,two} stand for others";
const PATHS: &str = "a pattern of paths, in which *, ?, [ab], {one,two} and ** stand for others";
const IDENTIFIER: &str = "an identifier as in CVE-2024-0001";

/// The words for severities; one has two.
pub(super) const LEVELS: &[&str] = &["critical", "high", "moderate", "medium", "low", "negligible"];
pub(super) const LEVEL_OF_WORDS: &[Level] =
    &[Level::Critical, Level::High, Level::Moderate, Level::Moderate, Level::Low, Level::Negligible];
const NONE: &str = "none";

/// A severity.
pub(super) fn level(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Level> {
    value.choice(LEVELS, LEVEL_OF_WORDS, problems)
}

/// How much something counts, or the word that says that it does not.
#[expect(clippy::option_option, reason = "what is no weight, and the weight that is none")]
pub(super) fn weight_or_off(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Option<Weight>> {
    let weights = [Some(Weight::Error), Some(Weight::Warning), Some(Weight::Note), None];
    value.choice(&["error", "warning", "note", "off"], &weights, problems)
}

/// A time from the first to the last hour.
pub(super) fn age(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<SignedDuration> {
    let text = value.string(problems)?;
    parse_age(text).or_else(|| value.malformed(text, AGE, problems))
}

/// The same, or the word that says that there is no limit.
#[expect(clippy::option_option, reason = "what is no time, and the time that is none")]
pub(super) fn age_or_none(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Option<SignedDuration>> {
    let text = value.string(problems)?;
    if text == NONE {
        return Some(None);
    }
    parse_age(text).map(Some).or_else(|| value.malformed(text, AGE_OR_NONE, problems))
}

/// Days that are added to a date.
pub(super) fn days(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<u32> {
    let text = value.string(problems)?;
    parse_days(text).or_else(|| value.malformed(text, DAYS, problems))
}

/// The same, or the word that says that there is no limit.
#[expect(clippy::option_option, reason = "what is no time, and the time that is none")]
pub(super) fn days_or_none(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Option<u32>> {
    let text = value.string(problems)?;
    if text == NONE {
        return Some(None);
    }
    parse_days(text).map(Some).or_else(|| value.malformed(text, DAYS_OR_NONE, problems))
}

/// Bytes.
pub(super) fn bytes(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<u64> {
    let text = value.string(problems)?;
    parse_bytes(text).or_else(|| value.malformed(text, BYTES, problems))
}

/// A text for people, or for comparing.
pub(crate) fn text(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    let text = value.string(problems)?;
    is_text(text).then(|| text.to_owned()).or_else(|| value.malformed(text, TEXT, problems))
}

/// Several of these.
pub(super) fn texts(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    value.elements(problems).map(|all| all.iter().filter_map(|value| text(value, problems)).collect())
}

fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// The identifier of a vulnerability.
pub(super) fn identifier(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    let text = value.string(problems)?;
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
        && text.len() <= 100;
    fits.then(|| text.to_owned()).or_else(|| value.malformed(text, IDENTIFIER, problems))
}

/// A pattern of names.
pub(super) fn names(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = value.string(problems)?;
    Glob::of_names(text).ok().or_else(|| value.malformed(text, NAMES, problems))
}

/// Patterns of names.
pub(super) fn names_list(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<Glob>> {
    value.elements(problems).map(|all| all.iter().filter_map(|value| names(value, problems)).collect())
}

/// A pattern of paths, which is what `value` is, or what leads to it.
pub(super) fn paths(text: &str, value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Glob> {
    Glob::of_paths(text).ok().or_else(|| value.malformed(text, PATHS, problems))
}

/// Patterns of paths.
pub(super) fn paths_list(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<Glob>> {
    value.list(problems, |value, text, problems| paths(text, value, problems))
}

/// What stands under a key, read, or else what is there where nothing is said.
pub(super) fn or<T>(
    section: &Section<'_, '_>,
    key: &str,
    default: T,
    problems: &mut Problems<'_>,
    read: impl FnOnce(&Value<'_, '_>, &mut Problems<'_>) -> Option<T>,
) -> T {
    section.value(key).and_then(|value| read(&value, problems)).unwrap_or(default)
}

/// `true` or `false` under a key.
pub(super) fn flag(section: &Section<'_, '_>, key: &str, default: bool, problems: &mut Problems<'_>) -> bool {
    section.value(key).and_then(|value| value.boolean(problems)).unwrap_or(default)
}

/// A number of at most so many digits without leading zeros, and the unit behind it.
fn number(text: &str, most: usize) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let fits = (1..=most).contains(&digits) && (number == "0" || !number.starts_with('0'));
    if fits { Some((number.parse().ok()?, unit)) } else { None }
}

/// An age, as in `48h`, `7d` or `2w`; none where it is none, or no time at all.
#[must_use]
pub fn parse_age(text: &str) -> Option<SignedDuration> {
    let (number, unit) = number(text, 5).filter(|(number, _)| *number > 0)?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return None,
    };
    Some(SignedDuration::from_hours(i64::try_from(number).ok()? * hours))
}

fn parse_days(text: &str) -> Option<u32> {
    let (number, unit) = number(text, 4)?;
    let days = match unit {
        "d" => 1,
        "w" => 7,
        _ => return None,
    };
    Some(u32::try_from(number).ok()? * days)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = number(text, 9).filter(|(number, _)| *number > 0)?;
    let bytes = match unit {
        "B" => 1,
        "kB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(parse_age("48h"), Some(SignedDuration::from_hours(48)));
        assert_eq!(parse_age("2w"), Some(SignedDuration::from_hours(14 * 24)));
        assert_eq!(parse_age("99999w"), Some(SignedDuration::from_hours(99999 * 7 * 24)));
        assert_eq!((parse_days("0d"), parse_days("9999w")), (Some(0), Some(69_993)));
        for text in ["", "48", "h", "0h", "048h", "1.5d", "-1d", "1 d", "100000h", "1D", "1dd", "+1d", "٣d"] {
            assert_eq!((parse_age(text), parse_days(text)), (None, None), "{text}");
        }
        assert_eq!(parse_days("48h"), None);
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(parse_bytes("200MiB"), Some(200 << 20));
        assert_eq!(parse_bytes("1GB"), Some(1_000_000_000));
        assert_eq!(parse_bytes("999999999GiB"), Some(999_999_999 << 30));
        for text in ["", "1", "0B", "1 MiB", "1mb", "1K", "1.5GiB", "1000000000B", "01B"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }
}
