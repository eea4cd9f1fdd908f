use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_vulns::feed::FeedKind;
use distil_vulns::{Feed, State};

use super::*;
use crate::{Silent, whole_file};

mod damage;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vulns/tests/data");

fn now() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join("state/advisories.redb")
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        whole_file::replace(&path, content).unwrap();
        path
    }

    fn import(&self, files: &[PathBuf]) -> Result<Imported, DatabaseError> {
        let request = ImportRequest {
            files,
            suites: None,
            database: &self.database(),
            now: now(),
            cancelled: &AtomicBool::new(false),
        };
        import(&request, &Silent)
    }

    fn open(&self) -> Database {
        Database::open(&self.database()).unwrap()
    }

    /// Files beside the database that nobody wants there.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.dir.path().join("state")).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn data(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| Path::new(DATA).join(name)).collect()
}

#[test]
fn what_is_imported_is_found_and_what_is_imported_again_is_replaced() {
    let place = Place::new();
    let imported = place.import(&data(&["lists/DSA.list", "lists/DLA.list", "tracker/osvdev-apparmor.json"])).unwrap();
    assert_eq!(imported.sources.iter().map(|source| source.records).collect::<Vec<_>>(), [3, 5406, 3534]);
    let database = place.open();
    let xorg = database.about("bullseye", "xorg-server").unwrap();
    assert!(xorg.iter().any(|advisory| advisory.id == "DSA-5380-1" && advisory.feed == Feed::Dsa));
    assert!(xorg.is_sorted_by_key(|advisory| (advisory.feed, advisory.id.clone())));
    assert!(database.knows("bullseye").unwrap() && database.knows("sid").unwrap() && !database.knows("noble").unwrap());
    assert!(database.about("bullseye", "nothing").unwrap().is_empty());
    assert!(database.cve("CVE-2016-1585").unwrap().unwrap().title.is_some());
    assert_eq!(database.cve("CVE-1999-0001").unwrap(), None);
    assert_eq!(database.releases(), Releases::embedded());
    let kinds =
        |database: &Database| database.sources().unwrap().into_iter().map(|source| source.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&database), ["dla", "dsa", "tracker"]);

    // A newer list of one kind: the others stay, and nothing of the old one does.
    let newer =
        place.file("renamed.bin", b"[01 Jan 2024] DSA-9999-1 xorg-server - update\n\t[bullseye] - xorg-server 9\n");
    place.import(&[newer]).unwrap();
    let after = place.open();
    let of_dsa: Vec<_> =
        after.about("bullseye", "xorg-server").unwrap().into_iter().filter(|found| found.feed == Feed::Dsa).collect();
    assert_eq!((of_dsa.len(), &of_dsa[0].state), (1, &State::Fixed("9".to_owned())));
    assert_eq!(
        after.about("buster", "xorg-server").unwrap(),
        database
            .about("buster", "xorg-server")
            .unwrap()
            .into_iter()
            .filter(|found| found.feed != Feed::Dsa)
            .collect::<Vec<_>>()
    );
    assert_eq!(kinds(&after), ["dla", "dsa", "tracker"]);
    assert!(after.cve("CVE-2016-1585").unwrap().is_some());
    assert_eq!(place.left(), [".advisories.redb.lock", "advisories.redb"]);
}

#[test]
fn what_feeds_say_of_a_cve_is_put_together() {
    let place = Place::new();
    let epss = place.file(
        "e",
        b"#model_version:v1,score_date:2025-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0727,0.5,0.9\n",
    );
    let mut files = data(&["nvd", "kev"]);
    files.push(epss);
    let imported = place.import(&files).unwrap();
    assert_eq!(imported.sources.len(), 3, "one for a directory");
    let facts = place.open().cve("CVE-2024-0727").unwrap().unwrap();
    assert!(!facts.ratings.is_empty() && facts.title.is_some());
    assert!((facts.epss.unwrap().score - 0.5).abs() < 1e-9);
    let kev = place.open().cve("CVE-2025-48384").unwrap().unwrap();
    assert!(kev.kev.is_some() && kev.ratings.is_empty());
}

#[test]
fn packed_feeds_and_directories_are_read() {
    use std::io::Write as _;
    let place = Place::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&fs::read(&data(&["lists/DSA.list"])[0]).unwrap()).unwrap();
    let gz = place.file("list.gz", &gz.finish().unwrap());
    let imported = place.import(&[gz, data(&["osv/records"])[0].clone()]).unwrap();
    let told: Vec<_> = imported.sources.iter().map(|source| (source.kind.as_str(), source.records)).collect();
    assert_eq!(told, [("osv", 5), ("dsa", 5406)]);
    assert_eq!(imported.records_passed_over, 1);
    assert_eq!(place.open().about("wheezy", "nginx").unwrap()[0].id, "DSA-3029-1");
}

