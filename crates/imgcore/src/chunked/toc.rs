//! The table of contents.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Form, Record, Run, TableError};
use crate::base64;
use crate::entry::{Entry, EntryKind};
use crate::time::rfc3339;
use crate::tree::ContentSha256;

/// Adds the table of runs in a row to `out`: directories first, sorted, so that who makes a tree of it entry by entry needs to make
/// no parents up, then all others in their order in the layer, as readers of eStargz expect that find the end of a content by
/// the start of the next. `tar_split` is the digest of that, where the format has it.
///
/// # Errors
/// [`TableError`] where an entry cannot be stated in JSON.
pub(super) fn table(mut out: Vec<u8>, form: Form, runs: &[&Run], tar_split: Option<&str>) -> io::Result<Vec<u8>> {
    out.extend_from_slice(br#"{"version":1,"entries":["#);
    let mut first = true;
    let mut directories: Vec<_> = runs.iter().flat_map(|run| &run.records).filter(|r| r.entry.kind.is_dir()).collect();
    directories.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    for record in directories {
        rows(form, 0, record, |row| write(&mut out, &mut first, row))?;
    }
    let mut start = 0;
    for run in runs {
        for record in run.records.iter().filter(|record| !record.entry.kind.is_dir()) {
            rows(form, start, record, |row| write(&mut out, &mut first, row))?;
        }
        start += run.packed;
    }
    out.push(b']');
    if let Some(digest) = tar_split {
        write!(out, r#","tarSplitDigest":"{digest}""#)?;
    }
    out.push(b'}');
    Ok(out)
}

fn write(out: &mut Vec<u8>, first: &mut bool, row: &Row<'_>) -> io::Result<()> {
    if !std::mem::take(first) {
        out.push(b',');
    }
    serde_json::to_writer(out, row).map_err(io::Error::from)
}

/// One element of `entries`. Both formats name their fields alike; what one of them does not know is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    r#type: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    mode: u64,
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    #[serde(skip_serializing_if = "is_zero")]
    uid: u64,
    #[serde(skip_serializing_if = "is_zero")]
    gid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    modtime: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    dev_major: u64,
    #[serde(skip_serializing_if = "is_zero")]
    dev_minor: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    xattrs: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    offset: u64,
    #[serde(skip_serializing_if = "is_zero")]
    end_offset: u64,
    #[serde(skip_serializing_if = "is_zero")]
    chunk_size: u64,
    #[serde(skip_serializing_if = "is_zero")]
    chunk_offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk_digest: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The rows of an entry: one, and one more for each chunk after the first.
fn rows(form: Form, start: u64, record: &Record, mut write: impl FnMut(&Row<'_>) -> io::Result<()>) -> io::Result<()> {
    let entry = &record.entry;
    let name = name(entry)?;
    let mut row = about(entry, &name)?;
    // The reference writers differ for files without content, and containers/storage says that they have no digest.
    row.digest = record.content.filter(|_| form == Form::Estargz || row.size > 0).map(|sha256| digest(&sha256));
    let last = record.chunks.len().saturating_sub(1);
    let mut offset = 0;
    for (number, chunk) in record.chunks.iter().enumerate() {
        row.offset = start + chunk.offset;
        row.chunk_offset = offset;
        match form {
            // eStargz wants a digest for every chunk, and no size for the last.
            Form::Estargz => {
                row.chunk_size = if number == last { 0 } else { chunk.plain };
                row.chunk_digest = Some(digest(&chunk.sha256));
            }
            // Here the entry of the file ends where its last chunk does.
            Form::ZstdChunked => {
                let end = if number == 0 { record.chunks.last().unwrap_or(chunk) } else { chunk };
                row.end_offset = start + end.offset + end.packed;
                if last > 0 {
                    row.chunk_size = chunk.plain;
                    row.chunk_digest = Some(digest(&chunk.sha256));
                }
            }
        }
        write(&row)?;
        offset += chunk.plain;
        row = Row { r#type: "chunk", name: &name, ..Row::default() };
    }
    if record.chunks.is_empty() { write(&row) } else { Ok(()) }
}

fn about<'a>(entry: &'a Entry, name: &'a str) -> io::Result<Row<'a>> {
    let meta = &entry.meta;
    let (r#type, link_name, device) = match &entry.kind {
        EntryKind::File { .. } => ("reg", None, (0, 0)),
        EntryKind::Directory => ("dir", None, (0, 0)),
        EntryKind::Symlink { target } => ("symlink", Some(text(entry, target)?), (0, 0)),
        EntryKind::Hardlink { target } => ("hardlink", Some(text(entry, target.as_bytes())?), (0, 0)),
        EntryKind::CharDevice { major, minor } => ("char", None, (*major, *minor)),
        EntryKind::BlockDevice { major, minor } => ("block", None, (*major, *minor)),
        EntryKind::Fifo => ("fifo", None, (0, 0)),
    };
    let xattrs = meta.xattrs.iter().map(|(key, value)| Ok((text(entry, key)?, base64::encode(value))));
    Ok(Row {
        r#type,
        name,
        link_name,
        mode: (meta.mode & 0o7777).into(),
        size: entry.kind.size(),
        uid: meta.uid.into(),
        gid: meta.gid.into(),
        modtime: Some(rfc3339(meta.mtime).ok_or_else(|| TableError::Time(entry.path.clone()))?),
        dev_major: device.0.into(),
        dev_minor: device.1.into(),
        xattrs: xattrs.collect::<io::Result<_>>()?,
        ..Row::default()
    })
}

/// The name as the tar has it.
pub(super) fn name(entry: &Entry) -> io::Result<String> {
    let slash = if entry.kind.is_dir() { "/" } else { "" };
    Ok([text(entry, entry.path.as_bytes())?, slash].concat())
}

fn text<'a>(entry: &Entry, bytes: &'a [u8]) -> io::Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| TableError::Text(entry.path.clone()).into())
}

fn digest(sha256: &ContentSha256) -> String {
    format!("sha256:{}", hex::encode(sha256))
}
