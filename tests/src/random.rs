//! Chance that can be had again: a run says which seed it took.

use std::env;
use std::hash::{BuildHasher, RandomState};

/// Numbers out of a seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The seed in the variable `DISTIL_TEST_SEED`, else another one each time. It is printed, which shows where the test
    /// fails.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "what failed can be repeated only with its seed")]
    pub fn of_this_run() -> Self {
        let given = env::var("DISTIL_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed"));
        println!("DISTIL_TEST_SEED={seed}");
        Self(seed)
    }

    /// The numbers of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a limit, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // SplitMix64, whose steps mix well enough for dice.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb), (31, 1)] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
        }
        usize::try_from(mixed % u64::try_from(limit).unwrap()).unwrap()
    }

    /// One of several.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
