//! Every case of the corpus gets the verdict that `expected.json` gives it, within its limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, layout, listing, place};
use serde_json::Value;

fn corpus() -> PathBuf {
    place::root().join("tests/corpus")
}

/// A case, run: what came out, and where.
struct Outcome {
    ran: Ran,
    rss_mib: u64,
    folder: PathBuf,
}

/// Runs all cases of a kind and reports every one that went wrong. In arguments, `{out}` is an empty folder for what
/// comes out, and `{tmp}` the current one.
fn check(kind: &str, arguments: impl Fn(&Path, &Value) -> Vec<String>) {
    let text = fs::read_to_string(corpus().join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let cases = expected.iter().filter(|(name, _)| name.starts_with(kind));
    let (mut wrong, mut undecided, mut count) = (Vec::new(), Vec::new(), 0);
    for (name, case) in cases {
        count += 1;
        let (guard, folder) = folder();
        let outcome = run(&folder, case, &arguments(&corpus().join(name), case));
        let mut faults = faults(&outcome, case);
        let accepted = outcome.ran.status.success();
        if accepted != (case["expect"] == "accept") {
            if case["firm"] == true {
                faults.push("has another verdict".to_owned());
            } else {
                undecided.push(name.clone());
            }
        }
        if !faults.is_empty() {
            wrong.push(format!("{name} ({}) {}\n{}", case["why"], faults.join(", "), outcome.ran));
        }
        drop(guard);
    }
    assert!(count > 10, "only {count} cases of {kind}");
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{kind} {count} cases; decided otherwise where both may be right: {undecided:?}");
}

fn run(folder: &Path, case: &Value, arguments: &[String]) -> Outcome {
    let temporary = folder.join("tmp");
    let usage = folder.join("rss");
    fs::create_dir(&temporary).unwrap();
    fs::create_dir(folder.join("out")).unwrap();
    let filled = |argument: &String| {
        argument.replace("{out}", folder.join("out").to_str().unwrap()).replace("{tmp}", temporary.to_str().unwrap())
    };
    let seconds = case["seconds"].as_f64().unwrap_or(60.0);
    let program = Program::within("time", seconds).args(["-f", "%M", "-o"]).arg(&usage);
    let ran = program
        .args(arguments.iter().map(filled))
        .env("TMPDIR", &temporary)
        .env("TERM", "dumb")
        .current_dir(&temporary)
        .run();
    let kib = fs::read_to_string(&usage).unwrap_or_default();
    let kib: u64 = kib.lines().last().and_then(|line| line.parse().ok()).unwrap_or(0);
    Outcome { ran, rss_mib: kib / 1024, folder: folder.to_path_buf() }
}

/// What is wrong, whatever the verdict.
fn faults(outcome: &Outcome, case: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let (out, temporary) = (outcome.folder.join("out"), outcome.folder.join("tmp"));
    let said = outcome.ran.errors() + &String::from_utf8_lossy(&outcome.ran.stdout);
    // 1 is a "no" of `validate`; everything else that is not 0 has its own meaning up to 4. The command line gives a
    // panic an exit status, too, but says that it is a bug.
    if !(0..=4).contains(&outcome.ran.code()) || said.contains("panicked") || said.contains("this is a bug") {
        faults.push(format!("died with {}", outcome.ran.code()));
    }
    for path in strings(&case["must-not-make"]) {
        let below = |folder: &Path| folder.join(path.trim_start_matches('/'));
        for path in [PathBuf::from(&path), below(&out), below(&temporary)] {
            if path.symlink_metadata().is_ok() {
                faults.push(format!("made {}", path.display()));
            }
        }
    }
    faults.extend(
        strings(&case["must-not-emit"])
            .into_iter()
            .filter(|text| said.contains(text))
            .map(|text| format!("said {text:?}")),
    );
    faults.extend(
        strings(&case["says"])
            .into_iter()
            .filter(|text| !said.contains(text))
            .map(|text| format!("did not say {text:?}")),
    );
    let bytes: usize = layout::files(&out).values().chain(layout::files(&temporary).values()).map(Vec::len).sum();
    for (limit, used) in [("rss-mib", outcome.rss_mib), ("disk-mib", (bytes >> 20) as u64)] {
        if case[limit].as_u64().is_some_and(|limit| used > limit) {
            faults.push(format!("{limit} {used}"));
        }
    }
    let image = out.join("image");
    if layout::is_finished(&image) {
        if !outcome.ran.status.success() {
            faults.push("left a finished image".to_owned());
        }
        faults.extend(layer_faults(&image, case));
    }
    faults
}

fn layer_faults(image: &Path, case: &Value) -> Vec<String> {
    let listing = listing::of_layers(&layout::image(image, "test").layers);
    let mut faults = Vec::new();
    for (path, digest) in case["has"].as_object().into_iter().flatten() {
        // The corpus has names as text, a listing has the bytes of names.
        let path: String = path.bytes().map(char::from).collect();
        match listing.get(&path) {
            None => faults.push(format!("lacks {path}")),
            Some(node) if digest.as_str().is_some_and(|digest| node.content != digest) => {
                faults.push(format!("other {path}"));
            }
            Some(_) => {}
        }
    }
    let unwanted = strings(&case["has-not"]).into_iter().filter(|path| listing.contains_key(path));
    faults.extend(unwanted.map(|path| format!("has {path}")));
    faults
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The command line of the `distil` under test with these arguments.
fn distil(arguments: &[&str]) -> Vec<String> {
    let binary = place::distil();
    let words = std::iter::once(binary.to_str().unwrap()).chain(arguments.iter().copied());
    words.chain(["--cache-dir", "{tmp}/cache"]).map(str::to_owned).collect()
}

#[test]
fn packages() {
    check("deb/", |case, _| distil(&["build", "--deb", case.to_str().unwrap(), "-o", "oci:{out}/image:test"]));
}

#[test]
fn layers() {
    check("tar/", |case, _| distil(&["build", "--tar", case.to_str().unwrap(), "-o", "oci:{out}/image:test"]));
}

#[test]
fn layouts() {
    check("layout/", |case, expected| {
        let tag = expected["tag"].as_str().map(|tag| format!(":{tag}")).unwrap_or_default();
        distil(&["validate", &format!("oci:{}{tag}", case.display())])
    });
}

/// A case that fails for the reason of another one would show nothing about its own.
#[test]
fn repositories_fail_for_reasons_of_their_own() {
    let text = fs::read_to_string(corpus().join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let mut reasons: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for (name, case) in &expected {
        if case["request"].is_object() && case["expect"] == "reject" {
            let says = strings(&case["says"]);
            assert!(!says.is_empty(), "{name} has no reason");
            if let Some(other) = reasons.insert(says, name) {
                panic!("{name} and {other} fail for the same reason");
            }
        }
    }
    assert!(reasons.len() > 30, "only {} reasons", reasons.len());
}

#[test]
fn releases() {
    check("inrelease/", from_repository);
}

#[test]
fn indices() {
    check("packages/", from_repository);
}

/// The command line that builds what a case requests from the repository that it is.
fn from_repository(case: &Path, expected: &Value) -> Vec<String> {
    let script = corpus().join("from-repository.sh");
    let request = |key: &str| expected["request"][key].as_str().unwrap();
    let keyring = case.join(request("keyring"));
    let words = [script.to_str().unwrap(), case.to_str().unwrap(), "{out}", "{tmp}"];
    let request = ["suite", "component", "arch", "package"].map(request);
    words.into_iter().chain(request).chain(keyring.to_str()).map(str::to_owned).collect()
}

/// Guards against a layout that leads its reader to files of the host: even the right bytes are refused behind a link.
#[test]
fn a_blob_that_is_a_link_is_refused() {
    let (_guard, folder) = folder();
    let copy = folder.join("layout");
    let copied = Program::new("cp").arg("-r").arg(corpus().join("layout/ok")).arg(&copy).run();
    assert!(copied.status.success(), "{copied}");
    let reference = format!("oci:{}:test", copy.display());
    let valid = Program::distil().args(["validate", &reference]).run();
    assert_eq!(valid.code(), 0, "{valid}");
    for layer in layout::image(&copy, "test").layers {
        let outside = folder.join("outside");
        fs::rename(&layer, &outside).unwrap();
        std::os::unix::fs::symlink(&outside, &layer).unwrap();
    }
    let linked = Program::distil().args(["validate", &reference]).run();
    assert!([1, 4].contains(&linked.code()), "{linked}");
}

#[test]
fn what_is_read_for_a_listing_is_checked_too() {
    // The manifest is in order; only whoever unpacks the layer sees that it is not the one that the config means.
    let image = format!("oci:{}:test", corpus().join("layout/diff-id-mismatch").display());
    for command in ["inspect", "files"] {
        let ran = Program::distil().arg(command).arg(&image).run().exits(4);
        assert!(ran.stdout.is_empty() && ran.errors().contains("digest"), "{ran}");
    }
}
