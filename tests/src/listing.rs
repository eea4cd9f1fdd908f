//! What is in a tar archive, as Python's tarfile sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::place;
use crate::program::Program;

/// What one path is, with hard links resolved: names of one file are equal in all but name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `f` a file, `d` a directory, `l` a symbolic link; other kinds as in `ls -l`.
    pub kind: String,
    /// Permission bits.
    pub mode: u64,
    /// User and group.
    pub owner: (u64, u64),
    /// Seconds since 1970.
    pub mtime: i64,
    /// The target of a symbolic link, the SHA-256 of a file.
    pub content: String,
    /// All names of a file that has several.
    pub names: BTreeSet<String>,
    /// Extended attributes, in hexadecimal.
    pub xattrs: BTreeMap<String, String>,
}

/// The entries by path, without a leading `./`; the root is the empty path. Bytes that are not UTF-8 are shown as if
/// they were Latin-1.
pub type Listing = BTreeMap<String, Node>;

/// Lists a layer, whatever its compression.
#[must_use]
pub fn of_layer(layer: &Path) -> Listing {
    let bytes = std::fs::read(layer).unwrap();
    match bytes.as_slice() {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => of_tar(Program::new("zstd").arg("-dcq").input(bytes).run().success().stdout),
        [0x1f, 0x8b, ..] => of_tar(Program::new("gzip").arg("-dcq").input(bytes).run().success().stdout),
        _ => of_tar(bytes),
    }
}

/// Lists all layers of an image as one tree, the higher over the lower. Whiteouts are not applied.
#[must_use]
pub fn of_layers(layers: &[impl AsRef<Path>]) -> Listing {
    layers.iter().flat_map(|layer| of_layer(layer.as_ref())).collect()
}

/// Lists a plain tar archive.
#[must_use]
pub fn of_tar(archive: Vec<u8>) -> Listing {
    let script = place::root().join("tests/oracle/listing.py");
    let ran = Program::new("python3").arg(script).input(archive).run().success();
    let document = ran.json();
    let entries = document.as_array().unwrap();
    let mut listing = Listing::new();
    for entry in entries {
        let path = text(&entry["path"]);
        let node = if entry["kind"] == "h" {
            let first = text(&entry["content"]);
            let mut node = listing.get(&first).unwrap_or_else(|| panic!("{path} links to no earlier entry")).clone();
            node.names.extend([first, path.clone()]);
            for name in &node.names {
                listing.insert(name.clone(), node.clone());
            }
            node
        } else {
            node(entry)
        };
        listing.insert(path, node);
    }
    listing
}

fn node(entry: &Value) -> Node {
    let number = |key: &str| entry[key].as_u64().unwrap_or_else(|| panic!("no {key} in {entry}"));
    let xattrs = entry["xattrs"].as_object().unwrap();
    Node {
        kind: text(&entry["kind"]),
        mode: number("mode"),
        owner: (number("uid"), number("gid")),
        mtime: entry["mtime"].as_i64().unwrap(),
        content: text(&entry["content"]),
        names: BTreeSet::new(),
        xattrs: xattrs.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}
