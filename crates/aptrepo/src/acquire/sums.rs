//! Bytes against what a Release file states of them.

use std::fmt::Write as _;
use std::io::Read;

use distil_imgcore::Digest;
use distil_imgcore::digest::{ContentMismatch, VerifyingReader};

use crate::release::ReleaseFile;

/// All digests that are stated. There is at least one, or the Release file had been refused.
pub(super) fn stated(file: &ReleaseFile) -> impl Iterator<Item = Digest> {
    let sha512 = file.sha512.and_then(|bytes| {
        let mut text = "sha512:".to_owned();
        bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}")).ok()?;
        text.parse().ok()
    });
    file.sha256.clone().into_iter().chain(sha512)
}

/// Size and every digest that is stated.
pub(super) fn check(bytes: &[u8], file: &ReleaseFile) -> Result<(), ContentMismatch> {
    let size = bytes.len() as u64;
    if size != file.size {
        return Err(ContentMismatch::Size { expected: file.size, found: size });
    }
    for expected in stated(file) {
        let mut hasher = expected.hasher();
        hasher.update(bytes);
        let found = hasher.finish();
        if found != expected {
            return Err(ContentMismatch::Digest { expected, found });
        }
    }
    Ok(())
}

/// The bytes, whose end is reported only if they are as stated. The error holds a [`ContentMismatch`] otherwise.
pub(super) fn checked<'a>(bytes: impl Read + 'a, file: &ReleaseFile) -> Box<dyn Read + 'a> {
    let check = |inner: Box<dyn Read + 'a>, digest| -> Box<dyn Read + 'a> {
        Box::new(VerifyingReader::new(inner, digest, file.size))
    };
    stated(file).fold(Box::new(bytes), check)
}
