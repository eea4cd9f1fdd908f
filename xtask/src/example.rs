//! The example of the README, as one command.

use std::path::Path;

use crate::error::Result;
use crate::{debs, process};

/// `cargo xtask example python`
pub(crate) fn python(root: &Path) -> Result<()> {
    debs::fetch_set(root, "python")?;
    process::run(process::cargo(root).args([
        "run",
        "--release",
        "--package",
        "distil",
        "--",
        "build",
        "examples/python/distil.toml",
        "-o",
        "oci:target/python:latest",
    ]))
}
