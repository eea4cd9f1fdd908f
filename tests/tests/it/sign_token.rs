//! Keys in a token of `SoftHSM`: both cosigns verify what they sign.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, place};

use crate::cosign::{BOTH, cosign};
use crate::registry_image::own;

const PIN: &str = "4711";
const CONFIG: &str = "softhsm2.conf";

/// A folder with a token `release` that holds a key `2026`, whose public half is in `release.pub`, and with files to sign.
fn prepared() -> (tempfile::TempDir, std::path::PathBuf) {
    let (guard, folder) = folder();
    fs::create_dir(folder.join("tokens")).unwrap();
    let config = format!("directories.tokendir = {}\nobjectstore.backend = file\n", folder.join("tokens").display());
    fs::write(folder.join(CONFIG), config).unwrap();
    let run = |program: &str, words: &[&str]| {
        let program = Program::new(program).args(words).env("SOFTHSM2_CONF", folder.join(CONFIG));
        let _ran = program.current_dir(&folder).run().success();
    };
    let util = |words: &[&str]| {
        let module = place::peer("libsofthsm2.so");
        run("softhsm2-util", &[&["--module", module.to_str().unwrap(), "--pin", PIN], words].concat());
    };
    run("openssl", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"]);
    run("openssl", &["pkey", "-in", "key.pem", "-pubout", "-out", "release.pub"]);
    util(&["--init-token", "--free", "--label", "release", "--so-pin", "12345678"]);
    util(&["--import", "key.pem", "--token", "release", "--label", "2026", "--id", "01"]);
    fs::remove_file(folder.join("key.pem")).unwrap();
    for (name, content) in
        [("file", "what is signed\n"), ("changed", "what is signed\r\n"), ("pin", "4711\n"), ("wrong", "4712")]
    {
        fs::write(folder.join(name), content).unwrap();
    }
    (guard, folder)
}

fn uri(path: &str, query: &str) -> String {
    format!("pkcs11:{path}?module-path={}{query}", place::peer("libsofthsm2.so").display())
}

/// Runs `distil` with a key, without a terminal at which anybody could be asked.
fn distil(folder: &Path, variable: &str, words: &str, uri: &str) -> Ran {
    let line = format!("unset COSIGN_PASSWORD; {variable} exec setsid --wait \"$DISTIL\" {words} --key \"$URI\"");
    let program = Program::new("sh").args(["-c", &line]).env("DISTIL", place::distil()).env("URI", uri);
    own(program, folder).env("SOFTHSM2_CONF", folder.join(CONFIG)).run()
}

#[test]
fn both_cosigns_verify_what_a_key_in_a_token_signed() {
    let (_guard, folder) = prepared();
    let path = "token=release;object=2026";
    let public = fs::read_to_string(folder.join("release.pub")).unwrap();
    let source = format!("&pin-source=file:{}", folder.join("pin").display());
    let set = "export COSIGN_PKCS11_PIN=4711;";
    for (variable, words, query) in [
        (set, "", ""),
        ("export COSIGN_PKCS11_PIN=4712;", "--password-file pin", ""),
        ("", "--password-fd 7 7< pin", ""),
        ("export COSIGN_PKCS11_PIN=4712;", "", source.as_str()),
        ("", "--password-file wrong", "&pin-value=4711"),
    ] {
        let printed = distil(&folder, variable, &format!("key public {words}"), &uri(path, query)).success();
        assert_eq!(printed.text(), public, "{variable} {words} {query}");
    }
    for (name, words) in [("a.sig", "--output-signature a.sig"), ("a.bundle", "--bundle a.bundle --format legacy")] {
        let _signed = distil(&folder, set, &format!("sign-blob file {words}"), &uri(path, "")).success();
        let option = if name == "a.sig" { "--signature" } else { "--bundle" };
        for version in BOTH {
            let words = ["verify-blob", "--insecure-ignore-tlog=true", "--key", "release.pub", option, name];
            let verify = |file: &str| cosign(&folder, version, &[&words[..], &[file]].concat());
            let _verified = verify("file").success();
            assert_ne!(verify("changed").code(), 0, "{version} {name}");
        }
    }
}

#[test]
fn a_key_that_is_not_there_is_told() {
    let (_guard, folder) = prepared();
    let (set, key) = ("export COSIGN_PKCS11_PIN=4711;", "token=release;object=2026");
    for (variable, uri, status, said) in [
        ("unset COSIGN_PKCS11_PIN;", uri(key, ""), 2, "set COSIGN_PKCS11_PIN"),
        ("export COSIGN_PKCS11_PIN=;", uri(key, ""), 2, "set COSIGN_PKCS11_PIN"),
        ("export COSIGN_PKCS11_PIN=4712;", uri(key, ""), 2, "the token release refuses the PIN"),
        (set, uri(key, "&pin-source=/none"), 4, "/none"),
        (set, uri("token=other;object=2026", ""), 2, "there is release"),
        (set, uri("token=release;object=2025", ""), 2, "there is 2026"),
        (set, uri("token=release;name=2026", ""), 2, "attribute \"name\""),
        (set, format!("pkcs11:{key}"), 2, "has no module-path"),
        (set, format!("pkcs11:{key}?module-path=/none"), 4, "/none cannot be used as a PKCS#11 module"),
        (set, uri(key, "&pin-value=4711&8"), 2, "%26"),
    ] {
        let ran = distil(&folder, variable, "sign-blob file", &uri).exits(status);
        let errors = ran.errors();
        assert!(errors.contains(said) && ran.stdout.is_empty(), "{variable} {uri}: {ran}");
        assert!(!errors.contains(PIN) && !errors.contains("4712"), "{variable} {uri}: {ran}");
    }
}
