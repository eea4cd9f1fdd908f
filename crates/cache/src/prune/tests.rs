use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{Area, Content, ContentKey, Session, Usage, Values};

fn key(bytes: &[u8]) -> ContentKey {
    ContentKey::from_sha256(Sha256::digest(bytes).into())
}

fn put(content: &Content, bytes: &[u8]) -> PathBuf {
    let mut writer = content.derived_writer().unwrap();
    writer.write_all(bytes).unwrap();
    writer.commit_as(key(bytes)).unwrap().path().to_owned()
}

/// Makes a file one that was last used so many seconds after 1970.
fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// Every path below the root, with what it is.
fn listing(root: &Path) -> Vec<(PathBuf, String)> {
    let mut listing = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let metadata = entry.metadata().unwrap();
            listing.push((
                entry.path(),
                format!("{:?} {} {:?}", metadata.file_type(), metadata.len(), metadata.modified()),
            ));
            folders.extend(Some(entry.path()).filter(|_| metadata.is_dir()));
        }
    }
    listing.sort();
    listing
}

/// A cache that nobody uses, with a file of each kind that can be pruned: 3 bytes used at 10 s, 5 at 20 s, 41 at 30 s.
fn old_cache() -> (TempDir, [PathBuf; 3]) {
    let root = tempfile::tempdir().unwrap();
    let fragment = put(&Content::open(root.path(), Area::Fragments).unwrap(), b"abc");
    let package = put(&Content::open(root.path(), Area::Packages).unwrap(), b"defgh");
    Values::open(root.path()).unwrap().put("kind", "key", b"v").unwrap();
    let derived = listing(&root.path().join("values/derived")).pop().unwrap().0;
    let files = [fragment, package, derived];
    for (file, used) in files.iter().zip([10, 20, 30]) {
        age(file, used);
    }
    (root, files)
}

fn there(files: &[PathBuf]) -> Vec<bool> {
    files.iter().map(|file| file.exists()).collect()
}

#[test]
fn the_least_recently_used_goes_first() {
    let cases = [
        (u64::MAX, [true, true, true]),
        (49, [true, true, true]),
        (48, [false, true, true]),
        (46, [false, true, true]),
        (45, [false, false, true]),
        (41, [false, false, true]),
        (40, [false, false, false]),
        (0, [false, false, false]),
    ];
    for (max_size, expected) in cases {
        let (root, files) = old_cache();
        let before = listing(root.path());
        let would = would_prune(root.path(), max_size).unwrap();
        assert_eq!(listing(root.path()), before, "nothing is changed");
        let pruned = prune(root.path(), max_size).unwrap();
        assert_eq!(there(&files), expected, "{max_size}");
        assert_eq!(pruned, would);
        let left: u64 = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum();
        assert_eq!((pruned.left.bytes, pruned.spared), (left, Tally::default()));
        let removed: u64 = Kind::ALL.iter().map(|kind| pruned.removed(*kind).files).sum();
        assert_eq!(removed, expected.iter().filter(|is_there| !**is_there).count() as u64);
    }
}

#[test]
fn looking_something_up_makes_it_the_most_recently_used() {
    let (root, files) = old_cache();
    Content::open(root.path(), Area::Fragments).unwrap().get(&key(b"abc"), Some(3)).unwrap().unwrap();
    prune(root.path(), 44).unwrap();
    assert_eq!(there(&files), [true, false, true]);
    Values::open(root.path()).unwrap().get("kind", "key").unwrap().unwrap();
    age(&files[0], 40);
    prune(root.path(), 41).unwrap();
    assert_eq!(there(&files), [false, false, true]);
}

#[test]
fn what_a_living_session_may_use_is_spared() {
    let (root, files) = old_cache();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let package = content.get(&key(b"defgh"), None).unwrap().unwrap();
    let spared = Tally { files: 1, bytes: 5 };
    let would = would_prune(root.path(), 0).unwrap();
    let pruned = prune(root.path(), 0).unwrap();
    assert_eq!(pruned, would);
    assert_eq!((pruned.spared, pruned.left), (spared, spared));
    assert_eq!(there(&files), [false, true, false]);
    let mut back = Vec::new();
    package.open_verified().unwrap().read_to_end(&mut back).unwrap();
    assert_eq!(back, b"defgh");
    assert_eq!(prune(root.path(), 5).unwrap().spared, Tally::default(), "it need not have gone");
    drop(content);
    let pruned = prune(root.path(), 0).unwrap();
    assert_eq!((pruned.removed(Kind::Package), pruned.left), (spared, Tally::default()));
    assert_eq!(there(&files), [false; 3]);
}

