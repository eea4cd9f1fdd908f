//! Every blob of an image is searched for names: as it is stored, and unpacked where it is compressed.

use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;

use distil_imgcore::compression::{Codec, decompress};
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{Descriptor, Digest, Error, ImagePath, MediaKind, MediaType, Store};

use super::names::{Hit, Names, Sieve};
use crate::parallel;
use crate::progress::Progress;

/// A name in a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The blob.
    pub digest: Digest,
    /// What it is.
    pub media_type: MediaType,
    /// The name.
    pub name: String,
    /// The file of the layer that has it, by content, path or attributes, where the blob is a layer.
    pub path: Option<ImagePath>,
}

/// Blobs that are searched at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// Bytes of a blob, unpacked: above every real layer.
const MAX_UNPACKED: u64 = 64 << 30;

/// Searches blobs, and gives the first name in each that has one, in their order. Files inside layers that are compressed
/// themselves are not unpacked.
///
/// # Errors
/// Where a blob cannot be read, or not be unpacked. A layer that may not be distributed and is not there is none.
pub(super) fn search(
    names: &Names,
    store: &dyn Store,
    blobs: &[&Descriptor],
    progress: &dyn Progress,
) -> Result<Vec<Trace>, Error> {
    let traces = parallel::map(AT_ONCE, blobs, |blob| {
        let name = blob.digest().to_string();
        progress.started(&name);
        let found = in_blob(names, store, blob, &|bytes| progress.advanced(&name, bytes));
        progress.finished(&name);
        match found {
            Err(Error::NoBlob { .. }) if blob.kind() == MediaKind::ForeignLayer => Ok(None),
            found => found,
        }
    })?;
    Ok(traces.into_iter().flatten().collect())
}

fn in_blob(
    names: &Names,
    store: &dyn Store,
    blob: &Descriptor,
    advanced: &(dyn Fn(u64) + Sync),
) -> Result<Option<Trace>, Error> {
    let broken = |source| Error::Blob { digest: blob.digest().clone(), place: store.place(), source };
    let mut stored =
        BufReader::with_capacity(PIECE, Sifted { inner: store.open(blob)?, sieve: Sieve::new(names), advanced });
    let codec = codec_of(stored.fill_buf().map_err(broken)?);
    let unpacked = match codec {
        Codec::None => None,
        codec => unpacked(names, codec, &mut stored).map_err(broken)?,
    };
    if unpacked.is_none() && stored.get_ref().sieve.found().is_none() {
        // To its end, where the digest is compared: what was searched is what is copied.
        io::copy(&mut stored, &mut io::sink()).map_err(broken)?;
    }
    let in_tar = matches!(blob.kind(), MediaKind::Layer(_) | MediaKind::ForeignLayer);
    let trace =
        |name: String, path| Trace { digest: blob.digest().clone(), media_type: blob.media_type().clone(), name, path };
    let path = |hit: &Hit| if in_tar { path_at(store, blob, codec, hit.at) } else { None };
    Ok(match (unpacked, stored.get_ref().sieve.found()) {
        (Some(hit), _) => Some(trace(hit.name.clone(), path(&hit))),
        (None, Some(hit)) if codec == Codec::None => Some(trace(hit.name.clone(), path(hit))),
        (None, Some(hit)) => Some(trace(hit.name.clone(), None)),
        (None, None) => None,
    })
}

/// The first name in what a blob unpacks to.
fn unpacked(names: &Names, codec: Codec, stored: &mut (impl BufRead + Send)) -> io::Result<Option<Hit>> {
    let mut reader = decompress(codec, stored)?.take(MAX_UNPACKED);
    let mut sieve = Sieve::new(names);
    let mut piece = vec![0; PIECE];
    loop {
        let read = reader.read(&mut piece)?;
        sieve.pass(piece.get(..read).unwrap_or_default());
        if sieve.found().is_some() {
            return Ok(sieve.found().cloned());
        }
        if read == 0 {
            break;
        }
    }
    if reader.limit() == 0 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it unpacks to more than 64 GiB"));
    }
    Ok(None)
}

/// How a blob is compressed, by its first bytes: types lie, Docker's for one, and name no compression of artifacts.
fn codec_of(start: &[u8]) -> Codec {
    match start {
        [0x1f, 0x8b, ..] => Codec::Gzip,
        // A frame, or one that is to be skipped before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Codec::Zstd,
        _ => Codec::None,
    }
}

/// The entry of a layer whose header or content has this byte. It is only told, so that an archive which cannot be read has
/// none.
fn path_at(store: &dyn Store, blob: &Descriptor, codec: Codec, at: u64) -> Option<ImagePath> {
    let stored = BufReader::with_capacity(PIECE, store.open(blob).ok()?);
    let mut tar = TarReader::new(decompress(codec, stored).ok()?, Dialect::Foreign, Limits::default());
    while let Ok(Some(entry)) = tar.next_entry() {
        if at < tar.position() + tar.content_left() {
            return Some(entry.path);
        }
    }
    None
}

/// A blob that is looked into on its way.
struct Sifted<'a, R> {
    inner: R,
    sieve: Sieve<'a>,
    advanced: &'a (dyn Fn(u64) + Sync),
}

impl<R: Read> Read for Sifted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.sieve.pass(buf.get(..read).unwrap_or_default());
        (self.advanced)(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
