//! Packages of other ecosystems, found in the files of an image as their bytes pass.
//!
//! A file is looked at for its name or, where it may be a program, for its outline; most are left alone:
//!
//! | found | where | of a file, at most in memory |
//! |---|---|---|
//! | Go modules | programs and shared libraries of Go 1.18 and later | 16 MiB and 1 MiB |
//! | Rust crates | programs and shared libraries built by `cargo auditable` | as above, and 2 MiB |
//! | Python distributions | `*.dist-info/METADATA`, `*.egg-info`, `*.egg-info/PKG-INFO` | 2 MiB |
//! | npm packages | `package.json` of each folder in `node_modules`, or in `/usr/**/nodejs` as Debian has them | 2 MiB |
//! | Java archives | `.jar`, `.war`, `.ear`, plugins, and archives in them, one level deep | 128 MiB, and 32 MiB inflated |
//!
//! What is larger is passed over, as is what is damaged: an image is described as far as it can be understood.

mod cargo;
mod elf;
mod found;
mod golang;
mod java;
mod npm;
mod program;
mod python;

use distil_imgcore::ImagePath;

pub use found::Found;
use program::Program;

/// Bytes of a file of metadata, at most: long descriptions stand in some.
const MAX_METADATA: u64 = 2 << 20;
/// Bytes of a Java archive, at most. Their directory is at the end.
const MAX_ARCHIVE: u64 = 128 << 20;
/// Bytes of a program, at least: the header alone has 52.
const MIN_PROGRAM: u64 = 52;

/// What is worth doing with a file, by its name and its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing.
    Leave,
    /// Look at its bytes as they pass. What it takes in memory is bounded by the table of this module.
    Pass,
    /// Take it whole: it has no more bytes than this.
    Whole {
        /// The bound on the bytes of such files.
        limit: u64,
    },
}

/// Looks at the bytes of one file. Not all of them are kept: see [`Interest`].
///
/// ```
/// use distil_imgcore::ImagePath;
/// use distil_sbom::catalog::Finder;
///
/// let path = ImagePath::from_absolute(b"/usr/lib/python3/dist-packages/idna-3.3.dist-info/METADATA")?;
/// let metadata = b"Metadata-Version: 2.1\nName: idna\nVersion: 3.3\nLicense: BSD-3-Clause\n\nA library.\n";
/// let mut finder = Finder::of(&path, metadata.len() as u64, false).expect("distributions are found by such files");
/// for chunk in metadata.chunks(16) {
///     finder.update(chunk);
/// }
/// let found = finder.finish();
/// assert_eq!((found[0].name.as_str(), found[0].version.as_deref()), ("idna", Some("3.3")));
/// # Ok::<(), distil_imgcore::PathError>(())
/// ```
#[derive(Debug)]
pub struct Finder(Kind);

#[derive(Debug)]
enum Kind {
    Program(Program),
    Whole { path: ImagePath, size: u64, bytes: Vec<u8> },
}

impl Interest {
    /// What is worth doing with a regular file of this name and size. Programs are what anybody may run, and shared
    /// libraries.
    #[must_use]
    pub fn of(path: &ImagePath, size: u64, is_executable: bool) -> Self {
        let Some(name) = path.file_name() else { return Self::Leave };
        let limit = if java::is_archive(name) {
            MAX_ARCHIVE
        } else if python::is_metadata(path) || npm::is_metadata(path) {
            MAX_METADATA
        } else if (is_executable || is_library(name)) && size >= MIN_PROGRAM {
            return Self::Pass;
        } else {
            return Self::Leave;
        };
        if size <= limit { Self::Whole { limit } } else { Self::Leave }
    }
}

impl Finder {
    /// Something that looks at a regular file, or nothing where that is not worth its while.
    #[must_use]
    pub fn of(path: &ImagePath, size: u64, is_executable: bool) -> Option<Self> {
        match Interest::of(path, size, is_executable) {
            Interest::Leave => None,
            Interest::Pass => Some(Self(Kind::Program(Program::new(size)))),
            Interest::Whole { .. } => Some(Self(Kind::Whole { path: path.clone(), size, bytes: Vec::new() })),
        }
    }

    /// Takes in the next bytes of the file. Bytes past the size that was said are left out.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Program(program) => program.update(bytes),
            Kind::Whole { size, bytes: taken, .. } => {
                let room = usize::try_from(*size).unwrap_or(usize::MAX).saturating_sub(taken.len());
                taken.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
        }
    }

    /// The packages that the file tells of, sorted, each once.
    #[must_use]
    pub fn finish(self) -> Vec<Found> {
        let mut found = match self.0 {
            Kind::Program(program) => program.finish(),
            Kind::Whole { path, bytes, .. } => read(&path, &bytes),
        };
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The packages that a file tells of, whose bytes are all at hand, sorted, each once. None where [`Interest::of`] would leave
/// it.
#[must_use]
pub fn find(path: &ImagePath, bytes: &[u8], is_executable: bool) -> Vec<Found> {
    let Some(mut finder) = Finder::of(path, bytes.len() as u64, is_executable) else { return Vec::new() };
    finder.update(bytes);
    finder.finish()
}

fn read(path: &ImagePath, bytes: &[u8]) -> Vec<Found> {
    if python::is_metadata(path) {
        python::find(bytes).into_iter().collect()
    } else if npm::is_metadata(path) {
        npm::find(bytes).into_iter().collect()
    } else {
        java::find(path, bytes)
    }
}

/// Whether a file is called as shared libraries are: `libz.so.1`, `_ssl.cpython-311-x86_64-linux-gnu.so`.
fn is_library(name: &[u8]) -> bool {
    name.ends_with(b".so") || (name.starts_with(b"lib") && name.windows(4).any(|part| part == b".so."))
}

#[cfg(test)]
mod tests;
