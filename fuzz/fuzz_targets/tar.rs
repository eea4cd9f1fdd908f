//! Entries do not depend on how the input is cut, and what was read from any dialect reads the same once it is written
//! again.

#![no_main]

use std::io::Read;

use distil_fuzz::{Chopped, changed_tar};
use distil_imgcore::Entry;
use distil_imgcore::tar::{Dialect, Limits, TarReader, TarWriter};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { entries: 1000, content: 1 << 20 };

fn entries(input: impl Read, dialect: Dialect) -> Option<Vec<(Entry, Vec<u8>)>> {
    let mut reader = TarReader::new(input, dialect, LIMITS);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry().ok()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).ok()?;
        assert_eq!(content.len() as u64, entry.kind.size());
        entries.push((entry, content));
    }
    Some(entries)
}

fuzz_target!(|input: &[u8]| {
    for archive in [input.to_vec(), changed_tar(input)] {
        let archive = archive.as_slice();
        for dialect in [Dialect::Debian, Dialect::Own, Dialect::Foreign] {
            let whole = entries(archive, dialect);
            assert_eq!(whole, entries(Chopped { rest: archive, step: 11 }, dialect));
            let Some(whole) = whole else { continue };
            let mut writer = TarWriter::new(Vec::new());
            for (entry, content) in &whole {
                writer.append(entry, &mut content.as_slice()).expect("what was read can be written");
            }
            let written = writer.finish().expect("memory takes everything");
            // Our writer uses pax headers, which packages may not have.
            let again = if dialect == Dialect::Own { Dialect::Own } else { Dialect::Foreign };
            if dialect != Dialect::Debian || whole.iter().all(|(entry, _)| !entry.looks_like_whiteout()) {
                assert_eq!(entries(written.as_slice(), again), Some(whole));
            }
        }
    }
});
