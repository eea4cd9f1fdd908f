//! Packages, files and licences from everywhere as one inventory.

use std::collections::BTreeMap;

use distil_debunpack::Control;
use distil_imgcore::ImagePath;
use distil_sbom::catalog::Found;
use distil_sbom::licence::{Analysis, of_name};
use distil_sbom::{Agent, File, ImageFacts, Inventory, Owner, Package, System, debian};

/// What an inventory is made of, in any order. Debian packages are known by their names until all are there.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(crate) image: ImageFacts,
    pub(crate) system: Option<System>,
    pub(crate) debs: Vec<(Package, Control)>,
    /// Packages of other ecosystems, and the Debian package in whose files they were found.
    pub(crate) found: Vec<(Package, Option<String>)>,
    pub(crate) files: Vec<(File, Belongs)>,
    pub(crate) texts: BTreeMap<String, String>,
}

/// Whose a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Belongs {
    ToPackage {
        name: String,
        is_conffile: bool,
    },
    /// To no package: to this.
    ToNone(Owner),
}

impl Pieces {
    /// Adds a Debian package, with what its copyright file says.
    pub(crate) fn add_deb(&mut self, mut package: Package, control: Control, licences: Option<&Analysis>) {
        if let Some(found) = licences {
            package.licences = found.licences.clone();
            self.texts.extend(found.texts.iter().map(|(id, text)| (id.clone(), text.clone())));
        }
        self.debs.push((package, control));
    }

    /// Adds a package that a file tells of, with the Debian package whose file that is.
    pub(crate) fn add_found(&mut self, found: &Found, path: &ImagePath, layer: Option<usize>, holder: Option<String>) {
        let mut package = found.to_package(path);
        package.layer = layer;
        package.licences.declared = found.licence.as_deref().and_then(of_name);
        package.licences.concluded.clone_from(&package.licences.declared);
        self.found.push((package, holder));
    }

    /// The inventory.
    pub(crate) fn join(self) -> Inventory {
        let Self { image, system, mut debs, found, mut files, texts } = self;
        for (package, _) in &mut debs {
            package.namespace = system.as_ref().map(|system| system.id.clone());
            if package.supplier.is_none() {
                package.supplier = supplier(package);
            }
        }
        let mut all: Vec<(Package, Option<Control>, Option<String>)> = Vec::new();
        all.extend(debs.into_iter().map(|(package, control)| (package, Some(control), None)));
        all.extend(found.into_iter().map(|(package, holder)| (package, None, holder)));
        all.sort_by(|(a, ..), (b, ..)| a.key().cmp(&b.key()));
        let numbers: BTreeMap<String, usize> = all
            .iter()
            .enumerate()
            .filter(|(_, (_, control, _))| control.is_some())
            .map(|(number, (package, ..))| (package.name.clone(), number))
            .rev()
            .collect();
        let controls: BTreeMap<usize, &Control> =
            all.iter().enumerate().filter_map(|(number, (_, control, _))| Some((number, control.as_ref()?))).collect();
        let mut packages: Vec<Package> = all.iter().map(|(package, ..)| package.clone()).collect();
        debian::resolve(&mut packages, &controls);
        for (package, (_, _, holder)) in packages.iter_mut().zip(&all) {
            package.part_of = holder.as_ref().and_then(|name| numbers.get(name).copied());
        }
        files.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        let file = |(file, belongs): (File, Belongs)| {
            let owner = match belongs {
                Belongs::ToPackage { name, is_conffile } => {
                    numbers.get(&name).map_or(Owner::Unknown, |number| Owner::Package { number: *number, is_conffile })
                }
                Belongs::ToNone(owner) => owner,
            };
            File { owner, ..file }
        };
        Inventory { image, system, packages, files: files.into_iter().map(file).collect(), licence_texts: texts }
    }
}

/// Who supplied a package. Where its repository does not say, it is whoever maintains it, as scanners have it.
fn supplier(package: &Package) -> Option<Agent> {
    let origin = package.artefact.as_ref().and_then(|artefact| artefact.repository.as_ref()?.origin.clone());
    let named = origin.map(|name| Agent { name, contact: None, is_person: false });
    named.or_else(|| package.maintainer.clone())
}
