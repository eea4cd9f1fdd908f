use proptest::prelude::{any, prop, prop_assert, proptest};

use distil_debunpack::records::Database;
use distil_imgcore::PathError;
use distil_rootfs::{AccountError, Owner};

use super::*;

const FULL: &str = r#"
platforms = ["linux/amd64", "linux/arm64"]

[image]
entrypoint = ["/usr/bin/python3.11"]
cmd = []
user = "app"
workdir = "/home/nonroot"
env = { LANG = "C.UTF-8" }
exposed-ports = ["8080/tcp"]
volumes = ["/var/lib/app"]
stop-signal = "SIGTERM"
labels = { team = "a" }
annotations = { "org.opencontainers.image.source" = "https://git.example.org/team/app" }

[base]
image = "oci:base:v1"
public-name = "registry.example.org/team/base"

[debian]
packages = []
debs = ["dist/*.deb"]
exclude = []
recommends = false
database = "status"

[files]
"/app/main.py" = { source = "main.py", mode = "0644", owner = "root:root" }
"/app/static" = { source = "static/" }
"/var/lib/app" = { directory = true, mode = "0750", owner = "app:nonroot" }
"/usr/bin/app" = { symlink = "/opt/app/bin/app" }

[users.app]
uid = 1000
home = "/home/app"

[filter]
exclude = ["/usr/share/man/**"]
docs = "none"
locales = ["C"]

[layers]
strategy = "single"
max = 12
compression = "gzip:9"

[variants.debug]
debs = ["dist/*.deb", "debug/*.deb"]
image = { entrypoint = ["/bin/sh"], user = "root", env = { DEBUG = "1" }, exposed-ports = ["8080", "9090"] }
[variants.debug.files]
"/usr/bin/app" = { source = "debug/app" }
"#;

#[test]
fn every_key_is_read() {
    let recipe = Recipe::parse(FULL).unwrap();
    let shown: Vec<String> = recipe.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["linux/amd64", "linux/arm64"]);
    assert_eq!(recipe.image.user.as_ref().unwrap().owner, Owner { uid: 1000, gid: 1000 });
    assert_eq!(recipe.image.workdir.as_ref().unwrap().to_string(), "/home/nonroot");
    assert_eq!(recipe.image.exposed_ports, ["8080/tcp".parse().unwrap()]);
    let base = recipe.base.as_ref().unwrap();
    assert_eq!((base.image.to_string().as_str(), base.place.line), ("oci:base:v1", 17));
    assert_eq!(base.public_name.as_deref(), Some("registry.example.org/team/base"));
    assert_eq!(recipe.debian.database, Database::StatusFile);
    assert_eq!(recipe.layers.compression.unwrap().to_string(), "gzip:9");
    assert_eq!((recipe.layers.strategy, recipe.layers.max), (Strategy::Single, 12));
    assert_eq!(recipe.filter.docs, distil_rootfs::Docs::None);
    let dir = &recipe.files[&ImagePath::from_absolute(b"/var/lib/app").unwrap()];
    assert_eq!((dir.mode, dir.owner), (Some(0o750), Owner { uid: 1000, gid: 65532 }));
    assert_eq!(recipe.variants().collect::<Vec<_>>(), ["debug"]);
}

#[test]
fn an_empty_recipe_has_the_defaults() {
    let recipe = Recipe::parse("").unwrap();
    assert_eq!(recipe.image, ImageSettings::default());
    assert_eq!(recipe.layers, Layers { strategy: Strategy::Package, max: 40, compression: None });
    assert_eq!(recipe.filter, FilterRules::default());
    assert_eq!(recipe.debian.database, Database::StatusDirectory);
    assert!(recipe.platforms.is_empty());
}

#[test]
fn a_variant_adds_lists_and_replaces_values() {
    let recipe = Recipe::parse(FULL).unwrap();
    let debug = recipe.with_variant("debug").unwrap();
    let debs: Vec<&str> = debug.debian.debs.iter().map(DebPattern::as_str).collect();
    assert_eq!(debs, ["dist/*.deb", "debug/*.deb"]);
    assert_eq!(debug.image.entrypoint.as_deref(), Some(&["/bin/sh".to_owned()][..]));
    assert_eq!(debug.image.user.as_ref().unwrap().owner.uid, 0);
    assert_eq!(debug.image.env.keys().collect::<Vec<_>>(), ["DEBUG", "LANG"]);
    let ports: Vec<String> = debug.image.exposed_ports.iter().map(ToString::to_string).collect();
    assert_eq!(ports, ["8080/tcp", "9090/tcp"]);
    let app = &debug.files[&ImagePath::from_absolute(b"/usr/bin/app").unwrap()];
    assert_eq!(app.source, FileSource::Copy { source: "debug/app".into() });
    assert_eq!(debug.files.len(), recipe.files.len());
    assert_eq!(recipe.with_variant("debg").unwrap_err().nearest.as_deref(), Some("debug"));
}

