//! Registries that lie to who pulls. Each lie is refused, or survived where the truth comes in the end; nothing gets a name
//! that is not whole, and the same registry being honest again is believed.

use std::fs;
use std::thread;

use distil_tests::encoding::base64;
use distil_tests::loopback::{Answer, Asked, Sent};
use distil_tests::lying_registry::error;
use distil_tests::program::{Ran, folder};
use distil_tests::{LyingRegistry, layout};
use serde_json::json;

use crate::example::reference;
use crate::registry_image::{at, digest, image};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SECRET: &str = "the-secret-of-ann";

/// What a registry is made to say.
type Lies<'a> = &'a (dyn Fn(&LyingRegistry) + Sync);

/// Pulls from a registry that lies; with the exit status unjudged.
fn pull(registry: &LyingRegistry, lies: Lies<'_>) -> (Ran, tempfile::TempDir) {
    let (guard, folder) = folder();
    let auth = base64(format!("ann:{SECRET}").as_bytes());
    let auths = json!({ "auths": { registry.host(): { "auth": auth } } });
    fs::create_dir(folder.join(".docker")).unwrap();
    fs::write(folder.join(".docker/config.json"), auths.to_string()).unwrap();
    lies(registry);
    let ran = at(&folder, &["copy", "--json", &registry.repository("app:test"), "oci:back:v1"]);
    assert!(!ran.errors().contains(SECRET) && !ran.text().contains(SECRET), "{ran}");
    (ran, guard)
}

