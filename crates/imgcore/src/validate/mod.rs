//! Whether an image is what it says, to the last byte.

mod layer;
mod problem;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, DocumentError, MAX_INDEX_DEPTH};
use crate::error::Error;
use crate::image::{check_config_type, check_counts, layer_codec};
use crate::index::IndexDocument;
use crate::manifest::Manifest;
use crate::media_type::MediaKind;
use crate::platform::Platform;
use crate::store::{Selector, Store};

pub use problem::Problem;

/// Bounds on what one validation reads.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that the layers of one image unpack to, together.
    pub bytes: u64,
    /// Entries of one layer.
    pub entries: u64,
}

impl Default for Limits {
    /// 64 GiB and a million entries: above every real image, and bounded.
    fn default() -> Self {
        Self { bytes: 64 << 30, entries: 1_000_000 }
    }
}

/// Documents that one validation reads.
const MAX_DOCUMENTS: usize = 10_000;

/// Recomputes every digest, size and diff id of an image, of all its platforms and of its referrers, and reads every
/// layer's tar. Gives all problems that were found, in the order of the documents; none means that the image is valid:
/// nothing in it is forbidden by the specification or would be understood differently by two readers.
///
/// # Errors
/// Where the machine or the network failed, so that nothing is known. A blob that is missing is a problem, not an error.
pub fn validate(store: &dyn Store, wanted: &Selector, limits: &Limits) -> Result<Vec<Problem>, Error> {
    let mut check = Check { store, limits: *limits, problems: Vec::new(), seen: BTreeMap::new(), subjects: Vec::new() };
    match store.resolve(wanted) {
        Ok(root) => {
            check.document(&root, &named(&root), 0)?;
            check.referrers()?;
        }
        Err(e) => check.report(&store.place(), e)?,
    }
    Ok(check.problems)
}

struct Check<'a> {
    store: &'a dyn Store,
    limits: Limits,
    problems: Vec<Problem>,
    /// What was found of each descriptor. One that states another size or type for the same digest is another one.
    seen: BTreeMap<(Digest, u64, String), Option<Platform>>,
    /// Documents not yet asked for their referrers.
    subjects: Vec<Digest>,
}

