//! Putting blobs where they are not there yet, each after those that it names.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use super::Progress;
use super::at_once::{Stop, at_once};
use super::belonging::Belonging;
use crate::content::Content;
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::store::Store;

/// How often a blob is read again from its beginning, for a destination that lost what it had of it.
const MOST_RESTARTS: u32 = 4;

/// A blob that is to be put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    pub(crate) blob: &'a Descriptor,
    pub(crate) bytes: Bytes<'a>,
    /// None for what names nothing else. A document is put after all of a lower rank.
    pub(crate) rank: Option<Rank>,
    /// What it is a part of, where that is not the image itself.
    pub(crate) of: Option<&'a Belonging>,
}

/// First the image, then what is about it, then what is about that; inside of each what is named before what names it.
pub(crate) type Rank = (usize, usize);

/// Where the bytes of a blob are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bytes<'a> {
    InMemory(&'a [u8]),
    Opened(&'a dyn Content),
    Stored(&'a dyn Store),
    /// The same where it is there; what names it is whole without it.
    Perhaps(&'a dyn Store),
}

impl<'a> Parcel<'a> {
    /// A blob of the image itself, which names no other.
    pub(crate) fn of(blob: &'a Descriptor, bytes: Bytes<'a>) -> Self {
        Self { blob, bytes, rank: None, of: None }
    }

    /// The same as a document.
    pub(crate) fn ranked(self, rank: Rank) -> Self {
        Self { rank: Some(rank), ..self }
    }
}

/// Puts all parcels that are not there yet: as many at once as the destination takes, the largest blobs first, so that no
/// thread is left alone with one at the end. A destination that takes one at a time gets them in the order given.
pub(crate) fn deliver(
    destination: &dyn Store,
    parcels: &[Parcel<'_>],
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<(), Error> {
    let delivery = Delivery { destination, progress: Mutex::new(progress) };
    let threads = destination.puts_at_once();
    let put = |parcel: &Parcel<'_>, stop: &Stop| {
        delivery.put(parcel, stop).map_err(|error| match parcel.of {
            Some(belonging) => belonging.explain(error),
            None => error,
        })
    };
    if threads.get() == 1 {
        return at_once(threads, parcels, put).map(drop);
    }
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<Parcel<'_>> = parcels
        .iter()
        .filter(|parcel| seen.insert((parcel.rank.is_some(), parcel.blob.digest(), parcel.blob.size())))
        .copied()
        .collect();
    waiting.sort_by_key(|parcel| (parcel.rank, std::cmp::Reverse(parcel.blob.size())));
    for rank in waiting.chunk_by(|a, b| a.rank == b.rank) {
        at_once(threads, rank, put)?;
    }
    Ok(())
}

struct Delivery<'a, 'p> {
    destination: &'a dyn Store,
    progress: Mutex<&'p mut (dyn FnMut(Progress<'_>) + Send)>,
}

impl Delivery<'_, '_> {
    fn tell(&self, what: Progress<'_>) {
        (self.progress.lock().unwrap_or_else(PoisonError::into_inner))(what);
    }

    fn put(&self, parcel: &Parcel<'_>, stop: &Stop) -> Result<(), Error> {
        let blob = parcel.blob;
        if self.destination.has(blob)? || (parcel.rank.is_none() && self.destination.take_over(blob)?) {
            self.tell(Progress::Present(blob));
            return Ok(());
        }
        let mut restarts = 0;
        loop {
            let inner = match (parcel.open(self.destination), parcel.bytes) {
                (Err(Error::NoBlob { .. }), Bytes::Perhaps(_)) => return Ok(()),
                (opened, _) => opened?,
            };
            self.tell(Progress::Started(blob));
            let read = |bytes| self.tell(Progress::Bytes(blob, bytes));
            match self.destination.put(blob, &mut Watched { inner, read: &read, stop }) {
                Err(error) if error.may_repeat() && restarts < MOST_RESTARTS => restarts += 1,
                Err(error) => return Err(parcel.explain(error)),
                Ok(()) => break,
            }
        }
        self.tell(Progress::Finished(blob));
        Ok(())
    }
}

impl<'a> Parcel<'a> {
    /// Bytes that are not the blob are so in the place that they were read from, and not where they were compared.
    fn explain(&self, error: Error) -> Error {
        match (error, self.bytes) {
            (Error::Blob { digest, source, .. }, Bytes::Stored(store) | Bytes::Perhaps(store)) => {
                Error::Blob { digest, place: store.place(), source }
            }
            (error, _) => error,
        }
    }

    fn open(&self, destination: &dyn Store) -> Result<Box<dyn Read + Send + 'a>, Error> {
        // Checked against size and digest when the descriptor was read.
        if let Some(data) = self.blob.data() {
            return Ok(Box::new(data));
        }
        match self.bytes {
            Bytes::InMemory(bytes) => Ok(Box::new(bytes)),
            Bytes::Opened(content) => {
                content.open_unchecked().map_err(|source| destination.bad_blob(self.blob, source))
            }
            Bytes::Stored(store) | Bytes::Perhaps(store) => Ok(store.open_unchecked(self.blob)?),
        }
    }
}

/// A blob on its way: every read is told, and the first one after another blob has failed fails, too.
struct Watched<'a, 'b> {
    inner: Box<dyn Read + Send + 'a>,
    read: &'b dyn Fn(u64),
    stop: &'b Stop,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            // Not `Interrupted`, which readers take as a wish to be called again.
            return Err(io::Error::other("another blob has failed"));
        }
        let n = self.inner.read(buf)?;
        (self.read)(n as u64);
        Ok(n)
    }
}
