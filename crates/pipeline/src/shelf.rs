//! Fragments and the sums of layers, kept between builds.

mod runs;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use distil_cache::{Area, CacheError, CachedFile, Content, ContentKey, DerivedWriter, Session, Values};
use distil_debunpack::{ControlArchive, Md5Sum};
use distil_imgcore::digest::Hasher;
use distil_imgcore::{Checkpoint, Composition, Compression, Digest, Fragment, FragmentIndex, ImagePath, LayerSums};
use distil_rootfs::Filter;

use crate::describe::Description;

/// A package as a fragment.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) fragment: Fragment,
    /// MD5 of the conffiles, by their path in the package.
    pub(crate) conffiles: BTreeMap<ImagePath, Md5Sum>,
}

/// Files by their path.
type Files = BTreeMap<ImagePath, Vec<u8>>;

/// What was made of a package in an earlier build.
#[derive(Debug)]
pub(crate) struct Shelved {
    pub(crate) head: ControlArchive,
    pub(crate) converted: Converted,
}

/// What decides on a fragment's bytes beside the package itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) compression: Compression,
    /// No time of an entry is later.
    pub(crate) clamp: Option<i64>,
    /// How packages are fitted into a system; `None` leaves them as they are.
    pub(crate) fitting: Option<&'a Filter>,
    /// Whether packages are described as well. It changes no fragment.
    pub(crate) describe: bool,
}

/// The part of the cache that holds fragments. Everything in it can be made again, and what it gives away is compared with
/// its digest while it is read.
#[derive(Debug)]
pub(crate) struct Shelf {
    content: Content,
    values: Values,
    /// Every file that was given away, to be looked through where something turns out to be damaged.
    given: Mutex<Vec<CachedFile>>,
    /// Nothing is given away any more but what is made by this process.
    distrusted: AtomicBool,
}

/// The forms in which values are kept. They change with the form, and with every change to the bytes of fragments.
const FRAGMENT: &str = "fragment-2";
const FILES: &str = "files-1";
const LAYER: &str = "layer-1";
const CHECKPOINTS: &str = "layer-checkpoints-1";
/// It changes with everything that decides on an image and is not in its lock or its recipe.
const IMAGE: &str = "image-2";
/// It changes with everything that is found out about a package.
const DESCRIPTION: &str = "description-1";

impl Shelf {
    pub(crate) fn open(session: &Session) -> Result<Self, CacheError> {
        let content = Content::in_session(session, Area::Fragments)?;
        Ok(Self {
            content,
            values: Values::in_session(session)?,
            given: Mutex::default(),
            distrusted: AtomicBool::default(),
        })
    }

    /// What an earlier build made of the package with this SHA-256. A cache that cannot be read is one that has nothing.
    pub(crate) fn find(&self, deb: &Digest, rules: Rules<'_>, left_out: &BTreeSet<ImagePath>) -> Option<Shelved> {
        if rules.describe && left_out.is_empty() && self.description(deb, rules).is_none() {
            return None;
        }
        // A clamp that changes no time of the package makes no other fragment.
        let kept = |clamp| self.values.get(FRAGMENT, &key(deb, rules, clamp, left_out)).ok().flatten();
        let unclamped = kept(None).and_then(|bytes| self.read(&bytes));
        let fits = |shelved: &Shelved| rules.clamp.is_none_or(|clamp| newest(&shelved.converted.fragment) <= clamp);
        unclamped.filter(fits).or_else(|| self.read(&kept(Some(rules.clamp?))?))
    }

