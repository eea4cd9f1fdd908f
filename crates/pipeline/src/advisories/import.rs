//! Feeds to a database.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use distil_imgcore::Escaped;
use distil_policy::facts::SourceFacts;
use distil_vulns::feed::{self, FeedKind, Summary};
use distil_vulns::release::Releases;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::given::{Form, Given, Listing, list, open};
use super::held::Held;
use super::store::{FeedSource, Meta};
use super::{Database, DatabaseError, Suites};
use crate::progress::{Phase, Progress};

/// How often it is looked whether another import has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// What to import, and where to.
#[derive(Debug, Clone, Copy)]
pub struct ImportRequest<'a> {
    /// Feeds, and directories of them. What they are shows in their content.
    pub files: &'a [PathBuf],
    /// What suites have; where these were not asked, what an older database knows of them stays.
    pub suites: Option<&'a Suites>,
    /// The database.
    pub database: &'a Path,
    /// The time.
    pub now: Timestamp,
    /// Set to give up: the old database stays.
    pub cancelled: &'a AtomicBool,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The feeds that were read.
    pub sources: Vec<SourceFacts>,
    /// Records about other systems or unknown releases, and withdrawn ones.
    pub records_passed_over: u64,
    /// Files of directories that are no feeds, made fit for a terminal.
    pub files_passed_over: Vec<String>,
    /// Whether there was a database that could not be used, so that nothing of it stayed.
    pub started_anew: bool,
}

