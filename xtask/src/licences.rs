//! How much of what packages say about their licences is understood, beside Syft: `benches/LICENCES.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::apt::Apt;
use crate::error::{Error, Result, at};
use crate::{debs, process, sample};

/// How many packages are read. Their names hash lowest, as those of the sample.
const COUNT: usize = 1000;
/// Larger packages have the same copyright files and take longer to fetch.
const LARGEST: u64 = 1_000_000;
/// Prints a line for each package that Syft found: its name, then for each of its licences `=` and SPDX's name for it, if any.
const TEMPLATE: &str = "{{range .artifacts}}{{.name}}{{range .licenses}}\t={{.spdxExpression}}{{end}}\n{{end}}";

/// `cargo xtask licences`: reads the copyright files of the same packages with the crate and with Syft.
pub(crate) fn task(root: &Path) -> Result<()> {
    let folder = root.join("target/licences");
    let packages = folder.join("debs");
    let apt = Apt::host(root)?;
    apt.refresh()?;
    let names = sample::lowest(&apt.indices()?, COUNT, LARGEST);
    debs::fetch(&apt, &names, &packages)?;
    let files = files(&packages)?;
    let ours = ours(root, &files)?;
    let syft = syft(root, &folder.join("image"), &files)?;
    let report = report(files.len(), &ours, &syft);
    eprint!("{report}");
    let path = root.join("benches/LICENCES.md");
    fs::write(&path, report).map_err(at(&path))
}

/// What a reader made of the packages.
#[derive(Debug, PartialEq, Eq, Default)]
struct Shares {
    /// How many have licences, and SPDX has a name for each.
    named: usize,
    /// How many have no licence at all.
    without: usize,
}

/// The .debs of a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(at(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What the example of the crate prints: a line for each package, its third column an expression.
fn ours(root: &Path, files: &[PathBuf]) -> Result<Shares> {
    let example = ["run", "--quiet", "--release", "--package", "distil-sbom", "--example", "licences", "--"];
    let printed = process::read(process::cargo(root).args(example).args(files))?;
    let summary = printed.lines().last().unwrap_or_default();
    if !summary.ends_with(" 0 wrong expressions") {
        return Err(Error::Output { program: "licences", line: summary.to_owned() });
    }
    Ok(of_lines(&printed, files.len(), |line| {
        let expression = line.split('\t').nth(2)?;
        line.contains(".deb\t").then(|| Some(!expression.contains("LicenseRef-")).filter(|_| expression != "-"))
    }))
}

/// What Syft finds in an image that has nothing but the records and the copyright files of the packages.
fn syft(root: &Path, image: &Path, files: &[PathBuf]) -> Result<Shares> {
    make_image(image, files)?;
    let template = image.with_extension("template");
    fs::write(&template, TEMPLATE).map_err(at(&template))?;
    let mut command = Command::new(root.join("target/peers/bin/syft"));
    command.env("SYFT_CHECK_FOR_APP_UPDATE", "false").args(["scan", "--quiet", "--output", "template", "--template"]);
    let printed = process::read(command.arg(&template).arg(format!("dir:{}", image.display())))?;
    Ok(of_lines(&printed, files.len(), |line| {
        let mut licences = line.split('\t').skip(1).peekable();
        licences.peek()?;
        Some(Some(licences.all(|licence| licence != "=" && !licence.contains("LicenseRef-"))))
    }))
}

/// Counts lines: whether a package's licences all have names, if it has any. Packages without a line have none.
fn of_lines(printed: &str, packages: usize, named: impl Fn(&str) -> Option<Option<bool>>) -> Shares {
    let answers: Vec<bool> = printed.lines().filter_map(|line| named(line).flatten()).collect();
    let named = answers.iter().filter(|named| **named).count();
    Shares { named, without: packages.saturating_sub(answers.len()) }
}

fn make_image(image: &Path, files: &[PathBuf]) -> Result<()> {
    if image.exists() {
        fs::remove_dir_all(image).map_err(at(image))?;
    }
    for below in ["etc", "var/lib/dpkg"] {
        let path = image.join(below);
        fs::create_dir_all(&path).map_err(at(path))?;
    }
    let mut status = String::new();
    for file in files {
        let control = process::read(Command::new("dpkg-deb").arg("--field").arg(file))?;
        status.push_str(&control.replacen('\n', "\nStatus: install ok installed\n", 1));
        status.push('\n');
        unpack(file, image)?;
    }
    let os_release = "ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n";
    for (name, text) in
        [("etc/os-release", os_release), ("etc/debian_version", "12\n"), ("var/lib/dpkg/status", &status)]
    {
        let path = image.join(name);
        fs::write(&path, text).map_err(at(path))?;
    }
    Ok(())
}

/// Unpacks the copyright files of a package.
fn unpack(file: &Path, image: &Path) -> Result<()> {
    let start = |program: &str| {
        let program = program.to_owned();
        |source| Error::Start { program, source }
    };
    let mut data = Command::new("dpkg-deb");
    let data = data.arg("--fsys-tarfile").arg(file).stdout(Stdio::piped());
    let mut data = data.spawn().map_err(start("dpkg-deb"))?;
    let mut tar = Command::new("tar");
    tar.arg("--extract").arg("--directory").arg(image).args(["--wildcards", "./usr/share/doc/*/copyright"]);
    // A package without such a file makes tar complain; it is counted as one without a licence.
    let tar = tar.stderr(Stdio::null()).stdin(data.stdout.take().map_or_else(Stdio::null, Stdio::from));
    tar.status().map_err(start("tar"))?;
    data.wait().map_err(start("dpkg-deb"))?;
    Ok(())
}

fn report(packages: usize, ours: &Shares, syft: &Shares) -> String {
    let row = |name: &str, shares: &Shares| {
        let per_mille = |count: usize| 1000 * count / packages.max(1);
        let percent = |count: usize| format!("{}.{} %", per_mille(count) / 10, per_mille(count) % 10);
        format!("| {name} | {} | {} |\n", percent(shares.named), percent(shares.without))
    };
    format!(
        "# Licences of {packages} packages\n\n\
         Made by `cargo xtask licences`: the packages of at most {} kB whose names hash lowest, the same on every machine with\n\
         the same index; each by the copyright file in it. Every expression of distil parses by the crate `spdx`.\n\n\
         | | SPDX names all its licences | no licence found |\n|---|---|---|\n{}{}\n\
         Syft takes the first word after `License:` and joins alternatives by AND; distil's expressions keep them.\n",
        LARGEST / 1000,
        row("distil", ours),
        row("Syft", syft)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_without_a_line_have_no_licence() {
        let named = |line: &str| line.split_once(' ').map(|(_, answer)| answer.parse().ok());
        let shares = of_lines("a true\nb false\nc -\nd\n", 10, named);
        assert_eq!(shares, Shares { named: 1, without: 8 });
    }

    #[test]
    fn the_report_has_both_shares() {
        let report = report(1000, &Shares { named: 555, without: 4 }, &Shares { named: 380, without: 98 });
        assert!(report.contains("| distil | 55.5 % | 0.4 % |\n| Syft | 38.0 % | 9.8 % |\n"), "{report}");
    }
}
