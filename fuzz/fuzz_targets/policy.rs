//! Texts as policies: what is wrong has its place in the text, and what is read does not depend on comments.

#![no_main]

use distil_policy::{MAX_POLICY, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Policy::parse(text) {
        Ok(policy) if text.len() + 100 > MAX_POLICY => drop(policy),
        Ok(policy) => {
            let commented = Policy::parse(&format!("{text}\n# the end\n")).expect("a comment changes nothing");
            assert_eq!(Policy { sha256: policy.sha256.clone(), ..commented }, policy);
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            for problem in error.problems {
                assert!(problem.span.end <= text.len() && problem.line >= 1 && problem.column >= 1);
            }
        }
    }
});
