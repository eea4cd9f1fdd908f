//! The files that are to be imported, each with what it is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use distil_imgcore::Escaped;
use distil_vulns::feed::{self, FeedKind, HEAD};
use distil_vulns::release::Releases;

use super::DatabaseError;
use crate::regular_file;

/// A file with a feed in it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) path: PathBuf,
    /// What the user named: the file, or the directory that it is in.
    pub(super) named: PathBuf,
    pub(super) kind: FeedKind,
    pub(super) form: Form,
    pub(super) bytes: u64,
}

/// How a feed is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Gzip,
    Zip,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of kinds, then of names.
    pub(super) feeds: Vec<Given>,
    /// Files of directories that are no feeds, made fit for a terminal.
    pub(super) passed_over: Vec<String>,
}

impl Given {
    /// The codename of the release that a list of what has less support is for, which its name alone says: it ends in `.deb12`.
    /// A list of what is limited may be for all of them.
    pub(super) fn release<'a>(&self, releases: &'a Releases) -> Result<Option<&'a str>, DatabaseError> {
        if !matches!(self.kind, FeedKind::SupportEnded | FeedKind::SupportLimited) {
            return Ok(None);
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let number = name.rsplit_once(".deb").map(|(_, number)| number);
        let release = number.and_then(|number| releases.by_version(number));
        match (release, self.kind) {
            (None, FeedKind::SupportLimited) if number.is_none() => Ok(None),
            (None, _) => Err(DatabaseError::NoRelease { path: self.path.clone() }),
            (Some(release), _) => Ok(Some(&release.codename)),
        }
    }
}

/// Looks at files, and at those in directories: of these no hidden ones, and none further below.
pub(super) fn list(named: &[PathBuf]) -> Result<Listing, DatabaseError> {
    let mut listing = Listing::default();
    for path in named {
        let failed = |source| DatabaseError::Read { path: path.clone(), source };
        if !path.metadata().map_err(failed)?.is_dir() {
            let found = look(path, path)?.ok_or_else(|| DatabaseError::Unknown { path: path.clone() })?;
            listing.feeds.push(found);
            continue;
        }
        let before = listing.feeds.len();
        for entry in path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file = entry.path();
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_hidden || !file.is_file() {
                continue;
            }
            match look(&file, path)? {
                Some(found) => listing.feeds.push(found),
                None => listing.passed_over.push(Escaped::path(&file).to_string()),
            }
        }
        if listing.feeds.len() == before {
            return Err(DatabaseError::Nothing { path: path.clone() });
        }
    }
    // Names decide on nothing but the order, which must not be the file system's.
    listing.feeds.sort_by(|one, two| (one.kind, &one.named, &one.path).cmp(&(two.kind, &two.named, &two.path)));
    listing.feeds.dedup_by(|one, two| one.path == two.path);
    listing.passed_over.sort();
    Ok(listing)
}

fn look(path: &Path, named: &Path) -> Result<Option<Given>, DatabaseError> {
    let failed = |source| DatabaseError::Read { path: path.to_owned(), source };
    let mut file = regular_file::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut head = head(&mut file).map_err(failed)?;
    let mut form = Form::Plain;
    if feed::is_gzip(&head) {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        // What is damaged from its very start is no feed either.
        head = self::head(&mut feed::gunzip(file)).unwrap_or_default();
        form = Form::Gzip;
    } else if head.starts_with(b"PK\x03\x04") {
        form = Form::Zip;
    }
    let kind = feed::detect(&head).filter(|_| !(form == Form::Gzip && head.starts_with(b"PK")));
    Ok(kind.map(|kind| Given { path: path.to_owned(), named: named.to_owned(), kind, form, bytes }))
}

fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Opens it once more.
pub(super) fn open(given: &Given) -> Result<File, DatabaseError> {
    regular_file::open(&given.path).map_err(|source| DatabaseError::Read { path: given.path.clone(), source })
}
