//! The moment for which an image is judged.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// No moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither a date as 2027-01-31 nor a time as 2027-01-31T12:00:00Z")]
pub struct MomentError;

/// Reads a moment: a date, of which it is the start in UTC, or a time as RFC 3339 has it.
///
/// # Errors
/// [`MomentError`]
pub fn moment(text: &str) -> Result<Timestamp, MomentError> {
    // The parser of dates takes one with a time, too, and would leave that out.
    let is_date = text.len() == "2027-01-31".len();
    if !is_date {
        return text.parse().map_err(|_| MomentError);
    }
    let date: Date = text.parse().map_err(|_| MomentError)?;
    date.to_zoned(TimeZone::UTC).map(|start| start.timestamp()).map_err(|_| MomentError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_a_time() {
        assert_eq!(moment("2027-01-31").unwrap(), moment("2027-01-31T00:00:00Z").unwrap());
        assert_eq!(moment("2027-01-31T01:00:00+01:00").unwrap(), moment("2027-01-31").unwrap());
        for text in ["", "2027-02-30", "today", "2027-01-31T12:00:00", "12345", "2027-1-1"] {
            assert_eq!(moment(text), Err(MomentError), "{text}");
        }
    }
}
