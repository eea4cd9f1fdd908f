//! Recipes on this machine's apt sources, locked and fetched for the tests, which then need no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Result, at};
use crate::process;

/// Folders of recipes.
const RECIPES: [&str; 6] =
    ["examples/base", "examples/cc", "examples/java", "examples/python", "examples/static", "tests/data/dpkg-root"];

/// Copies each recipe to `target/locked/NAME`, locks it there anew, and fetches its packages into `target/locked/cache`
/// and into the folder `vendor` beside the recipe.
pub(crate) fn fetch(root: &Path, distil: &Path) -> Result<()> {
    let all = root.join("target/locked");
    for recipe in RECIPES {
        let from = root.join(recipe);
        let to = all.join(from.file_name().unwrap_or_default());
        if to.exists() {
            fs::remove_dir_all(&to).map_err(at(&to))?;
        }
        fs::create_dir_all(&to).map_err(at(&to))?;
        for file in plain_files(&from)? {
            let copy = to.join(file.file_name().unwrap_or_default());
            fs::copy(&file, &copy).map_err(at(file))?;
        }
        let mut lock = Command::new(distil);
        lock.arg("lock").arg(to.join("distil.toml")).arg("--vendor").arg(to.join("vendor"));
        process::run(lock.arg("--quiet").arg("--cache-dir").arg(all.join("cache")))?;
    }
    Ok(())
}

/// The files of a folder, but for a lock that a build by hand left there.
fn plain_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_file() && !path.ends_with("distil.lock") {
            files.push(path);
        }
    }
    Ok(files)
}
