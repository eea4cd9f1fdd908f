#![expect(clippy::disallowed_methods, reason = "tests write plain files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use distil_cache::Area;
use distil_net::{ClientOptions, Retry, Timeouts, Unwatched};
use distil_tests::apt::{self, DAY, TIME};
use distil_tests::http::{Lie, Server};
use distil_tests::{Deb, Signer};

use super::*;
use crate::keyring::Keyring;
use crate::release::ReleaseError;

/// A machine with a cache, a repository with a server, and a source that names it.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) server: Server,
    pub(crate) source: Source,
    signer: Signer,
    client: Client,
    content: Content,
    values: Values,
    _guard: tempfile::TempDir,
}

type Judge = fn(&MirrorError) -> bool;

const IN_RELEASE: &str = "/dists/test/InRelease";
const XZ: &str = "/dists/test/main/binary-amd64/Packages.xz";

pub(crate) fn repository() -> apt::Repository {
    apt::Repository::new("test").with(Deb::new("hello"))
}

/// A repository whose indices have one address each.
fn by_name() -> apt::Repository {
    apt::Repository { by_hash: false, forms: vec!["xz"], ..repository() }
}

impl World {
    pub(crate) fn new(repository: &apt::Repository) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().join("mirror");
        let signer = Signer::new();
        repository.publish(&folder, &signer);
        let server = Server::start(&folder);
        let source = Source {
            name: "test.sources".to_owned(),
            mirrors: vec![Url::parse(&server.url("")).unwrap()],
            suite: repository.suite.clone(),
            components: vec!["main".to_owned()],
            architectures: None,
            keys: Arc::new(Keyring::parse("test.gpg", &signer.public_key()).unwrap()),
            snapshot: None,
        };
        let options = ClientOptions {
            timeouts: Timeouts { idle: Duration::from_millis(500), ..Timeouts::default() },
            retry: Retry { attempts: 2, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(1) },
            ..ClientOptions::default()
        };
        Self {
            folder,
            server,
            source,
            signer,
            client: Client::new(options).unwrap(),
            content: Content::open(&guard.path().join("cache"), Area::Packages).unwrap(),
            values: Values::open(&guard.path().join("cache")).unwrap(),
            _guard: guard,
        }
    }

    pub(crate) fn acquirer(&self) -> Acquirer<'_> {
        Acquirer {
            client: &self.client,
            content: &self.content,
            values: &self.values,
            now: Timestamp::from_seconds(TIME + DAY),
            offline: false,
            watch: &Unwatched,
        }
    }

    fn publish(&self, repository: &apt::Repository) {
        repository.publish(&self.folder, &self.signer);
    }

    fn file(&self, path: &str) -> Vec<u8> {
        fs::read(self.folder.join(path.trim_start_matches('/'))).unwrap()
    }

    pub(crate) fn acquire(&self) -> Result<Repository, AcquireError> {
        self.acquirer().repository(&self.source, &architectures(&["amd64"]))
    }

    /// What the last mirror does wrong.
    fn failure(&self) -> MirrorError {
        match self.acquire() {
            Err(AcquireError::Mirrors { source, .. }) => source.into_last(),
            other => panic!("{other:?}"),
        }
    }
}

fn architectures(names: &[&str]) -> Vec<Architecture> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn names(repository: &Repository) -> Vec<String> {
    let stanzas = repository.indices.iter().flat_map(|index| index.index.stanzas());
    stanzas.map(|stanza| stanza.name().to_owned()).collect()
}

#[test]
fn the_same_repository_in_every_form_and_way() {
    let forms = [vec![""], vec!["gz"], vec!["xz"], vec!["", "gz", "xz"]];
    let mut ways: Vec<apt::Repository> =
        forms.into_iter().map(|forms| apt::Repository { forms, ..repository() }).collect();
    ways.push(apt::Repository { signature: apt::Signature::Detached, ..repository() });
    ways.push(apt::Repository { by_hash: false, ..repository() });
    ways.push(apt::Repository { all_apart: true, ..repository() });
    for way in ways {
        let world = World::new(&way);
        let found = world.acquire().unwrap();
        assert_eq!(names(&found), ["hello"], "{way:?}");
        assert_eq!(found.release.signer().primary.to_string(), world.signer.fingerprint());
        for index in &found.indices {
            let on_disk = fs::read(world.folder.join(found.path_of(&index.path)));
            // The kit lists the plain form in any case, so that it may be the only one.
            let on_disk = on_disk.unwrap();
            assert_eq!((Digest::of(&on_disk), on_disk.len() as u64), (index.sha256.clone(), index.size));
            let file = world.acquirer().index_file(&found, index).unwrap();
            assert_eq!((&file.path, file.bytes), (&index.path, on_disk));
        }
        let inline = matches!(found.signed, SignedBytes::Inline(_));
        assert_eq!(inline, way.signature == apt::Signature::Inline);

        // From a folder it is the same.
        let mut local = world.source.clone();
        local.mirrors = vec![Url::from_directory_path(&world.folder).unwrap()];
        let from_folder = world.acquirer().repository(&local, &architectures(&["amd64"])).unwrap();
        assert_eq!((names(&from_folder), &from_folder.signed), (names(&found), &found.signed));
    }
}

