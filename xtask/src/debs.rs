//! Package sets: the .debs of a list, downloaded once and checked every time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::{Apt, Remote};
use crate::error::{Error, Result, at};
use crate::{process, sample};

/// A named set, or a list in a file.
enum Wanted<'a> {
    Set(&'a str),
    List(PathBuf),
}

/// `cargo xtask debs …`
pub(crate) fn task(root: &Path, arguments: &[&str]) -> Result<()> {
    let (wanted, into) = match arguments {
        [set] if !set.starts_with('-') => (Wanted::Set(set), None),
        [set, "--into", dir] if !set.starts_with('-') => (Wanted::Set(set), Some(PathBuf::from(dir))),
        ["--list", file] => (Wanted::List(file.into()), None),
        ["--list", file, "--into", dir] => (Wanted::List(file.into()), Some(PathBuf::from(dir))),
        _ => return Err(Error::Usage(format!("debs {}", arguments.join(" ")))),
    };
    let apt = Apt::host(root)?;
    apt.refresh()?;
    let (names, label) = match &wanted {
        Wanted::Set("sample") => (sample::names(&apt.indices()?), "sample".to_owned()),
        Wanted::Set(set) => (read_list(&list_of(root, set)?)?, (*set).to_owned()),
        Wanted::List(file) => (read_list(file)?, file.file_stem().unwrap_or_default().to_string_lossy().into_owned()),
    };
    fetch(&apt, &names, &into.unwrap_or_else(|| folder(root, &label)))
}

/// Where a set lies unless somebody wants it elsewhere.
pub(crate) fn folder(root: &Path, set: &str) -> PathBuf {
    root.join("target/debs").join(set)
}

/// Downloads a named set to its usual folder.
pub(crate) fn fetch_set(root: &Path, set: &str) -> Result<()> {
    task(root, &[set])
}

fn list_of(root: &Path, set: &str) -> Result<PathBuf> {
    match set {
        "python" | "jre" | "large" => Ok(root.join("benches/sets").join(format!("{set}.txt"))),
        _ => Err(Error::Usage(format!("debs {set}"))),
    }
}

fn read_list(file: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).map_err(at(file))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

/// Makes `into` hold exactly the packages named: what is there and matches is kept, the rest is downloaded, and
/// packages of other names or versions go.
pub(crate) fn fetch(apt: &Apt, names: &[String], into: &Path) -> Result<()> {
    fs::create_dir_all(into).map_err(at(into))?;
    let mut remotes = apt.describe(names)?;
    let mut missing = missing(&remotes, into)?;
    if !missing.is_empty() && apt.download(&missing, into).is_err() {
        // The archive moved on since the lists were fetched: a version that it no longer has cannot be downloaded.
        apt.update()?;
        remotes = apt.describe(names)?;
        missing = self::missing(&remotes, into)?;
        if !missing.is_empty() {
            apt.download(&missing, into)?;
        }
    }
    remove_others(&remotes, into)?;
    if let Some(wrong) = self::missing(&remotes, into)?.first() {
        return Err(Error::Digest(into.join(wrong)));
    }
    let bytes: u64 = remotes.iter().map(|remote| remote.size).sum();
    eprintln!("{}: {} packages, {bytes} bytes", into.display(), remotes.len());
    Ok(())
}

/// Names of packages whose file is absent, or has another size or digest; such a file is removed.
fn missing(remotes: &[Remote], into: &Path) -> Result<Vec<String>> {
    let present: Vec<&Remote> = remotes.iter().filter(|remote| into.join(&remote.file).is_file()).collect();
    let digests = sha256(&present, into)?;
    let mut missing = Vec::new();
    for remote in remotes {
        let path = into.join(&remote.file);
        match digests.get(&remote.file) {
            Some(digest) if *digest == remote.sha256 => continue,
            Some(_) => fs::remove_file(&path).map_err(at(path))?,
            None => {}
        }
        missing.push(remote.package().to_owned());
    }
    Ok(missing)
}

/// Digests of files by name, as `sha256sum` gives them.
fn sha256(remotes: &[&Remote], folder: &Path) -> Result<BTreeMap<String, String>> {
    if remotes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let files = remotes.iter().map(|remote| &remote.file);
    let lines = process::read(Command::new("sha256sum").arg("--").args(files).current_dir(folder))?;
    let pairs = lines.lines().filter_map(|line| line.split_once("  "));
    Ok(pairs.map(|(digest, file)| (file.to_owned(), digest.to_owned())).collect())
}

fn remove_others(remotes: &[Remote], folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".deb") && remotes.iter().all(|remote| remote.file != *name) {
            let path = folder.join(&*name);
            fs::remove_file(&path).map_err(at(path))?;
        }
    }
    Ok(())
}
