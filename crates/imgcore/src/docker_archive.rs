//! What `docker save` writes: images by name in one tar file, without manifests.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use crate::archive::{open, shown};
use crate::descriptor::Descriptor;
use crate::digest::{Digest, VerifyingReader};
use crate::document::{DocumentError, Fields, MAX_DESCRIPTORS, MAX_DOCUMENT, MAX_LAYERS};
use crate::error::Error;
use crate::json;
use crate::listing::Listing;
use crate::manifest::Manifest;
use crate::media_type::MediaType;
use crate::path::ImagePath;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};
use crate::tar_file::{Digests, Section, TarFile};

/// Reads a docker archive. It has no manifests: they are made, over its configurations and layers as they are, so that the
/// same archive always has the same digests. Layers may be plain or compressed.
#[derive(Debug)]
pub struct DockerArchive {
    place: String,
    blobs: BTreeMap<Digest, Blob>,
    listing: Listing,
}

#[derive(Debug)]
enum Blob {
    Member(Section),
    Made(Arc<[u8]>),
}

pub(crate) const MANIFEST_JSON: &str = "manifest.json";
const FIELDS: &[&str] = &["Config", "RepoTags", "Layers", "Parent", "LayerSources"];
const FOREIGN: &[&str] = &["manifests", "fsLayers"];

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

impl DockerArchive {
    /// Opens an archive, and computes the digests of everything in it.
    ///
    /// # Errors
    /// [`Error::Tar`] where the file is no tar with one meaning, [`Error::Incomplete`] where it has no `manifest.json`, and
    /// [`Error::Document`] where that names what is not there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let tar = TarFile::open(path, Digests::Compute)?;
        let bytes =
            tar.read(MANIFEST_JSON, MAX_DOCUMENT)?.ok_or_else(|| Error::incomplete(path, MANIFEST_JSON, None))?;
        let mut archive = Self { place: shown(path), blobs: BTreeMap::new(), listing: Listing::default() };
        let wrong = |source| Error::invalid(&MANIFEST_JSON, shown(path), source);
        for saved in saved(&bytes).map_err(wrong)? {
            archive.add(&tar, &saved)?;
        }
        Ok(archive)
    }

    fn add(&mut self, tar: &TarFile, saved: &Saved) -> Result<(), Error> {
        let wrong = |source| Error::invalid(&MANIFEST_JSON, shown(tar.path()), source);
        let config = self.member(tar, &saved.config, MediaType::CONFIG)?;
        let names = saved.layers.as_deref().unwrap_or_default();
        if names.len() > MAX_LAYERS {
            return Err(wrong(DocumentError::TooMany { what: "layers", limit: MAX_LAYERS, found: names.len() }));
        }
        let mut layers = Vec::new();
        for name in names {
            let plain = self.member(tar, name, MediaType::LAYER)?;
            let media_type = self.layer_type(tar, plain.digest())?;
            layers.push(Descriptor::new(MediaType::known(media_type), plain.digest().clone(), plain.size()));
        }
        let manifest = Manifest::new(&config, &layers, &BTreeMap::new()).map_err(wrong)?;
        self.blobs.insert(manifest.digest().clone(), Blob::Made(manifest.bytes().into()));
        let mut listing = std::mem::take(&mut self.listing);
        let tags = saved.repo_tags.as_deref().unwrap_or_default();
        for tag in tags {
            let name: RefName = tag.parse().map_err(|e| wrong(DocumentError::RefName(e)))?;
            if listing.tags().contains(&name) {
                return Err(wrong(DocumentError::NameTwice(name)));
            }
            listing = listing.with(Some(&name), manifest.descriptor());
        }
        if tags.is_empty() {
            listing = listing.with(None, manifest.descriptor());
        }
        self.listing = listing;
        Ok(())
    }

    /// A file of the archive as a blob. Names that state a digest must state the right one.
    fn member(&mut self, tar: &TarFile, name: &str, media_type: &'static str) -> Result<Descriptor, Error> {
        let wrong = |source| Error::invalid(&MANIFEST_JSON, shown(tar.path()), source);
        let path = ImagePath::from_archive(name.as_bytes()).ok();
        let Some((section, Some(digest))) = path.and_then(|path| tar.file(&path)) else {
            return Err(wrong(DocumentError::NoMember(name.to_owned())));
        };
        let is_config = media_type == MediaType::CONFIG;
        let stated = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".json").filter(|_| is_config));
        if let Some(stated) = stated.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok())
            && stated != *digest
        {
            let source = crate::digest::ContentMismatch::Digest { expected: stated.clone(), found: digest.clone() };
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, source);
            return Err(Error::Blob { digest: stated, place: shown(tar.path()), source });
        }
        self.blobs.insert(digest.clone(), Blob::Member(section.clone()));
        Ok(Descriptor::new(MediaType::known(media_type), digest.clone(), section.size()))
    }

    /// Engines look at the first bytes, too: the archive says nothing of compression.
    fn layer_type(&self, tar: &TarFile, digest: &Digest) -> Result<&'static str, Error> {
        let mut magic = Vec::new();
        if let Some(Blob::Member(section)) = self.blobs.get(digest) {
            section.clone().take(4).read_to_end(&mut magic).map_err(Error::io("read", tar.path()))?;
        }
        Ok(match magic.as_slice() {
            [0x1f, 0x8b, ..] => MediaType::LAYER_GZIP,
            [0x28, 0xb5, 0x2f, 0xfd] => MediaType::LAYER_ZSTD,
            _ => MediaType::LAYER,
        })
    }
}

fn saved(bytes: &[u8]) -> Result<Vec<Saved>, DocumentError> {
    let Value::Array(items) = json::parse(bytes, MAX_DOCUMENT)? else { return Err(DocumentError::NoArray) };
    if items.len() > MAX_DESCRIPTORS {
        return Err(DocumentError::TooMany { what: "images", limit: MAX_DESCRIPTORS, found: items.len() });
    }
    let mut out = Vec::new();
    for item in &items {
        Fields::of(item, "a docker archive", FIELDS, FOREIGN)?;
        out.push(Saved::deserialize(item)?);
    }
    Ok(out)
}

impl Store for DockerArchive {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        let size = self.blobs.get(blob.digest()).map(|found| match found {
            Blob::Member(section) => section.size(),
            Blob::Made(bytes) => bytes.len() as u64,
        });
        Ok(size == Some(blob.size()))
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        match self.blobs.get(blob.digest()) {
            Some(Blob::Made(bytes)) => {
                let reader = std::io::Cursor::new(Arc::clone(bytes));
                Ok(Box::new(VerifyingReader::new(reader, blob.digest().clone(), blob.size())))
            }
            Some(Blob::Member(section)) => open(Some(section), blob, self),
            None => open(None, blob, self),
        }
    }

    fn put(&self, _: &Descriptor, _: &mut dyn Read) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn tag(&self, _: Option<&RefName>, _: &Descriptor) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.listing.resolve(self, wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.listing.tags())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.listing.referrers(self, subject)
    }
}
