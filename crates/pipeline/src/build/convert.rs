//! One .deb to a fragment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use distil_cache::Session;
use distil_debunpack::{Deb, Integrity, Limits};
use distil_imgcore::digest::VerifyingReader;
use distil_imgcore::{Digest, Entry, EntryKind, FragmentWriter, ImagePath, Press};
use distil_rootfs::usr_merge;

use super::error::{BuildError, Cancelled};
use crate::describe::{Draft as DescriptionDraft, Hashed, Look, Looking, copyright_of};
use crate::package::Package;
use crate::progress::Progress;
use crate::shelf::{Converted, Made, Rules, Shelf};

/// What a conversion works with.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub(super) session: &'a Session,
    pub(super) shelf: &'a Shelf,
    /// Compresses parts of large packages.
    pub(super) press: &'a Press,
    /// How many threads may decode one package.
    pub(super) decoding: NonZeroUsize,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancelled: &'a AtomicBool,
}

/// Bytes read from a .deb at a time.
const READ_BUFFER: usize = 256 << 10;

impl Package {
    /// The package's files as a fragment without those at the paths `left_out`: one of an earlier build, or a new one.
    pub(super) fn convert(
        &self,
        rules: Rules<'_>,
        left_out: &BTreeSet<ImagePath>,
        workshop: Workshop<'_>,
    ) -> Result<Arc<Converted>, BuildError> {
        if let Some(converted) = self.converted().filter(|c| left_out.is_empty() && workshop.shelf.has(&c.fragment)) {
            return Ok(Arc::clone(converted));
        }
        let digest = self.sha256().map_err(BuildError::read(self.path()))?;
        if let Some(shelved) = workshop.shelf.find(digest, rules, left_out) {
            return Ok(Arc::new(shelved.converted));
        }
        let mut renamed = BTreeMap::new();
        loop {
            let mut pass = Pass::new(rules, left_out, &renamed);
            match pass.run(self, digest, workshop)? {
                Outcome::Done(converted) => return Ok(Arc::from(converted)),
                Outcome::Rename { file, to } => renamed.insert(file, to),
            };
        }
    }
}

enum Outcome {
    Done(Box<Converted>),
    /// A file that stays out has another name that stays in: the file has to get that name, from the start.
    Rename {
        file: ImagePath,
        to: ImagePath,
    },
}

/// One reading of a package.
struct Pass<'a> {
    rules: Rules<'a>,
    left_out: &'a BTreeSet<ImagePath>,
    /// Files that take the name of one of their hard links.
    renamed: &'a BTreeMap<ImagePath, ImagePath>,
    /// Directories in the order of the package; those that lost all they had are dropped at the end.
    directories: Vec<Entry>,
    /// Directories that something was taken out of.
    emptied: BTreeSet<ImagePath>,
    /// Directories that something was left in.
    filled: BTreeSet<ImagePath>,
}

impl<'a> Pass<'a> {
    fn new(rules: Rules<'a>, left_out: &'a BTreeSet<ImagePath>, renamed: &'a BTreeMap<ImagePath, ImagePath>) -> Self {
        let (emptied, filled) = (BTreeSet::new(), BTreeSet::new());
        Self { rules, left_out, renamed, directories: Vec::new(), emptied, filled }
    }

