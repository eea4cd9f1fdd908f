//! `distil key`: what it makes both cosigns sign with, what they make it opens, and passwords from everywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Terminal, place};

use crate::cosign::{BOTH, cosign, cosign_with, offline};
use crate::registry_image::{own, program};

/// Runs distil in a folder, with a password in the variable of cosign.
fn distil(folder: &Path, password: &str, words: &[&str]) -> Ran {
    program(folder, words).env("COSIGN_PASSWORD", password).run()
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn openssl(folder: &Path, words: &[&str]) -> Ran {
    Program::new("openssl").args(words).current_dir(folder).run().success()
}

/// Signs a file with a key and verifies with its public half, both with the same cosign.
fn signs_with(folder: &Path, version: &str, password: &str, key: &str) {
    fs::write(folder.join("file"), "what is signed").unwrap();
    let more: &[&str] = if version == "cosign3" { &["--new-bundle-format=false"] } else { &[] };
    let private = format!("{key}.key");
    let about = ["--key", &private, "--output-signature", "file.sig", "file"];
    let _signed =
        cosign_with(password, folder, version, &[&["sign-blob"], offline(version), more, &about].concat()).success();
    let public = format!("{key}.pub");
    let about = ["verify-blob", "--insecure-ignore-tlog=true", "--key", &public, "--signature", "file.sig", "file"];
    let _verified = cosign(folder, version, &about).success();
}

#[test]
fn both_cosigns_sign_with_keys_that_were_made_here() {
    for (number, password) in ["", "s3cret, and with spaces "].into_iter().enumerate() {
        let (_guard, folder) = folder();
        let made = distil(&folder, password, &["key", "generate", "--output-key-prefix", "ours"]).success();
        assert_eq!(made.text(), "ours.key\nours.pub\n", "{number}");
        for version in BOTH {
            signs_with(&folder, version, password, "ours");
            let public = cosign_with(password, &folder, version, &["public-key", "--key", "ours.key"]).success();
            assert_eq!(public.text(), text(&folder, "ours.pub"), "{version}");
        }
    }
}

#[test]
fn openssl_reads_the_public_key() {
    let (_guard, folder) = folder();
    let made = distil(&folder, "", &["key", "generate", "--json"]).success().json();
    assert_eq!((made["private-key"].as_str(), made["public-key"].as_str()), (Some("cosign.key"), Some("cosign.pub")));
    assert_eq!((made["schema"].as_str(), made["kind"].as_str()), (Some("distil.key/v1"), Some("ECDSA P-256")));
    assert_eq!(made["pem"], text(&folder, "cosign.pub"));
    let read = openssl(&folder, &["pkey", "-pubin", "-in", "cosign.pub"]);
    assert_eq!(read.text(), text(&folder, "cosign.pub"));
    let der = openssl(&folder, &["pkey", "-pubin", "-in", "cosign.pub", "-outform", "DER"]).stdout;
    assert_eq!(made["fingerprint"], format!("sha256:{}", distil_tests::apt::sha256(&der)));
}

#[test]
fn keys_that_cosign_made_are_opened() {
    let (_guard, folder) = folder();
    for version in BOTH {
        let made = ["generate-key-pair", "--output-key-prefix", version];
        let _made = cosign_with("theirs", &folder, version, &made).success();
        let private = format!("{version}.key");
        let public = text(&folder, &format!("{version}.pub"));
        let told = |name: &str| distil(&folder, "theirs", &["key", "public", "--key", name]).success().text();
        assert_eq!(told(&private), public);
        assert_eq!(told(&format!("{version}.pub")), public);
        let sealed = text(&folder, &private);
        assert!(sealed.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        fs::write(folder.join("old.key"), sealed.replace("ENCRYPTED SIGSTORE", "ENCRYPTED COSIGN")).unwrap();
        assert_eq!(told("old.key"), public);
    }
}

#[test]
fn keys_that_openssl_made_are_imported() {
    let (_guard, folder) = folder();
    let made: [(&str, &[&str]); 7] = [
        ("sec1", &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]),
        ("p256", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]),
        ("p384", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out"]),
        ("p521", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521", "-out"]),
        ("rsa", &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]),
        ("pkcs1", &["genrsa", "-traditional", "-out"]),
        ("ed25519", &["genpkey", "-algorithm", "ED25519", "-out"]),
    ];
    for (name, words) in made {
        let plain = format!("{name}.pem");
        openssl(&folder, &[words, &[&plain]].concat());
        let public = openssl(&folder, &["pkey", "-in", &plain, "-pubout"]).text();
        let _imported =
            distil(&folder, "pw", &["key", "import", "--key", &plain, "--output-key-prefix", name]).success();
        assert_eq!(text(&folder, &format!("{name}.pub")), public, "{name}");
        assert_eq!(distil(&folder, "pw", &["key", "public", "--key", &format!("{name}.key")]).success().text(), public);
        for version in BOTH {
            let read = cosign_with("pw", &folder, version, &["public-key", "--key", &format!("{name}.key")]).success();
            assert_eq!(read.text(), public, "{name} {version}");
            // The others sign, but do not verify their own signatures by default.
            if !["p384", "p521"].contains(&name) {
                signs_with(&folder, version, "pw", name);
            }
        }
    }
}

#[test]
fn what_is_there_stays_and_what_is_secret_is_the_owners() {
    let (_guard, folder) = folder();
    let generate = ["key", "generate", "--output-key-prefix", "keys/a"];
    let _made = distil(&folder, "", &generate).success();
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("keys/a.key"), 0o600);
    assert_eq!(mode("keys/a.pub") & 0o444, 0o444);
    let before = text(&folder, "keys/a.key");
    for words in [&generate[..], &["key", "import", "--key", "none.pem", "--output-key-prefix", "keys/a"]] {
        let refused = distil(&folder, "", words).exits(2);
        assert!(refused.errors().contains("keys/a.key") && refused.errors().contains("--force"), "{refused}");
    }
    assert_eq!(text(&folder, "keys/a.key"), before);
    let _forced = distil(&folder, "", &[&generate[..], &["--force"]].concat()).success();
    assert_ne!(text(&folder, "keys/a.key"), before);
    assert_eq!(mode("keys/a.key"), 0o600);
    assert_eq!(fs::read_dir(folder.join("keys")).unwrap().count(), 2);
    let refused = distil(&folder, "", &["key", "generate", "--output-key-prefix", "/proc/distil/a"]).exits(4);
    assert!(refused.errors().contains("/proc/distil/a.key"), "{refused}");
}

