use std::collections::BTreeSet;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

fn digest(seed: &str) -> Digest {
    Digest::of(seed.as_bytes())
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn package(name: &str, version: &str, repository: usize) -> LockedPackage {
    LockedPackage {
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        architecture: "amd64".parse().unwrap(),
        source: Source { name: name.parse().unwrap(), version: version.parse().unwrap() },
        size: 70_740,
        sha256: digest(&format!("{name} {version}")),
        origin: PackageOrigin::Repository { repository, path: format!("pool/main/{name}_{version}.deb") },
    }
}

fn platform(packages: &[LockedPackage]) -> LockedPlatform {
    let layers = packages.iter().map(|package| vec![package.name.clone()]).collect();
    LockedPlatform::new(packages.to_vec(), layers).unwrap()
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// A lock in which every part of the format is there.
fn example() -> Lock {
    let asked = Asked {
        platforms: [amd64(), "linux/arm/v7".parse().unwrap()].into(),
        packages: set(&["ca-certificates", "libssl3=3.0.*"]),
        debs: set(&["dist/*.deb"]),
        exclude: set(&["perl-base"]),
        recommends: false,
        sources: AskedSources::Tables(
            [
                AskedSource {
                    suite: "bookworm".into(),
                    components: set(&["contrib", "main"]),
                    architectures: Some(set(&["amd64", "armhf"])),
                    signed_by: set(&["keys/archive.gpg"]),
                    snapshot: Some("20260818T205150Z".parse().unwrap()),
                },
                AskedSource {
                    suite: "./".into(),
                    components: set(&[]),
                    architectures: None,
                    signed_by: set(&["B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8"]),
                    snapshot: None,
                },
            ]
            .into(),
        ),
        base: Some("oci:base:v1".into()),
        layers: AskedLayers { strategy: "package".into(), max: 40 },
        variants: [("debug".to_owned(), AskedVariant { packages: set(&["busybox-static"]), debs: set(&[]) })].into(),
    };
    let inline = RepositoryEvidence {
        suite: "bookworm".into(),
        codename: Some("bookworm".into()),
        origin: Some("Debian".into()),
        label: Some("Debian".into()),
        version: Some("12.11".into()),
        signed: SignedFile::Inline { digest: digest("InRelease") },
        primary_key: "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8".parse().unwrap(),
        key: "4CB50190207B4758A3F73A796ED0E7B82643E131".parse().unwrap(),
        signed_at: "2026-08-18T20:50:02Z".parse().unwrap(),
        date: "2026-08-18T20:49:59Z".parse().unwrap(),
        valid_until: Some("2026-08-25T20:49:59Z".parse().unwrap()),
        snapshot: Some("20260818T205150Z".parse().unwrap()),
        indices: vec![IndexEvidence {
            path: "main/binary-amd64/Packages.xz".into(),
            size: 8_789_012,
            sha256: digest("Packages.xz"),
        }],
    };
    let detached = RepositoryEvidence {
        suite: "./".into(),
        codename: None,
        origin: None,
        label: None,
        version: None,
        signed: SignedFile::Detached { release: digest("Release"), signature: digest("Release.gpg") },
        valid_until: None,
        snapshot: None,
        indices: Vec::new(),
        ..inline.clone()
    };
    let mut rebuilt = package("libssl3", "3.0.17-1~deb12u2+b1", 0);
    rebuilt.source = Source { name: "openssl".parse().unwrap(), version: "3.0.17-1~deb12u2".parse().unwrap() };
    let mut local = package("team-app", "1.0", 0);
    local.origin = PackageOrigin::Local { path: "dist/team app \u{202e}.deb".into() };
    let base_files = package("base-files", "12.4+deb12u11", 0);
    let main = LockedPlatform::new(
        vec![rebuilt.clone(), local, base_files.clone()],
        vec![vec!["base-files".parse().unwrap()], vec!["libssl3".parse().unwrap(), "team-app".parse().unwrap()]],
    )
    .unwrap();
    let debug = platform(&[base_files, rebuilt, package("busybox-static", "1:1.35.0-4", 1)]);
    let result = LockedResult {
        files: digest("files"),
        compression: "zstd:3".into(),
        digest: digest("index"),
        platforms: [(
            amd64(),
            LockedImage {
                digest: digest("manifest"),
                diff_ids: vec![DiffId::new(digest("a")), DiffId::new(digest("b"))],
            },
        )]
        .into(),
    };
    Lock {
        asked,
        epoch: 1_755_550_310,
        repositories: vec![inline, detached],
        base: Some(LockedBase { digest: Some(digest("bases")), platforms: [(amd64(), digest("base"))].into() }),
        main: Locked { platforms: [(amd64(), main)].into(), result: Some(result) },
        variants: [("debug".to_owned(), Locked { platforms: [(amd64(), debug)].into(), result: None })].into(),
    }
}

#[test]
fn a_whole_lock() {
    let lock = example();
    let text = lock.to_toml();
    assert_eq!(Lock::parse(&text), Ok(lock));
    insta::assert_snapshot!(text);
}

#[test]
fn a_variant_that_is_its_recipe_says_nothing_new() {
    let main = Locked { platforms: [(amd64(), platform(&[package("aa", "1", 0)]))].into(), result: None };
    let lock = Lock { variants: [("same".to_owned(), main.clone())].into(), main, ..example() };
    let text = lock.to_toml();
    assert!(
        text.ends_with("\n[variants.same]\n\n[variants.same.platforms.\"linux/amd64\"]\nwithout = []\npackages = []\n"),
        "{text}"
    );
    assert_eq!(Lock::parse(&text), Ok(lock));
}

#[test]
fn suites_of_one_name_are_told_apart() {
    let mut lock = example();
    let twin = RepositoryEvidence { suite: "bookworm".into(), ..lock.repositories[1].clone() };
    lock.repositories[1] = twin;
    let text = lock.to_toml();
    assert!(text.contains("repository = \"bookworm#2\", path = \"pool/main/busybox-static"), "{text}");
    assert_eq!(Lock::parse(&text), Ok(lock));
}

/// The fault of the example with one text in the place of another, and the line where it is found.
fn fault(from: &str, to: &str) -> (usize, LockFault) {
    let text = example().to_toml();
    assert!(text.contains(from), "{from}");
    match Lock::parse(&text.replacen(from, to, 1)) {
        Err(LockError::Content { line, fault, .. }) => (line, fault),
        other => panic!("{from} -> {to}: {other:?}"),
    }
}

#[test]
fn each_fault_is_found() {
    use LockFault as F;
    macro_rules! expect {
        ($from:expr, $to:expr, $pattern:pat) => {
            let (_, found) = fault($from, $to);
            assert!(matches!(found, $pattern), "{} -> {}: {found:?}", $from, $to);
        };
    }
    expect!("epoch = 1755550310", "epoch = -1", F::Malformed { .. });
    expect!("epoch = 1755550310\n", "", F::MissingKey { key: "epoch" });
    expect!("epoch = 1755550310", "epoch = \"1\"", F::Malformed { .. });
    expect!("epoch", "mirror = \"http://192.0.2.1/\"\nepoch", F::UnknownKey);
    expect!("[[repository]]\n", "[[repository]]\nuri = \"x\"\n", F::UnknownKey);
    expect!("    \"ca-certificates\",\n", "", F::AskedDigest);
    expect!("\"ca-certificates\"", "\"libssl3=3.0.*\"", F::Twice { .. });
    expect!("\"linux/arm/v7\"", "\"linux/arm\"", F::Malformed { .. });
    expect!("strategy = \"package\"", "strategy = 1", F::Malformed { .. });
    expect!("sources = [", "host-suites = []\nsources = [", F::UnknownKey);
    expect!("name = \"./\"", "name = \"bookworm\"", F::Twice { .. });
    expect!("in-release = ", "release-gpg = \"\"\nin-release = ", F::NotExactlyOne { .. });
    expect!("release-gpg = ", "in-release = ", F::NotExactlyOne { .. });
    expect!("in-release = \"sha256:", "in-release = \"SHA256:", F::Malformed { .. });
    expect!("2026-08-18T20:49:59Z", "Tue, 18 Aug 2026 20:49:59 UTC", F::Malformed { .. });
    expect!("signed-at = \"2026", "signed-at = \"12026", F::Malformed { .. });
    expect!("\nkey = \"4CB5", "\nkey = \"4cb5", F::Malformed { .. });
    expect!("main/binary-amd64/Packages.xz", "main/../Packages.xz", F::Malformed { .. });
    expect!("size = 8789012", "size = -8789012", F::Malformed { .. });
    expect!("size = 70740", "size = 70740.0", F::Malformed { .. });
    expect!("size = 70740", "size = 99999999999999999999", F::Malformed { .. });
    expect!("pool/main/base-files", "/pool/main/base-files", F::Malformed { .. });
    expect!("pool/main/base-files", "pool/main/../base-files", F::Malformed { .. });
    expect!("pool/main/base-files", "pool//base-files", F::Malformed { .. });
    expect!("\"base-files\"", "\"Base-files\"", F::Malformed { .. });
    expect!("version = \"12.4+deb12u11\"", "version = \"v12\"", F::Malformed { .. });
    expect!("architecture = \"amd64\"", "architecture = \"AMD64\"", F::Malformed { .. });
    expect!("repository = \"bookworm\"", "repository = \"trixie\"", F::Unknown { what: "repository", .. });
    expect!("repository = \"bookworm\", path", "path", F::NotExactlyOne { .. });
    expect!("local = \"", "path = \"x\", local = \"", F::NotExactlyOne { .. });
    expect!("name = \"team-app\"", "name = \"base-files\"", F::Twice { .. });
    expect!("name = \"team-app\"", "name = \"team-apq\"", F::Unknown { what: "package", .. });
    expect!("        \"team-app\",\n", "", F::NoLayer { .. });
    expect!("        \"team-app\",\n", "        \"libssl3\",\n", F::Twice { .. });
    expect!("without = [\n    \"team-app\"", "without = [\n    \"team-apq\"", F::Unknown { what: "package", .. });
    expect!("without = [\n    \"team-app\",\n]\n", "", F::MissingKey { key: "without" });
    expect!("[platforms.\"linux/amd64\"]\n", "[platforms.\"linux/amd64\"]\nwithout = []\n", F::UnknownKey);
    expect!("[variants.debug.", "[variants.\"de bug\".", F::Malformed { .. });
    expect!("[platforms.\"linux/amd64\"]", "[platforms.\"linux/amd64/v1\"]", F::Malformed { .. });
    expect!("diff-ids = [", "diff-ids = [1, ", F::Malformed { .. });
    assert_eq!(fault("size = 70740", "size = \"x\"").0, {
        let text = example().to_toml();
        text.lines().position(|line| line.contains("size = 70740")).unwrap() + 1
    });
}

#[test]
fn another_format_and_what_is_no_toml_are_told_apart() {
    assert_eq!(Lock::parse("format-version = 1\nwhatever = 1"), Err(LockError::FormatVersion { found: 1 }));
    assert!(matches!(Lock::parse("format-version = "), Err(LockError::Syntax { line: 1, .. })));
    let missing = LockFault::MissingKey { key: "format-version" };
    assert_eq!(Lock::parse(""), Err(LockError::Content { line: 1, column: 1, key: String::new(), fault: missing }));
    let long = " ".repeat(MAX_LOCK + 1);
    assert_eq!(Lock::parse(&long), Err(LockError::TooLarge { found: MAX_LOCK + 1 }));
}

#[test]
fn messages_hold_no_control_characters() {
    let error = Lock::parse("format-version = 3\n\"\\u001b[31m\\u202e\" = 1").unwrap_err();
    assert!(!error.to_string().chars().any(|c| c.is_control() || c == '\u{202e}'), "{error}");
}

#[test]
fn changes_are_told_once_with_both_versions() {
    let old = example();
    let mut new = example();
    let mut forged = package("base-files", "12.4+deb12u11", 0);
    forged.sha256 = digest("other bytes");
    let packages = [package("libssl3", "3.0.18-1", 0), package("zlib1g", "1:1.2.13", 0), forged.clone()];
    new.main.platforms.insert(amd64(), platform(&packages));
    new.variants.get_mut("debug").unwrap().platforms.insert(amd64(), platform(&packages));
    let shown = |changes: Vec<Change>| -> Vec<String> {
        let version = |version: Option<Version>| version.map_or("-".to_owned(), |version| version.to_string());
        changes.into_iter().map(|c| format!("{} {} {}", c.package, version(c.from), version(c.to))).collect()
    };
    assert_eq!(
        shown(new.changes(Some(&old))),
        [
            "base-files 12.4+deb12u11 12.4+deb12u11",
            "busybox-static 1:1.35.0-4 -",
            "libssl3 3.0.17-1~deb12u2+b1 3.0.18-1",
            "team-app 1.0 -",
            "zlib1g - 1:1.2.13",
        ]
    );
    assert_eq!(new.changes(Some(&new)), []);
    assert_eq!(shown(new.changes(None)).first().unwrap(), "base-files - 12.4+deb12u11");
}

#[test]
fn differences_are_told_in_words() {
    let old = example().asked;
    let mut new = old.clone();
    new.packages = set(&["libssl3=3.0.*", "python3.11"]);
    new.recommends = true;
    new.base = None;
    new.layers.max = 20;
    new.variants.insert("tiny".into(), AskedVariant::default());
    new.variants.get_mut("debug").unwrap().debs = set(&["x\u{1b}.deb"]);
    new.sources = AskedSources::Host { suites: Some(set(&["bookworm"])) };
    let words: Vec<String> = old.differences(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "base: oci:base:v1 became no image",
            "host-suites: bookworm was added",
            "layers.max: 40 became 20",
            "packages: python3.11 was added",
            "packages: ca-certificates was removed",
            "recommends: false became true",
            "sources: ./, signed by B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8; bookworm (contrib main) for amd64 armhf, \
             signed by keys/archive.gpg, at 20260818T205150Z became host",
            "variants: tiny was added",
            "variants.debug.debs: x\\x1b.deb was added",
        ]
    );
    assert_eq!(old.differences(&old), []);
    assert_ne!(old.digest(), new.digest());
}

/// What a repository says of itself may be anything.
fn any_text() -> impl Strategy<Value = Option<String>> {
    option::of(any::<String>())
}

fn any_words() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set("\\PC{0,8}", 0..3)
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_sha256)
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_i64).prop_map(Timestamp::from_seconds)
}

