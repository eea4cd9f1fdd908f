use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::compression::{Codec, decompress};
use crate::digest::DiffId;
use crate::layer::Layer;
use crate::media_type::MediaType;
use crate::tar::TarWriter;
use crate::{Entry, EntryKind, Image, ImageBuilder, ImagePath, Index, Layout, Memory, Metadata};

/// Cases made by others, with the verdict that each must get.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus")
}

#[test]
fn every_case_of_the_corpus_gets_its_verdict() {
    let text = fs::read_to_string(corpus().join("expected.json")).unwrap();
    let cases: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let mut seen = 0;
    for (name, case) in cases.iter().filter(|(name, _)| name.starts_with("layout/")) {
        let wanted = match case["tag"].as_str() {
            Some(name) => Selector::Name(name.parse().unwrap()),
            None => Selector::Only,
        };
        let problems = match Layout::open(&corpus().join(name)) {
            Ok(layout) => validate(&layout, &wanted, &Limits::default()).unwrap(),
            Err(e) => vec![Problem::from_error(name, &e)],
        };
        assert_eq!(problems.is_empty(), case["expect"] == "accept", "{name}: {problems:#?}");
        seen += 1;
    }
    assert!(seen > 20, "the corpus is not there");
}

fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new());
    let entry = Entry {
        path: ImagePath::from_archive(name.as_bytes()).unwrap(),
        kind: EntryKind::File { size: content.len() as u64 },
        meta: Metadata::root(0o644, 0),
    };
    tar.append(&entry, &mut &*content).unwrap();
    tar.finish().unwrap()
}

fn pack(codec: Codec, plain: &[u8]) -> Vec<u8> {
    match codec {
        Codec::None => plain.to_vec(),
        Codec::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(plain).unwrap();
            out.finish().unwrap()
        }
        Codec::Zstd => zstd::bulk::compress(plain, 3).unwrap(),
    }
}

fn layer(codec: Codec, plain: &[u8]) -> Layer {
    let packed = pack(codec, plain);
    let (digest, diff_id) = (Digest::of(&packed), DiffId::new(Digest::of(plain)));
    Layer::stated(digest, packed.len() as u64, diff_id, codec, Arc::new(packed))
}

fn image(platform: &str, layers: Vec<Layer>) -> Image {
    let builder = ImageBuilder::new(platform.parse().unwrap(), 0);
    layers.into_iter().fold(builder, ImageBuilder::layer).finish().unwrap()
}

fn good(platform: &str) -> Image {
    let layers = [Codec::None, Codec::Gzip, Codec::Zstd].map(|codec| layer(codec, &tar(codec.as_str(), b"content")));
    image(platform, layers.into())
}

fn problems(image: &Image) -> Vec<Problem> {
    let store = Memory::new();
    let root = image.write_to(&store, &mut |_| {}).unwrap();
    store.tag(None, &root).unwrap();
    validate(&store, &Selector::Only, &Limits::default()).unwrap()
}

fn put(store: &dyn Store, media_type: &'static str, value: &Value) -> Descriptor {
    let bytes = crate::json::to_canonical(value);
    let descriptor = Descriptor::of(MediaType::known(media_type), &bytes);
    store.put(&descriptor, &mut bytes.as_slice()).unwrap();
    descriptor
}

#[test]
fn what_distil_writes_is_valid() {
    let store = Memory::new();
    let index = Index::new(vec![good("linux/amd64"), good("linux/arm/v6")], &BTreeMap::new()).unwrap();
    store.tag(None, &index.write_to(&store, &mut |_| {}).unwrap()).unwrap();
    assert_eq!(validate(&store, &Selector::Only, &Limits::default()).unwrap(), []);
}

