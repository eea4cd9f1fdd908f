//! `ignore` of `.grype.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::{IgnoreError, List, Terms, literal, yaml};

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    ignore: Option<Vec<Spanned<Rule>>>,
}

/// Keys that are not known, whatever they say.
type Conditions = BTreeMap<String, serde_json::Value>;

#[derive(Deserialize)]
struct Rule {
    vulnerability: Option<String>,
    reason: Option<String>,
    package: Option<Package>,
    /// Findings are known by all their identifiers, so that it says nothing new.
    #[serde(rename = "include-aliases")]
    _include_aliases: Option<IgnoredAny>,
    #[serde(flatten)]
    other: Conditions,
}

#[derive(Deserialize)]
struct Package {
    name: Option<String>,
    version: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "upstream-name")]
    upstream: Option<String>,
    #[serde(flatten)]
    other: Conditions,
}

pub(super) fn read(text: &str, list: &mut List<'_>) -> Result<(), IgnoreError> {
    let config: Config = yaml::parse(text)?;
    for rule in config.ignore.unwrap_or_default() {
        let line = yaml::line(&rule);
        let Rule { vulnerability, reason, package, other, .. } = rule.value;
        if let Some(key) = other.keys().next() {
            list.leave_out(line, &format!("it has a condition that is not known here: {key}"))?;
            continue;
        }
        let mut terms = Terms { reason, ..Terms::default() };
        if let Some(package) = package
            && let Err(reason) = package.narrow(&mut terms)
        {
            list.leave_out(line, &reason)?;
            continue;
        }
        match vulnerability.filter(|id| !id.trim().is_empty()) {
            Some(id) => list.add(line, &id, terms)?,
            None => list.leave_out(line, "it is about all vulnerabilities")?,
        }
    }
    Ok(())
}

impl Package {
    fn narrow(self, terms: &mut Terms) -> Result<(), String> {
        if let Some(key) = self.other.keys().next() {
            return Err(format!("it has a condition that is not known here: package.{key}"));
        }
        if self.kind.as_deref().is_some_and(|kind| kind != "deb") {
            return Err("it is about something other than a Debian package".to_owned());
        }
        terms.version = self.version;
        terms.is_source = self.upstream.is_some();
        terms.package = match (self.name, self.upstream) {
            (Some(_), Some(_)) => return Err("it names a package and a source package".to_owned()),
            (name, upstream) => name.or(upstream).map(|name| pattern(&name)).transpose()?,
        };
        if terms.version.is_some() && terms.package.is_none() {
            return Err("it names a version and no package".to_owned());
        }
        Ok(())
    }
}

/// Grype's names are regular expressions of the whole name. Those that a pattern can say as well are taken.
fn pattern(expression: &str) -> Result<String, String> {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    let expression = expression.strip_suffix('$').unwrap_or(expression);
    let mut pattern = String::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '.' if rest.peek() == Some(&'*') => {
                rest.next();
                pattern.push('*');
            }
            '\\' => match rest.next() {
                Some(c) if !c.is_ascii_alphanumeric() => pattern.push_str(&literal(&c.to_string())),
                _ => return Err("the expression of its package says more than a pattern can".to_owned()),
            },
            // Any character, which in a name of a package is as good as always the dot itself: that is less than it says.
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') => pattern.push(c),
            // Names of packages have it, and who writes a name does not mean an expression.
            '+' if rest.peek().is_none() || rest.peek() == Some(&'+') => pattern.push('+'),
            _ => return Err("the expression of its package says more than a pattern can".to_owned()),
        }
    }
    if pattern.is_empty() { Err("its package has no name".to_owned()) } else { Ok(pattern) }
}
