//! What is written is read, has the fields that SLSA asks for, and tells nothing of the machine.

use distil_imgcore::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sample;

/// One of everything.
fn whole() -> Provenance {
    let suite = || "bookworm".to_owned();
    let snapshot = |path: &str| Some(format!("https://snapshot.debian.org/archive/debian/20240101T000000Z/{path}"));
    let mut all = Provenance::new("linux/arm64".parse().unwrap(), "0.1.0", 1_704_067_200);
    all.recipe = Some(Parameter::new("distil.toml", "[debian]\npackages = [\"base-files\"]\n"));
    all.lock = Some(Parameter::new("distil.lock", "version = 2\n"));
    all.variant = Some("debug".into());
    all.releases = vec![Release {
        suite: suite(),
        origin: Some("Debian".into()),
        sha256: [1; 32],
        signature: None,
        date: 1_704_000_000,
        key: "4cb50190207b4758a3f73a796ed0e7b82643e131".into(),
        download: snapshot("dists/bookworm/InRelease"),
    }];
    all.indices = vec![Index {
        suite: suite(),
        path: "main/binary-arm64/Packages.xz".into(),
        sha256: [2; 32],
        download: snapshot("dists/bookworm/main/binary-arm64/Packages.xz"),
    }];
    all.keys = vec!["b8b80b5b623eab6ad8775c45b7c5d7d6350947f8".into()];
    all.base = Some(BaseImage { name: Some("docker.io/library/debian:12".into()), digest: Digest::of(b"base") });
    all.base_signers = Some(BaseSigners { names: vec![Digest::of(b"key").to_string()], threshold: 1 });
    all.packages = vec![Deb {
        purl: "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=arm64&distro=debian-12&upstream=gcc-12".into(),
        file_name: "libstdc++6_12.2.0-14_arm64.deb".into(),
        sha256: [3; 32],
        sha512: Some([4; 64]),
        origin: Some(DebOrigin { suite: suite(), path: "pool/main/g/gcc-12/libstdc++6_12.2.0-14_arm64.deb".into() }),
        source: Some(SourcePackage { name: "gcc-12".into(), version: "12.2.0-14".into() }),
        download: None,
    }];
    all.files = vec![OwnFile { path: "app/hello".into(), sha256: [5; 32] }];
    all.byproducts =
        vec![Byproduct { name: "sbom.spdx.json".into(), media_type: "application/spdx+json".into(), sha256: [6; 32] }];
    all
}

fn written(all: &Provenance) -> Vec<u8> {
    let mut out = Vec::new();
    all.write(&mut out).unwrap();
    out
}

fn value(all: &Provenance) -> Value {
    serde_json::from_slice(&written(all)).unwrap()
}

/// The page that others read shows what is written, and it is read there too.
#[test]
fn the_page_shows_what_is_written() {
    let page = include_str!("../../../../docs/provenance.md");
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(example).unwrap(), value(&whole()), "{:#}", value(&whole()));
    assert_eq!(Provenance::read(example.as_bytes()).unwrap(), whole());
    let base = BUILD_TYPE.split('#').next().unwrap();
    assert_eq!(base, format!("{}/docs/provenance.md", env!("CARGO_PKG_REPOSITORY")));
    assert!(page.contains("\n## v1\n"));
}

#[test]
fn the_fields_that_slsa_asks_for_are_there() {
    let found = value(&Provenance::new("linux/amd64".parse().unwrap(), "0.1.0", 0));
    assert_eq!(found["buildDefinition"]["buildType"], BUILD_TYPE);
    assert_eq!(found["buildDefinition"]["externalParameters"], json!({"platform": "linux/amd64"}));
    assert_eq!(found["runDetails"]["builder"]["id"], BUILDER);
    // Each dependency is named by a URI or a digest.
    for resource in value(&whole())["buildDefinition"]["resolvedDependencies"].as_array().unwrap() {
        assert!(resource["uri"].is_string() || resource["digest"].is_object(), "{resource}");
    }
}

