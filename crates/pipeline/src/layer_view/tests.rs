use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use distil_imgcore::{Digest, Reference};
use distil_tests::tar::{Entry as TarEntry, archive};
use proptest::prelude::*;

use super::*;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Silent;
use crate::read::{Choice, Named};
use crate::testimage::{self, foreign, record};

/// Counts the layers that are read.
#[derive(Default)]
struct Started(Mutex<usize>);

impl Progress for Started {
    fn phase(&self, _: Phase) {}
    fn started(&self, _: &str) {
        *self.0.lock().unwrap() += 1;
    }
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
    fn resolved(&self, _: &Reference, _: &Digest) {}
}

/// Every kind of entry, and every kind of content that is kept.
fn layers() -> Vec<Vec<u8>> {
    let upper = [
        TarEntry::file("usr/share/doc/aa/copyright", "License: GPL-2+\n"),
        TarEntry::file("var/lib/dpkg/status.d/.wh.gone", ""),
        TarEntry::file("etc/os-release", "ID=debian\n"),
    ];
    let lower = [
        TarEntry::directory("./"),
        TarEntry::directory("tmp/").mode(0o777),
        TarEntry::file("var/lib/dpkg/status.d/aa", record("aa", "1", "")),
        TarEntry::file("var/lib/dpkg/status.d/gone", record("gone", "1", "")),
        TarEntry::file("var/lib/dpkg/status.d/aa.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/aa\n"),
        TarEntry::file("usr/bin/aa", "\x7fELF").mode(0o4755).owned_by(7, 8),
        TarEntry::hardlink("usr/bin/bb", "usr/bin/aa"),
        TarEntry::symlink("usr/bin/sh", "aa"),
        TarEntry::file("etc/passwd", "root:$6$Salt4You$aHashOfAPassword:0:0::/root:/bin/sh\napp:x:7:7::/:\n"),
        TarEntry::file("etc/shadow", "root:$6$Salt4You$aHashOfAPassword:19000::::::\n"),
        TarEntry::file("root/.netrc", "machine a login b password aSecretWord\n"),
        TarEntry::file("app/token", format!("{}{}\n", "ghp", "_aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3bC5")),
    ];
    vec![archive(&lower), archive(&upper)]
}

fn view(image: &Image, cache: Option<&Values>) -> (ImageView, usize) {
    let started = Started::default();
    let view = read(image, cache, NonZeroUsize::MIN, &started).unwrap();
    (view, started.0.into_inner().unwrap())
}

#[track_caller]
fn same(a: &ImageView, b: &ImageView) {
    for (a, b) in [(&a.records, &b.records), (&a.contents, &b.contents)] {
        assert_eq!((&a.entries, &a.kept, &a.watched), (&b.entries, &b.kept, &b.watched));
        let texts = |contents: &Contents| -> Vec<_> {
            let seen = contents.seen.iter().flatten();
            seen.map(|(path, seen)| (path.clone(), seen.text.clone(), seen.digests.sha256)).collect()
        };
        assert_eq!(texts(a), texts(b));
    }
}

#[test]
fn what_was_seen_is_not_read_again() {
    let (dir, image) = (tempfile::tempdir().unwrap(), foreign(&layers()));
    let cache = Values::open(dir.path()).unwrap();
    let (uncached, _) = view(&image, None);
    assert_eq!(uncached.contents.watched.iter().map(BTreeMap::len).sum::<usize>(), 11);
    let (first, read) = view(&image, Some(&cache));
    same(&first, &uncached);
    assert_eq!(read, 2);
    let (second, read) = view(&image, Some(&cache));
    same(&second, &uncached);
    assert_eq!(read, 0);
    // Another image with one layer more has that one alone read.
    let more = archive(&[TarEntry::file("app/more", "more")]);
    let (_, read) = view(&foreign(&[layers(), vec![more]].concat()), Some(&cache));
    assert_eq!(read, 1);
}

#[test]
fn a_scan_finds_the_same_records_and_reads_nothing_for_them() {
    let (dir, image) = (tempfile::tempdir().unwrap(), foreign(&layers()));
    let cache = Values::open(dir.path()).unwrap();
    let alone = records::read(&image, None, NonZeroUsize::MIN, &Silent).unwrap();
    let (view, _) = view(&image, Some(&cache));
    let started = Started::default();
    let again = records::read(&image, Some(&cache), NonZeroUsize::MIN, &started).unwrap();
    assert_eq!(started.0.into_inner().unwrap(), 0);
    for found in [&view.records, &again] {
        assert_eq!((&found.entries, &found.kept), (&alone.entries, &alone.kept));
    }
}

