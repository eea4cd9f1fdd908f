//! The records of packages that an image holds for scanners.

use distil_debunpack::records::Database;
use distil_debunpack::{Control, records};
use distil_imgcore::{Entry, EntryKind, FileTree, Fragment, ImagePath, Metadata};
use distil_rootfs::usr_merge;

use super::error::BuildError;
use crate::package::Package;
use crate::shelf::Converted;

/// What is recorded of one package: its control file, and sums of those of its files that are in the image.
#[derive(Debug)]
pub(super) struct Record {
    control: Control,
    md5sums: Vec<u8>,
    time: i64,
}

impl Record {
    /// `image` is all that the image holds. A file counts as the package's where the image has the very content that the
    /// package brought, be it from another package.
    pub(super) fn new(
        package: &Package,
        converted: &Converted,
        image: &FileTree,
        fragment: &Fragment,
        merged: bool,
    ) -> Self {
        let locate = |path: &ImagePath| {
            let place = if merged { usr_merge::rewrite(path).ok()?.into_owned() } else { path.clone() };
            let brought = converted.fragment.tree().get(&place)?;
            let there = image.get(&place)?;
            let same = brought.content.is_some() && brought.content == there.content;
            (same || fragment.tree().contains(&place)).then_some(place)
        };
        let md5sums = records::md5sums_record(package.head().md5sums(), &converted.conffiles, locate);
        Self { control: package.control().clone(), md5sums, time: package.head().control_time() }
    }
}

/// How an image records packages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) database: Database,
    /// The one file of records that the image below has, where it has one.
    pub(super) below: &'a [u8],
}

/// The files that record some packages, given in the order of their names.
pub(super) fn files(packages: &[&Record], form: Form<'_>, epoch: i64) -> Result<Vec<(Entry, Vec<u8>)>, BuildError> {
    let Form { database, below } = form;
    let wrong = |source| BuildError::Path { path: records::STATUS_DIRECTORY.into(), source };
    let file = |path: ImagePath, bytes: Vec<u8>, time: i64| {
        let kind = EntryKind::File { size: bytes.len() as u64 };
        (Entry { path, kind, meta: Metadata::root(0o644, time) }, bytes)
    };
    let mut files = Vec::new();
    for record in packages {
        let name = record.control.package();
        if database == Database::StatusDirectory {
            files.push(file(database.record_path(name).map_err(wrong)?, record.control.bytes().to_vec(), record.time));
        }
        files.push(file(database.md5sums_path(name).map_err(wrong)?, record.md5sums.clone(), record.time));
    }
    if let (Database::StatusFile, Some(first)) = (database, packages.first()) {
        let status = records::extended_status_file(below, packages.iter().map(|record| &record.control));
        files.push(file(database.record_path(first.control.package()).map_err(wrong)?, status, epoch));
    }
    Ok(files)
}
