//! The programs that the tests compare with: Debian's own where the release has them, newer ones beside them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
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
/// A file that is taken out of a package, which is not installed.
struct Taken {
    suite: Suite,
    package: &'static str,
    /// The file in the package; a program called like the package where it is left out.
    file: Option<&'static str>,
    /// What tests call it.
    name: &'static str,
}

/// Where a package comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Suite {
    /// This machine's own sources: what is loaded into programs of this machine.
    Own,
    /// A suite that carries what this one does not, or not new enough.
    Newer(&'static str),
}

impl Taken {
    const fn of(suite: &'static str, package: &'static str, name: &'static str) -> Self {
        Self { suite: Suite::Newer(suite), package, file: None, name }
    }

    const fn own(package: &'static str, file: &'static str, name: &'static str) -> Self {
        Self { suite: Suite::Own, package, file: Some(file), name }
    }

    /// The file below the place where the package was unpacked.
    fn below(&self, unpacked: &Path) -> PathBuf {
        match self.file {
            Some(file) => unpacked.join(file),
            None => unpacked.join("usr/bin").join(self.package),
        }
    }
}

/// Debian 12's umoci cannot read zstd layers. cosign is there twice, since what it writes by default is not the same.
const TAKEN: &[Taken] = &[
    Taken::of("trixie", "cosign", "cosign2"),
    Taken::of("sid", "cosign", "cosign3"),
    Taken::of("sid", "crane", "crane"),
    Taken {
        file: Some("usr/libexec/docker/cli-plugins/docker-buildx"),
        ..Taken::of("sid", "docker-buildx", "docker-buildx")
    },
    Taken::of("sid", "docker-registry", "docker-registry"),
    Taken::of("sid", "oras", "oras"),
    Taken::of("sid", "umoci", "umoci"),
    Taken::own("softhsm2", "usr/bin/softhsm2-util", "softhsm2-util"),
    Taken::own("libsofthsm2", "usr/lib/softhsm/libsofthsm2.so", "libsofthsm2.so"),
];
/// What leaves C libraries out of the readers that the tests bring themselves.
const READERS: &[&str] = &["exclude_graphdriver_aufs", "exclude_graphdriver_btrfs", "exclude_graphdriver_zfs"];

/// `cargo xtask peers`: installs or fetches what is missing. Running it again changes nothing.
pub(crate) fn fetch(root: &Path) -> Result<()> {
    install()?;
    let folder = root.join("target/peers");
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).map_err(at(&bin))?;
    let missing = |suite: Suite| -> Vec<&Taken> {
        TAKEN.iter().filter(|taken| taken.suite == suite && !bin.join(taken.name).is_file()).collect()
    };
    for suite in [Suite::Own, Suite::Newer("trixie"), Suite::Newer("sid")] {
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

/// Takes files out of packages, without installing them: those of newer suites are static enough to run here.
fn unpack(root: &Path, suite: Suite, files: &[&Taken], folder: &Path) -> Result<()> {
    let (apt, label) = match suite {
        Suite::Own => (Apt::host(root)?, "own"),
        Suite::Newer(suite) => (Apt::suite(root, suite)?, suite),
    };
    apt.refresh()?;
    let debs = folder.join("debs").join(label);
    fs::create_dir_all(&debs).map_err(at(&debs))?;
    let names: Vec<String> = files.iter().map(|taken| taken.package.to_owned()).collect();
    let remotes = apt.describe(&names)?;
    apt.download(&names, &debs)?;
    for taken in files {
        let remote = remotes.iter().find(|remote| remote.package() == taken.package);
        let file = remote.map(|remote| debs.join(&remote.file)).ok_or(Error::Missing(vec![taken.package]))?;
        let unpacked = folder.join("root").join(taken.name);
        fs::create_dir_all(&unpacked).map_err(at(&unpacked))?;
        process::run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&unpacked))?;
        link(&taken.below(&unpacked), &folder.join("bin").join(taken.name))?;
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
