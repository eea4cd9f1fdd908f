//! The signed file of a repository, fetched and verified.

use distil_net::{NetError, shown};
use url::Url;

use super::error::Failed;
use super::{AcquireError, Acquirer, MirrorError, SignedBytes};
use crate::mirror;
use crate::release::{Expected, Release};
use crate::source::Source;

/// Bytes of a signed file. That of Debian's unstable suite has 250 KB.
const MOST: u64 = 64 << 20;
/// Bytes of a signature that lies beside it.
const MOST_OF_SIGNATURE: u64 = 1 << 20;

impl Acquirer<'_> {
    /// Fetches the signed file and checks signature, suite and dates.
    pub(super) fn release(&self, source: &Source, base: &Url) -> Result<(SignedBytes, Release), Failed> {
        let folder = folder(source, base)?;
        let signed = if self.offline { self.recall(source, base, &folder)? } else { self.signed(&folder)? };
        let at = source.snapshot.map_or(self.now, |snapshot| snapshot.time());
        let expected = Expected { suite: &source.suite, at, pinned: source.snapshot.is_some() };
        let url = || name_of(&folder, &signed);
        let release = Release::verify(signed.as_signed(), &source.keys, &expected).map_err(|error| {
            let keyring = source.keys.name().to_owned();
            MirrorError::Release { url: url(), keyring, source: Box::new(error) }
        })?;
        // Older than before is what a snapshot asks for; offline, nobody else says what is new.
        if source.snapshot.is_none() && !self.offline {
            let newest = self.newest(source, base, &release)?;
            if let Some(newest) = newest.filter(|newest| release.date() < *newest) {
                return Err(MirrorError::RolledBack { url: url(), date: release.date(), newest }.into());
            }
        }
        Ok((signed, release))
    }

    /// `InRelease`, or where that is missing `Release` with the signature beside it.
    fn signed(&self, folder: &Url) -> Result<SignedBytes, Failed> {
        let missing = match self.get(folder, "InRelease", MOST) {
            Ok(bytes) => return Ok(SignedBytes::Inline(bytes)),
            Err(error) if error.is_missing() => error,
            Err(error) => return Err(MirrorError::Net(error).into()),
        };
        let release = match self.get(folder, "Release", MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.is_missing() => return Err(MirrorError::Net(missing).into()),
            Err(error) => return Err(MirrorError::Net(error).into()),
        };
        match self.get(folder, "Release.gpg", MOST_OF_SIGNATURE) {
            Ok(signature) => Ok(SignedBytes::Detached { release, signature }),
            Err(error) if error.is_missing() => Err(MirrorError::Unsigned { url: name(folder, "Release") }.into()),
            Err(error) => Err(MirrorError::Net(error).into()),
        }
    }

    fn get(&self, folder: &Url, file: &str, most: u64) -> Result<Vec<u8>, NetError> {
        // A folder that files can be below has passed before.
        let url = mirror::file(folder, file).unwrap_or_else(|| folder.clone());
        self.client.get(&url, most, self.watch)
    }
}

/// The folder of a Release file.
pub(super) fn folder(source: &Source, base: &Url) -> Result<Url, AcquireError> {
    let path = if source.is_flat() { format!("./{}", source.suite) } else { format!("dists/{}", source.suite) };
    mirror::file(base, &path)
        .ok_or_else(|| AcquireError::NoMirror { source_name: source.name.clone(), suite: source.suite.clone() })
}

fn name_of(folder: &Url, signed: &SignedBytes) -> String {
    name(folder, if matches!(signed, SignedBytes::Inline(_)) { "InRelease" } else { "Release" })
}

fn name(folder: &Url, file: &str) -> String {
    mirror::file(folder, file).map_or_else(|| shown(folder), |url| shown(&url))
}