    /// Where a fragment is written that shall be kept.
    pub(crate) fn writer(&self) -> Result<DerivedWriter<'_>, CacheError> {
        self.content.derived_writer()
    }

    /// Keeps what was made of a package.
    pub(crate) fn keep(
        &self,
        made: Made<'_>,
        rules: Rules<'_>,
        left_out: &BTreeSet<ImagePath>,
        (writer, index): (DerivedWriter<'_>, FragmentIndex),
    ) -> Result<Converted, CacheError> {
        let file = writer.commit_as(content_key(index.digest()))?;
        self.give(&file);
        let fragment = index.with_content(Arc::new(Packed(file)));
        let converted = Converted { fragment, conffiles: made.conffiles };
        // Times that the clamp did not touch are older than it, so that the fragment is one without a clamp as well.
        let clamp = rules.clamp.filter(|_| made.clamped);
        if let Some(bytes) = to_bytes(made.head, &converted) {
            self.values.put(FRAGMENT, &key(made.deb, rules, clamp, left_out), &bytes)?;
        }
        Ok(converted)
    }

    /// What is kept beside fragments.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The sums of a layer, where it was composed before.
    pub(crate) fn sums(&self, composition: &Composition<'_>) -> Option<LayerSums> {
        LayerSums::from_bytes(&self.values.get(LAYER, &composition.id().to_string()).ok()??)
    }

    pub(crate) fn keep_sums(&self, composition: &Composition<'_>, sums: &LayerSums) -> Result<(), CacheError> {
        self.values.put(LAYER, &composition.id().to_string(), &sums.to_bytes())
    }

    /// How far layers were hashed that start like this one.
    pub(crate) fn checkpoints(&self, composition: &Composition<'_>) -> Vec<Checkpoint> {
        let kept = composition.start().and_then(|start| self.values.get(CHECKPOINTS, &start.to_string()).ok()?);
        kept.and_then(|bytes| Checkpoint::list_from_bytes(&bytes)).unwrap_or_default()
    }

    /// Keeps how far this layer was hashed, beside what was `known` of it before.
    pub(crate) fn keep_checkpoints(
        &self,
        composition: &Composition<'_>,
        known: Vec<Checkpoint>,
        reached: Vec<Checkpoint>,
    ) -> Result<(), CacheError> {
        let Some(start) = composition.start().filter(|_| !reached.is_empty()) else { return Ok(()) };
        let mut all = composition.passed(known);
        all.extend(reached);
        self.values.put(CHECKPOINTS, &start.to_string(), &Checkpoint::list_to_bytes(&all))
    }

    /// What was found out about a package when it was converted.
    pub(crate) fn description(&self, deb: &Digest, rules: Rules<'_>) -> Option<Description> {
        let kept = self.values.get(DESCRIPTION, &description_key(deb, rules)).ok()??;
        Description::from_bytes(&kept)
    }

    pub(crate) fn keep_description(
        &self,
        deb: &Digest,
        rules: Rules<'_>,
        description: &Description,
    ) -> Result<(), CacheError> {
        self.values.put(DESCRIPTION, &description_key(deb, rules), &description.to_bytes())
    }

    /// What was kept of an image under a key that says of what it was made.
    pub(crate) fn image(&self, key: &str) -> Option<Vec<u8>> {
        self.values.get(IMAGE, key).ok()?
    }

    pub(crate) fn keep_image(&self, key: &str, kept: &[u8]) -> Result<(), CacheError> {
        self.values.put(IMAGE, key, kept)
    }

    /// Has everything made anew from now on.
    pub(crate) fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// Some files of a fragment, as [`Fragment::read_files`] reads them. Those that were read before are kept: they are few and
    /// small, and the fragment is not.
    pub(crate) fn files(&self, fragment: &Fragment, wanted: &BTreeSet<ImagePath>, limit: u64) -> io::Result<Files> {
        let wanted: BTreeSet<ImagePath> =
            wanted.iter().filter(|path| fragment.tree().contains(path)).cloned().collect();
        if wanted.is_empty() {
            return Ok(Files::new());
        }
        let mut hasher = Hasher::sha256();
        for piece in std::iter::once(fragment.id().to_string().as_bytes()).chain(wanted.iter().map(ImagePath::as_bytes))
        {
            hasher.update(&(piece.len() as u64).to_le_bytes());
            hasher.update(piece);
        }
        let key = format!("{} {limit}", hasher.finish());
        if let Some(files) = self.values.get(FILES, &key).ok().flatten().and_then(|bytes| files_from_bytes(&bytes)) {
            return Ok(files);
        }
        let files = fragment.read_files(&wanted, limit)?;
        let mut bytes = Vec::new();
        for (path, content) in &files {
            put(&mut bytes, path.as_bytes());
            put(&mut bytes, content);
        }
        self.values.put(FILES, &key, &bytes)?;
        Ok(files)
    }

    /// Reads all that was given away once more. Damaged files are gone then; says whether there were any.
    pub(crate) fn discard_damaged(&self) -> bool {
        let given = std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner));
        let is_sound = |file: &CachedFile| {
            let copied = file.open_verified().map_err(io::Error::from);
            copied.and_then(|mut file| io::copy(&mut file, &mut io::sink())).is_ok()
        };
        let mut found = false;
        for file in given.iter().filter(|file| !is_sound(file)) {
            found = true;
            // What cannot be removed is found again, which has its limit.
            let _: Result<(), CacheError> = file.discard();
        }
        found
    }

    /// Whether the bytes of a fragment are still there.
    pub(crate) fn has(&self, fragment: &Fragment) -> bool {
        let key = fragment.packed_digest().map(content_key);
        key.is_some_and(|key| matches!(self.content.get(&key, Some(fragment.packed_size())), Ok(Some(_))))
    }

    fn read(&self, bytes: &[u8]) -> Option<Shelved> {
        let (head, rest) = take(bytes)?;
        let (conffiles, fragment) = take(rest)?;
        let head = ControlArchive::from_bytes(head)?;
        let conffiles = conffiles_from_bytes(conffiles)?;
        let fragment = Fragment::from_bytes(fragment, |digest, size| {
            let file = self.trusted(digest, size)?;
            self.give(&file);
            Some(Arc::new(Packed(file)))
        })?;
        Some(Shelved { head, converted: Converted { fragment, conffiles } })
    }

    /// A file that an earlier build left.
    fn trusted(&self, digest: &Digest, size: u64) -> Option<CachedFile> {
        if self.distrusted.load(Ordering::Relaxed) {
            return None;
        }
        self.content.get(&content_key(digest), Some(size)).ok()?
    }

    fn give(&self, file: &CachedFile) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(file.clone());
    }
}

