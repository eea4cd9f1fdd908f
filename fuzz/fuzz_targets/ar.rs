//! What is read does not depend on how the input is cut, and what was read reads the same once it is written again.

#![no_main]

use std::io::Read;

use distil_debunpack::ar::ArReader;
use distil_fuzz::{Chopped, ar};
use libfuzzer_sys::fuzz_target;

fn members(input: impl Read) -> Option<Vec<(String, Vec<u8>)>> {
    let mut reader = ArReader::new(input).ok()?;
    let mut members = Vec::new();
    while let Some(member) = reader.next_member().ok()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).ok()?;
        assert_eq!(content.len() as u64, member.size);
        members.push((member.name.to_string(), content));
    }
    Some(members)
}

fuzz_target!(|input: &[u8]| {
    // The magic alone is no find.
    for file in [input.to_vec(), [b"!<arch>\n", input].concat()] {
        let whole = members(file.as_slice());
        assert_eq!(whole, members(Chopped { rest: &file, step: 7 }));
        if let Some(whole) = whole {
            let listed: Vec<_> = whole.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
            assert_eq!(members(ar(&listed).as_slice()).as_ref(), Some(&whole));
            assert!(file.len() == 8 || members(&file[..file.len() - 1]).is_none(), "a cut file was read");
        }
    }
});
