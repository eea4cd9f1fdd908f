//! [OSV records](https://ossf.github.io/osv-schema/) of Debian: one in a file, one a line, or a zip file of them.
//!
//! Only the ecosystem `Debian:N` counts, where N is a release's number: other ecosystems whose names start or end so have other
//! packages. A record that was withdrawn says nothing.

mod archive;
mod record;

use std::io::Read;

pub use archive::{MAX_RECORD, MAX_ZIP, read_zip};
use record::Record;
pub(super) use record::newest;

use super::{FeedError, Summary};
use crate::advisory::Item;
use crate::release::Releases;

/// Reads records that follow one another: one a line, or a single one over many lines.
pub(super) fn read(
    reader: &mut dyn Read,
    releases: &Releases,
    each: &mut dyn FnMut(Item),
) -> Result<Summary, FeedError> {
    let mut summary = Summary::default();
    for record in serde_json::Deserializer::from_reader(reader).into_iter::<Record>() {
        record?.take(releases, each, &mut summary)?;
    }
    Ok(summary)
}
