//! When to ask again.

use std::time::Duration;

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
    /// The wait after so many failures, of which the last may have said in how many seconds to come again.
    pub(crate) fn wait(&self, failures: u32, asked: Option<u64>) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let own = self.first_wait.saturating_mul(doubled);
        let asked = asked.map_or(Duration::ZERO, Duration::from_secs);
        own.max(asked).min(self.longest_wait)
    }
}

/// The seconds of a `Retry-After`. The other form, a date, would need the clock of the server; the own waits do as well.
pub(crate) fn seconds(retry_after: &str) -> Option<u64> {
    let digits = retry_after.trim();
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { attempts: 5, first_wait: Duration::from_millis(100), longest_wait: Duration::from_secs(2) };
        let waits = [(1, None, 100), (2, None, 200), (4, None, 800), (60, None, 2000), (1, Some(1), 1000)];
        for (failures, asked, expected) in waits {
            assert_eq!(retry.wait(failures, asked), Duration::from_millis(expected));
        }
        assert_eq!(retry.wait(1, Some(u64::MAX)), retry.longest_wait);
        assert_eq!(retry.wait(3, Some(0)), Duration::from_millis(400));
    }

    #[test]
    fn a_date_is_no_number_of_seconds() {
        assert_eq!(seconds(" 120 "), Some(120));
        for other in ["", "-1", "+1", "1.5", "Thu, 01 Jan 2026 00:00:00 GMT", "99999999999999999999999"] {
            assert_eq!(seconds(other), None, "{other}");
        }
    }
}