/// What a fragment was made of.
pub(crate) struct Made<'a> {
    /// The SHA-256 of the whole package.
    pub(crate) deb: &'a Digest,
    pub(crate) head: &'a ControlArchive,
    pub(crate) conffiles: BTreeMap<ImagePath, Md5Sum>,
    /// Whether the clamp changed a time.
    pub(crate) clamped: bool,
}

/// The bytes of a fragment in the cache. They are compared, too, where this process wrote them: the disk may have changed
/// them since.
#[derive(Debug)]
struct Packed(CachedFile);

impl distil_imgcore::Content for Packed {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.0.open_verified()?))
    }

    fn open_unchecked(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.0.open()?))
    }
}

fn key(deb: &Digest, rules: Rules<'_>, clamp: Option<i64>, left_out: &BTreeSet<ImagePath>) -> String {
    let mut hasher = Hasher::sha256();
    let mut piece = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    piece(deb.to_string().as_bytes());
    piece(rules.compression.to_string().as_bytes());
    piece(clamp.map(|clamp| clamp.to_string()).unwrap_or_default().as_bytes());
    piece(rules.fitting.map(Filter::id).unwrap_or_default().as_bytes());
    piece(b"without");
    for path in left_out {
        piece(path.as_bytes());
    }
    hasher.finish().to_string()
}

/// Files that stay out of the image are not looked into.
fn description_key(deb: &Digest, rules: Rules<'_>) -> String {
    key(deb, Rules { compression: Compression::NONE, ..rules }, None, &BTreeSet::new())
}

fn newest(fragment: &Fragment) -> i64 {
    fragment.tree().iter().map(|node| node.entry.meta.mtime).max().unwrap_or(i64::MIN)
}

fn content_key(digest: &Digest) -> ContentKey {
    ContentKey::from_sha256(digest.as_sha256().copied().unwrap_or_default())
}

fn to_bytes(head: &ControlArchive, converted: &Converted) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut conffiles = Vec::new();
    for (path, sum) in &converted.conffiles {
        put(&mut conffiles, path.as_bytes());
        conffiles.extend_from_slice(&sum.0);
    }
    put(&mut out, &head.to_bytes());
    put(&mut out, &conffiles);
    out.extend(converted.fragment.to_bytes()?);
    Some(out)
}

fn conffiles_from_bytes(mut bytes: &[u8]) -> Option<BTreeMap<ImagePath, Md5Sum>> {
    let mut conffiles = BTreeMap::new();
    while !bytes.is_empty() {
        let (path, rest) = take(bytes)?;
        let (sum, rest) = rest.split_first_chunk()?;
        conffiles.insert(ImagePath::from_archive(path).ok()?, Md5Sum(*sum));
        bytes = rest;
    }
    Some(conffiles)
}

fn files_from_bytes(mut bytes: &[u8]) -> Option<Files> {
    let mut files = Files::new();
    while !bytes.is_empty() {
        let (path, rest) = take(bytes)?;
        let (content, rest) = take(rest)?;
        files.insert(ImagePath::from_archive(path).ok()?, content.to_vec());
        bytes = rest;
    }
    Some(files)
}

/// A string behind its length.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
