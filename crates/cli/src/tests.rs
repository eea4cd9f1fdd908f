use clap::{CommandFactory as _, ValueEnum as _};

use super::*;

fn status(arguments: &[&str]) -> Status {
    run(std::iter::once("distil").chain(arguments.iter().copied()).map(OsString::from), &Environment::default())
}

/// What the parser of the command line says to a wrong one.
fn complaint(arguments: &[&str]) -> String {
    let all = std::iter::once("distil").chain(arguments.iter().copied());
    Arguments::command().try_get_matches_from(all).unwrap_err().render().to_string()
}

#[test]
fn the_grammar_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn help_is_what_it_was() {
    let help = |name: &str| {
        let mut command = Arguments::command();
        command.build();
        let command = if name.is_empty() { &mut command } else { command.find_subcommand_mut(name).unwrap() };
        command.clone().term_width(100).render_long_help().to_string()
    };
    insta::assert_snapshot!("help", help(""));
    insta::assert_snapshot!("help_build", help("build"));
    insta::assert_snapshot!("help_cache", help("cache"));
    insta::assert_snapshot!("help_db", help("db"));
}

#[test]
fn every_command_and_option_says_what_it_does() {
    let mut commands: Vec<_> = Arguments::command().get_subcommands().cloned().collect();
    while let Some(command) = commands.pop() {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
        commands.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn unknown_names_bring_the_nearest() {
    assert!(complaint(&["biuld"]).contains("'build'"));
    assert!(complaint(&["build", "--outptu", "oci:x"]).contains("'--output'"));
    assert!(complaint(&["build", "--progres", "none"]).contains("'--progress'"));
    assert!(complaint(&["--color", "alway"]).contains("'always'"));
}

#[test]
fn a_wrong_reference_says_why() {
    let text = complaint(&["inspect", "ocii:x"]);
    assert!(text.contains("transport") && text.contains("oci-archive"), "{text}");
}

#[test]
fn a_wrong_command_line_is_a_mistake() {
    for arguments in [
        &[][..],
        &["nothing"],
        &["build"],
        &["build", "-o", "nowhere:x"],
        &["build", "-o", "oci:x", "distil.toml", "--deb", "a.deb"],
        &["build", "-o", "oci:x", "--deb", "a.deb", "--variant", "x"],
        &["build", "-o", "oci:x", "--jobs", "0"],
        &["build", "-o", "oci:x", "--platform", "amd64"],
        &["inspect", "oci:x", "--quiet", "-v"],
        &["files", "oci:x", "/a/../b"],
        &["completions", "command.com"],
        &["cache"],
        &["cache", "prune"],
        &["cache", "prune", "--max-size", "much"],
        &["cache", "status"],
        &["db"],
        &["db", "import"],
        &["db", "status"],
    ] {
        assert_eq!(status(arguments), Status::Mistake, "{arguments:?}");
    }
}

#[test]
fn what_is_not_there_has_failed() {
    let dir = std::env::temp_dir().join("distil-that-is-not-there");
    let reference = format!("oci:{}", dir.display());
    for command in ["inspect", "validate", "files"] {
        assert_eq!(status(&[command, &reference]), Status::Failed, "{command}");
    }
}

#[test]
fn a_panic_has_failed() {
    assert_eq!(guarded(|| Status::No), Status::No);
    assert_eq!(guarded(|| panic!("a bug")), Status::Failed);
}

#[test]
fn statuses_are_those_of_the_contract() {
    let codes = [Status::Yes, Status::No, Status::Mistake, Status::Failed, Status::Signal(2), Status::Signal(15)];
    assert_eq!(codes.map(Status::code), [0, 1, 2, 4, 130, 143]);
}

#[test]
fn completions_know_every_command() {
    for shell in clap_complete::Shell::value_variants() {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Arguments::command(), "distil", &mut script);
        let script = String::from_utf8(script).unwrap();
        assert!(Arguments::command().get_subcommands().all(|c| script.contains(c.get_name())), "{shell}");
    }
}
