//! sigstore's conformance cases, each with the file and with its digest.

use std::fs;
use std::path::{Path, PathBuf};

use distil_imgcore::Digest;
use distil_signing::key::PublicKey;
use distil_signing::verify::{self, Artifact, Identity, Pattern, Requirements, Trust, TrustedRoot};

/// Who signed the cases that do not say so.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn there(path: PathBuf, otherwise: PathBuf) -> Vec<u8> {
    fs::read(if path.exists() { path } else { otherwise }).unwrap()
}

/// As a client: nothing of it may be fatal, and whatever cannot be read is a refusal.
fn accepts(case: &Path, root: &Path, artifact: &Artifact<'_>) -> Result<bool, String> {
    let text = |name: &str, otherwise: &str| {
        fs::read_to_string(case.join(name)).map_or(otherwise.to_owned(), |text| text.trim().to_owned())
    };
    let trust = match fs::read(case.join("key.pub")) {
        Ok(pem) => Trust::Keys(vec![PublicKey::from_pem(&pem).map_err(|error| error.to_string())?]),
        Err(_) => Trust::Identity(Identity::new(
            Pattern::exact(&text("identity", IDENTITY)).unwrap(),
            Pattern::exact(&text("issuer", ISSUER)).unwrap(),
        )),
    };
    let mut wanted = Requirements::new(trust);
    wanted.require_tlog = true;
    let root = there(case.join("trusted_root.json"), root.to_owned());
    wanted.trusted_root = Some(TrustedRoot::from_json(&root).map_err(|error| error.to_string())?);
    let bundle = fs::read(case.join("bundle.sigstore.json")).unwrap();
    let report = verify::bundle(artifact, "the bundle", bundle, &wanted);
    if report.is_verified() { Ok(true) } else { Err(serde_json::to_string(&report).unwrap()) }
}

#[test]
fn every_case_has_its_answer() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance");
    let root = assets.join("public-good-trusted-root.json");
    let assets = assets.join("bundle-verify");
    let mut checks = 0;
    let mut wrong = Vec::new();
    for case in fs::read_dir(&assets).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let artifact = there(case.join("artifact"), assets.join("a.txt"));
        let expected = !case.to_string_lossy().ends_with("_fail");
        for artifact in [Artifact::Bytes(&artifact), Artifact::Digest(Digest::of(&artifact))] {
            checks += 1;
            let found = accepts(&case, &root, &artifact);
            if found.is_ok() != expected {
                wrong.push(format!("{}: {found:?}", case.display()));
            }
        }
    }
    assert_eq!(checks, 140);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
