//! A zip file of records, as OSV publishes one for each ecosystem.

use std::io::{ErrorKind, Read, Seek};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive};

use super::record::Record;
use crate::advisory::Item;
use crate::feed::limited::Limited;
use crate::feed::{FeedError, Summary};
use crate::release::Releases;

/// A longer record is none, in bytes: those of the kernel have some hundred kilobytes.
pub const MAX_RECORD: u64 = 16 << 20;

/// All records of a zip file together have no more bytes when unpacked.
pub const MAX_ZIP: u64 = 4 << 30;

/// Reads the records of a zip file: its files in JSON, in the order of its directory. Sizes and checksums are compared.
///
/// # Errors
/// [`FeedError`] with the file in it that has a mistake. What was given to `each` until then must be forgotten.
pub fn read_zip(
    reader: impl Read + Seek,
    releases: &Releases,
    each: &mut dyn FnMut(Item),
) -> Result<Summary, FeedError> {
    let damaged = |entry: Option<&str>, error: rawzip::Error| FeedError::Zip {
        entry: entry.map(str::to_owned),
        what: error.to_string(),
    };
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(reader, &mut buffer).map_err(|error| damaged(None, error))?;
    let mut entries = archive.entries(&mut buffer);
    let (mut summary, mut bytes, mut unpacked) = (Summary::default(), Vec::new(), 0_u64);
    while let Some(entry) = entries.next_entry().map_err(|error| damaged(None, error))? {
        let name: String = String::from_utf8_lossy(entry.file_path().as_ref()).chars().take(200).collect();
        if entry.is_dir() {
            continue;
        }
        let inside = |source: FeedError| FeedError::Entry { entry: name.clone(), source: Box::new(source) };
        let method = entry.compression_method();
        let found = archive.get_entry(entry.wayfinder()).map_err(|error| damaged(Some(&name), error))?;
        let packed = std::io::BufReader::new(found.reader());
        let content: Box<dyn Read + '_> = match method {
            CompressionMethod::STORE => Box::new(packed),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(packed)),
            _ => {
                return Err(FeedError::Zip {
                    entry: Some(name),
                    what: "compressed in a way that is not known".to_owned(),
                });
            }
        };
        bytes.clear();
        found.verifying_reader(Limited::new(content, MAX_RECORD)).read_to_end(&mut bytes).map_err(|error| {
            inside(match error.kind() {
                ErrorKind::FileTooLarge => FeedError::RecordTooLarge,
                _ => error.into(),
            })
        })?;
        unpacked += bytes.len() as u64;
        if unpacked > MAX_ZIP {
            return Err(FeedError::ZipTooLarge);
        }
        let record: Record = serde_json::from_slice(&bytes).map_err(|error| inside(error.into()))?;
        record.take(releases, each, &mut summary).map_err(inside)?;
    }
    Ok(summary)
}
