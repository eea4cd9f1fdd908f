//! Networks that break, registries that are overloaded, and a process that is killed: a name never stands for what is not
//! whole, and the next run finishes.

use std::fs;
use std::thread;

use distil_tests::breaking::{Breaking, Way};
use distil_tests::loopback::{Answer, Asked};
use distil_tests::lying_registry::error;
use distil_tests::program::folder;
use distil_tests::{LyingRegistry, Program, Random, Registry, layout};
use serde_json::json;

use crate::example::reference;
use crate::registry_image::{at, copied, digest, image, own};

/// What crane says a tag has, if there is one.
fn tagged(name: &str) -> Option<String> {
    let ran = Program::new("crane").args(["digest", name]).run();
    ran.status.success().then(|| ran.text().trim().to_owned())
}

/// The image under a name is whole, by what it has and what refers to it.
fn check_whole(name: &str) {
    let (_guard, folder) = folder();
    assert_eq!(copied(name, &reference(&folder.join("back"), "v1")), image().digest);
    let _valid = at(&folder, &["validate", "oci:back:v1"]).success();
    let manifest = layout::image(&image().layout, "test").digest;
    let found = layout::attached(&folder.join("back"), &manifest);
    assert_eq!(found, layout::attached(&image().layout, &manifest));
}

/// Kills copies to a name after some time, which grows until one comes to its end, several times over.
fn check_kills(from: &str, name: &dyn Fn(usize) -> String) {
    let mut random = Random::of_this_run();
    let mut kills = 0;
    for round in 0..4 {
        let to = name(round);
        for step in 1_u32..100 {
            let (_guard, folder) = folder();
            let milliseconds = f64::from(step) * 12.0 + f64::from(u32::try_from(random.below(12)).unwrap());
            let ran = own(Program::distil_within(milliseconds / 1000.0).args(["copy", from, &to]), &folder).run();
            if let Some(found) = tagged(&to) {
                assert_eq!(found, image().digest);
                check_whole(&to);
            }
            if ran.status.success() {
                break;
            }
            assert_eq!(ran.code(), 137, "{ran}");
            kills += 1;
            // Elsewhere in time each round.
            if step as usize % 4 == round {
                break;
            }
        }
        assert_eq!(copied(from, &to), image().digest);
        check_whole(&to);
    }
    assert!(kills > 3, "{kills}");
}

#[test]
fn a_push_that_is_killed_is_finished_by_the_next() {
    let registry = Registry::start();
    check_kills(&image().reference(), &|round| registry.repository(&format!("round{round}/app:v1")));
}

#[test]
fn a_copy_between_registries_that_is_killed_is_finished_by_the_next() {
    let (source, destination) = (Registry::start(), Registry::start_with_referrers());
    let from = source.repository("team/app:v1");
    let _pushed = copied(&image().reference(), &from);
    check_kills(&from, &|round| destination.repository(&format!("round{round}/app:v1")));
}

#[test]
fn a_pull_that_is_killed_is_finished_by_the_next() {
    let registry = Registry::start();
    let from = registry.repository("team/app:v1");
    let _pushed = copied(&image().reference(), &from);
    for milliseconds in (10_u32..250).step_by(20) {
        let (_guard, folder) = folder();
        let killed = Program::distil_within(f64::from(milliseconds) / 1000.0).args(["copy", &from, "oci:back:v1"]);
        let _killed = own(killed, &folder).run();
        if layout::is_finished(&folder.join("back")) {
            let _valid = at(&folder, &["validate", "oci:back:v1"]).success();
        }
        let ran = at(&folder, &["copy", "--json", &from, "oci:back:v1"]).success();
        assert_eq!(digest(&ran.json()), image().digest);
        let _valid = at(&folder, &["validate", "oci:back:v1"]).success();
    }
}

