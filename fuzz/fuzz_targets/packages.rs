//! An index that can be read is stored and loaded as it was; what is loaded leads nowhere that a parsed one does not; and
//! whatever its relations say, a resolver ends with a set that has what was asked for, or with a reason.

#![no_main]

use distil_aptrepo::{Index, Offered, Request, Universe, Wanted, resolve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check_stored(input);
    // The fields that every stanza has are no find.
    let sum = "0123456789abcdef".repeat(4);
    let common = format!("Version: 1.0\nArchitecture: all\nSize: 1\nFilename: a\nSHA256: {sum}\n");
    let mut text = Vec::new();
    for (number, stanza) in input.split(|b| *b == 0).take(8).enumerate() {
        text.extend_from_slice(format!("Package: p{number}\n{common}").as_bytes());
        text.extend_from_slice(stanza);
        text.extend_from_slice(b"\n\n");
    }
    for text in [input, &text] {
        if let Ok(index) = Index::parse(text) {
            check_stored(&index.to_bytes());
            check_resolved(&index);
        }
    }
});

fn check_stored(bytes: &[u8]) {
    if let Ok(index) = Index::from_bytes(bytes) {
        assert_eq!(index.to_bytes(), bytes);
        for stanza in index.stanzas() {
            let candidate = stanza.candidate().expect("every stanza of an index is a candidate");
            assert!(candidate.path.split('/').all(|component| !matches!(component, "" | "." | "..")));
            assert!(index.named(stanza.name()).any(|same| same.version() == stanza.version()));
        }
    }
}

fn check_resolved(index: &Index) {
    let Ok(architecture) = "amd64".parse() else { return };
    let indices = [Offered { suite: "fuzz", codename: None, index }];
    let universe = Universe { architecture, indices: &indices, local: &[], base: &[] };
    for recommends in [false, true] {
        for name in index.stanzas().take(3).filter_map(|stanza| stanza.candidate()).map(|candidate| candidate.name) {
            let requests = vec![Request::of(name.clone())];
            match resolve(&universe, &Wanted { requests, recommends, ..Wanted::default() }) {
                Ok(found) => assert!(found.packages.iter().any(|chosen| chosen.name == name)),
                Err(error) => assert!(!error.reasons.is_empty() && !error.to_string().is_empty()),
            }
        }
    }
}
