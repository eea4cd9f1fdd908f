//! The whole test suite, with all it needs.

use std::env;
use std::path::Path;

use crate::error::{Result, at};
use crate::{debs, peers, process};

/// `cargo xtask test …`: what is not ours goes to `cargo test`.
pub(crate) fn task(root: &Path, arguments: &[&str]) -> Result<()> {
    let offline = arguments.contains(&"--offline");
    if !offline {
        peers::fetch(root)?;
        debs::fetch_set(root, "python")?;
        debs::fetch_set(root, "sample")?;
    }
    let offline = offline.then_some("--offline");
    process::run(process::cargo(root).args(["build", "--package", "distil"]).args(offline))?;
    // The binary lies beside this one, whatever target directory is in use.
    let own = env::current_exe().map_err(at("the path of this program"))?;
    let binary = own.with_file_name("distil");
    // Documentation tests run too: `cargo test` without a choice of targets includes them.
    process::run(process::cargo(root).arg("test").arg("--workspace").args(arguments).env("DISTIL_BIN", binary))
}