#[test]
fn a_flat_repository_has_no_components() {
    let mut world = World::new(&apt::Repository { suite: "sub/".to_owned(), ..repository() });
    let found = world.acquire().unwrap();
    assert_eq!((names(&found), found.path_of("InRelease")), (vec!["hello".to_owned()], "sub/InRelease".to_owned()));
    let both = world.acquirer().repository(&world.source, &architectures(&["amd64", "arm64"])).unwrap();
    assert!(both.indices.len() == 1 && both.indices[0].architecture.is_all());
    for suite in ["./", "/"] {
        world.source.suite = suite.to_owned();
        world.source.mirrors = vec![Url::parse(&world.server.url("/sub/")).unwrap()];
        let found = world.acquire().unwrap();
        assert_eq!((names(&found), found.path_of("./InRelease")), (vec!["hello".to_owned()], "InRelease".to_owned()));
    }
}

#[test]
fn what_is_known_is_not_fetched_again_and_works_offline() {
    let world = World::new(&repository());
    let offline = Acquirer { offline: true, ..world.acquirer() };
    let wanted = architectures(&["amd64"]);
    let before = offline.repository(&world.source, &wanted).unwrap_err();
    assert!(before.is_offline(), "{before}");
    assert!(world.server.requests().is_empty());

    let first = world.acquire().unwrap();
    world.server.forget();
    let second = world.acquire().unwrap();
    let requests: Vec<String> = world.server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!((names(&second), requests), (names(&first), vec![IN_RELEASE.to_owned()]));

    world.server.forget();
    let offline_again = offline.repository(&world.source, &wanted).unwrap();
    assert_eq!((names(&offline_again), &offline_again.signed), (names(&first), &first.signed));
    assert!(world.server.requests().is_empty());
    // What was verified with other keys counts for nothing.
    let other = Keyring::parse("other", &Signer::new().public_key()).unwrap();
    let strict = Source { keys: Arc::new(other), ..world.source.clone() };
    assert!(offline.repository(&strict, &wanted).unwrap_err().is_offline());
    // Signatures and dates are judged anew.
    let ages = Acquirer { now: Timestamp::from_seconds(TIME - 30 * DAY), ..offline };
    assert!(matches!(ages.repository(&world.source, &wanted), Err(AcquireError::Mirrors { .. })));
}

#[test]
fn a_lie_of_one_mirror_is_told_and_the_next_one_asked() {
    let mut world = World::new(&by_name());
    let honest = Server::start(&world.folder);
    let xz = world.file(XZ);
    let changed = |from: &[u8]| from.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>();
    let lies: [(&str, Lie, Judge); 9] = [
        (XZ, Lie::Bytes(changed(&xz)), |e| matches!(e, MirrorError::Sum { .. })),
        (XZ, Lie::Half(20), |e| matches!(e, MirrorError::Net(distil_net::NetError::Length { found: 20, .. }))),
        (XZ, Lie::Endless, |e| matches!(e, MirrorError::Net(distil_net::NetError::TooLong { .. }))),
        (XZ, Lie::Status(404, None), |e| matches!(e, MirrorError::Net(e) if e.is_missing())),
        (XZ, Lie::Status(503, None), MirrorError::is_unreachable),
        (XZ, Lie::Stall(20), MirrorError::is_unreachable),
        (IN_RELEASE, Lie::Status(404, None), |e| matches!(e, MirrorError::Net(e) if e.is_missing())),
        (IN_RELEASE, Lie::Half(200), |e| matches!(e, MirrorError::Release { .. })),
        (IN_RELEASE, Lie::Redirect("http://127.0.0.1:9/".to_owned()), |e| {
            matches!(e, MirrorError::Net(distil_net::NetError::Redirect { .. }))
        }),
    ];
    for (path, lie, expected) in lies {
        world.server.lie(path, lie.clone());
        let failure = world.failure();
        assert!(expected(&failure), "{lie:?}: {failure:?}");
        assert!(failure.to_string().contains(path), "{failure}");
        world.server.tell_the_truth();
    }
    world.server.lie(XZ, Lie::Bytes(changed(&xz)));
    world.source.mirrors.push(Url::parse(&honest.url("/")).unwrap());
    let found = world.acquire().unwrap();
    assert_eq!(found.mirrors()[0].as_str(), honest.url("/"));
    assert_eq!(found.mirrors().len(), 2);
}

