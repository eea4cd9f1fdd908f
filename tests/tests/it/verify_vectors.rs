//! Every vector through the command line: the answers that `cases.json` has, by exit status and by the JSON document.
//!
//! The vectors lie with the library that verifies; where they come from is said there.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use distil_tests::program::{Ran, folder};
use distil_tests::{Program, place};
use serde_json::Value;

/// A folder with all vectors, the layouts unpacked, and the sealed keys that lie elsewhere.
pub(crate) fn vectors() -> &'static Path {
    static FOLDER: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = FOLDER.get_or_init(|| {
        let (guard, folder) = folder();
        let data = place::root().join("crates/signing/tests/data");
        for (from, to) in [("vectors", folder.clone()), ("keys", folder.join("keys"))] {
            let _copied = Program::new("cp").arg("-r").arg(data.join(from).join(".")).arg(to).run().success();
        }
        let _unpacked = Program::new("tar").args(["-xzf", "layouts.tar.gz"]).current_dir(&folder).run().success();
        (guard, folder)
    });
    path
}

fn text<'a>(case: &'a Value, field: &str) -> Option<&'a str> {
    case.get(field).and_then(Value::as_str)
}

/// Options and their values where a case has them.
fn options(case: &Value) -> Vec<String> {
    let valued = [
        ("key", "--key"),
        ("identity", "--certificate-identity"),
        ("identity_regexp", "--certificate-identity-regexp"),
        ("issuer", "--certificate-oidc-issuer"),
        ("trusted_root", "--trusted-root"),
        ("require_reference", "--reference"),
        ("type", "--type"),
        ("bundle", "--bundle"),
        ("signature", "--signature"),
    ];
    let stated = |(field, option): (&str, &str)| Some([option.to_owned(), text(case, field)?.to_owned()]);
    let mut all: Vec<String> = valued.into_iter().filter_map(stated).flatten().collect();
    for (field, option) in [("require_tlog", "--require-tlog"), ("use_signed_timestamps", "--use-signed-timestamps")] {
        if case.get(field).and_then(Value::as_bool) == Some(true) {
            all.push(option.to_owned());
        }
    }
    for (key, value) in case.get("annotations").and_then(Value::as_object).into_iter().flatten() {
        all.extend(["-a".to_owned(), format!("{key}={}", value.as_str().unwrap())]);
    }
    all
}

fn verify(case: &Value, command: &str, what: &str) -> Ran {
    let program = Program::distil().args([command, "--json", what]).args(options(case));
    program.current_dir(vectors()).run()
}

/// What is wrong with the answer to a case about a signature.
fn judge(case: &Value, ran: &Ran) -> Result<(), String> {
    let expect = text(case, "expect").unwrap();
    let told = || Err(format!("{}: {expect} expected: {ran}", case["name"]));
    let code = ran.code();
    // Hostile input is an answer, or a failure to read it; never a mistake of the caller, and never a panic.
    if !matches!(code, 0 | 1 | 4) || ran.errors().contains("panicked") {
        return told();
    }
    if ran.stdout.is_empty() {
        return if code == 4 && expect != "pass" { Ok(()) } else { told() };
    }
    let document = ran.json();
    let all = document["signatures"].as_array().unwrap();
    let good = all.iter().filter(|signature| signature["verified"] == true).count() as u64;
    let complete = document["schema"] == "distil.verify/v1" && document["verified"] == (code == 0);
    // Nothing that was not verified is given out.
    let payloads = all.iter().filter(|signature| signature.get("payload").is_some());
    let leaks = payloads.filter(|signature| signature["verified"] != true || code != 0).count() > 0;
    let least = case.get("min_signatures").and_then(Value::as_u64).unwrap_or(1);
    let right = match expect {
        "pass" => code == 0 && good >= least,
        "fail" => code != 0 && good == 0,
        _ => (code == 0) == (good > 0),
    };
    if complete && right && !leaks { Ok(()) } else { told() }
}

/// What is wrong with what came of a sealed key.
fn judge_key(case: &Value) -> Result<(), String> {
    let program = Program::distil().args(["key", "public", "--key", text(case, "key_file").unwrap()]);
    let ran = program.env("COSIGN_PASSWORD", text(case, "password").unwrap()).current_dir(vectors()).run();
    let right = match text(case, "expect").unwrap() {
        "pass" => {
            let public = std::fs::read(vectors().join(text(case, "public").unwrap())).unwrap();
            ran.code() == 0 && ran.stdout == public
        }
        _ => ran.code() == 2 && ran.stdout.is_empty() && !ran.errors().contains("panicked"),
    };
    if right { Ok(()) } else { Err(format!("{}: {} expected: {ran}", case["name"], case["expect"])) }
}

fn answer(case: &Value) -> Result<(), String> {
    match text(case, "op").unwrap() {
        "load-key" => judge_key(case),
        "verify-blob" => judge(case, &verify(case, "verify-blob", text(case, "artifact").unwrap())),
        op => {
            let what = format!("oci:{}@{}", text(case, "layout").unwrap(), text(case, "image").unwrap());
            judge(case, &verify(case, op, &what))
        }
    }
}

#[test]
fn every_case_has_its_answer() {
    let cases: Value = serde_json::from_slice(&std::fs::read(vectors().join("cases.json")).unwrap()).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 197);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    wrong.lock().unwrap().extend(answer(case).err());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
