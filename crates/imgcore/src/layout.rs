//! An image layout: a directory of blobs and an index of names.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::attachment::AttachmentKind;
use crate::descriptor::Descriptor;
use crate::digest::{Digest, VerifyingReader};
use crate::dir::Dir;
use crate::document::{DocumentError, MAX_LAYOUT_INDEX};
use crate::error::Error;
use crate::escape::Escaped;
use crate::json;
use crate::layout_birth::Birth;
use crate::layout_saved;
use crate::listing::Listing;
use crate::lock::WriteLock;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};
use crate::temp::{TempFile, sweep};

/// An [image layout] in a directory.
///
/// The directory itself may be reached through links. Nothing in it may be one: blobs and documents that are links, pipes
/// or devices are refused, never followed or opened.
///
/// Several processes may write to one layout at the same time. Blobs are written under a passing name, checked, flushed
/// and renamed; `index.json` is changed under an advisory lock (`flock`, which network file systems may not have) and
/// replaced whole. A crash at any point leaves the old index or the new one. What dead writers left is removed by the next
/// writer.
///
/// [image layout]: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
#[derive(Debug)]
pub struct Layout {
    dir: Arc<Dir>,
    wait: Duration,
    swept: Once,
    /// There until the first image is named, where the layout is new.
    birth: Mutex<Option<Birth>>,
}

pub(crate) const OCI_LAYOUT: &str = "oci-layout";
pub(crate) const INDEX_JSON: &str = "index.json";
pub(crate) const BLOBS: &str = "blobs";

/// Makes another listing of one; none where it is to stay.
type Change<'a> = dyn Fn(&dyn Store, &Listing) -> Result<Option<Listing>, Error> + 'a;

/// The directories of blobs.
const ALGORITHMS: [&str; 2] = ["sha256", "sha512"];
/// Files that are flushed at the same time.
const PUTS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");
/// Bytes of the file `oci-layout`.
const MAX_OCI_LAYOUT: usize = 4096;
/// The whole of the file `oci-layout`, as the specification shows it.
pub(crate) const OCI_LAYOUT_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

