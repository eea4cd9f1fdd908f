//! `distil verify` and `verify-attestation`: what cosign signed, in registries and layouts; what is printed, and what is not.

use std::fs;
use std::path::Path;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Registry};

use crate::registry_copy::{SIGNERS, cosign, pinned};
use crate::registry_image::{at, copied, image};
use crate::verify_vectors::vectors;

const IMAGE: &str = "sha256:4cdc0762fe37de36898c846b77c322934ab9d666ad321422a225a96765f3ad5b";
const TYPE: &str = "https://example.org/answer";

/// Runs distil beside the vectors.
fn vector(words: &[&str]) -> Ran {
    Program::distil().args(words).current_dir(vectors()).run()
}

fn layout(name: &str) -> String {
    format!("oci:layouts/{name}@{IMAGE}")
}

#[test]
fn what_both_cosigns_signed_is_verified_in_registries() {
    for registry in [Registry::start(), Registry::start_with_referrers()] {
        for (number, signer) in SIGNERS.iter().enumerate() {
            let (_guard, folder) = folder();
            let name = registry.repository(&format!("signed{number}:v1"));
            let name = name.as_str();
            let _pushed = copied(&image().reference(), name);
            signer.sign(&folder, &pinned(name));
            let verified = at(&folder, &["verify", "--key", "cosign.pub", name]).success();
            assert!(verified.text().starts_with(&format!("{} is verified\n", image().digest)), "{verified}");
            let attested = ["verify-attestation", "--type", TYPE, "--key", "cosign.pub"];
            let printed = at(&folder, &[&attested[..], &["--print", "predicate", name]].concat()).success();
            assert_eq!(printed.json()["answer"], 42, "{printed}");
            let statement = at(&folder, &[&attested[..], &["--print", "statement", name]].concat()).success().json();
            assert_eq!(statement["predicateType"], TYPE);
            // Another key, another type, another image.
            fs::create_dir(folder.join("other")).unwrap();
            let _made = cosign(&folder.join("other"), "cosign3", &["generate-key-pair"]).success();
            let refused = at(&folder, &["verify", "--key", "other/cosign.pub", name]).exits(1);
            assert!(refused.stdout.is_empty() && refused.errors().contains(": signer: "), "{refused}");
            let refused = at(&folder, &[&["verify-attestation", "--type", "vuln"], &attested[3..], &[name]].concat());
            assert!(refused.exits(1).errors().contains(": type: "));
            let arm = at(&folder, &["verify", "--key", "cosign.pub", "--platform", "linux/arm64", name]).exits(1);
            assert!(arm.errors().contains("nobody has signed it there"), "{arm}");
        }
    }
}

#[test]
fn the_tag_that_moves_is_another_image() {
    let registry = Registry::start();
    let (_guard, folder) = folder();
    let name = registry.repository("moving:v1");
    let _pushed = copied(&image().reference(), &name);
    SIGNERS[2].sign(&folder, &pinned(&name));
    let _verified = at(&folder, &["verify", "--key", "cosign.pub", &name]).success();
    crate::registry_image::recipe(&folder, "[image]\nlabels = { other = \"image\" }\n");
    let _moved = at(&folder, &["build", "-o", &name]).success();
    let refused = at(&folder, &["verify", "--key", "cosign.pub", "--json", &name]).exits(1);
    let document = refused.json();
    assert!(document["verified"] == false && document["digest"] != image().digest.as_str(), "{refused}");
    // The digest is as good as before.
    let _verified = at(&folder, &["verify", "--key", "cosign.pub", &pinned(&name)]).success();
}

#[test]
fn who_signed_is_told_and_what_is_not_good_only_on_standard_error() {
    let ran = vector(&["verify", "--key", "keys/a.pub", &layout("multi")]).success();
    let text = ran.text();
    assert!(text.contains("env=prod") && text.matches("  the key sha256:").count() >= 2, "{ran}");
    // One of several is by somebody else.
    let verbose = vector(&["verify", "-v", "--key", "keys/a.pub", &layout("multi")]).success();
    assert!(verbose.errors().contains(": signer: ") && !verbose.text().contains("signer"), "{verbose}");
    let json = vector(&["verify", "--json", "--key", "keys/a.pub", &layout("multi")]).success().json();
    let schema = vector(&["schema", "verify"]).success().json();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&json));
    let payload = json["signatures"][0]["payload"].as_str().unwrap();
    assert!(payload.starts_with("{\"critical\":{\"identity\":"), "{payload}");
}

