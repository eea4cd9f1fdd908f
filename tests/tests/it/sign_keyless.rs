//! Signing without a key that is kept, with services on loopback: both cosigns and sigstore's own client in Python verify what
//! comes of it, and where a service is wrong nothing is written.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::{Ran, folder};
use distil_tests::sigstore::{Fault, IDENTITY, ISSUER, token};
use distil_tests::{Program, Registry, Sigstore};
use serde_json::json;

use crate::cosign::BOTH;
use crate::registry_image::{copied, image, own, program};
use crate::sign_image::{beside, bundles, repository};

const PREDICATE: &str = "{\"answer\":42}";
const TYPE: &str = "https://example.org/answer";

/// A folder with a token, a file and a predicate.
fn prepared(stack: &Sigstore) -> (tempfile::TempDir, PathBuf) {
    let (guard, folder) = folder();
    fs::write(folder.join("token"), stack.token() + "\n").unwrap();
    fs::write(folder.join("file"), "what is signed\n").unwrap();
    fs::write(folder.join("changed"), "what is signed\r\n").unwrap();
    fs::write(folder.join("predicate.json"), PREDICATE).unwrap();
    (guard, folder)
}

/// Signs with these services, without a variable that has a token.
fn distil(folder: &Path, stack: &Sigstore, words: &[&str]) -> Program {
    let url = stack.url();
    let services = ["--fulcio-url", &url, "--rekor-url", &url];
    program(folder, &[words, &services].concat()).env("SIGSTORE_ID_TOKEN", "")
}

/// The same with the token in its file, and a trusted root.
fn signs(folder: &Path, stack: &Sigstore, words: &[&str]) -> Ran {
    let root = stack.file("trusted_root.json");
    let with = ["--identity-token", "token", "--trusted-root", root.to_str().unwrap()];
    distil(folder, stack, &[words, &with].concat()).run()
}

/// Asks a cosign for a signature of whom the certificates name.
fn cosign(folder: &Path, stack: &Sigstore, version: &str, words: &[&str]) -> Ran {
    let by = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER];
    let root = stack.file("trusted_root.json");
    let new = words.iter().any(|word| word.ends_with(".sigstore.json"));
    let old = words.iter().any(|word| word.ends_with(".bundle"));
    let trust = match version {
        "cosign2" if new => vec!["--new-bundle-format", "--trusted-root", root.to_str().unwrap()],
        "cosign3" if !old => vec!["--trusted-root", root.to_str().unwrap()],
        _ => vec!["--offline"],
    };
    own(Program::new(version).arg(words[0]).args(by).args(trust).args(&words[1..]), folder)
        .env("SIGSTORE_ROOT_FILE", stack.file("fulcio.pem"))
        .env("SIGSTORE_REKOR_PUBLIC_KEY", stack.file("rekor.pub"))
        .env("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", stack.file("ctlog.pub"))
        .run()
}

/// Asks distil itself.
fn verifies(folder: &Path, stack: &Sigstore, words: &[&str]) -> Ran {
    let root = stack.file("trusted_root.json");
    let by = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER];
    program(folder, &[words, &by, &["--json", "--trusted-root", root.to_str().unwrap()]].concat()).run()
}

#[test]
fn everybody_verifies_images() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let registry = Registry::start();
    for form in ["legacy", "bundle", "both"] {
        let name = registry.repository(&format!("keyless/{form}:v1"));
        let digest = copied(&image().reference(), &name);
        let pinned = format!("{}@{digest}", repository(&name));
        let signed = signs(&folder, &stack, &["sign", "--json", &name, "--format", form, "-a", "release=1"]).success();
        let document = signed.json();
        assert_eq!((&document["identity"], &document["issuer"]), (&IDENTITY.into(), &ISSUER.into()));
        let attest = ["attest", &name, "--format", form, "--type", TYPE, "--predicate", "predicate.json"];
        let _attested = signs(&folder, &stack, &attest).success();

        let verified = verifies(&folder, &stack, &["verify", &pinned, "-a", "release=1"]).success().json();
        let all = verified["signatures"].as_array().unwrap();
        let good = all.iter().filter(|one| one["verified"] == true && one["identity"] == IDENTITY).count();
        assert_eq!(good, if form == "both" { 2 } else { 1 }, "{verified}");
        let statement = ["verify-attestation", &pinned, "--type", TYPE];
        let _verified = verifies(&folder, &stack, &statement).success();

        for version in BOTH {
            let reads = version == "cosign3" || form != "bundle";
            for words in [&["verify", "-a", "release=1", &pinned][..], &["verify-attestation", "--type", TYPE, &pinned]]
            {
                let ran = cosign(&folder, &stack, version, words);
                assert_eq!(ran.status.success(), reads, "{form}: {ran}");
            }
            let other = cosign(&folder, &stack, version, &["verify", "-a", "release=2", &pinned]);
            assert_ne!(other.code(), 0, "{form}: {other}");
        }
    }
}

