//! Moments: as Release files, locks and snapshots write them.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::Escaped;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A moment in UTC, in whole seconds since 1970. Written as `2026-07-11T10:16:37Z`.
///
/// ```
/// use distil_aptrepo::Timestamp;
/// let time = Timestamp::parse_release("Sat, 11 Jul 2026 10:16:37 UTC")?;
/// assert_eq!(time.to_string(), "2026-07-11T10:16:37Z");
/// assert_eq!("2026-07-11T10:16:37Z".parse::<Timestamp>()?, time);
/// # Ok::<(), distil_aptrepo::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The moment at which an archive of repositories was photographed, as such archives name it: `20260818T205150Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snapshot(Timestamp);

/// Text that is not a moment in the form that belongs there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a time like {example}", Escaped(.text.as_bytes()))]
pub struct TimestampError {
    /// The text, at most its first 64 characters.
    pub text: String,
    /// What one looks like.
    pub example: &'static str,
}

/// Days and months as RFC 1123 names them; the months in order.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Timestamp {
    /// So many seconds after the start of 1970, or before it.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the start of 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The form of `Date` and `Valid-Until`: `Sat, 11 Jul 2026 10:16:37 UTC`. The zone is UTC under one of the names
    /// that repositories use for it (`UTC`, `GMT`, `Z`, `+0000`); a zone with another offset is refused, since apt
    /// refuses it too. The day of the month may have one digit, which aptly writes. The weekday is not compared with the
    /// date: it adds nothing, apt does not look at it, and there are tools that get it wrong.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] for any other form, and for a day that does not exist.
    pub fn parse_release(text: &str) -> Result<Self, TimestampError> {
        let read = || {
            let words: Vec<&str> = text.split(' ').collect();
            let [weekday, day, month, year, time, "UTC" | "GMT" | "Z" | "+0000"] = words.as_slice() else {
                return None;
            };
            let day = if day.len() == 1 { digits(day, 1) } else { digits(day, 2) }?;
            let month = i8::try_from(MONTHS.iter().position(|name| name == month)? + 1).ok()?;
            let [hour, minute, second] = time.split(':').map(|n| digits(n, 2)).collect::<Option<Vec<_>>>()?[..] else {
                return None;
            };
            let date = moment(digits(year, 4)?, month, small(day)?, [small(hour)?, small(minute)?, small(second)?])?;
            DAYS.contains(&weekday.strip_suffix(',')?).then(|| in_utc(date))?
        };
        read().ok_or_else(|| TimestampError::new(text, "Sat, 11 Jul 2026 10:16:37 UTC"))
    }
}

impl fmt::Display for Timestamp {
    /// Outside of the years 0 to 9999 the seconds stand after an `@`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) if (0..=9999).contains(&time.to_zoned(TimeZone::UTC).year()) => write!(f, "{time}"),
            _ => write!(f, "@{}", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        compact(text, Some(['-', '-', ':', ':'])).ok_or_else(|| TimestampError::new(text, "2026-07-11T10:16:37Z"))
    }
}

impl Snapshot {
    /// The moment of the snapshot.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.0
    }
}

impl FromStr for Snapshot {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        compact(text, None).map(Self).ok_or_else(|| TimestampError::new(text, "20260818T205150Z"))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        text.chars().filter(|c| !matches!(c, '-' | ':')).try_for_each(|c| write!(f, "{c}"))
    }
}

impl TimestampError {
    fn new(text: &str, example: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), example }
    }
}

/// `YYYY MM DD T hh mm ss Z` with these separators between the numbers of the date and of the time.
fn compact(text: &str, separators: Option<[char; 4]>) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year_month, month_day, hour_minute, minute_second] =
        separators.map_or([None; 4], |separators| separators.map(Some));
    let (year, date) = number(date, 4, year_month)?;
    let (month, date) = number(date, 2, month_day)?;
    let (hour, time) = number(time, 2, hour_minute)?;
    let (minute, time) = number(time, 2, minute_second)?;
    let (day, second) = (digits(date, 2)?, digits(time, 2)?);
    in_utc(moment(year, small(month)?, small(day)?, [small(hour)?, small(minute)?, small(second)?])?)
}

/// A number of so many digits at the start, and what follows after the separator.
fn number(text: &str, length: usize, separator: Option<char>) -> Option<(i16, &str)> {
    let (start, rest) = text.split_at_checked(length)?;
    let rest = separator.map_or(Some(rest), |separator| rest.strip_prefix(separator))?;
    Some((digits(start, length)?, rest))
}

fn digits(text: &str, length: usize) -> Option<i16> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn small(number: i16) -> Option<i8> {
    i8::try_from(number).ok()
}

fn moment(year: i16, month: i8, day: i8, [hour, minute, second]: [i8; 3]) -> Option<DateTime> {
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

fn in_utc(date: DateTime) -> Option<Timestamp> {
    Some(Timestamp(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn release_dates_are_utc_alone() {
        let check =
            |text: &str, seconds| assert_eq!(Timestamp::parse_release(text).unwrap().seconds(), seconds, "{text}");
        check("Thu, 01 Jan 1970 00:00:00 UTC", 0);
        check("Sat, 11 Jul 2026 10:16:37 GMT", 1_783_764_997);
        check("Sat, 11 Jul 2026 10:16:37 +0000", 1_783_764_997);
        check("Wed, 1 Jul 2026 10:16:37 Z", 1_782_900_997);
        check("Sun, 11 Jul 2026 10:16:37 UTC", 1_783_764_997);
        check("Thu, 29 Feb 2024 23:59:59 UTC", 1_709_251_199);
        for bad in [
            "",
            "not a date at all",
            "Mon, 31 Jun 2026 10:16:37 UTC",
            "Day, 11 Jul 2026 10:16:37 UTC",
            "Sat 11 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16:37",
            "Sat, 11 Jul 2026 10:16:37 +0200",
            "Sat, 11 Jul 2026 10:16:37 CEST",
            "Sat,  11 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16 UTC",
            "Sat, 11 Jul 2026 10:16:37:00 UTC",
            "Sat, 11 Jul 26 10:16:37 UTC",
            "Thu, 29 Feb 2023 23:59:59 UTC",
            "Sat, 11 jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 24:00:00 UTC",
            "Sat, +1 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16:37 UTC x",
        ] {
            assert!(Timestamp::parse_release(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_forms_are_exact() {
        for bad in ["2026-07-11T10:16:37", "2026-07-11 10:16:37Z", "2026-7-11T10:16:37Z", "20260711T101637Z", "äöü"]
        {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
        for bad in ["2026-07-11T10:16:37Z", "20260711T101637", "20260732T101637Z", "20260711", "2026071ÄT101637Z"] {
            assert!(bad.parse::<Snapshot>().is_err(), "{bad}");
        }
        assert_eq!("20260818T205150Z".parse::<Snapshot>().unwrap().time().to_string(), "2026-08-18T20:51:50Z");
        assert_eq!(Timestamp::from_seconds(i64::MAX).to_string(), "@9223372036854775807");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0_i64..=253_402_300_799) {
            let time = Timestamp::from_seconds(seconds);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
            let snapshot = Snapshot(time);
            prop_assert_eq!(snapshot.to_string().parse::<Snapshot>().unwrap(), snapshot);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Timestamp::parse_release(&text);
            let _ = text.parse::<Snapshot>();
            if let Ok(time) = text.parse::<Timestamp>() {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