#[test]
fn different_signers_are_counted() {
    let keys = ["--key", "keys/a.pub", "--key", "keys/b.pub", "--threshold"];
    let _two = vector(&[&["verify"], &keys[..], &["2", &layout("multi")]].concat()).success();
    let refused = vector(&[&["verify"], &keys[..], &["2", &layout("legacy-v2")]].concat()).exits(1);
    assert!(refused.errors().contains("1 of the 2 different signers") && refused.stdout.is_empty(), "{refused}");
    let document = vector(&[&["verify", "--json"], &keys[..], &["2", &layout("legacy-v2")]].concat()).exits(1).json();
    assert!(document["signatures"].as_array().unwrap().iter().all(|one| one.get("payload").is_none()), "{document}");
    let mistake = vector(&[&["verify"], &keys[..], &["3", &layout("multi")]].concat()).exits(2);
    assert!(mistake.errors().contains("only 2"), "{mistake}");
}

#[test]
fn questions_that_cannot_be_answered_have_their_statuses() {
    let check = |words: &[&str], status: i32, said: &str| {
        let ran = vector(&[&["verify"], words, &[&layout("keyless-v3")]].concat()).exits(status);
        assert!(ran.errors().contains(said) && ran.stdout.is_empty(), "{words:?} {ran}");
    };
    check(&[], 2, "nothing says who must have signed");
    check(&["--certificate-identity", "release@distil.test"], 2, "certificate-oidc-issuer");
    check(&["--certificate-oidc-issuer", "https://issuer.distil.test"], 2, "certificate-identity");
    check(&["--key", "keys/a.pub", "--certificate-identity", "x"], 2, "cannot be asked for together");
    check(&["--key", "keys/nosuch.pub"], 4, "keys/nosuch.pub");
    check(&["--key", "keys/a.key"], 2, "`distil key public` prints its public half");
    check(&["--key", "keys/a.pub", "-a", "novalue"], 2, "KEY=VALUE");
    let by = ["--certificate-identity-regexp", ".*", "--certificate-oidc-issuer-regexp", ".*"];
    check(&[&by[..], &["--trusted-root", "nosuch.json"]].concat(), 3, "nosuch.json");
    check(&[&by[..], &["--trusted-root", "cases.json"]].concat(), 3, "cases.json");
    // The public instance vouches for nobody of these.
    check(&by, 1, ": log: ");
    let _verified =
        vector(&[&["verify", "--trusted-root", "trust/trusted_root.json"], &by[..], &[&layout("keyless-v3")]].concat())
            .success();
    // An expression is for the whole name.
    let part = ["--certificate-identity-regexp", "release", "--certificate-oidc-issuer-regexp", ".*"];
    check(&[&part[..], &["--trusted-root", "trust/trusted_root.json"]].concat(), 1, "signer");
    let gone = vector(&["verify", "--key", "keys/a.pub", "oci:layouts/nosuch"]).exits(4);
    assert!(gone.errors().contains("layouts/nosuch"), "{gone}");
}

#[test]
fn an_image_that_nobody_signed_says_where_was_looked() {
    let (_guard, folder) = folder();
    fs::copy(vectors().join("keys/a.pub"), folder.join("a.pub")).unwrap();
    for archive in [false, true] {
        let reference = if archive { "oci-archive:one.tar:test".to_owned() } else { image().reference() };
        if archive {
            let _copied = at(&folder, &["copy", &image().reference(), &reference]).success();
        }
        let refused = at(&folder, &["verify", "--key", "a.pub", &reference]).exits(1);
        let tag = image().digest.replacen(':', "-", 1);
        assert!(refused.errors().contains(&format!("{tag}.sig")) && refused.stdout.is_empty(), "{refused}");
    }
    let docker = "docker-archive:one.docker.tar:x:v1";
    let _copied = at(&folder, &["copy", "--platform", "linux/amd64", &image().reference(), docker]).success();
    let refused = at(&folder, &["verify", "--key", "a.pub", docker]).exits(2);
    assert!(refused.errors().contains("cannot hold signatures"), "{refused}");
}

/// What cosign saved is found, and whoever changes a blob of it is, too.
#[test]
fn layouts_that_cosign_saved_are_verified_and_archives_of_them() {
    let (_guard, folder) = folder();
    let registry = Registry::start();
    let name = registry.repository("saved:v1");
    let _pushed = copied(&image().reference(), &name);
    SIGNERS[2].sign(&folder, &pinned(&name));
    let _saved = cosign(&folder, "cosign3", &["save", "--dir", "saved", &pinned(&name)]).success();
    let saved = format!("oci:saved@{}", image().digest);
    let _verified = at(&folder, &["verify", "--key", "cosign.pub", &saved]).success();
    let copy = "oci-archive:copy.tar:v1";
    let _copied = at(&folder, &["copy", &name, copy]).success();
    let _verified = at(&folder, &["verify", "--key", "cosign.pub", copy]).success();
    change(&folder.join("saved/blobs/sha256").join(image().digest.trim_start_matches("sha256:")));
    let refused = at(&folder, &["verify", "--key", "cosign.pub", &saved]);
    assert!(refused.code() == 4 && refused.stdout.is_empty(), "{refused}");
}

fn change(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(file, bytes).unwrap();
}
