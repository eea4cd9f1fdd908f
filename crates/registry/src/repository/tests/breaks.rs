//! Connections that break, at any byte.

use distil_imgcore::{Memory, Referrers, copy_graph};
use distil_tests::lying_registry::{LyingRegistry, error};
use distil_tests::{Breaking, Way};

use super::*;

/// Asks again for seconds: a registry sees later than the client that a connection is gone, and with much to do much later.
static PATIENT: LazyLock<Arc<Client>> = LazyLock::new(|| {
    client(Retry { attempts: 100, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(200) })
});

fn behind(breaking: &Breaking, repository: &str) -> Repository {
    let name = format!("{}/{repository}", breaking.host());
    Repository::open(&name.parse().unwrap(), &options(&PATIENT)).unwrap()
}

#[test]
fn an_upload_goes_on_where_it_broke() {
    let registry = LyingRegistry::empty();
    let breaking = Breaking::before(&registry.host());
    let repository = behind(&breaking, "app");
    let bytes = content(24 << 20);
    breaking.cut(Way::Up, 20 << 20);
    breaking.cut(Way::Up, 1 << 20);
    let blob = put(&repository, MediaType::LAYER, &bytes);
    assert_eq!(breaking.made(), 2);
    assert!(breaking.passed(Way::Up) < 25 << 20, "{}", breaking.passed(Way::Up));
    assert_eq!(read(&repository, &blob).unwrap(), bytes);
}

#[test]
fn an_upload_that_a_registry_lost_begins_anew() {
    // This one forgets an upload that broke. What is in memory is sent again, and what is not is read again.
    let registry = Registry::start();
    let breaking = Breaking::before(&registry.host());
    let repository = behind(&breaking, "app");
    let small = content(8 << 20);
    breaking.cut(Way::Up, 7 << 20);
    let blob = put(&repository, MediaType::LAYER, &small);
    assert_eq!((breaking.made(), read(&repository, &blob).unwrap()), (1, small));

    let large = content(40 << 20);
    breaking.cut(Way::Up, 30 << 20);
    let blob = layer(&large);
    let broken = repository.put(&blob, &mut &*large).unwrap_err();
    assert!(broken.may_repeat(), "{broken}");
    breaking.cut(Way::Up, 30 << 20);
    let source = Memory::new();
    let config = put(&source, MediaType::CONFIG, b"config");
    let layers = [put(&source, MediaType::LAYER, &large)];
    let root = Manifest::new(&config, &layers, &BTreeMap::new()).unwrap();
    let root = put(&source, MediaType::MANIFEST, root.bytes());
    let _attached = copy_graph(&source, &repository, &root, Referrers::Copy, &mut |_| {}).unwrap();
    assert_eq!(breaking.made(), 3);
    assert_eq!(read(&repository, &blob).unwrap(), large);
}

#[test]
fn an_image_survives_a_cut_at_any_byte() {
    let registry = Registry::start();
    let breaking = Breaking::before(&registry.host());
    let image = content(100_000);
    let mut cuts = 0;
    for way in [Way::Up, Way::Down] {
        let steps = (0..4000).step_by(307).chain((4000..220_000).step_by(19_997));
        for (step, after) in steps.enumerate() {
            let repository = behind(&breaking, &format!("app{step}{}", u8::from(way == Way::Up)));
            breaking.cut(way, after);
            let config = put(&repository, MediaType::CONFIG, b"config");
            let layer = put(&repository, MediaType::LAYER, &image);
            let root = Manifest::new(&config, std::slice::from_ref(&layer), &BTreeMap::new()).unwrap();
            let root = put(&repository, MediaType::MANIFEST, root.bytes());
            repository.tag(Some(&"v1".parse().unwrap()), &root).unwrap();
            assert_eq!(repository.resolve(&name("v1")).unwrap(), root, "{way:?} {after}");
            assert_eq!(read(&repository, &layer).unwrap(), image, "{way:?} {after}");
            breaking.hold();
            cuts = breaking.made();
        }
    }
    assert!(cuts > 30, "{cuts}");
}

#[test]
fn a_download_goes_on_where_it_broke() {
    let registry = Registry::start();
    let breaking = Breaking::before(&registry.host());
    let bytes = content(3 << 20);
    let blob = put(&open(&registry.repository("app")), MediaType::LAYER, &bytes);
    let repository = behind(&breaking, "app");
    breaking.cut(Way::Down, 1 << 20);
    breaking.cut(Way::Down, 1000);
    breaking.cut(Way::Down, 1 << 20);
    assert_eq!(read(&repository, &blob).unwrap(), bytes);
    assert_eq!(breaking.made(), 3);
    assert!(breaking.passed(Way::Down) < (3 << 20) + 10_000, "{}", breaking.passed(Way::Down));
}

#[test]
fn a_blob_that_is_too_large_for_one_request_goes_in_parts() {
    let registry = LyingRegistry::empty();
    let repository = open(&registry.repository("app"));
    let bytes = content(20 << 20);
    registry.lie("HEAD", "/blobs/", |_, _| error(404, "BLOB_UNKNOWN"));
    registry.lie("PUT", "/blobs/uploads/", |asked, answer| {
        if asked.body.len() > 10 << 20 { error(413, "SIZE_INVALID") } else { answer }
    });
    // This registry reads it all before it says so, and not all of it can be sent again; but it is known then.
    assert!(repository.put(&layer(&bytes), &mut &*bytes).unwrap_err().may_repeat());
    let blob = put(&repository, MediaType::LAYER, &bytes);
    assert_eq!(read(&repository, &blob).unwrap(), bytes);
    let sent: Vec<_> = registry.asked().iter().map(|asked| (asked.method.clone(), asked.body.len())).collect();
    let parts = sent.iter().filter(|(method, _)| method == "PATCH").map(|(_, size)| *size);
    assert_eq!(parts.collect::<Vec<_>>(), [8 << 20, 8 << 20, 4 << 20], "{sent:?}");
}
