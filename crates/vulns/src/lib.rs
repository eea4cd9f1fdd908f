//! Known vulnerabilities of an image's packages: advisories, matching, severity, reports of scanners, VEX.
//!
//! Everything here takes bytes and values and gives bytes and values. A package is matched by the release that it is for, its
//! source package and its source version, in dpkg's order, and never by less. What nobody can tell is said to be so: an unknown
//! release, a feed with a mistake in it, or a version that a feed knows nothing of is never "not affected".
//!
//! ```
//! use distil_vulns::feed::{self, FeedKind};
//! use distil_vulns::release::Releases;
//! use distil_vulns::{Item, State};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let list = b"[29 Mar 2023] DSA-5380-1 xorg-server - security update\n\t{CVE-2023-1393}\n\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6\n";
//! assert_eq!(feed::detect(list), Some(FeedKind::Dsa));
//! let mut items = Vec::new();
//! feed::read(FeedKind::Dsa, &mut &list[..], &Releases::embedded(), &mut |item| items.push(item))?;
//! let Some(Item::Advisory(advisory)) = items.first() else { return Err("nothing".into()) };
//! assert_eq!(advisory.aliases, ["CVE-2023-1393"]);
//! assert_eq!(advisory.state, State::Fixed("2:1.20.11-1+deb11u6".to_owned()));
//! # Ok(())
//! # }
//! ```

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
pub mod support;
pub mod vex;

pub use distil_debunpack::{Version, VersionError};

pub use advisory::{Advisory, CveFacts, Epss, Feed, Item, Kev, NoDsa, Range, State, Urgency};
pub use canonical::{canonical_ids, cve_of};
pub use finding::{Finding, FixState, Origin, OriginKind, Status, VexNote};
pub use merge::merge;
pub use severity::{Level, Rater, Rating, Score, Severity, UnknownLevel};
pub use severity_order::SeverityOrder;