impl Check<'_> {
    /// Takes a problem down, or passes on an error that says nothing about the image.
    fn report(&mut self, at: &str, error: Error) -> Result<(), Error> {
        if error.is_io() {
            return Err(error);
        }
        self.problems.push(Problem::from_error(at, &error));
        Ok(())
    }

    fn problem(&mut self, at: &str, error: &DocumentError) {
        self.problems.push(Problem::from_document(at, error));
    }

    /// Checks a manifest or index with all below it; gives the platform of an image.
    fn document(&mut self, blob: &Descriptor, at: &str, depth: usize) -> Result<Option<Platform>, Error> {
        let key = (blob.digest().clone(), blob.size(), blob.media_type().to_string());
        if let Some(platform) = self.seen.get(&key) {
            return Ok(platform.clone());
        }
        if self.seen.len() >= MAX_DOCUMENTS {
            self.problem(
                at,
                &DocumentError::TooMany { what: "documents", limit: MAX_DOCUMENTS, found: MAX_DOCUMENTS + 1 },
            );
            return Ok(None);
        }
        // Known before its children are, so that a document below itself, which takes a broken digest, comes to an end.
        self.seen.insert(key.clone(), None);
        if blob.kind() == MediaKind::Index && depth >= MAX_INDEX_DEPTH {
            let found = depth + 1;
            self.problem(at, &DocumentError::TooMany { what: "levels of indexes", limit: MAX_INDEX_DEPTH, found });
            return Ok(None);
        }
        let platform = match self.store.document(blob) {
            Ok(Document::Manifest(manifest)) => self.manifest(&manifest, blob.platform(), at)?,
            Ok(Document::Index(index)) => {
                self.index(&index, at, depth)?;
                None
            }
            Err(e) => {
                self.report(at, e)?;
                return Ok(None);
            }
        };
        self.subjects.push(blob.digest().clone());
        self.seen.insert(key, platform.clone());
        Ok(platform)
    }

    fn index(&mut self, index: &IndexDocument, at: &str, depth: usize) -> Result<(), Error> {
        let mut platforms = BTreeSet::new();
        for child in index.manifests() {
            let child_at = named(child);
            if matches!(child.kind(), MediaKind::Unknown | MediaKind::Attestation) {
                // Readers pass over what they do not know; its bytes are checked all the same.
                self.blob(child, &child_at)?;
                continue;
            }
            let found = self.document(child, &child_at, depth + 1)?;
            let stated = child.platform().filter(|platform| !platform.is_unknown());
            let Some(platform) = found.and_then(|found| stated.cloned().or(Some(found))) else { continue };
            if !platforms.insert(platform.clone()) {
                self.problem(at, &DocumentError::PlatformTwice(Box::new(platform)));
            }
        }
        Ok(())
    }

    fn manifest(
        &mut self,
        manifest: &Manifest,
        stated: Option<&Platform>,
        at: &str,
    ) -> Result<Option<Platform>, Error> {
        if manifest.is_artifact() || stated.is_some_and(Platform::is_unknown) {
            for blob in std::iter::once(manifest.config()).chain(manifest.layers()) {
                self.blob(blob, &format!("{at}, blob {}", blob.digest()))?;
            }
            return Ok(None);
        }
        let config = self.config(manifest, at)?;
        if let Some(config) = &config {
            if let Err(e) = check_counts(manifest, config) {
                self.problem(at, &e);
            }
            if let Some(expected) = stated.filter(|stated| !agree(stated, config)) {
                self.problem(
                    at,
                    &DocumentError::Platform {
                        expected: Box::new(expected.clone()),
                        found: Box::new(config.platform().clone()),
                    },
                );
            }
        }
        let mut left = self.limits.bytes;
        let diff_ids = config.as_ref().map(Config::diff_ids).unwrap_or_default();
        for (i, layer) in manifest.layers().iter().enumerate() {
            let layer_at = format!("{at}, layer {} {}", i + 1, layer.digest());
            match layer_codec(layer) {
                Ok(codec) => left = self.layer(layer, codec, diff_ids.get(i), left, &layer_at)?,
                Err(e) => {
                    self.problem(&layer_at, &e);
                    self.blob(layer, &layer_at)?;
                }
            }
        }
        Ok(config.map(|config| config.platform().clone()))
    }

    fn config(&mut self, manifest: &Manifest, at: &str) -> Result<Option<Config>, Error> {
        let blob = manifest.config();
        let at = format!("{at}, config {}", blob.digest());
        if let Err(e) = check_config_type(manifest) {
            self.problem(&at, &e);
        }
        let bytes = match self.store.read(blob) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.report(&at, e)?;
                return Ok(None);
            }
        };
        match Config::parse(bytes) {
            Ok(config) => Ok(Some(config)),
            Err(e) => {
                self.problem(&at, &e);
                Ok(None)
            }
        }
    }

    /// Checks size and digest of a blob that is not looked into.
    fn blob(&mut self, blob: &Descriptor, at: &str) -> Result<(), Error> {
        let read = self.store.open(blob).and_then(|mut reader| {
            std::io::copy(&mut reader, &mut std::io::sink()).map_err(|source| self.store.bad_blob(blob, source))
        });
        match read {
            Ok(_) => Ok(()),
            Err(e) => self.report(at, e),
        }
    }

    /// Checks what is about the image, and what is about that.
    fn referrers(&mut self) -> Result<(), Error> {
        let mut asked = BTreeSet::new();
        while let Some(subject) = self.subjects.pop() {
            if !asked.insert(subject.clone()) {
                continue;
            }
            match self.store.referrers(&subject) {
                Ok(referrers) => {
                    for referrer in referrers {
                        self.document(&referrer, &format!("referrer {}", referrer.digest()), 0)?;
                    }
                }
                Err(e) => self.report(&subject.to_string(), e)?,
            }
        }
        Ok(())
    }
}

/// Whether a config is for the stated platform. Variants are compared where both state one, since many configs do not:
/// `arm` alone reads as `arm/v7`, and is what images of `arm/v6` have.
fn agree(stated: &Platform, config: &Config) -> bool {
    let found = config.platform();
    let says_variant = config.view().variant().as_ref().is_some_and(|variant| !variant.is_empty());
    let variants = stated.variant().zip(found.variant()).filter(|_| says_variant);
    stated.os() == found.os()
        && stated.architecture() == found.architecture()
        && variants.is_none_or(|(stated, found)| stated == found)
}

fn named(blob: &Descriptor) -> String {
    let noun = if blob.kind() == MediaKind::Index { "index" } else { "manifest" };
    match blob.platform() {
        Some(platform) => format!("{noun} {} ({platform})", blob.digest()),
        None => format!("{noun} {}", blob.digest()),
    }
}

#[cfg(test)]
mod tests;