#[test]
fn an_invocation_is_told_from_another_by_what_went_in() {
    let id = |all: &Provenance| value(all)["runDetails"]["metadata"]["invocationId"].as_str().unwrap().to_owned();
    let mut other = whole();
    other.byproducts.clear();
    assert_eq!(id(&whole()), id(&other));
    other.epoch += 1;
    assert_ne!(id(&whole()), id(&other));
    assert!(id(&other).starts_with("sha256:"));
}

#[test]
fn nothing_of_the_machine_is_told() {
    let mut all = whole();
    all.recipe = Some(Parameter::new("/home/me/team/distil.toml", "uris = ['https://mirror.corp']\n").without_text());
    all.files[0].path = "/home/me/secret/hello".into();
    all.packages[0].file_name = "/home/me/debs/own.deb".into();
    let text = String::from_utf8(written(&all)).unwrap();
    assert!(!text.contains("/home") && !text.contains("corp"), "{text}");
    let back = Provenance::read(text.as_bytes()).unwrap();
    assert_eq!((back.files[0].path.as_str(), back.packages[0].file_name.as_str()), ("hello", "own.deb"));
    let recipe = back.recipe.unwrap();
    assert_eq!((recipe.name(), recipe.text()), ("distil.toml", None));
    assert_eq!(Some(recipe.sha256()), all.recipe.as_ref().map(Parameter::sha256));
}

#[test]
fn packages_come_out_of_an_inventory() {
    let inventory = sample::inventory();
    let debs: Vec<Deb> =
        inventory.packages.iter().filter_map(|package| Deb::of(package, inventory.system.as_ref())).collect();
    assert_eq!(debs.len(), 2);
    for (deb, package) in debs.iter().zip(&inventory.packages) {
        let artefact = package.artefact.as_ref().unwrap();
        assert_eq!(deb.file_name, artefact.file_name);
        assert_eq!(deb.source, package.source);
        assert!(deb.purl.starts_with("pkg:deb/debian/"), "{}", deb.purl);
        assert!(deb.download.as_ref().is_some_and(|url| url.starts_with("https://snapshot.debian.org/file/")));
    }
}

#[test]
fn each_break_is_found() {
    use ProvenanceError as E;
    let check = |pointer: &str, broken: Value| {
        let mut all = value(&whole());
        *all.pointer_mut(pointer).unwrap() = broken;
        Provenance::read(all.to_string().as_bytes()).unwrap_err()
    };
    let with = |pointer: &str, key: &str, more: Value| {
        let mut all = value(&whole());
        all.pointer_mut(pointer).unwrap()[key] = more;
        Provenance::read(all.to_string().as_bytes())
    };
    assert!(matches!(check("/buildDefinition/buildType", json!("https://example.org/other")), E::BuildType(_)));
    let parameters = "/buildDefinition/externalParameters";
    assert!(
        matches!(check(&format!("{parameters}/recipe/text"), json!("other")), E::Text(name) if name == "distil.toml")
    );
    assert!(matches!(check(&format!("{parameters}/lock/digest"), json!({})), E::Text(_)));
    assert!(matches!(check(&format!("{parameters}/platform"), json!("linux")), E::Platform(_)));
    assert!(matches!(with(parameters, "colour", json!(1)), Err(E::Form(_))));
    assert!(matches!(with(&format!("{parameters}/recipe"), "colour", json!(1)), Err(E::Form(_))));
    // What is no parameter may be more than this version knows.
    assert_eq!(with("/buildDefinition", "colour", json!(1)).unwrap(), whole());
    let dependencies = "/buildDefinition/resolvedDependencies";
    let dependency =
        |number: usize, field: &str, broken: Value| check(&format!("{dependencies}/{number}/{field}"), broken);
    assert!(matches!(dependency(0, "digest", json!({})), E::Missing { number: 0, field: "sha256" }));
    assert!(matches!(dependency(0, "digest/sha256", json!("00")), E::Form(_)));
    assert!(matches!(dependency(0, "annotations/date", json!("soon")), E::Form(_)));
    assert!(matches!(dependency(2, "uri", json!("https://example.org")), E::Missing { number: 2, .. }));
    assert!(matches!(dependency(3, "digest", json!({})), E::Missing { number: 3, .. }));
    assert!(matches!(dependency(4, "annotations/kind", json!("base")), E::TwoBases(4)));
    assert!(matches!(dependency(4, "uri", Value::Null), E::Missing { number: 4, field: "uri" }));
    let unknown = with(&format!("{dependencies}/5/annotations"), "kind", json!("weather")).unwrap();
    assert_eq!((unknown.files.len(), unknown.packages), (0, whole().packages));
    assert!(matches!(Provenance::read(b"{\"a\":1,\"a\":1}"), Err(E::Json(JsonError::DuplicateKey { .. }))));
}

