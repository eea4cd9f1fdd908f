//! `.trivyignore.yaml`.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{DebianPackage, IgnoreError, List, Terms, day, yaml};

/// Why a package URL is not taken over.
const NOT_DEBIAN: &str = "it is about something other than a Debian package of any architecture";

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    vulnerabilities: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    id: Spanned<String>,
    #[serde(default)]
    paths: Option<Vec<String>>,
    #[serde(default)]
    purls: Option<Vec<String>>,
    #[serde(default)]
    expired_at: Option<String>,
    #[serde(default)]
    statement: Option<String>,
}

pub(super) fn read(text: &str, list: &mut List<'_>) -> Result<(), IgnoreError> {
    let config: Config = yaml::parse(text)?;
    for entry in config.vulnerabilities.unwrap_or_default() {
        let line = yaml::line(&entry.id);
        let expires = entry.expired_at.map(|date| day(&date, line)).transpose()?;
        let terms = Terms { expires, reason: entry.statement, ..Terms::default() };
        if entry.paths.is_some_and(|paths| !paths.is_empty()) {
            list.leave_out(line, "it is about files, and a Debian package is not found by one")?;
            continue;
        }
        let urls = entry.purls.unwrap_or_default();
        if urls.is_empty() {
            list.add(line, &entry.id.value, terms)?;
            continue;
        }
        for url in urls {
            match DebianPackage::of(&url) {
                Some(DebianPackage { pattern, version, is_source }) => {
                    let terms = Terms { package: Some(pattern), version, is_source, ..terms.clone() };
                    list.add(line, &entry.id.value, terms)?;
                }
                None => list.leave_out(line, NOT_DEBIAN)?,
            }
        }
    }
    Ok(())
}
