//! What the files of an image tell beside its packages, where a policy asks for it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use distil_cache::Values;
use distil_imgcore::Image;
use distil_policy::Policy;
use distil_policy::facts::PlatformFacts;
use distil_sbom::PackageKind;

use crate::contents::Contents;
use crate::describe::debs;
use crate::harden::{Observed, observed};
use crate::layer_view;
use crate::packages::Packages;
use crate::progress::Progress;
use crate::read::ReadError;

/// What a policy asks of the files of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    observations: bool,
    licences: bool,
}

impl Asked {
    /// By a policy.
    pub(super) fn by(policy: &Policy) -> Self {
        Self { observations: policy.hardening.asks(), licences: !policy.licences.is_empty() }
    }

    /// Whether it asks for nothing but the packages.
    pub(super) fn is_nothing(self) -> bool {
        !self.observations && !self.licences
    }

    /// Looks at the files of an image; beside it come the records of packages, as a scan reads them. Layers that the cache knows
    /// are not read.
    ///
    /// # Errors
    /// [`ReadError`]
    pub(super) fn look(
        self,
        image: &Image,
        cache: Option<&Values>,
        jobs: NonZeroUsize,
        progress: &dyn Progress,
    ) -> Result<(Contents, Seen), ReadError> {
        let view = layer_view::read(image, cache, jobs, progress)?;
        let packages = Packages::read(&view.contents);
        let licences =
            self.licences.then(|| licences(&view.contents, &packages, jobs)).transpose()?.unwrap_or_default();
        let observed = self.observations.then(|| observed(image, &view.contents, &packages));
        Ok((view.records, Seen { observed, licences }))
    }
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Seen {
    observed: Option<Observed>,
    /// By name and version of a Debian package.
    licences: BTreeMap<(String, String), String>,
}

impl Seen {
    /// Adds it to what is known of the image.
    pub(super) fn add_to(&self, facts: &mut PlatformFacts) {
        if let Some(observed) = &self.observed {
            facts.observations.clone_from(&observed.observations);
            facts.unreadable.extend(observed.unreadable.iter().cloned());
            facts.unreadable.sort();
            facts.unreadable.dedup();
        }
        let debs = facts.packages.iter_mut().filter(|package| package.kind == PackageKind::Deb.as_str());
        for package in debs.filter(|package| package.licences.is_none()) {
            let key = (package.name.clone(), package.version.clone());
            package.licences = self.licences.get(&key).cloned();
        }
    }
}

/// What copyright files say of the Debian packages.
fn licences(
    contents: &Contents,
    packages: &Packages,
    jobs: NonZeroUsize,
) -> Result<BTreeMap<(String, String), String>, ReadError> {
    let of_package = |package: distil_sbom::Package| {
        let licences = package.licences.concluded.or(package.licences.declared)?;
        Some(((package.name, package.version.unwrap_or_default()), licences))
    };
    Ok(debs(contents, packages, jobs)?.into_iter().filter_map(of_package).collect())
}