/// Reads feeds, and makes a database of them and of what an older one has of other kinds. It takes the old one's place when it
/// is whole; until then, and where anything is wrong, the old one stays as it is. A second import waits for the first.
///
/// # Errors
/// [`DatabaseError`], with the file that has a mistake.
pub fn import(request: &ImportRequest<'_>, progress: &dyn Progress) -> Result<Imported, DatabaseError> {
    let path = &real(request.database);
    let Listing { feeds, passed_over } = list(request.files)?;
    let _lock = lock(path, request.cancelled)?;
    let mut replaced: Vec<FeedKind> = feeds.iter().map(|given| given.kind).collect();
    replaced.dedup();
    let (Kept { mut held, mut sources, mut releases, suites }, started_anew) = match Kept::of(path, &replaced) {
        Ok(kept) => (kept, false),
        Err(DatabaseError::Missing { .. }) => (Kept::default(), false),
        Err(DatabaseError::Format { .. } | DatabaseError::Damaged { .. }) => (Kept::default(), true),
        Err(error) => return Err(error),
    };

    progress.phase(Phase::Import { files: feeds.len(), bytes: feeds.iter().map(|given| given.bytes).sum() });
    let mut read = BTreeMap::new();
    let mut records_passed_over = 0;
    for given in &feeds {
        if given.kind == FeedKind::DistroInfo {
            releases = Some(releases_of(given)?);
        }
        let known = releases.clone().unwrap_or_else(Releases::embedded);
        let (summary, sha256) = take(given, &known, &mut held, request.cancelled, progress)?;
        records_passed_over += summary.passed_over;
        let date = summary.newest.or_else(|| changed(&given.path)).map(|date| date.min(request.now));
        let entry = read.entry((given.kind, given.named.clone())).or_insert_with(Vec::new);
        entry.push((given.path == given.named, sha256, date, summary.records));
    }
    let imported: Vec<FeedSource> =
        read.into_iter().map(|((kind, named), files)| source(kind, &named, &files)).collect();
    // That nothing has less support is an answer.
    let may_be_empty = |kind: FeedKind| matches!(kind, FeedKind::SupportEnded | FeedKind::SupportLimited);
    let is_empty = |kind: &&FeedKind| {
        let mut of_kind = imported.iter().filter(|source| source.kind == **kind);
        !may_be_empty(**kind) && of_kind.all(|source| source.records == 0)
    };
    if let Some(kind) = replaced.iter().find(is_empty) {
        return Err(DatabaseError::Empty { kind: *kind });
    }
    sources.extend(imported.iter().cloned());
    sources.sort();
    let suites = request.suites.map_or(Cow::Owned(suites), Cow::Borrowed);
    let meta = Meta {
        imported: request.now,
        feeds: sources,
        releases,
        suites: suites.asked.clone(),
        architectures: suites.architectures.clone(),
        support: std::mem::take(&mut held.support),
    };

    let new = beside(path, "new");
    let written = remove(&new).and_then(|()| {
        held.write(&new, &meta, &suites.offered, request.cancelled)?;
        settle(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    let imported = imported.into_iter().map(FeedSource::into_facts).collect();
    Ok(Imported { sources: imported, records_passed_over, files_passed_over: passed_over, started_anew })
}

/// What stays of an older database.
#[derive(Debug, Default)]
struct Kept {
    held: Held,
    sources: Vec<FeedSource>,
    releases: Option<Releases>,
    suites: Suites,
}

impl Kept {
    /// What a database has of feeds that are not replaced. Damage of what is replaced counts too: it may be anywhere.
    fn of(path: &Path, replaced: &[FeedKind]) -> Result<Self, DatabaseError> {
        let old = Database::open(path)?;
        let held = Held::kept(&old, replaced)?;
        let suites = Suites::kept(&old)?;
        let mut sources = old.meta.feeds;
        sources.retain(|source| !replaced.contains(&source.kind));
        Ok(Self { held, sources, releases: old.meta.releases, suites })
    }
}

/// Waits for the lock of the database. It is given back when the file is closed, by the kernel where the process dies.
fn lock(path: &Path, cancelled: &AtomicBool) -> Result<File, DatabaseError> {
    let lock = beside(path, "lock");
    let failed = |source| DatabaseError::Write { path: lock.clone(), source };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if cancelled.load(Ordering::Relaxed) => return Err(DatabaseError::Cancelled),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// The file itself where the name is a link to it: the link stays.
fn real(path: &Path) -> Cow<'_, Path> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    match fs::canonicalize(path) {
        Ok(file) if is_link => Cow::Owned(file),
        _ => Cow::Borrowed(path),
    }
}

/// A hidden file beside the database. Its name is always the same, so that what a killed import left is found by the next.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

fn remove(path: &Path) -> Result<(), DatabaseError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DatabaseError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Gives the new file its name, when all of it is on disk.
fn settle(new: &Path, path: &Path) -> Result<(), DatabaseError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let settled = || -> io::Result<()> {
        File::open(new)?.sync_all()?;
        fs::rename(new, path)?;
        File::open(dir)?.sync_all()
    };
    settled().map_err(|source| DatabaseError::Write { path: path.to_owned(), source })
}

fn releases_of(given: &Given) -> Result<Releases, DatabaseError> {
    let failed = |source: feed::FeedError| DatabaseError::Feed { path: given.path.clone(), source };
    let mut bytes = Vec::new();
    let file = open(given)?;
    let mut content: Box<dyn Read> =
        if given.form == Form::Gzip { Box::new(feed::gunzip(file)) } else { Box::new(file) };
    content.by_ref().take(feed::MAX_FEED).read_to_end(&mut bytes).map_err(|error| failed(error.into()))?;
    Releases::from_csv(&bytes).map_err(|error| failed(error.into()))
}

/// Reads one feed. Also the SHA-256 of its file.
fn take(
    given: &Given,
    releases: &Releases,
    held: &mut Held,
    cancelled: &AtomicBool,
    progress: &dyn Progress,
) -> Result<(Summary, String), DatabaseError> {
    let name = given.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    progress.started(&name);
    let mut file = Watched { file: open(given)?, name: &name, cancelled, progress };
    let sum = sum(&mut file.file).map_err(|source| DatabaseError::Read { path: given.path.clone(), source })?;
    let release = given.release(releases)?;
    let each = &mut |item| held.take(given.kind, release, item);
    let summary = match given.form {
        Form::Zip => feed::read_zip(file, releases, each),
        Form::Gzip => feed::read(given.kind, &mut feed::gunzip(file), releases, each),
        Form::Plain => feed::read(given.kind, &mut file, releases, each),
    };
    if cancelled.load(Ordering::Relaxed) {
        return Err(DatabaseError::Cancelled);
    }
    let summary = summary.map_err(|source| DatabaseError::Feed { path: given.path.clone(), source })?;
    progress.finished(&name);
    Ok((summary, sum))
}

/// The SHA-256 of a file, which is at its start again then.
fn sum(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut reader = BufReader::with_capacity(1 << 16, &mut *file);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        hash.update(bytes);
        let length = bytes.len();
        reader.consume(length);
    }
    file.rewind()?;
    Ok(hex::encode(hash.finalize()))
}

/// When a file was changed, for feeds that have no time in them.
fn changed(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(path.metadata().ok()?.modified().ok()?).ok()
}

/// One source for a file, or for all files of a kind in a directory: their sum is then that of their sums.
fn source(kind: FeedKind, named: &Path, files: &[(bool, String, Option<Timestamp>, u64)]) -> FeedSource {
    let sha256 = if let [(true, sha256, ..)] = files {
        sha256.clone()
    } else {
        let mut sums: Vec<&str> = files.iter().map(|(_, sha256, ..)| sha256.as_str()).collect();
        sums.sort_unstable();
        hex::encode(Sha256::digest(sums.join("\n")))
    };
    FeedSource {
        kind,
        name: Escaped(named.file_name().unwrap_or_default().as_encoded_bytes()).to_string(),
        sha256,
        date: files.iter().filter_map(|(_, _, date, _)| *date).max(),
        records: files.iter().map(|(.., records)| records).sum(),
    }
}

/// A file that tells how far it is read, and fails when the work is given up.
struct Watched<'a> {
    file: File,
    name: &'a str,
    cancelled: &'a AtomicBool,
    progress: &'a dyn Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let length = self.file.read(buf)?;
        self.progress.advanced(self.name, length as u64);
        Ok(length)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