#[test]
fn every_broken_blob_is_reported_and_none_hides_another() {
    let temp = TempDir::new().unwrap();
    let layout = Layout::create(&temp.path().join("l"), Duration::ZERO).unwrap();
    let image = good("linux/amd64");
    layout.tag(None, &image.write_to(&layout, &mut |_| {}).unwrap()).unwrap();
    for (i, layer) in image.layers().iter().enumerate() {
        let path = layout.blob_path(layer.digest());
        match i {
            0 => fs::remove_file(&path).unwrap(),
            1 => fs::File::options().append(true).open(&path).unwrap().write_all(b"x").unwrap(),
            _ => {
                let mut bytes = fs::read(&path).unwrap();
                bytes[12] ^= 1;
                fs::File::options().write(true).truncate(true).open(&path).unwrap().write_all(&bytes).unwrap();
            }
        }
    }
    let found = validate(&layout, &Selector::Only, &Limits::default()).unwrap();
    for (layer, problem) in image.layers().iter().zip([
        |p: &Problem| p.found == "nothing",
        |p: &Problem| p.found.starts_with("more: "),
        |p: &Problem| p.found.starts_with("sha256:"),
    ]) {
        let digest = layer.digest().to_string();
        assert!(found.iter().any(|p| p.at.ends_with(&digest) && problem(p)), "{digest} {found:#?}");
    }
}

#[test]
fn a_missing_manifest_is_a_problem() {
    let store = Memory::new();
    let wanted = Selector::Only;
    assert_eq!(validate(&store, &wanted, &Limits::default()).unwrap()[0].expected, "an image without a name");
    let root = good("linux/amd64").descriptor();
    store.tag(Some(&"a".parse().unwrap()), &root).unwrap();
    assert_eq!(validate(&store, &wanted, &Limits::default()).unwrap()[0].found, "nothing");
}

#[test]
fn a_layer_that_is_not_its_diff_id_is_found() {
    for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
        let packed = pack(codec, &tar("a", b"b"));
        let wrong = DiffId::new(Digest::of(b"other"));
        let layer = Layer::stated(Digest::of(&packed), packed.len() as u64, wrong.clone(), codec, Arc::new(packed));
        let found = problems(&image("linux/amd64", vec![layer]));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].expected, format!("diff id {wrong}"));
    }
}

#[test]
fn a_layer_that_is_no_tar_or_no_stream_is_found() {
    let check = |layer: Layer, expected: &str| {
        let found = problems(&image("linux/amd64", vec![layer]));
        assert!(found.len() == 1 && found[0].expected == expected, "{found:#?}");
    };
    check(layer(Codec::Gzip, b"not a tar"), "a tar with one meaning");
    check(layer(Codec::Zstd, b""), "a tar with one meaning");
    let garbage = |codec, bytes: &[u8]| {
        let diff_id = DiffId::new(Digest::of(b""));
        Layer::stated(Digest::of(bytes), bytes.len() as u64, diff_id, codec, Arc::new(bytes.to_vec()))
    };
    check(garbage(Codec::Gzip, b"not gzip"), "a whole gzip stream");
    check(garbage(Codec::Zstd, b"not zstd"), "a whole zstd stream");
    let mut cut = pack(Codec::Zstd, &tar("a", &[7; 3000]));
    cut.pop();
    check(garbage(Codec::Zstd, &cut), "a whole zstd stream");
}

#[test]
fn bounds_are_named_when_they_are_reached() {
    let store = Memory::new();
    let bomb = layer(Codec::Zstd, &tar("a", &vec![0; 1 << 20]));
    let root = image("linux/amd64", vec![bomb]).write_to(&store, &mut |_| {}).unwrap();
    store.tag(None, &root).unwrap();
    let bounded = |limits| validate(&store, &Selector::Only, &limits).unwrap();
    assert_eq!(bounded(Limits { bytes: 2 << 20, entries: 1 }), []);
    assert!(bounded(Limits { bytes: 1 << 20, entries: 1 })[0].found.contains("1048576"));
    assert_eq!(bounded(Limits { bytes: 2 << 20, entries: 0 })[0].expected, "a tar with one meaning");
}

