//! Doing something again that failed for a passing reason.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::exchange::TICK;
use crate::sink::Watch;

/// What failed, and whether it is worth another attempt.
pub trait Passing {
    /// Whether the same may succeed a little later.
    fn may_pass(&self) -> bool;

    /// How long the server wants to be left alone, where it says so; see [`crate::Response::retry_after`].
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Transfers that were refused together come again one after the other: each wait is longer by so many of these parts of
/// itself. That is no chance, which a library has no source of, and spreads those of this client only.
const PARTS: u32 = 32;
/// After so many the spread begins anew.
const STEPS: u32 = 16;

impl Client {
    /// Does something again, after growing waits, as long as it fails for a passing reason and [`crate::Retry`] and
    /// [`crate::Timeouts::whole`] allow. The work is told which attempt this is, from 0; where it says that it came further
    /// than before, by setting the flag, the count begins anew. A `Retry-After` is heeded up to the longest wait.
    ///
    /// A wait that is cancelled ends at once and lets the work find out itself.
    ///
    /// # Errors
    /// That of the last attempt.
    pub fn persist<T, E: Passing>(
        &self,
        watch: &dyn Watch,
        work: &mut dyn FnMut(u32, &mut bool) -> Result<T, E>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let (mut attempt, mut failures) = (0_u32, 0);
        loop {
            let mut advanced = false;
            let error = match work(attempt, &mut advanced) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            failures = if advanced { 1 } else { failures + 1 };
            if !error.may_pass() || failures >= self.retry.attempts {
                return Err(error);
            }
            let pause = self.spread(self.retry.wait(failures, error.retry_after()));
            if start.elapsed().saturating_add(pause) >= self.timeouts.whole {
                return Err(error);
            }
            rest(pause, watch);
            attempt = attempt.saturating_add(1);
        }
    }

    fn spread(&self, pause: Duration) -> Duration {
        let step = self.waits.fetch_add(1, Ordering::Relaxed) % STEPS;
        pause.saturating_add((pause / PARTS).saturating_mul(step)).min(self.retry.longest_wait)
    }
}

fn rest(pause: Duration, watch: &dyn Watch) {
    let start = Instant::now();
    while !watch.cancelled() {
        let left = pause.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(TICK));
    }
}

#[cfg(test)]
mod tests;
