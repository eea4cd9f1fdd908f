//! When to ask again.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

/// How often and how fast a request is repeated that failed for a passing reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Requests in all, the first one included. One that brought a good part of the file is not counted.
    pub attempts: u32,
    /// The wait before the second request. Each further wait is twice as long.
    pub first_wait: Duration,
    /// The longest wait, also where the server asks for a longer one.
    pub longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 5, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

impl Retry {
    /// The wait after so many failures, of which the last may have said how long to stay away.
    pub(crate) fn wait(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let own = self.first_wait.saturating_mul(doubled);
        own.max(asked.unwrap_or_default()).min(self.longest_wait)
    }
}

/// How long a [`Retry-After`] wants us to wait: so many seconds, or until a date. That one is by the clock of the server, which
/// its `Date` tells; ours is not asked. Dates in the forms of before 1995 are left out, and the own waits do.
///
/// [`Retry-After`]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
pub(crate) fn asked(retry_after: &str, date: Option<&str>) -> Option<Duration> {
    let text = retry_after.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let moment = |text: &str| DateTimeParser::new().parse_timestamp(text.trim()).ok();
    moment(text)?.duration_since(moment(date?)?).try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { attempts: 5, first_wait: Duration::from_millis(100), longest_wait: Duration::from_secs(2) };
        let second = Some(Duration::from_secs(1));
        let waits = [(1, None, 100), (2, None, 200), (4, None, 800), (60, None, 2000), (1, second, 1000)];
        for (failures, asked, expected) in waits {
            assert_eq!(retry.wait(failures, asked), Duration::from_millis(expected));
        }
        assert_eq!(retry.wait(1, Some(Duration::MAX)), retry.longest_wait);
        assert_eq!(retry.wait(3, Some(Duration::ZERO)), Duration::from_millis(400));
    }

    const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

    #[test]
    fn a_server_names_seconds_or_a_date_by_its_own_clock() {
        for (stated, expected) in [
            (" 120 ", 120),
            ("0", 0),
            (DATE, 0),
            (" Thu, 01 Jan 2026 00:02:00 GMT ", 120),
            ("Fri, 02 Jan 2026 00:00:00 GMT", 86400),
        ] {
            assert_eq!(asked(stated, Some(DATE)), Some(Duration::from_secs(expected)), "{stated}");
        }
        for other in [
            "",
            "-1",
            "+1",
            "1.5",
            "soon",
            "99999999999999999999999",
            "Wed, 31 Dec 2025 23:59:59 GMT",
            "Thu, 32 Jan 2026 00:00:00 GMT",
            "Fri, 01 Jan 2026 00:02:00 GMT",
        ] {
            assert_eq!(asked(other, Some(DATE)), None, "{other}");
        }
        for no_clock in [None, Some(""), Some("now")] {
            assert_eq!(asked("Fri, 02 Jan 2026 00:00:00 GMT", no_clock), None, "{no_clock:?}");
            assert_eq!(asked("5", no_clock), Some(Duration::from_secs(5)));
        }
    }

    proptest! {
        #[test]
        fn no_words_are_too_strange(stated in "\\PC{0,40}|[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{0,9} GMT") {
            let digits = !stated.trim().is_empty() && stated.trim().bytes().all(|b| b.is_ascii_digit());
            prop_assert!(digits || asked(&stated, None).is_none());
            let _any = asked(&stated, Some(DATE));
        }
    }
}
