//! The same questions to another client: the crate `oci-client`.

use distil_tests::lying_registry::LyingRegistry;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client as Peer, Reference};
use tokio::runtime::{Builder, Runtime};

use super::*;

fn peer() -> (Runtime, Peer) {
    // Wanted for the TLS that is not spoken here. Another test may have been first.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    (Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(), Peer::new(config))
}

#[test]
fn what_is_pushed_here_is_pulled_there() {
    let registry = Registry::start();
    let repository = open(&registry.repository("app"));
    let image = manifest(&repository);
    let large = content(3 << 20);
    let blob = put(&repository, MediaType::LAYER, &large);
    repository.tag(Some(&"v1".parse().unwrap()), &image).unwrap();
    let statement = referrer(&repository, &image, "application/a");
    repository.tag(None, &statement).unwrap();

    let (runtime, peer) = peer();
    let named: Reference = registry.repository("app:v1").parse().unwrap();
    let pinned: Reference = registry.repository(&format!("app@{}", image.digest())).parse().unwrap();
    let auth = RegistryAuth::Anonymous;
    let pulled = runtime.block_on(peer.pull(&named, &auth, vec![MediaType::LAYER])).unwrap();
    assert_eq!(pulled.digest.unwrap(), image.digest().to_string());
    assert_eq!((&pulled.config.data[..], &pulled.layers[0].data[..]), (&b"config"[..], &b"layer"[..]));
    let mut bytes = Vec::new();
    runtime.block_on(peer.pull_blob(&named, blob.digest().to_string().as_str(), &mut bytes)).unwrap();
    assert_eq!(bytes, large);
    let mut tags = runtime.block_on(peer.list_tags(&named, &auth, None, None)).unwrap().tags;
    tags.sort();
    let own: Vec<_> = repository.tags().unwrap().iter().map(RefName::to_string).collect();
    assert_eq!(tags, own);
    // Found under the tag, since this registry keeps no list.
    let referrers = runtime.block_on(peer.pull_referrers(&pinned, None)).unwrap();
    assert_eq!(referrers.manifests[0].digest, statement.digest().to_string());
    assert_eq!(referrers.manifests[0].artifact_type.as_deref(), Some("application/a"));
}

#[test]
fn what_is_pushed_there_is_pulled_here() {
    let registry = LyingRegistry::empty();
    let named: Reference = registry.repository("app:v1").parse().unwrap();
    let bytes = content(5 << 20);
    let layers = [ImageLayer::oci_v1(bytes.clone(), None)];
    let config = Config::oci_v1(b"{}".to_vec(), None);
    let (runtime, peer) = peer();
    runtime.block_on(peer.push(&named, &layers, config, &RegistryAuth::Anonymous, None)).unwrap();

    let repository = open(&registry.repository("app"));
    let found = repository.resolve(&name("v1")).unwrap();
    let theirs = runtime.block_on(peer.fetch_manifest_digest(&named, &RegistryAuth::Anonymous)).unwrap();
    assert_eq!(found.digest().to_string(), theirs);
    let Document::Manifest(manifest) = (&repository as &dyn Store).document(&found).unwrap() else {
        panic!("an index")
    };
    assert_eq!(read(&repository, &manifest.layers()[0]).unwrap(), bytes);
}