#[test]
fn pushes_and_pulls_survive_a_connection_that_breaks_anywhere() {
    let registry = Registry::start();
    let wire = Breaking::before(&registry.host());
    let from = format!("{}/whole/app:v1", wire.host());
    let before = (wire.passed(Way::Up), wire.passed(Way::Down));
    let _pushed = copied(&image().reference(), &from);
    let pushed = (wire.passed(Way::Up) - before.0, wire.passed(Way::Down) - before.1);
    let (_guard, folder) = folder();
    let _pulled = copied(&from, &reference(&folder.join("whole"), "v1"));
    let pulled = wire.passed(Way::Down) - before.1 - pushed.1;
    // Each break costs a wait; beside one another they cost hardly more than one.
    let parts = 12;
    thread::scope(|scope| {
        for part in 0..parts {
            let (registry, image, from) = (&registry, image(), &from);
            let _push = scope.spawn(move || {
                let wire = Breaking::before(&registry.host());
                let (way, all) = if part % 2 == 0 { (Way::Up, pushed.0) } else { (Way::Down, pushed.1) };
                wire.cut(way, all * part / parts);
                let path = format!("part{part}/app:v1");
                assert_eq!(copied(&image.reference(), &format!("{}/{path}", wire.host())), image.digest);
                assert_eq!(wire.made(), 1, "nothing broke in part {part}");
                check_whole(&registry.repository(&path));
            });
            let _pull = scope.spawn(move || {
                let wire = Breaking::before(&registry.host());
                wire.cut(Way::Down, pulled * part / parts);
                let from = from.split_once('/').map(|(_, path)| format!("{}/{path}", wire.host())).unwrap();
                check_whole(&from);
                assert_eq!(wire.made(), 1, "nothing broke in part {part}");
            });
        }
    });
}

/// An answer of a registry that has too much to do.
fn busy(status: u16, after: Option<&'static str>) -> impl Fn(&Asked, Answer) -> Answer + Send + Sync {
    move |_, _| match after {
        Some(after) => error(status, "TOOMANYREQUESTS").with("Retry-After", after),
        None => error(status, "TOOMANYREQUESTS"),
    }
}

#[test]
fn a_registry_that_is_busy_for_a_while_is_waited_for() {
    let cases = [
        (429, Some("0")),
        (429, Some("-5")),
        (503, Some("Fri, 31 Dec 9999 23:59:59 GMT")),
        (500, None),
        (502, Some("")),
    ];
    let _built = image();
    thread::scope(|scope| {
        for (status, after) in cases {
            let _running = scope.spawn(move || {
                let registry = LyingRegistry::serving(&image().layout);
                for part in ["/manifests/test", "/blobs/sha256", "/referrers/"] {
                    registry.lie_times(2, "GET", part, busy(status, after));
                }
                let (_guard, folder) = folder();
                let name = registry.repository("app:test");
                assert_eq!(copied(&name, &reference(&folder.join("back"), "v1")), image().digest);
                let empty = LyingRegistry::empty();
                for method in ["POST", "PUT", "PATCH", "HEAD"] {
                    empty.lie_times(2, method, "/v2/", busy(status, after));
                }
                assert_eq!(copied(&image().reference(), &empty.repository("app:test")), image().digest);
                assert_eq!(empty.tags()["test"], image().digest);
            });
        }
    });
}

#[test]
fn a_registry_that_is_always_busy_is_given_up() {
    let registry = LyingRegistry::serving(&image().layout);
    registry.lie("*", "/blobs/", busy(429, Some("0")));
    let (_guard, folder) = folder();
    let ran = at(&folder, &["copy", &registry.repository("app:test"), "oci:back:v1"]).exits(4);
    assert!(ran.errors().contains("429") || ran.errors().contains("TOOMANYREQUESTS"), "{ran}");
    assert!(!layout::is_finished(&folder.join("back")));
    assert!(registry.asked().len() < 200, "{}", registry.asked().len());
}

/// What a registry is made to say.
type Lies<'a> = &'a (dyn Fn(&LyingRegistry) + Sync);

