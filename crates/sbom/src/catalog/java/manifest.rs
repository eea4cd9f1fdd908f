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

    /// The group as far as names with dots tell of one.
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
        value(group_of(&full, name))
    }
}

/// The group in a name that Maven's plugin for bundles made: `GROUP.NAME`, where what the group ends with and the name begins
/// with stands once. So `org.apache.ivy` is `ivy` of that group, and `ch.qos.logback.core` is `logback-core` of
/// `ch.qos.logback`.
fn group_of<'a>(full: &'a str, name: &str) -> &'a str {
    let without = |ending: &str| full.strip_suffix(ending).and_then(|rest| rest.strip_suffix('.'));
    let Some((first, rest)) = name.split_once('-') else { return full };
    let shared = without(rest).filter(|group| group.rsplit('.').next() == Some(first));
    shared.or_else(|| without(name)).unwrap_or(full)
}

/// The name and the version of an archive that is called `NAME-VERSION`: what follows the first `-` before a digit, unless the
/// version of its manifest is the end of that name. Manifests are copied from release to release, and names are not.
fn split(stem: &str, told: Option<String>) -> (&str, Option<String>) {
    let ending = told.as_deref().and_then(|version| stem.strip_suffix(version)?.strip_suffix('-'));
    if let Some(name) = ending {
        return (name, told);
    }
    let mut cuts = stem.match_indices('-').filter_map(|(at, _)| stem.split_at_checked(at));
    let cut = cuts.find_map(|(name, rest)| {
        let version = rest.strip_prefix('-').filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))?;
        Some((name, version))
    });
    match cut {
        Some((name, version)) => (name, value(version)),
        None => (stem, told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives_are_names_and_versions() {
        #[track_caller]
        fn check(stem: &str, told: Option<&str>, expected: (&str, Option<&str>)) {
            let (name, version) = split(stem, told.map(str::to_owned));
            assert_eq!((name, version.as_deref()), expected);
        }
        check("ivy-2.5.1", Some("2.4.0"), ("ivy", Some("2.5.1")));
        check("log4j-1.2-api-2.17.1", Some("2.17.1"), ("log4j-1.2-api", Some("2.17.1")));
        check("commons-lang3", Some("3.12.0"), ("commons-lang3", Some("3.12.0")));
        check("spring-boot-loader", None, ("spring-boot-loader", None));
        check("-1", None, ("", Some("1")));
    }

    #[test]
    fn groups_are_read_from_names_of_bundles() {
        #[track_caller]
        fn check(full: &str, name: &str, expected: &str) {
            assert_eq!(group_of(full, name), expected);
        }
        check("org.apache.ivy", "ivy", "org.apache.ivy");
        check("ch.qos.logback.core", "logback-core", "ch.qos.logback");
        check("org.apache.commons.lang3", "commons-lang3", "org.apache.commons");
        check("com.fasterxml.jackson.core.jackson-databind", "jackson-databind", "com.fasterxml.jackson.core");
        check("org.example", "other-thing", "org.example");
    }

    #[test]
    fn attributes_go_on_in_the_next_line() {
        let manifest = Manifest::parse(
            b"Manifest-Version: 1.0\r\nBundle-License: \"https://example.org/a\r\n b\";link=x\r\nImplementation-Version: ${version}\r\n\r\nName: x\r\nBundle-Version: 9\r\n",
        );
        assert_eq!(manifest.licence().as_deref(), Some("https://example.org/ab"));
        assert_eq!((manifest.value("Implementation-Version"), manifest.value("Bundle-Version")), (None, None));
        assert_eq!(manifest.found("resources"), None);
    }
}
