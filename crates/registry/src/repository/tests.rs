mod attempts;
mod breaks;
mod lies;
mod mounts;
mod peer;
mod referrers;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use distil_imgcore::json::to_canonical;
use distil_imgcore::{Document, IndexDocument, Manifest, MediaType};
use distil_net::{ClientOptions, Retry, Roots, Unwatched};
use distil_tests::Registry;
use distil_tests::authority::Authority;
use serde_json::json;

use super::*;
use crate::keychain::NoKeychain;

/// Retries come at once.
static CLIENT: LazyLock<Arc<Client>> = LazyLock::new(|| {
    client(Retry { first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(5), ..Retry::default() })
});

/// There is an authority, so that a connection that breaks is not one for want of it.
fn client(retry: Retry) -> Arc<Client> {
    let authority = Authority::new();
    let roots = Roots::none().and_pem("authority", &std::fs::read(authority.certificate()).unwrap()).unwrap();
    Arc::new(Client::new(ClientOptions { roots, retry, ..ClientOptions::default() }).unwrap())
}

fn options(client: &Arc<Client>) -> Options {
    Options {
        client: Arc::clone(client),
        keychain: Arc::new(NoKeychain),
        insecure_http: false,
        token_servers: Vec::new(),
        watch: Arc::new(Unwatched),
    }
}

fn open(name: &str) -> Repository {
    Repository::open(&name.parse().unwrap(), &options(&CLIENT)).unwrap()
}

fn name(text: &str) -> Selector {
    Selector::Name(text.parse().unwrap())
}

fn layer(bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::LAYER.parse().unwrap(), bytes)
}

fn put(store: &dyn Store, media_type: &'static str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::of(media_type.parse().unwrap(), bytes);
    store.put(&descriptor, &mut &*bytes).unwrap();
    descriptor
}

fn manifest(store: &dyn Store) -> Descriptor {
    let config = put(store, MediaType::CONFIG, b"config");
    let layer = put(store, MediaType::LAYER, b"layer");
    put(store, MediaType::MANIFEST, Manifest::new(&config, &[layer], &BTreeMap::new()).unwrap().bytes())
}

/// Something about an image, not yet findable.
fn referrer(store: &dyn Store, subject: &Descriptor, artifact_type: &str) -> Descriptor {
    let empty = put(store, MediaType::EMPTY, b"{}").to_json();
    let document = json!({
        "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": artifact_type,
        "config": empty, "layers": [empty], "subject": subject.bare().to_json(), "annotations": {"a": artifact_type},
    });
    put(store, MediaType::MANIFEST, &to_canonical(&document))
}

fn read(store: &dyn Store, blob: &Descriptor) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store.open(blob).map_err(std::io::Error::other)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes of which no two parts are alike.
fn content(size: u32) -> Vec<u8> {
    (0..size.div_ceil(4)).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).take(size as usize).collect()
}

#[test]
fn an_image_goes_there_and_comes_back() {
    let registry = Registry::start();
    let repository = open(&registry.repository("team/app"));
    assert!(repository.resolve(&Selector::Only).unwrap_err().is_not_found());
    assert!(repository.tags().unwrap_err().is_not_found());

    let image = manifest(&repository);
    let index = IndexDocument::new(std::slice::from_ref(&image), &BTreeMap::new()).unwrap();
    let root = put(&repository, MediaType::INDEX, index.bytes());
    repository.tag(Some(&"latest".parse().unwrap()), &root).unwrap();
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();

    let other = open(&registry.repository("team/app"));
    assert_eq!(other.resolve(&Selector::Only).unwrap(), root);
    assert_eq!(other.resolve(&name("v1")).unwrap(), image);
    assert_eq!(other.resolve(&Selector::Digest(image.digest().clone())).unwrap(), image);
    assert_eq!(other.tags().unwrap(), ["latest".parse().unwrap(), "v1".parse().unwrap()]);
    let document = (&other as &dyn Store).document(&image).unwrap();
    let Document::Manifest(document) = document else { panic!("{document:?}") };
    assert_eq!(read(&other, &document.layers()[0]).unwrap(), b"layer");
    for blob in [document.config(), &document.layers()[0], &image, &root] {
        assert!(other.has(blob).unwrap());
    }
}
