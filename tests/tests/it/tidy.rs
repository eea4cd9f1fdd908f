//! What is drawn but not run drifts: sizes of files, names of modules, commands in the README.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use distil_tests::{Program, place};

/// A file past this many lines of code holds two ideas.
const LONGEST: usize = 400;
/// Module names that say nothing about what is inside.
const NAMELESS: &[&str] = &["common", "helper", "helpers", "misc", "shared", "util", "utils"];

/// Every file that git tracks or would track.
fn files() -> Vec<PathBuf> {
    let git = Program::new("git").arg("-C").arg(place::root());
    let list = git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).run().success().text();
    let files = list.lines().map(|line| place::root().join(line));
    files.filter(|file| file.is_file()).collect()
}

/// Rust sources with their text, but for the tests of a module that lie in a file of their own.
fn rust_files() -> impl Iterator<Item = (PathBuf, String)> {
    let rust = files().into_iter().filter(|file| file.extension().is_some_and(|suffix| suffix == "rs"));
    let rust = rust.filter(|file| !file.ends_with("tests.rs"));
    rust.map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        (file, text)
    })
}

#[test]
fn no_file_is_long() {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = |text: &str| text.lines().take_while(|line| *line != "#[cfg(test)]").filter(code).count();
    let long: Vec<_> = rust_files().map(|(file, text)| (file, lines(&text))).filter(|(_, n)| *n > LONGEST).collect();
    assert!(long.is_empty(), "files with more than {LONGEST} lines of code: {long:?}");
}

#[test]
fn modules_have_names() {
    let nameless: Vec<_> = rust_files()
        .map(|(file, _)| file)
        .filter(|file| {
            let stem = file.file_stem().unwrap().to_str().unwrap();
            let folder = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
            NAMELESS.contains(&stem) || NAMELESS.contains(&folder)
        })
        .collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}

#[test]
fn crates_and_modules_say_what_they_are_for() {
    let silent: Vec<_> = rust_files().filter(|(_, text)| !text.starts_with("//! ")).map(|(file, _)| file).collect();
    assert!(silent.is_empty(), "no documentation at the top of {silent:?}");
    let libraries =
        rust_files().filter(|(file, _)| file.ends_with("src/lib.rs") && file.to_str().unwrap().contains("/crates/"));
    for (file, text) in libraries {
        let docs: Vec<_> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(docs.len() > 5, "{}: crate documentation is a purpose, what is refused and an example", file.display());
        assert!(docs.iter().any(|line| line.starts_with("//! ```")), "{}: no example", file.display());
    }
}

/// The lines of the README's shell blocks.
fn readme_commands() -> Vec<String> {
    let text = fs::read_to_string(place::root().join("README.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let commands: Vec<String> = blocks.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(!commands.is_empty(), "the README shows no commands");
    commands
}

#[test]
fn commands_in_the_readme_exist() {
    let tasks = fs::read_to_string(place::root().join("xtask/src/main.rs")).unwrap();
    for line in readme_commands() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["cargo", "xtask", task, ..] => assert!(tasks.contains(&format!("\n  {task} ")), "no task for: {line}"),
            ["distil", command, rest @ ..] => {
                let help = Program::distil().args([command, "--help"]).run().success().text();
                for option in rest.iter().filter(|word| word.starts_with('-')) {
                    assert!(help.contains(option), "distil {command} has no {option}");
                }
            }
            ["cargo", "install", "--locked", "--path", path] => assert!(place::root().join(path).is_dir(), "{line}"),
            ["podman", ..] => {}
            _ => panic!("a command in the README that no test knows: {line}"),
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = fs::read_to_string(place::root().join("Cargo.toml")).unwrap();
    let architecture = fs::read_to_string(place::root().join("ARCHITECTURE.md")).unwrap();
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let silent: Vec<&str> = names
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("distil-") && !architecture.contains(&format!("`{name}`")))
        .collect();
    assert!(silent.is_empty(), "ARCHITECTURE.md does not say why: {silent:?}");
}

/// Packages come from wherever the machine takes them: a host in the sources would bind everybody to one mirror.
#[test]
fn no_file_names_the_machines_mirror() {
    let ran = Program::new("apt-get").args(["indextargets", "--format", "$(SITE)"]).run().success();
    let text = ran.text();
    let hosts: BTreeSet<&str> = text.lines().filter_map(|site| site.split('/').nth(2)).collect();
    assert!(!hosts.is_empty(), "no apt sources on this machine");
    for file in files() {
        let bytes = fs::read(&file).unwrap();
        for host in &hosts {
            let found = bytes.windows(host.len()).any(|window| window == host.as_bytes());
            assert!(!found, "{} names {host}", file.display());
        }
    }
}
