//! A signed repository of packages that are there, so that locks can be made without a network.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use distil_tests::Signer;
use distil_tests::apt::{rfc_1123, sha256};

use crate::error::{Result, at};
use crate::process;

const SUITE: &str = "bench";

/// A repository in a folder, with a key of its own.
pub(super) struct Repository {
    folder: PathBuf,
    keyring: PathBuf,
    signer: Signer,
}

impl Repository {
    /// An empty one.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("pool")).map_err(at(folder))?;
        let signer = Signer::new();
        Ok(Self { folder: folder.to_path_buf(), keyring: signer.write(folder), signer })
    }

    /// The source that a recipe names.
    pub(super) fn source(&self) -> String {
        format!(
            "{{ uris = [\"file://{}\"], suites = [\"{SUITE}\"], components = [\"main\"], signed-by = \"{}\" }}",
            self.folder.display(),
            self.keyring.display()
        )
    }

    /// Offers exactly these packages, as of a date in seconds since 1970.
    pub(super) fn publish(&self, debs: &[PathBuf], date: i64) -> Result<()> {
        let architecture = process::read(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
        let packages = self.index(debs)?;
        let index = format!("main/binary-{architecture}/Packages");
        let dist = self.folder.join("dists").join(SUITE);
        let file = dist.join(&index);
        fs::create_dir_all(file.with_file_name("")).map_err(at(&file))?;
        fs::write(&file, &packages).map_err(at(&file))?;
        let release = format!(
            "Origin: Bench\nLabel: Bench\nSuite: {SUITE}\nCodename: {SUITE}\nDate: {}\nArchitectures: {architecture}\n\
             Components: main\nSHA256:\n {} {} {index}\n",
            rfc_1123(date),
            sha256(packages.as_bytes()),
            packages.len()
        );
        let file = dist.join("InRelease");
        fs::write(&file, self.signer.sign_inline(&release, date)).map_err(at(&file))
    }

    /// The index of the packages, which are linked into the pool.
    fn index(&self, debs: &[PathBuf]) -> Result<String> {
        let sums = process::read(Command::new("sha256sum").arg("--").args(debs))?;
        let mut index = String::new();
        for (deb, line) in debs.iter().zip(sums.lines()) {
            let sha256 = line.split(' ').next().unwrap_or_default();
            // By name alone: versions hold characters that addresses write otherwise.
            let name = format!("pool/{}.deb", name(deb));
            let link = self.folder.join(&name);
            if link.exists() {
                fs::remove_file(&link).map_err(at(&link))?;
            }
            fs::hard_link(deb, &link).map_err(at(&link))?;
            let size = fs::metadata(deb).map_err(at(deb))?.len();
            let control = process::read(Command::new("dpkg-deb").arg("--field").arg(deb))?;
            let _ = writeln!(index, "{}\nFilename: {name}\nSize: {size}\nSHA256: {sha256}\n", control.trim_end());
        }
        Ok(index)
    }
}

/// A package's name, by the name of its file.
pub(super) fn name(deb: &Path) -> String {
    let file = deb.file_name().unwrap_or_default().to_string_lossy();
    file.split('_').next().unwrap_or_default().to_owned()
}

/// Packs a package anew with another version and one other file, and gives the path of what was made below `folder`.
pub(super) fn changed(deb: &Path, folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("tree");
    process::run(Command::new("dpkg-deb").arg("--raw-extract").arg(deb).arg(&tree))?;
    let name = name(deb);
    let document = format!("usr/share/doc/{name}/copyright");
    let edit = |file: PathBuf, edit: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        fs::write(&file, edit(text)).map_err(at(&file))
    };
    edit(tree.join(&document), &|text| text + "\nChanged for a bench.\n")?;
    let version = |line: &str| {
        if line.starts_with("Version: ") { in_line(&format!("{line}+bench1")) } else { in_line(line) }
    };
    edit(tree.join("DEBIAN/control"), &|text| text.lines().map(version).collect())?;
    // A package need not list every file there.
    let sums = |text: String| text.lines().filter(|line| !line.ends_with(&document)).map(in_line).collect();
    edit(tree.join("DEBIAN/md5sums"), &sums)?;
    let made = folder.join(format!("{name}_changed.deb"));
    process::run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&made))?;
    fs::remove_dir_all(&tree).map_err(at(&tree))?;
    Ok(made)
}

fn in_line(text: &str) -> String {
    format!("{text}\n")
}
