//! `[severity]`: whose word decides how bad a vulnerability is.

use super::reading::{LEVEL_OF_WORDS, identifier, level, names, or, text};
use crate::problem::Problems;
use distil_settings::{Keys, Section, Value, ValueProblem};
use distil_vulns::{Level, Rater};

use super::glob::Glob;

/// Whose word decides how bad a vulnerability is. What the policy itself says goes before all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRules {
    /// Who is asked in turn; [`Rater::Override`] is not among them, whether the file names it or not. Who is missing is not
    /// asked.
    pub order: Vec<Rater>,
    /// What Debian's "unimportant" means.
    pub unimportant: Level,
    /// What it means that Debian has not assigned an urgency yet; none to ask the next one.
    pub not_yet_assigned: Option<Level>,
    /// What counts where nobody says.
    pub unknown: Level,
    /// Which version of CVSS decides where a rater gives several, the first before the others.
    pub cvss_preference: Vec<CvssVersion>,
    /// What the policy itself says; of several that fit, the first.
    pub overrides: Vec<Override>,
}

/// What the policy itself says of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// The source or binary packages that it is about.
    pub package: Glob,
    /// How bad it is.
    pub level: Level,
    /// Why.
    pub reason: Option<String>,
}

/// A version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0
    V2,
    /// 3.0
    V30,
    /// 3.1
    V31,
    /// 4.0
    V4,
}

impl CvssVersion {
    /// The version as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V4 => "4.0",
        }
    }
}

impl Default for SeverityRules {
    fn default() -> Self {
        Self {
            order: vec![Rater::DebianUrgency, Rater::NvdCvss, Rater::CnaCvss, Rater::Vendor],
            unimportant: Level::Negligible,
            not_yet_assigned: None,
            unknown: Level::Moderate,
            cvss_preference: vec![CvssVersion::V4, CvssVersion::V31, CvssVersion::V30, CvssVersion::V2],
            overrides: Vec::new(),
        }
    }
}

pub(crate) const KEYS: Keys =
    Keys::all(&["order", "unimportant", "not-yet-assigned", "unknown", "cvss-preference", "override"]);
pub(crate) const OVERRIDE_KEYS: Keys = Keys::all(&["id", "package", "level", "reason"]);

const OVERRIDE: &str = "override";
const RATERS: &[&str] = &[OVERRIDE, "debian-urgency", "nvd-cvss", "cna-cvss", "vendor"];
const RATER: &str = "debian-urgency, nvd-cvss, cna-cvss or vendor, since the policy's overrides always go first";
const VERSIONS: &[&str] = &["4.0", "3.1", "3.0", "2.0"];
const ASSIGNED: &[&str] = &["next", "critical", "high", "moderate", "medium", "low", "negligible"];
const SOME: &str = "a list of at least one";

impl SeverityRules {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        Self {
            order: or(section, "order", default.order, problems, order),
            unimportant: or(section, "unimportant", default.unimportant, problems, |value, problems| {
                value.choice(&["negligible", "low"], &[Level::Negligible, Level::Low], problems)
            }),
            not_yet_assigned: or(section, "not-yet-assigned", default.not_yet_assigned, problems, |value, problems| {
                let values: Vec<Option<Level>> =
                    std::iter::once(None).chain(LEVEL_OF_WORDS.iter().copied().map(Some)).collect();
                value.choice(ASSIGNED, &values, problems)
            }),
            unknown: or(section, "unknown", default.unknown, problems, level),
            cvss_preference: or(section, "cvss-preference", default.cvss_preference, problems, |value, problems| {
                let values = [CvssVersion::V4, CvssVersion::V31, CvssVersion::V30, CvssVersion::V2];
                each_once(value, VERSIONS, &values, problems)
            }),
            overrides: or(section, "override", default.overrides, problems, |value, problems| {
                let tables = value.elements(problems)?;
                Some(tables.iter().filter_map(|table| Override::read(table, problems)).collect())
            }),
        }
    }
}

impl Override {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(OVERRIDE_KEYS, problems)?;
        let id = section.required("id", problems).and_then(|value| identifier(&value, problems));
        let package = match section.value("package") {
            Some(value) => names(&value, problems),
            None => Glob::of_names("*").ok(),
        };
        let level = section.required("level", problems).and_then(|value| level(&value, problems));
        let reason = section.value("reason").and_then(|value| text(&value, problems));
        Some(Self { id: id?, package: package?, level: level?, reason })
    }
}

/// Who is asked in turn. That the policy's overrides are asked first may be written, and nothing else about them.
fn order(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<Rater>> {
    let values = [Rater::Override, Rater::DebianUrgency, Rater::NvdCvss, Rater::CnaCvss, Rater::Vendor];
    let mut raters = each_once(value, RATERS, &values, problems)?;
    for late in value.elements(problems)?.iter().skip(1).filter(|rater| rater.is_text(OVERRIDE)) {
        late.malformed::<(), _>(OVERRIDE, RATER, problems);
    }
    raters.retain(|rater| *rater != Rater::Override);
    Some(raters)
}

/// A list of words, not empty, each at most once.
fn each_once<T: Copy + PartialEq>(
    value: &Value<'_, '_>,
    words: &'static [&'static str],
    values: &[T],
    problems: &mut Problems<'_>,
) -> Option<Vec<T>> {
    if value.is_empty_array() {
        return value.malformed("[]", SOME, problems);
    }
    let mut found: Vec<T> = Vec::new();
    value.list(problems, |element, word, problems| {
        let one = element.one_of(word, words, values, problems)?;
        if found.contains(&one) {
            let first = format!("{word} before it");
            return element.problem(problems, |key| ValueProblem::Twice { key, first });
        }
        found.push(one);
        Some(())
    })?;
    Some(found)
}