#[test]
fn platforms_are_compared_with_the_configs_and_each_other() {
    let store = Memory::new();
    let (amd64, arm64) = (good("linux/amd64"), good("linux/arm64"));
    for image in [&amd64, &arm64] {
        image.write_to(&store, &mut |_| {}).unwrap();
    }
    let check = |entries: &[Descriptor], expected: &[&str]| {
        let index = IndexDocument::new(entries, &BTreeMap::new()).unwrap();
        store.put(index.descriptor(), &mut index.bytes()).unwrap();
        store.tag(None, index.descriptor()).unwrap();
        let found = validate(&store, &Selector::Only, &Limits::default()).unwrap();
        assert_eq!(found.iter().map(|p| p.expected.as_str()).collect::<Vec<_>>(), expected);
    };
    let platform = |text: &str| Some(text.parse().unwrap());
    let stated = |text| amd64.descriptor().with_platform(platform(text));
    check(&[amd64.descriptor(), arm64.descriptor()], &[]);
    check(&[stated("linux/arm64")], &["linux/arm64"]);
    check(&[stated("linux/amd64/v2")], &[]);
    check(&[amd64.descriptor(), amd64.descriptor()], &["one image for linux/amd64"]);
    check(&[amd64.descriptor(), amd64.descriptor().with_platform(None)], &["one image for linux/amd64"]);
}

#[test]
fn a_config_without_a_variant_fits_every_one() {
    let store = Memory::new();
    let image = good("linux/arm/v6");
    image.write_to(&store, &mut |_| {}).unwrap();
    let check = |variant: Option<&str>, expected: usize| {
        let mut config: Value = serde_json::from_slice(image.config().bytes()).unwrap();
        match variant {
            Some(variant) => config["variant"] = variant.into(),
            None => drop(config.as_object_mut().unwrap().remove("variant")),
        }
        let config = put(&store, MediaType::CONFIG, &config);
        let manifest = Manifest::new(&config, image.manifest().layers(), &BTreeMap::new()).unwrap();
        store.put(manifest.descriptor(), &mut manifest.bytes()).unwrap();
        let stated = manifest.descriptor().clone().with_platform(Some("linux/arm/v6".parse().unwrap()));
        let index = IndexDocument::new(&[stated], &BTreeMap::new()).unwrap();
        store.put(index.descriptor(), &mut index.bytes()).unwrap();
        store.tag(None, index.descriptor()).unwrap();
        let found = validate(&store, &Selector::Only, &Limits::default()).unwrap();
        assert_eq!(found.len(), expected, "{variant:?}: {found:#?}");
    };
    check(Some("v6"), 0);
    check(Some("v7"), 1);
    check(Some(""), 0);
    check(None, 0);
}

#[test]
fn statements_inside_an_index_are_no_images() {
    let store = Memory::new();
    let image = good("linux/amd64");
    image.write_to(&store, &mut |_| {}).unwrap();
    let config = put(&store, MediaType::CONFIG, &json!({"any": "thing"}));
    let statement = put(&store, MediaType::IN_TOTO, &json!({}));
    let check = |layer: Descriptor, platform: &str, valid: bool| {
        let manifest = Manifest::new(&config, &[layer], &BTreeMap::new()).unwrap();
        store.put(manifest.descriptor(), &mut manifest.bytes()).unwrap();
        let attestation = manifest.descriptor().clone().with_platform(Some(platform.parse().unwrap()));
        let index =
            IndexDocument::new(&[image.descriptor(), attestation.clone(), attestation], &BTreeMap::new()).unwrap();
        store.put(index.descriptor(), &mut index.bytes()).unwrap();
        store.tag(None, index.descriptor()).unwrap();
        let found = validate(&store, &Selector::Only, &Limits::default()).unwrap();
        assert_eq!(found.is_empty(), valid, "{found:#?}");
    };
    check(statement.clone(), "unknown/unknown", true);
    check(statement, "linux/arm64", true);
    check(put(&store, MediaType::SBOM_SPDX_JSON, &json!({"an": "sbom"})), "linux/arm64", true);
    check(Descriptor::of(MediaType::known(MediaType::IN_TOTO), b"missing"), "unknown/unknown", false);
    check(Descriptor::of("application/x".parse().unwrap(), b"{}"), "linux/arm64", false);
}

