//! The test kit itself: what it makes by hand, dpkg and GNU tar read as it was meant.

use distil_tests::program::folder;
use distil_tests::tar::{self, Entry};
use distil_tests::{Deb, Program, listing};

fn package() -> Deb {
    let long = format!("./usr/share/{}/name", "long-".repeat(30));
    Deb::new("kit")
        .field("Depends: libc6")
        .file("/usr/bin/kit", "odd")
        .entry(Entry::hardlink("./usr/bin/kit2", "./usr/bin/kit"))
        .entry(Entry::symlink("./usr/bin/kit3", "kit"))
        .entry(Entry::file("./usr/bin/su", "su").mode(0o4755).owned_by(0, 42))
        .entry(Entry::file(&long, "long name"))
        .entry(Entry::symlink("./usr/share/to", &"../up".repeat(30)))
}

#[test]
fn dpkg_deb_reads_what_the_kit_makes() {
    let plain = tar::archive(&package().data);
    for compression in ["", "gz", "xz", "zst"] {
        let (_guard, folder) = folder();
        let file = package().compressed(compression).write(&folder);
        let control = Program::new("dpkg-deb").arg("--info").arg(&file).arg("control").run().success().text();
        assert_eq!(control, package().control, "{compression}");
        let data = Program::new("dpkg-deb").arg("--fsys-tarfile").arg(&file).run().success().stdout;
        assert!(data == plain, "{compression}: another data archive");
    }
}

#[test]
fn tar_extracts_what_the_kit_makes() {
    let (_guard, folder) = folder();
    let program = Program::new("tar").arg("-C").arg(&folder).args(["-x", "-p", "--numeric-owner", "--no-same-owner"]);
    let ran = program.input(tar::archive(&package().data)).run();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran}");
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!(read("usr/bin/kit2"), "odd");
    assert_eq!(read("usr/bin/kit3"), "odd");
    assert_eq!(read(&format!("usr/share/{}/name", "long-".repeat(30))), "long name");
}

#[test]
fn a_listing_resolves_hard_links() {
    let listing = listing::of_tar(tar::archive(&package().data));
    assert_eq!(listing["usr/bin/kit"], listing["usr/bin/kit2"]);
    assert_eq!(listing["usr/bin/kit"].names.len(), 2);
    assert_eq!(listing["usr/bin/kit3"].content, "kit");
    assert_eq!((listing["usr/bin/su"].mode, listing["usr/bin/su"].owner), (0o4755, (0, 42)));
    assert_eq!(listing["usr/share/to"].content, "../up".repeat(30));
    assert_eq!(listing["usr/bin"].kind, "d");
}
