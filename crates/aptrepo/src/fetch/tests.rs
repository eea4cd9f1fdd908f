#![expect(clippy::disallowed_methods, reason = "tests write plain files")]

use std::fs;
use std::io::Read as _;
use std::thread;

use distil_tests::http::Lie;

use super::*;
use crate::acquire::tests::{World, repository};

type Judge = fn(&DebMirrorError) -> bool;

const PATH: &str = "/pool/main/hello/hello_1.0_all.deb";

fn wanted(world: &World) -> WantedDeb {
    let repository = world.acquire().unwrap();
    let index = &repository.indices[0].index;
    let candidate = index.named("hello").next().unwrap().candidate().unwrap();
    world.server.forget();
    WantedDeb {
        name: candidate.name,
        version: candidate.version,
        architecture: candidate.architecture,
        size: candidate.size,
        sha256: candidate.sha256,
        path: candidate.path,
        mirrors: repository.mirrors().to_vec(),
    }
}

fn fault(result: Result<VerifiedDeb, FetchError>) -> FetchFault {
    *result.unwrap_err().source
}

#[test]
fn a_package_is_fetched_once() {
    let world = World::new(&repository());
    let wanted = wanted(&world);
    let offline = Acquirer { offline: true, ..world.acquirer() };
    assert!(offline.fetch(&wanted).unwrap_err().is_offline());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.acquirer().fetch(&wanted).unwrap());
        }
    });
    let deb = offline.fetch(&wanted).unwrap();
    assert_eq!(world.server.requests_for(PATH).len(), 1);
    assert_eq!((deb.size(), deb.sha256()), (wanted.size, &wanted.sha256));
    assert_eq!(deb.control_archive().control().package().as_str(), "hello");
    let mut bytes = Vec::new();
    deb.open().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), wanted.sha256);
}

#[test]
fn other_bytes_are_refused_and_the_next_mirror_is_asked() {
    let world = World::new(&repository());
    let mut wanted = wanted(&world);
    let good = fs::read(world.folder.join(&wanted.path)).unwrap();
    let mut bad = good.clone();
    bad[0] ^= 1;
    let lies: [(Lie, Judge); 4] = [
        (Lie::Bytes(bad), |e| matches!(e, DebMirrorError::Sum { .. })),
        (Lie::Half(100), |e| matches!(e, DebMirrorError::Net(distil_net::NetError::Length { found: 100, .. }))),
        (Lie::Endless, |e| matches!(e, DebMirrorError::Net(distil_net::NetError::TooLong { .. }))),
        (Lie::Status(404, None), |e| matches!(e, DebMirrorError::Net(e) if e.is_missing())),
    ];
    for (lie, expected) in lies {
        world.server.lie(PATH, lie.clone());
        match fault(world.acquirer().fetch(&wanted)) {
            FetchFault::Mirrors(failures) => assert!(failures.iter().all(expected), "{lie:?}: {failures:?}"),
            other => panic!("{lie:?}: {other:?}"),
        }
        let objects = world.folder.with_file_name("cache").join("content/sha256");
        assert_eq!(fs::read_dir(objects).unwrap().count(), 0, "{lie:?}");
    }
    wanted.mirrors.push(Url::from_directory_path(&world.folder).unwrap());
    world.acquirer().fetch(&wanted).unwrap();
}

#[test]
fn a_broken_connection_is_resumed() {
    let world = World::new(&repository());
    let wanted = wanted(&world);
    world.server.lie_times(PATH, Lie::Drop(100), 1);
    world.acquirer().fetch(&wanted).unwrap();
    let requests = world.server.requests_for(PATH);
    assert_eq!(requests[1].headers["range"], "bytes=100-");
}

#[test]
fn the_right_bytes_of_another_package_are_refused() {
    let world = World::new(&repository());
    let wanted = wanted(&world);
    let check = |change: fn(&mut WantedDeb)| {
        let mut changed = wanted.clone();
        change(&mut changed);
        let fault = fault(world.acquirer().fetch(&changed));
        assert!(
            matches!(&fault, FetchFault::OtherPackage { found, .. } if found.to_string() == "hello 1.0 all"),
            "{fault:?}"
        );
    };
    check(|wanted| wanted.name = "world".parse().unwrap());
    check(|wanted| wanted.version = "1.00".parse().unwrap());
    check(|wanted| wanted.architecture = "amd64".parse().unwrap());
    assert!(world.acquirer().fetch(&wanted).is_ok());
}

#[test]
fn paths_stay_in_the_repository() {
    let world = World::new(&repository());
    let wanted = wanted(&world);
    for path in ["../hello.deb", "/hello.deb", "pool//hello.deb", "pool/./hello.deb", ""] {
        let wanted = WantedDeb { path: path.to_owned(), ..wanted.clone() };
        assert!(matches!(fault(world.acquirer().fetch(&wanted)), FetchFault::Path { .. }), "{path}");
    }
    assert!(world.server.requests().is_empty());
}

#[test]
fn a_file_that_the_disk_has_changed_is_fetched_again() {
    let world = World::new(&repository());
    let wanted = wanted(&world);
    let deb = world.acquirer().fetch(&wanted).unwrap();
    let hex = wanted.sha256.hex();
    let object = world.folder.with_file_name("cache").join("content/sha256").join(hex.split_at(2).0).join(&hex);
    let mut bytes = fs::read(&object).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&object, &bytes).unwrap();
    let error = deb.open().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    // Whatever stands at the start of a damaged file, it is not blamed on the package.
    bytes.fill(0);
    fs::write(&object, &bytes).unwrap();
    let offline = Acquirer { offline: true, ..world.acquirer() };
    assert!(offline.fetch(&wanted).unwrap_err().is_offline());
    let again = world.acquirer().fetch(&wanted).unwrap();
    assert!(again.open().unwrap().read_to_end(&mut Vec::new()).is_ok());
}
