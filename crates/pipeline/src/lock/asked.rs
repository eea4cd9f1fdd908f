//! What of a recipe its lock is made for.

use std::collections::BTreeSet;

use distil_aptrepo::lock::{Asked, AskedLayers, AskedSource, AskedSources, AskedVariant};
use distil_imgcore::Platform;

use crate::recipe::{Debian, Recipe, SignedBy, SourceTable, Sources};

/// What a recipe asks for on these platforms, in the form in which a lock keeps it.
pub(super) fn of_recipe(recipe: &Recipe, platforms: &[Platform]) -> Asked {
    let debian = &recipe.debian;
    let (packages, debs) = (packages(debian), debs(debian));
    let variant = |name: &str| {
        let variant = recipe.with_variant(name).ok()?.debian;
        let more = |all: BTreeSet<String>, own: &BTreeSet<String>| all.difference(own).cloned().collect();
        let (packages, debs) = (more(self::packages(&variant), &packages), more(self::debs(&variant), &debs));
        Some((name.to_owned(), AskedVariant { packages, debs }))
    };
    Asked {
        platforms: platforms.iter().cloned().collect(),
        variants: recipe.variants().filter_map(variant).collect(),
        exclude: debian.exclude.iter().map(|excluded| excluded.package.to_string()).collect(),
        recommends: debian.recommends,
        sources: sources(&debian.sources),
        base: recipe.base.as_ref().map(|base| base.image.to_string()),
        layers: AskedLayers { strategy: recipe.layers.strategy.as_str().to_owned(), max: recipe.layers.max },
        packages,
        debs,
    }
}

fn packages(debian: &Debian) -> BTreeSet<String> {
    debian.packages.iter().map(|package| package.request.to_string()).collect()
}

fn debs(debian: &Debian) -> BTreeSet<String> {
    debian.debs.iter().map(|pattern| pattern.as_str().to_owned()).collect()
}

fn sources(sources: &Sources) -> AskedSources {
    match sources {
        Sources::Host { suites, .. } => {
            AskedSources::Host { suites: suites.as_ref().map(|suites| suites.iter().cloned().collect()) }
        }
        Sources::Tables(tables) => AskedSources::Tables(tables.iter().flat_map(table).collect()),
    }
}

/// One for each suite, so that it makes no difference how suites are put together in tables.
fn table(table: &SourceTable) -> impl Iterator<Item = AskedSource> {
    table.suites.iter().map(|suite| AskedSource {
        suite: suite.clone(),
        components: table.components.iter().cloned().collect(),
        architectures: table.architectures.as_ref().map(|list| list.iter().map(ToString::to_string).collect()),
        signed_by: match &table.signed_by {
            SignedBy::File(path) => [path.to_string_lossy().into_owned()].into(),
            SignedBy::Fingerprints(fingerprints) => fingerprints.iter().map(ToString::to_string).collect(),
        },
        snapshot: table.snapshot,
    })
}

#[cfg(test)]
mod tests {
    use distil_aptrepo::lock::Difference;

    use super::*;

    const RECIPE: &str = "
[base]
image = 'oci:base'
[debian]
sources = [
    { uris = ['http://a/'], suites = ['b', 'a'], components = ['main', 'contrib'], signed-by = 'k.gpg' },
    { uris = ['file:x'], suites = ['./'], architectures = ['amd64'], signed-by = '4cb50190207b4758a3f73a796ed0e7b82643e131' },
]
packages = ['zlib1g', 'curl >= 7']
debs = ['*.deb']
exclude = [{ package = 'perl-base', reason = 'none' }]
[variants.v]
packages = ['curl>=7', 'busybox']
";

    fn asked(text: &str) -> Asked {
        of_recipe(&Recipe::parse(text).unwrap(), &["linux/amd64".parse().unwrap()])
    }

    #[test]
    fn what_decides_no_package_may_change() {
        let same = "
image.entrypoint = ['/usr/bin/x']
base = { image = 'oci:base', public-name = 'registry.example.org/base' }
layers.compression = 'gzip'
files.'/x' = { source = 'x' }
[debian]
exclude = [{ package = 'perl-base', reason = 'another' }]
database = 'status'
debs = ['*.deb']
packages = ['curl>=7', 'zlib1g']
[[debian.sources]]
uris = ['file:///x']
suites = ['./']
architectures = ['amd64']
signed-by = ['4CB5 0190 207B 4758 A3F7 3A79 6ED0 E7B8 2643 E131']
[[debian.sources]]
uris = ['https://b/', 'https://c/']
suites = ['a']
components = ['contrib', 'main']
signed-by = 'k.gpg'
[[debian.sources]]
uris = ['https://d/']
suites = ['b']
components = ['main', 'contrib']
signed-by = 'k.gpg'
[variants.v]
packages = ['busybox']
debs = ['*.deb']
";
        assert_eq!(asked(RECIPE).differences(&asked(same)), []);
        assert_eq!(asked(RECIPE).digest(), asked(same).digest());
    }

    #[test]
    fn what_decides_packages_is_seen() {
        let differences = |from: &str, to: &str| -> Vec<String> {
            let changed = RECIPE.replacen(from, to, 1);
            assert_ne!(changed, RECIPE, "{from}");
            asked(RECIPE).differences(&asked(&changed)).iter().map(Difference::to_string).collect()
        };
        assert_eq!(differences("'zlib1g', ", ""), ["packages: zlib1g was removed"]);
        assert_eq!(
            differences("curl >= 7", "curl >= 8"),
            ["packages: curl>=8 was added", "packages: curl>=7 was removed", "variants.v.packages: curl>=7 was added",]
        );
        assert_eq!(differences("'busybox'", "'dash'").len(), 2);
        assert_eq!(differences("'*.deb'", "'*.deb', 'x/*.deb'"), ["debs: x/*.deb was added"]);
        assert_eq!(differences("perl-base", "perl"), ["exclude: perl was added", "exclude: perl-base was removed"]);
        assert_eq!(differences("'oci:base'", "'oci:base:v2'"), ["base: oci:base became oci:base:v2"]);
        assert_eq!(differences("[debian]", "[layers]\nmax = 9\n[debian]"), ["layers.max: 40 became 9"]);
        assert_eq!(differences("debs", "recommends = true\ndebs"), ["recommends: false became true"]);
        assert_eq!(differences("'k.gpg'", "'l.gpg'").len(), 4);
        let snapshot = "suites = ['./'], snapshot = '20260818T205150Z'";
        assert_eq!(differences("suites = ['./']", snapshot).len(), 2);
        let recipe = Recipe::parse(RECIPE).unwrap();
        let arm = of_recipe(&recipe, &["linux/arm64".parse().unwrap()]);
        assert_eq!(asked(RECIPE).differences(&arm).len(), 2);
    }
}
