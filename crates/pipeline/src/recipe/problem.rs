//! What can be wrong with a recipe, as data: a front end draws the place, and knows what to advise.

use std::path::PathBuf;

use distil_debunpack::PackageName;
use distil_imgcore::{Escaped, ImagePath, PathError};
use distil_rootfs::AccountError;
use distil_settings::{Invalid, Quoted, ValueProblem};

/// A recipe with mistakes: all that were found, in the order of the text.
pub type RecipeError = Invalid<ProblemKind>;

/// One mistake of a recipe and its place in the text.
pub type Problem = distil_settings::Problem<ProblemKind>;

/// The mistakes found so far.
pub(super) type Problems<'t> = distil_settings::Problems<'t, ProblemKind>;

/// What is wrong. Keys are given with their tables, as in `image.user`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// What can be wrong with a value of any document.
    #[error(transparent)]
    Value(#[from] ValueProblem),
    /// A URL with a user name or a password. A recipe is no place for secrets; this one is not repeated.
    #[error("{} holds a user name or a password", Escaped(.key.as_bytes()))]
    Credentials {
        /// The key.
        key: String,
    },
    /// A package that is asked for in one place and excluded in another.
    #[error("{} asks for {package}, which {excluded} leaves out", Escaped(.key.as_bytes()))]
    Excluded {
        /// The key that asks for it.
        key: String,
        /// The package.
        package: PackageName,
        /// The key that excludes it.
        excluded: String,
    },
    /// A path of the image that is none.
    #[error("{} names no path of an image", Escaped(.key.as_bytes()))]
    Path {
        /// The key, or the table whose key is the path.
        key: String,
        /// What is wrong with the path.
        #[source]
        cause: PathError,
    },
    /// A path that a recipe cannot write, because it means something to whoever reads the image.
    #[error("{} is reserved for {what}", Escaped(.path.as_bytes()))]
    ReservedPath {
        /// The path.
        path: String,
        /// Whose it is.
        what: &'static str,
    },
    /// A user that is neither in the recipe nor one of those that are always there.
    #[error("{} names the unknown user {}", Escaped(.key.as_bytes()), Quoted(.found))]
    UnknownUser {
        /// The key.
        key: String,
        /// The name.
        found: String,
        /// The existing one that looks most like it.
        nearest: Option<String>,
    },
    /// A user who does not fit to those before, or cannot be at all.
    #[error("{} is no user that can be added", Escaped(.key.as_bytes()))]
    User {
        /// The key.
        key: String,
        /// What is wrong with the user.
        #[source]
        cause: AccountError,
    },
    /// A source that does not exist.
    #[error("{} names {}, which does not exist", Escaped(.key.as_bytes()), Escaped::path(.path))]
    NoSource {
        /// The key.
        key: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A source with a slash at its end that is no directory.
    #[error("{} names {}, which is not a directory", Escaped(.key.as_bytes()), Escaped::path(.path))]
    NotADirectory {
        /// The key.
        key: String,
        /// The source.
        path: PathBuf,
    },
    /// A pattern of packages that stands for no file.
    #[error("{} names no file: nothing matches {}", Escaped(.key.as_bytes()), Escaped(.pattern.as_bytes()))]
    NoMatch {
        /// The key.
        key: String,
        /// The pattern as written.
        pattern: String,
    },
    /// A socket, a pipe or a device in a source.
    #[error("{} is neither a file nor a directory nor a symbolic link", Escaped::path(.path))]
    Special {
        /// Its path on disk.
        path: PathBuf,
    },
    /// A name in a source that no image can hold.
    #[error("{} has a name that no image can hold", Escaped::path(.path))]
    Name {
        /// Its path on disk.
        path: PathBuf,
        /// What is wrong with the name.
        #[source]
        cause: PathError,
    },
    /// A file in a source that would come to a reserved path.
    #[error("{} would become {target}, which is reserved for {what}", Escaped::path(.path))]
    ReservedTarget {
        /// Its path on disk.
        path: PathBuf,
        /// The path in the image.
        target: ImagePath,
        /// Whose that is.
        what: &'static str,
    },
    /// One path in the image that two entries of `[files]` fill.
    #[error("{target} is filled by both {first} and {second}")]
    TargetTwice {
        /// The path in the image.
        target: ImagePath,
        /// The path in the image of one entry.
        first: ImagePath,
        /// That of the other.
        second: ImagePath,
    },
}
