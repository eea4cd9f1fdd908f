//! What feeds say, in one form: about a source package in one release, and about a CVE wherever it occurs.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::severity::Rating;
use crate::support::PackageSupport;

/// One thing out of a feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// About a source package in a release.
    Advisory(Advisory),
    /// About a CVE. What several feeds say of one is merged, see [`CveFacts::merge`].
    Cve(CveFacts),
    /// About source packages whose support is not that of their release. Which release, the file's name says.
    Support(PackageSupport),
}

/// Whether a source package of a release is affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The feed's own identifier: `CVE-2024-0001`, `DEBIAN-CVE-2024-0001`, `DSA-5000-1`, `TEMP-0000001-ABCDEF`.
    pub id: String,
    /// The CVEs (and other identifiers) that it is about, its own not among them, sorted.
    pub aliases: Vec<String>,
    /// Where it comes from.
    pub feed: Feed,
    /// The codename of the release, as in `bookworm`.
    pub release: String,
    /// The source package.
    pub source: String,
    /// What it says.
    pub state: State,
    /// Debian's word of how urgent it is.
    pub urgency: Option<Urgency>,
    /// Why there is no advisory of the security team.
    pub no_dsa: Option<NoDsa>,
    /// The highest version of the source package in the release when the feed was made, where it says so.
    pub archive: Option<String>,
    /// When it was published.
    pub published: Option<Date>,
    /// One line about it.
    pub title: Option<String>,
}

/// A feed of advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feed {
    /// The Debian security tracker.
    Tracker,
    /// OSV records.
    Osv,
    /// Debian security advisories.
    Dsa,
    /// Advisories of Debian's long-term support.
    Dla,
}

/// What a feed says of a package in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// No version was ever affected.
    NotAffected,
    /// Affected below this version.
    Fixed(String),
    /// Affected, and no version repairs it.
    Open,
    /// Nobody knows yet.
    Undetermined,
    /// Affected, and nobody will look at it any more.
    EndOfLife,
    /// Affected within any of these, or where the version is exactly one of a list.
    Ranges {
        /// The ranges.
        ranges: Vec<Range>,
        /// Single versions.
        versions: Vec<String>,
    },
}

/// Versions from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Range {
    /// From the first (`0` is before everything) on, with no end.
    From(String),
    /// From the first up to, and without, the second.
    Below(String, String),
    /// From the first up to, and with, the second.
    UpTo(String, String),
}

/// Debian's urgency of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Urgency {
    /// No practical effect, or outside of security support.
    Unimportant,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// No longer supported in that release, and still vulnerable.
    EndOfLife,
}

/// Why there is no advisory for an issue that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoDsa {
    /// Minor: it does not deserve one.
    Minor,
    /// It will not be repaired.
    Ignored,
    /// It will be repaired together with something else, or with the next point release.
    Postponed,
}

/// What is known of a CVE wherever it occurs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CveFacts {
    /// Its identifier.
    pub id: String,
    /// What its raters say, sorted, without duplicates.
    pub ratings: Vec<Rating>,
    /// When it was published.
    pub published: Option<Date>,
    /// One line about it.
    pub title: Option<String>,
    /// That it is known to be exploited.
    pub kev: Option<Kev>,
    /// How likely it is to be exploited.
    pub epss: Option<Epss>,
}

impl CveFacts {
    /// Takes in what another feed says of the same CVE: all ratings, the earliest publication, and what is missing.
    pub fn merge(&mut self, other: Self) {
        self.ratings.extend(other.ratings);
        self.ratings.sort();
        self.ratings.dedup();
        self.published = match (self.published, other.published) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.title = self.title.take().or(other.title);
        self.kev = self.kev.take().or(other.kev);
        self.epss = self.epss.take().or(other.epss);
    }
}

/// An entry of CISA's catalogue of known exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Kev {
    /// The day it was added.
    #[schemars(with = "String")]
    pub added: Date,
    /// The day by which it is to be repaired.
    #[schemars(with = "Option<String>")]
    pub due: Option<Date>,
    /// Whether ransomware is known to use it.
    pub ransomware: bool,
}

/// A score of the Exploit Prediction Scoring System.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Epss {
    /// The probability of exploitation within thirty days, 0 to 1.
    pub score: f64,
    /// The part of all CVEs with the same score or less, 0 to 1.
    pub percentile: f64,
}
