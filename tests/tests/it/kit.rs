//! The test kit itself: what it makes by hand, dpkg, GNU tar and apt read as it was meant.

use std::fs;
use std::path::Path;

use distil_tests::apt::{DAY, Signature, TIME};
use distil_tests::program::Ran;
use distil_tests::program::folder;
use distil_tests::tar::{self, Entry};
use distil_tests::{Deb, Program, Repository, Signer, listing};

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
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
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

/// What apt, with nothing of this machine's configuration, says to a repository in a folder.
fn apt_update(repository: &Path, suite: &str, components: &str, keyring: &Path) -> (Ran, tempfile::TempDir) {
    let (guard, root) = folder();
    let config = root.join("apt.conf");
    for needed in ["apt.conf.d", "preferences.d", "var/lib/apt/lists/partial"] {
        fs::create_dir_all(root.join(needed)).unwrap();
    }
    let text = format!(
        "Dir \"{0}\";\nDir::State::Status \"{0}/status\";\nDir::Etc \"{0}\";\nAPT::Architecture \"amd64\";\n\
         Dir::Bin::Methods \"/usr/lib/apt/methods\";\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n",
        root.display()
    );
    fs::write(&config, text).unwrap();
    fs::write(root.join("status"), "").unwrap();
    let source = format!("deb [signed-by={}] file:{} {suite} {components}\n", keyring.display(), repository.display());
    fs::write(root.join("sources.list"), source).unwrap();
    let apt = |words: &[&str]| Program::new("apt-get").env("APT_CONFIG", &config).args(words).current_dir(&root).run();
    let updated = apt(&["update", "-o", "APT::Update::Error-Mode=any"]);
    let ran = if updated.status.success() { apt(&["download", "hello"]) } else { updated };
    (ran, guard)
}

#[test]
fn apt_takes_the_repositories_that_the_kit_makes() {
    let signers = [Signer::new(), Signer::with("rsa2048", "1y")];
    let plain = Repository::new("test").with(Deb::new("hello")).with_in("extra", Deb::new("other"));
    let repositories = [
        plain.clone(),
        Repository { all_apart: true, ..plain.clone() },
        Repository { signature: Signature::Detached, forms: vec!["xz"], ..plain.clone() },
        Repository { suite: "flat/".to_owned(), by_hash: false, valid_until: Some(TIME + 3650 * DAY), ..plain },
    ];
    for (repository, signer) in repositories.iter().zip(signers.iter().cycle()) {
        let (_guard, folder) = folder();
        repository.publish(&folder, signer);
        let components = if repository.suite.ends_with('/') { "" } else { "main extra" };
        let (ran, root) = apt_update(&folder, &repository.suite, components, &signer.write(&folder));
        assert!(ran.status.success(), "{repository:?} {ran}");
        assert!(root.path().join("hello_1.0_all.deb").is_file(), "{ran}");
    }
}

#[test]
fn apt_refuses_what_the_kit_breaks() {
    let (signer, other) = (Signer::new(), Signer::new());
    let good = Repository::new("test").with(Deb::new("hello"));
    let cases = [
        (Repository { valid_until: Some(TIME + DAY), ..good.clone() }, &signer, "expired"),
        (Repository { signature: Signature::Missing, ..good.clone() }, &signer, "not signed"),
        (good.clone().release_rewritten("SHA256:", "MD5Sum:"), &signer, "weak security"),
        (good.clone().indices_rewritten("SHA256: ", "MD5sum: "), &signer, "Insufficient information"),
        (good, &other, "NO_PUBKEY"),
    ];
    for (repository, by, said) in cases {
        let (_guard, folder) = folder();
        repository.publish(&folder, by);
        let (ran, _root) = apt_update(&folder, "test", "main", &signer.write(&folder));
        assert!(!ran.status.success() && ran.errors().contains(said), "{said:?}: {ran}");
    }
}
