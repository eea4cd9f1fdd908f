//! The packages of an image of one platform.

use distil_imgcore::Image;
use distil_policy::facts::{PackageFacts, PlatformFacts};
use distil_sbom::debian;
use distil_vulns::release::Releases;
use distil_vulns::vex::Subject;

use super::ScannedPlatform;
use crate::check::{documents, package};
use crate::contents::Contents;
use crate::packages::{Installed, Packages};
use crate::records;

/// Takes them from the records alone. Beside them comes the version of the release.
pub(super) fn of(image: &Image, contents: &Contents, releases: &Releases) -> (ScannedPlatform, Option<String>) {
    let system = records::system(contents);
    let release = system.as_ref().and_then(|system| releases.identify(system));
    let found = Packages::read(contents);
    let facts = |found: &Installed| PackageFacts {
        is_partial: !found.is_whole,
        ..package(&debian::package(&found.control), release.is_some())
    };
    let mut packages: Vec<_> = found.installed.iter().map(facts).collect();
    packages.sort();
    packages.dedup();
    let foreign = packages.iter().filter(|package| release.is_some() && !package.has_advisories);
    let foreign = foreign.map(|package| (package.name.clone(), package.version.clone())).collect();
    let facts = PlatformFacts {
        system: system.as_ref().map(|system| system.id.clone()),
        release: release.map(|release| release.codename.clone()),
        unreadable: found.unreadable.iter().map(ToString::to_string).collect(),
        packages,
        ..documents(image)
    };
    let version = release.and_then(|release| release.version.clone());
    let architecture = facts.packages.iter().filter_map(|package| package.architecture.clone());
    let subject = Subject {
        architecture: architecture.into_iter().find(|name| name != "all"),
        distro: system.and_then(|system| system.distro()),
        ..Subject::default()
    };
    (ScannedPlatform { facts, subject, foreign }, version)
}
