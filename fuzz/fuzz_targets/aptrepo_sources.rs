//! Sources that are read are complete, and say what is asked of them at a place in the file.

#![no_main]

use distil_aptrepo::host_sources::{parse_deb822, parse_one_line};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // What every source has is no find.
    let paragraph = [b"Types: deb\nURIs: file:/a\nSuites: a\nComponents: b\n", input].concat();
    let entry = [b"deb [", input, b"] file:/a a b"].concat();
    let read = [
        parse_deb822("a", input),
        parse_deb822("a", &paragraph),
        parse_one_line("a", input),
        parse_one_line("a", &entry),
    ];
    for source in read.into_iter().flatten().flatten() {
        assert!(source.enabled && !source.uris.is_empty() && !source.suites.is_empty());
        assert!(source.suites.iter().all(|suite| suite.ends_with('/') == source.components.is_empty()));
        assert!(
            source.uris.iter().all(|uri| ["http:", "https:", "file:"].iter().any(|scheme| uri.starts_with(scheme)))
        );
        let line = source.place.strip_prefix("a:").and_then(|line| line.parse::<usize>().ok()).expect("a line");
        assert!((1..=paragraph.len().max(entry.len()) + 1).contains(&line));
    }
});
