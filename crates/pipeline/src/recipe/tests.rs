use proptest::prelude::{any, prop, prop_assert, proptest};

use distil_debunpack::records::Database;
use distil_imgcore::PathError;
use distil_rootfs::{AccountError, Owner};

use distil_settings::ValueProblem as V;

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
sources = [
    { uris = ["https://mirror.example.org/debian", "file:mirror"], suites = ["bookworm", "bookworm-updates"], components = ["main"], signed-by = "keys/archive.gpg", snapshot = "20260818T205150Z" },
    { uris = ["file:///srv/own"], suites = ["./"], architectures = ["amd64"], signed-by = ["4CB50190207B4758A3F73A796ED0E7B82643E131"] },
]
packages = ["ca-certificates", "libssl3 = 3.0.*"]
debs = ["dist/*.deb"]
exclude = [{ package = "perl-base", reason = "only used by maintainer scripts" }]
recommends = true
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
packages = ["ca-certificates", "busybox-static"]
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
    assert_eq!(shown_requests(&recipe), ["ca-certificates", "libssl3=3.0.*"]);
    assert_eq!(recipe.debian.packages[1].place.key, "debian.packages[1]");
    let exclude = &recipe.debian.exclude[0];
    assert_eq!((exclude.package.as_str(), exclude.reason.as_str()), ("perl-base", "only used by maintainer scripts"));
    assert!(recipe.debian.recommends);
    assert_eq!(recipe.debian.database, Some(Database::StatusFile));
    assert_eq!(recipe.layers.compression.unwrap().to_string(), "gzip:9");
    assert_eq!((recipe.layers.strategy, recipe.layers.max), (Strategy::Single, 12));
    assert_eq!(recipe.filter.docs, distil_rootfs::Docs::None);
    let dir = &recipe.files[&ImagePath::from_absolute(b"/var/lib/app").unwrap()];
    assert_eq!((dir.mode, dir.owner), (Some(0o750), Owner { uid: 1000, gid: 65532 }));
    assert_eq!(recipe.variants().collect::<Vec<_>>(), ["debug"]);
}

fn shown_requests(recipe: &Recipe) -> Vec<String> {
    recipe.debian.packages.iter().map(|package| package.request.to_string()).collect()
}

#[test]
fn sources_are_read() {
    let recipe = Recipe::parse(FULL).unwrap();
    let Sources::Tables(tables) = &recipe.debian.sources else { panic!("{:?}", recipe.debian.sources) };
    let [archive, own] = tables.as_slice() else { panic!("{tables:?}") };
    assert_eq!(
        archive.uris.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://mirror.example.org/debian", "file:mirror"]
    );
    assert_eq!((archive.suites.len(), archive.components.as_slice()), (2, &["main".to_owned()][..]));
    assert_eq!(archive.signed_by, SignedBy::File("keys/archive.gpg".into()));
    assert_eq!(archive.snapshot.unwrap().to_string(), "20260818T205150Z");
    assert_eq!((archive.architectures.as_ref(), archive.place.key.as_str()), (None, "debian.sources[0]"));
    assert_eq!((own.suites.as_slice(), own.components.len()), (&["./".to_owned()][..], 0));
    assert_eq!(own.architectures, Some(vec!["amd64".parse().unwrap()]));
    assert_eq!(
        own.signed_by,
        SignedBy::Fingerprints(vec!["4CB50190207B4758A3F73A796ED0E7B82643E131".parse().unwrap()])
    );

    let host = |text: &str| Recipe::parse(text).unwrap().debian.sources;
    assert_eq!(host(""), Sources::Host { suites: None, place: None, stated: false });
    assert_eq!(host("debian.sources = 'host'"), Sources::Host { suites: None, place: None, stated: true });
    let Sources::Host { suites: Some(suites), place: Some(place), stated: true } =
        host("debian.host-suites = ['trixie']")
    else {
        panic!()
    };
    assert_eq!((suites, place.column), (vec!["trixie".to_owned()], 22));
}

#[test]
fn a_password_in_a_recipe_is_not_repeated() {
    let table = |uri: &str| format!("[[debian.sources]]\nuris = ['{uri}']\nsuites = ['./']\nsigned-by = 'k'");
    for uri in ["https://me:secret@mirror.example.org/", "htp://me:secret@", "//me:secret@x"] {
        let text = table(uri);
        let error = Recipe::parse(&text).unwrap_err();
        assert!(matches!(error.problems[0].kind, ProblemKind::Credentials { .. }), "{error:?}");
        assert!(!format!("{error} {:?}", error.problems[0].kind).contains("secret"));
    }
}

