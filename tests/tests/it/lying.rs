//! Repositories that lie. Each is refused or survived, with a message that says which file, key or sum, and nothing
//! partial stays in the cache.

use std::fs;
use std::time::Instant;

use distil_tests::apt::{DAY, TIME};
use distil_tests::http::{Lie, Server};
use distil_tests::{Deb, Program, Repository, Signer};

use crate::project::{Project, package, pool, repository};

const RELEASE: &str = "/dists/test/InRelease";
const INDEX: &str = "/dists/test/main/binary-amd64/Packages.xz";

/// A repository without copies by digest, so that a lie about an index has one path; its server; and a recipe for it.
fn served() -> (Project, Server) {
    served_as(&Repository { by_hash: false, forms: vec!["xz"], ..repository() })
}

fn served_as(repository: &Repository) -> (Project, Server) {
    let project = Project::new(repository);
    let server = project.serve();
    project.recipe(&[&server.url("")], &["app"]);
    (project, server)
}

/// After the lie the same project builds, so that the lie alone was what was refused, and left nothing behind.
fn check_refused(project: &Project, server: &Server, status: i32, words: &[&str]) {
    project.refused(&[], status, words);
    server.tell_the_truth();
    let ran = project.build(&[]);
    assert!(ran.status.success(), "the truth is refused, too: {ran}");
    project.check_cache();
}

#[test]
fn another_key_is_refused() {
    let (project, server) = served();
    let stranger = Signer::new();
    let honest = fs::read(project.repository().join("dists/test/InRelease")).unwrap();
    repository().publish(&project.repository(), &stranger);
    let (_, short) = stranger.fingerprint().split_at(24);
    project.refused(&[], 4, &["InRelease", short]);
    server.lie(RELEASE, Lie::Bytes(honest));
}

#[test]
fn a_changed_release_is_refused() {
    let (project, server) = served();
    let release = fs::read_to_string(project.repository().join("dists/test/InRelease")).unwrap();
    server.lie(RELEASE, Lie::Bytes(release.replace("Origin: Test", "Origin: Tess").into_bytes()));
    check_refused(&project, &server, 4, &["InRelease", "signature"]);
}

#[test]
fn other_bytes_than_the_signed_ones_are_refused() {
    let (project, server) = served();
    for path in [INDEX.to_owned(), pool("app", "1.0")] {
        let mut bytes = fs::read(project.repository().join(path.trim_start_matches('/'))).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let found = distil_tests::apt::sha256(&bytes);
        server.lie(&path, Lie::Bytes(bytes));
        let name = path.rsplit('/').next().unwrap();
        check_refused(&project, &server, 4, &[name, &found]);
        fs::remove_file(project.folder.join("distil.lock")).unwrap();
        project.forget();
    }
}

#[test]
fn other_bytes_in_a_vendored_directory_are_refused() {
    let (project, _server) = served();
    assert!(project.distil(&["lock", "--vendor", "vendor"]).status.success());
    let vendored = distil_tests::layout::files(&project.folder.join("vendor"));
    let (path, bytes) = vendored.iter().find(|(path, _)| path.ends_with("lib_1.0_all.deb")).unwrap();
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    fs::write(project.folder.join("vendor").join(path), &changed).unwrap();
    project.forget();
    let (expected, found) = (distil_tests::apt::sha256(bytes), distil_tests::apt::sha256(&changed));
    project.refused(&["--vendor", "vendor", "--locked"], 4, &["lib_1.0_all.deb", &expected, &found]);
}

#[test]
fn half_a_file_is_refused() {
    let (project, server) = served();
    for path in [INDEX.to_owned(), pool("app", "1.0")] {
        server.lie(&path, Lie::Half(100));
        let name = path.rsplit('/').next().unwrap();
        check_refused(&project, &server, 4, &[name, "100"]);
        fs::remove_file(project.folder.join("distil.lock")).unwrap();
        project.forget();
    }
}

#[test]
fn a_frozen_repository_is_refused() {
    let (project, server) = served_as(&Repository { valid_until: Some(TIME + DAY), ..repository() });
    project.refused(&[], 3, &["test", "2026-01-02"]);
    project.publish(&repository());
    assert!(project.build(&[]).status.success());
    drop(server);
}

#[test]
fn a_repository_that_is_rolled_back_is_refused() {
    let (project, server) = served_as(&repository().with(package("lib", "1.1")).dated(TIME + 30 * DAY));
    assert!(project.distil(&["lock"]).status.success());
    let lock = project.lock();
    // Properly signed, not ended, only older than what was seen before.
    project.publish(&repository());
    let ran = project.distil(&["lock"]).exits(4);
    assert!(ran.errors().contains("2026-01-31") && ran.errors().contains("2026-01-01"), "{ran}");
    assert_eq!(project.lock(), lock);
    project.check_cache();
    // Another machine knows of the newer one by the lock alone.
    project.forget();
    let ran = project.distil(&["lock"]).exits(4);
    assert!(ran.errors().contains("2026-01-31") && ran.errors().contains("distil.lock"), "{ran}");
    assert_eq!(project.lock(), lock);
    // Who has not seen the newer one cannot know.
    fs::remove_file(project.folder.join("distil.lock")).unwrap();
    project.forget();
    assert!(project.distil(&["lock"]).status.success());
    drop(server);
}