fn any_snapshot() -> impl Strategy<Value = Option<Snapshot>> {
    option::of(Just("20260818T205150Z".parse::<Snapshot>().unwrap()))
}

fn any_platform() -> impl Strategy<Value = Platform> {
    prop_oneof![Just("linux/amd64"), Just("linux/arm64"), Just("linux/arm/v7")].prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn any_source()(
        suite in "\\PC{0,8}",
        components in any_words(),
        architectures in option::of(any_words()),
        signed_by in any_words(),
        snapshot in any_snapshot(),
    ) -> AskedSource {
        AskedSource { suite, components, architectures, signed_by, snapshot }
    }
}

prop_compose! {
    fn any_asked()(
        platforms in btree_set(any_platform(), 0..3),
        (packages, debs, exclude) in (any_words(), any_words(), any_words()),
        recommends in any::<bool>(),
        sources in prop_oneof![
            option::of(any_words()).prop_map(|suites| AskedSources::Host { suites }),
            btree_set(any_source(), 0..3).prop_map(AskedSources::Tables),
        ],
        base in option::of("\\PC{0,8}"),
        (strategy, max) in ("\\PC{0,8}", any::<u8>()),
        variants in btree_map("[a-z][a-z0-9.-]{0,4}", (any_words(), any_words()), 0..3),
    ) -> Asked {
        let variants = variants.into_iter();
        let variants = variants.map(|(name, (packages, debs))| (name, AskedVariant { packages, debs })).collect();
        let layers = AskedLayers { strategy, max };
        Asked { platforms, packages, debs, exclude, recommends, sources, base, layers, variants }
    }
}

