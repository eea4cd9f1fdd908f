//! Signed apt repositories, from the signature to a verified package: whom to believe, what to choose, what to write down.
//!
//! Two types can only be made by the check that they stand for: a [`Release`] is a signed file that was verified, a
//! [`VerifiedDeb`] a file that is the package that was asked for. Between them lies a [`Resolution`], a set of packages
//! that can be installed together. A [`lock::Lock`] states all three, so that others can follow them without a network.
//!
//! The crate reads no environment, clock or configuration: sources, keys and the time are arguments. What weakens a check
//! (`trusted=yes`, `allow-insecure`, `check-valid-until=no`) is refused by name, and there is no option in its place.
//! Of a repository nothing is read before its signature was checked, nothing partial is kept, and no package is taken for
//! another one.
//!
//! ```
//! use distil_aptrepo::{Index, Offered, Request, Universe, Wanted, resolve};
//!
//! let packages = "\
//! Package: curl
//! Version: 7.88.1-10
//! Architecture: amd64
//! Depends: libcurl4 (>= 7.88), zlib1g
//! Filename: pool/c/curl.deb
//! Size: 4
//! SHA256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//!
//! Package: libcurl4
//! Version: 7.88.1-10
//! Architecture: amd64
//! Filename: pool/c/libcurl4.deb
//! Size: 4
//! SHA256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ";
//! let index = Index::parse(packages.as_bytes())?;
//! let indices = [Offered { suite: "stable", codename: Some("bookworm"), index: &index }];
//! let universe = Universe { architecture: "amd64".parse()?, indices: &indices, local: &[], base: &[] };
//! let requests: Vec<Request> = vec!["curl=7.88.*".parse()?];
//!
//! let unresolvable = resolve(&universe, &Wanted { requests: requests.clone(), ..Wanted::default() }).unwrap_err();
//! assert!(unresolvable.to_string().contains("zlib1g"));
//!
//! let wanted = Wanted { requests, exclude: ["zlib1g".parse()?].into(), ..Wanted::default() };
//! let chosen = resolve(&universe, &wanted)?;
//! let names: Vec<&str> = chosen.packages.iter().map(|package| package.name.as_str()).collect();
//! assert_eq!(names, ["curl", "libcurl4"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | whom to believe | [`Keyring`], [`Fingerprint`], [`Release::verify`], [`Timestamp`], [`Snapshot`] |
//! | where packages come from | [`Source`], [`host_sources`] for the files of apt |
//! | getting a repository | [`Acquirer::repository`] gives a [`Repository`]: release, signed bytes, indices |
//! | choosing packages | [`Index`], [`Candidate`], [`Request`], [`resolve`], [`resolve_platforms`], [`why`] |
//! | getting a package | [`Acquirer::fetch`]: [`WantedDeb`] to [`VerifiedDeb`] |
//! | writing it down | [`lock`]: the file, what it was made for, what changed, its evidence checked again |

mod acquire;
mod armor;
mod clearsign;
mod fetch;
mod fingerprint;
pub mod host_sources;
mod index;
mod keyring;
pub mod lock;
mod mirror;
mod mirror_failures;
mod release;
mod request;
mod resolver;
mod source;
mod time;
mod verified_deb;

pub use acquire::{AcquireError, Acquirer, IndexFile, MirrorError, Repository, RepositoryIndex, SignedBytes};
pub use armor::ArmorError;
pub use clearsign::ClearsignError;
pub use fetch::{DebMirrorError, FetchError, FetchFault, Identity, WantedDeb};
pub use fingerprint::{Fingerprint, FingerprintError, KeyPin};
pub use index::{Candidate, Index, IndexError, Stanza, StanzaError, StoredIndexError};
pub use keyring::{
    Keyring, KeyringError, MAX_SIGNATURES, PacketError, SignatureFault, SignatureReason, Signer, VerifyError,
};
pub use mirror_failures::MirrorFailures;
pub use release::{Expected, Release, ReleaseError, ReleaseFile, Signed};
pub use request::{Request, RequestError, RequestErrorKind};
pub use resolver::{
    Barred, Because, Chain, Chosen, DeadEnd, Link, Offer, Offered, Origin, PlatformsError, Reason, Resolution,
    Universe, Unresolvable, Wanted, Why, resolve, resolve_platforms, why,
};
pub use source::Source;
pub use time::{Snapshot, Timestamp, TimestampError};
pub use verified_deb::{DebReader, VerifiedDeb};