fn maybe<T: std::fmt::Debug + Clone>(some: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    proptest::option::of(some).boxed()
}

prop_compose! {
    fn any_provenance()(
        platform in prop::sample::select(vec!["linux/amd64", "linux/arm/v5", "linux/arm64"]),
        parameters in (maybe(any::<(String, bool)>()), maybe(any::<String>()), maybe(any::<String>())),
        texts in proptest::collection::vec(any::<String>(), 6),
        bytes in any::<(u8, u8, bool)>(),
        date in -60_000_000_000_i64..200_000_000_000,
        lists in proptest::collection::vec(0..3_usize, 6),
    ) -> Provenance {
        let (recipe, lock, variant) = parameters;
        let text = |number: usize| texts[number].clone();
        let some = |number: usize| bytes.2.then(|| text(number));
        // A path that is not absolute, for of those only a part is told.
        let path = |number: usize| format!("p{}", text(number));
        let [releases, indices, keys, packages, files, byproducts] = lists.try_into().unwrap();
        let mut all = Provenance::new(platform.parse().unwrap(), &text(0), date);
        all.recipe = recipe.map(|(text, told)| {
            let parameter = Parameter::new("distil.toml", &text);
            if told { parameter } else { parameter.without_text() }
        });
        all.lock = lock.map(|text| Parameter::new("distil.lock", &text));
        all.variant = variant;
        let release = Release {
            suite: text(1), origin: some(2), sha256: [bytes.0; 32], signature: bytes.2.then_some([bytes.1; 32]), date,
            key: text(3), download: some(4),
        };
        all.releases = vec![release; releases];
        all.indices = vec![Index { suite: text(1), path: text(2), sha256: [bytes.1; 32], download: some(5) }; indices];
        all.keys = vec![text(3); keys];
        all.base = some(4).map(|name| BaseImage { name: Some(name), digest: Digest::of(&[bytes.0]) });
        all.base_signers =
            all.base.as_ref().map(|_| BaseSigners { names: vec![text(2)], threshold: bytes.1.into() });
        let deb = Deb {
            purl: text(0), file_name: path(1), sha256: [bytes.0; 32], sha512: bytes.2.then_some([bytes.1; 64]),
            origin: some(2).map(|suite| DebOrigin { suite, path: text(3) }),
            source: some(4).map(|name| SourcePackage { name, version: text(5) }),
            download: some(5),
        };
        all.packages = vec![deb; packages];
        all.files = vec![OwnFile { path: path(2), sha256: [bytes.1; 32] }; files];
        all.byproducts = vec![Byproduct { name: text(0), media_type: text(1), sha256: [bytes.0; 32] }; byproducts];
        all
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in any_provenance()) {
        let text = written(&all);
        prop_assert!(!text.iter().any(u8::is_ascii_control));
        prop_assert_eq!(Provenance::read(&text).unwrap(), all);
    }

    #[test]
    fn no_bytes_are_fatal(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut text = written(&whole());
        for (at, byte) in &edits {
            let at = at.index(text.len());
            text[at] = *byte;
        }
        if let Ok(all) = Provenance::read(&text) {
            // A path may have become absolute, of which a part is left out, once.
            let told = Provenance::read(&written(&all)).unwrap();
            prop_assert_eq!(Provenance::read(&written(&told)).unwrap(), told);
        }
    }
}
