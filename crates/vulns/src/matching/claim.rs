//! What one advisory says of one version.

use std::str::FromStr;

use distil_debunpack::Version;

use crate::advisory::{Advisory, NoDsa, Range, State, Urgency};
use crate::finding::Status;

/// Where a version stands, and which version repairs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) status: Status,
    /// Only with [`Status::Fixed`] and [`Status::Resolved`].
    pub(super) fixed: Option<Version>,
}

impl Claim {
    pub(super) fn unknown() -> Self {
        Self::without(Status::Unknown)
    }

    fn without(status: Status) -> Self {
        Self { status, fixed: None }
    }

    /// What an advisory says of a version; none where the version is no version, of which nothing can be told but what holds
    /// for all.
    pub(super) fn of(advisory: &Advisory, version: Option<&Version>) -> Self {
        match (&advisory.state, version) {
            (State::NotAffected, _) => Self::without(Status::NotAffected),
            // As a version it would be above some: `0~…` sorts before it.
            (State::Fixed(fixed), _) if fixed == NEVER => Self::without(Status::NotAffected),
            (State::Undetermined, _) => Self::without(Status::UnderInvestigation),
            (_, None) => Self::unknown(),
            (State::Fixed(fixed), Some(version)) => Self::fixed_in(fixed, version),
            (State::Open, Some(version)) => open(advisory, version),
            (State::EndOfLife, Some(version)) if is_beyond(advisory, version) => Self::unknown(),
            (State::EndOfLife, Some(_)) => Self::without(Status::EndOfLife),
            (State::Ranges { ranges, versions }, Some(version)) => {
                let listed = versions.iter().filter_map(|text| Version::from_str(text).ok());
                let listed = listed.into_iter().any(|listed| listed == *version);
                let ranges = ranges.iter().map(|range| within(range, advisory, version));
                let listed = listed.then(|| open(advisory, version));
                Self::join(ranges.chain(listed).collect()).unwrap_or_else(|| Self::without(Status::NotAffected))
            }
        }
    }

    fn fixed_in(fixed: &str, version: &Version) -> Self {
        let Ok(fixed) = Version::from_str(fixed) else { return Self::unknown() };
        let status = if *version < fixed { Status::Fixed } else { Status::Resolved };
        Self { status, fixed: Some(fixed) }
    }

    /// What several that count alike say together: affected where one of them says so, and repaired where all of them are.
    pub(super) fn join(claims: Vec<Self>) -> Option<Self> {
        let best = claims.iter().map(|claim| claim.status).min_by_key(|status| precedence(*status))?;
        let fixed = claims.into_iter().filter(|claim| claim.status == best).filter_map(|claim| claim.fixed).max();
        Some(Self { status: best, fixed })
    }
}

/// Which word counts where advisories that count alike say several.
fn precedence(status: Status) -> u8 {
    match status {
        Status::Fixed => 0,
        Status::Affected => 1,
        Status::NoDsa => 2,
        Status::FixDeferred => 3,
        Status::WillNotFix => 4,
        Status::EndOfLife => 5,
        Status::UnderInvestigation => 6,
        Status::Unknown => 7,
        Status::Resolved => 8,
        Status::NotAffected => 9,
    }
}

/// What a version is where no version repairs it.
fn open(advisory: &Advisory, version: &Version) -> Claim {
    if is_beyond(advisory, version) {
        return Claim::unknown();
    }
    Claim::without(match (advisory.urgency, advisory.no_dsa) {
        (Some(Urgency::EndOfLife), _) => Status::EndOfLife,
        (_, Some(NoDsa::Ignored)) => Status::WillNotFix,
        (_, Some(NoDsa::Postponed)) => Status::FixDeferred,
        (_, Some(NoDsa::Minor)) => Status::NoDsa,
        (_, None) => Status::Affected,
    })
}

/// Whether a version is newer than all that the feed knew of the release, as of a backport: then it does not tell.
fn is_beyond(advisory: &Advisory, version: &Version) -> bool {
    let archive = advisory.archive.as_deref().and_then(|text| Version::from_str(text).ok());
    archive.is_some_and(|archive| *version > archive)
}

/// What a version is to a range of the [OSV schema].
///
/// [OSV schema]: https://ossf.github.io/osv-schema/#evaluation
fn within(range: &Range, advisory: &Advisory, version: &Version) -> Claim {
    let (Range::From(start) | Range::Below(start, _) | Range::UpTo(start, _)) = range;
    // It stands for what is before everything, and is no version.
    if start != NEVER {
        match Version::from_str(start) {
            Ok(start) if *version < start => return Claim::without(Status::NotAffected),
            Ok(_) => {}
            Err(_) => return Claim::unknown(),
        }
    }
    match range {
        Range::From(_) => open(advisory, version),
        // Nothing is below what is before everything.
        Range::Below(_, end) if end == NEVER => Claim::without(Status::NotAffected),
        Range::Below(_, end) => Claim::fixed_in(end, version),
        Range::UpTo(_, last) => match Version::from_str(last) {
            Ok(last) if *version > last => Claim::without(Status::Resolved),
            Ok(_) => open(advisory, version),
            Err(_) => Claim::unknown(),
        },
    }
}

const NEVER: &str = "0";
