//! One pass over the bytes of a file, for all that rules of hardening ask.

use std::io::{self, Read};

use distil_debunpack::Md5Sum;
use distil_imgcore::Entry;
use distil_policy::observe::{Looked, Looker};
use md5::{Digest as _, Md5};

/// Looks at the bytes of one regular file.
pub(crate) struct Watch {
    looker: Looker,
    md5: Md5,
}

/// What one pass told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) looked: Looked,
    /// What records of packages have: it guards against mistakes alone.
    pub(crate) md5: Md5Sum,
}

impl Watch {
    pub(crate) fn new(entry: &Entry) -> Self {
        Self { looker: Looker::new(entry), md5: Md5::new() }
    }

    pub(crate) fn finish(self) -> Watched {
        Watched { looked: self.looker.finish(), md5: Md5Sum(self.md5.finalize().into()) }
    }
}

/// Shows a file to a [`Watch`] while somebody else reads it.
pub(crate) struct Watching<'a, R> {
    pub(crate) inner: R,
    pub(crate) watch: &'a mut Watch,
}

impl<R: Read> Read for Watching<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let bytes = buf.get(..n).unwrap_or_default();
        self.watch.looker.update(bytes);
        self.watch.md5.update(bytes);
        Ok(n)
    }
}
