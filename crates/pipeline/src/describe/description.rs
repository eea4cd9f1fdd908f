//! What a package tells about itself beyond its control data, found when it is converted and kept beside its fragment.

use std::collections::BTreeMap;

use distil_imgcore::tree::ContentSha256;
use distil_imgcore::{Entry, FileTree, ImagePath};
use distil_sbom::catalog::Found;
use distil_sbom::licence::{Analysis, analyse};
use distil_sbom::{Digests, Licences};
use serde::{Deserialize, Serialize};

use super::look::{SeenFile, copyright_of, is_os_release};

/// What a package tells about itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    /// The digests of the .deb.
    pub(crate) digests: Digests,
    /// The SHA-1 of each file's content by its SHA-256. Paths may change on the way into an image.
    pub(crate) sha1: BTreeMap<ContentSha256, [u8; 20]>,
    /// Packages of other ecosystems, by the file that tells of them.
    pub(crate) found: Vec<(ImagePath, Vec<Found>)>,
    /// Its licences, where it has a copyright file of its own.
    pub(crate) licences: Option<Analysis>,
    /// Its `os-release`, where it brings one.
    pub(crate) system: Option<Vec<u8>>,
}

/// A description that is being made.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    sha1: BTreeMap<ImagePath, [u8; 20]>,
    found: Vec<(ImagePath, Vec<Found>)>,
    copyright: Option<Vec<u8>>,
    system: Option<Vec<u8>>,
}

impl Draft {
    /// Takes in what a file told.
    pub(crate) fn add(&mut self, entry: &Entry, package: &str, seen: SeenFile) {
        if let Some(sha1) = seen.digests.sha1 {
            self.sha1.insert(entry.path.clone(), sha1);
        }
        if !seen.found.is_empty() {
            self.found.push((entry.path.clone(), seen.found));
        }
        if copyright_of(&entry.path) == Some(package) {
            self.copyright = seen.text;
        } else if is_os_release(&entry.path) {
            self.system = seen.text;
        }
    }

    /// The description of a package with these files, built from this source package.
    pub(crate) fn finish(self, digests: Digests, tree: &FileTree, source: &str) -> Description {
        let known = |(path, sha1)| Some((tree.get(&path)?.content?, sha1));
        Description {
            digests,
            sha1: self.sha1.into_iter().filter_map(known).collect(),
            found: self.found,
            licences: self.copyright.map(|bytes| analyse(&bytes, source)),
            system: self.system,
        }
    }
}

/// The form in which a description is kept. Digests are written as hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Kept {
    digests: Vec<(String, String)>,
    sha1: Vec<(String, String)>,
    found: Vec<(Vec<u8>, Vec<Found>)>,
    licences: Option<KeptLicences>,
    system: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct KeptLicences {
    declared: Option<String>,
    concluded: Option<String>,
    copyright: Vec<String>,
    remarks: Vec<String>,
    texts: BTreeMap<String, String>,
}

impl Description {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kept = Kept {
            digests: self.digests.named().map(|(name, value)| (name.to_owned(), value)).collect(),
            sha1: self.sha1.iter().map(|(content, sha1)| (hex::encode(content), hex::encode(sha1))).collect(),
            found: self.found.iter().map(|(path, found)| (path.as_bytes().to_vec(), found.clone())).collect(),
            licences: self.licences.clone().map(|Analysis { licences, texts }| {
                let Licences { declared, concluded, copyright, remarks } = licences;
                KeptLicences { declared, concluded, copyright, remarks, texts }
            }),
            system: self.system.clone(),
        };
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(bytes).ok()?;
        let mut digests = Digests::default();
        kept.digests.iter().for_each(|(name, value)| digests.insert(name, value));
        let mut sha1 = BTreeMap::new();
        for (content, sum) in kept.sha1 {
            sha1.insert(hex::decode(content).ok()?.try_into().ok()?, hex::decode(sum).ok()?.try_into().ok()?);
        }
        let path = |(path, found): (Vec<u8>, _)| Some((ImagePath::from_archive(&path).ok()?, found));
        let licences = kept.licences.map(|kept| {
            let KeptLicences { declared, concluded, copyright, remarks, texts } = kept;
            Analysis { licences: Licences { declared, concluded, copyright, remarks }, texts }
        });
        Some(Self {
            digests,
            sha1,
            found: kept.found.into_iter().map(path).collect::<Option<_>>()?,
            licences,
            system: kept.system,
        })
    }
}
