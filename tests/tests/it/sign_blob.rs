//! `distil sign-blob` and `verify-blob`: both cosigns verify what was signed here, and what they signed is verified here.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};

use crate::cosign::{BOTH, cosign, offline};
use crate::registry_image::program;

/// The kinds of keys that all sides sign and verify with.
const KEYS: [&str; 3] = ["p256", "rsa", "ed25519"];

fn distil(folder: &Path, words: &[&str]) -> Ran {
    program(folder, words).env("COSIGN_PASSWORD", "").run()
}

/// A folder with a pair of keys of each kind, two files, and a trusted root that trusts nobody.
fn prepared() -> (tempfile::TempDir, std::path::PathBuf) {
    let (guard, folder) = folder();
    let _made = distil(&folder, &["key", "generate", "--output-key-prefix", "p256"]).success();
    for (name, words) in [
        ("rsa", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa.pem"][..]),
        ("ed25519", &["genpkey", "-algorithm", "ED25519", "-out", "ed25519.pem"]),
    ] {
        let _made = distil_tests::Program::new("openssl").args(words).current_dir(&folder).run().success();
        let pem = format!("{name}.pem");
        let _imported = distil(&folder, &["key", "import", "--key", &pem, "--output-key-prefix", name]).success();
    }
    let _made = distil(&folder, &["key", "generate", "--output-key-prefix", "other"]).success();
    fs::write(folder.join("file"), "what is signed\n").unwrap();
    fs::write(folder.join("changed"), "what is signed\r\n").unwrap();
    let root = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
    fs::write(folder.join("root.json"), root).unwrap();
    (guard, folder)
}

/// Verifies the signature of a file with a version of cosign.
fn cosign_verifies(folder: &Path, version: &str, key: &str, signature: &[&str], file: &str) -> Ran {
    let more: &[&str] = match (version, signature) {
        ("cosign2", ["--bundle", name]) if name.ends_with(".sigstore.json") => {
            &["--new-bundle-format", "--trusted-root", "root.json"]
        }
        _ => &[],
    };
    let public = format!("{key}.pub");
    let common = ["verify-blob", "--insecure-ignore-tlog=true", "--key", &public];
    cosign(folder, version, &[&common, more, signature, &[file]].concat())
}

#[test]
fn both_cosigns_verify_what_was_signed_here() {
    let (_guard, folder) = prepared();
    for key in KEYS {
        let private = format!("{key}.key");
        let sign =
            |words: &[&str]| distil(&folder, &[&["sign-blob", "file", "--key", &private], words].concat()).success();
        let printed = sign(&[]);
        assert!(printed.text().ends_with('\n'), "{printed}");
        let silent = sign(&["--output-signature", "a.sig", "--bundle", "a.sigstore.json"]);
        assert!(silent.stdout.is_empty(), "{silent}");
        let _legacy = sign(&["--bundle", "a.bundle", "--format", "legacy"]);
        let signature = fs::read_to_string(folder.join("a.sig")).unwrap();
        assert_eq!(printed.text(), format!("{signature}\n"));
        assert_eq!(
            fs::read_to_string(folder.join("a.bundle")).unwrap(),
            format!("{{\"base64Signature\":\"{signature}\"}}")
        );
        let document = sign(&["--json", "--bundle", "a.sigstore.json"]).json();
        assert_eq!((&document["signature"], &document["bundle"]), (&signature.into(), &"a.sigstore.json".into()));
        assert_eq!(document["schema"], "distil.signed-blob/v1");
        for version in BOTH {
            for form in [["--signature", "a.sig"], ["--bundle", "a.bundle"], ["--bundle", "a.sigstore.json"]] {
                let _verified = cosign_verifies(&folder, version, key, &form, "file").success();
                assert_ne!(cosign_verifies(&folder, version, key, &form, "changed").code(), 0, "{version} {form:?}");
                assert_ne!(cosign_verifies(&folder, version, "other", &form, "file").code(), 0, "{version} {form:?}");
            }
        }
    }
}

#[test]
fn standard_input_is_signed() {
    let (_guard, folder) = prepared();
    let run = |words: &[&str], input: &str| {
        program(&folder, words).env("COSIGN_PASSWORD", "").input(input.as_bytes().to_vec()).run()
    };
    let sign = ["sign-blob", "-", "--key", "p256.key"];
    let of_file = distil(&folder, &["sign-blob", "file", "--key", "p256.key"]).success().text();
    assert_eq!(run(&sign, "what is signed\n").success().text(), of_file);
    let bundle = run(&[&sign[..], &["--bundle", "/dev/stdout"]].concat(), "what is signed\n").success();
    assert!(bundle.json()["messageSignature"].is_object(), "{bundle}");
}

#[test]
fn a_wrong_command_line_writes_nothing() {
    let (_guard, folder) = prepared();
    for (words, status, said) in [
        (&["sign-blob", "file"][..], 2, "--key"),
        (&["sign-blob", "file", "--key", "p256.pub"], 2, "public half"),
        (&["sign-blob", "none", "--key", "p256.key", "--bundle", "new"], 4, "none"),
        (&["sign-blob", "file", "--key", "none.key", "--bundle", "new"], 4, "none.key"),
        (&["sign-blob", "file", "--key", "p256.key", "--format", "legacy"], 2, "--bundle"),
        (&["sign-blob", "file", "--key", "p256.key", "--bundle", "/proc/x/new"], 4, "/proc/x/new"),
    ] {
        let ran = distil(&folder, words).exits(status);
        assert!(ran.errors().contains(said) && ran.stdout.is_empty(), "{words:?}: {ran}");
    }
    assert!(!folder.join("new").exists());
}

/// Signs a file with a version of cosign, in each form that it writes.
fn cosign_signs(folder: &Path, version: &str, key: &str) -> [[&'static str; 2]; 3] {
    let private = format!("{key}.key");
    let sign = |words: &[&str]| {
        let about = ["--key", &private, "file"];
        let _signed = cosign(folder, version, &[&["sign-blob"], offline(version), words, &about].concat()).success();
    };
    let (legacy, new): (&[&str], &[&str]) = match version {
        "cosign2" => (&[], &["--new-bundle-format"]),
        _ => (&["--new-bundle-format=false"], &[]),
    };
    sign(&[legacy, &["--output-signature", "theirs.sig"]].concat());
    sign(&[legacy, &["--bundle", "theirs.bundle"]].concat());
    sign(&[new, &["--bundle", "theirs.sigstore.json"]].concat());
    [["--signature", "theirs.sig"], ["--bundle", "theirs.bundle"], ["--bundle", "theirs.sigstore.json"]]
}

#[test]
fn what_both_cosigns_signed_is_verified_here() {
    let (_guard, folder) = prepared();
    for version in BOTH {
        for key in KEYS {
            let (public, other) = (format!("{key}.pub"), "other.pub");
            for form in cosign_signs(&folder, version, key) {
                let verify = |file: &str, key: &str| {
                    distil(&folder, &[&["verify-blob", "--json", file, "--key", key], &form[..]].concat())
                };
                let verified = verify("file", &public).success().json();
                assert_eq!((&verified["verified"], &verified["schema"]), (&true.into(), &"distil.verify/v1".into()));
                assert_eq!(verified["signatures"][0]["verified"], true, "{verified}");
                for refused in [verify("changed", &public), verify("file", other)] {
                    let refused = refused.exits(1);
                    assert_eq!(refused.json()["verified"], false, "{version} {key} {form:?}");
                    assert!(refused.errors().contains("signer"), "{refused}");
                }
            }
        }
    }
}

#[test]
fn a_statement_about_a_file_is_no_signature_of_it() {
    let (_guard, folder) = prepared();
    fs::write(folder.join("predicate.json"), "{\"answer\":42}").unwrap();
    let about = ["--key", "p256.key", "--type", "https://example.org/answer", "--predicate", "predicate.json"];
    let words = [&["attest-blob"], offline("cosign3"), &about, &["--bundle", "statement.json", "file"]].concat();
    let _attested = cosign(&folder, "cosign3", &words).success();
    let refused = distil(&folder, &["verify-blob", "file", "--key", "p256.pub", "--bundle", "statement.json"]).exits(1);
    assert!(refused.errors().contains("type") && refused.stdout.is_empty(), "{refused}");
}

#[test]
fn questions_about_a_file_have_their_statuses() {
    let (_guard, folder) = prepared();
    let _signed = distil(&folder, &["sign-blob", "file", "--key", "p256.key", "--output-signature", "a.sig"]).success();
    let said = distil(&folder, &["verify-blob", "file", "--key", "p256.pub", "--signature", "a.sig"]).success();
    assert!(said.text().starts_with("sha256:"), "{said}");
    for (words, status) in [
        (&["--key", "p256.pub"][..], 2),
        (&["--signature", "a.sig"], 2),
        (&["--signature", "a.sig", "--bundle", "a.sig", "--key", "p256.pub"], 2),
        (&["--signature", "a.sig", "--key", "p256.key"], 2),
        (&["--signature", "none", "--key", "p256.pub"], 4),
        (&["--signature", "a.sig", "--key", "p256.pub", "--trusted-root", "none"], 3),
        (&["--signature", "a.sig", "--key", "p256.pub", "--require-tlog"], 1),
        (&["--bundle", "file", "--key", "p256.pub"], 1),
    ] {
        let ran = distil(&folder, &[&["verify-blob", "file"], words].concat()).exits(status);
        assert!(ran.stdout.is_empty(), "{ran}");
    }
}
