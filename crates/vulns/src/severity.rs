//! How bad a vulnerability is, and who says so.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a vulnerability is; the order is that of the words. What nobody rated has no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No practical effect.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9; scanners say medium.
    Moderate,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 and more.
    Critical,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a severity")]
pub struct UnknownLevel;

/// The words of all scanners, in any case.
impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        match word.to_ascii_lowercase().as_str() {
            "negligible" | "none" | "unimportant" => Ok(Self::Negligible),
            "low" => Ok(Self::Low),
            "moderate" | "medium" => Ok(Self::Moderate),
            "high" | "important" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(UnknownLevel),
        }
    }
}

/// A CVSS base score in tenths, 0 to 100, so that it compares exactly. Written as a number with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// The score of so many tenths; none above 100.
    #[must_use]
    pub fn from_tenths(tenths: u8) -> Option<Self> {
        (tenths <= 100).then_some(Self(tenths))
    }

    /// The nearest score; none outside 0 to 10.
    #[must_use]
    pub fn from_number(number: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 100")]
        (0.0..=10.0).contains(&number).then(|| Self((number * 10.0).round() as u8))
    }

    /// Tenths.
    #[must_use]
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// The number.
    #[must_use]
    pub fn to_number(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_number().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("a score is between 0 and 10"))
    }
}

impl JsonSchema for Score {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Score".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 10, "description": "A CVSS base score." })
    }
}

/// Who rated: the words of a policy's `severity.order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rater {
    /// The policy itself.
    Override,
    /// Debian's security team, by the urgency in its tracker.
    DebianUrgency,
    /// The National Vulnerability Database, by CVSS.
    NvdCvss,
    /// Whoever gave the number, or another database, by CVSS.
    CnaCvss,
    /// A scanner's own word, or another vendor's.
    Vendor,
}

impl Rater {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::DebianUrgency => "debian-urgency",
            Self::NvdCvss => "nvd-cvss",
            Self::CnaCvss => "cna-cvss",
            Self::Vendor => "vendor",
        }
    }
}

/// What one rater says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Rating {
    /// Who.
    pub rater: Rater,
    /// How bad; none where the word says that nobody has looked yet.
    pub level: Option<Level>,
    /// The CVSS base score.
    pub score: Option<Score>,
    /// The CVSS vector, as written.
    pub vector: Option<String>,
}

/// How bad a finding is, after the order of raters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Severity {
    /// How bad; none where nobody says.
    pub level: Option<Level>,
    /// The CVSS base score of that rating.
    pub score: Option<Score>,
    /// Whose rating decided; none where nobody says.
    pub from: Option<Rater>,
}
