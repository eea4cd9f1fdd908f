//! The canonical form of a document is one that reads the same and stays as it is; a manifest or index written from what
//! was read says the same.

#![no_main]

use distil_imgcore::document::MAX_DOCUMENT;
use distil_imgcore::{Config, IndexDocument, Manifest, MediaType, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(value) = json::parse(input, MAX_DOCUMENT) {
        let canonical = json::to_canonical(&value);
        let again = json::parse(&canonical, usize::MAX).expect("the canonical form is JSON with one meaning");
        assert_eq!(value, again);
        assert_eq!(canonical, json::to_canonical(&again));
    }
    let media_type = |text: &str| text.parse::<MediaType>().expect("a constant is a media type");
    let digest = format!("sha256:{}", "0".repeat(64));
    let blob = format!(r#"{{"mediaType":"application/x","digest":"{digest}","size":1}}"#);
    let text = String::from_utf8_lossy(input);
    // What every manifest and index has is no find.
    for document in [
        text.to_string(),
        format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[{blob}],{text}}}"#),
        format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[{{"digest":"{digest}",{text}}}]}}"#),
        format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}",{text}}}]}}"#),
    ] {
        check_manifest(&document, &media_type(MediaType::MANIFEST));
        check_index(&document, &media_type(MediaType::INDEX));
        if let Ok(config) = Config::parse(document.clone().into_bytes()) {
            assert_eq!(config.bytes(), document.as_bytes());
        }
    }
});

fn check_manifest(document: &str, media_type: &MediaType) {
    let Ok(manifest) = Manifest::parse(document.as_bytes().to_vec(), media_type) else { return };
    assert_eq!(manifest.bytes(), document.as_bytes());
    assert_eq!(manifest.descriptor().size(), document.len() as u64);
    let written = Manifest::new(manifest.config(), manifest.layers(), manifest.annotations());
    let Ok(again) = written else { return };
    assert_eq!(again.config(), manifest.config());
    assert_eq!(again.layers(), manifest.layers());
    assert_eq!(again.annotations(), manifest.annotations());
    assert_eq!(json::to_canonical(&json::parse(again.bytes(), usize::MAX).expect("ours is JSON")), again.bytes());
}

fn check_index(document: &str, media_type: &MediaType) {
    let Ok(index) = IndexDocument::parse(document.as_bytes().to_vec(), media_type) else { return };
    assert_eq!(index.bytes(), document.as_bytes());
    let Ok(again) = IndexDocument::new(index.manifests(), index.annotations()) else { return };
    assert_eq!(again.manifests(), index.manifests());
    assert_eq!(again.annotations(), index.annotations());
}
