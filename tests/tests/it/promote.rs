//! `distil promote`: what cosign finds at the destination, what nobody finds there, what is refused, and what becomes of it
//! when the process is killed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, Random, Registry, layout};
use serde_json::{Value, json};

use crate::example::reference;
use crate::registry_image::{at, copied, digest, image, own, program};

const OFFLINE: [&str; 2] = ["--use-signing-config=false", "--tlog-upload=false"];
const RECORD: &str = "https://git.example.org/distil/docs/promotion.md#v1";

fn cosign(folder: &Path, program: &str, words: &[&str]) -> Ran {
    own(Program::new(program).args(words), folder).env("COSIGN_PASSWORD", "").env("COSIGN_YES", "true").run()
}

/// Two registries, and a folder with the keys of both.
struct Stand {
    inside: Registry,
    outside: Registry,
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        let (guard, folder) = folder();
        for name in ["internal", "release", "other"] {
            let words = ["generate-key-pair", "--output-key-prefix", name];
            let _made = cosign(&folder, "cosign3", &words).success();
        }
        Self { inside: Registry::start(), outside: Registry::start(), folder, _guard: guard }
    }

    /// Pushes an image, and has both cosigns sign it, and one attest something.
    fn push(&self, from: &str, repository: &str) -> String {
        let name = self.inside.repository(repository);
        let root = copied(from, &name);
        let (bare, _) = name.rsplit_once(':').unwrap();
        let pinned = format!("{bare}@{root}");
        let key = ["--key", "internal.key"];
        let old = [&["sign", "--tlog-upload=false"], &key[..], &[&pinned]].concat();
        let _signed = cosign(&self.folder, "cosign2", &old).success();
        let new = [&["sign"], &OFFLINE[..], &key, &[&pinned]].concat();
        let _signed = cosign(&self.folder, "cosign3", &new).success();
        fs::write(self.folder.join("predicate.json"), json!({ "seen": "inside" }).to_string()).unwrap();
        let about = ["--type", "https://example.org/seen", "--predicate", "predicate.json", &pinned];
        let attest = [&["attest"], &OFFLINE[..], &key, &about].concat();
        let _attested = cosign(&self.folder, "cosign3", &attest).success();
        name
    }

    fn promote_with(&self, key: &str, words: &[&str]) -> Program {
        let key = format!("{key}.pub");
        let common = ["promote", "--json", "--verify-key", &key, "--key", "release.key", "--log", "log"];
        program(&self.folder, &[&common, words].concat()).env("COSIGN_PASSWORD", "")
    }

    fn promote(&self, words: &[&str]) -> Ran {
        self.promote_with("internal", words).run()
    }

    /// Lines of the log.
    fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Both cosigns find the release key's signature at the destination, and the record, and no other's.
    fn check(&self, name: &str, root: &str) {
        let (bare, _) = name.rsplit_once(':').unwrap();
        let pinned = format!("{bare}@{root}");
        for program in ["cosign2", "cosign3"] {
            let verify = |what: &[&str], key: &str| {
                let words = [what, &["--insecure-ignore-tlog=true", "--key", key, &pinned]].concat();
                cosign(&self.folder, program, &words)
            };
            let _good = verify(&["verify"], "release.pub").success();
            assert_ne!(verify(&["verify"], "internal.pub").code(), 0);
            let _record = verify(&["verify-attestation", "--type", RECORD], "release.pub").success();
            let seen = ["verify-attestation", "--type", "https://example.org/seen"];
            assert_ne!(verify(&seen, "internal.pub").code(), 0);
        }
    }
}

/// What crane says a tag has, if there is one.
fn tagged(name: &str) -> Option<String> {
    let ran = Program::new("crane").args(["digest", name]).run();
    ran.status.success().then(|| ran.text().trim().to_owned())
}

/// Every blob and manifest in a registry's storage, and what each unpacks to.
fn stored(registry: &Registry) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    if !registry.storage().exists() {
        return all;
    }
    for bytes in layout::files(registry.storage()).into_values() {
        let unpacked = match bytes.get(..4) {
            Some([0x1f, 0x8b, ..]) => Some("gzip"),
            Some([0x28, 0xb5, 0x2f, 0xfd]) => Some("zstd"),
            _ => None,
        };
        all.extend(
            unpacked.map(|program| Program::new(program).arg("-dcq").input(bytes.clone()).run().success().stdout),
        );
        all.push(bytes);
    }
    all
}

