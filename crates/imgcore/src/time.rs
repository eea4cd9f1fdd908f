//! Times as documents state them.

/// [RFC 3339] in UTC, of whole seconds since 1970; `None` outside of the years 0 to 9999, which it cannot say.
///
/// [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339#section-5.6
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
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

#[cfg(test)]
mod tests {
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
}
