use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::error::ContentError;

fn key(bytes: &[u8]) -> ContentKey {
    ContentKey::from_sha256(Sha256::digest(bytes).into())
}

fn put(content: &Content, bytes: &[u8]) -> CachedFile {
    let mut writer = content.writer(Expected { key: Some(key(bytes)), size: Some(bytes.len() as u64) }).unwrap();
    writer.write_all(bytes).unwrap();
    writer.commit().unwrap()
}

/// Everything below the root but directories.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn what_is_not_as_expected_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let before = files(root.path());
    let write = |expected| {
        let mut writer = content.writer(expected).unwrap();
        writer.write_all(b"abc").unwrap();
        writer.commit()
    };
    let other = Expected { key: Some(key(b"abd")), size: None };
    let found = write(other);
    assert!(
        matches!(found, Err(ContentError::Digest { expected, found }) if (expected, found) == (key(b"abd"), key(b"abc")))
    );
    let longer = Expected { key: Some(key(b"abc")), size: Some(4) };
    assert!(matches!(write(longer), Err(ContentError::Size { expected: 4, found: 3 })));
    drop(content.writer(Expected::default()).unwrap());
    assert_eq!(files(root.path()), before);

    let mut writer = content.writer(Expected { key: Some(key(b"abc")), size: Some(3) }).unwrap();
    writer.write_all(b"something longer").unwrap();
    writer.restart().unwrap();
    writer.write_all(b"abc").unwrap();
    let file = writer.commit().unwrap();
    assert_eq!(content.get(&key(b"abc"), Some(3)).unwrap().unwrap(), file);
    assert_eq!(fs::read(file.path()).unwrap(), b"abc");
}

#[test]
fn damage_is_found_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let damage: [fn(&File); 3] =
        [|file| file.write_all_at(b"S", 0).unwrap(), |file| file.set_len(9).unwrap(), |file| file.set_len(11).unwrap()];
    for damage in damage {
        let file = put(&content, b"some bytes");
        let read = || {
            let mut bytes = Vec::new();
            file.open_verified().unwrap().read_to_end(&mut bytes).map(|_| bytes)
        };
        assert_eq!(read().unwrap(), b"some bytes");
        damage(&OpenOptions::new().write(true).open(file.path()).unwrap());
        assert_eq!(read().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(content.get(file.key(), None).unwrap(), None, "it was removed");
        file.discard().unwrap();
    }
    let file = put(&content, b"some bytes");
    assert_eq!(content.get(file.key(), Some(9)).unwrap(), None);
    assert_eq!(content.get(file.key(), Some(10)).unwrap(), None, "it was removed");
}

#[test]
fn what_was_made_anew_while_damage_was_read_stays() {
    let root = tempfile::tempdir().unwrap();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let file = put(&content, b"some bytes");
    OpenOptions::new().write(true).open(file.path()).unwrap().write_all_at(b"S", 0).unwrap();
    let mut damaged = file.open_verified().unwrap();
    put(&content, b"some bytes");
    assert_eq!(io::copy(&mut damaged, &mut io::sink()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    let mut back = Vec::new();
    file.open_verified().unwrap().read_to_end(&mut back).unwrap();
    assert_eq!(back, b"some bytes");
}

#[test]
fn one_session_serves_for_everything() {
    let root = tempfile::tempdir().unwrap();
    let session = Session::start(root.path()).unwrap();
    let content = Content::in_session(&session, Area::Packages).unwrap();
    let values = crate::Values::in_session(&session).unwrap();
    assert_eq!(crate::Usage::of(root.path()).unwrap().living, 1);
    drop(session);
    let file = put(&content, b"abc");
    values.put("kind", "key", b"value").unwrap();
    drop(values);
    assert_eq!(crate::Usage::of(root.path()).unwrap().living, 1, "it lives as long as the last of them");
    assert_eq!(content.get(file.key(), None).unwrap().unwrap(), file);
    drop(content);
    assert_eq!(crate::Usage::of(root.path()).unwrap().living, 0);
}

#[test]
fn one_of_many_makes_a_file() {
    let root = tempfile::tempdir().unwrap();
    let made = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let content = Content::open(root.path(), Area::Packages).unwrap();
                let key = key(b"large");
                let lock = content.lock(&key, Duration::from_secs(60), &|| false).unwrap();
                if content.get(&key, None).unwrap().is_none() {
                    made.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(20));
                    put(&content, b"large");
                }
                drop(lock);
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
}

#[test]
fn nobody_waits_for_ever() {
    let root = tempfile::tempdir().unwrap();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let key = key(b"");
    let held = content.lock(&key, Duration::ZERO, &|| false).unwrap().unwrap();
    assert!(content.lock(&key, Duration::from_millis(80), &|| false).unwrap().is_none());
    assert!(content.lock(&key, Duration::from_secs(600), &|| true).unwrap().is_none());
    drop(held);
    assert!(content.lock(&key, Duration::ZERO, &|| false).unwrap().is_some());
    assert!(fs::read_dir(root.path().join("content/locks")).unwrap().next().is_none(), "locks are removed");
}

#[test]
fn what_can_be_made_again_is_checked_when_it_is_written_or_read() {
    let root = tempfile::tempdir().unwrap();
    let content = Content::open(root.path(), Area::Fragments).unwrap();
    let before = files(root.path());
    let mut writer = content.writer(Expected { key: Some(key(b"abd")), size: None }).unwrap();
    writer.write_all(b"abc").unwrap();
    assert!(matches!(writer.commit_derived(), Err(ContentError::Digest { .. })));
    let mut writer = content.derived_writer().unwrap();
    writer.write_all(b"abc").unwrap();
    drop(writer);
    assert_eq!(files(root.path()), before);

    let mut writer = content.writer(Expected::default()).unwrap();
    writer.write_all(b"abc").unwrap();
    assert_eq!(writer.commit_derived().unwrap().key(), &key(b"abc"));
    for (claimed, is_sound) in [(b"abc", true), (b"abd", false)] {
        let mut writer = content.derived_writer().unwrap();
        writer.write_all(b"abc").unwrap();
        assert_eq!(writer.size(), 3);
        writer.commit_as(key(claimed)).unwrap();
        let file = content.get(&key(claimed), Some(3)).unwrap().unwrap();
        let read = io::copy(&mut file.open_verified().unwrap(), &mut io::sink());
        assert_eq!(read.is_ok(), is_sound);
        assert_eq!(content.get(&key(claimed), None).unwrap().is_some(), is_sound, "what is damaged is removed");
    }
}

#[test]
fn areas_share_no_files() {
    let root = tempfile::tempdir().unwrap();
    let packages = Content::open(root.path(), Area::Packages).unwrap();
    let fragments = Content::open(root.path(), Area::Fragments).unwrap();
    put(&packages, b"abc");
    assert_eq!(fragments.get(&key(b"abc"), None).unwrap(), None);
}
