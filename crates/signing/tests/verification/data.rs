//! The files of the tests.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use distil_imgcore::compression::{Codec, decompress};
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{Descriptor, Digest, EntryKind, Layout, Selector, Store as _};
use distil_signing::key::PublicKey;
use distil_signing::verify::{Candidate, Requirements, Trust, TrustedRoot, gather};
use tempfile::TempDir;

/// A file of the vectors.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A public key of the vectors: `a`.
pub(crate) fn key(name: &str) -> PublicKey {
    PublicKey::from_pem(&vector(&format!("keys/{name}.pub"))).unwrap()
}

/// Asks for one signature by one of these keys.
pub(crate) fn by_keys(names: &[&str]) -> Requirements {
    Requirements::new(Trust::Keys(names.iter().map(|name| key(name)).collect()))
}

pub(crate) fn trusted_root(name: &str) -> TrustedRoot {
    TrustedRoot::from_json(&vector(name)).unwrap()
}

/// Where a layout of the vectors lies, unpacked.
pub(crate) fn layout(name: &str) -> PathBuf {
    static ALL: OnceLock<TempDir> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let temp = TempDir::new().unwrap();
        let packed = vector("layouts.tar.gz");
        let tar = decompress(Codec::Gzip, packed.as_slice()).unwrap();
        let mut tar = TarReader::new(tar, Dialect::Foreign, Limits::default());
        while let Some(entry) = tar.next_entry().unwrap() {
            if let EntryKind::File { .. } = entry.kind {
                let path = temp.path().join(entry.path.to_string().trim_start_matches('/'));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let mut bytes = Vec::new();
                tar.read_to_end(&mut bytes).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
        temp
    });
    let path = all.path().join("layouts").join(name);
    assert!(path.is_dir(), "{name} is no layout of the vectors");
    path
}

/// What may be a signature of an image of a layout.
pub(crate) fn candidates(layout: &Path, image: &Digest) -> Result<Vec<Candidate>, distil_imgcore::Error> {
    let layout = Layout::open(layout)?;
    let descriptor: Descriptor = layout.resolve(&Selector::Digest(image.clone()))?;
    gather(&layout, &descriptor)
}