#[test]
fn an_empty_recipe_has_the_defaults() {
    let recipe = Recipe::parse("").unwrap();
    assert_eq!(recipe.image, ImageSettings::default());
    assert_eq!(recipe.layers, Layers { strategy: Strategy::Package, max: 40, compression: None });
    assert_eq!(recipe.filter, FilterRules::default());
    assert_eq!(recipe.debian.database, None);
    assert!(recipe.platforms.is_empty());
}

#[test]
fn a_variant_adds_lists_and_replaces_values() {
    let recipe = Recipe::parse(FULL).unwrap();
    let debug = recipe.with_variant("debug").unwrap();
    let debs: Vec<&str> = debug.debian.debs.iter().map(DebPattern::as_str).collect();
    assert_eq!(debs, ["dist/*.deb", "debug/*.deb"]);
    assert_eq!(shown_requests(&debug), ["ca-certificates", "libssl3=3.0.*", "busybox-static"]);
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
        assert_eq!(
            problem(text),
            ProblemKind::Value(V::UnknownKey {
                table: distil_settings::Table { document: "the recipe", name: table },
                key,
                nearest
            })
        );
    };
    expect("platform = []", "", "platform", Some("platforms"));
    expect("[image]\nexposed_ports = []", "image", "exposed_ports", Some("exposed-ports"));
    expect("[debian]\npackage = []", "debian", "package", Some("packages"));
    expect("[debian]\nzzz = []", "debian", "zzz", None);
    expect("[files]\n'/a' = { source = 'a', own = 'x' }", "files.\"/a\"", "own", Some("owner"));
    expect("[variants.d.image]\nusr = 'root'", "variants.d.image", "usr", Some("user"));
}

#[test]
fn the_digest_of_settings_is_about_what_gets_into_the_image() {
    let digest = |text: &str| Recipe::parse(text).unwrap().settings_digest().clone();
    let plain = digest("[image]\ncmd = ['a']");
    for same in ["[publish]\nimmutable = true", "[base]\nimage = 'oci:x'", "platforms = ['linux/arm64']"] {
        // Keys of the top stand before the first table.
        let text = if same.starts_with('[') {
            format!("[image]\ncmd = ['a']\n{same}")
        } else {
            format!("{same}\n[image]\ncmd = ['a']")
        };
        assert_eq!(digest(&text), plain, "{same}");
    }
    let named = |name: &str| {
        digest(&format!("[image]\ncmd = ['a']\n[base]\nimage = 'oci:x'\npublic-name = 'a.example/{name}'"))
    };
    assert_ne!(named("a"), plain);
    assert_ne!(named("a"), named("b"));
}

#[test]
fn names_in_registries_stay_where_they_are_if_a_recipe_says_so() {
    let publish = |text: &str| Recipe::parse(text).unwrap().publish;
    assert!(publish("[publish]\nimmutable = true").immutable);
    assert!(!publish("[publish]\n").immutable);
    assert!(!publish("").immutable);
}

