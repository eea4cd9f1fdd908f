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

/// The attempts of one piece of work, in which several parts may be repeated, some inside of others: all draw on the same
/// number, so that an outer and an inner one do not multiply.
#[derive(Debug)]
pub struct Attempts {
    start: Instant,
    /// Since the work last came further.
    failures: u32,
}

impl Attempts {
    /// Those of work that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { start: Instant::now(), failures: 0 }
    }

    /// The work has come further than ever before, and the count begins anew.
    pub fn advanced(&mut self) {
        self.failures = 0;
    }
}

impl Client {
    /// Does something again, after growing waits, as long as it fails for a passing reason and [`crate::Retry`] and
    /// [`crate::Timeouts::whole`] allow. The part of the work is told which attempt at it this is, from 0. It is done once also
    /// where all attempts are used up. A `Retry-After` is heeded up to the longest wait.
    ///
    /// A wait that is cancelled ends at once and lets the work find out itself.
    ///
    /// # Errors
    /// That of the last attempt.
    pub fn persist<T, E: Passing>(
        &self,
        attempts: &mut Attempts,
        watch: &dyn Watch,
        work: &mut dyn FnMut(&mut Attempts, u32) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut attempt = 0_u32;
        loop {
            let error = match work(attempts, attempt) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            attempts.failures = attempts.failures.saturating_add(1);
            if !error.may_pass() || attempts.failures >= self.retry.attempts {
                return Err(error);
            }
            let pause = self.spread(self.retry.wait(attempts.failures, error.retry_after()));
            if attempts.start.elapsed().saturating_add(pause) >= self.timeouts.whole {
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
