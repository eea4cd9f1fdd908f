//! Debian packages, from their own control data.

use std::collections::BTreeMap;

use distil_debunpack::{Control, Group, Relation, RelationField, Version};

use crate::inventory::{Agent, BuiltUsing, Dependency, Package, PackageKind, SourcePackage};

/// A package as its control data describes it. What it needs is resolved by [`resolve`], once all packages are known.
#[must_use]
pub fn package(control: &Control) -> Package {
    let version = control.version().to_string();
    let source = control.source();
    let description = control.description().unwrap_or_default();
    let (summary, rest) = description.split_once('\n').unwrap_or((&description, ""));
    Package {
        architecture: Some(control.architecture().to_string()),
        source: Some(SourcePackage { name: source.name.to_string(), version: source.version.to_string() }),
        built_using: built_using(control),
        maintainer: control.maintainer().as_deref().and_then(Agent::parse),
        homepage: control.text("Homepage").map(|text| text.trim().to_owned()).filter(|text| is_url(text)),
        summary: Some(summary.trim().to_owned()).filter(|text| !text.is_empty()),
        description: Some(unfolded(rest)).filter(|text| !text.is_empty()),
        section: control.section().map(|text| text.trim().to_owned()),
        priority: control.priority().map(|text| text.trim().to_owned()),
        ..Package::new(PackageKind::Deb, control.package().as_str(), Some(version))
    }
}

/// Finds for every package what it needs, by `Depends` and `Pre-Depends`. `controls` holds the control data of the Debian
/// packages among them, by their numbers.
///
/// Of several alternatives the first one counts that is there, be it under another name by `Provides`; where none is, the
/// relation is named as missing. A field that cannot be read names nothing.
pub fn resolve(packages: &mut [Package], controls: &BTreeMap<usize, &Control>) {
    let offers = Offers::of(controls);
    for (number, control) in controls {
        let mut needs = Vec::new();
        for field in [RelationField::PreDepends, RelationField::Depends] {
            let Ok(relations) = control.relations(field) else { continue };
            for group in relations.groups() {
                needs.push(match group.alternatives().iter().find_map(|wanted| offers.find(wanted)) {
                    Some(found) if found == *number => continue,
                    Some(found) => Dependency::Package(found),
                    None => Dependency::Missing(group.to_string()),
                });
            }
        }
        needs.sort();
        needs.dedup();
        if let Some(package) = packages.get_mut(*number) {
            package.dependencies = needs;
        }
    }
}

/// What there is to satisfy relations with, by name.
struct Offers<'a>(BTreeMap<String, Vec<Offer<'a>>>);

struct Offer<'a> {
    number: usize,
    /// None where a package is provided without a version, which satisfies no relation that states one.
    version: Option<std::borrow::Cow<'a, Version>>,
}

impl<'a> Offers<'a> {
    fn of(controls: &BTreeMap<usize, &'a Control>) -> Self {
        let mut offers: BTreeMap<String, Vec<Offer<'a>>> = BTreeMap::new();
        for (number, control) in controls {
            let version = Some(std::borrow::Cow::Borrowed(control.version()));
            offers.entry(control.package().to_string()).or_default().push(Offer { number: *number, version });
        }
        // Real packages come first, so that they are found before those that only provide a name.
        for (number, control) in controls {
            let Ok(provided) = control.relations(RelationField::Provides) else { continue };
            for relation in provided.groups().iter().flat_map(Group::alternatives) {
                let version = relation.constraint.as_ref().map(|bound| std::borrow::Cow::Owned(bound.version.clone()));
                let offer = Offer { number: *number, version };
                offers.entry(relation.package.to_string()).or_default().push(offer);
            }
        }
        Self(offers)
    }

    fn find(&self, wanted: &Relation) -> Option<usize> {
        let fits = |offer: &&Offer<'_>| match &wanted.constraint {
            None => true,
            Some(bound) => offer.version.as_ref().is_some_and(|version| bound.allows(version)),
        };
        self.0.get(wanted.package.as_str())?.iter().find(fits).map(|offer| offer.number)
    }
}

/// The source packages whose code was built in.
fn built_using(control: &Control) -> Vec<BuiltUsing> {
    let mut found = Vec::new();
    for (field, is_static) in [(RelationField::BuiltUsing, false), (RelationField::StaticBuiltUsing, true)] {
        let Ok(relations) = control.relations(field) else { continue };
        for relation in relations.groups().iter().flat_map(Group::alternatives) {
            if let Some(bound) = &relation.constraint {
                let source = SourcePackage { name: relation.package.to_string(), version: bound.version.to_string() };
                found.push(BuiltUsing { source, is_static });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The lines of a folded field without their first space; a line of a single dot is an empty one.
fn unfolded(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix(' ').unwrap_or(line) {
        "." => String::new(),
        line => line.trim_end().to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(text: &str) -> Control {
        let text = format!("{text}Architecture: amd64\nMaintainer: Team <team@example.org>\n");
        Control::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn control_data_becomes_a_package() {
        let busybox = control(
            "Package: busybox-static\nVersion: 1:1.35.0-4+b3\nSource: busybox (1:1.35.0-4)\nBuilt-Using: glibc (= 2.36-8)\n\
             Homepage: https://example.org\nDescription: small tools\n Many.\n .\n More.\n",
        );
        let found = package(&busybox);
        assert_eq!((found.name.as_str(), found.version.as_deref()), ("busybox-static", Some("1:1.35.0-4+b3")));
        let source = |name: &str, version: &str| SourcePackage { name: name.into(), version: version.into() };
        assert_eq!(found.source, Some(source("busybox", "1:1.35.0-4")));
        assert_eq!(found.built_using, [BuiltUsing { source: source("glibc", "2.36-8"), is_static: false }]);
        assert_eq!(found.summary.as_deref(), Some("small tools"));
        assert_eq!(found.description.as_deref(), Some("Many.\n\nMore."));
        assert_eq!(found.homepage.as_deref(), Some("https://example.org"));
    }

    #[test]
    fn needs_are_met_by_names_by_provides_and_not_by_older_versions() {
        let controls = [
            control(
                "Package: app\nVersion: 1\nDepends: lib (>= 2), mta | mail, gone (>= 1), api (= 3)\nPre-Depends: init\n",
            ),
            control("Package: lib\nVersion: 1.9\n"),
            control("Package: postfix\nVersion: 3\nProvides: mail, api (= 3)\n"),
            control("Package: init\nVersion: 1\nDepends: init\n"),
        ];
        let mut packages: Vec<Package> = controls.iter().map(package).collect();
        let by_number = controls.iter().enumerate().collect();
        resolve(&mut packages, &by_number);
        let missing = |text: &str| Dependency::Missing(text.to_owned());
        let expected = [Dependency::Package(2), Dependency::Package(3), missing("gone (>= 1)"), missing("lib (>= 2)")];
        assert_eq!(packages[0].dependencies, expected);
        assert_eq!(packages[3].dependencies, []);
    }
}
