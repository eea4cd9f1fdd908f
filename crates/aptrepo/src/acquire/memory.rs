//! What is remembered of repositories between runs: the newest date of each, and the signed file that was last verified.

use distil_net::shown;
use url::Url;

use super::error::Failed;
use super::release::address;
use super::{Acquirer, MirrorError, SignedBytes};
use crate::fingerprint::Fingerprint;
use crate::release::Release;
use crate::source::Source;
use crate::time::Timestamp;

const NEWEST: &str = "repository-date-1";
const SIGNED: &str = "repository-signed-1";

impl Acquirer<'_> {
    /// The newest date that was seen of a repository. It counts whichever of the keys it was signed by then: a mirror may
    /// leave out or reorder the signatures of a file that several keys have signed.
    pub(super) fn newest(&self, source: &Source, base: &Url, release: &Release) -> Result<Option<Timestamp>, Failed> {
        let mut newest = None;
        for key in source.keys.primaries() {
            for identity in identities(key, source, base, release) {
                newest = newest.max(self.values.recall(NEWEST, &identity)?.as_deref().and_then(date));
            }
        }
        Ok(newest)
    }

    /// Remembers a repository whose every part has been verified. Somebody else may have seen a newer one meanwhile,
    /// which stays then.
    pub(super) fn remember(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        signed: &SignedBytes,
    ) -> Result<(), Failed> {
        // A snapshot says nothing of what is newest.
        let is_current = source.snapshot.is_none();
        if is_current {
            for identity in identities(release.signer().primary, source, base, release) {
                let seconds = || release.date().seconds().to_le_bytes().to_vec();
                let is_newer = |before: &[u8]| date(before).is_none_or(|before| before < release.date());
                self.values.update(NEWEST, &identity, |before| before.is_none_or(is_newer).then(seconds))?;
            }
        }
        let mut newest = Ok(None);
        self.values.update(SIGNED, &place(source, base), |_| {
            newest = self.newest(source, base, release);
            let is_newest = matches!(newest, Ok(newest) if newest.is_none_or(|newest| newest <= release.date()));
            (is_newest || !is_current).then(|| encode(signed))
        })?;
        newest.map(|_| ())
    }

    /// The signed file that was last verified.
    pub(super) fn recall(&self, source: &Source, base: &Url) -> Result<SignedBytes, Failed> {
        let value = self.values.recall(SIGNED, &place(source, base))?;
        let signed = value.as_deref().and_then(decode);
        match signed {
            Some(signed) => Ok(signed),
            None => Err(MirrorError::Offline { url: shown(&address(source, base, "InRelease")?) }.into()),
        }
    }
}

/// What makes two signed files ones of the same repository, by whichever mirror they come: a key that may sign them, and
/// what they call themselves. The suite that was asked for is another such name: a `stable` that was the release before
/// must not come back either. Only one that has no name of its own is known by its address.
fn identities(key: Fingerprint, source: &Source, base: &Url, release: &Release) -> Vec<String> {
    let names = [release.codename().or(release.suite()), Some(source.suite.as_str()).filter(|_| !source.is_flat())];
    let unnamed = is_unnamed(release).then(|| place(source, base));
    let identity = |name: Option<&str>| {
        let words = [release.origin(), release.label(), name];
        // Debug output has quotes around each part, so that no two lists give one text.
        format!("{key} {words:?} {unnamed:?}")
    };
    let mut identities: Vec<String> = names.into_iter().map(identity).collect();
    identities.dedup();
    identities
}

/// Whether a repository says nothing that tells it from others of the same key. `. SUITE` is what aptly writes for
/// origin and label where nobody has set them, and some publish many repositories like that.
fn is_unnamed(release: &Release) -> bool {
    let says_nothing = |word: Option<&str>| word.is_some_and(|word| word.starts_with(". "));
    let words = [release.origin(), release.label(), release.codename().or(release.suite())];
    words.iter().all(Option::is_none) || says_nothing(release.origin()) && says_nothing(release.label())
}

/// A date as it is kept.
fn date(bytes: &[u8]) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(i64::from_le_bytes(bytes.try_into().ok()?)))
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