#[test]
fn a_newer_list_of_releases_is_taken() {
    let place = Place::new();
    let list =
        place.file("x", b"version,codename,series,created,release,eol\n99,New,new,2030-01-01,2031-01-01,2034-01-01\n");
    let record = place.file(
        "y",
        br#"{"id":"DSA-1-1","modified":"2030-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:99","name":"a"},
            "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#,
    );
    place.import(&[record.clone(), list]).unwrap();
    assert!(place.open().knows("new").unwrap());
    // The list stays where another feed is imported, and the time is never later than now.
    place.import(&[record]).unwrap();
    let database = place.open();
    assert_eq!(database.releases().by_version("99").unwrap().codename, "new");
    assert!(database.sources().unwrap().iter().all(|source| source.date.unwrap() <= now()));
}

#[test]
fn what_is_damaged_leaves_the_old_database() {
    let place = Place::new();
    let unknown = place.file("z", b"nothing that is known");
    assert!(matches!(place.import(std::slice::from_ref(&unknown)), Err(DatabaseError::Unknown { .. })));
    place.import(&data(&["lists/DLA.list"])).unwrap();
    let before = fs::read(place.database()).unwrap();
    let cut = fs::read(&data(&["tracker/vuls-389ds-wordpress.json"])[0]).unwrap();
    let cut = place.file("cut", &cut[..cut.len() / 2]);
    let good = data(&["lists/DSA.list"])[0].clone();
    assert!(matches!(place.import(&[good.clone(), cut]), Err(DatabaseError::Feed { .. })));
    assert!(matches!(place.import(&[good.clone(), unknown]), Err(DatabaseError::Unknown { .. })));
    let missing = place.import(&[good.clone(), "/nowhere/at/all".into()]).unwrap_err();
    assert!(missing.is_mistake(), "{missing}");
    let foreign = data(&["osv/records/ROOT-OS-DEBIAN-bookworm-CVE-2025-53014.json"]);
    assert!(matches!(place.import(&foreign), Err(DatabaseError::Empty { kind: FeedKind::Osv })));
    let given_up = ImportRequest {
        files: &[good],
        suites: None,
        database: &place.database(),
        now: now(),
        cancelled: &AtomicBool::new(true),
    };
    assert!(matches!(import(&given_up, &Silent), Err(DatabaseError::Cancelled)));
    assert!(fs::read(place.database()).unwrap() == before);
    assert_eq!(place.left(), [".advisories.redb.lock", "advisories.redb"]);
}

#[test]
fn a_link_to_a_database_stays_one() {
    let place = Place::new();
    let list = data(&["lists/DSA.list"]);
    place.import(&list).unwrap();
    let elsewhere = place.dir.path().join("elsewhere.redb");
    fs::rename(place.database(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.database()).unwrap();
    place.import(&data(&["lists/DLA.list"])).unwrap();
    assert_eq!(fs::read_link(place.database()).unwrap(), elsewhere);
    assert_eq!(place.open().sources().unwrap().len(), 2);
}

#[test]
fn what_is_no_database_is_no_database() {
    let place = Place::new();
    let missing = Database::open(&place.database()).unwrap_err();
    assert!(missing.is_undecided(), "{missing}");
    place.import(&data(&["osv/records"])).unwrap();
    let good = fs::read(place.database()).unwrap();
    for wrong in [&b"precious notes"[..], b"", &good[..good.len() / 2], &good[..4096]] {
        whole_file::replace(&place.database(), wrong).unwrap();
        let error = Database::open(&place.database()).unwrap_err();
        assert!(matches!(error, DatabaseError::Foreign { .. } | DatabaseError::Damaged { .. }), "{error:?}");
    }
    whole_file::replace(&place.database(), b"precious notes").unwrap();
    assert!(matches!(place.import(&data(&["osv/records"])), Err(DatabaseError::Foreign { .. })));
    assert_eq!(fs::read(place.database()).unwrap(), b"precious notes");
}

#[test]
fn a_database_of_another_format_is_told_and_made_anew() {
    let place = Place::new();
    place.import(&data(&["osv/records"])).unwrap();
    sealed::write(&place.database(), |other| {
        let writing = other.begin_write()?;
        writing.open_table(store::META)?.insert("format", postcard::to_stdvec(&7_u32).unwrap().as_slice())?;
        Ok(writing.commit()?)
    })
    .unwrap();
    let error = Database::open(&place.database()).unwrap_err();
    assert!(matches!(error, DatabaseError::Format { found: 7, .. }) && error.is_undecided(), "{error:?}");
    assert!(place.import(&data(&["lists/DLA.list"])).unwrap().started_anew);
    assert!(place.open().about("wheezy", "nginx").unwrap().iter().all(|found| found.feed == Feed::Dla));
}

#[test]
fn readers_see_the_old_database_or_the_new_one_while_imports_run() {
    let place = Place::new();
    place.import(&data(&["osv/records"])).unwrap();
    let held = place.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        assert!(!place.open().about("wheezy", "nginx").unwrap().is_empty());
                    }
                })
            })
            .collect();
        let writers =
            ["lists/DSA.list", "lists/DLA.list"].map(|name| scope.spawn(|| place.import(&data(&[name])).unwrap()));
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(held.about("wheezy", "nginx").unwrap().len(), 1, "what was open stays what it was");
    let kinds: Vec<_> = place.open().sources().unwrap().into_iter().map(|source| source.kind).collect();
    assert_eq!(kinds, ["dla", "dsa", "osv"], "no import lost what the other one took");
}