    fn run(&mut self, package: &Package, digest: &Digest, workshop: Workshop<'_>) -> Result<Outcome, BuildError> {
        let path = package.path();
        let stream = || BuildError::stream(path);
        let mut file = package.reader().map_err(BuildError::read(path))?;
        if package.integrity() == Integrity::Unverified {
            // The fragment is kept under the digest of the bytes that it was made of, whatever the file held before.
            file = Box::new(VerifyingReader::new(file, digest.clone(), package.size()));
        }
        let mut draft = (self.rules.describe && self.left_out.is_empty()).then(DescriptionDraft::default);
        let digests = draft.is_some().then(|| {
            let (hashed, digests) = Hashed::new(std::mem::replace(&mut file, Box::new(io::empty())));
            file = Box::new(hashed);
            digests
        });
        let file = Stoppable { inner: file, cancelled: workshop.cancelled };
        let file = Watched { inner: file, name: package.name(), workshop };
        let deb = BufReader::with_capacity(READ_BUFFER, file);
        let deb = Deb::open(deb, Limits::default()).map_err(BuildError::deb(path))?;
        if deb.control_archive().control().bytes() != package.control().bytes() {
            let changed = io::Error::other("the file has changed since the build began");
            return Err(BuildError::read(path)(changed));
        }
        let deb = deb.with_threads(workshop.decoding);
        let mut data = deb.into_data(package.integrity()).map_err(BuildError::deb(path))?;
        let Rules { compression, clamp, .. } = self.rules;
        let sink = workshop.shelf.writer()?;
        let writer = FragmentWriter::new(sink, compression, package.origin(), clamp).map_err(stream())?;
        let mut writer = writer.with_press(workshop.press);
        while let Some(entry) = data.next_entry().map_err(BuildError::deb(path))? {
            let is_copyright = copyright_of(&entry.path) == Some(package.name());
            let as_shipped = draft.as_ref().filter(|_| is_copyright).map(|_| entry.clone());
            match self.place(entry).map_err(|source| BuildError::Path { path: path.to_owned(), source })? {
                Place::Out => {
                    // Licences are read of what stays out, too.
                    if let (Some(draft), Some(entry)) = (&mut draft, as_shipped) {
                        let mut look = Look::brief(&entry);
                        io::copy(&mut Looking { inner: &mut data, look: &mut look }, &mut io::sink())
                            .map_err(stream())?;
                        draft.add(&entry, package.name(), look.finish());
                    }
                }
                Place::Rename { file, to } => return Ok(Outcome::Rename { file, to }),
                Place::In(entry) => match &mut draft {
                    Some(draft) if matches!(entry.kind, EntryKind::File { .. }) => {
                        let mut look = Look::brief(&entry);
                        let mut looking = Looking { inner: &mut data, look: &mut look };
                        writer.add(entry.clone(), &mut looking).map_err(stream())?;
                        draft.add(&entry, package.name(), look.finish());
                    }
                    _ => writer.add(entry, &mut data).map_err(stream())?,
                },
            }
        }
        let conffiles = data.finish().map_err(BuildError::deb(path))?.conffile_sums;
        // What is below a directory comes before it, and may leave it empty.
        let mut directories = std::mem::take(&mut self.directories);
        directories.sort_by(|a, b| b.path.cmp(&a.path));
        for directory in directories {
            let stays = !self.emptied.contains(&directory.path) || self.filled.contains(&directory.path);
            self.note(&directory.path, stays);
            if stays {
                writer.add(directory, &mut io::empty()).map_err(stream())?;
            }
        }
        let (sink, index) = writer.finish().map_err(stream())?;
        let made = Made { deb: digest, head: package.head(), conffiles, clamped: index.is_clamped() };
        let converted = workshop.shelf.keep(made, self.rules, self.left_out, (sink, index))?;
        if let (Some(draft), Some(digests)) = (draft, digests) {
            let digests = digests.lock().unwrap_or_else(PoisonError::into_inner).clone().finish();
            let source = package.control().source().name.to_string();
            let description = draft.finish(digests, converted.fragment.tree(), &source);
            workshop.shelf.keep_description(digest, self.rules, &description)?;
        }
        Ok(Outcome::Done(Box::new(converted)))
    }

    /// Where in the image an entry comes, if it does.
    fn place(&mut self, entry: Entry) -> Result<Place, distil_imgcore::PathError> {
        let fitted = match self.rules.fitting {
            None => Some(entry),
            Some(_) => usr_merge::merge(entry)?,
        };
        let Some(mut entry) = fitted else { return Ok(Place::Out) };
        if let Some(name) = self.renamed.get(&entry.path) {
            entry.path = name.clone();
            self.note(&entry.path, true);
            return Ok(Place::In(entry));
        }
        let stays = self.stays(&entry.path);
        if !stays || !entry.kind.is_dir() {
            self.note(&entry.path, stays);
        }
        if !stays {
            return Ok(Place::Out);
        }
        match &mut entry.kind {
            EntryKind::Directory => {
                self.directories.push(entry);
                return Ok(Place::Out);
            }
            EntryKind::Hardlink { target } => match self.renamed.get(target) {
                Some(name) if *name == entry.path => return Ok(Place::Out),
                Some(name) => *target = name.clone(),
                None if !self.stays(target) => {
                    return Ok(Place::Rename { file: target.clone(), to: entry.path });
                }
                None => {}
            },
            _ => {}
        }
        Ok(Place::In(entry))
    }

    fn stays(&self, path: &ImagePath) -> bool {
        !self.left_out.contains(path) && self.rules.fitting.is_none_or(|filter| filter.keeps(path))
    }

    /// Remembers of every directory above whether something in it stays.
    fn note(&mut self, path: &ImagePath, stays: bool) {
        let set = if stays { &mut self.filled } else { &mut self.emptied };
        for above in path.ancestors() {
            if !set.insert(above) {
                break;
            }
        }
    }
}

enum Place {
    In(Entry),
    /// Not now: directories are added at the end.
    Out,
    Rename {
        file: ImagePath,
        to: ImagePath,
    },
}

/// Reports the bytes that are read.
struct Watched<'a, R> {
    inner: R,
    name: &'a str,
    workshop: Workshop<'a>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.workshop.progress.advanced(self.name, n as u64);
        Ok(n)
    }
}

/// Stops when asked to.
pub(super) struct Stoppable<'a, R> {
    pub(super) inner: R,
    pub(super) cancelled: &'a AtomicBool,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) { Err(io::Error::other(Cancelled)) } else { self.inner.read(buf) }
    }
}
