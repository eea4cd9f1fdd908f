//! Layers.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::compose::Composition;
use crate::compression::{Codec, Compression};
use crate::content::Content;
use crate::digest::{DiffId, Digest};
use crate::entry::Entry;
use crate::fragment::Fragment;
use crate::fragment_writer::FragmentWriter;
use crate::tree::Origin;

/// A layer: its bytes, and what manifest and config say of them. Its digests are known from birth.
#[derive(Debug, Clone)]
pub struct Layer {
    digest: Digest,
    size: u64,
    diff_id: DiffId,
    codec: Codec,
    created_by: String,
    annotations: BTreeMap<String, String>,
    content: Arc<dyn Content>,
}

impl Layer {
    /// A layer whose bytes lie somewhere already, with what its manifest and config state of it. Nothing is compared here:
    /// `content` must do that itself while it is read, as the readers of stores do.
    pub(crate) fn stated(digest: Digest, size: u64, diff_id: DiffId, codec: Codec, content: Arc<dyn Content>) -> Self {
        Self { digest, size, diff_id, codec, created_by: String::new(), annotations: BTreeMap::new(), content }
    }

    /// The digest of the bytes as they are stored.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes are stored.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the tar.
    #[must_use]
    pub fn diff_id(&self) -> &DiffId {
        &self.diff_id
    }

    /// How the tar is compressed.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What the image's history says of the layer.
    #[must_use]
    pub fn created_by(&self) -> &str {
        &self.created_by
    }

    /// What the layer's descriptor states beside digest and size, such as where its table of contents is.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The bytes as they are stored.
    #[must_use]
    pub fn content(&self) -> &Arc<dyn Content> {
        &self.content
    }

    /// The same layer with another line for the image's history.
    #[must_use]
    pub fn with_created_by(self, created_by: &str) -> Self {
        Self { created_by: created_by.to_owned(), ..self }
    }

    /// The same layer with other annotations of its descriptor.
    #[must_use]
    pub fn with_annotations(self, annotations: BTreeMap<String, String>) -> Self {
        Self { annotations, ..self }
    }
}

/// Writes a layer of its own from entries in any order.
#[derive(Debug)]
pub struct LayerWriter<W> {
    fragment: FragmentWriter<'static, W>,
    compression: Compression,
}

impl<W: Write> LayerWriter<W> {
    /// Keeps the compressed bytes in `sink`. Times after `clamp` are set to it.
    ///
    /// # Errors
    /// As [`FragmentWriter::new`].
    pub fn new(sink: W, compression: Compression, origin: Origin, clamp: Option<i64>) -> io::Result<Self> {
        Ok(Self { fragment: FragmentWriter::new(sink, compression, origin, clamp)?, compression })
    }

    /// Adds an entry; see [`FragmentWriter::add`].
    ///
    /// # Errors
    /// As [`FragmentWriter::add`].
    pub fn add(&mut self, entry: Entry, content: &mut dyn Read) -> io::Result<()> {
        self.fragment.add(entry, content)
    }

    /// Ends the layer. `keep` turns the sink into what the layer's bytes are read from.
    ///
    /// # Errors
    /// Errors of the sink, of `keep`, and of [`Composition::hash`].
    pub fn finish(self, keep: impl FnOnce(W) -> io::Result<Arc<dyn Content>>) -> io::Result<(Layer, Fragment)> {
        let (sink, index) = self.fragment.finish()?;
        let fragment = index.with_content(keep(sink)?);
        let directories: Vec<Entry> = fragment
            .tree()
            .iter()
            .map(|node| &node.entry)
            .filter(|e| e.kind.is_dir() && !e.path.is_root())
            .cloned()
            .collect();
        let composition = Composition::new(vec![&fragment], &directories, self.compression)?;
        let sums = composition.hash(&[], NonZeroUsize::MIN, &mut |_| {})?;
        let layer = composition.layer(sums);
        Ok((layer, fragment))
    }
}
