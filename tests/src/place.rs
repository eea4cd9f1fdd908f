//! Where things lie: the workspace, what `cargo xtask` fetched, and the binary under test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The packages of a set, sorted by file name.
#[must_use]
pub fn debs(set: &str) -> Vec<PathBuf> {
    let folder = root().join("target/debs").join(set);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}; get it with: cargo xtask debs {set}", folder.display());
    });
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|suffix| suffix == "deb"));
    files.sort();
    files
}

/// A folder with a recipe on the machine's apt sources, its lock, and its packages in the folder `vendor`.
#[must_use]
pub fn locked(name: &str) -> PathBuf {
    let folder = root().join("target/locked").join(name);
    assert!(folder.join("distil.lock").is_file(), "{} is not locked; run: cargo xtask test", folder.display());
    folder
}

/// The cache that holds the packages of every [`locked`] recipe.
#[must_use]
pub fn locked_cache() -> PathBuf {
    root().join("target/locked/cache")
}

/// A program that `cargo xtask peers` fetched or installed.
#[must_use]
pub fn peer(name: &str) -> PathBuf {
    let fetched = root().join("target/peers/bin").join(name);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(fetched).chain(env::split_paths(&path).map(|folder| folder.join(name)));
    let missing = || panic!("this test needs {name}; get it with: cargo xtask peers");
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(missing)
}

/// The `distil` under test.
#[must_use]
pub fn distil() -> PathBuf {
    built("DISTIL_BIN")
}

/// The example program that embeds the library.
#[must_use]
pub fn embed() -> PathBuf {
    built("DISTIL_EMBED")
}

/// A binary that `cargo xtask test` built.
fn built(variable: &str) -> PathBuf {
    let missing = || panic!("{variable} does not name a binary to test; run: cargo xtask test");
    env::var_os(variable).map_or_else(missing, PathBuf::from)
}
