//! Content digests, and readers and writers that compute or check them on the way.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// The digest of a blob, as the [image specification] writes it: `sha256:` and 64 hexadecimal digits, or `sha512:`
/// and 128. Everything that distil writes is named by SHA-256.
///
/// [image specification]: https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Value);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Sha256([u8; 32]),
    Sha512(Box<[u8; 64]>),
}

/// The digest of a layer's uncompressed bytes. Not a [`Digest`]: no store has a blob under it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiffId(Digest);

/// A text that is no digest of a known algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is not a digest of the form sha256:HEX (64 digits) or sha512:HEX (128 digits), in lower case", .0)]
pub struct DigestError(pub String);

impl Digest {
    /// The digest of bytes in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_sha256(Sha256::digest(bytes).into())
    }

    /// A digest from a finished SHA-256.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(Value::Sha256(bytes))
    }

    /// `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Value::Sha256(_) => "sha256",
            Value::Sha512(_) => "sha512",
        }
    }

    /// The digits after the colon: safe as a file name.
    #[must_use]
    pub fn hex(&self) -> String {
        match &self.0 {
            Value::Sha256(bytes) => hex::encode(bytes),
            Value::Sha512(bytes) => hex::encode(bytes.as_slice()),
        }
    }

    /// The bytes of a SHA-256.
    #[must_use]
    pub fn as_sha256(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Value::Sha256(bytes) => Some(bytes),
            Value::Sha512(_) => None,
        }
    }

    /// A hasher of this digest's algorithm.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        match &self.0 {
            Value::Sha256(_) => Hasher::sha256(),
            Value::Sha512(_) => Hasher(State::Sha512(Sha512::new())),
        }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bad = || DigestError(text.chars().take(200).collect());
        let (algorithm, digits) = text.split_once(':').ok_or_else(bad)?;
        if digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad());
        }
        let bytes = hex::decode(digits).map_err(|_| bad())?;
        let value = match algorithm {
            "sha256" => Value::Sha256(bytes.try_into().map_err(|_| bad())?),
            "sha512" => Value::Sha512(Box::new(bytes.try_into().map_err(|_| bad())?)),
            _ => return Err(bad()),
        };
        Ok(Self(value))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl DiffId {
    /// Declares that a digest was computed over a layer's uncompressed bytes.
    #[must_use]
    pub fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest of the uncompressed bytes.
    #[must_use]
    pub fn as_digest(&self) -> &Digest {
        &self.0
    }
}

impl FromStr for DiffId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiffId({self})")
    }
}

/// A digest being computed.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// SHA-256, the algorithm of everything distil writes.
    #[must_use]
    pub fn sha256() -> Self {
        Self(State::Sha256(Sha256::new()))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(h) => h.update(bytes),
            State::Sha512(h) => h.update(bytes),
        }
    }

    /// The digest of all bytes so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(h) => Digest(Value::Sha256(h.finalize().into())),
            State::Sha512(h) => Digest(Value::Sha512(Box::new(h.finalize().into()))),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// Hashes and counts what is written through it.
#[derive(Debug)]
pub struct DigestWriter<W> {
    inner: W,
    hasher: Hasher,
    written: u64,
}

impl<W: Write> DigestWriter<W> {
    /// Passes everything on to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::sha256(), written: 0 }
    }

    /// The inner writer, with the digest and the number of bytes that went through.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.written)
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..n).unwrap_or(bytes));
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A stream whose bytes were not those that its descriptor promised. Found in the [`io::Error`] that
/// [`VerifyingReader`] gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentMismatch {
    /// More or fewer bytes than stated.
    #[error("{found} bytes where {expected} were stated")]
    Size {
        /// The stated size.
        expected: u64,
        /// Bytes seen; where there were too many, those seen when reading stopped.
        found: u64,
    },
    /// Other bytes than stated.
    #[error("content has digest {found}, not {expected}")]
    Digest {
        /// The stated digest.
        expected: Digest,
        /// The digest of what was read.
        found: Digest,
    },
}

/// Reads a stream of stated size and digest, and reports its end only when both were right. Whoever reads to the end
/// without an error has read the right bytes.
#[derive(Debug)]
pub struct VerifyingReader<R> {
    inner: R,
    hasher: Option<Hasher>,
    expected: Digest,
    size: Option<u64>,
    seen: u64,
}

impl<R: Read> VerifyingReader<R> {
    /// Promises `size` bytes with the digest `expected`.
    pub fn new(inner: R, expected: Digest, size: u64) -> Self {
        Self { inner, hasher: Some(expected.hasher()), expected, size: Some(size), seen: 0 }
    }

    /// Promises bytes with the digest `expected`, however many: nothing states the size of a layer's tar.
    pub fn of_unknown_size(inner: R, expected: Digest) -> Self {
        Self { inner, hasher: Some(expected.hasher()), expected, size: None, seen: 0 }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let fail = |e: ContentMismatch| io::Error::new(io::ErrorKind::InvalidData, e);
        let n = self.inner.read(buf)?;
        self.seen += n as u64;
        if let Some(size) = self.size.filter(|size| self.seen > *size || (n == 0 && self.seen < *size)) {
            return Err(fail(ContentMismatch::Size { expected: size, found: self.seen }));
        }
        match self.hasher.take() {
            Some(hasher) if n == 0 => {
                let found = hasher.finish();
                if found != self.expected {
                    return Err(fail(ContentMismatch::Digest { expected: self.expected.clone(), found }));
                }
            }
            Some(mut hasher) => {
                hasher.update(buf.get(..n).unwrap_or_default());
                self.hasher = Some(hasher);
            }
            None => {}
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_grammar_of_the_specification_is_a_digest() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        assert!(format!("sha512:{}", "0a".repeat(64)).parse::<Digest>().is_ok());
        for bad in [
            "sha256:../../etc/passwd".to_owned(),
            format!("sha256:{}", "0A".repeat(32)),
            format!("sha256:{}", "0a".repeat(31)),
            format!("md5:{}", "0a".repeat(16)),
            format!("sha256:/{}", "0a".repeat(32)),
            String::new(),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    fn read_as(bytes: &[u8], digest: Digest, size: u64) -> Result<Vec<u8>, ContentMismatch> {
        let mut out = Vec::new();
        match VerifyingReader::new(bytes, digest, size).read_to_end(&mut out) {
            Ok(_) => Ok(out),
            Err(e) => Err(e.get_ref().unwrap().downcast_ref::<ContentMismatch>().unwrap().clone()),
        }
    }

    #[test]
    fn the_end_is_reported_only_for_the_right_bytes() {
        assert_eq!(read_as(b"abc", Digest::of(b"abc"), 3).unwrap(), b"abc");
        assert!(matches!(read_as(b"abd", Digest::of(b"abc"), 3), Err(ContentMismatch::Digest { .. })));
        assert!(matches!(read_as(b"ab", Digest::of(b"ab"), 3), Err(ContentMismatch::Size { found: 2, .. })));
        assert!(matches!(read_as(b"abcd", Digest::of(b"abcd"), 3), Err(ContentMismatch::Size { .. })));
        assert_eq!(read_as(b"", Digest::of(b""), 0).unwrap(), b"");
        let of_unknown_size =
            |bytes: &[u8]| VerifyingReader::of_unknown_size(bytes, Digest::of(b"abc")).read_to_end(&mut Vec::new());
        assert_eq!(of_unknown_size(b"abc").unwrap(), 3);
        assert!(of_unknown_size(b"abcd").is_err() && of_unknown_size(b"ab").is_err());
    }
}