#[test]
fn everybody_verifies_files() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let sign = |words: &[&str]| signs(&folder, &stack, &[&["sign-blob", "file"], words].concat());
    let made = sign(&["--json", "--bundle", "a.sigstore.json"]).success().json();
    assert_eq!((&made["identity"], &made["issuer"]), (&IDENTITY.into(), &ISSUER.into()));
    let _legacy = sign(&["--bundle", "a.bundle", "--format", "legacy"]).success();
    for bundle in ["a.sigstore.json", "a.bundle"] {
        let verify = |file: &str| verifies(&folder, &stack, &["verify-blob", file, "--bundle", bundle]);
        let _verified = verify("file").success();
        let _changed = verify("changed").exits(1);
        for version in BOTH {
            let verify = |file: &str| cosign(&folder, &stack, version, &["verify-blob", "--bundle", bundle, file]);
            let _verified = verify("file").success();
            assert_ne!(verify("changed").code(), 0, "{version} {bundle}");
        }
    }
    for (file, status) in [("file", 0), ("changed", 1)] {
        let words = ["verify", "identity", "--offline", "--bundle", "a.sigstore.json", "--cert-identity", IDENTITY];
        let python = Program::new("sigstore").arg("--trust-config").arg(stack.file("trust_config.json")).args(words);
        let _ran = own(python.args(["--cert-oidc-issuer", ISSUER, file]), &folder).run().exits(status);
    }
}

#[test]
fn timestamps_are_over_what_each_form_wants() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let registry = Registry::start();
    let name = registry.repository("keyless/stamped:v1");
    let digest = copied(&image().reference(), &name);
    let pinned = format!("{}@{digest}", repository(&name));
    let url = stack.stamps_url();
    let stamped = ["--timestamp-url", &url];
    let _signed = signs(&folder, &stack, &[&["sign", &name], &stamped[..]].concat()).success();
    let attest = ["attest", &name, "--type", TYPE, "--predicate", "predicate.json"];
    let _attested = signs(&folder, &stack, &[&attest, &stamped[..]].concat()).success();
    let sign = ["sign-blob", "file", "--bundle", "a.sigstore.json"];
    let _signed = signs(&folder, &stack, &[&sign, &stamped[..]].concat()).success();
    for words in [
        &["verify", &pinned][..],
        &["verify-attestation", "--type", TYPE, &pinned],
        &["verify-blob", "file", "--bundle", "a.sigstore.json"],
    ] {
        let verified = verifies(&folder, &stack, &[words, &["--use-signed-timestamps"]].concat()).success().json();
        let all = verified["signatures"].as_array().unwrap();
        assert!(all.iter().filter(|one| one["verified"] == true).count() >= all.len().min(2), "{verified}");
        let chain = stack.file("tsa.pem");
        let chain = ["--timestamp-certificate-chain", chain.to_str().unwrap()];
        let words =
            if words[0] == "verify-blob" { &["verify-blob", "--bundle", "a.sigstore.json", "file"] } else { words };
        for (version, more) in [("cosign2", &chain[..]), ("cosign3", &["--use-signed-timestamps"])] {
            let more =
                if version == "cosign2" && words[0] == "verify-blob" { &["--use-signed-timestamps"] } else { more };
            let _verified = cosign(&folder, &stack, version, &[words, more].concat()).success();
        }
    }
    stack.fail(Some(Fault::NoStamp));
    let refused = signs(&folder, &stack, &[&["sign-blob", "file", "--bundle", "new"], &stamped[..]].concat()).exits(4);
    assert!(refused.errors().contains("nobody stamped the signature"), "{refused}");
    assert!(!folder.join("new").exists());
}

#[test]
fn where_a_service_is_wrong_nothing_is_written() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let token = stack.token();
    fs::write(folder.join("token"), &token).unwrap();
    let registry = Registry::start();
    let name = registry.repository("keyless/wrong:v1");
    let digest = copied(&image().reference(), &name);
    let before = bundles(repository(&name), &digest);
    let (legacy, bundle) = (["--format", "legacy"], ["--format", "bundle"]);
    for (fault, form, status, said) in [
        (Fault::Refused, legacy, 4, "401: There was an error processing the identity token"),
        (Fault::OtherKey, legacy, 4, "the certificate is for another key"),
        (Fault::BadSct, legacy, 1, "by the trusted root the signature would be refused: signer"),
        (Fault::BadSct, bundle, 1, "by the trusted root the signature would be refused: signer"),
        (Fault::OtherDigest, legacy, 4, "the log entry is about another digest"),
        (Fault::OtherDigest, bundle, 4, "the log entry is about another statement"),
        (Fault::OtherSignature, legacy, 4, "the log entry is about another signature"),
        (Fault::NoPromise, bundle, 4, "the log entry has no signed entry timestamp"),
        (Fault::OtherLog, legacy, 1, "by the trusted root the signature would be refused: log"),
        (Fault::OtherLog, bundle, 1, "by the trusted root the signature would be refused: log"),
        (Fault::Late, bundle, 4, "the certificate is not valid then"),
        (Fault::Nonsense, legacy, 4, "the answer has no single meaning"),
        (Fault::Broken, bundle, 4, "status 503"),
    ] {
        stack.fail(Some(fault));
        let refused = signs(&folder, &stack, &[&["sign", &name], &form[..]].concat()).exits(status);
        let errors = refused.errors();
        assert!(errors.contains(said) && !errors.contains(&token), "{fault:?} {form:?}: {refused}");
        if form == legacy {
            let refused = signs(&folder, &stack, &["sign-blob", "file", "--bundle", "new"]).exits(status);
            assert!(refused.errors().contains(said) && !folder.join("new").exists(), "{fault:?}: {refused}");
        }
    }
    assert_eq!(bundles(repository(&name), &digest), before);
    let tag = beside(repository(&name), &digest, "sig");
    assert_ne!(Program::new("crane").args(["manifest", &tag]).run().code(), 0);
    // Only the certificate authority was told the token.
    for asked in stack.asked() {
        let told = String::from_utf8_lossy(&asked.body).contains(&token);
        assert_eq!(told, asked.path() == "/api/v2/signingCert", "{asked:?}");
    }
}

