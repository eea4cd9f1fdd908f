//! Small images in layouts, for the tests of what reads them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use distil_imgcore::{
    Compression, Descriptor, Entry, EntryKind, Image, ImageBuilder, ImagePath, Index, Layer, LayerWriter, Layout,
    MediaType, Memory, Metadata, Origin, Reference, Settings, Store,
};
use serde_json::{Value, json};

/// A layer with these files; a name that ends with a slash is a directory.
fn layer(files: &[(&str, &str)]) -> Layer {
    let mut writer = LayerWriter::new(Vec::new(), Compression::ZSTD, Origin::new("test"), None).unwrap();
    for (name, text) in files {
        let (path, kind) = match name.strip_suffix('/') {
            Some(dir) => (dir, EntryKind::Directory),
            None => (*name, EntryKind::File { size: text.len() as u64 }),
        };
        let path = ImagePath::from_archive(path.as_bytes()).unwrap();
        writer.add(Entry { path, kind, meta: Metadata::root(0o755, 7) }, &mut text.as_bytes()).unwrap();
    }
    writer.finish(|packed| Ok(Arc::new(packed))).unwrap().0
}

fn image(platform: &str, layers: &[&[(&str, &str)]]) -> Image {
    let settings = Settings { entrypoint: vec!["/usr/bin/aa".into()], ..Settings::default() };
    let builder = ImageBuilder::new(platform.parse().unwrap(), 7).settings(settings);
    layers.iter().fold(builder, |builder, files| builder.layer(layer(files))).finish().unwrap()
}

/// Writes an image of these layers, the same for each platform, into the layout `image` in `dir`, under the tag `test`.
pub(crate) fn write(dir: &Path, platforms: &[&str], layers: &[&[(&str, &str)]]) -> Reference {
    let at = dir.join("image");
    let layout = Layout::create(&at, Duration::ZERO).unwrap();
    let images = platforms.iter().map(|platform| image(platform, layers)).collect();
    let index = Index::new(images, &std::collections::BTreeMap::new()).unwrap();
    let root = index.write_to(&layout, &mut |_| {}).unwrap();
    layout.tag(Some(&"test".parse().unwrap()), &root).unwrap();
    format!("oci:{}:test", at.display()).parse().unwrap()
}

/// An image in memory of these archives, with a configuration that says little.
pub(crate) fn foreign(layers: &[Vec<u8>]) -> Image {
    foreign_with(layers, &json!({}), &[])
}

/// The same with what the configuration says of running it, and with steps of its history.
pub(crate) fn foreign_with(layers: &[Vec<u8>], config: &Value, history: &[&str]) -> Image {
    let store = Memory::new();
    let put = |media: &str, bytes: &[u8]| {
        let descriptor = Descriptor::of(media.parse::<MediaType>().unwrap(), bytes);
        store.put(&descriptor, &mut &*bytes).unwrap();
        descriptor
    };
    let layers: Vec<Descriptor> = layers.iter().map(|tar| put("application/vnd.oci.image.layer.v1.tar", tar)).collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|l| l.digest().to_string()).collect::<Vec<_>>()},
        "history": history.iter().map(|step| json!({"created_by": step, "empty_layer": true})).collect::<Vec<_>>(),
    });
    let config = put("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.to_json(),
        "layers": layers.iter().map(Descriptor::to_json).collect::<Vec<_>>(),
    });
    let root = put("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    let store: Arc<dyn Store> = Arc::new(store);
    Image::read(&store, &root).unwrap()
}

/// The record of a package as `status.d` holds it.
pub(crate) fn record(name: &str, version: &str, more: &str) -> String {
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDescription: x\n{more}"
    )
}
