use std::io::Read;

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::compression::decompress;
use crate::entry::{Entry, EntryKind, Metadata};
use crate::path::ImagePath;
use crate::tar::TarWriter;

const FORMS: [Form; 2] = [Form::Estargz, Form::ZstdChunked];

fn path(name: &str) -> ImagePath {
    ImagePath::from_archive(name.as_bytes()).unwrap()
}

fn entry(name: &str, kind: EntryKind) -> Entry {
    Entry { path: path(name), kind, meta: Metadata::root(0o755, 1_700_000_000) }
}

fn file(name: &str, content: &[u8]) -> (Entry, Vec<u8>) {
    (entry(name, EntryKind::File { size: content.len() as u64 }), content.to_vec())
}

fn other(name: &str, kind: EntryKind) -> (Entry, Vec<u8>) {
    (entry(name, kind), Vec::new())
}

fn run(form: Form, entries: &[(Entry, Vec<u8>)]) -> (Vec<u8>, Run) {
    let mut writer = RunWriter::new(Vec::new(), form.into()).unwrap();
    for (entry, content) in entries {
        let sha256 = writer.append(entry.clone(), &mut &content[..]).unwrap();
        let expected = matches!(entry.kind, EntryKind::File { .. }).then(|| Sha256::digest(content).into());
        assert_eq!(sha256, expected);
    }
    writer.finish().unwrap()
}

struct Made {
    packed: Vec<u8>,
    /// The tar without what the format adds to it.
    tar: Vec<u8>,
    closing: Closing,
}

fn layer(form: Form, runs: &[Vec<(Entry, Vec<u8>)>]) -> Made {
    let (mut packed, mut described) = (Vec::new(), Vec::new());
    let mut tar = TarWriter::new(Vec::new());
    for entries in runs {
        let (bytes, one) = run(form, entries);
        assert_eq!(bytes.len() as u64, one.packed);
        packed.extend(bytes);
        described.push(one);
        for (entry, content) in entries {
            tar.append(entry, &mut &content[..]).unwrap();
        }
    }
    let closing = close(form.into(), &described.iter().collect::<Vec<_>>()).unwrap();
    packed.extend(&closing.packed);
    Made { packed, tar: tar.finish().unwrap(), closing }
}

fn unpack(form: Form, packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    decompress(form.codec(), packed).unwrap().read_to_end(&mut out).unwrap();
    out
}

