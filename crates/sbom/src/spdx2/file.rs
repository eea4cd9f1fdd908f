//! Files, and the codes that stand for all files of a package.

use distil_imgcore::ImagePath;
use serde::{Serialize, Serializer};
use sha1::{Digest as _, Sha1};

use super::identifier;
use crate::document::About;
use crate::inventory::{File, Inventory, LayerFacts, Owner};
use crate::json::Hex;

/// What the comment of a file begins with that tells of its layer; `BuildKit` writes it so.
pub(super) const LAYER: &str = "layerID: ";

/// A file as documents have it. There is no field for its size.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileElement<'a> {
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(serialize_with = "name")]
    file_name: &'a ImagePath,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_types: Option<[&'static str; 1]>,
    #[serde(serialize_with = "checksums")]
    checksums: &'a File,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<InLayer<'a>>,
}

#[derive(Debug)]
struct InLayer<'a>(&'a LayerFacts);

impl<'a> FileElement<'a> {
    /// The files that a document has elements for: each needs a SHA-1, and the team's own are always listed.
    pub(super) fn all(inventory: &'a Inventory, about: &'a About) -> impl Iterator<Item = Self> {
        listed(inventory, about).map(|file| Self {
            id: identifier::of_file(&file.path),
            file_name: &file.path,
            file_types: file.is_executable.then_some(["APPLICATION"]),
            checksums: file,
            comment: file.layer.and_then(|layer| inventory.image.layers.get(layer)).map(InLayer),
        })
    }
}

impl Serialize for InLayer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{LAYER}{}", self.0.diff_id))
    }
}

/// The files that a document lists.
pub(super) fn listed<'a>(inventory: &'a Inventory, about: &About) -> impl Iterator<Item = &'a File> {
    let all = about.files;
    inventory.files.iter().filter(move |file| is_listed(file) && (all || file.owner == Owner::Recipe))
}

/// A path as documents have it. Names that are not UTF-8 have their bytes escaped; the identifier tells them apart from
/// names that look so.
pub(super) fn name_of(path: &ImagePath) -> String {
    match std::str::from_utf8(path.as_bytes()) {
        Ok(path) => format!("./{path}"),
        Err(_) => format!(".{path}"),
    }
}

/// The verification codes of what all files are listed of.
///
/// See the [algorithm](https://spdx.github.io/spdx-spec/v2.3/package-information/#79-package-verification-code-field). A package
/// without a code must not contain a file, by the specification and to pyspdxtools.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) image: Option<[u8; 20]>,
    pub(super) packages: Vec<Option<[u8; 20]>>,
}

impl Codes {
    pub(super) fn of(inventory: &Inventory, about: &About) -> Self {
        let mut image = Some(Vec::new());
        let mut packages = vec![Some(Vec::new()); inventory.packages.len()];
        for file in &inventory.files {
            let sha1 = file.digests.sha1.filter(|_| about.files);
            let owner = match file.owner {
                Owner::Package { number, .. } => packages.get_mut(number),
                Owner::Recipe | Owner::Generated | Owner::Unknown => None,
            };
            for sums in [Some(&mut image), owner].into_iter().flatten() {
                match (sha1, &mut *sums) {
                    (Some(sha1), Some(sums)) => sums.push(sha1),
                    _ => *sums = None,
                }
            }
        }
        Self { image: image.and_then(code), packages: packages.into_iter().map(|sums| sums.and_then(code)).collect() }
    }
}

fn code(mut sums: Vec<[u8; 20]>) -> Option<[u8; 20]> {
    sums.sort_unstable();
    let mut all = Sha1::new();
    let mut digits = [0; 40];
    for sum in &sums {
        hex::encode_to_slice(sum, &mut digits).ok()?;
        all.update(digits);
    }
    (!sums.is_empty()).then(|| all.finalize().into())
}

fn is_listed(file: &File) -> bool {
    file.digests.sha1.is_some() && !file.path.is_root()
}

fn name<S: Serializer>(path: &ImagePath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name_of(path))
}

/// No SHA-512: it would be half of a large document, and files are compared by the others.
fn checksums<S: Serializer>(file: &File, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Checksum<'a> {
        algorithm: &'static str,
        checksum_value: Hex<'a>,
    }
    let digests = &file.digests;
    let known = [
        ("SHA1", digests.sha1.as_ref().map(<[u8; 20]>::as_slice)),
        ("SHA256", digests.sha256.as_ref().map(<[u8; 32]>::as_slice)),
        ("MD5", digests.md5.as_ref().map(<[u8; 16]>::as_slice)),
    ];
    let known = known.into_iter().filter_map(|(algorithm, value)| Some((algorithm, Hex(value?))));
    serializer.collect_seq(known.map(|(algorithm, checksum_value)| Checksum { algorithm, checksum_value }))
}
