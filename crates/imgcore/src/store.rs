//! What all places have in common where images lie.

use std::fmt;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use crate::attachment::AttachmentKind;
use crate::config::Config;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, DocumentError, MAX_DOCUMENT, MAX_INDEX_DEPTH};
use crate::error::Error;
use crate::json::JsonError;
use crate::manifest::Manifest;
use crate::platform::Platform;
use crate::ref_name::RefName;

/// A place of blobs by digest, and of names for some of them: a layout, an archive, a registry's repository, memory.
///
/// # Who calls what, and when
///
/// Whoever writes an image calls [`has`](Store::has) and, where that says no, [`put`](Store::put) for each blob, children
/// before the documents that name them, and [`tag`](Store::tag) once at the end: until then no reader finds the image.
/// [`crate::copy_graph`] and [`crate::Image::write_to`] do so. Whoever reads calls [`resolve`](Store::resolve) once, and
/// uses the digest from then on.
///
/// Every method may be called by several threads at once. After an error of `put` or `tag` the store is as it was before
/// the call, blobs that nothing names apart; the caller may try again or give up.
pub trait Store: Send + Sync + fmt::Debug {
    /// What messages call this place.
    fn place(&self) -> String;

    /// Whether a blob is there. Its size is compared, its content is not read.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    fn has(&self, blob: &Descriptor) -> Result<bool, Error>;

    /// Reads a blob. The reader reports the end of the stream only when size and digest were right; see
    /// [`crate::digest::VerifyingReader`]. So whoever stops before the end has checked nothing.
    ///
    /// # Errors
    /// [`Error::NoBlob`] where it is not there.
    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error>;

    /// The same bytes as they lie there, compared with nothing: for whoever compares them himself, as every
    /// [`put`](Store::put) does. Hashing twice would be most of the work of a copy.
    ///
    /// # Errors
    /// Those of [`open`](Store::open).
    fn open_unchecked(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        self.open(blob)
    }

    /// Keeps a blob, which is complete and checked against `blob` when this returns, or absent. A crash of the machine may
    /// take it away again until something is tagged. An error of `content` comes back as [`Error::Blob`].
    ///
    /// # Errors
    /// [`Error::Blob`] where the content is not what `blob` says. Where [`Error::may_repeat`] says so, the same may go well
    /// with a new reader.
    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error>;

    /// Takes a blob over from a place next to this one without it being sent, where that can be done: from another repository
    /// of the same registry. `false` where it was not, and has to be put.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    fn take_over(&self, blob: &Descriptor) -> Result<bool, Error> {
        let _ = blob;
        Ok(false)
    }

    /// How many blobs may be put at the same time, each by a thread of its own. One where the order of calls is the order of
    /// what is written.
    fn puts_at_once(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Makes a manifest or index findable, after it was `put` with all that it names: under `name`, which then names
    /// nothing else; or, without a name, as the one unnamed image of the place, or as one more referrer where it has a
    /// subject.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] where several unnamed images are there and it is unclear which to replace.
    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error>;

    /// The same, with artifacts about the image or the manifests in it, which were `put` as well. Where the place can, all
    /// becomes findable in one step, and what referred to an image that nothing names any more goes with it.
    ///
    /// # Errors
    /// As [`tag`](Store::tag).
    fn publish(&self, name: Option<&RefName>, root: &Descriptor, about: &[Descriptor]) -> Result<(), Error> {
        about.iter().try_for_each(|artifact| self.tag(None, artifact))?;
        self.tag(name, root)
    }

    /// Gives a name to a manifest as [`tag`](Store::tag) does, where the name means `before` still, or nothing still: whoever
    /// adds to what a name has takes away nothing that somebody else has added meanwhile. `false` where it means something
    /// else by now, and then nothing was written.
    ///
    /// A layout knows that for sure, and a registry that heeds `If-Match`. All others compare right before they write, so that
    /// whoever wants to be sure has to look again.
    ///
    /// # Errors
    /// As [`tag`](Store::tag) and [`resolve`](Store::resolve).
    fn tag_over(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        let found = match self.resolve(&Selector::Name(name.clone())) {
            Ok(found) => Some(found),
            Err(Error::NoImage { .. }) => None,
            Err(error) => return Err(error),
        };
        let is_same = found.as_ref().map(Descriptor::digest) == before;
        if is_same {
            self.tag(Some(name), root)?;
        }
        Ok(is_same)
    }

    /// Finds a manifest or index.
    ///
    /// # Errors
    /// [`Error::NoImage`], or [`Error::Ambiguous`] where nothing was named and several are there.
    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error>;

    /// All names, sorted.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    fn tags(&self) -> Result<Vec<RefName>, Error>;

    /// The manifests whose subject is this digest, sorted by digest; each descriptor carries the artifact's type and the
    /// annotations of its manifest. Layouts find them by looking into their manifests; one that is
    /// missing or not valid is none.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error>;

    /// Signatures and statements that are found neither by a name nor as referrers: in layouts that `cosign save` wrote, which
    /// hold one image. What they are about they say themselves.
    ///
    /// # Errors
    /// Where the place cannot be asked.
    fn unnamed_attachments(&self) -> Result<Vec<(AttachmentKind, Descriptor)>, Error> {
        Ok(Vec::new())
    }
}

