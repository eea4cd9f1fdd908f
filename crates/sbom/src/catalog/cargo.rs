//! Crates that a Rust program was built from, where `cargo auditable build` built it.
//!
//! See the [format](https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md).

use std::io::Read as _;

use serde::Deserialize;

use super::found::Found;
use crate::inventory::PackageKind;

/// The section that holds the list.
pub(super) const SECTION: &[u8] = b".dep-v0";
/// Bytes of the list at most, once inflated. A program of a thousand crates has some 100 kB.
const MAX_LIST: u64 = 2 << 20;

#[derive(Debug, Deserialize)]
struct List {
    packages: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    version: String,
    #[serde(default)]
    kind: Option<String>,
}

/// The crates whose code is in the program. Those that only its build ran are not.
pub(super) fn find(section: &[u8]) -> Vec<Found> {
    let mut json = Vec::new();
    let inflated = flate2::read::ZlibDecoder::new(section).take(MAX_LIST).read_to_end(&mut json);
    let Some(list) = inflated.ok().and_then(|_| serde_json::from_slice::<List>(&json).ok()) else {
        return Vec::new();
    };
    let linked = list.packages.iter().filter(|entry| entry.kind.as_deref() != Some("build"));
    linked.filter_map(|entry| Found::new(&PackageKind::Cargo, &entry.name, Some(&entry.version))).collect()
}
