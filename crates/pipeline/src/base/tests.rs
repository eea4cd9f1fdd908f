use distil_debunpack::Control;
use distil_debunpack::records::Database;
use distil_imgcore::{EntryKind, ImagePath};

use super::*;
use crate::machine::Machine;
use crate::progress::Silent;
use crate::testimage::{self, record};

fn path(name: &str) -> ImagePath {
    ImagePath::from_archive(name.as_bytes()).unwrap()
}

fn stated(image: &str) -> recipe::Base {
    let text = format!("[base]\nimage = '{image}'\npublic-name = 'registry.example.org/a/b'\n");
    recipe::Recipe::parse(&text).unwrap().base.unwrap()
}

fn open(image: &str, dir: &Path) -> Result<Base, BaseError> {
    let (machine, session) = (Machine::new(0), Session::start(&dir.join("cache")).unwrap());
    Base::open(&stated(image), dir, None, &Places::uncancelled(&machine, &Silent), &session)
}

/// The base of amd64 with these layers.
fn base(layers: &[&[(&str, &str)]]) -> Result<BaseImage, BaseError> {
    let dir = tempfile::tempdir().unwrap();
    testimage::write(dir.path(), &["linux/amd64"], layers);
    let base = open("oci:image:test", dir.path()).unwrap();
    let image = base.image(&"linux/amd64".parse().unwrap(), &Silent)?;
    let text = image.read_files(&[path("a/x"), path("a/empty")].into(), &Silent).unwrap();
    assert!(text.values().all(|bytes| bytes == b"x" || bytes.is_empty()));
    Ok(image)
}

#[test]
fn files_packages_and_owners_are_known() {
    let (aa, bb) = (record("aa", "1", ""), record("bb", "2", ""));
    let sums = "d41d8cd98f00b204e9800998ecf8427e  a/x\n";
    let base = base(&[
        &[("a/x", "old"), ("a/gone", "")],
        &[
            ("var/lib/dpkg/status.d/aa", aa.as_str()),
            ("var/lib/dpkg/status.d/bb", &bb),
            ("var/lib/dpkg/status.d/aa.md5sums", sums),
            ("a/x", "x"),
            ("a/empty", ""),
            ("a/.wh.gone", ""),
        ],
    ])
    .unwrap();
    let names: Vec<_> = base.packages().iter().map(|control| control.package().as_str()).collect();
    assert_eq!(names, ["aa", "bb"]);
    let check = |record: &str| check_version(base.packages(), &Control::parse(record.as_bytes()).unwrap());
    assert!(check(&bb).is_ok() && check(&record("cc", "1", "")).is_ok());
    assert!(matches!(check(&record("bb", "1", "")), Err(BaseError::Version { found, .. }) if found == "2 amd64"));
    assert!(matches!(check(&bb.replace("amd64", "all")), Err(BaseError::Version { .. })));
    let node = base.tree().get(&path("a/x")).unwrap();
    assert_eq!(node.origin.as_str(), "aa of the base");
    assert_eq!(node.content, Digest::of(b"x").as_sha256().copied());
    assert_eq!(base.owner(&node.origin).unwrap().package().as_str(), "aa");
    assert!(base.brought(node) && base.owner(&base.tree().get(&path("a/empty")).unwrap().origin).is_none());
    assert!(!base.tree().contains(&path("a/gone")));
    assert_eq!(base.tree().get(&path("a")).unwrap().entry.kind, EntryKind::Directory);
    assert_eq!(base.status(), None);
}

#[test]
fn the_form_of_the_records_is_that_which_has_some() {
    let aa = record("aa", "1", "");
    let check = |files: &[(&str, &str)], expected: [Option<Database>; 3]| {
        let base = base(&[files]).unwrap();
        let stated = [None, Some(Database::StatusDirectory), Some(Database::StatusFile)];
        assert_eq!(stated.map(|stated| base.records(stated).ok()), expected);
    };
    let (folder, file) = (Some(Database::StatusDirectory), Some(Database::StatusFile));
    check(&[("a/x", "x")], [folder, folder, file]);
    check(&[("var/lib/dpkg/status", &aa)], [file, None, file]);
    check(&[("var/lib/dpkg/status", "\n"), ("var/lib/dpkg/status.d/aa", &aa)], [folder, folder, None]);
}

#[test]
fn a_record_that_is_broken_is_named() {
    let error = base(&[&[("var/lib/dpkg/status.d/aa", "Package: aa\n")]]).unwrap_err();
    assert!(matches!(error, BaseError::Record { path } if path.as_bytes().ends_with(b"status.d/aa")));
}

#[test]
fn what_is_not_there_is_told_as_the_recipe_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = open("oci:nosuch:v1", dir.path()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the base oci:nosuch:v1, named by base.image in line 2, column 9");
    testimage::write(dir.path(), &["linux/arm64"], &[]);
    let base = open("oci:image:test", dir.path()).unwrap();
    let amd64 = "linux/amd64".parse().unwrap();
    let error = base.image(&amd64, &Silent).unwrap_err();
    assert!(error.is_mistake(), "{error}");
    assert_eq!(base.created([&amd64]), None);
    assert_eq!(base.created([&amd64, &"linux/arm64".parse().unwrap()]), Some(7));
    assert_eq!(base.public_name(), Some("registry.example.org/a/b"));
}
