//! Readers of advisory feeds: what Debian's security tracker, OSV, lists of advisories, KEV, EPSS and NVD publish,
//! and lists of what has less support.
//!
//! Each takes a reader and gives [items](crate::Item) one by one, so that a feed is never in memory as a whole. What a file is
//! shows in how it starts ([`detect`]), never in its name. A feed with a mistake in it is refused with the place; only what a
//! feed says of other systems than Debian is passed over, and counted.

mod detect;
mod epss;
mod error;
mod json;
mod kev;
mod kind;
mod limited;
mod lists;
mod nvd;
mod osv;
mod strings;
mod support;
mod text;
mod tracker;

use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;

pub use detect::{HEAD, detect, is_gzip};
pub use error::FeedError;
pub use kind::FeedKind;
pub use limited::{MAX_FEED, MAX_RECORDS};
pub use osv::{MAX_RECORD, MAX_ZIP, read_zip};

use crate::advisory::Item;
use crate::release::Releases;
use limited::Limited;
use strings::Strings;

/// What was in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Records that something was taken from.
    pub records: u64,
    /// Records about other systems or unknown releases, and withdrawn ones.
    pub passed_over: u64,
    /// The newest time in it, where it has any.
    pub newest: Option<Timestamp>,
}

impl Summary {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            passed_over: self.passed_over + other.passed_over,
            newest: self.newest.max(other.newest),
        }
    }

    /// One more record.
    fn count(&mut self) -> Result<(), FeedError> {
        self.records += 1;
        if self.records > MAX_RECORDS { Err(FeedError::TooMany) } else { Ok(()) }
    }

    fn saw(&mut self, time: Option<Timestamp>) {
        self.newest = self.newest.max(time);
    }
}

/// Reads a feed of a kind that [`detect`] found. A zip file is read by [`read_zip`], a list of releases by [`Releases::from_csv`].
///
/// # Errors
/// [`FeedError`] with the place of the first mistake. What was given to `each` until then must be forgotten.
pub fn read(
    kind: FeedKind,
    reader: &mut dyn Read,
    releases: &Releases,
    each: &mut dyn FnMut(Item),
) -> Result<Summary, FeedError> {
    let mut limited = Limited::new(reader, MAX_FEED);
    let mut strings;
    let is_json = matches!(kind, FeedKind::Tracker | FeedKind::Osv | FeedKind::Kev | FeedKind::Nvd);
    let reader: &mut dyn Read = if is_json {
        strings = Strings::new(limited);
        &mut strings
    } else {
        &mut limited
    };
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    match kind {
        FeedKind::Tracker => tracker::read(&mut reader, each),
        FeedKind::Osv => osv::read(&mut reader, releases, each),
        FeedKind::Dsa | FeedKind::Dla => lists::read(&mut reader, each),
        FeedKind::Kev => kev::read(&mut reader, each),
        FeedKind::Epss => epss::read(&mut reader, each),
        FeedKind::Nvd => nvd::read(&mut reader, each),
        FeedKind::SupportEnded | FeedKind::SupportLimited => support::read(kind, &mut reader, each),
        FeedKind::DistroInfo => {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            let list = Releases::from_csv(&bytes)?;
            Ok(Summary { records: list.iter().count() as u64, ..Summary::default() })
        }
    }
}

/// What gzip packed, as it was before. It may be in several members.
pub fn gunzip<R: Read>(reader: R) -> impl Read {
    flate2::read::MultiGzDecoder::new(reader)
}

/// Reads one line of at most `limit` bytes; none at the end.
fn line(reader: &mut dyn BufRead, limit: u64, number: u64) -> Result<Option<String>, FeedError> {
    let mut bytes = Vec::new();
    let length = reader.take(limit).read_until(b'\n', &mut bytes)?;
    if length == 0 {
        return Ok(None);
    }
    if length as u64 == limit {
        return Err(FeedError::Line { line: number, expected: "shorter" });
    }
    let text = String::from_utf8(bytes).map_err(|_| FeedError::Line { line: number, expected: "UTF-8" })?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
