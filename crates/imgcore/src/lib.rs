//! OCI images from file trees.

pub mod content;
pub mod digest;
pub mod entry;
mod escape;
pub mod path;
pub mod tar;
pub mod tree;

pub use content::Content;
pub use digest::{DiffId, Digest, DigestError};
pub use entry::{Entry, EntryKind, Metadata};
pub use escape::Escaped;
pub use path::{ImagePath, PathError};
pub use tree::{FileTree, Node, Origin};
