//! An image layout in one tar file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::descriptor::Descriptor;
use crate::digest::{Digest, VerifyingReader};
use crate::document::{DocumentError, MAX_LAYOUT_INDEX};
use crate::error::Error;
use crate::escape::Escaped;
use crate::layout::{BLOBS, INDEX_JSON, OCI_LAYOUT, OCI_LAYOUT_CONTENT, check_version};
use crate::listing::Listing;
use crate::media_type::MediaType;
use crate::path::ImagePath;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};
use crate::tar_file::{Digests, Section, TarFile, TarFileWriter};
use crate::temp::copy_verified;

/// Reads an image layout in a tar file, without unpacking it: one strict pass finds where the blobs lie.
#[derive(Debug)]
pub struct Archive {
    tar: TarFile,
    listing: Listing,
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`Error::Tar`] where the file is no tar with one meaning, else as [`crate::Layout::open`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let tar = TarFile::open(path, Digests::Skip)?;
        let incomplete = |file: &str, source| Error::incomplete(path, file, source);
        let version = tar.read(OCI_LAYOUT, 4096)?.ok_or_else(|| incomplete(OCI_LAYOUT, None))?;
        check_version(&version).map_err(|e| incomplete(OCI_LAYOUT, Some(e)))?;
        let index = tar.read(INDEX_JSON, MAX_LAYOUT_INDEX)?.ok_or_else(|| incomplete(INDEX_JSON, None))?;
        let listing = Listing::parse(&index).map_err(|source| match source {
            DocumentError::Json(_) => incomplete(INDEX_JSON, Some(source)),
            source => Error::invalid(&INDEX_JSON, shown(path), source),
        })?;
        Ok(Self { tar, listing })
    }

    /// Begins the same archive anew, with everything that is in it. When it is [finished](ArchiveWriter::finish) it takes the
    /// place of whatever has the name then: see [`Archive::is_in_place`].
    ///
    /// # Errors
    /// Where nothing can be written there, or a blob is not what its name says.
    pub fn anew(&self) -> Result<ArchiveWriter, Error> {
        let writer = ArchiveWriter::create(self.tar.path())?;
        for (path, section) in self.tar.files() {
            let Ok(name) = std::str::from_utf8(path.as_bytes()) else { continue };
            match digest_of(name) {
                Some(digest) => {
                    let blob = Descriptor::new(MediaType::known("application/octet-stream"), digest, section.size());
                    writer.put(&blob, &mut section.clone())?;
                }
                None if [OCI_LAYOUT, INDEX_JSON].contains(&name) => {}
                None => writer.other(name, section)?,
            }
        }
        writer.state().listing = self.listing.clone();
        Ok(writer)
    }

    /// Whether the file is still the one that was opened.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.tar.is_in_place()
    }

    fn blob(&self, digest: &Digest) -> Option<&Section> {
        let path = ImagePath::from_archive(blob_name(digest).as_bytes()).ok()?;
        self.tar.file(&path).map(|(section, _)| section)
    }
}

impl Store for Archive {
    fn place(&self) -> String {
        shown(self.tar.path())
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.blob(blob.digest()).is_some_and(|section| section.size() == blob.size()))
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        open(self.blob(blob.digest()), blob, self)
    }

    fn put(&self, _: &Descriptor, _: &mut dyn Read) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn tag(&self, _: Option<&RefName>, _: &Descriptor) -> Result<(), Error> {
        Err(Error::ReadOnly { place: self.place() })
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.listing.resolve(self, wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.listing.tags())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.listing.referrers(self, subject)
    }
}

/// Writes an image layout into a tar file, which appears under its name in [`ArchiveWriter::finish`] and not before.
/// Dropped without that, it leaves nothing. The same blobs put in the same order give the same bytes.
#[derive(Debug)]
pub struct ArchiveWriter {
    place: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tar: TarFileWriter,
    blobs: BTreeMap<Digest, Section>,
    listing: Listing,
}

impl ArchiveWriter {
    /// Starts an archive beside the place where it will be. A file that is there is replaced at the end.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let tar = TarFileWriter::create(path)?;
        let state = State { tar, blobs: BTreeMap::new(), listing: Listing::default() };
        Ok(Self { place: shown(path), state: Mutex::new(state) })
    }

    /// Writes names and version, flushes the file and gives it its name.
    ///
    /// # Errors
    /// Where the file cannot be written; then there is none.
    pub fn finish(self) -> Result<(), Error> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.tar.directory(BLOBS)?;
        state.tar.bytes(OCI_LAYOUT, OCI_LAYOUT_CONTENT)?;
        state.tar.bytes(INDEX_JSON, &state.listing.to_bytes())?;
        state.tar.finish()
    }

    /// Keeps a file of another archive that belongs to no layout.
    fn other(&self, name: &str, section: &Section) -> Result<(), Error> {
        let mut section = section.clone();
        let mut chunk = vec![0; 128 << 10];
        self.state().tar.file(name, section.size(), |write| {
            loop {
                match section.read(&mut chunk).map_err(Error::io("read", name))? {
                    0 => return Ok(()),
                    n => write(chunk.get(..n).unwrap_or_default())?,
                }
            }
        })?;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listing(&self) -> Listing {
        self.state().listing.clone()
    }
}

