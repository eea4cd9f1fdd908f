//! Times as documents have them.

use jiff::Timestamp;

/// A time in seconds since 1970, in UTC; none where computers had none, or no year of four digits has it.
pub(crate) fn text(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok().filter(|_| seconds >= 0)?;
    Some(time.to_string())
}

/// The time of a document, which must have one: 1970 where [`text`] has none.
pub(crate) fn of_document(seconds: i64) -> String {
    text(seconds).unwrap_or_else(|| Timestamp::UNIX_EPOCH.to_string())
}

/// The seconds since 1970 that a text stands for, in any zone. Fractions are left out.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_years_of_four_digits() {
        let check = |seconds: i64, expected: Option<&str>| assert_eq!(text(seconds).as_deref(), expected, "{seconds}");
        check(0, Some("1970-01-01T00:00:00Z"));
        check(1_700_000_000, Some("2023-11-14T22:13:20Z"));
        check(253_402_207_200, Some("9999-12-30T22:00:00Z"));
        check(253_402_207_201, None);
        check(-1, None);
        check(i64::MIN, None);
        assert_eq!(of_document(-1), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn times_of_all_zones_are_read() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(seconds(text), expected, "{text}");
        check("2023-11-14T22:13:20Z", Some(1_700_000_000));
        check("2023-11-14T23:13:20.5+01:00", Some(1_700_000_000));
        check("yesterday", None);
    }
}
