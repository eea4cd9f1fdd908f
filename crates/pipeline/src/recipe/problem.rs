//! What can be wrong with a recipe, as data: a front end draws the place, and knows what to advise.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use distil_debunpack::PackageName;
use distil_imgcore::{Escaped, ImagePath, PathError};
use distil_rootfs::AccountError;

/// A recipe with mistakes: all that were found, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeError {
    /// The mistakes; at least one.
    pub problems: Vec<Problem>,
}

/// One mistake and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// The line where it starts, the first being 1.
    pub line: usize,
    /// The character of that line where it starts, the first being 1.
    pub column: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// Where a value stands in a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its key with the tables that it is in, as in `files."/etc/app.conf".source`.
    pub key: String,
    /// The bytes of the text that it takes.
    pub span: Range<usize>,
    /// The line where it starts, the first being 1.
    pub line: usize,
    /// The character of that line where it starts, the first being 1.
    pub column: usize,
}

impl Place {
    /// A mistake that shows only when what stands there is looked for.
    pub(crate) fn problem(&self, kind: ProblemKind) -> Problem {
        Problem { span: self.span.clone(), line: self.line, column: self.column, kind }
    }
}

/// As messages end with it: the key, and where to look.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {}, column {}", Escaped(self.key.as_bytes()), self.line, self.column)
    }
}

/// What is wrong. Keys are given with their tables, as in `image.user`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is longer than any recipe needs to be.
    #[error("{found} bytes, where {max} are the most that is read")]
    TooLarge {
        /// The length in bytes.
        found: usize,
        /// The longest that is read.
        max: usize,
    },
    /// Not TOML.
    #[error("{}", Escaped(.message.as_bytes()))]
    Syntax {
        /// What the TOML parser says.
        message: String,
    },
    /// A key that does not exist.
    #[error("unknown key {} in {}", Escaped(.key.as_bytes()), Table(.table))]
    UnknownKey {
        /// The table, empty for the top of the recipe.
        table: String,
        /// The key alone.
        key: String,
        /// The existing key that looks most like it.
        nearest: Option<String>,
    },
    /// A key that would take away the proof of where packages come from.
    #[error("{} is never supported, since nothing is taken from a repository unproved", Escaped(.key.as_bytes()))]
    Never {
        /// The key.
        key: String,
    },
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
    /// A key that must be there.
    #[error("{} needs the key {key}", Table(.table))]
    MissingKey {
        /// The table.
        table: String,
        /// The key that it lacks.
        key: &'static str,
    },
    /// A value of another type.
    #[error("{} is {expected}, not {found}", Escaped(.key.as_bytes()))]
    WrongType {
        /// The key.
        key: String,
        /// The type it has, with an article.
        expected: &'static str,
        /// The type of the value that stands there, with an article.
        found: &'static str,
    },
    /// A value that is not one of a few words.
    #[error("{} cannot be {}: it is one of {}", Escaped(.key.as_bytes()), Quoted(.found), .allowed.join(", "))]
    NotOneOf {
        /// The key.
        key: String,
        /// The value that stands there.
        found: String,
        /// The values that exist.
        allowed: &'static [&'static str],
        /// The existing one that looks most like it.
        nearest: Option<String>,
    },
    /// A number outside its bounds.
    #[error("{} cannot be {found}: it is between {min} and {max}", Escaped(.key.as_bytes()))]
    OutOfRange {
        /// The key.
        key: String,
        /// The number as written.
        found: String,
        /// The smallest that is allowed.
        min: i64,
        /// The largest that is allowed.
        max: i64,
    },
    /// A value of the right type that has no meaning.
    #[error("{} cannot be {}: it is {expected}", Escaped(.key.as_bytes()), Quoted(.found))]
    Malformed {
        /// The key.
        key: String,
        /// The value that stands there.
        found: String,
        /// What a value looks like.
        expected: &'static str,
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
    /// Two keys that mean the same thing, such as two spellings of one path.
    #[error("{} says again what {} has said", Escaped(.key.as_bytes()), Escaped(.first.as_bytes()))]
    Twice {
        /// The second.
        key: String,
        /// The first.
        first: String,
    },
    /// Keys of which a table must hold exactly one.
    #[error("{} needs exactly one of {}, and has {}", Table(.table), .choices.join(", "), Names(.found))]
    NotExactlyOne {
        /// The table.
        table: String,
        /// The keys to choose from.
        choices: &'static [&'static str],
        /// Those that are there.
        found: Vec<&'static str>,
    },
    /// A key that makes no sense beside another.
    #[error("{} means nothing beside {beside}", Escaped(.key.as_bytes()))]
    Useless {
        /// The key.
        key: String,
        /// The key that takes its meaning away.
        beside: &'static str,
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

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => only.fmt(f),
            [first, ..] => write!(f, "{} mistakes, the first at {first}", self.problems.len()),
            [] => f.write_str("a mistake"),
        }
    }
}

impl std::error::Error for RecipeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems.first().and_then(|p| std::error::Error::source(&p.kind))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

/// How messages name a table.
struct Table<'a>(&'a str);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the recipe") } else { write!(f, "[{}]", Escaped(self.0.as_bytes())) }
    }
}

/// A value of the recipe, in quotation marks, fit for a terminal and never long.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 80;
        let start: String = self.0.chars().take(MOST).collect();
        let dots = if start.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{dots}\"", Escaped(start.as_bytes()))
    }
}

struct Names<'a>(&'a [&'static str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}
