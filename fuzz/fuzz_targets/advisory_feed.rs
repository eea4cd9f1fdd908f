//! A feed gives the same however its bytes are cut, words that are fit for keys, and errors that steer no terminal.

#![no_main]

use std::io::Cursor;

use distil_fuzz::Chopped;
use distil_vulns::Item;
use distil_vulns::feed::{FeedKind, detect, read, read_zip};
use distil_vulns::release::Releases;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let releases = Releases::embedded();
    let found = detect(input);
    let kinds = [FeedKind::Tracker, FeedKind::Osv, FeedKind::Dsa, FeedKind::Nvd, FeedKind::Kev, FeedKind::Epss];
    let kinds = kinds.into_iter().chain([FeedKind::SupportEnded, FeedKind::SupportLimited]);
    for kind in kinds.chain(found) {
        let whole = items(|each| read(kind, &mut &*input, &releases, each).map_err(|error| error.to_string()));
        let chopped = &mut Chopped { rest: input, step: 1 };
        let cut = items(|each| read(kind, chopped, &releases, each).map_err(|error| error.to_string()));
        assert_eq!(whole, cut);
        let Ok(items) = whole else { continue };
        for item in items {
            let words = match &item {
                Item::Advisory(advisory) => [&advisory.id, &advisory.source, &advisory.release],
                Item::Cve(facts) => [&facts.id; 3],
                Item::Support(support) => [&support.pattern; 3],
            };
            assert!(words.iter().all(|word| !word.is_empty() && word.len() <= 256 && !word.contains(char::is_control)));
        }
    }
    let _ = items(|each| read_zip(Cursor::new(input), &releases, each).map_err(|error| error.to_string()));
});

fn items<T>(read: impl FnOnce(&mut dyn FnMut(Item)) -> Result<T, String>) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    match read(&mut |item| items.push(item)) {
        Ok(_) => Ok(items),
        Err(error) => {
            assert!(!error.contains(char::is_control), "{error}");
            Err(error)
        }
    }
}
