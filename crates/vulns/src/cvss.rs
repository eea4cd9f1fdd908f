//! CVSS scores out of vectors: versions 2.0, 3.0, 3.1 and 4.0, as [FIRST specifies them](https://www.first.org/cvss/).
//!
//! Of versions 2 and 3 the base score is computed, which is what databases publish. Version 4 has one score, in which threat
//! and environment count where the vector states them.

mod four;
mod macro_vectors;
mod metrics;
#[cfg(test)]
mod tests;
mod three;
mod two;

use std::fmt;
use std::str::FromStr;

use crate::severity::{Level, Rater, Rating, Score};

/// A longer vector is none: the longest that states every metric of version 4 once has fewer than 200 characters.
const MAX_LENGTH: usize = 512;

/// A vector with its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cvss {
    version: CvssVersion,
    score: Score,
}

/// A version of the scoring system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0, whose highest severity is high.
    Two,
    /// 3.0.
    Three,
    /// 3.1.
    ThreeOne,
    /// 4.0.
    Four,
}

impl fmt::Display for CvssVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Two => "2.0",
            Self::Three => "3.0",
            Self::ThreeOne => "3.1",
            Self::Four => "4.0",
        })
    }
}

/// Why a text is no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CvssError {
    /// It is longer than any.
    #[error("a vector has no more than {MAX_LENGTH} characters")]
    TooLong,
    /// A version that there is not, or not yet.
    #[error("a vector starts with CVSS:3.0/, CVSS:3.1/, CVSS:4.0/ or, in version 2, with a metric")]
    Version,
    /// A part that is no metric of the version with one of its values.
    #[error("part {part} is no metric of CVSS {version} with its value")]
    Metric {
        /// Which part, from 1.
        part: usize,
        /// The version.
        version: CvssVersion,
    },
    /// A metric is there twice.
    #[error("{metric} is stated twice")]
    Twice {
        /// The metric.
        metric: &'static str,
    },
    /// A metric that has to be there is not.
    #[error("{metric} is missing")]
    Missing {
        /// The metric.
        metric: &'static str,
    },
}

impl Cvss {
    /// The version.
    #[must_use]
    pub fn version(self) -> CvssVersion {
        self.version
    }

    /// The score.
    #[must_use]
    pub fn score(self) -> Score {
        self.score
    }

    /// The severity of that score. Version 2 knows nothing above high.
    #[must_use]
    pub fn level(self) -> Level {
        match self.score.tenths() {
            0 => Level::Negligible,
            1..=39 => Level::Low,
            40..=69 => Level::Moderate,
            90.. if self.version != CvssVersion::Two => Level::Critical,
            _ => Level::High,
        }
    }
}

/// Metrics may be in any order, as in version 3; version 4 asks for one order, and databases do not all keep it.
impl FromStr for Cvss {
    type Err = CvssError;

    fn from_str(text: &str) -> Result<Self, CvssError> {
        if text.len() > MAX_LENGTH {
            return Err(CvssError::TooLong);
        }
        let prefixes =
            [("CVSS:4.0/", CvssVersion::Four), ("CVSS:3.1/", CvssVersion::ThreeOne), ("CVSS:3.0/", CvssVersion::Three)];
        let stated = prefixes.into_iter().find_map(|(prefix, version)| Some((text.strip_prefix(prefix)?, version)));
        let (metrics, version) = match stated {
            Some(found) => found,
            None if text.starts_with("CVSS") => return Err(CvssError::Version),
            // Some databases keep the parentheses of the specification's examples.
            None => (text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text), CvssVersion::Two),
        };
        let score = match version {
            CvssVersion::Two => two::score(metrics)?,
            CvssVersion::Three | CvssVersion::ThreeOne => three::score(metrics, version)?,
            CvssVersion::Four => four::score(metrics)?,
        };
        Ok(Self { version, score })
    }
}

impl Rating {
    /// What somebody says by a CVSS vector; none where that is not one.
    #[must_use]
    pub fn from_vector(rater: Rater, vector: &str) -> Option<Self> {
        let cvss: Cvss = vector.parse().ok()?;
        Some(Self { rater, level: Some(cvss.level()), score: Some(cvss.score()), vector: Some(vector.to_owned()) })
    }
}

/// A number between 0 and 10 as a score.
fn tenths(number: f64) -> Score {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 100")]
    let tenths = number.clamp(0.0, 100.0) as u8;
    Score::from_tenths(tenths).unwrap_or_else(|| Score::from_tenths(100).expect("100 tenths are a score"))
}