#[test]
fn what_was_used_since_it_was_found_is_spared() {
    let (root, files) = old_cache();
    let walk = Walk::below(root.path()).unwrap();
    Values::open(root.path()).unwrap().get("kind", "key").unwrap().unwrap();
    fs::remove_file(&files[0]).unwrap();
    let mut ledger = Ledger::new(&walk, 0);
    prune_batch(root.path(), &least_recent_first(&walk), &mut ledger).unwrap();
    assert_eq!(there(&files), [false, false, true]);
    assert_eq!(ledger.pruned.spared, Tally { files: 1, bytes: 41 });
    assert_eq!(ledger.pruned.removed(Kind::Fragment), Tally::default(), "somebody else removed it");
    assert_eq!(ledger.pruned.removed(Kind::Package), Tally { files: 1, bytes: 5 });
}

#[test]
fn what_is_remembered_or_alive_stays_and_what_is_abandoned_goes() {
    let (root, files) = old_cache();
    let values = Values::open(root.path()).unwrap();
    values.update("kind", "key", |_| Some(b"seen".to_vec())).unwrap();
    drop(values);
    let remembered = listing(&root.path().join("values/remembered")).pop().unwrap().0;
    age(&remembered, 1);
    let session = Session::start(root.path()).unwrap();
    let mut spool = session.spool().unwrap();
    spool.write_all(b"layer").unwrap();
    let spool = spool.finish().unwrap();
    let content = Content::open(root.path(), Area::Packages).unwrap();
    let held = content.lock(&key(b""), Duration::ZERO, &|| false).unwrap();
    let locks = root.path().join("content/locks");
    let left = locks.join(key(b"left").to_string());
    lock_file(&left).unwrap();
    let dead = root.path().join("sessions/session-dead");
    fs::create_dir(&dead).unwrap();
    fs::copy(&files[1], dead.join("0")).unwrap();

    let usage = Usage::of(root.path()).unwrap();
    assert_eq!((usage.living, usage.dead), (2, 1));
    assert_eq!(usage.tally(Kind::Remembered), Tally { files: 1, bytes: 44 });
    assert_eq!(usage.tally(Kind::Abandoned), Tally { files: 1, bytes: 5 });
    // The spool, two locks on keys, two of sessions, and those of all values and sessions.
    assert_eq!(usage.tally(Kind::Temporary), Tally { files: 7, bytes: 5 });
    assert_eq!(usage.tally(Kind::Other), Tally::default());

    let pruned = prune(root.path(), 0).unwrap();
    assert_eq!(pruned.removed(Kind::Abandoned), Tally { files: 1, bytes: 5 });
    assert!(!dead.exists() && !left.exists());
    assert_eq!(fs::read_dir(&locks).unwrap().count(), 1, "the lock that is held");
    assert_eq!(fs::metadata(&remembered).unwrap().len(), 44);
    let mut back = Vec::new();
    spool.open().unwrap().read_to_end(&mut back).unwrap();
    assert_eq!(back, b"layer");
    drop((held, spool, session, content));
    prune(root.path(), 0).unwrap();
    assert_eq!(Values::open(root.path()).unwrap().recall("kind", "key").unwrap().unwrap(), b"seen");
}

#[test]
fn links_and_what_is_not_ours_are_left_alone() {
    let (root, files) = old_cache();
    let outside = tempfile::tempdir().unwrap();
    let name = key(b"abc").to_string();
    let shard = outside.path().join(name.split_at(2).0);
    fs::create_dir(&shard).unwrap();
    fs::copy(&files[0], shard.join(&name)).unwrap();
    fs::copy(&files[0], shard.join("README")).unwrap();
    age(&shard.join(&name), 1);
    let link = |at: &str, to: &Path| std::os::unix::fs::symlink(to, root.path().join(at)).unwrap();
    // A file, the folder of its area, and a whole area that lie elsewhere.
    fs::remove_file(&files[0]).unwrap();
    std::os::unix::fs::symlink(shard.join(&name), &files[0]).unwrap();
    link("content/sha256/ba", &shard);
    link("fragments/sha256/zz", outside.path());
    link("backup", outside.path());
    link("sessions/session-link", outside.path());
    fs::copy(&files[1], root.path().join("content/sha256/notes")).unwrap();
    fs::create_dir_all(root.path().join("other/deep/er")).unwrap();
    fs::copy(&files[1], root.path().join("other/deep/er/file")).unwrap();
    fs::create_dir_all(root.path().join("content/sha256/ab").join(format!("ab{}", "0".repeat(62)))).unwrap();

    let usage = Usage::of(root.path()).unwrap();
    assert_eq!(usage.tally(Kind::Other).files, 7);
    assert_eq!(usage.tally(Kind::Fragment), Tally::default());
    let (outer, before) = (listing(outside.path()), listing(root.path()).len());
    let pruned = prune(root.path(), 0).unwrap();
    assert_eq!((pruned.left, pruned.spared), (Tally::default(), Tally::default()));
    assert_eq!(listing(outside.path()), outer);
    // Package and value with the folders that held them are gone, and nothing else.
    assert_eq!(listing(root.path()).len(), before - 4);
    assert_eq!(Usage::of(root.path()).unwrap().tally(Kind::Other).files, 7);
}

