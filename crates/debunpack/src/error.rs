//! Why a .deb is refused.

use std::io;

use distil_imgcore::tar::TarError;
use distil_imgcore::{Escaped, ImagePath};

use crate::ar::{ArError, MemberName};
use crate::conffiles::ConffilesError;
use crate::control::ControlError;
use crate::decompress::DecodeError;
use crate::md5sums::{Md5Sum, Md5sumsError};
use crate::package_name::PackageName;

/// Why bytes are not a Debian package that every tool understands alike. Whoever opened the file adds its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebError {
    /// The container is not in order.
    #[error(transparent)]
    Ar(#[from] ArError),
    /// The format of 1995, which nothing makes any more.
    #[error("a package in the old format 0.93x, which is not supported")]
    OldFormat,
    /// The member `debian-binary` does not hold the version of a format that is known.
    #[error("debian-binary holds \"{}\", not a version 2.x of the format", Escaped(.start))]
    Format {
        /// The first 64 bytes of the member.
        start: Vec<u8>,
    },
    /// Another member where one of the three belongs: each must be there once, in this order.
    #[error("member {found} at offset {offset} where {expected} belongs")]
    MemberOrder {
        /// The member that belongs there, without the ending for its compression.
        expected: &'static str,
        /// The member that is there.
        found: MemberName,
        /// Where its header starts.
        offset: u64,
    },
    /// The file ends before a member that every package has.
    #[error("there is no member {expected}")]
    MissingMember {
        /// The member.
        expected: &'static str,
    },
    /// A second member of a kind, which dpkg does not see, and libapt takes instead of the first.
    #[error("a second member {member} at offset {offset}")]
    RepeatedMember {
        /// The member.
        member: MemberName,
        /// Where its header starts.
        offset: u64,
    },
    /// An ending that names no compression that this member may have.
    #[error("member {member} at offset {offset} has an unknown compression")]
    Compression {
        /// The member.
        member: MemberName,
        /// Where its header starts.
        offset: u64,
    },
    /// A member cannot be decompressed.
    #[error("{member}: cannot decompress past byte {offset}{}", shown(.entry.as_ref()))]
    Decode {
        /// The member.
        member: MemberName,
        /// The entry that was being read.
        entry: Option<ImagePath>,
        /// Uncompressed bytes that were read before.
        offset: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// An archive is not in order.
    #[error("{member}: not a sound archive")]
    Tar {
        /// The member.
        member: MemberName,
        /// What is wrong.
        source: TarError,
    },
    /// Reading failed.
    #[error("{member}: cannot read")]
    Io {
        /// The member.
        member: MemberName,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody asked for more after an error.
    #[error("{member}: cannot go on after an error")]
    AfterError {
        /// The member.
        member: MemberName,
    },
    /// Something in the control archive that is no plain file at its top.
    #[error("{member}: {path} is a {kind}, not a file at the top")]
    ControlEntry {
        /// The member.
        member: MemberName,
        /// The entry.
        path: ImagePath,
        /// What it is.
        kind: &'static str,
    },
    /// A file of the control archive that is too large to be one.
    #[error("{member}: {path} has {size} bytes, over the limit of {limit}")]
    ControlFileSize {
        /// The member.
        member: MemberName,
        /// The entry.
        path: ImagePath,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The control archive has no control file.
    #[error("{member}: there is no file control")]
    NoControl {
        /// The member.
        member: MemberName,
    },
    /// The control file is not in order.
    #[error("the control file is not in order")]
    Control(#[from] ControlError),
    /// The list of configuration files is not in order.
    #[error("the list of configuration files is not in order")]
    Conffiles(#[from] ConffilesError),
    /// The list of MD5 sums is not in order.
    #[error("the list of MD5 sums is not in order")]
    Md5sums(#[from] Md5sumsError),
    /// A name that would delete other files once it stands in a layer.
    #[error("{package} ships {path}, which deletes files when it stands in a layer")]
    Whiteout {
        /// The package.
        package: PackageName,
        /// The entry.
        path: ImagePath,
    },
    /// A path that belongs to the records of packages, so that scanners would believe what stands there.
    #[error("{package} ships a {kind} {path}, where records of packages stand")]
    Reserved {
        /// The package.
        package: PackageName,
        /// The entry.
        path: ImagePath,
        /// What it is.
        kind: &'static str,
    },
    /// The content of a file is not what the package's own list says.
    #[error("{path} of {package} has MD5 {found}, and its md5sums say {expected}")]
    Md5Mismatch {
        /// The package.
        package: PackageName,
        /// The file.
        path: ImagePath,
        /// What the list says.
        expected: Md5Sum,
        /// What the file has.
        found: Md5Sum,
    },
}

fn shown(entry: Option<&ImagePath>) -> String {
    entry.map_or_else(String::new, |path| format!(", in {path}"))
}

/// Where in a package a stream was being read, for messages.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) member: &'a MemberName,
    pub(crate) entry: Option<&'a ImagePath>,
    /// Uncompressed bytes read so far.
    pub(crate) offset: u64,
}

impl Place<'_> {
    /// Finds the cause that was carried through readers.
    pub(crate) fn explain(&self, error: io::Error) -> DebError {
        let member = self.member.clone();
        let error = match error.downcast::<DebError>() {
            Ok(found) => return found,
            Err(other) => other,
        };
        let error = match error.downcast::<ArError>() {
            Ok(found) => return found.into(),
            Err(other) => other,
        };
        let error = match error.downcast::<TarError>() {
            Ok(source) => return DebError::Tar { member, source },
            Err(other) => other,
        };
        match error.downcast::<DecodeError>() {
            Ok(source) => DebError::Decode { member, entry: self.entry.cloned(), offset: self.offset, source },
            Err(source) => DebError::Io { member, source },
        }
    }

    /// The same for an error of the archive's reader.
    pub(crate) fn explain_tar(&self, error: TarError) -> DebError {
        match error.io() {
            Some(_) => self.explain(error.into()),
            None => DebError::Tar { member: self.member.clone(), source: error },
        }
    }
}
