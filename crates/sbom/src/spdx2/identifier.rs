//! The identifiers of elements within a document.

use std::collections::BTreeSet;

use distil_imgcore::{Digest, ImagePath};

use crate::inventory::{Inventory, Package, PackageKind, SourcePackage};

/// The document itself.
pub(super) const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// What stands for all that nobody claims to know.
pub(super) const NOASSERTION: &str = "NOASSERTION";
/// What stands for a known absence.
pub(super) const NONE: &str = "NONE";

const FILE: &str = "SPDXRef-File-";
/// Longer identifiers become digests of themselves. Names of packages are not that long, but a hostile one may be.
const LONGEST: usize = 250;

/// The identifiers of all elements of an image but its files, whose identifiers follow from their paths.
///
/// They say what they stand for, and are the same in the documents of the next image as long as that does not change. Their
/// beginnings are Trivy's, which tells elements apart by them.
#[derive(Debug)]
pub(super) struct Identifiers {
    pub(super) image: String,
    pub(super) system: Option<String>,
    pub(super) base: Option<String>,
    pub(super) layers: Vec<String>,
    pub(super) packages: Vec<String>,
}

impl Identifiers {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let image = &inventory.image;
        let of_digest = |start: &str, digest: Option<&Digest>| match digest {
            Some(digest) => format!("{start}{}-{}", digest.algorithm(), digest.hex()),
            None => format!("{start}unknown"),
        };
        let layer = |(at, layer): (usize, &crate::inventory::LayerFacts)| {
            of_digest(&format!("SPDXRef-Layer-{at}-"), Some(layer.diff_id.as_digest()))
        };
        let release = |system: &crate::inventory::System| system.version_id.clone().or_else(|| system.codename.clone());
        Self {
            image: of_digest("SPDXRef-ContainerImage-", image.digest.as_ref()),
            system: inventory.system.as_ref().map(|system| {
                let release = release(system).unwrap_or_default();
                joined("SPDXRef-OperatingSystem", &[&system.id, &release])
            }),
            base: image.base.as_ref().map(|base| of_digest("SPDXRef-BaseImage-", Some(&base.digest))),
            layers: image.layers.iter().enumerate().map(layer).collect(),
            packages: distinct(inventory.packages.iter().map(of_package)),
        }
    }
}

/// The identifier of a source package.
pub(super) fn of_source(source: &SourcePackage) -> String {
    joined("SPDXRef-Source", &[&source.name, &source.version])
}

/// The identifier of a file. Different paths have different ones.
pub(super) fn of_file(path: &ImagePath) -> String {
    let mut id = String::with_capacity(FILE.len() + 2 * path.as_bytes().len());
    id.push_str(FILE);
    escape(path.as_bytes(), &mut id);
    id
}

/// The path in an identifier that [`of_file`] made.
pub(super) fn path_of(identifier: &str) -> Option<ImagePath> {
    let mut bytes = identifier.strip_prefix(FILE)?.bytes();
    let mut path = Vec::with_capacity(bytes.len());
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'-' => match bytes.next()? {
                b'-' => b'/',
                high => u8::from_str_radix(std::str::from_utf8(&[high, bytes.next()?]).ok()?, 16).ok()?,
            },
            byte => byte,
        });
    }
    ImagePath::from_archive(&path).ok()
}

fn of_package(package: &Package) -> String {
    // Of Debian packages it is the distribution, which the element of the operating system tells.
    let namespace = package.namespace.as_deref().filter(|_| package.kind != PackageKind::Deb);
    let of = [namespace, Some(&package.name), package.version.as_deref(), package.architecture.as_deref()];
    let parts: Vec<&str> = std::iter::once(package.kind.as_str()).chain(of.into_iter().flatten()).collect();
    joined("SPDXRef-Package", &parts)
}

/// The same archive may lie in an image twice. An `x` after a dash is nothing that escaping makes.
fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let one = |(number, id): (usize, String)| {
        let id = if taken.contains(&id) { format!("{id}-x{number}") } else { id };
        taken.insert(id.clone());
        id
    };
    all.enumerate().map(one).collect()
}

fn joined(start: &str, parts: &[&str]) -> String {
    let mut id = start.to_owned();
    for (at, part) in parts.iter().enumerate() {
        id.push_str(if at == 0 { "-" } else { "--" });
        escape(part.as_bytes(), &mut id);
    }
    if id.len() > LONGEST { format!("{start}-{}", Digest::of(id.as_bytes()).hex()) } else { id }
}

/// Identifiers have letters, digits, full stops and dashes. A dash begins what stands for something else: a second dash for a
/// slash, two digits for another byte.
fn escape(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        match byte {
            b'/' => out.push_str("--"),
            byte if byte.is_ascii_alphanumeric() || *byte == b'.' => out.push(char::from(*byte)),
            byte => {
                let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
                out.extend(['-', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_readable() {
        let path = ImagePath::from_archive(b"usr/lib/x86_64-linux-gnu/libc.so.6").unwrap();
        assert_eq!(of_file(&path), "SPDXRef-File-usr--lib--x86-5f64-2dlinux-2dgnu--libc.so.6");
        let inventory = crate::sample::inventory();
        let ids = Identifiers::of(&inventory);
        assert_eq!(ids.packages[0], "SPDXRef-Package-deb--libweird-2b-2b1--2-3a1.0-7erc1-2bdfsg-2d1-2bb2--amd64");
        assert_eq!(ids.packages[2], "SPDXRef-Package-golang--github.com--Example--mod--v1.2.3");
        assert_eq!(ids.system.unwrap(), "SPDXRef-OperatingSystem-debian--12");
    }

    #[test]
    fn packages_that_are_alike_have_different_identifiers() {
        let mut inventory = crate::sample::hostile();
        let twice = inventory.packages.clone();
        inventory.packages.extend(twice);
        let ids = Identifiers::of(&inventory).packages;
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), inventory.packages.len());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        assert!(ids.iter().all(|id| id.len() <= LONGEST + 10 && id.chars().all(allowed)));
    }

    proptest! {
        #[test]
        fn paths_come_back(name in proptest::collection::vec(1_u8.., 1..40)) {
            if let Ok(path) = ImagePath::from_archive(&name) && !path.is_root() {
                prop_assert_eq!(path_of(&of_file(&path)), Some(path));
            }
        }

        #[test]
        fn any_identifier_is_read(text in ".{0,40}") {
            let _ = path_of(&text);
            let _ = path_of(&format!("{FILE}{text}"));
        }
    }
}
