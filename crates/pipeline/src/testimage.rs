//! Small images in layouts, for the tests of what reads them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use distil_imgcore::{
    Compression, Entry, EntryKind, Image, ImageBuilder, ImagePath, Index, Layer, LayerWriter, Layout, Metadata, Origin,
    Reference, Settings, Store as _,
};

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

/// The record of a package as `status.d` holds it.
pub(crate) fn record(name: &str, version: &str, more: &str) -> String {
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDescription: x\n{more}"
    )
}
