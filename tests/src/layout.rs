//! OCI image layouts, read with nothing but a JSON parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// An image of a layout.
#[derive(Debug)]
pub struct Image {
    /// The digest under the tag: of the index, where there is one.
    pub root: String,
    /// The digest of the manifest.
    pub digest: String,
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
    let mut descriptor = found.unwrap_or_else(|| panic!("no {tag} in {index}")).clone();
    let root = digest(&descriptor).to_owned();
    let mut manifest = json(&blob(layout, &descriptor));
    while let Some(first) = manifest["manifests"].get(0).cloned() {
        descriptor = first;
        manifest = json(&blob(layout, &descriptor));
    }
    let config = json(&blob(layout, &manifest["config"]));
    let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| blob(layout, layer)).collect();
    Image { root, digest: digest(&descriptor).to_owned(), manifest, config, layers }
}

/// What refers to an image or to another blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The type of the artifact.
    pub artifact_type: String,
    /// The file name that it states.
    pub title: String,
    /// The content of its only layer.
    pub content: Vec<u8>,
}

/// What of a layout refers to a digest, sorted by file name.
#[must_use]
pub fn attached(layout: &Path, subject: &str) -> Vec<Attached> {
    let index = json(&layout.join("index.json"));
    let mut found = Vec::new();
    for entry in index["manifests"].as_array().unwrap() {
        let manifest = json(&blob(layout, entry));
        if manifest["subject"]["digest"] != subject {
            continue;
        }
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(layers.len(), 1, "{manifest}");
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{manifest}")).to_owned();
        found.push(Attached {
            artifact_type: text(&manifest["artifactType"]),
            title: text(&layers[0]["annotations"]["org.opencontainers.image.title"]),
            content: fs::read(blob(layout, &layers[0])).unwrap(),
        });
    }
    found.sort_by(|one, other| one.title.cmp(&other.title));
    found
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

/// Every file of a layout as [`files`] gives them, without what is said of how its images were built: that has the text of
/// the recipe in it.
#[must_use]
pub fn but_provenance(layout: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files(layout);
    let mut index = json(&layout.join("index.json"));
    index["manifests"].as_array_mut().unwrap().retain(|entry| {
        let is_provenance = entry["annotations"]["org.opencontainers.image.title"] == "provenance.intoto.json";
        if is_provenance {
            let manifest = blob(layout, entry);
            for gone in [&blob(layout, &json(&manifest)["layers"][0]), &manifest] {
                let _ = files.remove(gone.strip_prefix(layout).unwrap());
            }
        }
        !is_provenance
    });
    let _ = files.insert("index.json".into(), index.to_string().into_bytes());
    files
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    layout.join("blobs").join(digest(descriptor).replace(':', "/"))
}

fn digest(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().unwrap_or_else(|| panic!("no digest in {descriptor}"))
}

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
