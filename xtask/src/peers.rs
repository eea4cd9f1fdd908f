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
    ("perl", "perl-base"),
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
/// A program that only newer suites carry, or carry new enough.
struct Newer {
    suite: &'static str,
    /// What the package and the program in it are called.
    package: &'static str,
    /// The folder of the program in the package.
    below: &'static str,
    /// What tests call it.
    name: &'static str,
}

impl Newer {
    const fn of(suite: &'static str, package: &'static str, name: &'static str) -> Self {
        Self { suite, package, below: "usr/bin", name }
    }
}

/// Debian 12's umoci cannot read zstd layers. cosign is there twice, since what it writes by default is not the same.
const NEWER: &[Newer] = &[
    Newer::of("trixie", "cosign", "cosign2"),
    Newer::of("sid", "cosign", "cosign3"),
    Newer::of("sid", "crane", "crane"),
    Newer { below: "usr/libexec/docker/cli-plugins", ..Newer::of("sid", "docker-buildx", "docker-buildx") },
    Newer::of("sid", "docker-registry", "docker-registry"),
    Newer::of("sid", "oras", "oras"),
    Newer::of("sid", "umoci", "umoci"),
];
/// What leaves C libraries out of the readers that the tests bring themselves.
const READERS: &[&str] = &["exclude_graphdriver_aufs", "exclude_graphdriver_btrfs", "exclude_graphdriver_zfs"];

/// `cargo xtask peers`: installs or fetches what is missing. Running it again changes nothing.
pub(crate) fn fetch(root: &Path) -> Result<()> {
    install()?;
    let folder = root.join("target/peers");
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    let missing = |suite: &str| -> Vec<&Newer> {
        NEWER.iter().filter(|newer| newer.suite == suite && !bin.join(newer.name).is_file()).collect()
    };
    for suite in ["trixie", "sid"] {
        let missing = missing(suite);
        if !missing.is_empty() {
            unpack(root, suite, &missing, &folder)?;
        }
    }
    validators::install(root, &folder)?;
    build(root, "tests/readers", READERS, &bin.join("readers"))?;
    build(root, "tests/registry", &[], &bin.join("referrers-registry"))
}

/// A program in Go that tests bring themselves: the libraries that containerd and podman read layers with, and a registry
/// with the referrers API. Go knows itself what has changed.
fn build(root: &Path, source: &str, tags: &[&str], program: &Path) -> Result<()> {
    if !process::installed("go") {
        return Err(Error::NoGo);
    }
    let mut command = Command::new("go");
    command.current_dir(root.join(source)).env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local");
    command.args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", &tags.join(","), "-o"]);
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
fn unpack(root: &Path, suite: &str, programs: &[&Newer], folder: &Path) -> Result<()> {
    let apt = Apt::suite(root, suite)?;
    apt.refresh()?;
    let debs = folder.join("debs").join(suite);
    fs::create_dir_all(&debs).map_err(at(&debs))?;
    let names: Vec<String> = programs.iter().map(|newer| newer.package.to_owned()).collect();
    let remotes = apt.describe(&names)?;
    apt.download(&names, &debs)?;
    for newer in programs {
        let remote = remotes.iter().find(|remote| remote.package() == newer.package);
        let file = remote.map(|remote| debs.join(&remote.file)).ok_or(Error::Missing(vec![newer.package]))?;
        let unpacked = folder.join("root").join(newer.name);
        fs::create_dir_all(&unpacked).map_err(at(&unpacked))?;
        process::run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&unpacked))?;
        link(&unpacked.join(newer.below).join(newer.package), &folder.join("bin").join(newer.name))?;
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
