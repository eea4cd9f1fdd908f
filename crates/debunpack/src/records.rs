//! Records of installed packages, as scanners of images read them.
//!
//! An image holds either a file for each package in `var/lib/dpkg/status.d` (the form of distroless images) or one
//! database `var/lib/dpkg/status`, never both: a scanner would report every package twice.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::{ImagePath, PathError};

use crate::control::{Control, ControlError};
use crate::deb822::{Comments, Deb822Error, Limits, Paragraph, Paragraphs};
use crate::md5sums::{Md5Sum, Md5sums};
use crate::package_name::{MD5SUMS, PackageName};

/// Where an image keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Database {
    /// `var/lib/dpkg/status.d/NAME`, the control file byte for byte, and `NAME.md5sums` beside it.
    #[default]
    StatusDirectory,
    /// `var/lib/dpkg/status`, all packages in one file, and `var/lib/dpkg/info/NAME.md5sums`.
    StatusFile,
}

/// The folder of [`Database::StatusDirectory`].
pub const STATUS_DIRECTORY: &str = "var/lib/dpkg/status.d";
/// The file of [`Database::StatusFile`].
pub const STATUS_FILE: &str = "var/lib/dpkg/status";
const INFO_DIRECTORY: &str = "var/lib/dpkg/info";

impl Database {
    /// Where the record of a package stands.
    ///
    /// # Errors
    /// None in practice: a package name is a valid file name.
    pub fn record_path(self, package: &PackageName) -> Result<ImagePath, PathError> {
        match self {
            Self::StatusDirectory => path_of(STATUS_DIRECTORY, package, ""),
            Self::StatusFile => ImagePath::from_archive(STATUS_FILE.as_bytes()),
        }
    }

    /// Where the sums of a package's files stand.
    ///
    /// # Errors
    /// None in practice: a package name is a valid file name.
    pub fn md5sums_path(self, package: &PackageName) -> Result<ImagePath, PathError> {
        match self {
            Self::StatusDirectory => path_of(STATUS_DIRECTORY, package, MD5SUMS),
            Self::StatusFile => path_of(INFO_DIRECTORY, package, MD5SUMS),
        }
    }
}

fn path_of(directory: &str, package: &PackageName, ending: &str) -> Result<ImagePath, PathError> {
    ImagePath::from_archive(format!("{directory}/{package}{ending}").as_bytes())
}

/// The lines of a package's `md5sums` for the files that are in the image, in the package's order, and then those of its
/// configuration files, sorted. Scanners report every line as a file, whether it is there or not.
///
/// `locate` says where a file of the package is in the image, and nothing where it was left out. A package may call a
/// file `lib/x` that is `usr/lib/x` in the image.
#[must_use]
pub fn md5sums_record(
    md5sums: &Md5sums,
    conffile_sums: &BTreeMap<ImagePath, Md5Sum>,
    locate: impl Fn(&ImagePath) -> Option<ImagePath>,
) -> Vec<u8> {
    let mut record = Vec::new();
    let mut add = |path: &ImagePath, sum: Md5Sum| {
        if let Some(place) = locate(path) {
            record.extend_from_slice(format!("{sum}  ").as_bytes());
            record.extend_from_slice(place.as_bytes());
            record.push(b'\n');
        }
    };
    let listed = md5sums.lines().iter().filter(|(path, _)| !conffile_sums.contains_key(path));
    for (path, sum) in listed.map(|(path, sum)| (path, sum)).chain(conffile_sums) {
        add(path, *sum);
    }
    record
}

/// The database of [`Database::StatusFile`]: the control files in the order given, each with the field `Status` behind
/// its first.
#[must_use]
pub fn status_file<'a>(packages: impl IntoIterator<Item = &'a Control>) -> Vec<u8> {
    let mut file = Vec::new();
    for control in packages {
        let record = control.bytes().trim_ascii();
        let second = end_of_first_field(record);
        let (first, rest) = record.split_at_checked(second).unwrap_or((record, b""));
        file.extend_from_slice(first);
        file.extend_from_slice(b"Status: install ok installed\n");
        file.extend_from_slice(rest);
        file.extend_from_slice(b"\n\n");
    }
    file
}

