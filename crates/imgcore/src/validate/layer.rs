//! One layer, read once: blob, diff id and tar.

use std::io::{self, BufReader, Read};

use super::problem::chain;
use super::{Check, Problem};
use crate::compression::{Codec, decompress};
use crate::descriptor::Descriptor;
use crate::digest::{DiffId, Hasher};
use crate::error::Error;
use crate::tar::{Dialect, Limits, TarError, TarReader};

/// Bytes read at a time.
const CHUNK: usize = 128 << 10;

impl Check<'_> {
    /// Checks a layer that may unpack to at most `left` bytes; gives how many are left after it.
    pub(super) fn layer(
        &mut self,
        blob: &Descriptor,
        codec: Codec,
        diff_id: Option<&DiffId>,
        left: u64,
        at: &str,
    ) -> Result<u64, Error> {
        let reader = match self.store.open(blob) {
            Ok(reader) => reader,
            Err(e) => {
                self.report(at, e)?;
                return Ok(left);
            }
        };
        let mut packed = BufReader::with_capacity(CHUNK, Tap::new(reader, u64::MAX, None));
        let algorithm = diff_id.map_or_else(Hasher::sha256, |id| id.as_digest().hasher());
        let limits = Limits { entries: self.limits.entries, content: left };
        let outcome = unpack(codec, &mut packed, algorithm, left, limits);
        // What the decoder left is read too: only at the end of the blob is its digest known.
        let _ = io::copy(&mut packed, &mut io::sink());
        let damaged = match packed.into_inner().failed {
            Some(source) => {
                self.report(at, self.store.bad_blob(blob, source))?;
                true
            }
            None => false,
        };
        let mut push = |expected: &str, found: String| self.problems.push(Problem::new(at, expected, found));
        if let Some(tar) = &outcome.tar {
            push("a tar with one meaning", chain(tar));
        }
        match (&outcome.stream, diff_id) {
            // The decoder stumbled over what was already reported.
            (Some(_), _) if damaged => {}
            (Some(e), _) => push(&format!("a whole {} stream", codec.as_str()), chain(e)),
            (None, Some(expected)) if outcome.hasher.clone().finish() != *expected.as_digest() => {
                push(&format!("diff id {expected}"), format!("diff id {}", outcome.hasher.finish()));
            }
            (None, _) => {}
        }
        Ok(left.saturating_sub(outcome.bytes))
    }
}

struct Outcome {
    hasher: Hasher,
    bytes: u64,
    /// What went wrong with the decoder or its bound.
    stream: Option<io::Error>,
    /// What went wrong with the tar, other than that.
    tar: Option<TarError>,
}

fn unpack(
    codec: Codec,
    packed: &mut BufReader<Tap<Box<dyn Read + Send>>>,
    hasher: Hasher,
    left: u64,
    limits: Limits,
) -> Outcome {
    let plain = match decompress(codec, packed) {
        Ok(plain) => plain,
        Err(e) => return Outcome { hasher, bytes: 0, stream: Some(e), tar: None },
    };
    let mut plain = Tap::new(plain, left, Some(hasher.clone()));
    let mut reader = TarReader::new(&mut plain, Dialect::Foreign, limits);
    let tar = loop {
        match reader.next_entry() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(e) => break Some(e).filter(|e| e.io().is_none()),
        }
    };
    // The diff id is over the whole stream, whatever its tar is like.
    let _ = io::copy(&mut BufReader::with_capacity(CHUNK, &mut plain), &mut io::sink());
    Outcome { hasher: plain.hasher.unwrap_or(hasher), bytes: plain.seen, stream: plain.failed, tar }
}

/// A layer that unpacks to more than is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the layers of the image unpack to more than the bound of this check, {0} bytes of which were left")]
struct OverLimit(u64);

/// Counts, bounds and hashes what is read through it, and keeps the first error: those who read may wrap or lose it.
struct Tap<R> {
    inner: R,
    hasher: Option<Hasher>,
    seen: u64,
    limit: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Tap<R> {
    fn new(inner: R, limit: u64, hasher: Option<Hasher>) -> Self {
        Self { inner, hasher, seen: 0, limit, failed: None }
    }
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(failed) = &self.failed {
            return Err(failed.kind().into());
        }
        let result = self.inner.read(buf).and_then(|n| {
            self.seen += n as u64;
            let over = || io::Error::new(io::ErrorKind::InvalidData, OverLimit(self.limit));
            if self.seen > self.limit { Err(over()) } else { Ok(n) }
        });
        match result {
            Ok(n) => {
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(buf.get(..n).unwrap_or_default());
                }
                Ok(n)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            Err(e) => {
                let kind = e.kind();
                self.failed = Some(e);
                Err(kind.into())
            }
        }
    }
}
