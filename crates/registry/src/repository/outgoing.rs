//! A blob that is being sent, of which the last part can be sent again.

use std::collections::VecDeque;
use std::io::{self, Read};

use distil_imgcore::digest::ContentMismatch;
use distil_imgcore::{Descriptor, Digest, Hasher};

/// Reads a blob from a source that can be read once. Its last byte is given only when size and digest of all were right, so
/// that what is not the blob never arrives as a whole.
pub(super) struct Outgoing<'a> {
    source: &'a mut dyn Read,
    expected: Digest,
    size: u64,
    hasher: Hasher,
    /// The last bytes that were taken from the source, so many at most.
    kept: VecDeque<u8>,
    most_kept: usize,
    /// Bytes that were taken from the source.
    taken: u64,
    /// The next byte to be given.
    at: u64,
    failure: Option<io::Error>,
}

impl<'a> Outgoing<'a> {
    /// `kept` is memory of an earlier blob, to be used again.
    pub(super) fn new(blob: &Descriptor, source: &'a mut dyn Read, most_kept: usize, mut kept: VecDeque<u8>) -> Self {
        kept.clear();
        let hasher = blob.digest().hasher();
        let (expected, size) = (blob.digest().clone(), blob.size());
        Self { source, expected, size, hasher, kept, most_kept, taken: 0, at: 0, failure: None }
    }

    /// The next byte to be given.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The bytes from there to the end.
    pub(super) fn left(&self) -> u64 {
        self.size - self.at
    }

    /// The memory, for the next blob.
    pub(super) fn into_memory(self) -> VecDeque<u8> {
        self.kept
    }

    /// Goes back to a byte, where that one is still there.
    pub(super) fn rewind(&mut self, to: u64) -> bool {
        let there = self.may_rewind(to);
        if there {
            self.at = to;
        }
        there
    }

    pub(super) fn may_rewind(&self, to: u64) -> bool {
        to <= self.taken && self.taken - to <= self.kept.len() as u64
    }

    /// Checks a blob of which nothing is to be read.
    pub(super) fn check_empty(&mut self) -> io::Result<()> {
        if self.size == 0 { self.check_end() } else { Ok(()) }
    }

    /// What was wrong with the source, where something was.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn again(&self, buf: &mut [u8]) -> usize {
        let start = self.kept.len() - usize::try_from(self.taken - self.at).unwrap_or(self.kept.len());
        let (first, second) = self.kept.as_slices();
        let part = match first.get(start..) {
            Some(part) if !part.is_empty() => part,
            _ => second.get(start.saturating_sub(first.len())..).unwrap_or_default(),
        };
        let n = part.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), part.get(..n)) {
            to.copy_from_slice(from);
        }
        n
    }

    fn take(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.size - self.taken).unwrap_or(usize::MAX).min(buf.len());
        let n = self.source.read(buf.get_mut(..most).unwrap_or_default())?;
        if n == 0 {
            return Err(mismatch(ContentMismatch::Size { expected: self.size, found: self.taken }));
        }
        let bytes = buf.get(..n).unwrap_or_default();
        self.hasher.update(bytes);
        if self.taken + n as u64 == self.size {
            self.check_end()?;
        }
        self.taken += n as u64;
        let bytes = bytes.get(n.saturating_sub(self.most_kept)..).unwrap_or_default();
        let surplus = (self.kept.len() + bytes.len()).saturating_sub(self.most_kept);
        // What goes makes room for what comes, so that no more memory is taken than for what is kept.
        self.kept.drain(..surplus.min(self.kept.len()));
        self.kept.extend(bytes);
        Ok(n)
    }

    /// Whether nothing follows, and all was what it should be.
    fn check_end(&mut self) -> io::Result<()> {
        loop {
            match self.source.read(&mut [0]) {
                Ok(0) => break,
                Ok(_) => return Err(mismatch(ContentMismatch::Size { expected: self.size, found: self.size + 1 })),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let found = self.hasher.clone().finish();
        if found == self.expected {
            Ok(())
        } else {
            Err(mismatch(ContentMismatch::Digest { expected: self.expected.clone(), found }))
        }
    }
}

fn mismatch(mismatch: ContentMismatch) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, mismatch)
}

impl Read for Outgoing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Err(io::Error::other("the source has failed before"));
        }
        let n = if self.at < self.taken {
            self.again(buf)
        } else if self.taken < self.size && !buf.is_empty() {
            match self.take(buf) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    let kind = error.kind();
                    self.failure = Some(error);
                    return Err(kind.into());
                }
            }
        } else {
            0
        };
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is read and gone back to, each byte is that of its place, and going back is possible as far as said.
        #[test]
        fn every_byte_is_that_of_its_place(
            content in prop::collection::vec(any::<u8>(), 1..400),
            most_kept in 0_usize..100,
            steps in prop::collection::vec((1_usize..90, 0_u64..120), 1..60),
        ) {
            let blob = Descriptor::of("application/x".parse().unwrap(), &content);
            let mut source = &content[..];
            let mut outgoing = Outgoing::new(&blob, &mut source, most_kept, VecDeque::new());
            let mut furthest = 0;
            for (length, back) in steps {
                let at = usize::try_from(outgoing.at()).unwrap();
                let mut buf = vec![0; length];
                let n = outgoing.read(&mut buf).unwrap();
                prop_assert_eq!(&buf[..n], &content[at..at + n]);
                prop_assert!(n > 0 || at == content.len());
                furthest = furthest.max(at + n);
                prop_assert_eq!(outgoing.left(), (content.len() - at - n) as u64);
                let to = outgoing.at().saturating_sub(back);
                let kept = furthest as u64 - to <= furthest.min(most_kept) as u64;
                prop_assert_eq!(outgoing.rewind(to), kept);
                prop_assert!(!outgoing.rewind(furthest as u64 + 1));
                prop_assert!(outgoing.kept.len() <= most_kept);
            }
        }

        /// The last byte of what is not the blob is never given.
        #[test]
        fn what_is_not_the_blob_has_no_end(
            content in prop::collection::vec(any::<u8>(), 1..200),
            at in any::<prop::sample::Index>(),
            piece in 1_usize..64,
        ) {
            let mut wrong = content.clone();
            wrong[at.index(content.len())] ^= 1;
            let longer = [&content[..], b"x"].concat();
            let blob = Descriptor::of("application/x".parse().unwrap(), &content);
            for mut source in [&wrong[..], &content[1..], &longer] {
                let mut outgoing = Outgoing::new(&blob, &mut source, 10, VecDeque::new());
                let (mut given, mut buf) = (0, vec![0; piece]);
                while let Ok(n @ 1..) = outgoing.read(&mut buf) {
                    given += n;
                }
                prop_assert!(given < content.len());
                prop_assert!(outgoing.read(&mut buf).is_err());
                let failure = outgoing.failure().unwrap();
                prop_assert!(failure.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<ContentMismatch>));
            }
        }
    }
}
