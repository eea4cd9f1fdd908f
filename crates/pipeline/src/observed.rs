//! A store whose blobs pass through other hands on their way to the reader.

use std::fmt;
use std::io::Read;
use std::num::NonZeroUsize;

use distil_imgcore::{AttachmentKind, Descriptor, Digest, Error, RefName, Selector, Store};

/// The bytes of a blob.
pub(crate) type Reader = Box<dyn Read + Send>;

/// A store that hands every blob it opens to `open`, which gives what is read in its place. All else is the inner store's.
pub(crate) struct Observed<'a, F> {
    pub(crate) inner: &'a dyn Store,
    pub(crate) open: F,
}

impl<F> fmt::Debug for Observed<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

// What has a meaning of its own at the inner store must never fall back to what the trait does where nobody says more.
#[deny(clippy::missing_trait_methods)]
impl<F: Fn(&Descriptor, Reader) -> Reader + Send + Sync> Store for Observed<'_, F> {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.has(blob)
    }

    fn open(&self, blob: &Descriptor) -> Result<Reader, Error> {
        Ok((self.open)(blob, self.inner.open(blob)?))
    }

    fn open_unchecked(&self, blob: &Descriptor) -> Result<Reader, Error> {
        Ok((self.open)(blob, self.inner.open_unchecked(blob)?))
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.inner.put(blob, content)
    }

    fn take_over(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.take_over(blob)
    }

    fn puts_at_once(&self) -> NonZeroUsize {
        self.inner.puts_at_once()
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.inner.tag(name, root)
    }

    fn publish(&self, name: Option<&RefName>, root: &Descriptor, about: &[Descriptor]) -> Result<(), Error> {
        self.inner.publish(name, root, about)
    }

    fn tag_over(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        self.inner.tag_over(name, root, before)
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.inner.resolve(wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.inner.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.inner.referrers(subject)
    }

    fn unnamed_attachments(&self) -> Result<Vec<(AttachmentKind, Descriptor)>, Error> {
        self.inner.unnamed_attachments()
    }
}
