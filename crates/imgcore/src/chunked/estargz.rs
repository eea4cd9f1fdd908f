//! The end of an eStargz layer.

use std::io;

use sha2::{Digest as _, Sha256};

use super::members::MemberEncoder;
use super::{Closing, Form, Run, toc};
use crate::entry::{Entry, EntryKind, Metadata};
use crate::path::ImagePath;
use crate::tar::BLOCK;
use crate::tar::writer::{END, headers, padding};

/// The table, as a file of the layer.
pub(super) const TABLE: &[u8] = b"stargz.index.json";
/// Says that no file is marked as needed early.
pub(super) const LANDMARK: &[u8] = b".no.prefetch.landmark";
/// What the specification calls four bits: one byte.
pub(super) const LANDMARK_CONTENT: &[u8] = &[0x0f];

/// The digest of the table, by which its readers know a layer of this form.
const DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
/// The size of the tar, which containers/storage needs.
const SIZE: &str = "io.containers.estargz.uncompressed-size";

/// A file that the format has beside those of the layer. Its time is fixed, and all may read it.
pub(super) fn special(name: &[u8], size: u64) -> io::Result<Entry> {
    let path = ImagePath::from_archive(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    Ok(Entry { path, kind: EntryKind::File { size }, meta: Metadata::root(0o444, 0) })
}

/// The member with the table and the end of the archive, and the footer.
pub(super) fn end(encoder: &mut MemberEncoder, runs: &[&Run]) -> io::Result<Closing> {
    // A table may be large: it is made where the member wants it, behind a header whose size it decides.
    let mut plain = toc::table(vec![0; BLOCK], Form::Estargz, runs, None)?;
    let (header, table) = plain.split_at_mut_checked(BLOCK).ok_or(io::ErrorKind::UnexpectedEof)?;
    let (digest, size) = (Sha256::digest(&table), table.len() as u64);
    let stated = headers(&special(TABLE, size)?);
    if stated.len() != BLOCK {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    header.copy_from_slice(&stated);
    plain.extend_from_slice(padding(size));
    plain.extend_from_slice(&END);
    let mut packed = encoder.encode(&plain)?;
    packed.extend(footer(runs.iter().map(|run| run.packed).sum()));
    let size = runs.iter().map(|run| run.plain).sum::<u64>() + plain.len() as u64;
    let digest = format!("sha256:{}", hex::encode(digest));
    Ok(Closing { packed, annotations: [(DIGEST.to_owned(), digest), (SIZE.to_owned(), size.to_string())].into() })
}

/// An empty gzip member, whose extra field says where the table starts.
fn footer(table: u64) -> Vec<u8> {
    let place = format!("{table:016x}STARGZ");
    [
        // With an extra field, no time, and an unknown operating system.
        &[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff][..],
        &[26, 0, b'S', b'G', 22, 0],
        place.as_bytes(),
        // A stored block with nothing in it, the sum and the size of nothing.
        &[1, 0, 0, 0xff, 0xff],
        &[0; 8],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_footer_is_a_gzip_member_of_51_bytes() {
        let footer = footer(0x1234);
        assert_eq!(footer.len(), 51);
        let mut out = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&footer[..]);
        decoder.read_to_end(&mut out).unwrap();
        assert!(out.is_empty());
        assert_eq!(decoder.header().unwrap().extra(), Some(&b"SG\x16\x000000000000001234STARGZ"[..]));
    }
}