/// The problems of a recipe: line, column, and the text that the span covers.
fn problems(text: &str) -> Vec<(usize, usize, &str, ProblemKind)> {
    let found = Recipe::parse(text).expect_err(text).problems;
    found.into_iter().map(|p| (p.line, p.column, text.get(p.span).unwrap(), p.kind)).collect()
}

/// The only problem of a recipe.
fn problem(text: &str) -> ProblemKind {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0).3
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_text() {
    let text = "platform = ['linux/amd64']\n[image]\nuser = 'ap'\nentripoint = []\nenv = { A = 1 }\n[layers]\nmax = 1\n[users.app]\n";
    let found: Vec<_> = problems(text).into_iter().map(|(line, column, span, _)| (line, column, span)).collect();
    let expected =
        [(1, 1, "platform"), (3, 8, "'ap'"), (4, 1, "entripoint"), (5, 13, "1"), (7, 7, "1"), (8, 1, "[users.app]")];
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let expect = |text: &str, table: &str, key: &str, nearest: Option<&str>| {
        let (table, key, nearest) = (table.to_owned(), key.to_owned(), nearest.map(str::to_owned));
        assert_eq!(problem(text), ProblemKind::UnknownKey { table, key, nearest });
    };
    expect("platform = []", "", "platform", Some("platforms"));
    expect("[image]\nexposed_ports = []", "image", "exposed_ports", Some("exposed-ports"));
    expect("[debian]\npackage = []", "debian", "package", Some("packages"));
    expect("[debian]\nzzz = []", "debian", "zzz", None);
    expect("[files]\n'/a' = { source = 'a', own = 'x' }", "files.\"/a\"", "own", Some("owner"));
    expect("[variants.d.image]\nusr = 'root'", "variants.d.image", "usr", Some("user"));
}

#[test]
fn what_is_not_built_yet_is_said_and_not_ignored() {
    for (text, key) in [
        ("[base]\nimage = 'oci:x'\nkey = 'base.pub'", "base.key"),
        ("[base]\nimage = 'oci:x'\nthreshold = 2", "base.threshold"),
        ("[attestations]", "attestations"),
        ("[publish]\nimmutable = true", "publish"),
        ("[debian]\npackages = ['libc6']", "debian.packages"),
        ("[debian]\nexclude = [{ package = 'a', reason = 'b' }]", "debian.exclude"),
        ("[debian]\nsources = 'host'", "debian.sources"),
        ("[debian]\nhost-suites = ['bookworm']", "debian.host-suites"),
        ("[debian]\nrecommends = true", "debian.recommends = true"),
        ("[layers]\nstrategy = 'origin'", "layers.strategy = \"origin\""),
        ("[variants.debug]\npackages = ['busybox-static']", "variants.debug.packages"),
    ] {
        assert_eq!(problem(text), ProblemKind::NotYet { key: key.to_owned() }, "{text}");
    }
}

