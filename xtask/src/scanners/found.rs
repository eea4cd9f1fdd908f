//! What somebody found, as `distil scan --json` tells it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{Error, Result};

/// Vulnerabilities by source package, each with the version that repairs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found(BTreeMap<(String, String), Option<String>>);

/// How two differ about one vulnerability of one source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Only distil finds it.
    OwnAlone(String),
    /// Only the other finds it.
    OtherAlone(String),
    /// Both find it, and say that different versions repair it.
    Repair(String),
}

impl Found {
    pub(super) fn of_scan(document: &str) -> Result<Self> {
        let document: Value =
            serde_json::from_str(document).map_err(|source| Error::Json { program: "distil", source })?;
        let findings = document.get("findings").and_then(Value::as_array).into_iter().flatten();
        let text = |finding: &Value, key: &str| finding.get(key).and_then(Value::as_str).map(str::to_owned);
        let pair = |finding: &Value| Some(((text(finding, "id")?, text(finding, "source")?), text(finding, "fixed")));
        Ok(Self(findings.filter_map(pair).collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many source packages there is something in.
    pub(super) fn sources(&self) -> usize {
        self.0.keys().map(|(_, source)| source).collect::<BTreeSet<_>>().len()
    }

    pub(super) fn without(&self, sources: &BTreeSet<&str>) -> Self {
        let kept = self.0.iter().filter(|((_, source), _)| !sources.contains(source.as_str()));
        Self(kept.map(|(pair, fixed)| (pair.clone(), fixed.clone())).collect())
    }

    /// What differs, by vulnerability and source package.
    pub(super) fn compare(&self, other: &Self) -> Vec<Difference> {
        let pairs: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let differ = |pair: &(String, String)| {
            let what = format!("{} in {}", pair.0, pair.1);
            match (self.0.get(pair), other.0.get(pair)) {
                (Some(_), None) => Some(Difference::OwnAlone(what)),
                (None, Some(_)) => Some(Difference::OtherAlone(what)),
                (Some(own), Some(theirs)) if own != theirs => {
                    Some(Difference::Repair(format!("{what}: {own:?}, {theirs:?}")))
                }
                _ => None,
            }
        };
        pairs.into_iter().filter_map(differ).collect()
    }
}

/// The differences as lines; those about repairs only where the other says anything about these.
pub(super) fn by_others(differences: &[Difference], says_repairs: bool) -> Vec<String> {
    let line = |difference: &Difference| match difference {
        Difference::OwnAlone(what) => Some(format!("does not find {what}")),
        Difference::OtherAlone(what) => Some(format!("alone finds {what}")),
        Difference::Repair(what) => says_repairs.then(|| format!("repairs otherwise {what}")),
    };
    differences.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(findings: &str) -> Found {
        Found::of_scan(&format!("{{\"findings\":[{findings}]}}")).unwrap()
    }

    #[test]
    fn differences_are_told_by_kind() {
        let own = found(r#"{"id":"C-1","source":"a","fixed":"1"},{"id":"C-2","source":"a"},{"id":"C-3","source":"b"}"#);
        let other =
            found(r#"{"id":"C-1","source":"a","fixed":"2"},{"id":"C-2","source":"a"},{"id":"C-4","source":"c"}"#);
        assert_eq!((own.len(), own.sources(), own.compare(&own).len()), (3, 2, 0));
        let differences = own.compare(&other);
        assert_eq!(
            by_others(&differences, true),
            ["repairs otherwise C-1 in a: Some(\"1\"), Some(\"2\")", "does not find C-3 in b", "alone finds C-4 in c"]
        );
        assert_eq!(by_others(&differences, false).len(), 2);
        assert_eq!(own.without(&BTreeSet::from(["b"])).len(), 2);
    }
}