#[test]
fn who_must_have_signed_the_base_is_read() {
    let trust = |more: &str| Recipe::parse(&format!("[base]\nimage = 'oci:x'\n{more}")).unwrap().base.unwrap().trust;
    assert_eq!(trust(""), None);
    let one = trust("key = 'base.pub'").unwrap();
    assert_eq!((one.options.keys, one.place.key.as_str(), one.place.line), (vec!["base.pub".into()], "base.key", 3));
    let two = trust("key = ['a.pub', 'keys/b.pub']\nthreshold = 2\ntrusted-root = 'root.json'").unwrap().options;
    assert_eq!(
        (two.keys.len(), two.threshold.map(usize::from), two.trusted_root),
        (2, Some(2), Some("root.json".into()))
    );
    let by_name =
        trust("certificate-identity-regexp = '.*@example.org'\ncertificate-oidc-issuer = 'https://x'").unwrap();
    assert_eq!(by_name.options.certificate_identity_regexp.as_deref(), Some(".*@example.org"));
    assert_eq!(by_name.options.certificate_oidc_issuer.as_deref(), Some("https://x"));
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
    expect!("a = ", K::Value(V::Syntax { .. }));
    expect!("image = 1", K::Value(V::WrongType { .. }));
    expect!("image.user = 1000", K::Value(V::WrongType { .. }));
    expect!("image.user = 'app'", K::UnknownUser { .. });
    expect!("image.user = 'root:staff'", K::UnknownUser { .. });
    expect!("image.entrypoint = ['']", K::Value(V::Malformed { .. }));
    expect!("image.entrypoint = [\"a\\u0000\"]", K::Value(V::Malformed { .. }));
    expect!("image.env = { 'A=B' = 'x' }", K::Value(V::Malformed { .. }));
    expect!("image.labels = { '' = 'x' }", K::Value(V::Malformed { .. }));
    expect!("image.exposed-ports = ['http']", K::Value(V::Malformed { .. }));
    expect!("image.stop-signal = 'TERM'", K::Value(V::Malformed { .. }));
    expect!("image.workdir = 'srv'", K::Path { cause: PathError::Relative(_), .. });
    expect!("image.volumes = ['/a/../b']", K::Path { cause: PathError::Parent(_), .. });
    expect!("image.volumes = ['/a//b']", K::Value(V::Malformed { .. }));
    expect!("platforms = ['linux']", K::Value(V::Malformed { .. }));
    expect!("base = {}", K::Value(V::MissingKey { .. }));
    expect!("base.image = 'base'", K::Value(V::Malformed { .. }));
    expect!("base = { image = 'oci:x', public-name = 'base' }", K::Value(V::Malformed { .. }));
    expect!("platforms = ['linux/arm64', 'linux/arm64/v8']", K::Value(V::Twice { .. }));
    expect!("base = { image = 'oci:x', key = '' }", K::Value(V::Malformed { .. }));
    expect!("base = { image = 'oci:x', key = [] }", K::Value(V::Malformed { .. }));
    expect!("base = { image = 'oci:x', threshold = 2 }", K::Value(V::NotExactlyOne { .. }));
    expect!("base = { image = 'oci:x', key = 'k', threshold = 0 }", K::Value(V::OutOfRange { .. }));
    expect!("base = { image = 'oci:x', key = 'k', certificate-identity = 'a' }", K::Value(V::NotExactlyOne { .. }));
    expect!("base = { image = 'oci:x', certificate-identity = 'a' }", K::Value(V::NotExactlyOne { .. }));
    expect!("base = { image = 'oci:x', key = 'k', certificate-oidc-issuer = 'a' }", K::Value(V::Useless { .. }));
    let pattern = "certificate-identity-regexp = '(', certificate-oidc-issuer = 'a'";
    expect!(&format!("base = {{ image = 'oci:x', {pattern} }}"), K::Value(V::Malformed { .. }));
    expect!("debian.database = 'dpkg'", K::Value(V::NotOneOf { .. }));
    expect!("debian.debs = ['[']", K::Value(V::Malformed { .. }));
    expect!("debian.packages = ['libc6 2.36']", K::Value(V::Malformed { .. }));
    expect!("debian.packages = ['libc6', 'libc6']", K::Value(V::Twice { .. }));
    expect!("debian.packages = 'libc6'", K::Value(V::WrongType { .. }));
    expect!("debian.exclude = [{ package = 'perl-base' }]", K::Value(V::MissingKey { key: "reason", .. }));
    expect!("debian.exclude = [{ reason = 'x' }]", K::Value(V::MissingKey { key: "package", .. }));
    expect!("debian.exclude = [{ package = 'perl-base', reason = '' }]", K::Value(V::Malformed { .. }));
    expect!("debian.exclude = [{ package = '*', reason = 'x' }]", K::Value(V::Malformed { .. }));
    let twice = "{ package = 'perl-base', reason = 'x' }";
    expect!(&format!("debian.exclude = [{twice}, {twice}]"), K::Value(V::Twice { .. }));
    expect!(&format!("debian = {{ exclude = [{twice}], packages = ['perl-base>=5'] }}"), K::Excluded { .. });
    expect!(&format!("debian.exclude = [{twice}]\n[variants.v]\npackages = ['perl-base']"), K::Excluded { .. });
    expect!("debian.recommends = 1", K::Value(V::WrongType { .. }));
    expect!("debian.sources = 'hots'", K::Value(V::NotOneOf { nearest: Some(_), .. }));
    expect!("debian.sources = 1", K::Value(V::WrongType { .. }));
    expect!("debian.sources = []", K::Value(V::Malformed { .. }));
    expect!("debian.sources = ['host']", K::Value(V::WrongType { .. }));
    expect!("debian.host-suites = ['a', 'a']", K::Value(V::Twice { .. }));
    expect!("debian.host-suites = ['a b']", K::Value(V::Malformed { .. }));
    let source =
        |rest: &str| format!("[[debian.sources]]\nuris = ['http://a/']\nsuites = ['./']\nsigned-by = 'k'\n{rest}");
    expect!(&source("trusted = true"), K::Value(V::Never { .. }));
    expect!(&source("check-valid-until = false"), K::Value(V::Never { .. }));
    expect!(&source("component = []"), K::Value(V::UnknownKey { nearest: Some(_), .. }));
    expect!(&source("components = ['main']"), K::Value(V::Useless { .. }));
    expect!(&source("architectures = ['linux-any']"), K::Value(V::Malformed { .. }));
    expect!(&source("snapshot = 'yesterday'"), K::Value(V::Malformed { .. }));
    expect!(&source("").replace("'./'", "'trixie'"), K::Value(V::MissingKey { key: "components", .. }));
    expect!(&source("").replace("'./'", "'./', 'trixie'"), K::Value(V::Malformed { .. }));
    expect!(&source("").replace("signed-by = 'k'", ""), K::Value(V::MissingKey { key: "signed-by", .. }));
    expect!(&source("").replace("'http://a/'", ""), K::Value(V::Malformed { .. }));
    let inline = "sources = [{ uris = ['http://a/'], suites = ['./'], signed-by = 'k' }]";
    expect!(&format!("[debian]\n{inline}\nhost-suites = ['a']"), K::Value(V::Useless { .. }));
    expect!("files.'/a' = {}", K::Value(V::NotExactlyOne { .. }));
    expect!("files.'/a' = { source = 'a', symlink = 'b' }", K::Value(V::NotExactlyOne { .. }));
    expect!("files.'/a' = { symlink = 'b', mode = '0777' }", K::Value(V::Useless { .. }));
    expect!("files.'/a' = { source = 'b', mode = '644x' }", K::Value(V::Malformed { .. }));
    expect!("files.'/a' = { source = 'b', mode = '18644' }", K::Value(V::Malformed { .. }));
    expect!("files.'/a' = { source = 'b', owner = 'app' }", K::UnknownUser { .. });
    expect!("files.'/var/lib/dpkg/status.d/x' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/var/lib/dpkg/status' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/a/.wh.b' = { source = 'b' }", K::ReservedPath { .. });
    expect!("files.'/' = { directory = true }", K::ReservedPath { .. });
    expect!("users.root.uid = 1", K::User { cause: AccountError::SameName { .. }, .. });
    expect!("users = { a = { uid = 1 }, b = { uid = 1 } }", K::User { cause: AccountError::SameUid { .. }, .. });
    expect!("users.app = { uid = -1 }", K::Value(V::OutOfRange { .. }));
    expect!("users.app = { uid = 4294967295 }", K::Value(V::OutOfRange { .. }));
    expect!("users.app = { gid = 1 }", K::Value(V::MissingKey { .. }));
    expect!("users.App.uid = 1", K::Value(V::Malformed { .. }));
    expect!("filter.exclude = ['a']", K::Path { .. });
    expect!("filter.exclude = ['/a/[']", K::Value(V::Malformed { .. }));
    expect!("filter.locales = ['../x']", K::Value(V::Malformed { .. }));
    expect!("layers.max = 99999999999999999999", K::Value(V::OutOfRange { .. }));
    expect!("layers.compression = 'zstd:99'", K::Value(V::Malformed { .. }));
    expect!("layers.compression = 'estargz:10'", K::Value(V::Malformed { .. }));
    expect!("layers.compression = 'gz'", K::Value(V::NotOneOf { .. }));
    expect!("variants.'a b' = {}", K::Value(V::Malformed { .. }));
    expect!(&" ".repeat(MAX_RECIPE + 1), K::Value(V::TooLarge { .. }));
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
