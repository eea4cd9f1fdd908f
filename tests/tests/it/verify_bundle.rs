//! `distil verify-bundle` speaks sigstore's client protocol: all cases of sigstore-conformance, each with the file and with its
//! digest.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::apt::sha256;
use distil_tests::{Program, place};

/// Who signed the cases that do not say so.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn assets() -> PathBuf {
    place::root().join("crates/signing/tests/data/conformance")
}

fn first(preferred: PathBuf, otherwise: PathBuf) -> PathBuf {
    if preferred.exists() { preferred } else { otherwise }
}

/// The arguments of a case, in the order that the protocol has; `root` leaves the trusted root to the client where the case has
/// none, as the suite itself does.
fn arguments(case: &Path, root: bool) -> Vec<String> {
    let text = |name: &str, otherwise: &str| {
        fs::read_to_string(case.join(name)).map_or(otherwise.to_owned(), |text| text.trim().to_owned())
    };
    let shown = |path: &Path| path.to_str().unwrap().to_owned();
    let mut words = vec!["verify-bundle".to_owned(), "--bundle".into(), shown(&case.join("bundle.sigstore.json"))];
    let key = case.join("key.pub");
    if key.exists() {
        words.extend(["--key".into(), shown(&key)]);
    } else {
        words.extend(["--certificate-identity".into(), text("identity", IDENTITY)]);
        words.extend(["--certificate-oidc-issuer".into(), text("issuer", ISSUER)]);
    }
    let own = case.join("trusted_root.json");
    if root || own.exists() {
        let trusted = first(own, assets().join("public-good-trusted-root.json"));
        words.extend(["--trusted-root".into(), shown(&trusted)]);
    }
    words
}

#[test]
fn every_case_has_its_answer() {
    let all = assets().join("bundle-verify");
    let mut cases: Vec<PathBuf> = fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    let (mut checks, mut wrong) = (0, Vec::new());
    for case in &cases {
        let artifact = first(case.join("artifact"), all.join("a.txt"));
        let digest = format!("sha256:{}", sha256(&fs::read(&artifact).unwrap()));
        let expected = !case.to_str().unwrap().ends_with("_fail");
        for subject in [artifact.to_str().unwrap(), &digest] {
            for root in [true, false] {
                let ran = Program::distil_within(60.0).args(arguments(case, root)).arg(subject).run();
                // A client that broke has refused nothing.
                let right = if expected { ran.code() == 0 } else { [1, 2, 3, 4].contains(&ran.code()) };
                if !right {
                    wrong.push(format!("{} {subject}: {ran}", case.display()));
                }
                checks += usize::from(root);
            }
        }
    }
    assert_eq!(checks, 140);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