/// The database of a system that packages are added to: its records byte for byte, then those of the packages, as
/// [`status_file`] has them. What the system still knows of a package of the same name, which it had once, goes.
#[must_use]
pub fn extended_status_file<'a>(system: &[u8], packages: impl IntoIterator<Item = &'a Control> + Clone) -> Vec<u8> {
    let names: BTreeSet<&str> = packages.clone().into_iter().map(|control| control.package().as_str()).collect();
    let stays = |record: &[u8]| record_name(record).is_none_or(|name| !names.contains(name));
    let mut file = Vec::new();
    let mut record = Vec::new();
    for line in system.split_inclusive(|b| *b == b'\n') {
        if !line.trim_ascii().is_empty() {
            record.extend_from_slice(line);
            continue;
        }
        if stays(&record) {
            file.append(&mut record);
            file.extend_from_slice(line);
        }
        record.clear();
    }
    if !record.is_empty() && stays(&record) {
        file.extend(record);
        let ends = file.last() == Some(&b'\n');
        file.extend_from_slice(if ends { b"\n" } else { b"\n\n" });
    }
    file.extend(status_file(packages));
    file
}

/// The name in the record's field `Package`.
fn record_name(record: &[u8]) -> Option<&str> {
    const FIELD: &[u8] = b"package:";
    record.split(|b| *b == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(FIELD.len())?;
        name.eq_ignore_ascii_case(FIELD).then(|| std::str::from_utf8(value.trim_ascii()).ok())?
    })
}

/// Behind the newline that ends the first field, continuation lines included.
fn end_of_first_field(record: &[u8]) -> usize {
    let mut at = 0;
    for line in record.split_inclusive(|b| *b == b'\n') {
        if at > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
            break;
        }
        at += line.len();
    }
    at
}

/// Why bytes are not records of packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not paragraphs of fields.
    #[error(transparent)]
    Syntax(#[from] Deb822Error),
    /// A record that does not say which package it is for.
    #[error("the record on line {line} is not in order")]
    Record {
        /// Its first line, from 1.
        line: usize,
        /// What is wrong.
        source: ControlError,
    },
}

/// What a database or a single record says.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The packages that are there, in its order.
    pub packages: Vec<Recorded>,
    /// What in it is no record. The others count all the same; behind what are no fields, nothing more is read.
    pub broken: Vec<RecordError>,
}

/// A package that a record says is there.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The record.
    pub control: Control,
    /// Whether all of it is there. Of a package that was unpacked and not configured, or not wholly unpacked, there are files
    /// all the same.
    pub is_whole: bool,
}

impl Records {
    /// Reads records. One without `Status` counts as installed, since those of `status.d` have none. Packages that were
    /// removed, all but their settings, do not count.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        // The database of a large system has some megabytes.
        let limits = Limits { document: 256 << 20, ..Limits::default() };
        let mut records = Self::default();
        for paragraph in Paragraphs::new(bytes, Comments::Refused, limits) {
            match paragraph.map_err(RecordError::from).and_then(|paragraph| recorded(&paragraph)) {
                Ok(found) => records.packages.extend(found),
                Err(error) => records.broken.push(error),
            }
        }
        records
    }
}

fn recorded(paragraph: &Paragraph<'_>) -> Result<Option<Recorded>, RecordError> {
    let is_whole = match state(paragraph) {
        // Packages whose triggers wait have all their files, too.
        None | Some(b"installed" | b"triggers-pending" | b"triggers-awaited") => true,
        Some(b"not-installed" | b"config-files") => return Ok(None),
        Some(_) => false,
    };
    let control = Control::from_paragraph(paragraph);
    let control = control.map_err(|source| RecordError::Record { line: paragraph.line(), source })?;
    Ok(Some(Recorded { control, is_whole }))
}

