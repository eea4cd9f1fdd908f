//! dpkg accepts what distil chose: the locked packages unpack and configure in a system that has nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use distil_tests::program::Ran;
use distil_tests::{Program, place};

use crate::example::{folder_of_this_run, vendored};

/// A system in which dpkg configured the locked packages, made by the first test that asks.
pub(crate) fn configured() -> &'static Path {
    static CONFIGURED: OnceLock<PathBuf> = OnceLock::new();
    CONFIGURED.get_or_init(|| {
        let root = folder_of_this_run().join("dpkg-root");
        let debs = vendored("dpkg-root");
        assert!(debs.len() > 60, "only {} packages", debs.len());
        prepare(&root);
        // Maintainer scripts run programs of packages that are not configured yet, so that all files are there first, as
        // debootstrap does it.
        for deb in &debs {
            let files = Program::new("dpkg-deb").arg("--fsys-tarfile").arg(deb).run().success().stdout;
            let tar = Program::new("tar").arg("-C").arg(&root).args(["-x", "-p", "--keep-directory-symlink"]);
            assert!(tar.input(files).run().status.success(), "{}", deb.display());
        }
        // Only the order of unpacking is forced: what is missing or in conflict still fails when it is configured.
        let unpack = dpkg(&root).args(["--force-depends", "--unpack"]).args(&debs).run();
        assert!(unpack.status.success(), "{unpack}");
        let configure = dpkg(&root).args(["--configure", "-a"]).run();
        assert!(configure.status.success(), "{configure}");
        root
    })
}

#[test]
fn the_locked_packages_configure() {
    let root = configured();
    check_installed(root, vendored("dpkg-root").len());
    let python = Program::new("chroot").arg(root).args(["/usr/bin/python3.11", "-c", "import ssl; print(2 + 2)"]);
    assert_eq!(python.run().success().text(), "4\n");
}

/// What must be there before the first package: merged `/usr`, a database without packages, and a device.
fn prepare(root: &Path) {
    for name in ["bin", "sbin", "lib", "lib64"] {
        fs::create_dir_all(root.join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
    for folder in ["dev", "var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let null = Program::new("mknod").args(["-m", "666"]).arg(root.join("dev/null")).args(["c", "1", "3"]).run();
    assert!(null.status.success(), "this test needs root: {null}");
}

fn dpkg(root: &Path) -> Program {
    let dpkg = Program::new("dpkg").env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    // Flushing every file to disk is for systems that are to survive.
    dpkg.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("--root").arg(root).arg("--force-unsafe-io")
}

/// dpkg has nothing to complain about, and everything is installed in the version that the lock says.
fn check_installed(root: &Path, count: usize) {
    let audit = dpkg(root).arg("--audit").run().success();
    assert!(audit.stdout.is_empty(), "{audit}");
    let query = Program::new("dpkg-query").arg("--root").arg(root).arg("-W");
    let ran: Ran = query.arg("-f=${db:Status-Abbrev}${Package} ${Version}\n").run().success();
    let text = ran.text();
    let installed: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("ii ")).collect();
    assert_eq!((installed.len(), text.lines().count()), (count, count), "{ran}");
    let lock = fs::read_to_string(place::locked("dpkg-root").join("distil.lock")).unwrap();
    for line in installed {
        let (name, version) = line.split_once(' ').unwrap();
        assert!(
            lock.contains(&format!("\"{name}\"")) && lock.contains(&format!("\"{version}\"")),
            "{line} is not locked"
        );
    }
}
