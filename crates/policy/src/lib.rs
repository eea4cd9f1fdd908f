//! Facts about an image in, a verdict out.
//!
//! A [`Policy`] is what people write, [`Facts`] are what was found out about an image, and [`evaluate`] makes a [`Verdict`] of the
//! two, with every violation, what to do about it, and until when the answer holds. Only a verdict makes an [`Approval`], and
//! only for the digest that was judged.
//!
//! Pure: no input, no output, no clock. The same facts and the same policy give the same verdict, years later. It looks for
//! nothing by itself, and where facts are missing the answer is that nobody can tell, never that all is in order:
//!
//! ```
//! use distil_policy::{Facts, Outcome, Policy, evaluate};
//!
//! let policy = Policy::parse("version = 1\nname = 'production'\n")?;
//! let facts: Facts = serde_json::from_str(
//!     r#"{"schema": "distil.facts/v1", "now": "2026-11-23T12:00:00Z", "reference": "oci:app", "digest": "sha256:00",
//!         "platforms": {}, "signatures": {"verified": [], "refused": []}, "attached": [], "data": {"sources": []},
//!         "support": {}, "ledger": []}"#,
//! )?;
//! let verdict = evaluate(&facts, &policy).verdict;
//! assert_eq!((verdict.verdict, verdict.policy.as_str()), (Outcome::Undecided, "production"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod document;
mod evaluate;
pub mod facts;
pub mod hardening;
mod image_name;
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
pub use ledger::Ledger;
pub use observation::Observation;
pub use policy::{MAX_POLICY, Policy, SCHEMA};
pub use problem::{PolicyError, PolicyProblem};
pub use verdict::{Approval, Outcome, Suppressed, VERDICT, Verdict, Violation, VulnerabilityNote, Weight};