#[test]
fn a_mirror_that_changes_meanwhile_is_asked_once_more() {
    let world = World::new(&by_name());
    let before = world.file(IN_RELEASE);
    world.publish(&by_name().with(Deb::new("more")).dated(TIME + 60));
    world.server.lie_times(IN_RELEASE, Lie::Bytes(before), 1);
    assert_eq!(names(&world.acquire().unwrap()), ["hello", "more"]);
    assert_eq!(world.server.requests_for(IN_RELEASE).len(), 2);
}

#[test]
fn an_older_release_than_before_is_refused_but_for_snapshots() {
    let mut world = World::new(&repository().dated(TIME + 60));
    world.acquire().unwrap();
    world.publish(&repository());
    let failure = world.failure();
    assert!(
        matches!(failure, MirrorError::RolledBack { date, newest, .. }
        if (date.seconds(), newest.seconds()) == (TIME, TIME + 60)),
        "{failure:?}"
    );
    world.source.snapshot = Some("20260101T000030Z".parse().unwrap());
    assert_eq!(names(&world.acquire().unwrap()), ["hello"]);
    world.source.snapshot = None;
    assert!(matches!(world.failure(), MirrorError::RolledBack { .. }), "a snapshot is not what is newest");
    // Another repository of the same key has dates of its own.
    world.publish(&repository().release_rewritten("Label: Test", "Label: Other"));
    world.acquire().unwrap();
}

/// Signatures are signed by nobody: a mirror may take some of them away.
#[test]
fn an_older_release_is_refused_whichever_of_its_keys_is_left() {
    let detached = apt::Repository { signature: apt::Signature::Detached, ..repository() };
    let mut world = World::new(&detached.clone().dated(TIME + 60));
    let other = Signer::new();
    let sign = |world: &World, date: i64| {
        let release = String::from_utf8(world.file("/dists/test/Release")).unwrap();
        other.sign_detached(&release, date)
    };
    let both = Keyring::parse("both", &[world.signer.public_key(), other.public_key()].concat()).unwrap();
    world.source.keys = Arc::new(both);
    let place = world.folder.join("dists/test/Release.gpg");
    let two = [world.file("/dists/test/Release.gpg"), sign(&world, TIME + 60)].concat();
    fs::write(&place, two).unwrap();
    let newer = world.acquire().unwrap();
    assert_eq!(newer.release.signer().primary.to_string(), world.signer.fingerprint());

    world.publish(&detached);
    fs::write(&place, sign(&world, TIME)).unwrap();
    assert!(matches!(world.failure(), MirrorError::RolledBack { .. }));
}

#[test]
fn an_older_release_is_refused_under_the_name_of_the_suite_too() {
    let named = |codename: &str| repository().release_rewritten("Codename: test", &format!("Codename: {codename}"));
    let world = World::new(&named("new").dated(TIME + 60));
    world.acquire().unwrap();
    world.publish(&named("old"));
    assert!(matches!(world.failure(), MirrorError::RolledBack { .. }));
}

#[test]
fn repositories_without_names_of_their_own_are_known_by_their_address() {
    let nameless = |name: &str| repository().release_rewritten("Origin: Test\nLabel: Test", name);
    let mut world = World::new(&nameless("Origin: . test\nLabel: . test").dated(TIME + 60));
    world.acquire().unwrap();
    let older = nameless("Origin: . test\nLabel: . test");
    world.publish(&older);
    assert!(matches!(world.failure(), MirrorError::RolledBack { .. }));
    let elsewhere = world.folder.join("elsewhere");
    older.publish(&elsewhere, &world.signer);
    world.source.mirrors = vec![Url::parse(&world.server.url("/elsewhere")).unwrap()];
    world.acquire().unwrap();
}

#[test]
fn of_two_who_look_at_a_time_the_newer_sight_stays() {
    let world = World::new(&repository());
    let older = world.acquire().unwrap();
    world.publish(&repository().dated(TIME + 60));
    let newer = world.acquire().unwrap();
    // One who has verified the older one before the newer one was remembered comes to remember it only now.
    let base = &world.source.mirrors[0];
    assert!(world.acquirer().remember(&world.source, base, &older.release, &older.signed).is_ok());
    world.publish(&repository());
    assert!(matches!(world.failure(), MirrorError::RolledBack { .. }));
    let offline = Acquirer { offline: true, ..world.acquirer() };
    let kept = offline.repository(&world.source, &architectures(&["amd64"])).unwrap();
    assert_eq!(kept.signed, newer.signed);
}

#[test]
fn what_was_not_verified_as_a_whole_is_not_remembered() {
    let world = World::new(&by_name());
    world.publish(&by_name().with(Deb::new("more")).dated(TIME + 60));
    world.server.lie(XZ, Lie::Status(404, None));
    world.failure();
    world.server.tell_the_truth();
    world.publish(&by_name());
    assert_eq!(names(&world.acquire().unwrap()), ["hello"]);
}

