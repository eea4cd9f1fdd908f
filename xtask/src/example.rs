//! The examples of images, each as one command.

use std::path::Path;

use crate::error::{Error, Result};
use crate::process;

/// `cargo xtask example NAME`
pub(crate) fn task(root: &Path, name: &str) -> Result<()> {
    let recipe = root.join("examples").join(name).join("distil.toml");
    if name.contains(['/', '.']) || !recipe.is_file() {
        return Err(Error::Usage(format!("example {name}")));
    }
    let distil = ["run", "--release", "--package", "distil", "--", "build"];
    let recipe = format!("examples/{name}/distil.toml");
    process::run(process::cargo(root).args(distil).args([recipe.as_str(), "-o", &format!("oci:target/{name}:latest")]))
}
