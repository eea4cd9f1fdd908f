//! The end of a zstd:chunked layer.

use std::io;

use sha2::{Digest as _, Sha256};

use super::members::MemberEncoder;
use super::{Closing, Form, Run, tar_split, toc};
use crate::tar::writer::END;

/// The digest of the compressed table, by which its readers know a layer of this form.
const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
/// Where the table is: offset, size, size of the JSON, and the type.
const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";
/// Where tar-split is: offset, size, size of the lines.
const TAR_SPLIT: &str = "io.github.containers.zstd-chunked.tarsplit-position";
/// The only type of table there is.
const TYPE: u64 = 1;
const MAGIC: &[u8; 8] = b"GNUlInUx";

/// The end of the archive in a frame of its own, then table, tar-split and footer in skippable ones.
pub(super) fn end(encoder: &mut MemberEncoder, runs: &[&Run]) -> io::Result<Closing> {
    let mut packed = encoder.encode(&END)?;
    let start = runs.iter().map(|run| run.packed).sum::<u64>();

    let mut split = Block::default();
    tar_split::lines(runs, |lines| {
        split.plain += lines.len() as u64;
        split.packed.extend(encoder.encode(lines)?);
        Ok(())
    })?;
    let json = toc::table(Vec::new(), Form::ZstdChunked, runs, Some(&split.digest()))?;
    let table = Block { plain: json.len() as u64, packed: encoder.encode(&json)? };
    drop(json);

    let checksum = table.digest();
    let [at_table, at_split] = [&table, &split].map(|block| {
        let offset = skippable(&mut packed, &block.packed)?;
        Ok::<_, io::Error>([start + offset, block.packed.len() as u64, block.plain])
    });
    let (at_table, at_split) = (at_table?, at_split?);
    let footer = [&at_table[..], &[TYPE], &at_split].concat();
    let footer: Vec<u8> = footer.into_iter().flat_map(u64::to_le_bytes).chain(*MAGIC).collect();
    skippable(&mut packed, &footer)?;

    let [offset, size, plain] = at_table;
    let [split_offset, split_size, split_plain] = at_split;
    let annotations = [
        (CHECKSUM.to_owned(), checksum),
        (POSITION.to_owned(), format!("{offset}:{size}:{plain}:{TYPE}")),
        (TAR_SPLIT.to_owned(), format!("{split_offset}:{split_size}:{split_plain}")),
    ];
    Ok(Closing { packed, annotations: annotations.into() })
}

/// Compressed bytes that are no part of the tar.
#[derive(Debug, Default)]
struct Block {
    plain: u64,
    packed: Vec<u8>,
}

impl Block {
    /// Of the compressed bytes: they are checked before a decoder sees them.
    fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(&self.packed)))
    }
}

/// Adds a [skippable frame], which decoders pass over, and says where its data starts.
///
/// [skippable frame]: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
fn skippable(out: &mut Vec<u8>, data: &[u8]) -> io::Result<u64> {
    let size = u32::try_from(data.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    out.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18]);
    out.extend_from_slice(&size.to_le_bytes());
    let offset = out.len() as u64;
    out.extend_from_slice(data);
    Ok(offset)
}