/// The table, found as a reader finds it.
fn table(form: Form, made: &Made) -> Value {
    let json = if form == Form::Estargz {
        let footer = &made.packed[made.packed.len() - 51..];
        let start = usize::from_str_radix(std::str::from_utf8(&footer[16..32]).unwrap(), 16).unwrap();
        let mut tar = Vec::new();
        flate2::bufread::GzDecoder::new(&made.packed[start..]).read_to_end(&mut tar).unwrap();
        let size = std::str::from_utf8(&tar[124..135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        tar[512..512 + size].to_vec()
    } else {
        let footer = &made.packed[made.packed.len() - 64..];
        assert_eq!(&footer[56..], b"GNUlInUx");
        let number = |i: usize| usize::try_from(u64::from_le_bytes(footer[i * 8..][..8].try_into().unwrap())).unwrap();
        let packed = &made.packed[number(0)..][..number(1)];
        let checksum = format!("sha256:{}", hex::encode(Sha256::digest(packed)));
        assert_eq!(made.closing.annotations["io.github.containers.zstd-chunked.manifest-checksum"], checksum);
        let json = zstd::decode_all(packed).unwrap();
        assert_eq!(json.len(), number(2));
        json
    };
    serde_json::from_slice(&json).unwrap()
}

/// Reads a file by its rows alone.
fn read(form: Form, made: &Made, table: &Value, name: &str) -> Vec<u8> {
    let rows = table["entries"].as_array().unwrap();
    let start = rows.iter().position(|row| row["name"] == name).unwrap();
    let chunks = rows[start + 1..].iter().take_while(|row| row["type"] == "chunk");
    let mut out = Vec::new();
    for row in std::iter::once(&rows[start]).chain(chunks) {
        let offset = usize::try_from(row["offset"].as_u64().unwrap()).unwrap();
        let left = rows[start]["size"].as_u64().unwrap() - out.len() as u64;
        let size = row["chunkSize"].as_u64().unwrap_or(left);
        assert_eq!(row["chunkOffset"].as_u64().unwrap_or(0), out.len() as u64);
        let mut chunk = Vec::new();
        decompress(form.codec(), &made.packed[offset..]).unwrap().take(size).read_to_end(&mut chunk).unwrap();
        if let Some(digest) = row["chunkDigest"].as_str() {
            assert_eq!(digest, format!("sha256:{}", hex::encode(Sha256::digest(&chunk))));
        }
        out.extend(chunk);
    }
    assert_eq!(rows[start]["digest"], format!("sha256:{}", hex::encode(Sha256::digest(&out))));
    out
}

fn sample() -> Vec<Vec<(Entry, Vec<u8>)>> {
    let large: Vec<u8> = (0..9_000_000_u32).map(|i| (i >> 9).to_le_bytes()[0]).collect();
    vec![
        vec![file("usr/bin/a", b"first"), file("usr/empty", b""), file("usr/large", &large)],
        vec![other("usr/link", EntryKind::Symlink { target: b"bin/a".to_vec() }), file("usr/bin/z", b"last")],
        vec![
            other("usr/hard", EntryKind::Hardlink { target: path("usr/bin/a") }),
            other("usr", EntryKind::Directory),
            other("usr/bin", EntryKind::Directory),
        ],
    ]
}

#[test]
fn the_tar_is_the_same_and_every_file_can_be_read_alone() {
    for form in FORMS {
        let runs = sample();
        let made = layer(form, &runs);
        let tar = unpack(form, &made.packed);
        let entries = made.tar.len() - 1024;
        assert_eq!(tar[..entries], made.tar[..entries]);
        if form == Form::ZstdChunked {
            assert!(tar == made.tar);
        }
        let table = table(form, &made);
        for (entry, content) in runs.iter().flatten().filter(|(entry, _)| entry.kind.size() > 0) {
            assert!(&read(form, &made, &table, std::str::from_utf8(entry.path.as_bytes()).unwrap()) == content);
        }
    }
}

#[test]
fn directories_come_first_in_the_table() {
    for form in FORMS {
        let table = table(form, &layer(form, &sample()));
        let names: Vec<_> =
            table["entries"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names[..5], ["usr/", "usr/bin/", "usr/bin/a", "usr/empty", "usr/large"]);
        assert_eq!(names.iter().filter(|name| **name == "usr/large").count(), 3);
    }
}

#[test]
fn tar_split_and_the_files_are_the_tar() {
    let runs = sample();
    let made = layer(Form::ZstdChunked, &runs);
    let place = &made.closing.annotations["io.github.containers.zstd-chunked.tarsplit-position"];
    let place: Vec<usize> = place.split(':').map(|n| n.parse().unwrap()).collect();
    let packed = &made.packed[place[0]..][..place[1]];
    let lines = zstd::decode_all(packed).unwrap();
    assert_eq!(lines.len(), place[2]);
    assert_eq!(
        table(Form::ZstdChunked, &made)["tarSplitDigest"],
        format!("sha256:{}", hex::encode(Sha256::digest(packed)))
    );
    let mut tar = Vec::new();
    for (number, line) in lines.split_inclusive(|b| *b == b'\n').enumerate() {
        let line: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(line["position"], number);
        if line["type"] == 2 {
            tar.extend(crate::base64::decode(line["payload"].as_str().unwrap()).unwrap());
        } else {
            let name = line["name"].as_str().unwrap();
            let (_, content) = runs.iter().flatten().find(|(e, _)| e.path == path(name)).unwrap();
            assert_eq!(line["size"].as_u64().unwrap_or(0), content.len() as u64);
            tar.extend(content);
        }
    }
    assert!(tar == made.tar);
}

#[test]
fn what_the_table_cannot_state_is_refused() {
    let check = |form: Form, entry: Entry, expected: fn(ImagePath) -> TableError| {
        let (_, run) = run(form, &[(entry.clone(), Vec::new())]);
        let error = close(form.into(), &[&run]).unwrap_err().downcast::<TableError>().unwrap();
        assert_eq!(error, expected(entry.path));
    };
    for form in FORMS {
        let named = ImagePath::from_archive(b"\xff").unwrap();
        check(form, Entry { path: named, ..entry("x", EntryKind::Directory) }, TableError::Text);
        check(form, entry("x", EntryKind::Symlink { target: b"\xff".to_vec() }), TableError::Text);
        let late = Metadata::root(0o644, i64::MAX / 2);
        check(form, Entry { meta: late, ..entry("x", EntryKind::Directory) }, TableError::Time);
    }
    for name in ["stargz.index.json", ".no.prefetch.landmark"] {
        check(Form::Estargz, entry(name, EntryKind::File { size: 0 }), TableError::Taken);
    }
}

#[test]
fn content_of_another_size_is_refused() {
    for content in [&b"ab"[..], b"abcd"] {
        let mut writer = RunWriter::new(Vec::new(), Form::ZstdChunked.into()).unwrap();
        let error = writer.append(entry("f", EntryKind::File { size: 3 }), &mut &content[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

/// Gives at most so many bytes a call.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.1);
        self.0.read(&mut buf[..n])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bytes_do_not_depend_on_how_content_comes(sizes in proptest::collection::vec(0..9000_usize, 1..5), step in 1..700_usize) {
        for form in FORMS {
            let entries: Vec<_> = sizes.iter().enumerate().map(|(i, size)| file(&format!("f{i}"), &vec![7; *size])).collect();
            let mut writer = RunWriter::new(Vec::new(), form.into()).unwrap();
            for (entry, content) in &entries {
                writer.append(entry.clone(), &mut Slow(content, step)).unwrap();
            }
            prop_assert_eq!(writer.finish().unwrap(), run(form, &entries));
            let made = layer(form, std::slice::from_ref(&entries));
            let table = table(form, &made);
            for (i, (entry, content)) in entries.iter().enumerate() {
                if entry.kind.size() > 0 {
                    prop_assert_eq!(&read(form, &made, &table, &format!("f{i}")), content);
                }
            }
        }
    }
}
