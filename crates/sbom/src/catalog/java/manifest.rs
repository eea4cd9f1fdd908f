//! The manifest of a Java archive.
//!
//! See the [specification](https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest), and
//! [OSGi](https://docs.osgi.org/specification/osgi.core/8.0.0/framework.module.html) for what begins with `Bundle-`.

use std::collections::BTreeMap;

use super::super::found::{Found, value};
use crate::inventory::PackageKind;

/// Where it is in an archive.
pub(super) const PATH: &[u8] = b"META-INF/MANIFEST.MF";

/// The attributes of the archive as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Reads the attributes up to the first empty line. A line that begins with a blank belongs to the value before.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut last = String::new();
        for line in text.lines().take_while(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix(' ') {
                if let Some(value) = values.get_mut(&last) {
                    value.push_str(rest);
                }
            } else if let Some((key, value)) = line.split_once(':') {
                key.trim().clone_into(&mut last);
                values.insert(last.clone(), value.trim().to_owned());
            }
        }
        Self(values)
    }

    /// An attribute, where it says something: builds leave placeholders in them.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(|text| value(text)).filter(|text| !text.contains("${"))
    }

    /// The licence, where there is one. Parameters follow its name or URL.
    pub(super) fn licence(&self) -> Option<String> {
        let licence = self.value("Bundle-License").filter(|licence| !licence.contains(','))?;
        value(licence.split(';').next().unwrap_or_default().trim_matches('"'))
    }

    /// The archive itself by its own name and what the manifest says. None where neither has a version nor the manifest a
    /// name: folders of resources are packed into archives as well.
    pub(super) fn found(&self, stem: &str) -> Option<Found> {
        let versions = ["Implementation-Version", "Bundle-Version", "Specification-Version", "Plugin-Version"];
        let version = versions.iter().find_map(|key| self.value(key));
        let (name, version) = split(stem, version);
        if version.is_none() && self.symbolic_name().or_else(|| self.value("Implementation-Title")).is_none() {
            return None;
        }
        let found = Found::new(&PackageKind::Maven, name, version.as_deref())?;
        Some(Found {
            namespace: self.group(name),
            licence: self.licence(),
            homepage: self.value("Bundle-DocURL").or_else(|| self.value("Implementation-URL")),
            summary: self.value("Bundle-Description"),
            author: self.value("Implementation-Vendor").or_else(|| self.value("Bundle-Vendor")),
            ..found
        })
    }

    fn symbolic_name(&self) -> Option<String> {
        let name = self.value("Bundle-SymbolicName")?;
        value(name.split(';').next().unwrap_or_default())
    }

    /// The group as far as names with dots tell of one: without the name of the archive at the end.
    fn group(&self, name: &str) -> Option<String> {
        let named = [
            self.value("Implementation-Vendor-Id"),
            self.symbolic_name(),
            self.value("Automatic-Module-Name"),
            self.value("Extension-Name"),
        ];
        let is_group = |text: &String| {
            text.contains('.') && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let full = named.into_iter().flatten().find(is_group)?;
        let group = full.strip_suffix(name).and_then(|rest| rest.strip_suffix('.'));
        value(group.unwrap_or(&full))
    }
}

/// The name and the version of an archive that is called `NAME-VERSION`. The version of its manifest is the end of that
/// name, or it is what follows the first `-` before a digit.
fn split(stem: &str, told: Option<String>) -> (&str, Option<String>) {
    let ending = told.as_deref().and_then(|version| stem.strip_suffix(version)?.strip_suffix('-'));
    if let Some(name) = ending {
        return (name, told);
    }
    let hyphens = stem.match_indices('-');
    let mut cuts = hyphens.filter_map(|(at, _)| stem.split_at_checked(at));
    let cut = cuts.find_map(|(name, rest)| {
        let version = rest.strip_prefix('-').filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))?;
        Some((name, version))
    });
    match cut {
        Some((name, version)) => (name, told.or_else(|| value(version))),
        None => (stem, told),
    }
}