#[test]
fn what_is_no_key_is_told_from_a_wrong_password() {
    let (_guard, folder) = folder();
    let _made = distil(&folder, "right", &["key", "generate"]).success();
    openssl(&folder, &["genpkey", "-algorithm", "ED25519", "-out", "plain.pem"]);
    openssl(&folder, &["ecparam", "-name", "prime256v1", "-genkey", "-out", "parameters.pem"]);
    let locked = ["pkcs8", "-topk8", "-in", "plain.pem", "-passout", "pass:x", "-out", "locked.pem"];
    openssl(&folder, &locked);
    fs::write(folder.join("text"), "no key").unwrap();
    let public = |file: &str| distil(&folder, "mistyped", &["key", "public", "--key", file]);
    let import =
        |file: &str| distil(&folder, "", &["key", "import", "--force", "--output-key-prefix", "new", "--key", file]);
    for (ran, status, said) in [
        (public("cosign.key"), 2, "password is wrong"),
        (public("plain.pem"), 2, "distil key import"),
        (public("text"), 2, "no PEM block"),
        (public("none"), 4, "none"),
        (import("cosign.key"), 2, "sealed already"),
        (import("parameters.pem"), 2, "EC PARAMETERS"),
        (import("locked.pem"), 2, "openssl pkey"),
        (import("cosign.pub"), 2, "public half"),
        (import("none"), 4, "none"),
    ] {
        let ran = ran.exits(status);
        assert!(ran.errors().contains(said), "{said}: {ran}");
        assert!(!ran.errors().contains("mistyped") && ran.stdout.is_empty(), "{ran}");
    }
    assert!(!folder.join("new.key").exists());
}

