//! Known vulnerabilities of an image's packages: advisories, matching, severity, reports of scanners, VEX.
//!
//! Everything here takes bytes and values and gives bytes and values. A package is matched by the release that it is for, its
//! source package and its source version, in dpkg's order, and never by less.

mod advisory;
mod canonical;
pub mod cvss;
pub mod feed;
mod finding;
pub mod ignore;
pub mod matching;
mod merge;
pub mod release;
pub mod report;
mod severity;
mod severity_order;
pub mod vex;

pub use distil_debunpack::{Version, VersionError};

pub use advisory::{Advisory, CveFacts, Epss, Feed, Item, Kev, NoDsa, Range, State, Urgency};
pub use canonical::{canonical_ids, cve_of};
pub use finding::{Finding, FixState, Origin, OriginKind, Status, VexNote};
pub use merge::merge;
pub use severity::{Level, Rater, Rating, Score, Severity, UnknownLevel};
pub use severity_order::SeverityOrder;