#[test]
fn each_rule_has_its_own_problem() {
    use ProblemKind as K;
    macro_rules! expect {
        ($text:expr, $pattern:pat) => {
            let found = problem($text);
            assert!(matches!(found, $pattern), "{}: {found:?}", $text);
        };
    }
    expect!("a = ", K::Syntax { .. });
    expect!("image = 1", K::WrongType { .. });
    expect!("image.user = 1000", K::WrongType { .. });
    expect!("image.user = 'app'", K::UnknownUser { .. });
    expect!("image.user = 'root:staff'", K::UnknownUser { .. });
    expect!("image.entrypoint = ['']", K::Malformed { .. });
    expect!("image.entrypoint = [\"a\\u0000\"]", K::Malformed { .. });
    expect!("image.env = { 'A=B' = 'x' }", K::Malformed { .. });
    expect!("image.labels = { '' = 'x' }", K::Malformed { .. });
    expect!("image.exposed-ports = ['http']", K::Malformed { .. });
    expect!("image.stop-signal = 'TERM'", K::Malformed { .. });
    expect!("image.workdir = 'srv'", K::Path { cause: PathError::Relative(_), .. });
    expect!("image.volumes = ['/a/../b']", K::Path { cause: PathError::Parent(_), .. });
    expect!("image.volumes = ['/a//b']", K::Malformed { .. });
    expect!("platforms = ['linux']", K::Malformed { .. });
    expect!("base = {}", K::MissingKey { .. });
    expect!("base.image = 'base'", K::Malformed { .. });
    expect!("base = { image = 'oci:x', public-name = 'base' }", K::Malformed { .. });
    expect!("platforms = ['linux/arm64', 'linux/arm64/v8']", K::Twice { .. });
    expect!("debian.database = 'dpkg'", K::NotOneOf { .. });
    expect!("debian.debs = ['[']", K::Malformed { .. });
    expect!("files.'/a' = {}", K::NotExactlyOne { .. });
    expect!("files.'/a' = { source = 'a', symlink = 'b' }", K::NotExactlyOne { .. });
    expect!("files.'/a' = { symlink = 'b', mode = '0777' }", K::Useless { .. });
    expect!("files.'/a' = { source = 'b', mode = '644x' }", K::Malformed { .. });
    expect!("files.'/a' = { source = 'b', mode = '18644' }", K::Malformed { .. });
    expect!("files.'/a' = { source = 'b', owner = 'app' }", K::UnknownUser { .. });
    expect!("files.'/var/lib/dpkg/status.d/x' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/var/lib/dpkg/status' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/a/.wh.b' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/' = { directory = true }", K::ReservedPath { .. });
    expect!("users.root.uid = 1", K::User { cause: AccountError::SameName { .. }, .. });
    expect!("users = { a = { uid = 1 }, b = { uid = 1 } }", K::User { cause: AccountError::SameUid { .. }, .. });
    expect!("users.app = { uid = -1 }", K::OutOfRange { .. });
    expect!("users.app = { uid = 4294967295 }", K::OutOfRange { .. });
    expect!("users.app = { gid = 1 }", K::MissingKey { .. });
    expect!("users.App.uid = 1", K::Malformed { .. });
    expect!("filter.exclude = ['a']", K::Path { .. });
    expect!("filter.exclude = ['/a/[']", K::Malformed { .. });
    expect!("filter.locales = ['../x']", K::Malformed { .. });
    expect!("layers.max = 99999999999999999999", K::OutOfRange { .. });
    expect!("layers.compression = 'zstd:99'", K::Malformed { .. });
    expect!("layers.compression = 'gz'", K::NotOneOf { .. });
    expect!("variants.'a b' = {}", K::Malformed { .. });
    expect!(&" ".repeat(MAX_RECIPE + 1), K::TooLarge { .. });
}

#[test]
fn messages_hold_no_control_characters() {
    let error = Recipe::parse("\"\\u001b[31m\" = 1\nimage.user = \"\\u001b]0;x\\u0007\"").unwrap_err();
    for problem in &error.problems {
        assert!(!problem.to_string().chars().any(char::is_control), "{problem}");
    }
    assert_eq!(error.problems.len(), 2);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_places_inside_it(text in "\\PC{0,80}") {
        if let Err(error) = Recipe::parse(&text) {
            prop_assert!(!error.problems.is_empty());
            for problem in error.problems {
                prop_assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
            }
        }
    }

    /// Breaks a good recipe in one place, which reaches further than random text does.
    #[test]
    fn a_damaged_recipe_is_read_or_refused(at in any::<prop::sample::Index>(), junk in "[\\]\\[{}\"'=.,#\n 0a\u{e9}]{0,4}", cut in 0..20_usize) {
        let at = at.index(FULL.len());
        let text = format!("{}{junk}{}", FULL.get(..at).unwrap(), FULL.get(at + cut..).unwrap_or_default());
        if let Err(error) = Recipe::parse(&text) {
            prop_assert!(error.problems.iter().all(|p| text.get(p.span.clone()).is_some()), "{error:?}");
            prop_assert!(error.problems.is_sorted_by_key(|p| p.span.start));
        }
    }
}