#[test]
fn a_folder_that_becomes_a_link_is_not_followed() {
    let (root, files) = old_cache();
    let walk = Walk::below(root.path()).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let shard = files[1].parent().unwrap();
    let moved = outside.path().join("moved");
    fs::rename(shard, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, shard).unwrap();
    prune_batch(root.path(), &least_recent_first(&walk), &mut Ledger::new(&walk, 0)).unwrap();
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 1);
    assert_eq!(there(&files), [false, true, false]);
}

#[test]
fn what_is_no_cache_does_not_become_one() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("missing");
    assert_eq!(Usage::of(&missing).unwrap(), Usage::default());
    assert_eq!(prune(&missing, 0).unwrap(), Pruned::default());
    assert!(!missing.exists());
    fs::create_dir(root.path().join("documents")).unwrap();
    lock_file(&root.path().join("documents/file")).unwrap();
    assert_eq!(prune(root.path(), 0).unwrap(), Pruned::default());
    assert_eq!(listing(root.path()).len(), 2);

    let file = root.path().join("documents/file");
    assert!(Usage::of(&file).unwrap_err().path.starts_with(&file));
    assert!(prune(&file, 0).unwrap_err().path.starts_with(&file));
}

/// Threads that use one cache, each as a process of its own, while others prune it. Whatever is found is whole, and stays
/// as long as who found it is there.
#[test]
fn pruning_disturbs_nobody() {
    const CONTENTS: u64 = 12;
    let bytes = |n: u64| vec![u8::try_from(n).unwrap(); 1 + usize::try_from(n * 37).unwrap()];
    let root = tempfile::tempdir().unwrap();
    let (stop, found, made) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let users: Vec<_> = (0..3_u64)
            .map(|user| {
                let (root, found, made) = (root.path(), &found, &made);
                scope.spawn(move || {
                    for round in 0..60 {
                        let content = Content::open(root, Area::Fragments).unwrap();
                        let values = Values::open(root).unwrap();
                        for step in 0..CONTENTS / 2 {
                            let n = (user * 5 + round * 7 + step * step) % CONTENTS;
                            let file = content.get(&key(&bytes(n)), None).unwrap();
                            if file.is_some() { found } else { made }.fetch_add(1, Ordering::Relaxed);
                            let path = file.map_or_else(|| put(&content, &bytes(n)), |file| file.path().to_owned());
                            thread::yield_now();
                            assert_eq!(fs::read(path).unwrap(), bytes(n), "it stays as long as the session");
                            match values.get("kind", &n.to_string()).unwrap() {
                                Some(value) => assert_eq!(value, bytes(n)),
                                None => values.put("kind", &n.to_string(), &bytes(n)).unwrap(),
                            }
                        }
                    }
                })
            })
            .collect();
        for max_size in [0, 1000] {
            let (root, stop) = (root.path(), &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    prune(root, max_size).unwrap();
                }
            });
        }
        let ended: Vec<_> = users.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    assert!(found.into_inner() > 0 && made.into_inner() > CONTENTS, "files were used, and made again after a prune");
    prune(root.path(), 0).unwrap();
    let usage = Usage::of(root.path()).unwrap();
    assert!(Kind::ALL.iter().all(|kind| *kind == Kind::Temporary || usage.tally(*kind).files == 0), "{usage:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Compared with a list of which the first goes while the rest is too large.
    #[test]
    fn exactly_the_least_recently_used_go(
        sizes in proptest::collection::vec(0..200_usize, 0..20),
        order in any::<proptest::sample::Index>(),
        max_size in prop_oneof![Just(0), 0..2000_u64],
    ) {
        let root = tempfile::tempdir().unwrap();
        let areas = [Area::Packages, Area::Fragments].map(|area| Content::open(root.path(), area).unwrap());
        let mut files = Vec::new();
        for (n, size) in sizes.iter().enumerate() {
            // The number makes contents differ.
            let path = put(&areas[n % 2], &[n.to_le_bytes().as_slice(), &vec![0; *size]].concat());
            files.push((path, *size as u64 + 8));
        }
        let turn = if files.is_empty() { 0 } else { order.index(files.len()) };
        files.rotate_left(turn);
        for (n, (path, _)) in files.iter().enumerate() {
            age(path, n as u64);
        }
        drop(areas);
        let mut expected: Vec<(PathBuf, u64)> = files.clone();
        while !expected.is_empty() && (max_size == 0 || expected.iter().map(|(_, size)| size).sum::<u64>() > max_size) {
            expected.remove(0);
        }
        let pruned = prune(root.path(), max_size).unwrap();
        for (path, _) in &files {
            prop_assert_eq!(path.exists(), expected.iter().any(|(kept, _)| kept == path));
        }
        let left: u64 = expected.iter().map(|(_, size)| size).sum();
        prop_assert_eq!(pruned.left, Tally { files: expected.len() as u64, bytes: left });
        prop_assert_eq!(prune(root.path(), max_size).unwrap().removed(Kind::Package), Tally::default());
    }
}
