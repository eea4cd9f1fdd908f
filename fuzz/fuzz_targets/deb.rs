//! A package is read the same however the input is cut; one that was read to its end is refused once its last byte is
//! missing or a byte follows it.

#![no_main]

use std::io::{Read, Write};

use distil_debunpack::{Deb, Integrity, Limits};
use distil_fuzz::{Chopped, ar, changed_tar, tar};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    control_file: 1 << 16,
    control_archive: 1 << 18,
    data_archive: 1 << 20,
    data_entries: 1000,
    data_ratio: 100,
    data_free: 1 << 16,
};

const CONTROL: &[u8] = b"Package: hello\nVersion: 1.0\nArchitecture: all\n";

type Files = Vec<(Vec<u8>, Vec<u8>)>;

fn read(input: impl Read) -> Option<Files> {
    let mut data = Deb::open(input, LIMITS).ok()?.into_data(Integrity::Unverified).ok()?;
    let mut files = Vec::new();
    while let Some(entry) = data.next_entry().ok()? {
        let mut content = Vec::new();
        data.read_to_end(&mut content).ok()?;
        assert_eq!(content.len() as u64, entry.kind.size());
        assert!(!entry.looks_like_whiteout());
        assert!(entry.kind.is_dir() || !entry.path.as_bytes().starts_with(b"var/lib/dpkg/status.d"));
        files.push((entry.path.as_bytes().to_vec(), content));
    }
    data.finish().expect("the end was seen");
    Some(files)
}

/// The first byte says which part of a package the rest is, so that every part is reached without luck.
fn package(input: &[u8]) -> Option<Vec<u8>> {
    let (part, rest) = input.split_first()?;
    let control = tar("./control", CONTROL);
    let with_data = |name, data: &[u8]| ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), (name, data)]);
    let with_control =
        |name, control: &[u8]| ar(&[("debian-binary", b"2.0\n"), (name, control), ("data.tar", &tar("a", b"a"))]);
    Some(match part % 10 {
        0 => rest.to_vec(),
        1 => with_control("control.tar", &tar("./control", rest)),
        2 => with_control("control.tar.zst", rest),
        3 => with_data("data.tar", &changed_tar(rest)),
        4 => with_data("data.tar.gz", rest),
        5 => with_data("data.tar.xz", rest),
        6 => with_data("data.tar.zst", rest),
        7 => with_data("data.tar.bz2", rest),
        8 => with_data("data.tar.lzma", rest),
        _ => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
            encoder.write_all(rest).expect("memory takes everything");
            let packed = encoder.finish().expect("memory takes everything");
            [with_data("data.tar.gz", &packed), rest.to_vec()].concat()
        }
    })
}

fuzz_target!(|input: &[u8]| {
    let Some(package) = package(input) else { return };
    let whole = read(package.as_slice());
    assert_eq!(whole, read(Chopped { rest: &package, step: 13 }));
    if whole.is_some() {
        assert_eq!(read(&package[..package.len() - 1]), None, "a cut package was read");
        assert_eq!(read([&package, &b"\n"[..]].concat().as_slice()), None, "a longer package was read");
    }
});