impl Store for ArchiveWriter {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.state().blobs.get(blob.digest()).is_some_and(|section| section.size() == blob.size()))
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let section = self.state().blobs.get(blob.digest()).cloned();
        open(section.as_ref(), blob, self)
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        let digest = blob.digest();
        let mut state = self.state();
        if state.blobs.contains_key(digest) {
            return copy_verified(blob, content, &self.place, |_| Ok(()));
        }
        state.tar.directory(BLOBS)?;
        state.tar.directory(&format!("{BLOBS}/{}", digest.algorithm()))?;
        let section = state
            .tar
            .file(&blob_name(digest), blob.size(), |write| copy_verified(blob, content, &self.place, write))?;
        state.blobs.insert(digest.clone(), section);
        Ok(())
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        if !self.has(root)? {
            return Err(Error::NoBlob { digest: root.digest().clone(), place: self.place() });
        }
        let listing = self.listing().tag(self, name, root)?;
        self.state().listing = listing;
        Ok(())
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.listing().resolve(self, wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.listing().tags())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.listing().referrers(self, subject)
    }
}

pub(crate) fn open(
    section: Option<&Section>,
    blob: &Descriptor,
    store: &dyn Store,
) -> Result<Box<dyn Read + Send>, Error> {
    match section {
        Some(section) => Ok(Box::new(VerifyingReader::new(section.clone(), blob.digest().clone(), blob.size()))),
        None => Err(Error::NoBlob { digest: blob.digest().clone(), place: store.place() }),
    }
}

/// The digest that the name of a blob is made of.
fn digest_of(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_prefix(BLOBS)?.strip_prefix('/')?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}/{}/{}", digest.algorithm(), digest.hex())
}

