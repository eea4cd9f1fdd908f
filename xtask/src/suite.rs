//! The whole test suite, with all it needs.

use std::env;
use std::path::Path;

use crate::error::{Result, at};
use crate::{debs, locked, peers, process};

/// The binaries that tests run, since a test of another package gets no path to them from cargo.
const BUILD: [&str; 5] = ["build", "--package", "distil", "--package", "distil-example-embed"];
/// What is built and tested although nothing has it unless it asks.
const FEATURES: [&str; 2] = ["--features", "distil/pkcs11,distil/keyless"];

/// `cargo xtask test …`: what is not ours goes to `cargo test`.
pub(crate) fn task(root: &Path, arguments: &[&str]) -> Result<()> {
    let offline = arguments.contains(&"--offline");
    if !offline {
        peers::fetch(root)?;
        debs::fetch_set(root, "python")?;
        debs::fetch_set(root, "sample")?;
    }
    process::run(process::cargo(root).args(BUILD).args(FEATURES).args(offline.then_some("--offline")))?;
    // The binary lies beside this one, whatever target directory is in use.
    let own = env::current_exe().map_err(at("the path of this program"))?;
    let (binary, embed) = (own.with_file_name("distil"), own.with_file_name("distil-example-embed"));
    if !offline {
        locked::fetch(root, &binary)?;
    }
    // Documentation tests run too: `cargo test` without a choice of targets includes them.
    process::run(
        process::cargo(root)
            .arg("test")
            .arg("--workspace")
            .args(FEATURES)
            .args(arguments)
            .env("DISTIL_BIN", binary)
            .env("DISTIL_EMBED", embed),
    )
}
