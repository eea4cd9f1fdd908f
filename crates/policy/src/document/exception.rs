//! `[[exception]]` and `[exceptions]`: what is let pass for a while, and what is asked of that.

use super::reading::{days_or_none, identifier, level, names, or, text};
use crate::problem::Problems;
use distil_settings::{Keys, Section, Value};
use std::collections::BTreeSet;

use distil_vulns::Level;
use jiff::civil::Date;

use super::glob::Glob;

/// A vulnerability that is let pass for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// The source or binary packages in which it is let pass.
    pub package: Glob,
    /// The versions of the source package in which it is let pass, as relations in Debian's order: `<= 1:1.2.13.dfsg-1`. All
    /// must hold; none for every version.
    pub versions: Vec<(Relation, String)>,
    /// From the start of this day (UTC) on it counts again.
    pub expires: Date,
    /// It counts again where it is worse than this.
    pub max_severity: Option<Level>,
    /// Why.
    pub reason: Option<String>,
    /// Who says so.
    pub approved_by: Option<String>,
    /// The line of the policy where it stands, from 1.
    pub line: usize,
}

/// How a version is compared with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<` or `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>` or `>>`
    Later,
}

/// What is asked of exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceptions {
    /// The most days from now to the end of an exception; none for any number.
    pub max_duration: Option<u32>,
    /// What each one must have. The parser sees to it.
    pub require: BTreeSet<Requirement>,
    /// What an exception means that nothing needs.
    pub unused: Reaction,
    /// What an exception means whose time is over.
    pub expired: Reaction,
}

/// What an exception must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// `reason`
    Reason,
    /// `approved-by`
    ApprovedBy,
}

/// What follows from something that is not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It is told.
    Warn,
    /// It is against the image.
    Fail,
}

impl Default for Exceptions {
    fn default() -> Self {
        Self {
            max_duration: Some(180),
            require: [Requirement::Reason, Requirement::ApprovedBy].into(),
            unused: Reaction::Warn,
            expired: Reaction::Fail,
        }
    }
}

pub(crate) const EXCEPTION_KEYS: Keys =
    Keys::all(&["id", "package", "versions", "expires", "max-severity", "reason", "approved-by"]);
pub(crate) const KEYS: Keys = Keys::all(&["max-duration", "require", "unused", "expired"]);

const VERSIONS: &str =
    "versions in Debian's form behind <, <=, =, >= or >, as in \"<= 1:1.2.13.dfsg-1\", with commas between";
const DATE: &str = "a date of the years 1970 to 9999";

impl Exceptions {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        let mut reaction = |key, default| {
            or(section, key, default, problems, |value, problems| {
                value.choice(&["warn", "fail"], &[Reaction::Warn, Reaction::Fail], problems)
            })
        };
        let (unused, expired) = (reaction("unused", default.unused), reaction("expired", default.expired));
        Self {
            max_duration: or(section, "max-duration", default.max_duration, problems, days_or_none),
            require: or(section, "require", default.require, problems, |value, problems| {
                let values = [Requirement::Reason, Requirement::ApprovedBy];
                let read = |value: &Value<'_, '_>, word: &str, problems: &mut Problems<'_>| {
                    value.one_of(word, &["reason", "approved-by"], &values, problems)
                };
                Some(value.list(problems, read)?.into_iter().collect())
            }),
            unused,
            expired,
        }
    }
}

impl Exception {
    /// Reads `[[exception]]`, each with what all of them must have.
    pub(crate) fn read_all(
        value: &Value<'_, '_>,
        rules: &Exceptions,
        problems: &mut Problems<'_>,
    ) -> Option<Vec<Self>> {
        let tables = value.elements(problems)?;
        Some(tables.iter().filter_map(|table| Self::read(table, rules, problems)).collect())
    }

    fn read(value: &Value<'_, '_>, rules: &Exceptions, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(EXCEPTION_KEYS, problems)?;
        let mut words = |key: &'static str, requirement| {
            let is_required = rules.require.contains(&requirement);
            let value = if is_required { section.required(key, problems) } else { section.value(key) };
            value.and_then(|value| text(&value, problems))
        };
        let reason = words("reason", Requirement::Reason);
        let approved_by = words("approved-by", Requirement::ApprovedBy);
        let id = section.required("id", problems).and_then(|value| identifier(&value, problems));
        // Who excepts a vulnerability in one package does not mean others: to mean all of them is to be written.
        let package = section.required("package", problems).and_then(|value| names(&value, problems));
        let expires = section.required("expires", problems).and_then(|value| date(&value, problems));
        let versions = section.value("versions").and_then(|value| relations(&value, problems));
        let max_severity = section.value("max-severity").and_then(|value| level(&value, problems));
        Some(Self {
            id: id?,
            package: package?,
            versions: versions.unwrap_or_default(),
            expires: expires?,
            max_severity,
            reason,
            approved_by,
            line: value.place(problems).line,
        })
    }
}

fn date(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Date> {
    let written = value.date(problems)?;
    let parts = (i16::try_from(written.year), i8::try_from(written.month), i8::try_from(written.day));
    let date = match parts {
        (Ok(year @ 1970..), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    date.or_else(|| value.malformed(&written.to_string(), DATE, problems))
}

fn relations(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<(Relation, String)>> {
    let text = value.string(problems)?;
    parse_relations(text).or_else(|| value.malformed(text, VERSIONS, problems))
}

fn parse_relations(text: &str) -> Option<Vec<(Relation, String)>> {
    // Two make a range, and few more are ever of use.
    const MOST: usize = 10;
    const WORDS: [(&str, Relation); 7] = [
        ("<=", Relation::EarlierOrEqual),
        (">=", Relation::LaterOrEqual),
        ("<<", Relation::Earlier),
        (">>", Relation::Later),
        ("<", Relation::Earlier),
        (">", Relation::Later),
        ("=", Relation::Equal),
    ];
    let one = |part: &str| {
        let part = part.trim_matches(' ');
        let (word, relation) = WORDS.into_iter().find(|(word, _)| part.starts_with(word))?;
        let version = part.strip_prefix(word)?.trim_matches(' ');
        is_version(version).then(|| (relation, version.to_owned()))
    };
    let relations: Vec<_> = text.split(',').take(MOST + 1).map(one).collect::<Option<_>>()?;
    (relations.len() <= MOST).then_some(relations)
}

/// Whether dpkg would take it for a version; rare forms that it takes are left out.
fn is_version(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    (1..=9).contains(&epoch.len())
        && epoch.bytes().all(|b| b.is_ascii_digit())
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'~' | b'-'))
        && !rest.ends_with('-')
        && rest.len() <= 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_of_versions() {
        let read = |text: &str| parse_relations(text).map(|found| found.into_iter().map(|(one, _)| one).collect());
        assert_eq!(read("<= 1:1.2.13.dfsg-1"), Some(vec![Relation::EarlierOrEqual]));
        assert_eq!(read(">=1.2~rc1-1, << 2"), Some(vec![Relation::LaterOrEqual, Relation::Earlier]));
        assert_eq!(parse_relations(" = 1.0-2 "), Some(vec![(Relation::Equal, "1.0-2".to_owned())]));
        for text in [
            "",
            "1.2",
            "<=",
            "<= a",
            "<= 1.2,",
            "<= 1.2 3",
            "~ 1.2",
            "<= :1",
            "<= 1:",
            "<= 1.2-",
            "=1,".repeat(11).as_str(),
        ] {
            assert_eq!(parse_relations(text), None, "{text}");
        }
    }
}
