//! The steps of one signature while it is judged.

use std::error::Error;
use std::fmt::Write as _;

use super::report::{Step, StepName};

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Trail(Vec<Step>);

/// A step failed, and is the last of the trail.
#[derive(Debug)]
pub(super) struct Failed;

impl Trail {
    /// Notes a step that went well.
    pub(super) fn pass(&mut self, name: StepName, found: impl Into<String>) {
        self.0.push(Step { name, outcome: Ok(found.into()) });
    }

    /// Notes the step that failed, even where a part of it went well before.
    pub(super) fn fail(&mut self, name: StepName, why: impl Into<String>) -> Failed {
        self.0.retain(|step| step.name != name);
        self.0.push(Step { name, outcome: Err(why.into()) });
        Failed
    }

    /// Goes on with what was found, and notes the step only where it failed.
    pub(super) fn need<T>(&mut self, name: StepName, found: Result<T, String>) -> Result<T, Failed> {
        found.map_err(|why| self.fail(name, why))
    }

    /// What was noted.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.0
    }
}

/// An error with all its causes in one line.
pub(super) fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let told = source.to_string();
        // Some errors end in what their cause says.
        if !text.ends_with(&told) {
            // Writing to a text does not fail.
            let _ = write!(text, ": {told}");
        }
        cause = source.source();
    }
    text
}
