//! The programs in Python that the tests check documents with, or have made, in a virtual environment of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::error::{Result, at};
use crate::peers::link;
use crate::process;

/// Commands that the packages themselves bring.
const BROUGHT: &[&str] = &["pyspdxtools", "sbomcheck", "sigstore", "syft"];
/// Commands of ours over libraries, and their sources below `tests/validators`.
const OURS: &[(&str, &str)] = &[
    ("cyclonedx-validate", "cyclonedx_validate.py"),
    ("spdx3-shacl", "spdx3_shacl.py"),
    ("statement-validate", "statement_validate.py"),
    ("tuf-repository", "tuf_repository.py"),
    ("yaml-json", "yaml_json.py"),
];

/// Installs what `tests/validators/requirements.txt` names, from wherever this machine's pip takes packages, and puts the
/// commands into `bin`. Where the list is as it was installed, nothing is fetched.
pub(crate) fn install(root: &Path, peers: &Path) -> Result<()> {
    let (sources, venv, bin) = (root.join("tests/validators"), peers.join("python"), peers.join("bin"));
    let requirements = sources.join("requirements.txt");
    let wanted = fs::read(&requirements).map_err(at(&requirements))?;
    let installed = venv.join("installed.txt");
    if !fs::read(&installed).is_ok_and(|found| found == wanted) {
        // Made anew, so that nothing of an older list is left in it.
        process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        // The list names everything, so that nothing else may come in.
        let options = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        process::run(Command::new(venv.join("bin/pip")).args(options).arg(&requirements))?;
        // Last, so that an attempt that failed half way is made again.
        fs::write(&installed, wanted).map_err(at(&installed))?;
    }
    for name in BROUGHT {
        link(&venv.join("bin").join(name), &bin.join(name))?;
    }
    for (name, source) in OURS {
        let path = bin.join(name);
        let python = venv.join("bin/python");
        let script = format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", python.display(), sources.join(source).display());
        fs::write(&path, script).map_err(at(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(at(&path))?;
    }
    Ok(())
}