prop_compose! {
    fn any_repository()(
        suite in prop_oneof![Just("bookworm".to_owned()), Just("bookworm#2".to_owned()), "\\PC{0,8}".boxed()],
        words in [any_text(), any_text(), any_text(), any_text()],
        (release, signature) in (any_digest(), option::of(any_digest())),
        keys in ["[0-9A-F]{40}", "[0-9A-F]{64}"],
        (signed_at, date, valid_until) in (any_time(), any_time(), option::of(any_time())),
        snapshot in any_snapshot(),
        indices in vec(("[a-zA-Z0-9 %]{1,6}(/[^/\\\\\\pC.]{1,6}){0,2}", 0..=i64::MAX.cast_unsigned(), any_digest()), 0..3),
    ) -> RepositoryEvidence {
        let [codename, origin, label, version] = words;
        let [key, primary_key] = keys.map(|key| key.parse().unwrap());
        let signed = match signature {
            None => SignedFile::Inline { digest: release },
            Some(signature) => SignedFile::Detached { release, signature },
        };
        let index = |(path, size, sha256)| IndexEvidence { path, size, sha256 };
        let indices = indices.into_iter().map(index).collect();
        RepositoryEvidence {
            suite, codename, origin, label, version, signed, primary_key, key, signed_at, date, valid_until, snapshot, indices,
        }
    }
}

