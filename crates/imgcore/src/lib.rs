//! OCI images from file trees.

pub mod compression;
pub mod content;
pub mod digest;
pub mod entry;
mod escape;
pub mod fragment;
pub mod layer;
pub mod path;
pub mod tar;
pub mod tree;

pub use compression::{Codec, Compression};
pub use content::Content;
pub use digest::{DiffId, Digest, DigestError};
pub use entry::{Entry, EntryKind, Metadata};
pub use escape::Escaped;
pub use fragment::{Fragment, FragmentWriter};
pub use layer::{Layer, LayerWriter, compose};
pub use path::{ImagePath, PathError};
pub use tree::{FileTree, Node, Origin};
