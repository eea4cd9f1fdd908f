//! What the parts of a document call each other by.

use std::collections::BTreeSet;

use crate::inventory::{File, Inventory};
use crate::pages::in_path;
use crate::purl::Purl;

/// The `bom-ref` of each component but files: unique, and the same for the same image. It is the package URL, which also
/// tells people what is meant.
#[derive(Debug)]
pub(super) struct Refs {
    pub(super) image: String,
    pub(super) system: Option<String>,
    /// By the number of the package.
    pub(super) packages: Vec<String>,
    /// Package URLs by the number of the package: more than one package may have the same.
    pub(super) purls: Vec<String>,
}

impl Refs {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut taken = BTreeSet::new();
        let image = unique(&mut taken, Purl::of_image(&inventory.image).to_string());
        let system = inventory.system.as_ref().map(|system| {
            let distro = system.distro();
            let name = in_path(distro.as_ref().unwrap_or(&system.id).as_bytes()).to_string();
            unique(&mut taken, format!("operating-system:{name}"))
        });
        let purl = |package| Purl::of(package, inventory.system.as_ref()).to_string();
        let purls: Vec<String> = inventory.packages.iter().map(purl).collect();
        let packages = purls.iter().map(|purl| unique(&mut taken, purl.clone())).collect();
        Self { image, system, packages, purls }
    }
}

/// The `bom-ref` of a file: a URL of its path within the image, every byte of which comes back from it.
pub(super) fn of_file(file: &File) -> String {
    let mut name = String::from(FILE);
    for component in file.path.components() {
        name.push('/');
        name.extend([in_path(component).to_string()]);
    }
    name
}

/// What references to files start with, before the slash of the path.
pub(super) const FILE: &str = "file://";

/// The text, or where something is called so already the text with a number that nothing else has.
fn unique(taken: &mut BTreeSet<String>, text: String) -> String {
    let numbered = (2_usize..).map(|number| format!("{text}#{number}"));
    let mut candidates = std::iter::once(text.clone()).chain(numbered);
    candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Package, PackageKind};

    #[test]
    fn packages_with_one_url_have_their_own_references() {
        let package = Package::new(PackageKind::Npm, "left-pad", Some("1.0.0".into()));
        let refs =
            Refs::of(&Inventory { packages: vec![package.clone(), package.clone(), package], ..Inventory::default() });
        assert_eq!(refs.packages, ["pkg:npm/left-pad@1.0.0", "pkg:npm/left-pad@1.0.0#2", "pkg:npm/left-pad@1.0.0#3"]);
        assert_eq!(refs.purls, ["pkg:npm/left-pad@1.0.0"; 3]);
    }
}
