//! What a tar has besides the contents of its files.

use std::io;

use serde::Serialize;

use super::{Run, toc};
use crate::base64;
use crate::tar::writer::{END, headers, padding};

/// Bytes that are gathered before they are given on.
const PIECE: usize = 1 << 20;

/// Writes [tar-split]'s form of runs in a row and the end of the archive: a line of JSON for the headers of each entry, after
/// the padding of the one before, and a line for its content. The pieces given to `write` depend on the entries alone.
///
/// # Errors
/// Those of `write`; [`TableError`](super::TableError) for a name that cannot be stated in JSON.
///
/// [tar-split]: https://github.com/vbatts/tar-split
pub(super) fn lines(runs: &[&Run], mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut out = Vec::new();
    let mut position = 0;
    let mut line = |line: Line<'_>, out: &mut Vec<u8>| {
        serde_json::to_writer(&mut *out, &Line { position, ..line })?;
        out.push(b'\n');
        position += 1;
        io::Result::Ok(())
    };
    let mut before = padding(0);
    for record in runs.iter().flat_map(|run| &run.records) {
        let size = record.entry.kind.size();
        line(Line::bytes(&[before, &headers(&record.entry)].concat()), &mut out)?;
        before = padding(size);
        let name = toc::name(&record.entry)?;
        let payload = (size > 0).then(|| base64::encode(&record.crc64.to_be_bytes()));
        line(Line { r#type: Line::FILE, name: Some(&name), size, payload, position: 0 }, &mut out)?;
        if out.len() >= PIECE {
            write(&out)?;
            out.clear();
        }
    }
    line(Line::bytes(&[before, &END].concat()), &mut out)?;
    write(&out)
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    r#type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    payload: Option<String>,
    position: u64,
}

impl Line<'_> {
    const FILE: u8 = 1;
    const BYTES: u8 = 2;

    fn bytes(bytes: &[u8]) -> Self {
        Self { r#type: Self::BYTES, name: None, size: 0, payload: Some(base64::encode(bytes)), position: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