#[test]
fn what_is_damaged_or_of_another_program_is_read_anew() {
    let (dir, image) = (tempfile::tempdir().unwrap(), foreign(&layers()));
    let cache = Values::open(dir.path()).unwrap();
    let (first, _) = view(&image, Some(&cache));
    let values = values(dir.path());
    assert_eq!(values.len(), 2);
    // Damage on the disk, which the cache itself notices.
    for value in &values {
        let mut bytes = fs::read(value).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(value, bytes).unwrap();
    }
    let (again, read) = view(&image, Some(&cache));
    same(&again, &first);
    assert_eq!(read, 2);
    // A sound file of another form.
    for layer in image.layers() {
        cache.put(&kept::kind(), &layer.diff_id().to_string(), b"\x01what is this").unwrap();
    }
    let (again, read) = view(&image, Some(&cache));
    same(&again, &first);
    assert_eq!(read, 2);
    // The view of another program lies in another folder.
    let folder = values.first().unwrap().parent().unwrap();
    fs::rename(folder, folder.with_file_name("layer-view-0123456789abcdef")).unwrap();
    assert_eq!(view(&image, Some(&cache)).1, 2);
}

/// The files in which views are kept.
fn values(cache: &Path) -> Vec<PathBuf> {
    let folder = cache.join("values/derived").join(kept::kind());
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn no_secret_is_kept() {
    let (dir, image) = (tempfile::tempdir().unwrap(), foreign(&layers()));
    let cache = Values::open(dir.path()).unwrap();
    let _read = view(&image, Some(&cache));
    let mut said = 0;
    for value in values(dir.path()) {
        let bytes = fs::read(&value).unwrap();
        let holds = |what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
        for secret in ["aHashOfAPassword", "Salt4You", "aSecretWord", "aB3dE5gH7"] {
            assert!(!holds(secret), "{secret} is kept");
        }
        said += ["GitHub token: ghp_aB", "a login of netrc", "root has a password"].iter().filter(|s| holds(s)).count();
        assert_eq!(fs::metadata(&value).unwrap().permissions().mode() & 0o077, 0, "others may read it");
    }
    assert_eq!(said, 3);
}

#[test]
fn what_is_large_is_not_kept() {
    let path = ImagePath::from_archive(b"var/lib/dpkg/status").unwrap();
    let view = LayerView { files: [(path, vec![0; (64 << 20) + 1])].into(), ..LayerView::default() };
    assert_eq!(kept::to_bytes(&view), None);
}

#[test]
fn layers_in_a_layout_are_not_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let text = record("aa", "1", "");
    let reference = testimage::write(dir.path(), &["linux/amd64"], &[&[("var/lib/dpkg/status.d/aa", &text)]]);
    let cache = Values::open(&dir.path().join("cache")).unwrap();
    let machine = Machine::new(0);
    let named = Named::open(&reference, &Places::uncancelled(&machine, &Silent)).unwrap();
    let (_, image) = named.image(Choice::First).unwrap();
    let (first, _) = view(&image, Some(&cache));
    let digests: BTreeSet<String> = image.layers().iter().map(|layer| layer.digest().to_string()).collect();
    for digest in digests {
        fs::remove_file(dir.path().join("image/blobs").join(digest.replace(':', "/"))).unwrap();
    }
    same(&view(&image, Some(&cache)).0, &first);
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_a_view_or_nothing(bytes: Vec<u8>, at: prop::sample::Index, to: u8) {
        let _any = kept::from_bytes(&bytes);
        let mut bytes = BYTES.clone();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _changed = kept::from_bytes(&bytes);
        bytes.truncate(at);
        prop_assert_eq!(kept::from_bytes(&bytes), None);
    }
}

/// A view as it is kept.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let image = foreign(&layers());
    let view = LayerView::read(&image.layers()[0], &AtomicU64::new(MAX_KEPT), &Silent).unwrap();
    let bytes = kept::to_bytes(&view).unwrap();
    assert_eq!(kept::from_bytes(&bytes).as_ref(), Some(&view));
    bytes
});
