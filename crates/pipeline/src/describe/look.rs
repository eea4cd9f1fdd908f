//! One pass over the bytes of a file, for all that a description takes from it.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use distil_debunpack::copyright;
use distil_imgcore::{Entry, EntryKind, ImagePath};
use distil_sbom::catalog::{Finder, Found};
use distil_sbom::{Digesting, Digests, ShaDigesting};
use sha1::{Digest as _, Sha1};

/// Looks at the bytes of one regular file.
pub(crate) struct Look {
    size: u64,
    digests: Wanted,
    finder: Option<Finder>,
    /// The content of a file that is understood whole: a copyright file, `os-release`.
    text: Option<Vec<u8>>,
}

enum Wanted {
    /// Somebody else has the SHA-256.
    Sha1(Sha1),
    /// What documents say of the files of packages: the others take longer than all the rest.
    Both(ShaDigesting),
    All(Box<Digesting>),
}

/// What one pass told.
#[derive(Debug, Default)]
pub(crate) struct SeenFile {
    pub(crate) size: u64,
    pub(crate) digests: Digests,
    pub(crate) found: Vec<Found>,
    pub(crate) text: Option<Vec<u8>>,
}

/// Bytes of a copyright file that are looked at. What is longer is one licence as a whole, whose text is cut.
const MAX_TEXT: usize = copyright::MAX_BYTES + 1;

impl Look {
    /// At the file of an entry, of which the SHA-256 is known otherwise.
    pub(crate) fn brief(entry: &Entry) -> Self {
        Self::of(entry, Wanted::Sha1(Sha1::new()))
    }

    /// At the file of an entry in a finished image.
    pub(crate) fn whole(entry: &Entry) -> Self {
        Self::of(entry, Wanted::Both(ShaDigesting::default()))
    }

    /// At a team's own file, for all its digests.
    pub(crate) fn thorough(entry: &Entry) -> Self {
        Self::of(entry, Wanted::All(Box::default()))
    }

    fn of(entry: &Entry, digests: Wanted) -> Self {
        let EntryKind::File { size } = entry.kind else { return Self { size: 0, digests, finder: None, text: None } };
        let finder = Finder::of(&entry.path, size, entry.meta.mode & 0o111 != 0);
        let text = (is_copyright(&entry.path) || is_os_release(&entry.path)).then(Vec::new);
        Self { size: 0, digests, finder, text }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.digests {
            Wanted::Sha1(sha1) => sha1.update(bytes),
            Wanted::Both(both) => both.update(bytes),
            Wanted::All(all) => all.update(bytes),
        }
        self.size += bytes.len() as u64;
        if let Some(finder) = &mut self.finder {
            finder.update(bytes);
        }
        if let Some(text) = &mut self.text {
            let room = MAX_TEXT.saturating_sub(text.len());
            text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    pub(crate) fn finish(self) -> SeenFile {
        let digests = match self.digests {
            Wanted::Sha1(sha1) => Digests { sha1: Some(sha1.finalize().into()), ..Digests::default() },
            Wanted::Both(both) => both.finish(),
            Wanted::All(all) => all.finish(),
        };
        SeenFile {
            size: self.size,
            digests,
            found: self.finder.map(Finder::finish).unwrap_or_default(),
            text: self.text,
        }
    }
}

/// The package whose copyright file a path is.
pub(crate) fn copyright_of(path: &ImagePath) -> Option<&str> {
    let rest = path.as_bytes().strip_prefix(b"usr/share/doc/")?;
    let name = rest.strip_suffix(b"/copyright")?;
    std::str::from_utf8(name).ok().filter(|name| !name.contains('/'))
}

fn is_copyright(path: &ImagePath) -> bool {
    copyright_of(path).is_some()
}

/// Whether a file says which system this is.
pub(crate) fn is_os_release(path: &ImagePath) -> bool {
    matches!(path.as_bytes(), b"usr/lib/os-release" | b"etc/os-release")
}

/// Shows a file to a [`Look`] while somebody else reads it.
pub(crate) struct Looking<'a, R> {
    pub(crate) inner: R,
    pub(crate) look: &'a mut Look,
}

impl<R: Read> Read for Looking<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.look.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Computes all digests of what somebody reads, who takes the reader for good.
pub(crate) struct Hashed<R> {
    inner: R,
    digesting: Arc<Mutex<Digesting>>,
}

impl<R: Read> Hashed<R> {
    /// The reader, and where its digests are once it was read.
    pub(crate) fn new(inner: R) -> (Self, Arc<Mutex<Digesting>>) {
        let digesting = Arc::new(Mutex::new(Digesting::default()));
        (Self { inner, digesting: Arc::clone(&digesting) }, digesting)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let mut digesting = self.digesting.lock().unwrap_or_else(PoisonError::into_inner);
        digesting.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}