#[test]
fn a_password_comes_from_the_first_place_that_has_one() {
    let (_guard, folder) = folder();
    let _made = distil(&folder, "right", &["key", "generate"]).success();
    let expected = text(&folder, "cosign.pub");
    for (name, content) in [("file", "right"), ("line", "right\n"), ("lines", "right\n\n"), ("wrong", "wrong\n")] {
        fs::write(folder.join(name), content).unwrap();
    }
    let public = ["key", "public", "--key", "cosign.key"];
    let line = |variable: &str, words: &str| {
        // Without a terminal, so that nobody can be asked.
        let line = format!("{variable} exec setsid --wait \"$DISTIL\" {} {words}", public.join(" "));
        let program = Program::new("sh").args(["-c", &line]).env("DISTIL", place::distil());
        own(program, &folder).run()
    };
    let unset = "unset COSIGN_PASSWORD;";
    let set = |value: &str| format!("export COSIGN_PASSWORD={value};");
    for (variable, words) in [
        (set("right"), ""),
        (set("wrong"), "--password-file file"),
        (unset.to_owned(), "--password-file line"),
        (unset.to_owned(), "--password-file /dev/stdin < line"),
        (set("wrong"), "--password-fd 7 7< line"),
        (unset.to_owned(), "--password-fd 0 < file"),
    ] {
        assert_eq!(line(&variable, words).success().text(), expected, "{variable} {words}");
    }
    for (variable, words, status, said) in [
        (unset.to_owned(), "", 2, "--password-file"),
        (set("right"), "--password-file wrong", 2, "password is wrong"),
        (set(""), "", 2, "password is wrong"),
        (set("right"), "--password-file lines", 2, "more than one line"),
        (set("right"), "--password-file none", 4, "none"),
        (set("right"), "--password-fd 99", 4, "descriptor 99"),
        (set("right"), "--password-fd 3 --password-file file", 2, "cannot be used with"),
    ] {
        let ran = line(&variable, words).exits(status);
        assert!(ran.errors().contains(said) && ran.stdout.is_empty(), "{variable} {words}: {ran}");
    }
}

#[test]
fn a_terminal_shows_nothing_of_a_password() {
    let (_guard, folder) = folder();
    let start = |words: &[&str]| Terminal::start(&place::distil(), words, &folder);
    let mut terminal = start(&["key", "generate"]);
    terminal.wait_for("New password for cosign.key: ");
    assert!(!terminal.echoes());
    terminal.types("s3cret\n");
    terminal.wait_for("The same password again: ");
    terminal.types("s3cret\n");
    let (status, shown, echoes) = terminal.end();
    assert!(status.success() && echoes && !shown.contains("s3cret"), "{status}: {shown}");
    let public = distil(&folder, "s3cret", &["key", "public", "--key", "cosign.key"]).success().text();
    assert_eq!(public, text(&folder, "cosign.pub"));

    let mut terminal = start(&["key", "public", "--key", "cosign.key"]);
    terminal.wait_for("Password of cosign.key: ");
    terminal.types("s3crex\u{7f}t\n");
    let (status, shown, _) = terminal.end();
    assert!(status.success() && shown.replace('\r', "").ends_with(&public), "{status}: {shown}");

    let mut terminal = start(&["key", "generate", "--output-key-prefix", "b"]);
    terminal.wait_for("New password for b.key: ");
    terminal.types("one\n");
    terminal.wait_for("again: ");
    terminal.types("two\n");
    let (status, shown, echoes) = terminal.end();
    assert!(status.code() == Some(2) && shown.contains("not the same") && echoes, "{status}: {shown}");

    let mut terminal = start(&["key", "generate", "--output-key-prefix", "b"]);
    terminal.wait_for("New password for b.key: ");
    terminal.types("on\u{3}");
    let (status, shown, echoes) = terminal.end();
    assert!(status.code() == Some(130) && echoes && !folder.join("b.key").exists(), "{status}: {shown}");

    let mut terminal = start(&["key", "generate", "--output-key-prefix", "b"]);
    terminal.wait_for("New password for b.key: ");
    terminal.types("on");
    terminal.signal("TERM");
    let (status, shown, echoes) = terminal.end();
    assert!(!status.success() && echoes && !folder.join("b.key").exists(), "{status}: {shown}");
}
