//! What is remembered of repositories between runs: the newest date of each, and the signed file that was last verified.

use distil_net::shown;
use url::Url;

use super::error::Failed;
use super::release::address;
use super::{Acquirer, MirrorError, SignedBytes};
use crate::release::Release;
use crate::source::Source;
use crate::time::Timestamp;

const NEWEST: &str = "repository-date-1";
const SIGNED: &str = "repository-signed-1";

impl Acquirer<'_> {
    /// The newest date that was seen of a repository.
    pub(super) fn newest(&self, source: &Source, base: &Url, release: &Release) -> Result<Option<Timestamp>, Failed> {
        let value = self.values.get(NEWEST, &identity(source, base, release))?;
        let seconds = value.and_then(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)));
        Ok(seconds.map(Timestamp::from_seconds))
    }

    /// Remembers a repository whose every part has been verified.
    pub(super) fn remember(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        signed: &SignedBytes,
    ) -> Result<(), Failed> {
        let newest = self.newest(source, base, release)?;
        // A snapshot says nothing of what is newest.
        if source.snapshot.is_none() && newest.is_none_or(|newest| newest < release.date()) {
            let date = release.date().seconds().to_le_bytes();
            self.values.put(NEWEST, &identity(source, base, release), &date)?;
        }
        Ok(self.values.put(SIGNED, &place(source, base), &encode(signed))?)
    }

    /// The signed file that was last verified.
    pub(super) fn recall(&self, source: &Source, base: &Url) -> Result<SignedBytes, Failed> {
        let value = self.values.get(SIGNED, &place(source, base))?;
        let signed = value.as_deref().and_then(decode);
        match signed {
            Some(signed) => Ok(signed),
            None => Err(MirrorError::Offline { url: shown(&address(source, base, "InRelease")?) }.into()),
        }
    }
}

/// What makes two signed files ones of the same repository, by whichever mirror they come: who signed them, and what
/// they call themselves. Only one that has no name at all is known by its address.
fn identity(source: &Source, base: &Url, release: &Release) -> String {
    let name = release.codename().or(release.suite());
    let words = [release.origin(), release.label(), name];
    let unnamed = words.iter().all(Option::is_none).then(|| place(source, base));
    // Debug output has quotes around each part, so that no two lists give one text.
    format!("{} {words:?} {unnamed:?}", release.signer().primary)
}

/// Where it comes from and who may sign it. What has been verified with other keys is not taken.
fn place(source: &Source, base: &Url) -> String {
    let keys: Vec<String> = source.keys.fingerprints().iter().map(ToString::to_string).collect();
    format!("{:?} {:?} {:?} {keys:?}", shown(base), source.suite, source.snapshot.map(|snapshot| snapshot.to_string()))
}

/// The length of the first file, the first file, the second one. An `InRelease` has no second one.
fn encode(signed: &SignedBytes) -> Vec<u8> {
    let (first, second) = match signed {
        SignedBytes::Inline(bytes) => (bytes.as_slice(), &[][..]),
        SignedBytes::Detached { release, signature } => (release.as_slice(), signature.as_slice()),
    };
    [&(first.len() as u64).to_le_bytes()[..], first, second].concat()
}

fn decode(bytes: &[u8]) -> Option<SignedBytes> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (first, second) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let release = first.to_vec();
    Some(match second {
        [] => SignedBytes::Inline(release),
        signature => SignedBytes::Detached { release, signature: signature.to_vec() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_files_come_back_as_they_were() {
        let inline = SignedBytes::Inline(b"text".to_vec());
        let detached = SignedBytes::Detached { release: b"text".to_vec(), signature: b"signature".to_vec() };
        for signed in [inline, detached] {
            assert_eq!(decode(&encode(&signed)), Some(signed));
        }
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[255; 12]), None);
    }
}
