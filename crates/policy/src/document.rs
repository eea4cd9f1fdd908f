//! What a policy says, as plain values: a section of the file each.

mod admission;
mod data;
mod exception;
mod freshness;
mod glob;
mod hardening;
mod licences;
mod packages;
mod severity;
mod signatures;
mod size;
mod vex;
mod vulnerabilities;

pub use admission::{Admission, Response};
pub use data::{Data, Undetermined};
pub use exception::{Exception, Exceptions, Reaction, Relation, Requirement};
pub use freshness::{Freshness, SupportTier};
pub use glob::{Glob, GlobError};
pub use hardening::{Allow, Hardening, Profile};
pub use licences::Licences;
pub use packages::Packages;
pub use severity::{CvssVersion, Override, SeverityRules};
pub use signatures::{Authority, Signatures};
pub use size::Size;
pub use vex::Vex;
pub use vulnerabilities::{AtCreation, Deny, FixableMeans, Reopen, Resolution, Start, Unfixed, Vulnerabilities};
