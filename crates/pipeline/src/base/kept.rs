//! A repository of a registry whose manifests and blobs are kept in the cache, so that each is pulled once.

use std::collections::BTreeSet;
use std::io::{self, Read, Write as _};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use distil_cache::{Area, CacheError, Content, ContentError, ContentKey, Expected, Session};
use distil_imgcore::document::MAX_DOCUMENT;
use distil_imgcore::{Descriptor, Digest, Error, MediaType, RefName, Reference, RegistryName, Selector, Store};
use distil_registry::Repository;
use serde_json::Value;

use super::error::BaseError;
use crate::parallel;
use crate::places::{Places, StoreError};
use crate::progress::{Phase, Progress};

/// A repository of which everything that is read is kept, by digest. Only SHA-256 names files of the cache: what has another
/// digest is read from the registry each time.
#[derive(Debug)]
pub(super) struct Kept {
    name: RegistryName,
    /// None where no network may be used: then what is not kept cannot be had.
    repository: Option<Repository>,
    content: Content,
    /// Files of which it was seen in this run that the disk has not changed them.
    sound: Mutex<BTreeSet<ContentKey>>,
}

/// Pulls wait for the other side most of the time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
const BUFFER: usize = 256 << 10;

impl Kept {
    /// The repository of a name, which need not be there as long as all is kept.
    pub(super) fn open(name: &RegistryName, places: &Places<'_>, session: &Session) -> Result<Self, BaseError> {
        // An image that is built on it goes to the same registry more often than not.
        places.reads(name);
        Ok(Self {
            name: name.clone(),
            repository: if places.machine.offline { None } else { Some(places.repository(name)?) },
            content: Content::in_session(session, Area::Images)?,
            sound: Mutex::default(),
        })
    }

    /// Pulls those of these blobs that are not kept yet, several at once.
    pub(super) fn pull(&self, blobs: &[&Descriptor], progress: &dyn Progress) -> Result<(), Error> {
        let mut missing = Vec::new();
        for blob in blobs {
            if let Some(key) = key(blob.digest())
                && self.content.get(&key, Some(blob.size())).map_err(|e| self.unkept(blob, e))?.is_none()
            {
                missing.push((*blob, key));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        progress.phase(Phase::Copy);
        parallel::map(AT_ONCE, &missing, |(blob, key)| {
            let name = blob.digest().to_string();
            progress.started(&name);
            self.fetch(blob, *key, &mut |bytes| progress.advanced(&name, bytes))?;
            progress.finished(&name);
            Ok(())
        })?;
        Ok(())
    }

    /// Pulls one blob into the cache.
    fn fetch(&self, blob: &Descriptor, key: ContentKey, told: &mut dyn FnMut(u64)) -> Result<(), Error> {
        let broken = |source| Error::Blob { digest: blob.digest().clone(), place: self.place(), source };
        let mut content = self.repository("read")?.open(blob)?;
        let expected = Expected { key: Some(key), size: Some(blob.size()) };
        let mut writer = self.content.writer(expected).map_err(|e| self.unkept(blob, e))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(error)),
            };
            writer.write_all(buffer.get(..n).unwrap_or_default()).map_err(broken)?;
            told(n as u64);
        }
        writer.commit_derived().map_err(|e: ContentError| broken(io::Error::other(e)))?;
        self.sound().insert(key);
        Ok(())
    }

    /// Whether a blob is kept, with the bytes that it should have. Damage is removed, so that it is pulled again.
    fn holds(&self, blob: &Descriptor, key: &ContentKey) -> Result<bool, Error> {
        let Some(file) = self.content.get(key, Some(blob.size())).map_err(|e| self.unkept(blob, e))? else {
            return Ok(false);
        };
        if self.sound().contains(key) {
            return Ok(true);
        }
        let mut file = file.open_verified().map_err(|e| self.unkept(blob, e))?;
        match io::copy(&mut file, &mut io::sink()) {
            Ok(_) => {
                self.sound().insert(*key);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(source) => Err(Error::Blob { digest: blob.digest().clone(), place: self.place(), source }),
        }
    }

    /// The descriptor of a manifest or index that is kept.
    fn kept_document(&self, digest: &Digest) -> Option<Descriptor> {
        let file = self.content.get(&key(digest)?, None).ok()??;
        if file.size() > MAX_DOCUMENT as u64 {
            return None;
        }
        let mut bytes = Vec::new();
        file.open_verified().ok()?.read_to_end(&mut bytes).ok()?;
        Some(Descriptor::of(media_type(&bytes)?, &bytes))
    }

    fn repository(&self, action: &'static str) -> Result<&Repository, Error> {
        self.repository.as_ref().ok_or_else(|| {
            let reference = Reference::Registry(self.name.clone()).to_string();
            let source = Box::new(StoreError::Offline { reference });
            Error::Remote { action, place: self.place(), may_repeat: false, source }
        })
    }

    fn sound(&self) -> std::sync::MutexGuard<'_, BTreeSet<ContentKey>> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unkept(&self, blob: &Descriptor, error: CacheError) -> Error {
        Error::Blob { digest: blob.digest().clone(), place: self.place(), source: io::Error::other(error) }
    }
}

impl Store for Kept {
    fn place(&self) -> String {
        format!("{}/{}", self.name.host(), self.name.repository())
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        match key(blob.digest()) {
            Some(key) if self.holds(blob, &key)? => Ok(true),
            _ => self.repository("read")?.has(blob),
        }
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let Some(key) = key(blob.digest()) else { return self.repository("read")?.open(blob) };
        if !self.holds(blob, &key)? {
            self.fetch(blob, key, &mut |_| {})?;
        }
        match self.content.get(&key, Some(blob.size())).map_err(|e| self.unkept(blob, e))? {
            Some(file) => Ok(Box::new(file.open_verified().map_err(|e| self.unkept(blob, e))?)),
            // Somebody removed it a moment ago.
            None => self.repository("read")?.open(blob),
        }
    }

    fn put(&self, _blob: &Descriptor, _content: &mut dyn Read) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn tag(&self, _name: Option<&RefName>, _root: &Descriptor) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        if let Selector::Digest(digest) = wanted
            && let Some(kept) = self.kept_document(digest)
        {
            return Ok(kept);
        }
        self.repository("read")?.resolve(wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.repository("read")?.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.repository("read")?.referrers(subject)
    }
}

/// The name of a file in the cache; none for digests of other algorithms.
fn key(digest: &Digest) -> Option<ContentKey> {
    digest.to_string().strip_prefix("sha256:")?.parse().ok()
}

/// The type of a document, which states it or is one of OCI, whose documents need not.
fn media_type(bytes: &[u8]) -> Option<MediaType> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let stated = document.get("mediaType").map(|stated| stated.as_str().and_then(|text| text.parse().ok()));
    stated.unwrap_or_else(|| {
        let is_index = document.get("manifests").is_some();
        (if is_index { MediaType::INDEX } else { MediaType::MANIFEST }).parse().ok()
    })
}

#[cfg(test)]
mod tests;
