//! Both versions of cosign, without a network, with a home and passwords of their own.

use std::path::Path;

use distil_tests::Program;
use distil_tests::program::Ran;

use crate::registry_image::own;

/// Cosign 2 and 3.
pub(crate) const BOTH: [&str; 2] = ["cosign2", "cosign3"];

/// What keeps a version that signs from asking services in the network.
pub(crate) fn offline(program: &str) -> &'static [&'static str] {
    match program {
        "cosign2" => &["--tlog-upload=false"],
        _ => &["--use-signing-config=false", "--tlog-upload=false"],
    }
}

/// Runs a version in a folder, with the empty password.
pub(crate) fn cosign(folder: &Path, program: &str, words: &[&str]) -> Ran {
    cosign_with("", folder, program, words)
}

/// The same with another password.
pub(crate) fn cosign_with(password: &str, folder: &Path, program: &str, words: &[&str]) -> Ran {
    own(Program::new(program).args(words), folder).env("COSIGN_PASSWORD", password).env("COSIGN_YES", "true").run()
}
