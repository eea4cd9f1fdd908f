//! What a policy says, as plain values: a section of the file each.

pub(crate) mod admission;
pub(crate) mod data;
pub(crate) mod exception;
pub(crate) mod freshness;
mod glob;
pub(crate) mod hardening;
pub(crate) mod image;
pub(crate) mod licences;
pub(crate) mod packages;
pub(crate) mod reading;
pub(crate) mod registry;
pub(crate) mod severity;
pub(crate) mod signatures;
pub(crate) mod size;
pub(crate) mod time;
pub(crate) mod vex;
pub(crate) mod vulnerabilities;

pub use admission::{Admission, Mode, Response};
pub use data::{Data, Undetermined};
pub use exception::{Exception, Exceptions, Reaction, Relation, Requirement};
pub use freshness::{Freshness, SupportTier};
pub use glob::{Glob, GlobError};
pub use hardening::{Allow, Hardening, Profile};
pub use image::ImageRule;
pub use licences::Licences;
pub use packages::Packages;
pub use reading::parse_age;
pub use registry::Immutable;
pub use severity::{CvssVersion, Override, SeverityRules};
pub use signatures::{Authority, Signatures};
pub use size::Size;
pub use vex::Vex;
pub use vulnerabilities::{AtCreation, Deny, FixableMeans, Reopen, Resolution, Start, Unfixed, Vulnerabilities};