/// Which image of a store is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one under this name.
    Name(RefName),
    /// This one.
    Digest(Digest),
    /// The only one, or the only one without a name; referrers do not count.
    Only,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "under the name {name}"),
            Self::Digest(digest) => write!(f, "with the digest {digest}"),
            Self::Only => f.write_str("without a name"),
        }
    }
}

impl dyn Store + '_ {
    /// Reads a blob whole that is at most as large as a document may be.
    ///
    /// # Errors
    /// Those of [`Store::open`] and of reading; [`Error::Document`] above the bound.
    pub fn read(&self, blob: &Descriptor) -> Result<Vec<u8>, Error> {
        let size = usize::try_from(blob.size()).unwrap_or(usize::MAX);
        if size > MAX_DOCUMENT {
            let source = DocumentError::Json(JsonError::TooLarge { limit: MAX_DOCUMENT, found: size });
            return Err(self.bad_document(blob, source));
        }
        let mut bytes = Vec::with_capacity(size);
        self.open(blob)?.read_to_end(&mut bytes).map_err(|source| self.bad_blob(blob, source))?;
        Ok(bytes)
    }

    /// Reads and parses a manifest or index.
    ///
    /// # Errors
    /// As [`read`](#method.read), and [`Error::Document`] where it is not what it should be.
    pub fn document(&self, blob: &Descriptor) -> Result<Document, Error> {
        // Asked first, so that no other blob is ever read whole into memory.
        if !blob.media_type().is_index_or_manifest() {
            return Err(self.bad_document(blob, DocumentError::NotADocument(blob.media_type().clone())));
        }
        Document::parse(blob, self.read(blob)?).map_err(|source| self.bad_document(blob, source))
    }

    /// The manifest of the image for a platform, under an index or by itself; without a platform, of the only image.
    ///
    /// # Errors
    /// Those of reading; [`Error::NoPlatform`] where there is no such image, [`Error::Ambiguous`] where there are several.
    pub fn image_for(&self, root: &Descriptor, platform: Option<&Platform>) -> Result<Descriptor, Error> {
        let mut found = Vec::new();
        self.images_under(root, platform, 0, &mut found)?;
        match (found.len(), found.pop()) {
            (1, Some(image)) => Ok(image),
            (0, _) => Err(Error::NoPlatform { wanted: platform.cloned().map(Box::new), place: self.place() }),
            (found, _) => Err(Error::Ambiguous { found, place: self.place() }),
        }
    }

    /// The configuration of the image that has this manifest.
    ///
    /// # Errors
    /// Those of reading; [`Error::Document`] where one of the two is not what it should be.
    pub fn config_of(&self, manifest: &Descriptor) -> Result<Config, Error> {
        match self.document(manifest)? {
            Document::Manifest(manifest) => self.config(&manifest),
            Document::Index(_) => {
                Err(self.bad_document(manifest, DocumentError::NotAManifest(manifest.media_type().clone())))
            }
        }
    }

    fn config(&self, manifest: &Manifest) -> Result<Config, Error> {
        let config = manifest.config();
        Config::parse(self.read(config)?).map_err(|source| self.bad_document(config, source))
    }

    fn images_under(
        &self,
        root: &Descriptor,
        platform: Option<&Platform>,
        depth: usize,
        found: &mut Vec<Descriptor>,
    ) -> Result<(), Error> {
        match self.document(root)? {
            Document::Manifest(manifest)
                if manifest.is_artifact() || root.platform().is_some_and(Platform::is_unknown) => {}
            Document::Manifest(manifest) => {
                let config = self.config(&manifest)?;
                if platform.is_none_or(|wanted| wanted == config.platform()) {
                    found.push(root.clone());
                }
            }
            Document::Index(_) if depth >= MAX_INDEX_DEPTH => {
                return Err(Error::TooMany { what: "levels of indexes", limit: MAX_INDEX_DEPTH, place: self.place() });
            }
            Document::Index(index) => {
                for child in index.manifests().iter().filter(|child| child.media_type().is_index_or_manifest()) {
                    self.images_under(child, platform, depth + 1, found)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn bad_blob(&self, blob: &Descriptor, source: io::Error) -> Error {
        Error::Blob { digest: blob.digest().clone(), place: self.place(), source }
    }

    pub(crate) fn bad_document(&self, blob: &Descriptor, source: DocumentError) -> Error {
        Error::invalid(blob.digest(), self.place(), source)
    }
}
