//! Kinds of feeds.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advisory::Feed;

/// A kind of feed. Their order is the one in which they are read and merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedKind {
    /// `debian.csv` of distro-info-data.
    DistroInfo,
    /// JSON of Debian's security tracker.
    Tracker,
    /// OSV records: a zip file, lines of JSON, or a record in a file.
    Osv,
    /// The tracker's list of Debian security advisories, or of those for testing.
    Dsa,
    /// The tracker's list of advisories for long-term support.
    Dla,
    /// JSON of the National Vulnerability Database.
    Nvd,
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
    /// Scores of the Exploit Prediction Scoring System.
    Epss,
    /// debian-security-support's list of packages whose support ends before that of their release.
    SupportEnded,
    /// debian-security-support's list of packages whose support is limited.
    SupportLimited,
}

impl FeedKind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DistroInfo => "distro-info",
            Self::Tracker => "tracker",
            Self::Osv => "osv",
            Self::Dsa => "dsa",
            Self::Dla => "dla",
            Self::Nvd => "nvd",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::SupportEnded => "support-ended",
            Self::SupportLimited => "support-limited",
        }
    }
}

impl fmt::Display for FeedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Feed> for FeedKind {
    fn from(feed: Feed) -> Self {
        match feed {
            Feed::Tracker => Self::Tracker,
            Feed::Osv => Self::Osv,
            Feed::Dsa => Self::Dsa,
            Feed::Dla => Self::Dla,
        }
    }
}
