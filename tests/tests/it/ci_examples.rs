//! The examples for CI: what they run is run here, against a registry on loopback that wants a login.

use std::fs;
use std::path::Path;

use distil_tests::encoding::base64;
use distil_tests::program::{self, Ran, folder};
use distil_tests::registry::Setup;
use distil_tests::{Program, Registry, place};
use serde_json::{Value, json};

use crate::registry_image::{at, own, recipe};

const USER: (&str, &str) = ("ci", "a password: of CI");

/// An example, as JSON.
fn example(name: &str) -> Value {
    let file = place::root().join("examples/ci").join(name);
    Program::new("yaml-json").arg(file).run().success().json()
}

/// A registry, and a folder with a recipe and its lock.
fn project() -> (Registry, tempfile::TempDir) {
    let registry = Registry::with(&Setup { users: &[USER], ..Setup::default() });
    let (guard, folder) = folder();
    recipe(&folder, "");
    let _locked = at(&folder, &["lock"]).success();
    // As if it were installed.
    fs::create_dir(folder.join("bin")).unwrap();
    std::os::unix::fs::symlink(place::distil(), folder.join("bin/distil")).unwrap();
    (registry, guard)
}

/// Runs lines as runners do: the first that fails ends it.
fn run(folder: &Path, lines: &str, variables: &[(&str, &str)]) -> Ran {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let program = own(Program::new("bash"), folder).args(["-e", "-o", "pipefail", "-c", lines]).env("PATH", path);
    variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
}

fn check_pushed(folder: &Path, registry: &Registry, digest: &str) {
    let auths =
        json!({ "auths": { registry.host(): { "auth": base64(format!("{}:{}", USER.0, USER.1).as_bytes()) } } });
    fs::write(folder.join("check.json"), auths.to_string()).unwrap();
    for tag in ["v1.2.3", "latest"] {
        let name = registry.repository(&format!("team/app:{tag}"));
        let seen = at(folder, &["inspect", "--json", "--authfile", "check.json", &name]).success().json();
        assert_eq!(seen["digest"], digest, "{tag}");
    }
    let sbom: Value = serde_json::from_slice(&fs::read(folder.join("sbom.spdx.json")).unwrap()).unwrap();
    assert_eq!(sbom["spdxVersion"], "SPDX-2.3");
}

fn lines(value: &Value) -> String {
    let lines: Vec<&str> = value.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

#[test]
fn the_job_of_gitlab_builds_and_pushes() {
    let (registry, guard) = project();
    let folder = guard.path();
    let job = &example("gitlab.yml")["image"];
    let variable = job["variables"]["REGISTRY_AUTH_FILE"].as_str().unwrap();
    let file = variable.replace("$CI_PROJECT_DIR", folder.to_str().unwrap());
    let (host, image) = (registry.host(), registry.repository("team/app"));
    let variables = [
        ("CI_REGISTRY", host.as_str()),
        ("CI_REGISTRY_IMAGE", &image),
        ("CI_REGISTRY_USER", USER.0),
        ("CI_REGISTRY_PASSWORD", USER.1),
        ("CI_SERVER_HOST", "gitlab.example.org"),
        ("CI_COMMIT_TAG", "v1.2.3"),
        ("REGISTRY_AUTH_FILE", &file),
    ];
    let script = lines(&job["script"]);
    let ran = run(folder, &script, &variables).success();
    let dotenv = fs::read_to_string(folder.join(job["artifacts"]["reports"]["dotenv"].as_str().unwrap())).unwrap();
    let digest = dotenv.trim().strip_prefix("IMAGE_DIGEST=").unwrap().to_owned();
    check_pushed(folder, &registry, &digest);
    assert!(!ran.errors().contains(USER.1) && !ran.text().contains(USER.1));
    // The same version again is the same image; another one under its tag is refused.
    let _again = run(folder, &script, &variables).success();
    recipe(folder, "[image]\nlabels = { other = \"image\" }\n");
    assert_ne!(run(folder, &script, &variables).code(), 0);
    check_pushed(folder, &registry, &digest);
    let _removed = run(folder, &lines(&job["after_script"]), &variables).success();
    assert!(!Path::new(&file).exists());
}

#[test]
fn the_job_of_github_builds_and_pushes() {
    let (registry, guard) = project();
    let folder = guard.path();
    let workflow = example("github.yml");
    let job = &workflow["jobs"]["image"];
    assert_eq!(job["outputs"]["digest"], "${{ steps.push.outputs.digest }}");
    // What `docker login` does, which the machines of GitHub have.
    let docker = "#!/bin/sh\n[ \"$1\" = login ] || exit 9\nmkdir -p \"$HOME/.docker\"\n\
                  auth=$(printf '%s:%s' \"$3\" \"$(cat)\" | base64 -w 0)\n\
                  printf '{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}' \"$LOOPBACK\" \"$auth\" >\"$HOME/.docker/config.json\"\n";
    program::script(&folder.join("bin/docker"), docker);
    let (host, image) = (registry.host(), registry.repository("team/app"));
    let output = folder.join("output");
    let mut digest = String::new();
    for step in job["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        if script.starts_with("cargo install") {
            continue;
        }
        let variables = [
            ("IMAGE", image.as_str()),
            ("TAG", "v1.2.3"),
            ("ACTOR", USER.0),
            ("TOKEN", USER.1),
            ("DIGEST", &digest),
            ("LOOPBACK", &host),
            ("GITHUB_OUTPUT", output.to_str().unwrap()),
        ];
        for (name, _) in step["env"].as_object().into_iter().flatten() {
            assert!(variables.iter().any(|(known, _)| known == name), "{name}");
        }
        let _ran = run(folder, script, &variables).success();
        if step["id"] == "push" {
            let text = fs::read_to_string(&output).unwrap();
            digest = text.trim().strip_prefix("digest=").unwrap().to_owned();
        }
    }
    check_pushed(folder, &registry, &digest);
}
