//! `[filter]`: which files of packages are left out.

use distil_settings::{Keys, Section, Value};

use super::problem::{ProblemKind, Problems};
use distil_imgcore::PathError;
use distil_rootfs::{Docs, Filter, FilterRules};

pub(super) const KEYS: Keys = Keys::all(&["exclude", "docs", "locales"]);

const DOCS: &[&str] = &["all", "copyright", "none"];
const GLOB: &str = "an absolute path in which *, ?, [ab] and ** stand for others";
const LOCALE: &str = "a locale as in C, de or pt_BR";

/// Reads rules of which a filter can be made.
pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> FilterRules {
    let exclude = section.value("exclude").and_then(|v| v.list(problems, glob));
    let docs = section.value("docs").and_then(|v| v.choice(DOCS, &[Docs::All, Docs::Copyright, Docs::None], problems));
    let locales = section.value("locales").and_then(|v| v.list(problems, locale));
    FilterRules { exclude: exclude.unwrap_or_default(), docs: docs.unwrap_or_default(), locales }
}

fn glob(value: &Value<'_, '_>, text: &str, problems: &mut Problems<'_>) -> Option<String> {
    if !text.starts_with('/') {
        let cause = PathError::Relative(text.as_bytes().to_vec());
        return value.problem(problems, |key| ProblemKind::Path { key, cause });
    }
    let rules = FilterRules { exclude: vec![text.to_owned()], ..FilterRules::default() };
    if text.split('/').any(|c| c == ".." || c == ".") || Filter::new(&rules).is_err() {
        return value.malformed(text, GLOB, problems);
    }
    Some(text.to_owned())
}

fn locale(value: &Value<'_, '_>, text: &str, problems: &mut Problems<'_>) -> Option<String> {
    let rules = FilterRules { locales: Some(vec![text.to_owned()]), ..FilterRules::default() };
    if Filter::new(&rules).is_err() { value.malformed(text, LOCALE, problems) } else { Some(text.to_owned()) }
}
