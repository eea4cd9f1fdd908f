//! Advisories that are made up, about packages that are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// As many as Debian's part of OSV has, and some.
const RECORDS: usize = 100_000;
/// One record of so many is about a package of the image.
const EVERY: usize = 40;
/// As many source packages as have ever had an advisory.
const SOURCES: usize = 4_000;

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    version: String,
    source: String,
    source_version: String,
}

impl Package {
    /// Those that `distil inspect --json` lists.
    pub(super) fn list(document: &str) -> Result<Vec<Self>> {
        let document: Value =
            serde_json::from_str(document).map_err(|source| Error::Json { program: "distil", source })?;
        let packages = document.get("packages").and_then(Value::as_array).into_iter().flatten();
        let text = |package: &Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
        let package = |package: &Value| {
            let (version, source) = (text(package, "version")?, text(package, "source")?);
            Some(Self { version, source, source_version: text(package, "source-version")? })
        };
        Ok(packages.filter_map(package).collect())
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Whether its version is not that of its source package.
    pub(super) fn is_rebuilt(&self) -> bool {
        self.version != self.source_version
    }
}

/// Records like OSV's of Debian, one a line, and always the same for the same packages: of each package repaired below, at and
/// above its version, by a rebuild, by an epoch, not at all, unimportant, and in other releases alone.
pub(super) fn records(packages: &[Package]) -> String {
    let versions: BTreeMap<&str, &str> =
        packages.iter().map(|p| (p.source.as_str(), p.source_version.as_str())).collect();
    let sources: Vec<(&str, &str)> = versions.into_iter().collect();
    let mut text = String::new();
    for number in 0..RECORDS {
        let (round, of_image) = (number / EVERY, number % EVERY == 0);
        let known = sources.get(round % sources.len().max(1)).filter(|_| of_image);
        let affected = match known {
            Some((source, version)) => about(source, version, round / sources.len()),
            None => about_another(&format!("source{}", number * 7 % SOURCES), number),
        };
        let cve = format!("CVE-{}-{}", 2005 + number % 20, 1000 + number);
        let record = json!({
            "schema_version": "1.7.0",
            "id": format!("DEBIAN-{cve}"),
            "published": "2024-02-03T04:05:06Z",
            "modified": "2024-03-04T05:06:07Z",
            "upstream": [cve],
            "details": format!("A flaw of number {number}. {}", "It takes some more words to say how. ".repeat(number % 9)),
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N" }],
            "affected": affected,
        });
        let _ = writeln!(text, "{record}");
    }
    text
}

/// A database that knows the release, and nothing about any package of the image.
pub(super) fn about_nothing() -> String {
    let affected = [affected("12", "no-such-source", Some("1"), "low")];
    let record = json!({ "id": "DEBIAN-CVE-2000-0001", "modified": "2024-03-04T05:06:07Z", "affected": affected });
    format!("{record}\n")
}

fn about(source: &str, version: &str, kind: usize) -> Vec<Value> {
    let kind = kind % 8;
    let (fixed, urgency) = match kind {
        0 => (Some(format!("{version}~1")), "low"),
        1 => (Some(version.to_owned()), "medium"),
        2 => (Some(format!("{version}+deb12u99")), "high"),
        3 => (Some("9999:0".to_owned()), "not yet assigned"),
        4 => (None, "not yet assigned"),
        5 => (None, "unimportant"),
        _ => (Some(format!("{version}+b1")), "low"),
    };
    let here = (kind != 6).then(|| affected("12", source, fixed.as_deref(), urgency));
    let others = ["11", "13"].map(|release| affected(release, source, Some("9999:1"), urgency));
    here.into_iter().chain(others).collect()
}

fn about_another(source: &str, number: usize) -> Vec<Value> {
    let releases = [10, 11, 12, 13].into_iter().filter(|release| !(number + release).is_multiple_of(3));
    let fixed = |release: usize| (!number.is_multiple_of(5)).then(|| format!("1.{}-{release}", number % 90));
    releases
        .map(|release| affected(&release.to_string(), source, fixed(release).as_deref(), "not yet assigned"))
        .collect()
}

fn affected(release: &str, source: &str, fixed: Option<&str>, urgency: &str) -> Value {
    let events: Vec<Value> =
        std::iter::once(json!({ "introduced": "0" })).chain(fixed.map(|fixed| json!({ "fixed": fixed }))).collect();
    json!({
        "package": { "ecosystem": format!("Debian:{release}"), "name": source },
        "ranges": [{ "type": "ECOSYSTEM", "events": events }],
        "ecosystem_specific": { "urgency": urgency },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_records_are_about_the_image_in_every_way() {
        let document = r#"{"packages":[{"version":"1.0-2+b1","source":"a","source-version":"1.0-2"},
            {"version":"1","source":"b","source-version":"1"},{"name":"half"}]}"#;
        let packages = Package::list(document).unwrap();
        assert_eq!(packages.iter().map(Package::is_rebuilt).collect::<Vec<_>>(), [true, false]);
        let text = records(&packages);
        assert_eq!((text.lines().count(), text == records(&packages)), (RECORDS, true));
        for fixed in ["1.0-2~1", "1.0-2", "1.0-2+deb12u99", "1.0-2+b1", "9999:0"] {
            assert!(text.contains(&format!("{{\"fixed\":\"{fixed}\"}}")), "{fixed}");
        }
        assert!(Package::list("{").is_err());
    }
}