#[test]
fn redirects_that_lead_elsewhere_are_refused() {
    let (project, server) = served();
    let other = project.serve();
    for path in [RELEASE.to_owned(), INDEX.to_owned(), pool("app", "1.0")] {
        for target in [other.url(&path), format!("ftp://127.0.0.1{path}"), "file:///etc/passwd".to_owned()] {
            server.lie(&path, Lie::Redirect(target.clone()));
            let shown = target.split_once("://").unwrap().0.to_owned();
            check_refused(&project, &server, 4, &[path.rsplit('/').next().unwrap(), &shown]);
            fs::remove_file(project.folder.join("distil.lock")).unwrap();
            project.forget();
        }
    }
    assert!(other.requests().is_empty(), "followed to another host: {:?}", other.requests());
}

#[test]
fn a_redirect_on_the_same_host_is_followed() {
    let (project, server) = served();
    let path = pool("app", "1.0");
    fs::copy(project.repository().join(path.trim_start_matches('/')), project.repository().join("moved")).unwrap();
    server.lie(&path, Lie::Redirect("/moved".to_owned()));
    assert!(project.build(&[]).status.success());
    assert_eq!(server.requests_for("/moved").len(), 1);
}

#[test]
fn redirects_in_a_circle_end() {
    let (project, server) = served();
    server.lie(RELEASE, Lie::Redirect(RELEASE.to_owned()));
    check_refused(&project, &server, 4, &["InRelease", "redirect"]);
}

#[test]
fn a_busy_server_is_waited_for() {
    let (project, server) = served();
    for (path, status) in [(RELEASE.to_owned(), 429), (INDEX.to_owned(), 503), (pool("app", "1.0"), 429)] {
        server.lie_times(&path, Lie::Status(status, Some("1".to_owned())), 2);
    }
    let begun = Instant::now();
    assert!(project.build(&[]).status.success());
    assert!(begun.elapsed().as_secs_f64() >= 2.0, "did not wait as long as it was told");
    assert_eq!(server.requests_for(RELEASE).len(), 3);
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    let (project, server) = served();
    server.lie(RELEASE, Lie::Status(429, None));
    check_refused(&project, &server, 4, &["InRelease", "429"]);
}

#[test]
fn a_connection_that_breaks_is_resumed() {
    let big = Deb::new("app").field("Depends: lib (>= 1.0)").file("/usr/share/noise", &"noise ".repeat(20_000));
    let mut repository = repository();
    repository.packages.retain(|(_, deb)| deb.name != "app");
    let (project, server) = served_as(&repository.with(big));
    let path = pool("app", "1.0");
    server.lie_times(&path, Lie::Drop(50_000), 1);
    assert!(project.build(&[]).status.success());
    let requests = server.requests_for(&path);
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(requests[1].headers["range"].starts_with("bytes=50000-"), "{requests:?}");
    project.check_cache();
}

/// A connection that says nothing more is not waited for without end: the whole of it stays under two minutes.
#[test]
fn a_stalled_connection_ends() {
    let (project, server) = served();
    server.lie_times(&pool("app", "1.0"), Lie::Stall(100), 1);
    let begun = Instant::now();
    let ran = project.build(&[]);
    assert!(ran.status.success(), "one stall is survived: {ran}");
    assert!(begun.elapsed().as_secs() < 110, "{:?}", begun.elapsed());
    project.check_cache();
}

#[test]
fn a_bomb_of_an_index_is_not_unpacked() {
    // 400 MiB of zeros, in a form that the release lists with its true sum: only its plain size is a lie.
    let (project, server) = served_as(&Repository { by_hash: false, forms: vec!["gz"], ..repository() });
    let zeros = Program::new("sh").args(["-c", "head -c 400M /dev/zero | gzip -c1"]).run().success().stdout;
    let (old, sum) = (index_line(&project, "gz"), distil_tests::apt::sha256(&zeros));
    let line = format!(" {sum} {} main/binary-amd64/Packages.gz", zeros.len());
    project.publish(&Repository { by_hash: false, forms: vec!["gz"], ..repository() }.release_rewritten(&old, &line));
    server.lie("/dists/test/main/binary-amd64/Packages.gz", Lie::Bytes(zeros));
    let usage = project.folder.join("usage");
    let program = Program::within("time", 60.0).args(["-f", "%M", "-o"]).arg(&usage).arg(distil_tests::place::distil());
    let program = program.args(["lock", "--cache-dir", "cache"]).current_dir(&project.folder);
    let ran = program.run().exits(4);
    assert!(ran.errors().contains("Packages"), "{ran}");
    let kib = fs::read_to_string(&usage).unwrap();
    let kib: u64 = kib.lines().last().unwrap().parse().unwrap();
    assert!(kib < 200 << 10, "{kib} KiB for a bomb");
    let cached: usize = distil_tests::layout::files(&project.cache()).values().map(Vec::len).sum();
    assert!(cached < 10 << 20, "{cached} bytes in the cache");
    project.check_cache();
}

/// The line of the release about an index of this suffix.
fn index_line(project: &Project, suffix: &str) -> String {
    let release = fs::read_to_string(project.repository().join("dists/test/InRelease")).unwrap();
    let end = format!("main/binary-amd64/Packages.{suffix}");
    release.lines().find(|line| line.ends_with(&end)).unwrap().to_owned()
}

#[test]
fn an_answer_without_end_is_cut() {
    let (project, server) = served();
    for path in [RELEASE.to_owned(), INDEX.to_owned(), pool("app", "1.0")] {
        server.lie(&path, Lie::Endless);
        check_refused(&project, &server, 4, &[path.rsplit('/').next().unwrap()]);
        fs::remove_file(project.folder.join("distil.lock")).unwrap();
        project.forget();
    }
}