/// What a trusted root is for: without one, nobody can tell a log from another.
#[test]
fn without_a_trusted_root_services_are_believed() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let sign = ["sign-blob", "file", "--bundle", "a.sigstore.json"];
    let sign = || distil(&folder, &stack, &sign).env("SIGSTORE_ID_TOKEN", stack.token()).run();
    let verify = || verifies(&folder, &stack, &["verify-blob", "file", "--bundle", "a.sigstore.json"]);
    let signed = sign().success();
    assert!(
        signed.errors().contains(&format!("Signed by the certificate of {IDENTITY}, as {ISSUER} says.")),
        "{signed}"
    );
    let _verified = verify().success();
    for fault in [Fault::OtherLog, Fault::BadSct] {
        stack.fail(Some(fault));
        let _signed = sign().success();
        let _refused = verify().exits(1);
    }
}

#[test]
fn a_wrong_command_line_asks_nobody() {
    let stack = Sigstore::start();
    let (_guard, folder) = prepared(&stack);
    let good = stack.token();
    fs::write(folder.join("token"), &good).unwrap();
    let old = token(&json!({"iss": ISSUER, "sub": "4711", "exp": 1_700_000_000}));
    let unverified = token(&json!({"iss": ISSUER, "email": IDENTITY}));
    for (name, content) in [("old", old.as_str()), ("unverified", &unverified), ("none", "a.b"), ("two", "a\nb")] {
        fs::write(folder.join(name), content).unwrap();
    }
    let sign = ["sign-blob", "file", "--bundle", "new"];
    let with = |name| [&sign[..], &["--identity-token", name]].concat();
    for (words, status, said) in [
        (sign.to_vec(), 2, "SIGSTORE_ID_TOKEN"),
        (with("old"), 2, "no longer valid"),
        (with("unverified"), 2, "has not verified the address"),
        (with("none"), 2, "no JSON Web Token"),
        (with("two"), 2, "a token is one line"),
        (with("missing"), 4, "missing"),
        ([&with("token")[..], &["--key", "cosign.key"]].concat(), 2, "--key"),
        ([&with("token")[..], &["--trusted-root", "token"]].concat(), 3, "trusted root"),
        ([&with("token")[..], &["--timestamp-url", "http://tsa.example.org/"]].concat(), 2, "with https:"),
        ([&with("token")[..], &["--offline"]].concat(), 4, "without the network"),
        (vec!["sign-blob", "file", "--identity-token", "token"], 2, "--bundle"),
        (vec!["sign-blob", "-", "--bundle", "new", "--identity-token", "-"], 2, "standard input"),
    ] {
        let ran = distil(&folder, &stack, &words).input(good.clone().into_bytes()).run().exits(status);
        assert!(ran.errors().contains(said) && ran.stdout.is_empty(), "{words:?}: {ran}");
        assert!(!ran.errors().contains(&good), "{words:?}: {ran}");
    }
    for url in ["http://fulcio.example.org", "fulcio.example.org", "ftp://127.0.0.1", "https://h/?q"] {
        let words = [&with("token")[..], &["--fulcio-url", url, "--rekor-url", url]].concat();
        let ran = program(&folder, &words).run().exits(2);
        assert!(ran.errors().contains("is not the URL of a certificate authority"), "{url}: {ran}");
    }
    let half = program(&folder, &[&with("token")[..], &["--fulcio-url", &stack.url()]].concat()).run().exits(2);
    assert!(half.errors().contains("--rekor-url"), "{half}");
    assert!(stack.asked().is_empty() && !folder.join("new").exists());
    let _signed = distil(&folder, &stack, &with("-")).input(stack.token().into_bytes()).run().success();
}