/// The third word of `Status`, which says how far a package is installed; none where there is no such field.
fn state<'a>(record: &'a Paragraph<'_>) -> Option<&'a [u8]> {
    let status = record.field("Status")?.value();
    Some(status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(text: &str) -> Control {
        Control::parse(text.as_bytes()).unwrap()
    }

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    #[test]
    fn records_have_their_places() {
        let name: PackageName = "libstdc++6".parse().unwrap();
        let places = |database: Database| {
            [database.record_path(&name).unwrap().to_string(), database.md5sums_path(&name).unwrap().to_string()]
        };
        assert_eq!(
            places(Database::StatusDirectory),
            ["/var/lib/dpkg/status.d/libstdc++6", "/var/lib/dpkg/status.d/libstdc++6.md5sums"]
        );
        assert_eq!(places(Database::StatusFile), ["/var/lib/dpkg/status", "/var/lib/dpkg/info/libstdc++6.md5sums"]);
    }

    #[test]
    fn only_files_of_the_image_are_listed() {
        let sum = |digit: &str| digit.repeat(32);
        let text =
            format!("{}  usr/b\n{}  lib/a\n{}  usr/share/man/x\n{}  etc/c\n", sum("1"), sum("2"), sum("3"), sum("4"));
        let md5sums = Md5sums::parse(text.as_bytes()).unwrap();
        let conffile_sums = ["etc/z", "etc/c"].map(|p| (path(p), sum("5").parse().unwrap())).into();
        let locate = |p: &ImagePath| match p.as_bytes() {
            b"lib/a" => Some(path("usr/lib/a")),
            b"usr/share/man/x" => None,
            _ => Some(p.clone()),
        };
        let record = md5sums_record(&md5sums, &conffile_sums, locate);
        let expected =
            format!("{}  usr/b\n{}  usr/lib/a\n{}  etc/c\n{}  etc/z\n", sum("1"), sum("2"), sum("5"), sum("5"));
        assert_eq!(String::from_utf8(record).unwrap(), expected);
    }

    #[test]
    fn the_status_is_the_second_field() {
        let hello = control("\nPackage: hello\nVersion: 1\nArchitecture: all\nDescription: a\n b\n\n");
        let other = control("Package:\n other\nVersion: 1\nArchitecture: all\n");
        assert_eq!(
            String::from_utf8(status_file([&hello, &other])).unwrap(),
            "Package: hello\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nDescription: a\n b\n\n\
             Package:\n other\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
        );
        assert_eq!(names(&Records::read(&status_file([&hello, &other]))), ["hello", "other"]);
    }

    #[test]
    fn a_database_is_extended_and_nothing_in_it_is_touched() {
        let new = control("Package: new\nVersion: 1\nArchitecture: all\n");
        let added = "Package: new\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";
        let old = "Package: old\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nX-Y: z\n  more\n";
        let gone = "package:new\nStatus: deinstall ok config-files\nVersion: 0\nArchitecture: all\n";
        for system in [format!("{old}\n"), old.to_owned(), format!("{gone}\n{old}\n"), format!("{old}\n{gone}")] {
            let file = extended_status_file(system.as_bytes(), [&new]);
            assert_eq!(String::from_utf8(file).unwrap(), format!("{old}\n{added}"), "{system}");
        }
        assert_eq!(extended_status_file(b"", [&new]), added.as_bytes());
        assert_eq!(extended_status_file(old.trim_end().as_bytes(), [&new]), format!("{old}\n{added}").into_bytes());
    }

    fn names(records: &Records) -> Vec<String> {
        records.packages.iter().map(|found| found.control.package().to_string()).collect()
    }

    #[test]
    fn what_has_files_counts_and_what_is_removed_does_not() {
        let record = |name: &str, status: &str| format!("Package: {name}\n{status}Version: 1\nArchitecture: all\n\n");
        let text = [
            record("aa", ""),
            record("bb", "Status: install ok installed\n"),
            record("cc", "Status: hold ok installed\n"),
            record("dd", "Status: deinstall ok config-files\n"),
            record("ee", "Status: install ok unpacked\n"),
            record("ff", "Status: install ok triggers-pending\n"),
            "Package: gg\nStatus: purge ok not-installed\n\n".to_owned(),
            record("hh", "Status: deinstall reinstreq installed\n"),
            record("ii", "Status: install reinstreq half-installed\n"),
            record("jj", "Status: install ok half-configured\n"),
            record("kk", "Status: purge ok installed\n"),
        ]
        .concat();
        let found = Records::read(text.as_bytes());
        assert_eq!(names(&found), ["aa", "bb", "cc", "ee", "ff", "hh", "ii", "jj", "kk"]);
        let partly: Vec<_> = found.packages.iter().filter(|found| !found.is_whole).collect();
        let partly: Vec<_> = partly.iter().map(|found| found.control.package().as_str()).collect();
        assert_eq!(partly, ["ee", "ii", "jj"]);
        assert_eq!(found.broken, []);
    }

    #[test]
    fn a_broken_record_takes_no_other_with_it() {
        let good = |name: &str| format!("Package: {name}\nVersion: 1\nArchitecture: all\n\n");
        let text = format!("{}Package: bb\n\n{}nonsense\n", good("aa"), good("cc"));
        let found = Records::read(text.as_bytes());
        assert_eq!(names(&found), ["aa", "cc"]);
        let [RecordError::Record { line: 5, .. }, RecordError::Syntax(_)] = found.broken.as_slice() else {
            panic!("{:?}", found.broken)
        };
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in prop::collection::vec("[a-z][a-z0-9+.-]{1,8}", 0..5)) {
            let controls: Vec<_> = names.iter().map(|n| control(&format!("Package: {n}\nVersion: 1\nArchitecture: all\n"))).collect();
            prop_assert_eq!(self::names(&Records::read(&status_file(&controls))), names);
        }
    }
}
