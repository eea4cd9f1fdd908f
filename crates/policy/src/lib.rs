//! Facts about an image in, a verdict out.
//!
//! Pure: no input, no output, no clock. The same facts and the same policy give the same verdict, years later.

pub mod document;
mod evaluate;
pub mod facts;
pub mod hardening;
pub mod ledger;
mod observation;
pub mod observe;
pub mod output;
mod policy;
mod problem;
pub mod rules;
mod verdict;

pub use evaluate::{Evaluated, evaluate};
pub use facts::Facts;
pub use ledger::{LEDGER, Ledger};
pub use observation::Observation;
pub use policy::{MAX_POLICY, Policy, SCHEMA};
pub use problem::{PolicyError, PolicyProblem};
pub use verdict::{Approval, Outcome, Suppressed, VERDICT, Verdict, Violation, VulnerabilityNote, Weight};