/// What a registry says that takes a push and does not mean it.
#[test]
fn lies_to_who_pushes_are_refused_and_leave_no_tag() {
    let other = format!("sha256:{}", "0".repeat(64));
    let stated = |digest: String| move |_: &Asked, answer: Answer| answer.with("Docker-Content-Digest", digest.clone());
    let cases: [(&str, Lies<'_>); 8] = [
        ("blobs are said to be there", &|registry| {
            registry.lie("HEAD", "/blobs/", |asked, _| {
                let name = asked.path().rsplit(':').next().unwrap();
                let size = fs::metadata(image().layout.join("blobs/sha256").join(name)).unwrap().len();
                Answer::status(200).with("Content-Length", size.to_string())
            });
        }),
        ("an upload is taken and dropped", &|registry| {
            registry.lie("POST", "/blobs/uploads/", |_, _| error(404, "NAME_UNKNOWN"));
        }),
        ("an upload has no place", &|registry| {
            registry.lie("POST", "/blobs/uploads/", |_, _| Answer::status(202));
        }),
        ("a part is never taken", &|registry| registry.lie("PATCH", "/uploads/", |_, _| error(416, "RANGE_INVALID"))),
        ("a blob is never complete", &|registry| registry.lie("PUT", "/uploads/", |_, _| error(400, "DIGEST_INVALID"))),
        ("manifests are refused", &|registry| {
            registry.lie("PUT", "/manifests/", |_, _| error(400, "MANIFEST_INVALID"));
        }),
        ("manifests get another digest", &|registry| registry.lie("PUT", "/manifests/sha256", stated(other.clone()))),
        ("pushing is denied", &|registry| registry.lie("POST", "/v2/", |_, _| error(403, "DENIED"))),
    ];
    let _built = image();
    thread::scope(|scope| {
        for (name, lies) in cases {
            let _running = scope.spawn(move || {
                let registry = LyingRegistry::empty();
                lies(&registry);
                let (_guard, folder) = folder();
                let to = registry.repository("app:test");
                // Where there is no `PATCH`, nothing is to be refused about it.
                let ran = at(&folder, &["copy", "--json", &image().reference(), &to]);
                let never_asked = name.contains("a part") && !registry.asked().iter().any(|a| a.method == "PATCH");
                if !never_asked {
                    assert_eq!(ran.code(), 4, "{name}: {ran}");
                    assert!(registry.tags().is_empty(), "{name}: {:?}", registry.tags());
                }
                registry.tell_the_truth();
                assert_eq!(copied(&image().reference(), &to), image().digest, "{name}");
                assert_eq!(registry.tags()["test"], image().digest, "{name}");
            });
        }
    });
}

/// A registry without the referrers API, where anybody who may push has written nonsense under the name of the list.
#[test]
fn lists_of_referrers_that_are_nonsense_hide_nothing_else() {
    let manifest = layout::image(&image().layout, "test").digest;
    let fallback = manifest.replace(':', "-");
    let big = json!({ "schemaVersion": 2, "manifests": [], "annotations": { "a": "x".repeat(5 << 20) } }).to_string();
    let wrong =
        json!({ "schemaVersion": 2, "manifests": [{ "mediaType": 3 }, { "digest": "sha256:../..", "size": -1 }] });
    for (media_type, bytes) in [
        ("application/vnd.oci.image.index.v1+json", "no JSON".to_owned()),
        ("text/html", "<html>".to_owned()),
        ("application/vnd.oci.image.index.v1+json", wrong.to_string()),
        ("application/vnd.oci.image.index.v1+json", big),
        ("application/vnd.oci.image.manifest.v1+json", "{}".to_owned()),
    ] {
        let registry = LyingRegistry::serving(&image().layout);
        registry.lie("GET", "/referrers/", |_, _| error(404, "NOT_FOUND"));
        registry.tag(&fallback, &registry.put(media_type, bytes.as_bytes()));
        let (_guard, folder) = folder();
        let ran = at(&folder, &["copy", "--json", &registry.repository("app:test"), "oci:back:v1"]);
        match ran.code() {
            0 => assert_eq!(layout::image(&folder.join("back"), "v1").root, image().digest),
            code => assert!(code == 4 && !layout::is_finished(&folder.join("back")), "{ran}"),
        }
    }
}
