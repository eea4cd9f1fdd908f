//! Times as documents state them.

/// [RFC 3339] in UTC, of whole seconds since 1970; `None` outside of the years 0 to 9999, which it cannot say.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
#[must_use]
pub fn rfc3339(seconds: i64) -> Option<String> {
    const DAY: i64 = 86_400;
    let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Years are counted from March, so that a leap day is the last of its year, and in eras of 400 years, which all have
    // the same number of days. The first era starts on 1 March of the year 0, 719468 days before 1970.
    let days = days.checked_add(719_468)?;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    (0..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// Seconds since 1970 of an [RFC 3339] time, any offset and fraction included; a fraction is cut off. `None` for what is no
/// such time.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let offset = offset(after_fraction(rest)?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // As in the other direction: years from March, eras of 400 of them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(day * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

/// What follows `.` and at least one digit, or everything where there is no fraction.
fn after_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(text) };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

fn offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let [hour, minute] = numbers(text.strip_prefix(['+', '-'])?, ':', [2, 2])?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 3_600 + minute * 60))
}

/// Numbers of so many digits each with a mark between them.
fn numbers<const N: usize>(text: &str, mark: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(mark);
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // Expected texts as `date -u -d @N +%FT%TZ` gives them.
        let check = |seconds, text: &str| assert_eq!(rfc3339(seconds).as_deref(), Some(text));
        check(0, "1970-01-01T00:00:00Z");
        check(-1, "1969-12-31T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(1_709_251_199, "2024-02-29T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
        check(4_294_967_296, "2106-02-07T06:28:16Z");
        check(253_402_300_799, "9999-12-31T23:59:59Z");
        check(-62_167_219_200, "0000-01-01T00:00:00Z");
    }

    #[test]
    fn times_out_of_range_are_none() {
        for seconds in [253_402_300_800, -62_167_219_201, i64::MAX, i64::MIN] {
            assert_eq!(rfc3339(seconds), None);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let texts: Vec<String> = (-800_000..2_900_000).step_by(37).filter_map(|day| rfc3339(day * 86_400)).collect();
        assert!(texts.is_sorted() && texts.len() > 90_000);
    }

    #[test]
    fn times_of_others_are_read() {
        let check = |text: &str, seconds| assert_eq!(parse_rfc3339(text), seconds, "{text}");
        check("1970-01-01T00:00:00Z", Some(0));
        check("0001-01-01T00:00:00Z", Some(-62_135_596_800));
        check("2000-02-29T00:00:00.999999999Z", Some(951_782_400));
        check("2000-02-29T02:00:00+02:00", Some(951_782_400));
        check("2000-02-28t18:30:00-05:30", Some(951_782_400));
        for bad in [
            "",
            "2000-02-29",
            "2000-02-30T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2000-13-01T00:00:00Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:00:00",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00+0200",
            "2000-01-01 00:00:00Z",
            "+200-01-01T00:00:00Z",
            "2000-1-01T00:00:00Z",
            "2000-01-01T00:00:0\u{e9}Z",
        ] {
            check(bad, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_167_219_200..253_402_300_800_i64) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(seconds).unwrap()), Some(seconds));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[0-9TZ:+.-]{0,30}|.{0,30}") {
            let _ = parse_rfc3339(&text);
        }
    }
}
