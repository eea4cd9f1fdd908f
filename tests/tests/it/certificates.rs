//! The CA bundle against the real update-ca-certificates: the same files give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use distil_imgcore::{Entry, EntryKind, FileTree, ImagePath, Metadata, Node, Origin};
use distil_rootfs::{Accounts, Options, finish, wanted};
use distil_tests::Program;
use distil_tests::program::folder;

const PROGRAM: &str = "/usr/sbin/update-ca-certificates";
const PACKAGED: &str = "usr/share/ca-certificates";
const LOCAL: &str = "usr/local/share/ca-certificates";
const CONF: &str = "etc/ca-certificates.conf";
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// What the real program makes of the files below a root; without a configuration, of the one that the package's
/// maintainer script would have written.
fn by_the_program(root: &Path) -> Option<Vec<u8>> {
    assert!(Path::new(PROGRAM).is_file(), "this test needs the packages ca-certificates and openssl");
    let etc = root.join("real");
    fs::create_dir_all(&etc).unwrap();
    let conf = if root.join(CONF).exists() { root.join(CONF) } else { listed(root, &etc) };
    let _ = Program::new("sh")
        .args(["-e", PROGRAM, "--hooksdir", "", "--certsconf"])
        .arg(conf)
        .arg("--certsdir")
        .arg(root.join(PACKAGED))
        .arg("--localcertsdir")
        .arg(root.join(LOCAL))
        .arg("--etccertsdir")
        .arg(&etc)
        .env("LC_ALL", "C")
        .run()
        .success();
    fs::read(etc.join("ca-certificates.crt")).ok()
}

/// A configuration with all certificates, found as the maintainer script finds them.
fn listed(root: &Path, etc: &Path) -> std::path::PathBuf {
    let find = r"find . -type f -name '*.crt' -print | sed -e 's/^\.\///' | sort";
    let names = Program::new("sh").args(["-c", find]).env("LC_ALL", "C").current_dir(&root.join(PACKAGED)).run();
    let conf = etc.join("listed.conf");
    fs::write(&conf, names.success().stdout).unwrap();
    conf
}

/// What we make of the same files.
fn by_us(root: &Path) -> Option<Vec<u8>> {
    let mut tree = FileTree::new();
    read(root, root, &mut tree);
    let content = |path: ImagePath| {
        let bytes = fs::read(root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))).unwrap();
        (path, bytes)
    };
    let contents: BTreeMap<_, _> = wanted(&tree, None).into_iter().map(content).collect();
    let options = Options { accounts: Accounts::new([]).unwrap(), epoch: 0, base: None };
    let finished = finish(&tree, &contents, &options).unwrap();
    let bundle = ImagePath::from_archive(BUNDLE.as_bytes()).unwrap();
    finished.files.into_iter().find(|file| file.entry.path == bundle).map(|file| file.bytes)
}

fn read(root: &Path, folder: &Path, tree: &mut FileTree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let kind = if meta.is_symlink() {
            EntryKind::Symlink { target: fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec() }
        } else if meta.is_dir() {
            read(root, &path, tree);
            EntryKind::Directory
        } else {
            EntryKind::File { size: meta.len() }
        };
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
        let entry = Entry { path: ImagePath::from_archive(name).unwrap(), kind, meta: Metadata::root(0o644, 0) };
        tree.insert(Node { entry, content: None, origin: Origin::new("test") });
    }
}

/// Writes files (`name`, content; a content that starts with `->` is the target of a link), and compares.
#[track_caller]
fn check(files: &[(&str, &str)], conf: Option<&str>) {
    let (_keep, root) = folder();
    let _ = [PACKAGED, LOCAL, "etc"].map(|name| fs::create_dir_all(root.join(name)).unwrap());
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("->") {
            Some(target) => symlink(target, path).unwrap(),
            None => fs::write(path, content).unwrap(),
        }
    }
    if let Some(conf) = conf {
        fs::write(root.join(CONF), conf).unwrap();
    }
    let ours = by_us(&root);
    let theirs = by_the_program(&root);
    let text = |bytes: Option<Vec<u8>>| bytes.map(|b| String::from_utf8(b).unwrap());
    assert_eq!(text(ours), text(theirs));
}

const FILES: [(&str, &str); 12] = [
    ("usr/share/ca-certificates/mozilla/B.crt", "packaged B\n"),
    ("usr/share/ca-certificates/mozilla/_a.crt", "packaged a without an end"),
    ("usr/share/ca-certificates/mozilla-extra.crt", "packaged extra\r\n"),
    ("usr/share/ca-certificates/README", "no certificate\n"),
    ("usr/share/ca-certificates/empty.crt", ""),
    ("usr/share/ca-certificates/linked.crt", "->mozilla/B.crt"),
    ("usr/local/share/ca-certificates/team/z.crt", "local z\n\n"),
    ("usr/local/share/ca-certificates/team-b.crt", "local b"),
    ("usr/local/share/ca-certificates/Ünder (1), x.crt", "local under\n"),
    ("usr/local/share/ca-certificates/team.pem", "no certificate\n"),
    ("usr/local/share/ca-certificates/linked", "->../../../share/ca-certificates/mozilla"),
    ("usr/local/share/ca-certificates/team/up", "->.."),
];

#[test]
fn without_a_configuration_the_bundles_are_the_same() {
    check(&FILES, None);
    check(&FILES[..1], None);
    check(&FILES[4..5], None);
    check(&FILES[6..], None);
    check(&[], None);
}

#[test]
fn with_a_configuration_the_bundles_are_the_same() {
    for conf in [
        "",
        "mozilla/B.crt\n",
        "mozilla/B.crt",
        "# all\n\nmozilla/_a.crt\n!mozilla/B.crt\nREADME\nmozilla/_a.crt\n",
        "linked.crt\nnosuch.crt\nmozilla\n \n  mozilla-extra.crt \t\n",
        "mozilla/\\x/B.crt\nmozilla/_a.crt\n",
        "mozilla/B.crt\r\nempty.crt\n",
        "./mozilla//B.crt\n/mozilla-extra.crt\n",
    ] {
        check(&FILES, Some(conf));
        check(&FILES[..6], Some(conf));
    }
}

#[test]
fn the_certificates_of_this_machine_give_the_same_bundle() {
    let (_keep, root) = folder();
    let packaged = root.join(PACKAGED);
    fs::create_dir_all(packaged.parent().unwrap()).unwrap();
    let _ = Program::new("cp").arg("-a").arg(Path::new("/").join(PACKAGED)).arg(&packaged).run().success();
    let ours = by_us(&root).unwrap();
    assert!(ours.len() > 100_000);
    assert!(Some(ours) == by_the_program(&root));
}
