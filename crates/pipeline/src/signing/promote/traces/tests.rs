//! Names in blobs of every kind.

use std::sync::Arc;

use distil_imgcore::{
    Compression, Entry, EntryKind, ImagePath, LayerWriter, Memory, Metadata, Origin, compression::Encoder,
};
use proptest::prelude::*;

use super::*;
use crate::progress::Silent;

const NAME: &str = "registry.internal:5000";

fn found(media_type: &str, bytes: &[u8]) -> Result<Option<Trace>, Error> {
    let store = Memory::new();
    let blob = Descriptor::of(media_type.parse().unwrap(), bytes);
    store.put(&blob, &mut &*bytes).unwrap();
    let names = Names::new(vec![NAME.to_owned()]).unwrap();
    search(&names, &store, &[&blob], &Silent).map(|mut traces| traces.pop())
}

/// A layer with these files, packed so.
fn layer(compression: Compression, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = LayerWriter::new(Vec::new(), compression, Origin::new("test"), None).unwrap();
    for (name, text) in files {
        let path = ImagePath::from_archive(name.as_bytes()).unwrap();
        let kind = EntryKind::File { size: text.len() as u64 };
        writer.add(Entry { path, kind, meta: Metadata::root(0o644, 7) }, &mut &**text).unwrap();
    }
    let mut packed = Vec::new();
    let (layer, _) = writer.finish(|bytes| Ok(Arc::new(bytes))).unwrap();
    layer.content().open_unchecked().unwrap().read_to_end(&mut packed).unwrap();
    packed
}

const LAYERS: [(Compression, &str); 3] = [
    (Compression::NONE, MediaType::LAYER),
    (Compression::GZIP, MediaType::LAYER_GZIP),
    (Compression::ZSTD, MediaType::LAYER_ZSTD),
];

#[test]
fn the_file_of_a_layer_is_named() {
    let text = format!("{}{NAME}{}", "x".repeat(700_000), "y".repeat(700_000));
    let files: [(&str, &[u8]); 3] = [("a", b"nothing"), ("etc/app.conf", text.as_bytes()), ("z", b"nothing")];
    for (compression, media_type) in LAYERS {
        let trace = found(media_type, &layer(compression, &files)).unwrap().unwrap();
        assert_eq!(trace.path.unwrap().to_string(), "/etc/app.conf", "{media_type}");
        assert_eq!((trace.name.as_str(), trace.media_type.as_str()), (NAME, media_type));
        assert_eq!(found(media_type, &layer(compression, &files[..1])).unwrap(), None);
    }
    let named = layer(Compression::ZSTD, &[("a", b"x"), ("etc/registry.internal:5000.crt", b"x")]);
    let trace = found(MediaType::LAYER_ZSTD, &named).unwrap().unwrap();
    assert_eq!(trace.path.unwrap().to_string(), "/etc/registry.internal:5000.crt");
}

#[test]
fn what_types_say_of_compression_is_not_believed() {
    let packed = layer(Compression::GZIP, &[("a", NAME.as_bytes())]);
    for media_type in [MediaType::LAYER, MediaType::DOCKER_LAYER, "application/vnd.example.chart"] {
        assert!(found(media_type, &packed).unwrap().is_some(), "{media_type}");
    }
}

#[test]
fn documents_are_searched_as_they_are() {
    for (media_type, text) in [
        (MediaType::CONFIG, r#"{"history":[{"created_by":"FROM Registry.Internal:5000/base"}]}"#),
        (MediaType::MANIFEST, r#"{"annotations":{"a":"registry.internal:5000\/team\/app"}}"#),
        (MediaType::SPDX_JSON, r#"{"purl":"pkg:oci/app?repository_url=registry.internal%3A5000%2Fteam"}"#),
    ] {
        assert_eq!(found(media_type, text.as_bytes()).unwrap().unwrap().path, None, "{text}");
    }
    assert_eq!(found(MediaType::CONFIG, b"{}").unwrap(), None);
}

#[test]
fn names_behind_frames_that_are_skipped_are_found() {
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
    let frame = layer(Compression::ZSTD, &[("a", NAME.as_bytes())]);
    assert!(found(MediaType::LAYER_ZSTD, &[skipped, frame].concat()).unwrap().is_some());
}

#[test]
fn what_cannot_be_unpacked_and_what_is_another_blob_is_an_error() {
    for compression in [Compression::GZIP, Compression::ZSTD] {
        let mut cut = layer(compression, &[("a", b"nothing")]);
        cut.truncate(cut.len() - 3);
        assert!(matches!(found("application/x", &cut), Err(Error::Blob { .. })));
    }
    let store = Memory::new();
    let missing = Descriptor::of(MediaType::LAYER.parse().unwrap(), b"x");
    let names = Names::new(vec![NAME.to_owned()]).unwrap();
    assert!(matches!(search(&names, &store, &[&missing], &Silent), Err(Error::NoBlob { .. })));
    let foreign = Descriptor::of(MediaType::LAYER_FOREIGN.parse().unwrap(), b"x");
    assert_eq!(search(&names, &store, &[&foreign], &Silent).unwrap(), []);
}

#[test]
fn every_blob_with_a_name_is_told_in_order() {
    let store = Memory::new();
    let blobs: Vec<Descriptor> = (0..9)
        .map(|number| {
            let text = if number % 3 == 0 { format!("{number}{NAME}") } else { number.to_string() };
            let blob = Descriptor::of("text/plain".parse().unwrap(), text.as_bytes());
            store.put(&blob, &mut text.as_bytes()).unwrap();
            blob
        })
        .collect();
    let names = Names::new(vec![NAME.to_owned()]).unwrap();
    let traces = search(&names, &store, &blobs.iter().collect::<Vec<_>>(), &Silent).unwrap();
    let expected: Vec<&Digest> = blobs.iter().step_by(3).map(Descriptor::digest).collect();
    assert_eq!(traces.iter().map(|trace| &trace.digest).collect::<Vec<_>>(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Wherever a name is in what was packed, in whatever parts, it is found.
    #[test]
    fn names_in_packed_bytes_are_found(
        before in proptest::collection::vec(any::<u8>(), 0..3000),
        after in proptest::collection::vec(any::<u8>(), 0..3000),
        cut in any::<prop::sample::Index>(),
        is_there: bool,
    ) {
        let name = if is_there { NAME } else { "" };
        let whole = [&before[..], name.as_bytes(), &after].concat();
        let (first, second) = whole.split_at(cut.index(whole.len() + 1));
        // Each frame by itself, as zstd has them in a row.
        let mut packed = Vec::new();
        for part in [first, second] {
            let mut encoder = Encoder::new(Compression::ZSTD).unwrap();
            packed.extend_from_slice(encoder.encode(part).unwrap().1);
        }
        prop_assert_eq!(found("application/x", &packed).unwrap().is_some(), is_there);
    }
}
