//! A directory with everything that a build without network needs: for each suite a repository with its signed files, its
//! indices, and those of its packages that the lock names.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::{Lock, LockedPlatform, PackageOrigin};
use distil_aptrepo::{Repository, SignedBytes};

use super::error::LockError;
use super::proof;
use crate::provision::{Debs, Market, Provider};
use crate::whole_file;

/// The names of the directories for some suites: those of the suites themselves, fit for a file system, and told apart
/// where two repositories have a suite of one name.
pub(super) fn names(suites: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for suite in suites {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let plain: String = suite.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        let plain = if plain.starts_with('.') { format!("_{plain}") } else { plain };
        let numbered = (2..).map(|n| format!("{plain}-{n}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(name));
        let name = free.unwrap_or(plain);
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// Writes the directory. What is there already and needed stays as it is, and what is not needed, too.
pub(super) fn write(
    dir: &Path,
    market: &Market,
    lock: &Lock,
    debs: &Debs,
    provider: &Provider<'_>,
) -> Result<(), LockError> {
    let suites: Vec<&str> = lock.repositories.iter().map(|repository| repository.suite.as_str()).collect();
    let roots: Vec<PathBuf> = names(&suites).iter().map(|name| dir.join(name)).collect();
    for (repository, root) in market.repositories.iter().zip(&roots) {
        signed_files(repository, root)?;
        for index in &repository.indices {
            let file = provider.index_file(repository, index)?;
            let path = root.join(repository.path_of(&file.path));
            copy(file.bytes.as_slice(), &path)?;
        }
    }
    let all = std::iter::once(&lock.main).chain(lock.variants.values());
    for package in all.flat_map(|locked| locked.platforms.values()).flat_map(LockedPlatform::packages) {
        if let PackageOrigin::Repository { repository, path } = &package.origin
            && let (Some(root), Some(deb)) = (roots.get(*repository), debs.get(&package.sha256))
        {
            let path = root.join(path);
            if proof::digest(&path)?.as_ref() != Some(&package.sha256) {
                copy(deb.open()?, &path)?;
            }
        }
    }
    Ok(())
}

fn signed_files(repository: &Repository, root: &Path) -> Result<(), LockError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(repository.path_of(name));
        whole_file::replace(&path, bytes).map_err(|source| LockError::Write { path, source })
    };
    match &repository.signed {
        SignedBytes::Inline(bytes) => write("InRelease", bytes),
        SignedBytes::Detached { release, signature } => {
            write("Release", release)?;
            write("Release.gpg", signature)
        }
    }
}

fn copy(mut from: impl io::Read, path: &Path) -> Result<(), LockError> {
    whole_file::replace_from(path, &mut from).map_err(|source| LockError::Write { path: path.to_owned(), source })
}
