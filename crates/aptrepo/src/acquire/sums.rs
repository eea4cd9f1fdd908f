//! Bytes against what a Release file states of them.

use distil_imgcore::Digest;

use crate::release::ReleaseFile;

/// What is not as it was stated.
pub(super) enum Mismatch {
    Size { expected: u64, found: u64 },
    Digest { expected: Digest, found: Digest },
}

/// All digests that are stated. There is at least one, or the Release file had been refused.
pub(super) fn stated(file: &ReleaseFile) -> impl Iterator<Item = Digest> {
    let sha512 = file.sha512.and_then(|bytes| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha512:{digits}").parse().ok()
    });
    file.sha256.clone().into_iter().chain(sha512)
}

/// Size and every digest that is stated.
pub(super) fn check(bytes: &[u8], file: &ReleaseFile) -> Result<(), Mismatch> {
    let size = bytes.len() as u64;
    if size != file.size {
        return Err(Mismatch::Size { expected: file.size, found: size });
    }
    for expected in stated(file) {
        let mut hasher = expected.hasher();
        hasher.update(bytes);
        let found = hasher.finish();
        if found != expected {
            return Err(Mismatch::Digest { expected, found });
        }
    }
    Ok(())
}