pub(crate) fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    Escaped(path.as_os_str().as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::sync::Arc;

    use tempfile::TempDir;

    use super::*;
    use crate::compression::Codec;
    use crate::digest::DiffId;
    use crate::entry::EntryKind;
    use crate::layer::Layer;
    use crate::tar::{Dialect, Limits, TarReader};
    use crate::{ImageBuilder, Index};

    fn index() -> Index {
        let bytes = vec![7_u8; 1000];
        let digest = Digest::of(&bytes);
        let layer = Layer::stated(digest.clone(), 1000, DiffId::new(digest), Codec::None, Arc::new(bytes));
        let image = ImageBuilder::new("linux/amd64".parse().unwrap(), 0).layer(layer).finish().unwrap();
        Index::new(vec![image], &BTreeMap::new()).unwrap()
    }

    fn write(path: &Path) -> Descriptor {
        let writer = ArchiveWriter::create(path).unwrap();
        let root = index().write_to(&writer, &mut |_| {}).unwrap();
        writer.tag(Some(&"v1".parse().unwrap()), &root).unwrap();
        writer.finish().unwrap();
        root
    }

    fn files(path: &Path) -> Vec<String> {
        fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        let root = write(&path);
        assert_eq!(files(temp.path()), ["a.tar"]);
        let archive = Archive::open(&path).unwrap();
        assert_eq!(archive.resolve(&Selector::Name("v1".parse().unwrap())).unwrap().digest(), root.digest());
        let store: &dyn Store = &archive;
        let manifest = store.image_for(&root, None).unwrap();
        let layer = &store.document(&manifest).unwrap().children()[1].clone();
        let mut content = Vec::new();
        store.open(layer).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, vec![7; 1000]);
        assert!(matches!(store.put(layer, &mut &b""[..]), Err(Error::ReadOnly { .. })));
    }

    #[test]
    fn the_same_image_gives_the_same_bytes() {
        let temp = TempDir::new().unwrap();
        for name in ["a.tar", "b.tar"] {
            write(&temp.path().join(name));
        }
        assert_eq!(fs::read(temp.path().join("a.tar")).unwrap(), fs::read(temp.path().join("b.tar")).unwrap());
    }

    #[test]
    fn names_are_plain_and_the_index_is_last() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        write(&path);
        let bytes = fs::read(&path).unwrap();
        let mut reader = TarReader::new(&bytes[..], Dialect::Own, Limits::default());
        let mut names = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            assert_eq!((entry.meta.uid, entry.meta.gid, entry.meta.mtime), (0, 0, 0));
            assert_eq!(entry.meta.mode, if entry.kind == EntryKind::Directory { 0o755 } else { 0o644 });
            names.push(String::from_utf8(entry.path.as_bytes().to_vec()).unwrap());
        }
        assert_eq!(names[..2], ["blobs", "blobs/sha256"]);
        assert_eq!(names[names.len() - 2..], ["oci-layout", "index.json"]);
        assert!(bytes.starts_with(b"blobs/\0"));
    }

    #[test]
    fn an_archive_is_made_anew_with_everything_in_it() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        let root = write(&path);
        // As `docker save` writes it, for readers of both forms.
        let archive = Archive::open(&path).unwrap();
        let writer = archive.anew().unwrap();
        writer.state().tar.bytes("manifest.json", b"[]").unwrap();
        writer.finish().unwrap();
        assert!(!archive.is_in_place());

        let archive = Archive::open(&path).unwrap();
        let before = fs::read(&path).unwrap();
        drop(archive.anew().unwrap());
        assert!(archive.is_in_place());
        assert_eq!(fs::read(&path).unwrap(), before);
        let writer = archive.anew().unwrap();
        writer.tag(Some(&"v2".parse().unwrap()), &root).unwrap();
        writer.finish().unwrap();
        let again = Archive::open(&path).unwrap();
        assert_eq!(again.tags().unwrap().len(), 2);
        assert_eq!(again.tar.read("manifest.json", 10).unwrap().as_deref(), Some(&b"[]"[..]));
        let store: &dyn Store = &again;
        let manifest = store.image_for(&store.resolve(&Selector::Name("v2".parse().unwrap())).unwrap(), None).unwrap();
        for blob in store.document(&manifest).unwrap().children() {
            store.read(blob).unwrap();
        }
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing_and_the_old_file() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        let writer = ArchiveWriter::create(&path).unwrap();
        index().write_to(&writer, &mut |_| {}).unwrap();
        drop(writer);
        assert!(files(temp.path()).is_empty());
        write(&path);
        let before = fs::read(&path).unwrap();
        drop(ArchiveWriter::create(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_blob_that_fails_leaves_no_trace_in_the_archive() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        let writer = ArchiveWriter::create(&path).unwrap();
        let stated = Descriptor::of("application/x".parse().unwrap(), &[1; 5000]);
        assert!(writer.put(&stated, &mut &[1; 4999][..]).unwrap_err().mismatch().is_some());
        assert!(!writer.has(&stated).unwrap());
        let root = index().write_to(&writer, &mut |_| {}).unwrap();
        writer.tag(None, &root).unwrap();
        writer.finish().unwrap();
        assert_eq!(Archive::open(&path).unwrap().resolve(&Selector::Only).unwrap(), root);
    }

    #[test]
    fn a_cut_archive_and_one_without_an_index_are_refused() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        write(&path);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len(fs::metadata(&path).unwrap().len() - 1024).unwrap();
        assert!(matches!(Archive::open(&path), Err(Error::Tar { .. })));
        let mut empty = TarFileWriter::create(&path).unwrap();
        empty.bytes(OCI_LAYOUT, OCI_LAYOUT_CONTENT).unwrap();
        empty.finish().unwrap();
        assert!(matches!(Archive::open(&path), Err(Error::Incomplete { file, .. }) if file == INDEX_JSON));
        assert!(matches!(Archive::open(temp.path()), Err(Error::NotRegular { .. })));
        assert!(Archive::open(&temp.path().join("none")).unwrap_err().is_not_found());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        /// No archive makes a reader panic, and blobs that come out of it are those that were stated.
        #[test]
        fn broken_archives_are_errors(at in proptest::prelude::any::<proptest::sample::Index>(), byte in proptest::prelude::any::<u8>(), cut in 0..3000_usize) {
            let temp = TempDir::new().unwrap();
            let path = temp.path().join("a.tar");
            write(&path);
            let mut bytes = fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.saturating_sub(2000));
            std::io::Write::write_all(&mut fs::File::options().write(true).truncate(true).open(&path).unwrap(), &bytes).unwrap();
            let _ = crate::DockerArchive::open(&path);
            if let Ok(archive) = Archive::open(&path) {
                let layer = Descriptor::of("application/x".parse().unwrap(), &[7; 1000]);
                let mut content = Vec::new();
                if Store::open(&archive, &layer).is_ok_and(|mut r| r.read_to_end(&mut content).is_ok()) {
                    proptest::prop_assert_eq!(content, vec![7; 1000]);
                }
            }
        }
    }
}
