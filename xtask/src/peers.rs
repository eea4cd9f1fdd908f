//! The programs that the tests compare with: Debian's own where the release has them, newer ones beside them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::apt::Apt;
use crate::error::{Error, Result, at};
use crate::{process, validators};

/// Programs and the Debian packages that bring them.
const DEBIAN: &[(&str, &str)] = &[
    ("dpkg-deb", "dpkg"),
    ("faketime", "faketime"),
    ("g++", "g++"),
    ("gcc", "gcc"),
    ("git", "git"),
    ("gpg", "gpg"),
    ("gpg-agent", "gpg-agent"),
    ("gpgconf", "gpgconf"),
    ("openssl", "openssl"),
    ("podman", "podman"),
    ("python3", "python3"),
    ("runc", "runc"),
    ("skopeo", "skopeo"),
    ("time", "time"),
    ("unshare", "util-linux"),
    ("update-ca-certificates", "ca-certificates"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];
/// Packages that only newer suites carry, or carry new enough, and the program in each, which has the package's name:
/// Debian 12's umoci cannot read zstd layers.
const NEWER: &[(&str, &str)] = &[
    ("crane", "usr/bin"),
    ("docker-buildx", "usr/libexec/docker/cli-plugins"),
    ("docker-registry", "usr/bin"),
    ("oras", "usr/bin"),
    ("umoci", "usr/bin"),
];
const NEWER_SUITE: &str = "sid";
/// What leaves C libraries out of the readers that the tests bring themselves.
const READERS: &[&str] = &["exclude_graphdriver_aufs", "exclude_graphdriver_btrfs", "exclude_graphdriver_zfs"];

/// `cargo xtask peers`: installs or fetches what is missing. Running it again changes nothing.
pub(crate) fn fetch(root: &Path) -> Result<()> {
    install()?;
    let folder = root.join("target/peers");
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    let missing: Vec<(&str, &str)> = NEWER.iter().filter(|(name, _)| !bin.join(name).is_file()).copied().collect();
    if !missing.is_empty() {
        unpack(root, &missing, &folder)?;
    }
    validators::install(root, &folder)?;
    build_readers(root, &bin.join("readers"))
}

/// The libraries that containerd and podman read layers with, as one program. Go knows itself what has changed.
fn build_readers(root: &Path, program: &Path) -> Result<()> {
    if !process::installed("go") {
        return Err(Error::NoGo);
    }
    let mut command = Command::new("go");
    command.current_dir(root.join("tests/readers")).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    command.args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", &READERS.join(","), "-o"]);
    process::run(command.arg(program).arg("."))
}

/// Installs missing Debian packages where we are root, and says how to where we are not.
fn install() -> Result<()> {
    let mut packages: Vec<&str> =
        DEBIAN.iter().filter(|(program, _)| !process::installed(program)).map(|(_, package)| *package).collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if !process::is_root()? {
        return Err(Error::Missing(packages));
    }
    process::run(Command::new("apt-get").args(["-qq", "update"]))?;
    let mut command = Command::new("apt-get");
    command.args(["-qq", "install", "-y", "--no-install-recommends"]).args(packages);
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Takes programs out of packages of a newer suite, without installing them: they are static enough to run here.
fn unpack(root: &Path, programs: &[(&str, &str)], folder: &Path) -> Result<()> {
    let apt = Apt::suite(root, NEWER_SUITE)?;
    apt.refresh()?;
    let (debs, unpacked) = (folder.join("debs"), folder.join("root"));
    for path in [&debs, &unpacked] {
        fs::create_dir_all(path).map_err(at(path))?;
    }
    let names: Vec<String> = programs.iter().map(|(name, _)| (*name).to_owned()).collect();
    let remotes = apt.describe(&names)?;
    apt.download(&names, &debs)?;
    for remote in remotes {
        let name = remote.package();
        let unpacked = unpacked.join(name);
        process::run(Command::new("dpkg-deb").arg("-x").arg(debs.join(&remote.file)).arg(&unpacked))?;
        let below = programs.iter().find(|(program, _)| *program == name).map_or("usr/bin", |(_, below)| below);
        link(&unpacked.join(below).join(name), &folder.join("bin").join(name))?;
    }
    Ok(())
}

/// Makes a program findable, in place of an older one.
pub(crate) fn link(target: &Path, link: &Path) -> Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(link)(error)),
        _ => symlink(target, link).map_err(at(link)),
    }
}
