//! Where Debian keeps its packages for ever, and where it tells what is known of them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::inventory::{Artefact, SourcePackage};

/// What stands for itself in a part of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// A text as one part of the path of a URL.
pub(crate) fn in_path(part: &[u8]) -> impl fmt::Display + '_ {
    percent_encode(part, IN_PATH)
}

impl Artefact {
    /// Where the very file lies for ever, for files of Debian's own archives. A mirror may be private, and drops the file with
    /// the next version.
    ///
    /// See the [interface](https://salsa.debian.org/snapshot-team/snapshot/-/blob/master/API) of snapshot.debian.org.
    #[must_use]
    pub fn snapshot(&self) -> Option<String> {
        let sha1 = self.digests.sha1.filter(|_| self.is_of_debian())?;
        let name = in_path(self.file_name.as_bytes());
        Some(format!("https://snapshot.debian.org/file/{}/{name}", hex::encode(sha1)))
    }

    /// Whether the repository of a file says that it is Debian's. Backports are kept in the same archive.
    pub(crate) fn is_of_debian(&self) -> bool {
        let origin = self.repository.as_ref().and_then(|repository| repository.origin.as_deref());
        matches!(origin, Some("Debian" | "Debian Backports"))
    }
}

/// These are of source packages that Debian has. Of others there are no such pages.
impl SourcePackage {
    /// Where its files lie for ever.
    pub(crate) fn snapshot(&self) -> String {
        let (name, version) = (in_path(self.name.as_bytes()), in_path(self.version.as_bytes()));
        format!("https://snapshot.debian.org/package/{name}/{version}/")
    }

    /// Its bugs.
    pub(crate) fn bugs(&self) -> String {
        format!("https://bugs.debian.org/src:{}", in_path(self.name.as_bytes()))
    }

    /// Its vulnerabilities.
    pub(crate) fn advisories(&self) -> String {
        format!("https://security-tracker.debian.org/tracker/source-package/{}", in_path(self.name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digests::Digests;
    use crate::inventory::Repository;

    #[test]
    fn files_of_debian_lie_somewhere_for_ever() {
        let of = |origin: Option<&str>| Artefact {
            file_name: "a_1%3a2+b1_all.deb".into(),
            digests: Digests::of(b""),
            repository: Some(Repository { origin: origin.map(str::to_owned), suite: "sid".into() }),
            ..Artefact::default()
        };
        let check = |artefact: &Artefact, expected| assert_eq!(artefact.snapshot().as_deref(), expected);
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let url = format!("https://snapshot.debian.org/file/{sha1}/a_1%253a2%2Bb1_all.deb");
        check(&of(Some("Debian")), Some(&url));
        check(&of(Some("Debian Backports")), Some(&url));
        check(&of(Some("Team")), None);
        check(&of(None), None);
        check(&Artefact { digests: Digests::default(), ..of(Some("Debian")) }, None);
    }

    #[test]
    fn pages_are_named_as_debian_names_them() {
        let source = SourcePackage { name: "g++/x".into(), version: "2:1.0~rc1+dfsg-1".into() };
        assert_eq!(source.snapshot(), "https://snapshot.debian.org/package/g%2B%2B%2Fx/2%3A1.0~rc1%2Bdfsg-1/");
        assert_eq!(source.bugs(), "https://bugs.debian.org/src:g%2B%2B%2Fx");
        assert_eq!(source.advisories(), "https://security-tracker.debian.org/tracker/source-package/g%2B%2B%2Fx");
    }
}