impl Layout {
    /// Opens a layout that is there.
    ///
    /// # Errors
    /// [`Error::Incomplete`] where `oci-layout` or `index.json` is missing, cut off or of another version;
    /// [`Error::Document`] where the index is one that readers understand differently.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let layout = Self::new(Arc::new(Dir::open(path)?), Duration::ZERO, None);
        layout.check_version()?;
        layout.listing()?;
        Ok(layout)
    }

    /// Opens a layout to write to, which may be new: then its directory is made, with those above it that are missing.
    /// `wait` is how long to wait for another writer, here and in [`Store::tag`].
    ///
    /// A new layout is no layout for anybody else until its first image is named. If that does not happen before the value
    /// is dropped, everything that was made is removed again.
    ///
    /// # Errors
    /// Those of [`Layout::open`]; [`Error::Occupied`] where the directory holds other files; [`Error::Locked`].
    pub fn create(path: &Path, wait: Duration) -> Result<Self, Error> {
        let (dir, birth) = Birth::prepare(path, wait)?;
        let born = birth.is_none();
        let layout = Self::new(dir, wait, birth);
        if born {
            layout.check_version()?;
            layout.listing()?;
        }
        Ok(layout)
    }

    fn new(dir: Arc<Dir>, wait: Duration, birth: Option<Birth>) -> Self {
        Self { dir, wait, swept: Once::new(), birth: Mutex::new(birth) }
    }

    /// The directory, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn check_version(&self) -> Result<(), Error> {
        let bytes = self.document(OCI_LAYOUT, MAX_OCI_LAYOUT)?;
        check_version(&bytes).map_err(|source| self.incomplete(OCI_LAYOUT, Some(source)))
    }

    fn listing(&self) -> Result<Listing, Error> {
        let bytes = self.document(INDEX_JSON, MAX_LAYOUT_INDEX)?;
        Listing::parse(&bytes).map_err(|source| match source {
            DocumentError::Json(_) => self.incomplete(INDEX_JSON, Some(source)),
            source => Error::invalid(&INDEX_JSON, self.place(), source),
        })
    }

    /// The same, which is empty as long as nothing was named in a new layout.
    fn known(&self) -> Result<Listing, Error> {
        match self.listing() {
            Err(Error::Incomplete { source: None, .. })
                if self.birth.lock().unwrap_or_else(PoisonError::into_inner).is_some() =>
            {
                Ok(Listing::default())
            }
            other => other,
        }
    }

    fn document(&self, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
        match self.dir.read(name, limit) {
            Err(e) if e.is_not_found() => Err(self.incomplete(name, None)),
            other => other,
        }
    }

    fn incomplete(&self, file: &str, source: Option<DocumentError>) -> Error {
        Error::incomplete(self.dir.path(), file, source)
    }

    /// The directory of a blob, where it is there.
    fn blobs(&self, digest: &Digest) -> Result<Option<Dir>, Error> {
        let found = self.dir.dir(BLOBS).and_then(|blobs| blobs.dir(digest.algorithm()));
        match found {
            Ok(dir) => Ok(Some(dir)),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn sweep(&self) -> Result<(), Error> {
        let mut result = Ok(());
        self.swept.call_once(|| result = sweep(&self.dir).map(drop));
        result
    }

    /// Makes the names of all blobs survive a crash, whoever put them.
    fn sync_blobs(&self) -> Result<(), Error> {
        for algorithm in ALGORITHMS {
            let found = self.dir.dir(BLOBS).and_then(|blobs| blobs.dir(algorithm));
            match found {
                Ok(dir) => dir.sync()?,
                Err(e) if e.is_not_found() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn write_document(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut file = TempFile::create(&self.dir)?;
        file.write(bytes)?;
        file.keep(&self.dir, name)
    }
}

/// Checks the content of a file `oci-layout`.
pub(crate) fn check_version(bytes: &[u8]) -> Result<(), DocumentError> {
    let value = json::parse(bytes, MAX_OCI_LAYOUT)?;
    match value.get("imageLayoutVersion") {
        Some(Value::String(version)) if version == "1.0.0" => Ok(()),
        other => Err(DocumentError::LayoutVersion(other.and_then(Value::as_str).unwrap_or_default().to_owned())),
    }
}

impl Store for Layout {
    fn place(&self) -> String {
        use std::os::unix::ffi::OsStrExt as _;
        Escaped(self.dir.path().as_os_str().as_bytes()).to_string()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        let Some(dir) = self.blobs(blob.digest())? else { return Ok(false) };
        Ok(dir.size(&blob.digest().hex())? == Some(blob.size()))
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        Ok(Box::new(VerifyingReader::new(self.open_unchecked(blob)?, blob.digest().clone(), blob.size())))
    }

    fn open_unchecked(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let digest = blob.digest();
        let missing = || Error::NoBlob { digest: digest.clone(), place: self.place() };
        let dir = self.blobs(digest)?.ok_or_else(missing)?;
        match dir.file(&digest.hex()) {
            Ok(file) => Ok(Box::new(file)),
            Err(e) if e.is_not_found() => Err(missing()),
            Err(e) => Err(e),
        }
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.sweep()?;
        let mut file = TempFile::create(&self.dir)?;
        file.write_blob(blob, content, &self.place())?;
        let dir = self.dir.make_dir(BLOBS)?.make_dir(blob.digest().algorithm())?;
        file.keep_until_crash(&dir, &blob.digest().hex())?;
        if let Some(birth) = self.birth.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            birth.wrote(blob.digest());
        }
        Ok(())
    }

    /// Most of the time of a put is waiting for the disk, which takes several files in hardly more time than one.
    fn puts_at_once(&self) -> NonZeroUsize {
        PUTS_AT_ONCE
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.list(&[root], &|store, old| old.tag(store, name, root).map(Some)).map(drop)
    }

    fn tag_over(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        self.list(&[root], &|store, old| {
            if old.named(name).map(Descriptor::digest) == before {
                old.tag(store, Some(name), root).map(Some)
            } else {
                Ok(None)
            }
        })
    }

    fn publish(&self, name: Option<&RefName>, root: &Descriptor, about: &[Descriptor]) -> Result<(), Error> {
        let listed: Vec<&Descriptor> = std::iter::once(root).chain(about).collect();
        self.list(&listed, &|store, old| old.publish(store, name, root, about).map(Some)).map(drop)
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.known()?.resolve(self, wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.known()?.tags())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let listing = self.known()?;
        let mut found = listing.referrers(self, subject)?;
        if layout_saved::is_saved(&listing)
            && let Some(blobs) = self.blobs(&Digest::of(b""))?
        {
            let mut all: BTreeMap<_, _> = found.into_iter().map(|one| (one.digest().clone(), one)).collect();
            for one in layout_saved::referrers(&blobs, &self.place(), subject)? {
                all.entry(one.digest().clone()).or_insert(one);
            }
            found = all.into_values().collect();
        }
        Ok(found)
    }

    fn unnamed_attachments(&self) -> Result<Vec<(AttachmentKind, Descriptor)>, Error> {
        Ok(layout_saved::attachments(&self.known()?))
    }
}

impl Layout {
    /// Writes another `index.json`, after all that was put is on the disk; `false` where there is to be no other.
    fn list(&self, listed: &[&Descriptor], change: &Change<'_>) -> Result<bool, Error> {
        self.sweep()?;
        self.sync_blobs()?;
        let mut birth = self.birth.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = WriteLock::acquire(&self.dir, self.wait)?;
        for blob in listed {
            if !self.has(blob)? {
                return Err(Error::NoBlob { digest: blob.digest().clone(), place: self.place() });
            }
        }
        // Another writer may have named an image in a new layout meanwhile.
        let new = birth.is_some() && self.dir.stat(INDEX_JSON)?.is_none();
        let old = if new { Listing::default() } else { self.listing()? };
        let Some(listing) = change(self, &old)? else { return Ok(false) };
        if new {
            self.write_document(OCI_LAYOUT, OCI_LAYOUT_CONTENT)?;
        }
        if new || listing.to_bytes() != old.to_bytes() {
            self.write_document(INDEX_JSON, &listing.to_bytes())?;
        }
        if let Some(birth) = birth.take() {
            birth.done()?;
        }
        Ok(true)
    }

    /// The file of a blob, for tools that want to map or link it. It was not checked.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir.path().join(BLOBS).join(digest.algorithm()).join(digest.hex())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;
    use crate::digest::ContentMismatch;
    use crate::manifest::Manifest;
    use crate::media_type::MediaType;

    fn name(text: &str) -> RefName {
        text.parse().unwrap()
    }

    fn create(path: &Path) -> Layout {
        // Many threads may wait here for one slow disk.
        Layout::create(path, Duration::from_secs(600)).unwrap()
    }

    fn put(store: &dyn Store, media_type: &'static str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::known(media_type), bytes);
        store.put(&descriptor, &mut &*bytes).unwrap();
        descriptor
    }

    fn image(store: &dyn Store, seed: &str) -> Descriptor {
        let config = put(store, MediaType::CONFIG, seed.as_bytes());
        let manifest = Manifest::new(&config, &[], &BTreeMap::new()).unwrap();
        put(store, MediaType::MANIFEST, manifest.bytes())
    }

    /// A finished layout with one image under the name `a`.
    fn finished() -> (TempDir, PathBuf, Descriptor) {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("layout");
        let layout = create(&path);
        let root = image(&layout, "1");
        layout.tag(Some(&name("a")), &root).unwrap();
        (temp, path, root)
    }

    fn files(path: &Path) -> BTreeSet<String> {
        fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_referred_to_an_image_goes_when_another_takes_its_name() {
        let (_temp, path, first) = finished();
        let layout = create(&path);
        let refer = |subject: &Descriptor| {
            let empty = put(&layout, MediaType::EMPTY, b"{}").to_json();
            let document = serde_json::json!({
                "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
                "config": empty, "layers": [empty], "subject": subject.to_json()
            });
            put(&layout, MediaType::MANIFEST, &json::to_canonical(&document))
        };
        let kept = image(&layout, "kept");
        layout.publish(Some(&name("b")), &kept, &[refer(&kept)]).unwrap();
        let about = refer(&first);
        let about_that = refer(&about);
        layout.publish(Some(&name("a")), &first, &[about.clone(), about_that]).unwrap();
        assert_eq!(layout.referrers(first.digest()).unwrap().len(), 1);
        assert_eq!(layout.referrers(about.digest()).unwrap().len(), 1);
        let second = image(&layout, "2");
        let new = refer(&second);
        layout.publish(Some(&name("a")), &second, std::slice::from_ref(&new)).unwrap();
        assert_eq!(layout.referrers(first.digest()).unwrap(), []);
        assert_eq!(layout.referrers(about.digest()).unwrap(), []);
        assert_eq!(layout.referrers(second.digest()).unwrap().len(), 1);
        assert_eq!(layout.referrers(kept.digest()).unwrap().len(), 1);
        // Under two names an image stays when one of them moves.
        layout.tag(Some(&name("c")), &second).unwrap();
        layout.publish(Some(&name("a")), &first, &[]).unwrap();
        assert_eq!(layout.referrers(second.digest()).unwrap().len(), 1);
    }

    #[test]
    fn a_new_layout_has_what_the_specification_wants_and_nothing_else() {
        let (_temp, path, root) = finished();
        assert_eq!(files(&path), set(&["blobs", "index.json", "oci-layout"]));
        assert_eq!(files(&path.join("blobs/sha256")).len(), 2);
        assert_eq!(fs::read(path.join("oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
        let expected = format!(
            concat!(
                r#"{{"manifests":[{{"annotations":{{"org.opencontainers.image.ref.name":"a"}},"digest":"{}","#,
                r#""mediaType":"application/vnd.oci.image.manifest.v1+json","size":{}}}],"#,
                r#""mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}}"#
            ),
            root.digest(),
            root.size()
        );
        assert_eq!(fs::read_to_string(path.join("index.json")).unwrap(), expected);
    }

    #[test]
    fn a_rebuilt_name_replaces_its_entry_and_others_stay() {
        let (_temp, path, first) = finished();
        let layout = create(&path);
        let second = image(&layout, "2");
        layout.tag(Some(&name("b")), &first).unwrap();
        layout.tag(Some(&name("a")), &second).unwrap();
        let layout = Layout::open(&path).unwrap();
        assert_eq!(layout.resolve(&Selector::Name(name("a"))).unwrap().digest(), second.digest());
        assert_eq!(layout.resolve(&Selector::Name(name("b"))).unwrap().digest(), first.digest());
    }

    #[test]
    fn what_others_wrote_into_the_index_stays() {
        let (_temp, path, root) = finished();
        let text = fs::read_to_string(path.join("index.json")).unwrap();
        let text = text.replace(r#"{"manifests":[{"#, r#"{"x":1,"manifests":[{"y":{"z":[true]},"#);
        fs::remove_file(path.join("index.json")).unwrap();
        let mut file = fs::File::options().write(true).create_new(true).open(path.join("index.json")).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        create(&path).tag(Some(&name("b")), &root).unwrap();
        let after = fs::read_to_string(path.join("index.json")).unwrap();
        assert!(after.contains(r#""y":{"z":[true]}"#) && after.ends_with(r#","x":1}"#), "{after}");
    }

    #[test]
    fn a_first_write_that_fails_leaves_nothing() {
        let temp = TempDir::new().unwrap();
        let layout = create(&temp.path().join("a/b"));
        let root = image(&layout, "1");
        assert!(Layout::open(&temp.path().join("a/b")).is_err());
        assert!(matches!(layout.resolve(&Selector::Name(name("a"))), Err(Error::NoImage { .. })));
        drop(layout);
        assert_eq!(files(temp.path()), set(&[]));
        // A directory that was there before stays.
        let layout = create(temp.path());
        layout.put(&root, &mut &b"something else"[..]).unwrap_err();
        image(&layout, "2");
        drop(layout);
        assert_eq!(files(temp.path()), set(&[]));
    }

    #[test]
    fn a_writer_that_gives_up_leaves_another_alone() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("layout");
        let (one, other) = (create(&path), create(&path));
        let root = image(&one, "1");
        assert!(other.has(&root).unwrap());
        drop(one);
        other.tag(None, &root).unwrap();
        assert_eq!(Layout::open(&path).unwrap().resolve(&Selector::Only).unwrap(), root);
        assert_eq!(files(&path), set(&["blobs", "index.json", "oci-layout"]));
    }

    #[test]
    fn what_a_crash_left_is_taken_over_and_removed() {
        let (_temp, path, root) = finished();
        fs::remove_file(path.join("index.json")).unwrap();
        for left in [".distil-1-0.tmp", ".distil.lock"] {
            fs::File::options().write(true).create_new(true).open(path.join(left)).unwrap();
        }
        assert!(
            matches!(Layout::open(&path), Err(Error::Incomplete { file, source: None, .. }) if file == "index.json")
        );
        let layout = create(&path);
        layout.tag(None, &root).unwrap();
        assert_eq!(files(&path), set(&["blobs", "index.json", "oci-layout"]));
    }

    #[test]
    fn a_directory_of_something_else_is_not_touched() {
        let temp = TempDir::new().unwrap();
        fs::create_dir(temp.path().join("photos")).unwrap();
        let error = Layout::create(temp.path(), Duration::ZERO).unwrap_err();
        assert!(matches!(error, Error::Occupied { .. }));
        assert_eq!(files(temp.path()), set(&["photos"]));
    }

    #[test]
    fn a_second_writer_is_told_who_the_first_is() {
        let (_temp, path, root) = finished();
        let layout = Layout::create(&path, Duration::ZERO).unwrap();
        let lock = WriteLock::acquire(&Arc::new(Dir::open(&path).unwrap()), Duration::ZERO).unwrap();
        let error = layout.tag(Some(&name("b")), &root).unwrap_err();
        assert!(matches!(error, Error::Locked { holder: Some(pid), .. } if pid == std::process::id()), "{error:?}");
        drop(lock);
        layout.tag(Some(&name("b")), &root).unwrap();
    }

    #[test]
    fn writers_at_the_same_time_lose_no_entry() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("layout");
        std::thread::scope(|scope| {
            for i in 0..16 {
                let path = &path;
                scope.spawn(move || {
                    let layout = create(path);
                    let root = image(&layout, &(i % 3).to_string());
                    layout.tag(Some(&name(&format!("v{i}"))), &root).unwrap();
                });
            }
        });
        assert_eq!(Layout::open(&path).unwrap().tags().unwrap().len(), 16);
        assert_eq!(files(&path), set(&["blobs", "index.json", "oci-layout"]));
    }

    #[test]
    fn content_that_is_not_what_was_stated_is_not_kept() {
        let (_temp, path, _) = finished();
        let layout = create(&path);
        let stated = Descriptor::of(MediaType::known(MediaType::LAYER), b"abc");
        let error = layout.put(&stated, &mut &b"abd"[..]).unwrap_err();
        assert!(matches!(error.mismatch(), Some(ContentMismatch::Digest { .. })));
        assert!(!layout.has(&stated).unwrap());
        assert!(layout.tag(None, &stated).unwrap_err().is_not_found());
        assert_eq!(files(&path), set(&["blobs", "index.json", "oci-layout"]));
    }

    #[test]
    fn links_and_pipes_are_refused() {
        let check = |file: &str, make: &dyn Fn(&Path)| {
            let (_temp, path, root) = finished();
            let file = match file {
                "blob" => format!("blobs/sha256/{}", root.digest().hex()),
                other => other.to_owned(),
            };
            fs::rename(path.join(&file), path.join("moved")).unwrap();
            make(&path.join(&file));
            let result = Layout::open(&path).and_then(|layout| layout.open(&root).map(drop));
            assert!(matches!(result, Err(Error::NotRegular { .. })), "{file}: {result:?}");
        };
        let pipe = |path: &Path| {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        };
        for file in ["oci-layout", "index.json", "blob"] {
            let up = if file == "blob" { "../../moved" } else { "moved" };
            check(file, &|path| symlink(up, path).unwrap());
            check(file, &pipe);
            check(file, &|path| fs::create_dir(path).unwrap());
        }
        check("blobs", &|path| symlink("moved", path).unwrap());
        check("blobs/sha256", &|path| symlink("../moved", path).unwrap());
        check("blobs", &pipe);
    }

    #[test]
    fn the_directory_itself_may_be_a_link() {
        let (temp, path, root) = finished();
        symlink(&path, temp.path().join("link")).unwrap();
        let layout = create(&temp.path().join("link"));
        layout.tag(Some(&name("b")), &root).unwrap();
        assert_eq!(layout.resolve(&Selector::Name(name("b"))).unwrap().digest(), root.digest());
    }

    #[test]
    fn documents_that_broke_off_are_incomplete_and_others_invalid() {
        let check = |file: &str, content: &[u8]| {
            let (_temp, path, _) = finished();
            fs::remove_file(path.join(file)).unwrap();
            let mut new = fs::File::options().write(true).create_new(true).open(path.join(file)).unwrap();
            std::io::Write::write_all(&mut new, content).unwrap();
            Layout::open(&path).unwrap_err()
        };
        for content in [&b""[..], b"{", &[0; 300]] {
            for file in ["oci-layout", "index.json"] {
                assert!(matches!(check(file, content), Error::Incomplete { source: Some(_), .. }), "{file}");
            }
        }
        assert!(matches!(check("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#), Error::Incomplete { .. }));
        assert!(matches!(check("index.json", br#"{"schemaVersion":1,"manifests":[]}"#), Error::Document { .. }));
        let entry = |name: &str| {
            let mut entry = Descriptor::of(MediaType::known(MediaType::MANIFEST), b"x").to_json();
            entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": name});
            entry
        };
        let index =
            |entries: Vec<Value>| json::to_canonical(&serde_json::json!({"schemaVersion": 2, "manifests": entries}));
        let error = check("index.json", &index(vec![entry("a"), entry("a")]));
        assert!(matches!(error.document(), Some(DocumentError::NameTwice(_))));
        let error = check("index.json", &index(vec![entry("../../tmp/x")]));
        assert!(matches!(error.document(), Some(DocumentError::RefName(_))));
    }
}