/// Few names and versions, so that a variant often has what its recipe has.
fn any_package(repositories: usize) -> impl Strategy<Value = LockedPackage> {
    let versions = prop_oneof![Just("1.0"), Just("1.00"), Just("0:1.0-1")];
    let origin = prop_oneof![
        "[a-z]{1,3}(/[a-z~+%_. -]{0,6}[a-z]){0,2}".prop_map(|p| (true, p)),
        "\\PC{1,8}".prop_map(|p| (false, p))
    ];
    let names = ("[a-d][a-b]", "[a-d][a-b]");
    (names, versions.clone(), versions, 0..3_u64, 0..=1_usize, origin).prop_map(
        move |(names, version, source, size, repository, origin)| {
            let origin = match origin {
                (true, path) if repository < repositories => PackageOrigin::Repository { repository, path },
                (_, path) => PackageOrigin::Local { path },
            };
            LockedPackage {
                name: names.0.parse().unwrap(),
                version: version.parse().unwrap(),
                architecture: "all".parse().unwrap(),
                source: Source { name: names.1.parse().unwrap(), version: source.parse().unwrap() },
                size,
                sha256: digest(version),
                origin,
            }
        },
    )
}

fn any_locked_platform(repositories: usize) -> impl Strategy<Value = LockedPlatform> {
    let packages = vec(any_package(repositories), 0..6);
    (packages, 1..4_usize).prop_map(|(packages, room)| {
        let packages: BTreeMap<PackageName, LockedPackage> =
            packages.into_iter().map(|p| (p.name.clone(), p)).collect();
        let names: Vec<PackageName> = packages.keys().cloned().collect();
        let layers = names.chunks(room).map(<[PackageName]>::to_vec).collect();
        LockedPlatform::new(packages.into_values().collect(), layers).unwrap()
    })
}

