//! Packages, from a mirror or from the cache.

mod error;

use std::io::{self, Write as _};
use std::time::Duration;

use distil_cache::{CachedFile, ContentError, ContentKey, ContentWriter, Expected};
use distil_debunpack::{Architecture, Deb, Limits, PackageName, Version};
use distil_imgcore::Digest;
use distil_net::{Limit, Sink, shown};
use url::Url;

pub use error::{DebMirrorError, FetchError, FetchFault, Identity};

use crate::acquire::Acquirer;
use crate::mirror;
use crate::mirror_failures::MirrorFailures;
use crate::verified_deb::VerifiedDeb;

/// A package as an index or a lock describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedDeb {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub architecture: Architecture,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Where it lies below the address of its repository.
    pub path: String,
    /// The addresses of the repository, in the order in which they are tried.
    pub mirrors: Vec<Url>,
}

/// How long to wait for somebody else who fetches the same package. It may be large, and they may hang.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

impl Acquirer<'_> {
    /// Fetches a package, unless the cache has it, and checks that it is the one.
    ///
    /// # Errors
    /// [`FetchError`] where no mirror has these bytes, or they are not the package that was asked for.
    pub fn fetch(&self, wanted: &WantedDeb) -> Result<VerifiedDeb, FetchError> {
        let explain = |source| FetchError { package: wanted.identity(), source };
        self.fetch_explained(wanted).map_err(|fault| explain(Box::new(fault)))
    }

    fn fetch_explained(&self, wanted: &WantedDeb) -> Result<VerifiedDeb, FetchFault> {
        if !mirror::is_plain(&wanted.path) {
            return Err(FetchFault::Path { path: wanted.path.clone() });
        }
        // Whatever is not a SHA-256 is of no use as a key.
        let key: Option<ContentKey> = wanted.sha256.hex().parse().ok();
        let key = key.ok_or_else(|| FetchFault::Digest { digest: wanted.sha256.clone() })?;
        if let Some(file) = self.content.get(&key, Some(wanted.size))? {
            match wanted.verify(file.clone()) {
                // The package is to blame only if the disk has not changed it.
                Err(_) if is_damaged(&file) => {}
                result => return result,
            }
        }
        if self.offline && self.mirrors_of(wanted).next().is_none() {
            return Err(FetchFault::Offline { path: wanted.path.clone() });
        }
        let lock = self.content.lock(&key, PATIENCE, &|| self.watch.cancelled())?;
        if self.watch.cancelled() {
            return Err(FetchFault::Cancelled);
        }
        let file = match self.content.get(&key, Some(wanted.size))? {
            Some(file) => file,
            None => self.try_mirrors(wanted, key)?,
        };
        drop(lock);
        wanted.verify(file)
    }

    fn try_mirrors(&self, wanted: &WantedDeb, key: ContentKey) -> Result<CachedFile, FetchFault> {
        let mut failures = Vec::new();
        for mirror in self.mirrors_of(wanted) {
            let Some(url) = mirror::file(mirror, &wanted.path) else { continue };
            match self.download(&url, wanted, key) {
                Ok(file) => return Ok(file),
                Err(DebMirrorError::Net(error)) if error.is_cancelled() => return Err(FetchFault::Cancelled),
                Err(DebMirrorError::Cache(error)) => return Err(error.into()),
                Err(failure) => failures.push(failure),
            }
        }
        Err(MirrorFailures::new(failures).map_or(FetchFault::NoMirror, FetchFault::Mirrors))
    }

    /// The mirrors that may be asked: without a network, those on disks of this machine.
    fn mirrors_of<'a>(&self, wanted: &'a WantedDeb) -> impl Iterator<Item = &'a Url> {
        let offline = self.offline;
        wanted.mirrors.iter().filter(move |mirror| !offline || mirror.scheme() == "file")
    }

    /// Fetches and hashes. What is not as it should be is gone when this returns.
    fn download(&self, url: &Url, wanted: &WantedDeb, key: ContentKey) -> Result<CachedFile, DebMirrorError> {
        let expected = Expected { key: Some(key), size: Some(wanted.size) };
        let mut writer = self.content.writer(expected)?;
        self.client.download(url, Limit::exactly(wanted.size), &mut Cached(&mut writer), self.watch)?;
        writer.commit().map_err(|error| match error {
            ContentError::Digest { expected, found } => {
                let (expected, found) = (expected.to_string(), found.to_string());
                DebMirrorError::Sum { url: shown(url), expected, found }
            }
            ContentError::Cache(error) => DebMirrorError::Cache(error),
            other => DebMirrorError::Content { url: shown(url), source: other },
        })
    }
}

impl WantedDeb {
    fn identity(&self) -> Identity {
        let (name, version, architecture) = (self.name.clone(), self.version.clone(), self.architecture.clone());
        Identity { name, version, architecture }
    }

    /// Whether a file with the right bytes is the package that was asked for: an index may put any name to any file.
    fn verify(&self, file: CachedFile) -> Result<VerifiedDeb, FetchFault> {
        let deb = Deb::open(file.open()?, Limits::default()).map_err(|e| FetchFault::Deb(Box::new(e)))?;
        let archive = deb.control_archive().clone();
        let control = archive.control();
        let found = Identity {
            name: control.package().clone(),
            version: control.version().clone(),
            architecture: control.architecture().clone(),
        };
        // As text: `1.0` and `1.00` are equal versions of two packages.
        if found.to_string() != self.identity().to_string() {
            return Err(FetchFault::OtherPackage { path: self.path.clone(), found: Box::new(found) });
        }
        Ok(VerifiedDeb::new(file, self.sha256.clone(), archive))
    }
}

/// Whether the disk has changed a file. It is gone from the cache then.
fn is_damaged(file: &CachedFile) -> bool {
    let read = file.open_verified().map_err(io::Error::from).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
    read.is_err()
}

/// A file of the cache as where a download goes.
struct Cached<'a, 'c>(&'a mut ContentWriter<'c>);

impl Sink for Cached<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn restart(&mut self) -> io::Result<()> {
        Ok(self.0.restart()?)
    }
}

#[cfg(test)]
mod tests;
