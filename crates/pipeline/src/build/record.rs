//! What a lock says of the image that comes out of it.

use std::fmt;
use std::io;

use distil_aptrepo::lock::{Lock, LockedImage, LockedResult};
use distil_imgcore::digest::{DigestWriter, Hasher};
use distil_imgcore::{Digest, EntryKind, Image, Index, Packing, Platform};

use super::error::BuildError;
use super::own::OwnFiles;
use super::{BuildRequest, What};
use crate::lock::{self, LockUse};
use crate::recipe::Recipe;
use crate::regular_file;

/// An image, and the lock by which it was built.
pub(super) struct Record<'a> {
    lock: &'a Lock,
    usage: &'a LockUse,
    variant: Option<&'a str>,
    found: LockedResult,
}

/// How an image differs from the one that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultDifference {
    /// The platform; none for the index of all.
    pub platform: Option<Platform>,
    /// The digest that is recorded.
    pub recorded: Digest,
    /// The digest of what was built.
    pub found: Digest,
}

impl fmt::Display for ResultDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.platform {
            Some(platform) => write!(f, "{platform}: ")?,
            None => f.write_str("index: ")?,
        }
        write!(f, "{} is recorded, {} was built", self.recorded, self.found)
    }
}

impl<'a> Record<'a> {
    /// What is to be compared or written; nothing where nobody asks for that.
    pub(super) fn new(
        lock: &'a Lock,
        request: &'a BuildRequest<'_>,
        index: &Index,
        own: &Digest,
        packing: Packing,
    ) -> Option<Self> {
        let What::Recipe { variant, lock: Some(usage), .. } = &request.what else { return None };
        if !usage.required && !usage.record {
            return None;
        }
        let image = |image: &Image| {
            let diff_ids = image.layers().iter().map(|layer| layer.diff_id().clone()).collect();
            (image.platform().clone(), LockedImage { digest: image.digest().clone(), diff_ids })
        };
        let found = LockedResult {
            files: own.clone(),
            compression: packing.to_string(),
            digest: index.digest().clone(),
            platforms: index.images().iter().map(image).collect(),
        };
        Some(Self { lock, usage, variant: variant.as_deref(), found })
    }

    /// Compares the image with the one that is recorded for the same own files and the same compression: which parts a layer
    /// has, and so the order of its files, depends on the codec.
    pub(super) fn compare(&self) -> Result<(), BuildError> {
        let recorded = self.lock.locked(self.variant).and_then(|locked| locked.result.as_ref());
        let comparable = |recorded: &&LockedResult| {
            recorded.files == self.found.files && recorded.compression == self.found.compression
        };
        let Some(recorded) = recorded.filter(comparable).filter(|_| self.usage.required) else { return Ok(()) };
        let mut differences = Vec::new();
        for (platform, found) in &self.found.platforms {
            let Some(image) = recorded.platforms.get(platform).filter(|image| *image != found) else { continue };
            differences.push(ResultDifference {
                platform: Some(platform.clone()),
                recorded: image.digest.clone(),
                found: found.digest.clone(),
            });
        }
        let all = recorded.platforms.keys().eq(self.found.platforms.keys());
        if all && differences.is_empty() && recorded.digest != self.found.digest {
            let (recorded, found) = (recorded.digest.clone(), self.found.digest.clone());
            differences.push(ResultDifference { platform: None, recorded, found });
        }
        if differences.is_empty() { Ok(()) } else { Err(BuildError::Differs { differences }) }
    }

    /// Writes the image down in the lock, where that is asked for.
    pub(super) fn write(self) -> Result<(), BuildError> {
        if !self.usage.record {
            return Ok(());
        }
        let mut lock = self.lock.clone();
        let locked = match self.variant {
            None => Some(&mut lock.main),
            Some(name) => lock.variants.get_mut(name),
        };
        if let Some(locked) = locked {
            locked.result = Some(self.found);
        }
        Ok(lock::write(&self.usage.path, &lock)?)
    }
}

/// The digest of everything that decides on an image beside its lock: what the recipe says of settings, users and filters,
/// and its own files.
pub(super) fn own_digest(recipe: &Recipe, variant: Option<&str>, own: &OwnFiles) -> Result<Digest, BuildError> {
    let mut hasher = Hasher::sha256();
    let mut line = |parts: &[&[u8]]| {
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    };
    line(&[b"recipe", recipe.settings_digest().to_string().as_bytes(), variant.unwrap_or_default().as_bytes()]);
    for input in &own.files {
        let entry = &input.entry;
        let (kind, detail) = match &entry.kind {
            EntryKind::Directory => ("directory", Vec::new()),
            EntryKind::Symlink { target } => ("symlink", target.clone()),
            _ => {
                let Some(path) = &input.content else { continue };
                let failed = BuildError::read(path);
                let mut content = DigestWriter::new(io::sink());
                let copied = regular_file::open(path).and_then(|mut file| io::copy(&mut file, &mut content));
                copied.map_err(failed)?;
                ("file", content.finish().1.to_string().into_bytes())
            }
        };
        let meta = format!("{:o} {} {}", entry.meta.mode, entry.meta.uid, entry.meta.gid);
        line(&[kind.as_bytes(), entry.path.as_bytes(), meta.as_bytes(), &detail]);
    }
    Ok(hasher.finish())
}
