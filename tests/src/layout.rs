//! OCI image layouts, read with nothing but a JSON parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// An image of a layout.
#[derive(Debug)]
pub struct Image {
    /// The manifest.
    pub manifest: Value,
    /// The config.
    pub config: Value,
    /// The compressed layers, from the lowest up.
    pub layers: Vec<PathBuf>,
}

/// The image under a tag: of the first platform where the tag names an index.
#[must_use]
pub fn image(layout: &Path, tag: &str) -> Image {
    let index = json(&layout.join("index.json"));
    let named = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == tag;
    let found = index["manifests"].as_array().unwrap().iter().find(named);
    let mut manifest = json(&blob(layout, found.unwrap_or_else(|| panic!("no {tag} in {index}"))));
    while let Some(first) = manifest["manifests"].get(0) {
        manifest = json(&blob(layout, first));
    }
    let config = json(&blob(layout, &manifest["config"]));
    let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| blob(layout, layer)).collect();
    Image { manifest, config, layers }
}

/// Whether a folder holds an index that names an image.
#[must_use]
pub fn is_finished(layout: &Path) -> bool {
    let Ok(bytes) = fs::read(layout.join("index.json")) else {
        return false;
    };
    let index: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    index["manifests"].as_array().is_some_and(|entries| !entries.is_empty())
}

/// Every file below a folder, by its path there, with its content.
#[must_use]
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(folder).unwrap().to_path_buf(), content);
            }
        }
    }
    files
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap_or_else(|| panic!("no digest in {descriptor}"));
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