fn any_result() -> impl Strategy<Value = LockedResult> {
    let image = (any_digest(), vec(any_digest(), 0..3)).prop_map(|(digest, diff_ids)| LockedImage {
        digest,
        diff_ids: diff_ids.into_iter().map(DiffId::new).collect(),
    });
    (any_digest(), "\\PC{0,8}", any_digest(), btree_map(any_platform(), image, 0..3))
        .prop_map(|(files, compression, digest, platforms)| LockedResult { files, compression, digest, platforms })
}

fn any_locked(repositories: usize) -> impl Strategy<Value = Locked> {
    (btree_map(any_platform(), any_locked_platform(repositories), 0..3), option::of(any_result()))
        .prop_map(|(platforms, result)| Locked { platforms, result })
}

fn any_lock() -> impl Strategy<Value = Lock> {
    vec(any_repository(), 0..3).prop_flat_map(|repositories| {
        let count = repositories.len();
        let base = (option::of(any_digest()), btree_map(any_platform(), any_digest(), 0..3));
        let base = option::of(base.prop_map(|(digest, platforms)| LockedBase { digest, platforms }));
        let variants = btree_map("[a-z][a-z0-9.-]{0,4}", any_locked(count), 0..3);
        (any_asked(), 0..=i64::MAX, Just(repositories), base, any_locked(count), variants).prop_map(
            |(asked, epoch, repositories, base, main, variants)| Lock {
                asked,
                epoch,
                repositories,
                base,
                main,
                variants,
            },
        )
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(lock in any_lock()) {
        let text = lock.to_toml();
        let read = Lock::parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&lock), "{}", text);
        prop_assert_eq!(read.unwrap().to_toml(), text);
    }

    #[test]
    fn one_request_more_is_another_digest_and_a_difference(asked in any_asked(), name in "[a-z]{2,9}") {
        let mut more = asked.clone();
        if more.packages.insert(name) {
            prop_assert_ne!(asked.digest(), more.digest());
            prop_assert_eq!(asked.differences(&more).len(), 1);
        }
    }

    /// Breaks a good lock in one place, which reaches further than random text does.
    #[test]
    fn a_damaged_lock_is_refused_or_says_another_thing(at in any::<prop::sample::Index>(), junk in "[\\]\\[{}\"'=.,#/\n 0a\u{e9}]{0,4}", cut in 0..20_usize) {
        let good = example().to_toml();
        let at = at.index(good.len());
        let text = format!("{}{junk}{}", good.get(..at).unwrap(), good.get(at + cut..).unwrap_or_default());
        if let Ok(lock) = Lock::parse(&text) {
            prop_assert_eq!(Lock::parse(&lock.to_toml()), Ok(lock));
        }
    }
}