#[test]
fn a_broken_referrer_is_a_problem() {
    let store = Memory::new();
    let image = good("linux/amd64");
    store.tag(None, &image.write_to(&store, &mut |_| {}).unwrap()).unwrap();
    let empty = put(&store, MediaType::EMPTY, &json!({})).to_json();
    let missing = Descriptor::of(MediaType::known(MediaType::DSSE), b"missing").to_json();
    let document = json!({
        "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/x",
        "config": empty, "layers": [missing], "subject": image.descriptor().to_json(),
    });
    let referrer = put(&store, MediaType::MANIFEST, &document);
    store.tag(None, &referrer).unwrap();
    let found = validate(&store, &Selector::Only, &Limits::default()).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].at.starts_with(&format!("referrer {}", referrer.digest())));
}

#[test]
fn an_unknown_layer_type_is_never_an_empty_layer() {
    let store = Memory::new();
    let image = good("linux/amd64");
    image.write_to(&store, &mut |_| {}).unwrap();
    for (media_type, problem) in [
        ("application/vnd.oci.image.layer.v1.tar+lzma", true),
        (MediaType::LAYER_FOREIGN, true),
        (MediaType::DOCKER_LAYER, false),
    ] {
        let mut layers = image.manifest().layers().to_vec();
        layers[0] = Descriptor::new(media_type.parse().unwrap(), layers[0].digest().clone(), layers[0].size());
        let manifest = Manifest::new(image.manifest().config(), &layers, &BTreeMap::new()).unwrap();
        store.put(manifest.descriptor(), &mut manifest.bytes()).unwrap();
        store.tag(None, manifest.descriptor()).unwrap();
        let found = validate(&store, &Selector::Only, &Limits::default()).unwrap();
        assert_eq!(found.len(), usize::from(problem), "{found:#?}");
    }
}

#[test]
fn a_machine_that_fails_says_nothing_about_the_image() {
    #[derive(Debug)]
    struct Failing(Memory);
    impl Store for Failing {
        fn place(&self) -> String {
            "failing".into()
        }
        fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
            self.0.has(blob)
        }
        fn open(&self, blob: &Descriptor) -> Result<Box<dyn std::io::Read + Send>, Error> {
            if matches!(blob.kind(), MediaKind::Layer(_)) {
                struct Broken;
                impl std::io::Read for Broken {
                    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                        Err(std::io::ErrorKind::ConnectionReset.into())
                    }
                }
                return Ok(Box::new(Broken));
            }
            self.0.open(blob)
        }
        fn put(&self, blob: &Descriptor, content: &mut dyn std::io::Read) -> Result<(), Error> {
            self.0.put(blob, content)
        }
        fn tag(&self, name: Option<&crate::RefName>, root: &Descriptor) -> Result<(), Error> {
            self.0.tag(name, root)
        }
        fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
            self.0.resolve(wanted)
        }
        fn tags(&self) -> Result<Vec<crate::RefName>, Error> {
            self.0.tags()
        }
        fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
            self.0.referrers(subject)
        }
    }
    let store = Failing(Memory::new());
    store.tag(None, &good("linux/amd64").write_to(&store, &mut |_| {}).unwrap()).unwrap();
    let error = validate(&store, &Selector::Only, &Limits::default()).unwrap_err();
    assert!(error.is_io() && matches!(error, Error::Blob { .. }));
}

#[test]
fn all_frames_and_members_of_a_layer_are_read() {
    let plain = tar("a", &[9; 4000]);
    let (head, rest) = plain.split_at(1000);
    for codec in [Codec::Gzip, Codec::Zstd] {
        let packed = [pack(codec, head), pack(codec, rest)].concat();
        let mut whole = Vec::new();
        std::io::Read::read_to_end(&mut decompress(codec, packed.as_slice()).unwrap(), &mut whole).unwrap();
        assert_eq!(whole, plain);
        let diff_id = DiffId::new(Digest::of(&plain));
        let layer = Layer::stated(Digest::of(&packed), packed.len() as u64, diff_id, codec, Arc::new(packed));
        assert_eq!(problems(&image("linux/amd64", vec![layer])), []);
    }
}
