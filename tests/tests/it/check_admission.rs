//! What a policy asks of images by their names.

use std::fs;

use distil_tests::Registry;
use serde_json::Value;

use crate::check_attested::{FIRST_DAY, POLICY, attest, rules, scene};

#[test]
fn images_need_the_signature_and_the_verdict_of_the_authority_for_their_names() {
    let scene = scene("1.1.1n-0+deb11u4", "");
    let registry = Registry::start();
    let (inside, outside) = (registry.repository("prod/app:v1"), registry.repository("test/app:v1"));
    for image in [&inside, &outside] {
        let _copied = scene.run(&["copy", &scene.image, image], &[]).success();
    }
    let host = inside.trim_start_matches("docker://").split('/').next().unwrap();
    let scoped = format!(
        "{POLICY}[[signatures.authority]]\nname = 'other'\nkey = 'other.pub'\n[[admission.image]]\n\
         glob = '{host}/prod/**'\npolicy-result = 'pass'\n[[admission.image.authority]]\nname = 'release'\n\
         key = 'release.pub'\n"
    );
    fs::write(scene.home.join("scoped.toml"), &scoped).unwrap();
    let judge = |words: &[&str]| {
        let all = [&["check", "--policy", "scoped.toml", "--now", FIRST_DAY, "--json"][..], words].concat();
        scene.run(&all, &[])
    };
    let found = |words: &[&str], status: i32| -> Vec<String> {
        let verdict: Value = judge(words).exits(status).json();
        rules(&verdict).into_iter().map(str::to_owned).collect()
    };
    let sign = |image: &str, key: &str| {
        let _signed = scene.run(&["sign", image, "--key", key], &[]).success();
    };
    // The one who is trusted for all has signed both.
    sign(&inside, "other.key");
    sign(&outside, "other.key");
    assert!(found(&[&outside], 0).is_empty());
    assert_eq!(found(&[&inside], 1), ["DSTL-SIG-001", "DSTL-SIG-002"]);
    // A layout has no name that a pattern could fit.
    assert_eq!(found(&[&scene.image], 1), ["DSTL-SIG-001"]);
    sign(&inside, "release.key");
    assert_eq!(found(&[&inside], 1), ["DSTL-SIG-002"]);
    let words = ["check", &inside, "--policy", "policy.toml", "--now", FIRST_DAY, "--output", "vsa=verdict.json"];
    let _judged = scene.run(&words, &[]).success();
    let _by_another = attest(&scene, &inside, "other.key", "vsa", "verdict.json").success();
    assert_eq!(found(&[&inside], 1), ["DSTL-SIG-002"]);
    let _attested = attest(&scene, &inside, "release.key", "vsa", "verdict.json").success();
    assert!(found(&[&inside, "--save-facts", "facts.json"], 0).is_empty());
    // Facts have all that is asked for by that name, for the same answer without the image.
    assert!(found(&["--facts", "facts.json"], 0).is_empty());
    let stricter = scoped.replace("'release'", "'somebody else'");
    fs::write(scene.home.join("scoped.toml"), &stricter).unwrap();
    assert_eq!(found(&["--facts", "facts.json"], 1), ["DSTL-SIG-001", "DSTL-SIG-002"]);
    fs::write(scene.home.join("scoped.toml"), format!("{stricter}[admission]\nmode = 'warn'\n")).unwrap();
    assert_eq!(found(&["--facts", "facts.json"], 0), ["DSTL-SIG-001", "DSTL-SIG-002"]);
}
