//! The lists of the package debian-security-support: `security-support-ended.debN` and `security-support-limited`.
//!
//! Columns are set apart by white space: a source package or a pattern of some; where support ends, the last version that had
//! it and a day; then words. What is behind a `#` at the start of a line is nobody's business but what says which list it is.

use std::io::BufRead;

use jiff::civil::Date;

use super::text::{is_word, title};
use super::{FeedError, FeedKind, Summary, line};
use crate::advisory::Item;
use crate::support::{Extent, PackageSupport};

/// A longer line is none, in bytes.
const MAX_LINE: u64 = 1 << 12;

/// A list with more entries is none: those of Debian have some dozens.
const MAX_ENTRIES: u64 = 10_000;

/// What the comments of a list say it is.
const KINDS: [(&str, FeedKind); 2] = [
    ("packages whose security support ends", FeedKind::SupportEnded),
    ("packages where security support is limited", FeedKind::SupportLimited),
];

/// Which list it is, by its first comment; a list without one is known by the columns of its first entry where support ends.
pub(super) fn detect(text: &str) -> Option<FeedKind> {
    let first = text.lines().map(str::trim).find(|line| !matches!(*line, "" | "#"))?;
    match first.strip_prefix('#') {
        Some(comment) => KINDS.iter().find(|(words, _)| comment.contains(words)).map(|(_, kind)| *kind),
        None => ended(first).map(|_| FeedKind::SupportEnded),
    }
}

pub(super) fn read(kind: FeedKind, reader: &mut dyn BufRead, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let mut summary = Summary::default();
    let mut number = 0;
    while let Some(text) = line(reader, MAX_LINE, number + 1)? {
        number += 1;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let entry = match kind {
            FeedKind::SupportEnded => {
                ended(text).ok_or(FeedError::Line { line: number, expected: "a package, a version and a day" })
            }
            _ => limited(text).ok_or(FeedError::Line { line: number, expected: "a package and words about it" }),
        };
        each(Item::Support(entry?));
        summary.count()?;
        if summary.records > MAX_ENTRIES {
            return Err(FeedError::TooMany);
        }
    }
    Ok(summary)
}

/// `php-horde.*  0  2025-03-22  incompatible with PHP8`.
fn ended(text: &str) -> Option<PackageSupport> {
    let (pattern, rest) = word(text)?;
    let (last, rest) = word(rest)?;
    let (day, rest) = word(rest)?;
    // The calendar's parser takes more forms of a day than the lists have.
    let day: Date = day.parse().ok().filter(|_| day.len() == 10)?;
    let extent = Extent::Ended { last: last.to_owned(), day };
    Some(PackageSupport { pattern: pattern.to_owned(), extent, text: title(rest) })
}

/// `binutils  Only suitable for trusted content`.
fn limited(text: &str) -> Option<PackageSupport> {
    let (pattern, rest) = word(text)?;
    Some(PackageSupport { pattern: pattern.to_owned(), extent: Extent::Limited, text: title(rest) })
}

/// The first word, and what is behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    is_word(word).then_some((word, rest))
}
