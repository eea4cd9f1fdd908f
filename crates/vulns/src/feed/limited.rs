//! A reader that ends with an error where its limit does.

use std::io::{self, Read};

/// A larger feed is none, in bytes when unpacked: the tracker's JSON has some 70 MB, a year of NVD up to 200 MB.
pub const MAX_FEED: u64 = 1 << 30;

/// A feed with more records is none: there are some 300,000 CVEs.
pub const MAX_RECORDS: u64 = 5_000_000;

/// Reads no more than a limit.
#[derive(Debug)]
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Limited<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buf)?;
        self.left = self.left.checked_sub(length as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(length)
    }
}
