//! Layers of which single files can be fetched: eStargz and zstd:chunked.
//!
//! Both are ordinary layers, gzip and zstd, in which the content of every regular file starts a gzip member or zstd frame of
//! its own, and a table of contents at the end says where. Who knows the format reads the table, compares it with a digest
//! from the manifest, and then asks for the ranges of the files that it needs; who does not reads a layer.
//!
//! ```text
//! eStargz:       (headers)(content)(headers)(content)... (landmark)(table, a tar entry, and the end of the archive)(footer)
//! zstd:chunked:  (headers)(content)(headers)(content)... (end of the archive)[table][tar-split][footer]
//! ```
//!
//! `( )` is a member or a frame, `[ ]` a skippable frame. Headers are those of all entries up to the next one with content,
//! with the padding of the content before them. Content over [`Form::chunk_size`] takes several members, its chunks.
//!
//! - **[eStargz]**, table version 1, footer of 51 bytes, as stargz-snapshotter 0.19 reads it. No file is marked as needed
//!   early, which `.no.prefetch.landmark` says. Readers of plain gzip unpack that file and `stargz.index.json` into the root of
//!   the image; the format leaves no other choice.
//! - **[zstd:chunked]**, manifest type 1, table version 1 with a tar-split digest, footer of 64 bytes, as containers/storage
//!   1.59 reads it. Its code is the only specification. Tar-split lets it rebuild the very bytes of the tar from the files
//!   alone, and so compare the diff id. Content is cut in data chunks of one size; holes are not told. Older releases that know
//!   other annotations, such as podman 4.3's, take the layer as a whole.
//!
//! Both tables are JSON: a name that is not UTF-8 cannot be in one, and is an error.
//!
//! [eStargz]: https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md
//! [zstd:chunked]: https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md

mod chunking;
mod closing;
mod composition;
mod crc64;
mod error;
mod estargz;
mod members;
mod run;
mod run_stored;
mod tar_split;
mod toc;
mod zstd_chunked;

pub use chunking::{Chunking, ChunkingError};
pub use closing::{Closing, close};
pub use composition::Composition;
pub use error::TableError;
pub use run::{Chunk, Record, Run, RunWriter};

use crate::compression::Codec;

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// gzip members, with the table as the last entry of the tar.
    Estargz,
    /// zstd frames, with the table in a skippable frame.
    ZstdChunked,
}

impl Form {
    /// How the members are compressed, and what a reader that knows no table takes the layer for.
    #[must_use]
    pub fn codec(self) -> Codec {
        match self {
            Self::Estargz => Codec::Gzip,
            Self::ZstdChunked => Codec::Zstd,
        }
    }

    /// The name that recipes and messages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Estargz => "estargz",
            Self::ZstdChunked => "zstd-chunked",
        }
    }

    /// Bytes of content that one chunk holds at most. Part of the format of our layers, as the size of parts is.
    #[must_use]
    pub fn chunk_size(self) -> usize {
        4 << 20
    }
}