/// Each lie is refused with exit status 4, and nothing has a name afterwards. The cases run side by side: most of their time
/// they wait before they ask again.
fn check_refused(cases: &[(&str, Lies<'_>)]) {
    let check = |name: &str, lies: Lies<'_>| {
        let registry = LyingRegistry::serving(&image().layout);
        let (ran, folder) = pull(&registry, lies);
        assert_eq!(ran.code(), 4, "{name}: {ran}");
        assert!(ran.errors().contains("error: "), "{name}: {ran}");
        let back = folder.path().join("back");
        assert!(!layout::is_finished(&back), "{name}: left an image: {ran}");
        registry.tell_the_truth();
        let ran = at(folder.path(), &["copy", "--json", &registry.repository("app:test"), "oci:back:v1"]);
        assert_eq!(digest(&ran.success().json()), image().digest, "{name}");
        let _valid = at(folder.path(), &["validate", &reference(&back, "v1")]).success();
    };
    at_once(cases, &check);
}

/// Each lie is told and yet the image arrives, whole and the right one.
fn check_survived(cases: &[(&str, Lies<'_>)]) {
    let check = |name: &str, lies: Lies<'_>| {
        let registry = LyingRegistry::serving(&image().layout);
        let (ran, folder) = pull(&registry, lies);
        assert!(ran.status.success(), "{name}: {ran}");
        assert_eq!(digest(&ran.json()), image().digest, "{name}");
        let _valid = at(folder.path(), &["validate", &reference(&folder.path().join("back"), "v1")]).success();
    };
    at_once(cases, &check);
}

fn at_once(cases: &[(&str, Lies<'_>)], check: &(dyn Fn(&str, Lies<'_>) + Sync)) {
    let _built = image();
    thread::scope(|scope| {
        for (name, lies) in cases {
            let _running = scope.spawn(move || check(name, *lies));
        }
    });
}

/// A descriptor's digest in the image: of the first platform's manifest, its config and its largest layer.
fn part(which: &str) -> String {
    let image = layout::image(&image().layout, "test");
    let text = |value: &serde_json::Value| value["digest"].as_str().unwrap().to_owned();
    let size = |layer: &&serde_json::Value| layer["size"].as_u64().unwrap();
    match which {
        "manifest" => image.digest,
        "config" => text(&image.manifest["config"]),
        _ => text(image.manifest["layers"].as_array().unwrap().iter().max_by_key(size).unwrap()),
    }
}

fn flipped(mut answer: Answer) -> Answer {
    let middle = answer.body.len() / 2;
    answer.body[middle] ^= 1;
    answer
}

fn of_kind(kind: &'static str) -> impl Fn(&Asked, Answer) -> Answer + Send + Sync {
    move |_, answer| answer.with("Content-Type", kind)
}

#[test]
fn other_bytes_are_refused() {
    let [manifest, config, layer] = ["manifest", "config", "layer"].map(part);
    let change = |digest: &str, registry: &LyingRegistry| registry.lie("GET", digest, |_, answer| flipped(answer));
    let longer = |_: &Asked, mut answer: Answer| {
        answer.body.push(b' ');
        answer
    };
    let shorter = |_: &Asked, mut answer: Answer| {
        let _last = answer.body.pop();
        answer
    };
    check_refused(&[
        ("index", &|registry| {
            registry.lie(
                "*",
                "/manifests/test",
                |asked, answer| if asked.method == "GET" { flipped(answer) } else { answer },
            );
        }),
        ("manifest", &|registry| change(&manifest, registry)),
        ("config", &|registry| change(&config, registry)),
        ("layer", &|registry| change(&layer, registry)),
        ("longer manifest", &|registry| registry.lie("GET", &manifest, longer)),
        ("longer layer", &|registry| registry.lie("GET", &layer, longer)),
        ("shorter manifest", &|registry| registry.lie("GET", &manifest, shorter)),
        ("shorter layer", &|registry| registry.lie("GET", &layer, shorter)),
        ("no manifest", &|registry| registry.lie("*", &manifest, |_, _| Answer::body("text/html", "<html>"))),
        ("empty layer", &|registry| registry.lie("GET", &layer, |_, _| Answer::status(200))),
        ("another layer", &|registry| registry.lie("GET", &layer, |_, _| Answer::body("text/plain", [0; 4096]))),
    ]);
}

#[test]
fn digests_and_types_that_disagree_are_refused() {
    let manifest = part("manifest");
    let zeros = format!("sha256:{}", "0".repeat(64));
    let stated = |registry: &LyingRegistry, part: &str, value: &str| {
        let value = value.to_owned();
        registry.lie("*", part, move |_, answer| answer.with("Docker-Content-Digest", value.clone()));
    };
    check_refused(&[
        ("digest of the index", &|registry| stated(registry, "/manifests/test", &zeros)),
        ("no digest at all", &|registry| stated(registry, "/manifests/test", "sha256:../../../etc/passwd")),
        ("manifest for an index", &|registry| registry.lie("*", "/manifests/test", of_kind(MANIFEST))),
        ("index for a manifest", &|registry| registry.lie("*", &manifest, of_kind(INDEX))),
        ("schema 1", &|registry| {
            let kind = "application/vnd.docker.distribution.manifest.v1+prettyjws";
            registry.lie("*", "/manifests/test", of_kind(kind));
        }),
        ("status", &|registry| registry.lie("*", "/manifests/test", |_, answer| Answer { status: 206, ..answer })),
    ]);
}

/// An honest registry may have another image under a tag from one request to the next. One of them comes, and whole.
#[test]
fn a_tag_that_moves_between_two_requests_gives_one_of_both() {
    let (other, registry) = (part("manifest"), LyingRegistry::serving(&image().layout));
    let stated = other.clone();
    let (ran, folder) = pull(&registry, &move |registry: &LyingRegistry| {
        let stated = stated.clone();
        registry.lie("HEAD", "/manifests/test", move |_, answer| answer.with("Docker-Content-Digest", stated.clone()));
    });
    if ran.status.success() {
        let found = digest(&ran.json());
        assert!(found == other || found == image().digest, "{found}");
        assert_eq!(layout::image(&folder.path().join("back"), "v1").root, found);
    } else {
        assert_eq!(ran.code(), 4, "{ran}");
        assert!(!layout::is_finished(&folder.path().join("back")));
    }
}

#[test]
fn images_without_bounds_are_refused() {
    let nested = |registry: &LyingRegistry, depth: usize| {
        let mut inner = (image().digest.clone(), fs::metadata(blob(&image().digest)).unwrap().len());
        for _ in 0..depth {
            let entry = json!({ "mediaType": INDEX, "digest": inner.0, "size": inner.1 });
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string();
            inner = (registry.put(INDEX, index.as_bytes()), index.len() as u64);
        }
        registry.tag("test", &inner.0);
    };
    let filled = |registry: &LyingRegistry, annotation: usize, entries: usize| {
        let entry = json!({ "mediaType": INDEX, "digest": format!("sha256:{}", "0".repeat(64)), "size": 2 });
        let index = json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": vec![entry; entries],
            "annotations": { "a": "x".repeat(annotation) },
        });
        registry.tag("test", &registry.put(INDEX, index.to_string().as_bytes()));
    };
    // Honest again, the registry still has these images: only the tag goes back.
    let cases: [(&str, Lies<'_>); 3] = [
        ("60 indexes, one in the other", &|registry| nested(registry, 60)),
        ("5 MB of annotations", &|registry| filled(registry, 5 << 20, 1)),
        ("20,000 entries", &|registry| filled(registry, 0, 20_000)),
    ];
    for (name, lies) in cases {
        let registry = LyingRegistry::serving(&image().layout);
        let (ran, folder) = pull(&registry, lies);
        assert_eq!(ran.code(), 4, "{name}: {ran}");
        assert!(!layout::is_finished(&folder.path().join("back")), "{name}");
    }
}

fn blob(digest: &str) -> std::path::PathBuf {
    image().layout.join("blobs").join(digest.replace(':', "/"))
}

#[test]
fn bodies_without_end_are_refused() {
    let endless = |_: &Asked, answer: Answer| Answer { sent: Sent::Endless, ..answer };
    let [manifest, config, layer] = ["manifest", "config", "layer"].map(part);
    check_refused(&[
        ("index", &|registry| registry.lie("GET", "/manifests/test", endless)),
        ("manifest", &|registry| registry.lie("GET", &manifest, endless)),
        ("config", &|registry| registry.lie("GET", &config, endless)),
        ("layer", &|registry| registry.lie("GET", &layer, endless)),
        ("referrers", &|registry| registry.lie("GET", "/referrers/", endless)),
        ("words of an error", &|registry| {
            registry.lie("GET", &layer, |_, _| Answer { sent: Sent::Endless, ..error(403, "DENIED") });
        }),
    ]);
}

#[test]
fn cut_and_wrong_lengths_are_refused_or_survived() {
    let layer = part("layer");
    let first = |bytes: usize| move |_: &Asked, answer: Answer| Answer { sent: Sent::First(bytes), ..answer };
    let length = |length: u64| move |_: &Asked, answer: Answer| Answer { sent: Sent::Length(length), ..answer };
    check_refused(&[
        ("nothing of a layer, ever", &|registry| registry.lie("GET", &layer, first(0))),
        ("a layer of another length", &|registry| registry.lie("GET", &layer, length(1 << 40))),
        ("half a manifest, ever", &|registry| registry.lie("GET", "/manifests/test", first(100))),
    ]);
    check_survived(&[
        ("half a layer, once", &|registry| registry.lie_times(1, "GET", &layer, first(10_000))),
        ("half a layer, and ranges are not known", &|registry| {
            registry.lie_times(1, "GET", &layer, first(10_000));
            let honest = registry.digests();
            assert!(honest.contains(&layer));
            let bytes = fs::read(blob(&layer)).unwrap();
            registry.lie("GET", &layer, move |_, answer| Answer { status: 200, body: bytes.clone(), ..answer });
        }),
        ("half a manifest, once", &|registry| registry.lie_times(1, "GET", "/manifests/test", first(100))),
    ]);
}

#[test]
fn a_resumed_layer_that_is_another_part_is_never_taken() {
    let layer = part("layer");
    let cut = |registry: &LyingRegistry| {
        let cut = |_: &Asked, answer: Answer| Answer { sent: Sent::First(10_000), ..answer };
        registry.lie_times(1, "GET", &layer, cut);
    };
    let resumed = |registry: &LyingRegistry, change: fn(Answer) -> Answer| {
        cut(registry);
        registry.lie("GET", &layer, move |asked, answer| {
            if asked.headers.contains_key("range") && answer.status == 206 { change(answer) } else { answer }
        });
    };
    // Whoever asks for the rest and is given something else may ask for the whole again, or give up.
    for change in [
        (|answer| answer.with("Content-Range", "bytes 0-9/10")) as fn(Answer) -> Answer,
        |answer| answer.with("Content-Range", "bytes 10001-60000/60000"),
        |answer| answer.with("Content-Range", "nonsense"),
        |answer| Answer { headers: Vec::new(), ..answer },
        flipped,
        |answer| Answer { body: vec![0; 9], ..answer },
        |_| error(416, "RANGE_INVALID"),
    ] {
        let registry = LyingRegistry::serving(&image().layout);
        let (ran, folder) = pull(&registry, &|registry| resumed(registry, change));
        let back = folder.path().join("back");
        match ran.code() {
            0 => assert_eq!(layout::image(&back, "v1").root, image().digest),
            code => assert!(code == 4 && !layout::is_finished(&back), "{ran}"),
        }
    }
}