fn is_in(text: &str, blobs: &[Vec<u8>]) -> bool {
    let text = text.to_ascii_lowercase();
    blobs.iter().any(|blob| {
        let blob = blob.to_ascii_lowercase();
        blob.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// The layers of the manifest under a name.
fn layers(name: &str) -> Vec<Value> {
    let manifest = Program::new("crane").args(["manifest", name]).run().success().json();
    manifest["layers"].as_array().unwrap().clone()
}

/// The name of what cosign keeps about an image.
fn beside(name: &str, root: &str, suffix: &str) -> String {
    let (bare, _) = name.rsplit_once(':').unwrap();
    format!("{bare}:{}.{suffix}", root.replace(':', "-"))
}

/// The digests of what oras finds to refer to an image.
fn referrers(name: &str, root: &str) -> BTreeSet<String> {
    let (bare, _) = name.rsplit_once(':').unwrap();
    let words = ["discover", "--plain-http", "--format", "json", &format!("{bare}@{root}")];
    let found = Program::new("oras").args(words).run().success().json();
    let all = found["referrers"].as_array().unwrap_or_else(|| panic!("{found}"));
    all.iter().map(|referrer| referrer["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_promoted_is_signed_anew_and_does_not_tell_where_from() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let to = stand.outside.repository("live/app:v1");
    let ran = stand.promote(&["--by", "Ann <ann@example.org>", &from, &to]).success();
    let report = ran.json();
    let root = &image().digest;
    assert_eq!((&digest(&report), tagged(&to).as_ref()), (root, Some(root)), "{ran}");
    stand.check(&to, root);
    let record = &report["record"];
    assert_eq!(stand.log(), std::slice::from_ref(record));
    assert_eq!(
        (&record["digest"], &record["from"], &record["to"]),
        (&json!(root), &json!("registry"), &json!(format!("docker://{to}")))
    );
    assert_eq!(record["by"]["name"], "Ann <ann@example.org>");
    assert_eq!(record["verdict"]["policy"], "none");
    assert_ne!(record["verdict"]["signers"][0]["key"], record["by"]["key"]);

    // What was signed inside is nowhere: neither its bytes, nor the name of the place.
    let blobs = stored(&stand.outside);
    assert!(blobs.len() > 10 && is_in(&stand.outside.host(), &blobs));
    for signature in layers(&beside(&from, root, "sig")) {
        let signature = signature["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
        assert!(is_in(signature, &stored(&stand.inside)) && !is_in(signature, &blobs), "{signature}");
    }
    // Its bundles, one of a signature and one of a statement, are not there; what nobody signed is.
    let (bare, _) = from.rsplit_once(':').unwrap();
    let bundle = |digest: &str| {
        let layer = layers(&format!("{bare}@{digest}")).swap_remove(0);
        let is_bundle = layer["mediaType"].as_str().unwrap().starts_with("application/vnd.dev.sigstore.bundle");
        is_bundle.then(|| layer["digest"].as_str().unwrap().to_owned())
    };
    let (signed, plain): (Vec<_>, Vec<_>) =
        referrers(&from, root).into_iter().partition(|digest| bundle(digest).is_some());
    assert!(signed.len() == 2 && !plain.is_empty(), "{signed:?} {plain:?}");
    let hidden: Vec<String> = signed.iter().flat_map(|digest| [digest.clone(), bundle(digest).unwrap()]).collect();
    assert!(hidden.iter().all(|digest| !is_in(digest, &blobs)), "{hidden:?}");
    let there = referrers(&to, root);
    assert!(plain.iter().all(|digest| there.contains(digest)), "{plain:?} {there:?}");
    assert!(!is_in(&stand.inside.host(), &blobs));

    // The SBOMs and the provenance of each platform went along, and are signed.
    let manifest = layout::image(&image().layout, "test").digest;
    let attached = layout::attached(&image().layout, &manifest).len();
    assert!(referrers(&to, &manifest).len() >= attached);
    let (_guard, back) = folder();
    let _valid = at(&back, &["copy", &to, "oci:back:v1"]).success();
    let _valid = at(&back, &["validate", "oci:back:v1"]).success();
}

#[test]
fn promoting_again_piles_nothing_up() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let to = stand.outside.repository("live/app:v1");
    let root = &image().digest;
    let first = stand.promote(&[&from, &to]).success().json();
    let seen = || {
        let of = |suffix: &str| layers(&beside(&to, root, suffix)).len();
        (of("sig"), of("att"), referrers(&to, root), stand.log())
    };
    let before = seen();
    assert_eq!(before.0, 1);
    assert_eq!(stand.promote(&[&from, &to]).success().json()["record"], first["record"]);
    assert_eq!(seen(), before);
    // Another tag is another line, with the same signature and record beside the same image.
    let other = stand.outside.repository("live/app:stable");
    let _other = stand.promote(&[&from, &other]).success();
    assert_eq!(seen().3.len(), 2);
    assert_eq!((seen().0, seen().1, seen().2), (before.0, before.1, before.2));
}

#[test]
fn what_another_key_signed_is_not_promoted() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let to = stand.outside.repository("live/app:v1");
    let refused = stand.promote_with("other", &[&from, &to]).run().exits(1);
    assert!(refused.errors().contains(&image().digest), "{refused}");
    // An image that nobody signed.
    let unsigned = stand.inside.repository("team/plain:v1");
    let _copied = copied(&image().reference(), &unsigned);
    let _refused = stand.promote(&[&unsigned, &to]).exits(1);
    assert!(stored(&stand.outside).is_empty() && stand.log().is_empty());
}

/// Builds an image with something more in its recipe.
fn built(folder: &Path, more: &str) -> String {
    crate::registry_image::recipe(folder, more);
    let _built = at(folder, &["build", "-o", "oci:layout:test"]).success();
    reference(&folder.join("layout"), "test")
}

#[test]
fn an_image_that_tells_where_it_comes_from_is_refused() {
    let stand = Stand::new();
    let host = stand.inside.host();
    let to = stand.outside.repository("live/app:v1");
    let refused = |from: &str, what: &[&str]| {
        let ran = stand.promote(&[from, &to]).exits(1);
        for what in what {
            assert!(ran.errors().contains(what), "{what}: {ran}");
        }
        assert!(ran.errors().contains(&host), "{ran}");
        assert!(stored(&stand.outside).is_empty() && stand.log().is_empty());
    };
    // In the configuration.
    let (_guard, one) = folder();
    let labelled = built(
        &one,
        &format!("[image.labels]\nfrom = \"https://{host}/team\"\n[attestations]\nsbom = []\nprovenance = false\n"),
    );
    let config = layout::image(&one.join("layout"), "test").manifest["config"]["digest"].as_str().unwrap().to_owned();
    refused(&stand.push(&labelled, "team/labelled:v1"), &[&config, "application/vnd.oci.image.config.v1+json"]);
    // In a file of a layer, of each compression.
    for compression in ["zstd", "gzip", "none"] {
        let (_guard, one) = folder();
        fs::write(one.join("app.conf"), format!("registry = {}/team\n", host.to_uppercase())).unwrap();
        let more = "[files]\n\"/etc/app.conf\" = { source = \"app.conf\" }\n";
        let filed = built(&one, &format!("{more}[layers]\ncompression = \"{compression}\"\n"));
        refused(
            &stand.push(&filed, &format!("team/{compression}:v1")),
            &["/etc/app.conf", "application/vnd.oci.image.layer"],
        );
    }
    // In a document about it.
    let (_guard, one) = folder();
    let from = stand.push(&image().reference(), "team/attached:v1");
    let sbom = json!({ "spdxVersion": "SPDX-2.3", "comment": format!("pkg:oci/app?repository_url={}", host.replace(':', "%3A")) });
    fs::write(one.join("sbom.json"), sbom.to_string()).unwrap();
    let words = [
        "attach",
        "--plain-http",
        "--artifact-type",
        "application/spdx+json",
        &from,
        "sbom.json:application/spdx+json",
    ];
    let _attached = Program::new("oras").args(words).current_dir(&one).env("HOME", &one).run().success();
    refused(&from, &["application/spdx+json"]);
    // A name of which the registry knows nothing, and one that stands nowhere.
    let plain = stand.push(&image().reference(), "team/plain:v1");
    let ran = stand.promote(&["--internal-name", "USR/SHARE/ONE/TEXT", &plain, &to]).exits(1);
    assert!(ran.errors().contains("/usr/share/one/text"), "{ran}");
    let ran = stand.promote(&["--internal-name", "registry.internal.example", &plain, &to]).success();
    assert_eq!(digest(&ran.json()), image().digest);
}

#[test]
fn layouts_and_archives_are_promoted_from_and_to() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let root = &image().digest;
    let _pulled = at(&stand.folder, &["copy", &from, "oci:inside:rc1"]).success();
    let name = ["--reference", "registry.example.org/live/app"];
    for to in ["oci:outside:v1", "oci-archive:outside.tar:v1"] {
        let ran = stand.promote(&[&name[..], &["oci:inside:rc1", to]].concat()).success();
        assert_eq!(digest(&ran.json()), *root);
        assert_eq!(ran.json()["record"]["from"], "layout");
        let _valid = at(&stand.folder, &["validate", to]).success();
        // From there to a registry, as from any other place.
        let pushed = stand.outside.repository("from/place:v1");
        let _copied = at(&stand.folder, &["copy", to, &pushed]).success();
        stand.check(&pushed, root);
    }
    let index: Value = serde_json::from_slice(&fs::read(stand.folder.join("outside/index.json")).unwrap()).unwrap();
    assert!(!index.to_string().contains(&stand.inside.host()));
    let refused = stand.promote(&["oci:inside:rc1", "docker-archive:image.tar"]).exits(2);
    assert!(!stand.folder.join("image.tar").exists(), "{refused}");
    let _same = stand.promote(&["oci:inside:rc1", "oci:inside:v1"]).exits(2);
}

#[test]
fn a_tag_that_stays_and_a_log_that_cannot_be_written_stop_it_before_anything_is_sent() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let to = stand.outside.repository("live/app:v1");
    let other = layout::image(&image().layout, "test").digest;
    let _other = at(&stand.folder, &["copy", "--platform", "linux/amd64", &image().reference(), &to]).success();
    assert_eq!(tagged(&to), Some(other.clone()));
    let before = stored(&stand.outside).len();
    let refused = stand.promote(&["--immutable", &from, &to]);
    assert!(refused.code() != 0 && refused.errors().contains(&other), "{refused}");
    let words =
        ["promote", "--verify-key", "internal.pub", "--key", "release.key", "--log", "release.key/log", &from, &to];
    let refused = program(&stand.folder, &words).env("COSIGN_PASSWORD", "").run().exits(4);
    assert!(refused.errors().contains("release.key/log"), "{refused}");
    fs::write(stand.folder.join("policy.toml"), "version = 1\n").unwrap();
    let policy = stand.promote(&["--policy", "policy.toml", &from, &to]);
    assert!(policy.code() != 0 && policy.errors().contains("does not approve"), "{policy}");
    assert_eq!((stored(&stand.outside).len(), tagged(&to)), (before, Some(other)));
}

/// How often a promotion is killed, each time later.
const ROUNDS: u32 = 10;

#[test]
fn a_promotion_that_is_killed_leaves_the_tag_and_is_finished_by_the_next() {
    let stand = Stand::new();
    let from = stand.push(&image().reference(), "team/app:rc1");
    let root = &image().digest;
    let manifest = layout::image(&image().layout, "test").digest;
    let start = Instant::now();
    let _once = stand.promote(&[&from, &stand.outside.repository("once/app:v1")]).success();
    let mut whole = start.elapsed().as_secs_f64();
    let mut random = Random::of_this_run();
    let (mut old, mut kills) = (0, 0);
    for step in 0..ROUNDS {
        let to = stand.outside.repository(&format!("round{step}/app:v1"));
        let _before = at(&stand.folder, &["copy", "--platform", "linux/amd64", &image().reference(), &to]).success();
        let part = (f64::from(step) + f64::from(u32::try_from(random.below(100)).unwrap()) / 100.0) / f64::from(ROUNDS);
        let seconds = (whole * part).max(0.001);
        let words = ["promote", "--verify-key", "internal.pub", "--key", "release.key", "--log", "log", &from, &to];
        let start = Instant::now();
        let killed = own(Program::distil_within(seconds).args(words), &stand.folder).env("COSIGN_PASSWORD", "").run();
        if killed.code() == 137 {
            kills += 1;
        } else {
            // The machine has more time for it now than for the first one.
            whole = start.elapsed().as_secs_f64();
        }
        match tagged(&to).unwrap() {
            found if found == manifest => old += 1,
            found => {
                assert_eq!(found, *root);
                stand.check(&to, root);
            }
        }
        let _finished = stand.promote(&[&from, &to]).success();
        assert_eq!(tagged(&to).as_ref(), Some(root));
        stand.check(&to, root);
        assert_eq!(layers(&beside(&to, root, "sig")).len(), 1);
        let mine = stand.log().into_iter().filter(|line| line["to"] == format!("docker://{to}").as_str()).count();
        assert_eq!(mine, 1, "{to}");
    }
    println!("{kills} of {ROUNDS} were killed, {old} tags had not moved");
    assert!(kills >= ROUNDS / 4 && old >= 1, "{kills} {old}");
}
