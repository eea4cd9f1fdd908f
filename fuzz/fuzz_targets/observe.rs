//! Whatever a file holds, looking at it ends, in pieces of any size with the same result, and what is told of it is fit for a
//! terminal.

#![no_main]

use distil_imgcore::{Entry, EntryKind, ImagePath, Metadata};
use distil_policy::facts::ConfigFacts;
use distil_policy::observe::{Looked, Looker, Observer, Place};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 8] = [
    "app/tool",
    "etc/passwd",
    "etc/shadow",
    "root/.netrc",
    "root/.docker/config.json",
    "app/.npmrc",
    "etc/apt/sources.list",
    "etc/ld.so.preload",
];

fuzz_target!(|input: &[u8]| {
    let Some(([choice, piece], bytes)) = input.split_first_chunk::<2>().map(|(head, rest)| (*head, rest)) else { return };
    let path = PATHS[usize::from(choice) % PATHS.len()];
    let path = ImagePath::from_archive(path.as_bytes()).expect("a path");
    let kind = EntryKind::File { size: bytes.len() as u64 };
    let entry = Entry { path, kind, meta: Metadata::root(0o755, 0) };
    let looked = look(&entry, bytes, bytes.len());
    assert!(looked == look(&entry, bytes, usize::from(piece)), "pieces make a difference");
    let config = ConfigFacts::default();
    let mut observer = Observer::new(&config);
    observer.visible(&entry, Place { layer: 0, package: None }, Some(&looked));
    for observation in observer.finish() {
        assert!(!observation.seen.chars().any(char::is_control), "a control character");
    }
});

fn look(entry: &Entry, bytes: &[u8], piece: usize) -> Looked {
    let mut looker = Looker::new(entry);
    for piece in bytes.chunks(piece.max(1)) {
        looker.update(piece);
    }
    looker.finish()
}
