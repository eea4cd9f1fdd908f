use super::*;
use crate::document::{Allow, Profile};

fn observation(rule: &str, path: &str, seen: &str, package: Option<&str>) -> Observation {
    let (rule, path, seen) = (rule.to_owned(), path.to_owned(), seen.to_owned());
    Observation { rule, path, seen, package: package.map(str::to_owned), layer: Some(0) }
}

fn facts(observations: Vec<Observation>) -> PlatformFacts {
    let mut facts = PlatformFacts { observations, ..PlatformFacts::default() };
    facts.config.user = Some("65532".to_owned());
    facts.config.has_healthcheck = true;
    facts
}

fn fired(facts: &PlatformFacts, hardening: &Hardening) -> Vec<(Weight, String, String)> {
    let violations = judge(facts, hardening, "registry.example.org/a:1").into_iter();
    violations.map(|violation| (violation.weight, violation.rule, violation.subject)).collect()
}

#[test]
fn the_policy_decides_before_the_profile() {
    let facts = facts(vec![observation("DSTL-FS-004", "/bin/sh", "a shell", None)]);
    let shell = |weight| vec![(weight, "DSTL-FS-004".to_owned(), "/bin/sh".to_owned())];
    let under = |profile| Hardening { profile, ..Hardening::default() };
    assert_eq!(fired(&facts, &under(Profile::Distroless)), shell(Weight::Error));
    assert_eq!(fired(&facts, &under(Profile::Cis)), []);
    assert_eq!(fired(&facts, &under(Profile::Disa)), shell(Weight::Note));
    assert_eq!(fired(&facts, &under(Profile::None)), []);
    let mut named = under(Profile::None);
    named.rules.insert("DSTL-FS-004".to_owned(), Some(Weight::Warning));
    assert_eq!(fired(&facts, &named), shell(Weight::Warning));
    let mut off = under(Profile::Distroless);
    off.rules.insert("DSTL-FS-004".to_owned(), None);
    assert_eq!(fired(&facts, &off), []);
}

#[test]
fn a_server_for_remote_logins_is_an_error_unless_the_policy_says_how_much_it_counts() {
    let seen = |words| facts(vec![observation("DSTL-FS-006", "/usr/sbin/sshd", words, None)]);
    let weights = |facts: &PlatformFacts, hardening: &Hardening| {
        fired(facts, hardening).into_iter().map(|(weight, ..)| weight).collect::<Vec<_>>()
    };
    let (server, tool) = (seen(REMOTE_LOGINS), seen("a tool for networks"));
    let mut hardening = Hardening::default();
    assert_eq!(
        (weights(&server, &hardening), weights(&tool, &hardening)),
        (vec![Weight::Error], vec![Weight::Warning])
    );
    hardening.rules.insert("DSTL-FS-006".to_owned(), Some(Weight::Note));
    assert_eq!(weights(&server, &hardening), [Weight::Note]);
    let none = Hardening { profile: Profile::None, ..Hardening::default() };
    assert_eq!(weights(&server, &none), []);
}

#[test]
fn what_is_allowed_passes_and_nothing_else() {
    let glob = |text: &str| Glob::of_paths(text).unwrap();
    let capabilities = "cap_net_bind_service, in effect when it starts";
    let facts = facts(vec![
        observation("DSTL-FS-001", "/usr/bin/ping", "setuid", None),
        observation("DSTL-FS-002", "/usr/bin/app", capabilities, None),
        observation("DSTL-FS-003", "/data", "mode 0777", None),
        observation("DSTL-FS-004", "/usr/bin/dash", "a shell", None),
        observation("DSTL-FS-013", "/app/test/key", "a key", None),
    ]);
    let allowed = |capability: &str| Allow {
        setuid: vec![glob("usr/bin/ping")],
        capabilities: vec![(glob("/usr/bin/app"), [capability.to_owned()].into())],
        world_writable: vec![glob("/data")],
        files: [("DSTL-FS-004".to_owned(), vec![glob("/usr/bin/d*")])].into(),
        secret_paths: vec![glob("/app/**")],
        ..Allow::default()
    };
    let under = |allow| Hardening { allow, ..Hardening::default() };
    assert_eq!(fired(&facts, &under(allowed("cap_net_bind_service"))), []);
    let rules: Vec<String> =
        fired(&facts, &under(allowed("cap_net_raw"))).into_iter().map(|(_, rule, _)| rule).collect();
    assert_eq!(rules, ["DSTL-FS-002"]);
    assert_eq!(fired(&facts, &Hardening::default()).len(), 5);
}

#[test]
fn variables_and_ports_that_are_allowed_pass() {
    let mut facts = facts(Vec::new());
    facts.config.env = vec![("DB_PASSWORD".to_owned(), "correct-h".to_owned())];
    facts.config.exposed_ports = ["80/tcp".to_owned()].into();
    assert_eq!(fired(&facts, &Hardening::default()).len(), 2);
    let allow = Allow { env_keys: vec![Glob::of_names("*_PASSWORD").unwrap()], ports: [80].into(), ..Allow::default() };
    assert_eq!(fired(&facts, &Hardening { allow, ..Hardening::default() }), []);
}

#[test]
fn files_of_one_package_with_one_fault_are_told_as_one() {
    let of = |count: usize, package| {
        let path = |number| format!("/usr/lib/{number}.so");
        (0..count).map(|number| observation("DSTL-ELF-003", &path(number), "partial RELRO", package)).collect()
    };
    assert_eq!(fired(&facts(of(3, Some("libc6"))), &Hardening::default()).len(), 3);
    let one = fired(&facts(of(4, Some("libc6"))), &Hardening::default());
    assert_eq!(one, [(Weight::Note, "DSTL-ELF-003".to_owned(), "libc6".to_owned())]);
    assert_eq!(fired(&facts(of(4, None)), &Hardening::default()).len(), 4);
}

#[test]
fn a_name_with_the_number_of_root_is_root() {
    let mut facts = facts(vec![observation("DSTL-CFG-001", "/etc/passwd", "the user app has uid 0", None)]);
    facts.config.user = Some("app".to_owned());
    let fired = fired(&facts, &Hardening::default());
    assert_eq!(fired, [(Weight::Error, "DSTL-CFG-001".to_owned(), "/etc/passwd".to_owned())]);
}

#[test]
fn what_a_download_prints_is_no_program_where_it_is_only_read() {
    let mut facts = facts(Vec::new());
    let read = [
        "/bin/sh -c VERSION=$(curl -s https://example.org/latest) && echo $VERSION",
        "RUN /bin/sh -c sh -c \"VERSION=$(curl -s https://example.org/latest) ./build\"",
        "RUN /bin/sh -c sha256sum -c <(curl -s https://example.org/sums)",
        "RUN /bin/sh -c curl -s https://example.org/x -o x && sh x",
    ];
    facts.config.history = read.map(str::to_owned).to_vec();
    assert_eq!(fired(&facts, &Hardening::default()), []);
}

#[test]
fn what_others_wrote_is_escaped() {
    let mut facts = facts(Vec::new());
    facts.config.user = Some("a\u{1b}[31m".to_owned());
    facts.config.volumes = ["/proc/\u{202e}".to_owned()].into();
    facts.config.history = vec!["RUN X_TOKEN=\u{1b}abcdef \u{e9}".repeat(4000)];
    for violation in judge(&facts, &Hardening::default(), "registry.example.org/a:1") {
        let all = format!("{}{}", violation.subject, violation.evidence);
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all}");
    }
}
