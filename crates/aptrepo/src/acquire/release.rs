//! The signed file of a repository, fetched and verified.

use distil_net::{NetError, shown};
use url::Url;

use super::error::Failed;
use super::{AcquireError, Acquirer, MirrorError, SignedBytes};
use crate::mirror;
use crate::release::{Expected, Release};
use crate::source::Source;
use crate::time::Snapshot;

const IN_RELEASE: &str = "InRelease";
const RELEASE: &str = "Release";
/// Bytes of a signed file. That of Debian's unstable suite has 250 KB.
const MOST: u64 = 64 << 20;
/// Bytes of a signature that lies beside it.
const MOST_OF_SIGNATURE: u64 = 1 << 20;

impl Acquirer<'_> {
    /// Fetches the signed file and checks signature, suite and dates.
    pub(super) fn release(&self, source: &Source, base: &Url) -> Result<(SignedBytes, Release), Failed> {
        let signed = if self.offline { self.recall(source, base)? } else { self.signed(source, base)? };
        let at = source.snapshot.map_or(self.now, Snapshot::time);
        let expected = Expected { suite: &source.suite, at, pinned: source.snapshot.is_some() };
        let file = if matches!(signed, SignedBytes::Inline(_)) { IN_RELEASE } else { RELEASE };
        let url = shown(&address(source, base, file)?);
        let release = Release::verify(signed.as_signed(), &source.keys, &expected).map_err(|error| {
            let keyring = source.keys.name().to_owned();
            MirrorError::Release { url: url.clone(), keyring, source: Box::new(error) }
        })?;
        // Older than before is what a snapshot asks for; offline, nobody else says what is new.
        if source.snapshot.is_none() && !self.offline {
            let newest = self.newest(source, base, &release)?;
            if let Some(newest) = newest.filter(|newest| release.date() < *newest) {
                return Err(MirrorError::RolledBack { url, date: release.date(), newest }.into());
            }
        }
        Ok((signed, release))
    }

    /// `InRelease`, or where that is missing `Release` with the signature beside it.
    fn signed(&self, source: &Source, base: &Url) -> Result<SignedBytes, Failed> {
        let missing = match self.small(source, base, IN_RELEASE, MOST)? {
            Ok(bytes) => return Ok(SignedBytes::Inline(bytes)),
            Err(missing) => missing,
        };
        let Ok(release) = self.small(source, base, RELEASE, MOST)? else {
            return Err(MirrorError::Net(missing).into());
        };
        match self.small(source, base, "Release.gpg", MOST_OF_SIGNATURE)? {
            Ok(signature) => Ok(SignedBytes::Detached { release, signature }),
            Err(_) => Err(MirrorError::Unsigned { url: shown(&address(source, base, RELEASE)?) }.into()),
        }
    }

    /// A file of the suite, or the error that says that there is no such file.
    fn small(&self, source: &Source, base: &Url, file: &str, most: u64) -> Result<Result<Vec<u8>, NetError>, Failed> {
        match self.client.get(&address(source, base, file)?, most, self.watch) {
            Err(error) if !error.is_missing() => Err(MirrorError::Net(error).into()),
            found_or_missing => Ok(found_or_missing),
        }
    }
}

/// The address of a file of a suite.
pub(super) fn address(source: &Source, base: &Url, file: &str) -> Result<Url, AcquireError> {
    mirror::file(base, &source.path_of(file))
        .ok_or_else(|| AcquireError::NoMirror { source_name: source.name.clone(), suite: source.suite.clone() })
}