#[test]
fn a_snapshot_is_looked_for_under_its_time() {
    let mut world = World::new(&repository());
    let dated = world.folder.join("20260101T000030Z");
    fs::create_dir(&dated).unwrap();
    fs::rename(world.folder.join("dists"), dated.join("dists")).unwrap();
    world.source.snapshot = Some("20260101T000030Z".parse().unwrap());
    let found = world.acquire().unwrap();
    assert_eq!(found.mirrors()[0].as_str(), world.server.url("/20260101T000030Z"));
    world.source.mirrors = vec![Url::parse(&world.server.url("/@SNAPSHOTID@/")).unwrap()];
    world.acquire().unwrap();
    world.source.snapshot = None;
    let error = world.acquire().unwrap_err();
    assert!(matches!(error, AcquireError::NoMirror { .. }) && error.is_mistake(), "{error}");
    world.source.snapshot = Some("20251231T235959Z".parse().unwrap());
    fs::rename(&dated, world.folder.join("20251231T235959Z")).unwrap();
    let failure = world.failure();
    assert!(
        matches!(&failure, MirrorError::Release { source, .. } if matches!(**source, ReleaseError::AfterSnapshot { .. })),
        "{failure:?}"
    );
}

#[test]
fn only_what_is_signed_and_fresh_is_taken() {
    let world = World::new(&apt::Repository { signature: apt::Signature::Missing, ..repository() });
    assert!(matches!(world.failure(), MirrorError::Unsigned { .. }));

    let world = World::new(&apt::Repository { valid_until: Some(TIME + 1), ..repository() });
    let error = world.acquire().unwrap_err();
    assert!(error.is_stale() && !error.is_unreachable(), "{error}");

    let world = World::new(&repository());
    drop(world.server);
    let world = World { server: Server::start(&world.folder), ..world };
    let error = world.acquire().unwrap_err();
    assert!(error.is_unreachable() && !error.is_stale(), "{error}");
}

#[test]
fn what_a_repository_does_not_have_is_a_mistake() {
    let mut world = World::new(&repository());
    let error = world.acquirer().repository(&world.source, &architectures(&["amd64", "riscv64"])).unwrap_err();
    assert!(
        matches!(&error, AcquireError::Architecture { known, .. } if *known == architectures(&["amd64"])),
        "{error}"
    );
    world.source.architectures = Some(architectures(&["amd64"]));
    assert!(world.acquirer().repository(&world.source, &architectures(&["amd64", "riscv64"])).is_ok());
    world.source.components.push("contrib".to_owned());
    let error = world.acquire().unwrap_err();
    assert!(matches!(&error, AcquireError::Component { known, .. } if known == &["main"]), "{error}");
    for bad in ["../main", "main binary", ""] {
        world.source.components = vec![bad.to_owned()];
        assert!(matches!(world.acquire(), Err(AcquireError::Name { .. })), "{bad}");
    }
}

#[test]
fn what_unpacks_to_more_or_to_other_bytes_than_signed_is_refused() {
    let plain_line = |world: &World| {
        let release = String::from_utf8(world.file(IN_RELEASE)).unwrap();
        release.lines().find(|line| line.ends_with("/Packages")).unwrap().to_owned()
    };
    let way = apt::Repository { forms: vec!["gz"], ..repository() };
    let world = World::new(&way);
    let line = plain_line(&world);
    let mut words = line.split_whitespace();
    let (sum, size) = (words.next().unwrap(), words.next().unwrap());
    let size: u64 = size.parse().unwrap();
    let check = |line_now: String, expected: Judge| {
        let rewritten = way.clone().release_rewritten(&line, &line_now);
        world.publish(&rewritten);
        let failure = world.failure();
        assert!(expected(&failure), "{failure:?}");
    };
    let path = "main/binary-amd64/Packages";
    check(format!(" {sum} {} {path}", size - 1), |e| matches!(e, MirrorError::Decode { .. }));
    check(format!(" {sum} {} {path}", size + 1), |e| matches!(e, MirrorError::Unpacked { .. }));
    check(format!(" {} {size} {path}", "0".repeat(64)), |e| matches!(e, MirrorError::Unpacked { .. }));
    check(format!(" {sum} {} {path}", 1_u64 << 40), |e| matches!(e, MirrorError::TooLarge { .. }));
    world.publish(&way);
    world.acquire().unwrap();
}

#[test]
fn nothing_partial_stays() {
    let world = World::new(&by_name());
    world.server.lie(XZ, Lie::Drop(20));
    world.failure();
    let cache = world.folder.with_file_name("cache");
    assert_eq!(files(&cache.join("values")) + files(&cache.join("content")), 0);
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
