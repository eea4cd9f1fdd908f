//! Images that break one rule each: that rule fires, and no other.

mod cases;
mod dockle;
mod programs;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use distil_cache::Values;
use distil_imgcore::Image;
use distil_policy::document::Hardening;
use distil_policy::facts::{PackageFacts, PlatformFacts};
use distil_policy::hardening::judge;
use distil_policy::rules::RULES;
use distil_tests::tar::{Entry, archive};
use serde_json::{Value, json};

use super::*;
use crate::Silent;
use crate::testimage::foreign_with;

/// An image in the making, with nothing wrong.
struct Draft {
    config: Value,
    layers: Vec<Vec<Entry>>,
    annotations: Value,
    history: Vec<&'static str>,
    packages: Vec<PackageFacts>,
    reference: &'static str,
    required: Vec<String>,
}

impl Draft {
    fn new() -> Self {
        let config = json!({
            "User": "65532:65532",
            "Entrypoint": ["/app/run"],
            "Env": ["PATH=/usr/local/bin:/usr/bin", "KEYCLOAK_URL=x", "SECRET_PROVIDER=vault", "PYTHON_GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D"],
            "Healthcheck": {"Test": ["CMD", "/app/run", "--ping"]},
            "ExposedPorts": {"8080/tcp": {}},
            "Volumes": {"/data": {}},
        });
        let layer = vec![
            Entry::directory("app/"),
            Entry::file("app/run", "a program").mode(0o755),
            Entry::directory("tmp/").mode(0o1777),
            Entry::file("etc/passwd", "root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n"),
            Entry::file("etc/group", "root:x:0:\nnonroot:x:65532:\n"),
            Entry::file("etc/shadow", "root:*:19000::::::\nnonroot:!:19000::::::\n").mode(0o640),
        ];
        let (annotations, history) = (json!({}), vec!["COPY run /app/run"]);
        let (reference, required) = ("registry.example.org/app:1.0", Vec::new());
        Self { config, layers: vec![layer], annotations, history, packages: Vec::new(), reference, required }
    }

    fn image(&self) -> Image {
        let layers: Vec<Vec<u8>> = self.layers.iter().map(|entries| archive(entries)).collect();
        foreign_with(&layers, &self.config, &self.history)
    }

    /// What is seen of the image, which is the same when it is kept and when it comes from what was kept.
    fn observed(&self) -> Observed {
        let image = self.image();
        let observed = observe(&image, NonZeroUsize::MIN, &Silent).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let cache = Values::open(dir.path()).unwrap();
        for round in ["kept", "taken"] {
            let contents = layer_view::read(&image, Some(&cache), NonZeroUsize::MIN, &Silent).unwrap().contents;
            assert_eq!(super::observed(&image, &contents, &Packages::read(&contents)), observed, "{round}");
        }
        observed
    }

    /// The rules that fire, with what they say.
    fn fired(&self) -> Vec<(String, String)> {
        let observed = self.observed();
        let facts = PlatformFacts {
            config: observed.config,
            observations: observed.observations,
            unreadable: observed.unreadable,
            packages: self.packages.clone(),
            annotations: serde_json::from_value(self.annotations.clone()).unwrap(),
            ..PlatformFacts::default()
        };
        let hardening = Hardening { annotations_required: self.required.clone(), ..Hardening::default() };
        let violations = judge(&facts, &hardening, self.reference).into_iter();
        violations.map(|v| (v.rule, format!("{}: {}", v.subject, v.evidence))).collect()
    }

    #[track_caller]
    fn check(&self, rule: &str, expected: &str) {
        let fired = self.fired();
        let rules: BTreeSet<&str> = fired.iter().map(|(rule, _)| rule.as_str()).collect();
        assert_eq!(rules, [rule].into(), "{expected}: {fired:#?}");
        assert!(fired.iter().any(|(_, said)| said.contains(expected)), "{expected}: {fired:#?}");
    }
}

fn deb(name: &str, version: &str, repository: Option<&str>) -> PackageFacts {
    PackageFacts {
        kind: "deb".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        source: name.to_owned(),
        source_version: version.to_owned(),
        architecture: Some("amd64".to_owned()),
        licences: None,
        repository: repository.map(str::to_owned),
        has_advisories: true,
        candidate: None,
        is_local: false,
        is_partial: false,
        candidate_suite: None,
        candidate_source_version: None,
        security_candidate: None,
    }
}

#[test]
fn an_image_with_nothing_wrong_has_nothing_against_it() {
    assert_eq!(Draft::new().fired(), []);
}

#[test]
fn every_rule_fires_alone_on_what_breaks_it() {
    let mut seen = BTreeSet::new();
    for case in cases::all().into_iter().chain(programs::all()) {
        let mut draft = Draft::new();
        (case.breaks)(&mut draft);
        draft.check(case.rule, case.says);
        seen.insert(case.rule);
    }
    let missing: Vec<&str> = RULES.iter().filter(|r| r.is_hardening() && !seen.contains(r.id)).map(|r| r.id).collect();
    assert!(missing.is_empty(), "no image breaks {missing:?}");
}

#[test]
fn a_later_layer_mends_what_is_below_but_for_secrets() {
    let mut draft = Draft::new();
    draft.layers[0].push(Entry::file("app/tool", "x").mode(0o4755));
    draft.layers[0].push(Entry::file("usr/bin/sh", "x").mode(0o755));
    draft.layers.push(vec![Entry::file("app/tool", "x").mode(0o755), Entry::file("usr/bin/.wh.sh", "")]);
    assert_eq!(draft.fired(), []);
    draft.layers.push(vec![Entry::hardlink("app/other", "app/more").mode(0o4755)]);
    draft.layers[2].insert(0, Entry::file("app/more", "x").mode(0o4755));
    let fired = draft.fired();
    assert_eq!(fired.len(), 2, "{fired:?}");
}

#[test]
fn samples_of_packages_and_links_to_nowhere_are_let_pass() {
    let mut draft = Draft::new();
    let key = cases::private_key("PRIVATE KEY");
    draft.layers.push(vec![
        Entry::file("usr/lib/python3.11/test/keycert.pem", key.clone()),
        Entry::file("etc/ssl/private/ssl-cert-snakeoil.key", key.clone()).mode(0o640),
        Entry::file("app/readme", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n"),
        Entry::file("app/aws", "AKIAIOSFODNN7EXAMPLE ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        Entry::symlink("bin/sh", "dash"),
    ]);
    assert_eq!(draft.fired(), []);
}

#[test]
fn secrets_are_found_across_the_pieces_in_which_a_file_comes() {
    let secret = cases::GITHUB.concat();
    for before in [0, 1, (64 << 10) - 3, (80 << 10) - 1, 80 << 10, 200_000] {
        let mut draft = Draft::new();
        let text = format!("{}\n{secret}\n{}", "-".repeat(before), "-".repeat(30_000));
        draft.layers.push(vec![Entry::file("app/data", text)]);
        draft.check("DSTL-FS-010", "GitHub token: ghp_");
        assert!(draft.fired().iter().all(|(_, said)| !said.contains(&secret)), "it is shown");
    }
}
