//! Digests of one sequence of bytes.

use sha2::Digest as _;

/// The digests of a file, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digests {
    /// MD5.
    pub md5: Option<[u8; 16]>,
    /// SHA-1. SPDX 2.3 wants it of every file, and snapshot.debian.org names files by it.
    pub sha1: Option<[u8; 20]>,
    /// SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// SHA-512.
    pub sha512: Option<[u8; 64]>,
}

/// Computes all digests in one pass.
#[derive(Debug, Clone, Default)]
pub struct Digesting {
    md5: md5::Md5,
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
    sha512: sha2::Sha512,
    place: Place,
}

/// Computes SHA-1 and SHA-256 in one pass: what documents have of the files of packages.
#[derive(Debug, Clone, Default)]
pub struct ShaDigesting {
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
    place: Place,
}

impl Digests {
    /// All digests of bytes that are at hand.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut all = Digesting::default();
        all.update(bytes);
        all.finish()
    }

    /// The digests that are known, each with the name that hash functions have in SPDX (`SHA256`) and its value in
    /// hexadecimal.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, String)> {
        let known = [
            ("MD5", self.md5.as_ref().map(hex::encode)),
            ("SHA1", self.sha1.as_ref().map(hex::encode)),
            ("SHA256", self.sha256.as_ref().map(hex::encode)),
            ("SHA512", self.sha512.as_ref().map(hex::encode)),
        ];
        known.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Takes in a digest by the name of its function in any spelling (`SHA-256`, `sha256`). Others, and what is no digest
    /// of that function, are left alone.
    pub fn insert(&mut self, function: &str, value: &str) {
        let mut name = function.to_ascii_lowercase();
        name.retain(|c| c.is_ascii_alphanumeric());
        let Ok(bytes) = hex::decode(value.trim()) else { return };
        match name.as_str() {
            "md5" => self.md5 = bytes.try_into().ok(),
            "sha1" => self.sha1 = bytes.try_into().ok(),
            "sha256" => self.sha256 = bytes.try_into().ok(),
            "sha512" => self.sha512 = bytes.try_into().ok(),
            _ => {}
        }
    }
}

impl Digesting {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let Self { md5, sha1, sha256, sha512, place } = self;
        place.blocks(bytes, |part| {
            md5.update(part);
            sha1.update(part);
            sha256.update(part);
        });
        sha512.update(bytes);
    }

    /// The digests of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Digests {
        Digests {
            md5: Some(self.md5.finalize().into()),
            sha1: Some(self.sha1.finalize().into()),
            sha256: Some(self.sha256.finalize().into()),
            sha512: Some(self.sha512.finalize().into()),
        }
    }
}

impl ShaDigesting {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let Self { sha1, sha256, place } = self;
        place.blocks(bytes, |part| {
            sha1.update(part);
            sha256.update(part);
        });
    }

    /// The digests of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Digests {
        Digests {
            sha1: Some(self.sha1.finalize().into()),
            sha256: Some(self.sha256.finalize().into()),
            ..Digests::default()
        }
    }
}

/// Bytes of a block of MD5, SHA-1 and SHA-256.
const BLOCK: usize = 64;

/// How many bytes of the block that is not full yet were taken in.
///
/// Each function takes a block before the next block comes. Within a function every instruction waits for the one before, and
/// between functions none does: a processor that looks some hundred instructions ahead works on several at once, which takes
/// two thirds of the time of one after the other. From a few blocks on it no longer sees the next function's.
#[derive(Debug, Clone, Copy, Default)]
struct Place(usize);

impl Place {
    /// Gives bytes on in blocks as the functions have them, which they take in without a copy.
    fn blocks(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let (first, rest) = bytes.split_at(bytes.len().min((BLOCK - self.0) % BLOCK));
        if !first.is_empty() {
            take(first);
        }
        rest.chunks(BLOCK).for_each(take);
        self.0 = (self.0 + bytes.len()) % BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_do_not_depend_on_how_bytes_come() {
        let bytes: Vec<u8> = (0..1000_u16).map(|n| (n % 251) as u8).collect();
        let whole = Digests {
            md5: Some(md5::Md5::digest(&bytes).into()),
            sha1: Some(sha1::Sha1::digest(&bytes).into()),
            sha256: Some(sha2::Sha256::digest(&bytes).into()),
            sha512: Some(sha2::Sha512::digest(&bytes).into()),
        };
        for size in [1, 3, 63, 64, 65, 128, 200, 1000] {
            let (mut all, mut both) = (Digesting::default(), ShaDigesting::default());
            for part in bytes.chunks(size) {
                all.update(part);
                both.update(part);
            }
            assert_eq!(all.finish(), whole, "{size}");
            assert_eq!(both.finish(), Digests { md5: None, sha512: None, ..whole }, "{size}");
        }
    }

    #[test]
    fn blocks_are_those_of_the_functions() {
        let bytes = [0; 3 * BLOCK];
        let mut place = Place::default();
        let mut lengths = Vec::new();
        for part in [0..10, 10..100, 100..128, 128..192] {
            place.blocks(&bytes[part], |block| lengths.push(block.len()));
        }
        assert_eq!(lengths, [10, 54, 36, 28, 64]);
    }

    #[test]
    fn functions_are_known_in_every_spelling() {
        let all = Digests::of(b"abc");
        let mut read = Digests::default();
        for (name, value) in all.named() {
            read.insert(&name.replace("SHA", "sha-"), &value);
        }
        assert_eq!(read, all);
        assert_eq!(hex::encode(all.md5.unwrap()), "900150983cd24fb0d6963f7d28e17f72");
        let mut other = Digests::default();
        other.insert("SHA256", "abc");
        other.insert("BLAKE3", "00");
        assert_eq!(other, Digests::default());
    }
}
