use std::collections::{BTreeMap, BTreeSet};

use distil_vulns::{Finding, FixState, Kev, Level, Origin, OriginKind, Rater, Rating, Status, VexNote};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::document::{
    Authority, Deny, Exception, FixableMeans, Glob, ImageRule, Mode, Reaction, Relation, Reopen, Response, Signatures,
    Start, SupportTier, Undetermined, Unfixed,
};
use crate::facts::{
    AttachedFacts, BaseFacts, DataFacts, ImportedIgnore, LayerFacts, PackageFacts, PackageSupportFacts, PlatformFacts,
    RecordedFacts, SignatureFacts, SourceFacts, SupportFacts,
};
use crate::ledger::{Entry, Key};
use crate::verdict::{Outcome, Weight};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn finding(id: &str, level: Level, fixed: Option<&str>) -> Finding {
    Finding {
        id: id.into(),
        aliases: [format!("DEBIAN-{id}")].into(),
        release: Some("bookworm".into()),
        source: "zlib".into(),
        source_version: "1:1.2.13.dfsg-1".into(),
        packages: [("zlib1g".to_owned(), "1:1.2.13.dfsg-1".to_owned())].into(),
        status: if fixed.is_some() { Status::Fixed } else { Status::Affected },
        fixed: fixed.map(str::to_owned),
        fix_state: if fixed.is_some() { FixState::InSuite } else { FixState::None },
        ratings: vec![Rating { rater: Rater::NvdCvss, level: Some(level), score: None, vector: None }],
        published: None,
        fix_available: None,
        kev: None,
        epss: None,
        title: Some("<b>\u{1b}[31mtitle".into()),
        origins: [Origin { kind: OriginKind::Tracker, id: id.into(), report: None }].into(),
        vex: Vec::new(),
    }
}

fn package(name: &str) -> PackageFacts {
    PackageFacts {
        kind: "deb".into(),
        name: name.into(),
        version: "1:1.2.13.dfsg-1".into(),
        source: "zlib".into(),
        source_version: "1:1.2.13.dfsg-1".into(),
        architecture: Some("amd64".into()),
        licences: Some("Zlib".into()),
        repository: None,
        has_advisories: true,
        candidate: None,
        is_local: false,
        is_partial: false,
        candidate_suite: None,
        candidate_source_version: None,
        security_candidate: None,
    }
}

/// An image that nothing is against on 2026-03-01, with these findings.
fn facts(findings: Vec<Finding>) -> Facts {
    let platform = PlatformFacts {
        digest: "sha256:aa".into(),
        size: 1000,
        layers: vec![LayerFacts { digest: "sha256:bb".into(), size: 1000, unpacked: None }],
        created: Some(moment("2026-02-20T00:00:00Z")),
        system: Some("debian".into()),
        release: Some("bookworm".into()),
        packages: vec![package("zlib1g")],
        findings,
        ..PlatformFacts::default()
    };
    let support = SupportFacts {
        version: Some("12".into()),
        regular: Some(day("2026-07-11")),
        lts: Some(day("2028-06-30")),
        elts: None,
    };
    Facts {
        schema: crate::facts::FACTS.into(),
        now: moment("2026-03-01T12:00:00Z"),
        reference: "registry.example.org/prod/app:1@sha256:aa".into(),
        digest: "sha256:aa".into(),
        platforms: [("linux/amd64".to_owned(), platform)].into(),
        signatures: SignatureFacts::default(),
        attached: Vec::new(),
        data: DataFacts { sources: vec![source("tracker", Some("2026-03-01T00:00:00Z"))] },
        support: [("bookworm".to_owned(), support)].into(),
        ledger: Ledger::default(),
        ledger_from: None,
        ignores: Vec::new(),
        ignores_left_out: Vec::new(),
        notes: Vec::new(),
        vex_unusable: Vec::new(),
        gaps: Vec::new(),
        is_new: false,
        recorded: None,
    }
}

fn source(kind: &str, date: Option<&str>) -> SourceFacts {
    SourceFacts {
        kind: kind.into(),
        name: format!("{kind}.json"),
        sha256: "00".into(),
        date: date.map(moment),
        fetched: None,
        valid_until: None,
        records: 1,
    }
}

/// A policy in which clocks alone decide about vulnerabilities, and hardening nothing.
fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.vulnerabilities.at_creation.fail_on = None;
    policy.hardening.profile = crate::document::Profile::None;
    policy
}

fn ledger(first_seen: &str) -> Ledger {
    Ledger::new([Entry {
        key: Key { release: "bookworm".into(), source: "zlib".into(), id: "CVE-2026-0001".into() },
        first_seen: day(first_seen),
        first_fixable: Some(day(first_seen)),
        last_seen: day(first_seen),
        gone: None,
        severity_at_first_seen: None,
    }])
}

/// An image that was built on a base, whose tag stands for another digest now, or nobody knows for which.
fn on_base(facts: &mut Facts, built_on: &str, now: Option<&str>) {
    let platform = platform(facts);
    let said = [("name", "registry.example.org/base:1".to_owned()), ("digest", format!("sha256:{built_on}"))];
    platform.annotations.extend(said.map(|(key, text)| (format!("org.opencontainers.image.base.{key}"), text)));
    let obstacle = now.is_none().then(|| "no network".to_owned());
    let digest = now.map(|now| format!("sha256:{now}"));
    platform.base = Some(BaseFacts { digest, manifests: [format!("sha256:{}", "cc".repeat(32))].into(), obstacle });
}

fn recorded(digest: &str) -> RecordedFacts {
    RecordedFacts { digest: digest.into(), when: "2026-02-01T00:00:00Z".into(), present: "sha256:aa".into() }
}

fn platform(facts: &mut Facts) -> &mut PlatformFacts {
    facts.platforms.get_mut("linux/amd64").unwrap()
}

/// The outcome, and the rules that are errors or warnings.
fn judged(facts: &Facts, policy: &Policy) -> (Outcome, Vec<String>) {
    let verdict = evaluate(facts, policy).verdict;
    let told = verdict.violations.iter().filter(|violation| violation.weight != Weight::Note);
    (verdict.verdict, told.map(|violation| violation.rule.clone()).collect())
}

#[track_caller]
fn check(facts: &Facts, policy: &Policy, outcome: Outcome, rules: &[&str]) {
    let (found, told) = judged(facts, policy);
    assert_eq!((found, told), (outcome, rules.iter().map(|&rule| rule.to_owned()).collect()));
}

fn exception(expires: &str) -> Exception {
    Exception {
        id: "CVE-2026-0001".into(),
        package: Glob::of_names("zlib").unwrap(),
        versions: Vec::new(),
        expires: day(expires),
        max_severity: None,
        reason: Some("MiniZip is not built".into()),
        approved_by: Some("security@example.org".into()),
        line: 7,
    }
}

#[test]
fn the_same_facts_are_in_order_late_excepted_and_late_again_as_the_clock_moves() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("1:1.2.13.dfsg-2"))]);
    facts.ledger = ledger("2026-03-01");
    let mut plain = policy();
    plain.freshness.max_image_age = None;
    let mut excepting = plain.clone();
    excepting.exception = vec![exception("2026-05-01")];
    let at = |now: &str, policy: &Policy| {
        let now = moment(now);
        let data = DataFacts { sources: vec![SourceFacts { date: Some(now), ..source("tracker", None) }] };
        judged(&Facts { now, data, ..facts.clone() }, policy)
    };
    let none: Vec<String> = Vec::new();
    let rules = |rules: &[&str]| rules.iter().map(|&rule| rule.to_owned()).collect::<Vec<_>>();
    assert_eq!(at("2026-03-01T00:00:00Z", &plain), (Outcome::Pass, none.clone()));
    assert_eq!(at("2026-03-27T23:59:59Z", &plain), (Outcome::Pass, none.clone()));
    assert_eq!(at("2026-03-28T00:00:00Z", &plain), (Outcome::Pass, rules(&["DSTL-VUL-004"])), "three days before");
    assert_eq!(at("2026-03-30T23:59:59Z", &plain), (Outcome::Pass, rules(&["DSTL-VUL-004"])), "the day before");
    assert_eq!(at("2026-03-31T23:59:59Z", &plain), (Outcome::Pass, rules(&["DSTL-VUL-004"])), "the last day");
    assert_eq!(at("2026-04-01T00:00:00Z", &plain), (Outcome::Fail, rules(&["DSTL-VUL-001"])), "the day after");
    assert_eq!(at("2026-04-01T00:00:00Z", &excepting), (Outcome::Pass, none.clone()));
    assert_eq!(at("2026-04-30T23:59:59Z", &excepting), (Outcome::Pass, none));
    let both = rules(&["DSTL-VUL-001", "DSTL-VUL-005"]);
    assert_eq!(at("2026-05-01T00:00:00Z", &excepting), (Outcome::Fail, both), "the end is exclusive");
}

#[test]
fn a_violation_says_who_what_and_when() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("1:1.2.13.dfsg-2"))]);
    facts.ledger = ledger("2026-01-01");
    let verdict = evaluate(&facts, &policy()).verdict;
    let late = &verdict.violations[0];
    assert_eq!((late.rule.as_str(), late.subject.as_str()), ("DSTL-VUL-001", "CVE-2026-0001 in zlib"));
    assert_eq!(late.evidence, "high by nvd-cvss, first seen on 2026-01-01, was due until 2026-01-31");
    assert_eq!(late.fix, "update zlib from 1:1.2.13.dfsg-1 to 1:1.2.13.dfsg-2 or later");
    assert_eq!((late.deadline, late.days_left), (Some(day("2026-01-31")), Some(-29)));
    assert_eq!(late.location.as_deref(), Some("var/lib/dpkg/status.d/zlib1g"));
    assert_eq!(verdict.good_until, None);
    facts.ledger = ledger("2026-02-25");
    let verdict = evaluate(&facts, &policy()).verdict;
    assert_eq!((verdict.verdict, verdict.good_until), (Outcome::Pass, Some(day("2026-03-27"))));
}

#[test]
fn the_clock_starts_when_the_policy_says() {
    let dated = Finding {
        published: Some(day("2026-01-10")),
        fix_available: Some(day("2026-02-10")),
        ..finding("CVE-2026-0001", Level::High, Some("2"))
    };
    let last = |start: Start, unfixed: Unfixed, finding: &Finding, ledger: Ledger| {
        let mut policy = policy();
        (policy.vulnerabilities.start, policy.vulnerabilities.unfixed) = (start, unfixed);
        let verdict = evaluate(&Facts { ledger, ..facts(vec![finding.clone()]) }, &policy).verdict;
        verdict.violations.iter().find_map(|violation| violation.deadline).map(|last| last.to_string())
    };
    let at = |text: &str| Some(text.to_owned());
    let new = Ledger::default;
    let count = Unfixed::Count;
    assert_eq!(last(Start::FirstSeen, count, &dated, new()), at("2026-03-31"));
    assert_eq!(last(Start::FirstSeen, count, &dated, ledger("2026-02-01")), at("2026-03-03"));
    assert_eq!(last(Start::Published, count, &dated, new()), at("2026-02-09"));
    assert_eq!(last(Start::FixAvailable, count, &dated, new()), at("2026-03-12"));
    assert_eq!(last(Start::Earliest, count, &dated, ledger("2026-02-01")), at("2026-02-09"));
    let undated = finding("CVE-2026-0001", Level::High, Some("2"));
    for start in [Start::Published, Start::FixAvailable, Start::Earliest] {
        assert_eq!(last(start, count, &undated, new()), at("2026-03-31"), "{start:?}");
    }
    // Known for long, and repaired only now: held until then.
    let long = Ledger::new([Entry { first_fixable: None, ..ledger("2025-06-01").entries()[0].clone() }]);
    assert_eq!(last(Start::FirstSeen, Unfixed::HoldUntilFix, &undated, long.clone()), at("2026-03-31"));
    assert_eq!(last(Start::FirstSeen, Unfixed::Count, &undated, long), at("2025-07-01"));
}

#[test]
fn what_no_version_repairs_counts_is_held_or_is_left_out() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, None)]);
    facts.ledger = ledger("2025-06-01");
    let mut policy = policy();
    let held = evaluate(&facts, &policy);
    assert_eq!(held.verdict.verdict, Outcome::Pass);
    assert_eq!(held.verdict.violations[0].weight, Weight::Note);
    assert_eq!(held.ledger.entries()[0].last_seen, day("2026-03-01"));
    policy.vulnerabilities.unfixed = Unfixed::Count;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
    policy.vulnerabilities.unfixed = Unfixed::Ignore;
    let left_out = evaluate(&facts, &policy).verdict;
    assert_eq!((left_out.verdict, left_out.suppressed.len()), (Outcome::Pass, 1));
    assert_eq!(left_out.suppressed[0].by, "vulnerabilities.unfixed");
    // Announced, and not in the suites yet.
    let announced = Finding { fix_state: FixState::Announced, ..finding("CVE-2026-0001", Level::High, Some("2")) };
    platform(&mut facts).findings = vec![announced];
    policy.vulnerabilities.unfixed = Unfixed::HoldUntilFix;
    check(&facts, &policy, Outcome::Pass, &[]);
    policy.vulnerabilities.fixable_means = FixableMeans::Announced;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
    // Nobody could tell.
    policy.vulnerabilities.fixable_means = FixableMeans::InSuite;
    platform(&mut facts).findings[0].fix_state = FixState::Unchecked;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
}

#[test]
fn a_severity_that_rises_shortens_the_time_from_the_same_day() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::Moderate, Some("2"))]);
    facts.ledger = ledger("2026-02-01");
    check(&facts, &policy(), Outcome::Pass, &[]);
    platform(&mut facts).findings = vec![finding("CVE-2026-0001", Level::Critical, Some("2"))];
    check(&facts, &policy(), Outcome::Fail, &["DSTL-VUL-001"]);
    let deadline = evaluate(&facts, &policy()).verdict.violations[0].deadline;
    assert_eq!(deadline, Some(day("2026-02-08")));
}

#[test]
fn a_rebuild_resets_nothing_and_a_return_only_where_the_policy_says_so() {
    let first = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
    let ledger = evaluate(&first, &policy()).ledger;
    let later = |ledger: Ledger, now: &str, findings: Vec<Finding>| {
        let data = DataFacts { sources: vec![source("tracker", Some(now))] };
        let digest = "sha256:ff".to_owned();
        Facts { now: moment(now), ledger, data, digest, ..facts(findings) }
    };
    let again = || vec![finding("CVE-2026-0001", Level::High, Some("2"))];
    let rebuilt = later(ledger.clone(), "2026-04-01T00:00:00Z", again());
    check(&rebuilt, &policy(), Outcome::Fail, &["DSTL-VUL-001"]);
    let gone = evaluate(&later(ledger, "2026-03-15T00:00:00Z", Vec::new()), &policy()).ledger;
    let back = later(gone, "2026-04-01T00:00:00Z", again());
    check(&back, &policy(), Outcome::Fail, &["DSTL-VUL-001"]);
    let mut restart = policy();
    restart.vulnerabilities.reopen = Reopen::Restart;
    check(&back, &restart, Outcome::Pass, &[]);
}

#[test]
fn the_severity_is_that_of_the_policys_order() {
    let mut rated = finding("CVE-2026-0001", Level::Critical, Some("2"));
    rated.ratings.push(Rating { rater: Rater::DebianUrgency, level: Some(Level::Low), score: None, vector: None });
    let mut facts = facts(vec![rated]);
    facts.ledger = ledger("2026-02-01");
    let mut policy = policy();
    check(&facts, &policy, Outcome::Pass, &[]);
    policy.severity.order = vec![Rater::NvdCvss, Rater::DebianUrgency];
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
    policy.severity.overrides = vec![crate::document::Override {
        id: "DEBIAN-CVE-2026-0001".into(),
        package: Glob::of_names("zlib1*").unwrap(),
        level: Level::Low,
        reason: None,
    }];
    check(&facts, &policy, Outcome::Pass, &[]);
    // Nobody says how bad it is: the policy does.
    platform(&mut facts).findings[0].ratings.clear();
    policy.severity.overrides.clear();
    facts.ledger = ledger("2025-12-15");
    check(&facts, &policy, Outcome::Pass, &[]);
    policy.severity.unknown = Level::High;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
}

#[test]
fn known_exploited_ones_are_refused_and_have_a_date_of_their_own() {
    let kev = Kev { added: day("2026-02-01"), due: Some(day("2026-02-22")), ransomware: true };
    let facts = facts(vec![Finding { kev: Some(kev), ..finding("CVE-2026-0001", Level::Low, Some("2")) }]);
    let mut policy = policy();
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001", "DSTL-VUL-003"]);
    policy.vulnerabilities.deny = Vec::new();
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
    policy.vulnerabilities.kev_due_date = false;
    check(&facts, &policy, Outcome::Pass, &[]);
    policy.vulnerabilities.deny = vec![Deny { kev: true }];
    policy.vulnerabilities.ignore_packages = vec![Glob::of_names("zlib*").unwrap()];
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-003"]);
    policy.exception = vec![exception("2026-04-01")];
    check(&facts, &policy, Outcome::Pass, &[]);
}

#[test]
fn the_gate_is_about_what_could_have_been_repaired_when_the_image_was_made() {
    let gate = |change: fn(&mut Facts)| {
        let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
        change(&mut facts);
        let mut policy = Policy { vulnerabilities: crate::document::Vulnerabilities::default(), ..policy() };
        policy.vulnerabilities.deny = Vec::new();
        judged(&facts, &policy).1.contains(&"DSTL-VUL-002".to_owned())
    };
    assert!(gate(|_| {}), "nobody knows since when it is repaired");
    assert!(gate(|facts| platform(facts).findings[0].fix_available = Some(day("2026-02-20"))));
    assert!(!gate(|facts| platform(facts).findings[0].fix_available = Some(day("2026-02-21"))));
    assert!(gate(|facts| {
        platform(facts).findings[0].fix_available = Some(day("2026-02-21"));
        facts.is_new = true;
    }));
    assert!(gate(|facts| {
        platform(facts).findings[0].fix_available = Some(day("2026-02-21"));
        platform(facts).created = None;
    }));
    assert!(!gate(|facts| platform(facts).findings[0] = finding("CVE-2026-0001", Level::Moderate, Some("2"))));
    assert!(!gate(|facts| platform(facts).findings[0] = finding("CVE-2026-0001", Level::Critical, None)));
}

#[test]
fn an_exception_is_for_one_vulnerability_one_package_its_versions_and_a_severity() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
    facts.ledger = ledger("2026-01-01");
    let excepted = |change: &dyn Fn(&mut Exception)| {
        let mut policy = policy();
        let mut exception = exception("2026-04-01");
        change(&mut exception);
        policy.exception = vec![exception];
        judged(&facts, &policy)
    };
    let passes = |change: &dyn Fn(&mut Exception)| excepted(change) == (Outcome::Pass, Vec::new());
    let glob = |text: &str| Glob::of_names(text).unwrap();
    assert!(passes(&|_| {}));
    assert!(passes(&|it| it.id = "DEBIAN-CVE-2026-0001".into()));
    assert!(!passes(&|it| it.id = "CVE-2026-00011".into()));
    assert!(passes(&|it| it.package = glob("zlib1?")));
    assert!(!passes(&|it| it.package = glob("openssl")));
    let version = |relation, text: &str| vec![(relation, text.to_owned())];
    assert!(passes(&|it| it.versions = version(Relation::EarlierOrEqual, "1:1.2.13.dfsg-1")));
    assert!(!passes(&|it| it.versions = version(Relation::Earlier, "1:1.2.13.dfsg-1")));
    assert!(passes(&|it| it.versions = version(Relation::Earlier, "1:1.2.13.dfsg-1+deb12u1")));
    assert!(passes(&|it| it.versions = version(Relation::Later, "9")), "the epoch counts");
    assert!(!passes(&|it| it.versions = version(Relation::Later, "no version")));
    assert!(passes(&|it| it.max_severity = Some(Level::High)));
    let outgrown = excepted(&|it| it.max_severity = Some(Level::Moderate));
    assert_eq!(outgrown, (Outcome::Fail, vec!["DSTL-VUL-001".to_owned(), "DSTL-VUL-005".to_owned()]));
    let long = excepted(&|it| it.expires = day("2026-08-29"));
    assert_eq!(long, (Outcome::Fail, vec!["DSTL-VUL-005".to_owned()]));
    assert!(passes(&|it| it.expires = day("2026-08-28")), "180 days");
}

#[test]
fn an_exception_that_nothing_needs_is_told() {
    let facts = facts(Vec::new());
    let mut policy = policy();
    policy.exception = vec![exception("2026-04-01")];
    check(&facts, &policy, Outcome::Pass, &["DSTL-VUL-005"]);
    policy.exceptions.unused = Reaction::Fail;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-005"]);
    policy.exception[0].package = Glob::of_names("elsewhere").unwrap();
    check(&facts, &policy, Outcome::Pass, &[]);
    policy.exception = vec![exception("2026-03-01")];
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-005"]);
    policy.exceptions.expired = Reaction::Warn;
    check(&facts, &policy, Outcome::Pass, &["DSTL-VUL-005"]);
}

#[test]
fn ignores_of_scanners_count_until_they_end() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
    facts.ledger = ledger("2026-01-01");
    let ignore = |package: Option<&str>, expires: Option<&str>| ImportedIgnore {
        id: "CVE-2026-0001".into(),
        package: package.map(str::to_owned),
        is_source: false,
        version: None,
        expires: expires.map(day),
        reason: None,
        origin: ".trivyignore".into(),
        line: 3,
    };
    for (package, expires, outcome, rules) in [
        (None, Some("2026-03-02"), Outcome::Pass, &[][..]),
        (None, Some("2026-03-01"), Outcome::Fail, &["DSTL-VUL-001"]),
        (None, None, Outcome::Pass, &["DSTL-VUL-009"]),
        (Some("zlib*"), Some("2026-03-02"), Outcome::Pass, &[]),
        (Some("other"), Some("2026-03-02"), Outcome::Fail, &["DSTL-VUL-001"]),
        (Some("zlib"), Some("2026-03-02"), Outcome::Fail, &["DSTL-VUL-001"]),
        (Some("["), Some("2026-03-02"), Outcome::Fail, &["DSTL-VUL-001"]),
    ] {
        facts.ignores = vec![ignore(package, expires)];
        check(&facts, &policy(), outcome, rules);
    }
    for (version, outcome) in [("1:1.2.13.dfsg-1", Outcome::Pass), ("1:1.2.13.dfsg-2", Outcome::Fail)] {
        facts.ignores = vec![ImportedIgnore { version: Some(version.into()), ..ignore(None, Some("2026-03-02")) }];
        assert_eq!(judged(&facts, &policy()).0, outcome, "{version}");
    }
}

#[test]
fn an_ignore_of_one_package_is_none_of_another() {
    let mut of_two = finding("CVE-2026-0001", Level::High, Some("2"));
    of_two.packages =
        [("minizip".to_owned(), "1.1".to_owned()), ("zlib1g".to_owned(), "1:1.2.13.dfsg-1".to_owned())].into();
    let mut facts = facts(vec![of_two]);
    facts.ledger = ledger("2026-01-01");
    let entry = |package: &str, version: Option<&str>, line| ImportedIgnore {
        id: "CVE-2026-0001".into(),
        package: Some(package.into()),
        is_source: false,
        version: version.map(str::to_owned),
        expires: Some(day("2026-03-02")),
        reason: None,
        origin: ".grype.yaml".into(),
        line,
    };
    let of_source = |version| ImportedIgnore { is_source: true, ..entry("zlib", version, 4) };
    let later = |entry| ImportedIgnore { expires: Some(day("2026-04-01")), ..entry };
    let told = &["DSTL-VUL-001", "DSTL-VUL-009"][..];
    for (ignores, outcome, rules) in [
        (vec![entry("minizip", None, 1)], Outcome::Fail, told),
        (vec![entry("minizip", None, 1), entry("mini*", None, 2)], Outcome::Fail, told),
        (vec![entry("minizip", None, 1), entry("zlib1g", Some("1.1"), 2)], Outcome::Fail, told),
        (vec![entry("zlib", None, 1)], Outcome::Fail, &["DSTL-VUL-001"]),
        (vec![entry("minizip", Some("1:1.2.13.dfsg-1"), 1)], Outcome::Fail, &["DSTL-VUL-001"]),
        (vec![of_source(Some("1.1"))], Outcome::Fail, told),
        (vec![of_source(Some("1:1.2.13.dfsg-1"))], Outcome::Pass, &[]),
        (vec![of_source(None)], Outcome::Pass, &[]),
        (vec![entry("*", None, 1)], Outcome::Pass, &[]),
        (vec![entry("minizip", None, 1), later(entry("zlib1g", None, 2))], Outcome::Pass, &[]),
    ] {
        facts.ignores = ignores;
        check(&facts, &policy(), outcome, rules);
    }
    let verdict = evaluate(&facts, &policy()).verdict;
    assert_eq!(verdict.suppressed[0].by, ".grype.yaml (line 1), .grype.yaml (line 2)");
    assert_eq!(verdict.suppressed[0].expires, Some(day("2026-03-02")), "the earlier one");
    facts.ignores.truncate(1);
    let verdict = evaluate(&facts, &policy()).verdict;
    let told = verdict.violations.iter().find(|violation| violation.rule == "DSTL-VUL-009").unwrap();
    assert_eq!(told.subject, "CVE-2026-0001 in zlib");
    assert_eq!(told.evidence, ".grype.yaml (line 1): it is not about zlib1g, which has the vulnerability as well");
}

#[test]
fn vex_is_believed_only_as_the_policy_says() {
    let note = VexNote {
        document: "https://example.org/vex/1".into(),
        author: Some("security@example.org".into()),
        status: "not-affected".into(),
        justification: Some("component_not_present".into()),
        impact: None,
        date: Some(day("2026-02-01")),
        is_verified: false,
    };
    let believed = |change: &dyn Fn(&mut VexNote), rules: &dyn Fn(&mut Policy)| {
        let mut note = note.clone();
        change(&mut note);
        let mut facts = facts(vec![Finding { vex: vec![note], ..finding("CVE-2026-0001", Level::High, Some("2")) }]);
        facts.ledger = ledger("2026-01-01");
        let mut policy = policy();
        rules(&mut policy);
        judged(&facts, &policy)
    };
    let yes = (Outcome::Pass, Vec::new());
    let told = (Outcome::Fail, vec!["DSTL-VUL-001".to_owned(), "DSTL-VUL-008".to_owned()]);
    let silent = (Outcome::Fail, vec!["DSTL-VUL-001".to_owned()]);
    let same = |_: &mut VexNote| {};
    let plain = |_: &mut Policy| {};
    assert_eq!(believed(&same, &plain), yes);
    assert_eq!(believed(&|it| it.justification = Some("inline_mitigations_already_exist".into()), &plain), told);
    assert_eq!(believed(&|it| it.justification = None, &plain), told);
    assert_eq!(believed(&|it| it.date = None, &plain), told);
    assert_eq!(believed(&|it| it.date = Some(day("2025-03-01")), &plain), yes, "365 days");
    assert_eq!(believed(&|it| it.date = Some(day("2025-02-28")), &plain), told);
    assert_eq!(believed(&|it| it.date = Some(day("2026-03-02")), &plain), yes, "a day for clocks");
    for rules in [&plain as &dyn Fn(&mut Policy), &|policy| policy.vex.max_age = None] {
        assert_eq!(believed(&|it| it.date = Some(day("2026-03-03")), rules), told);
    }
    assert_eq!(believed(&|it| (it.status, it.justification) = ("fixed".into(), None), &plain), yes);
    for status in ["affected", "under-investigation", "what"] {
        assert_eq!(believed(&|it| it.status = status.into(), &plain), silent, "{status}");
    }
    assert_eq!(believed(&same, &|policy| policy.vex.require_signature = true), told);
    let signed = |it: &mut VexNote| it.is_verified = true;
    assert_eq!(believed(&signed, &|policy| policy.vex.require_signature = true), yes);
    assert_eq!(believed(&same, &|policy| policy.vex.trusted_authors = vec!["x".into()]), told);
    let trusted = |policy: &mut Policy| policy.vex.trusted_authors = vec!["security@example.org".into()];
    assert_eq!(believed(&same, &trusted), yes);
    assert_eq!(believed(&|it| it.author = None, &trusted), told);
    // One of two packages is affected.
    let other = VexNote { status: "affected".into(), ..note.clone() };
    let both = Finding { vex: vec![note.clone(), other], ..finding("CVE-2026-0001", Level::High, Some("2")) };
    check(&Facts { ledger: ledger("2026-01-01"), ..facts(vec![both]) }, &policy(), Outcome::Fail, &["DSTL-VUL-001"]);
}

#[test]
fn what_the_policy_leaves_out_is_listed() {
    let mut facts =
        facts(vec![Finding { status: Status::WillNotFix, ..finding("CVE-2026-0001", Level::High, Some("2")) }]);
    facts.ledger = ledger("2026-01-01");
    let mut policy = policy();
    policy.vulnerabilities.ignore_statuses = vec![Status::WillNotFix];
    let verdict = evaluate(&facts, &policy).verdict;
    assert_eq!(verdict.verdict, Outcome::Pass);
    assert_eq!(verdict.suppressed[0].by, "vulnerabilities.ignore-statuses");
    assert_eq!(verdict.suppressed[0].violation.rule, "DSTL-VUL-001");
}

#[test]
fn what_nobody_knows_is_told_counted_or_left_out() {
    let open = Finding { status: Status::UnderInvestigation, ..finding("CVE-2026-0001", Level::High, None) };
    let mut facts = facts(vec![open]);
    facts.ledger = ledger("2026-01-01");
    let mut policy = policy();
    policy.vulnerabilities.unfixed = Unfixed::Count;
    let verdict = evaluate(&facts, &policy).verdict;
    assert_eq!((verdict.verdict, verdict.violations[0].rule.as_str()), (Outcome::Pass, "DSTL-VUL-006"));
    policy.data.undetermined = Undetermined::Ignore;
    assert!(evaluate(&facts, &policy).verdict.violations.is_empty());
    policy.data.undetermined = Undetermined::Count;
    check(&facts, &policy, Outcome::Fail, &["DSTL-VUL-001"]);
}

#[test]
fn without_fresh_data_nothing_is_decided_unless_something_is_against_it() {
    let undecided = |change: &dyn Fn(&mut Facts)| {
        let mut facts = facts(Vec::new());
        change(&mut facts);
        let verdict = evaluate(&facts, &policy()).verdict;
        assert_eq!(verdict.undecided.is_empty(), verdict.verdict == Outcome::Pass);
        verdict.verdict == Outcome::Undecided
    };
    assert!(!undecided(&|_| {}));
    assert!(undecided(&|facts| facts.data.sources.clear()));
    let only = |sources: Vec<SourceFacts>| move |facts: &mut Facts| facts.data.sources = sources.clone();
    assert!(!undecided(&only(vec![source("tracker", Some("2026-02-27T12:00:00Z"))])), "48 hours");
    assert!(undecided(&only(vec![source("tracker", Some("2026-02-27T11:59:59Z"))])));
    let old = source("osv", Some("2020-01-01T00:00:00Z"));
    assert!(!undecided(&only(vec![old.clone(), source("tracker", Some("2026-02-28T00:00:00Z"))])));
    assert!(undecided(&only(vec![old.clone(), source("trivy", Some("2026-02-28T00:00:00Z"))])));
    assert!(undecided(&only(vec![source("tracker", None)])));
    assert!(undecided(&only(vec![source("kev", Some("2026-03-01T00:00:00Z"))])), "no advisories");
    assert!(!undecided(&only(vec![source("grype", Some("2026-02-01T00:00:00Z"))])));
    assert!(undecided(&only(vec![source("grype", Some("2026-01-01T00:00:00Z"))])));
    assert!(undecided(&|facts| platform(facts).packages.clear()));
    assert!(undecided(&|facts| platform(facts).release = None));
    assert!(undecided(&|facts| facts.support.clear()));
    assert!(undecided(&|facts| facts.gaps.push("something".into())));
    let mut late = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
    late.ledger = ledger("2026-01-01");
    late.data.sources.clear();
    check(&late, &policy(), Outcome::Fail, &["DSTL-VUL-001", "DSTL-VUL-007"]);
}

#[test]
fn an_ended_release_fails_without_any_finding() {
    let facts = facts(Vec::new());
    let check_at = |now: &str, tier: SupportTier, outcome: Outcome, rules: &[&str]| {
        let data = DataFacts { sources: vec![source("tracker", Some(now))] };
        let mut policy = policy();
        policy.freshness.support_tier = tier;
        policy.freshness.max_image_age = None;
        check(&Facts { now: moment(now), data, ..facts.clone() }, &policy, outcome, rules);
    };
    check_at("2026-03-01T00:00:00Z", SupportTier::Regular, Outcome::Pass, &[]);
    check_at("2026-04-12T00:00:00Z", SupportTier::Regular, Outcome::Pass, &["DSTL-EOS-002"]);
    check_at("2026-07-11T23:59:59Z", SupportTier::Regular, Outcome::Pass, &["DSTL-EOS-002"]);
    check_at("2026-07-12T00:00:00Z", SupportTier::Regular, Outcome::Fail, &["DSTL-EOS-001"]);
    check_at("2026-07-12T00:00:00Z", SupportTier::Lts, Outcome::Pass, &[]);
    check_at("2028-07-01T00:00:00Z", SupportTier::Lts, Outcome::Fail, &["DSTL-EOS-001"]);
    check_at("2028-07-01T00:00:00Z", SupportTier::Elts, Outcome::Fail, &["DSTL-EOS-001"]);
}

/// Each rule alone: what is done to the facts and the policy, and the one rule that is against it then.
#[test]
fn each_rule_breaks_alone() {
    type Change = fn(&mut Facts, &mut Policy);
    let cases: &[(&str, Outcome, Change)] = &[
        ("DSTL-SIG-001", Outcome::Fail, |_, policy| policy.signatures.require_signature = true),
        ("DSTL-SIG-002", Outcome::Fail, |_, policy| {
            policy.signatures.require_attestations = vec!["https://a.example/t".into()];
        }),
        ("DSTL-SIG-002", Outcome::Fail, |facts, policy| {
            policy.signatures.require_attestations = vec!["https://a.example/t".into()];
            facts.attached = vec![attached(&[], None)];
        }),
        ("DSTL-SIG-002", Outcome::Fail, |facts, policy| {
            policy.signatures.require_attestations = vec!["https://a.example/t".into()];
            facts.attached = vec![attached(&["release"], Some("linux/arm64"))];
        }),
        ("DSTL-SIG-003", Outcome::Fail, |_, policy| policy.signatures.require_sbom = true),
        ("DSTL-ADM-001", Outcome::Fail, |_, policy| {
            policy.admission.registries = vec!["registry.example.org/production".into()];
        }),
        ("DSTL-ADM-001", Outcome::Pass, |_, policy| {
            policy.admission.registries = vec!["ghcr.io".into()];
            policy.admission.no_match = Response::Warn;
        }),
        ("DSTL-ADM-002", Outcome::Fail, |facts, policy| {
            policy.admission.require_digest = true;
            facts.reference = "registry.example.org/prod/app:1".into();
        }),
        ("DSTL-ADM-003", Outcome::Fail, |facts, policy| {
            policy.admission.forbid_tags = vec!["latest".into()];
            facts.reference = "registry.example.org/prod/app".into();
        }),
        ("DSTL-ADM-004", Outcome::Fail, |facts, policy| {
            policy.admission.base_images = vec!["registry.example.org/base".into()];
            let name = "org.opencontainers.image.base.name".to_owned();
            platform(facts).annotations.insert(name, "registry.example.org/basement/cc:1".into());
        }),
        ("DSTL-UPD-001", Outcome::Pass, |facts, _| on_base(facts, &"aa".repeat(32), Some(&"bb".repeat(32)))),
        ("DSTL-UPD-001", Outcome::Fail, |facts, policy| {
            policy.freshness.base_image = Some(Weight::Error);
            on_base(facts, &"aa".repeat(32), Some(&"bb".repeat(32)));
        }),
        ("DSTL-REG-001", Outcome::Fail, |facts, policy| {
            policy.immutable.tags = vec![Glob::of_names("[0-9]*").unwrap()];
            facts.reference = "registry.example.org/prod/app:1".into();
            facts.recorded = Some(recorded("sha256:bb"));
        }),
        ("DSTL-PKG-101", Outcome::Fail, |_, policy| policy.packages.forbidden = vec![Glob::of_names("zlib*").unwrap()]),
        ("DSTL-PKG-102", Outcome::Fail, |_, policy| policy.packages.required = vec![Glob::of_names("ca-*").unwrap()]),
        ("DSTL-UPD-002", Outcome::Pass, |facts, _| {
            platform(facts).packages[0].candidate = Some("1:1.2.13.dfsg-2".into());
        }),
        ("DSTL-UPD-002", Outcome::Fail, |facts, _| {
            let package = &mut platform(facts).packages[0];
            package.candidate = Some("1:1.2.13.dfsg-3".into());
            package.security_candidate = Some("1:1.2.13.dfsg-2".into());
        }),
        ("DSTL-EOS-003", Outcome::Pass, |facts, _| platform(facts).less_support = vec![less_support(None)]),
        ("DSTL-EOS-003", Outcome::Pass, |facts, _| {
            platform(facts).less_support = vec![less_support(Some("2026-02-28"))];
        }),
        ("DSTL-EOS-003", Outcome::Fail, |facts, policy| {
            policy.freshness.limited_support = Some(Weight::Error);
            platform(facts).less_support = vec![less_support(Some("2026-05-30"))];
        }),
        ("DSTL-UPD-003", Outcome::Pass, |facts, _| platform(facts).created = Some(moment("2025-01-01T00:00:00Z"))),
        ("DSTL-UPD-003", Outcome::Pass, |facts, _| {
            platform(facts).created = Some(facts.now + SignedDuration::from_secs(24 * 3600 + 1));
        }),
        ("DSTL-UPD-003", Outcome::Pass, |facts, _| {
            facts.data.sources.push(source("sarif", Some("2025-01-01T00:00:00Z")));
        }),
        ("DSTL-LIC-001", Outcome::Fail, |_, policy| policy.licences.forbidden = vec!["Zlib".into()]),
        ("DSTL-LIC-002", Outcome::Pass, |facts, policy| {
            policy.licences.forbidden = vec!["MIT".into()];
            platform(facts).packages[0].licences = None;
        }),
        ("DSTL-SIZ-001", Outcome::Fail, |_, policy| policy.size.max_image = Some(999)),
        ("DSTL-SIZ-002", Outcome::Fail, |_, policy| policy.size.max_layers = Some(0)),
        ("DSTL-SIZ-003", Outcome::Fail, |_, policy| policy.size.max_layer = Some(999)),
        ("DSTL-VUL-008", Outcome::Pass, |facts, _| facts.vex_unusable.push("no product".into())),
    ];
    for (rule, outcome, change) in cases {
        let (mut facts, mut policy) = (facts(Vec::new()), policy());
        check(&facts, &policy, Outcome::Pass, &[]);
        change(&mut facts, &mut policy);
        assert_eq!(judged(&facts, &policy), (*outcome, vec![(*rule).to_owned()]), "{rule}");
        // Only what is about admission and signatures counts less where the policy warns.
        policy.admission.mode = Mode::Warn;
        let is_admission = rule.starts_with("DSTL-ADM") || rule.starts_with("DSTL-SIG");
        let outcome = if is_admission { Outcome::Pass } else { *outcome };
        assert_eq!(judged(&facts, &policy), (outcome, vec![(*rule).to_owned()]), "{rule}");
    }
}

fn attached(by: &[&str], platform: Option<&str>) -> AttachedFacts {
    AttachedFacts {
        digest: "sha256:cc".into(),
        kind: "https://a.example/t".into(),
        verified: by.iter().map(|&name| name.to_owned()).collect(),
        platform: platform.map(str::to_owned),
        made: Some(moment("2026-02-20T00:00:00Z")),
        passed: None,
    }
}

/// What asks for a signature by one of these, and for statements of these types.
fn asking(authorities: &[&str], types: &[&str]) -> Signatures {
    let authority = |name: &&str| Authority { name: (*name).to_owned(), ..Authority::default() };
    Signatures {
        authorities: authorities.iter().map(authority).collect(),
        require_signature: true,
        require_attestations: types.iter().map(|&kind| kind.to_owned()).collect(),
        ..Signatures::default()
    }
}

#[test]
fn of_an_image_with_a_name_is_asked_what_all_sections_about_it_ask_and_each_trusts_its_own() {
    let (mut facts, mut policy) = (facts(Vec::new()), policy());
    let rule = |glob: &str, asks| ImageRule { images: Glob::of_paths(glob).unwrap(), asks };
    let kind = "https://a.example/t";
    policy.admission.images = vec![
        rule("registry.example.org/prod/**", asking(&["release"], &[])),
        rule("registry.example.org/**", Signatures { require_signature: false, ..asking(&["ci"], &[kind]) }),
        rule("registry.example.org/test/**", asking(&["nobody"], &["https://a.example/other"])),
    ];
    let mut says = |signed: &[&str], attested: &[&str], rules: &[&str]| {
        facts.signatures.verified = signed.iter().map(|&name| name.to_owned()).collect();
        facts.signatures.refused = vec!["release: signature: of another key".into(), "ci: log: none".into()];
        facts.attached = vec![attached(attested, None)];
        let outcome = if rules.is_empty() { Outcome::Pass } else { Outcome::Fail };
        check(&facts, &policy, outcome, rules);
        evaluate(&facts, &policy).verdict.violations
    };
    says(&["release"], &["ci"], &[]);
    says(&["release", "ci"], &["release", "ci"], &[]);
    let found = says(&["ci"], &["release"], &["DSTL-SIG-001", "DSTL-SIG-002"]);
    let evidence = "release: signature: of another key (asked of registry.example.org/prod/**)";
    assert_eq!(found[0].evidence, evidence);
    assert!(found[1].evidence.ends_with("(asked of registry.example.org/**)"), "{found:?}");
    // Whoever is trusted for all images is not for these.
    policy.signatures = asking(&["all"], &[]);
    facts.signatures.verified = ["release".to_owned()].into();
    facts.attached = vec![attached(&["ci"], None)];
    check(&facts, &policy, Outcome::Fail, &["DSTL-SIG-001"]);
    facts.signatures.verified = ["release".to_owned(), "all".to_owned()].into();
    check(&facts, &policy, Outcome::Pass, &[]);
    // What is in no registry has no name to be asked by.
    facts.reference = "oci:registry.example.org/prod/app:1".into();
    facts.signatures.verified = ["all".to_owned()].into();
    check(&facts, &policy, Outcome::Pass, &[]);
}

#[test]
fn what_is_asked_for_and_there_is_in_order() {
    let (mut facts, mut policy) = (facts(Vec::new()), policy());
    policy.signatures.authorities = vec![Authority { name: "release".into(), ..Authority::default() }];
    policy.signatures.require_signature = true;
    policy.signatures.require_sbom = true;
    policy.signatures.require_attestations = vec!["https://a.example/t".into()];
    policy.signatures.max_attestation_age = Some(SignedDuration::from_hours(24 * 20));
    policy.admission.registries = vec!["registry.example.org/prod".into()];
    policy.admission.require_digest = true;
    facts.signatures.verified = ["release".to_owned()].into();
    let sbom = AttachedFacts { kind: "application/spdx+json".into(), ..attached(&[], None) };
    facts.attached = vec![sbom, attached(&["release"], Some("linux/amd64"))];
    check(&facts, &policy, Outcome::Pass, &[]);
    facts.attached[1].made = Some(moment("2026-02-01T00:00:00Z"));
    check(&facts, &policy, Outcome::Fail, &["DSTL-SIG-002"]);
    facts.attached[1].made = None;
    check(&facts, &policy, Outcome::Fail, &["DSTL-SIG-002"]);
}

#[test]
fn of_summaries_the_latest_decides_and_has_to_say_that_the_image_passed() {
    let (mut facts, mut policy) = (facts(Vec::new()), policy());
    policy.signatures = asking(&["release", "ci"], &["https://a.example/t"]);
    policy.signatures.require_signature = false;
    let summary = |day: &str, passed: bool, by: &[&str]| AttachedFacts {
        made: Some(moment(&format!("2026-02-{day}T00:00:00Z"))),
        passed: Some(passed),
        ..attached(by, None)
    };
    let mut says = |attached: Vec<AttachedFacts>, outcome, rules: &[&str]| {
        facts.attached = attached;
        check(&facts, &policy, outcome, rules);
    };
    says(vec![summary("10", true, &["release"])], Outcome::Pass, &[]);
    says(vec![summary("10", false, &["release"])], Outcome::Fail, &["DSTL-SIG-002"]);
    says(vec![summary("10", true, &["release"]), summary("11", false, &["ci"])], Outcome::Fail, &["DSTL-SIG-002"]);
    says(vec![summary("11", true, &["release"]), summary("10", false, &["ci"])], Outcome::Pass, &[]);
    // What nobody who is trusted signed takes nothing back.
    says(vec![summary("10", true, &["release"]), summary("11", false, &[])], Outcome::Pass, &[]);
    let undated = AttachedFacts { made: None, ..summary("10", false, &["ci"]) };
    says(vec![summary("10", true, &["release"]), undated], Outcome::Fail, &["DSTL-SIG-002"]);
}

#[test]
fn one_violation_of_several_platforms_is_one() {
    let mut facts = facts(vec![finding("CVE-2026-0001", Level::High, Some("2"))]);
    facts.ledger = ledger("2026-01-01");
    let first = facts.platforms["linux/amd64"].clone();
    facts.platforms.insert("linux/arm64".into(), first.clone());
    let verdict = evaluate(&facts, &policy()).verdict;
    assert_eq!((verdict.violations.len(), verdict.violations[0].platforms.is_empty()), (1, true));
    facts.platforms.insert("linux/s390x".into(), PlatformFacts { findings: Vec::new(), ..first });
    let verdict = evaluate(&facts, &policy()).verdict;
    assert_eq!(verdict.violations[0].platforms, ["linux/amd64", "linux/arm64"]);
}

#[test]
fn facts_that_are_kept_give_the_same_verdict_byte_for_byte() {
    let mut before =
        facts(vec![finding("CVE-2026-0001", Level::High, Some("2")), finding("CVE-2026-0002", Level::Critical, None)]);
    before.ledger = ledger("2026-01-01");
    let kept = serde_json::to_string(&before).unwrap();
    let after: Facts = serde_json::from_str(&kept).unwrap();
    assert_eq!(before, after);
    let json = |facts: &Facts| serde_json::to_string(&evaluate(facts, &policy()).verdict).unwrap();
    assert_eq!(json(&before), json(&after));
}

#[test]
fn only_a_clean_verdict_about_the_very_digest_approves() {
    let digest = distil_imgcore::Digest::of(b"image");
    let mut facts = facts(Vec::new());
    facts.digest = digest.to_string();
    let verdict = evaluate(&facts, &policy()).verdict;
    assert_eq!(verdict.approve(&digest).unwrap().digest(), &digest);
    assert!(verdict.approve(&distil_imgcore::Digest::of(b"other")).is_none());
    facts.gaps.push("unknown".into());
    assert!(evaluate(&facts, &policy()).verdict.approve(&digest).is_none());
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let days = proptest::option::of((-9999i16..=9999, 1i8..=12, 1i8..=28))
        .prop_map(|at| at.map(|(year, month, day)| Date::new(year, month, day).unwrap()));
    let levels = prop_oneof![Just(Level::Negligible), Just(Level::Low), Just(Level::High), Just(Level::Critical)];
    let statuses = prop_oneof![
        Just(Status::Fixed),
        Just(Status::Affected),
        Just(Status::UnderInvestigation),
        Just(Status::Unknown),
        Just(Status::Resolved)
    ];
    let states = prop_oneof![
        Just(FixState::None),
        Just(FixState::Unchecked),
        Just(FixState::Announced),
        Just(FixState::InSuite)
    ];
    (0u8..4, "[a-c]", levels, statuses, states, days.clone(), days, "\\PC{0,8}").prop_map(
        |(number, source, level, status, fix_state, published, fix_available, version)| Finding {
            source,
            status,
            fix_state,
            published,
            fix_available,
            kev: published.map(|added| Kev { added, due: fix_available, ransomware: false }),
            source_version: version.clone(),
            fixed: Some(version),
            ..finding(&format!("CVE-2026-000{number}"), level, None)
        },
    )
}

proptest! {
    #[test]
    fn no_order_of_findings_changes_anything(
        findings in proptest::collection::vec(any_finding(), 0..8),
        seconds in -377_000_000_000i64..253_000_000_000,
        start in prop_oneof![Just(Start::FirstSeen), Just(Start::Published), Just(Start::FixAvailable), Just(Start::Earliest)],
        unfixed in prop_oneof![Just(Unfixed::Count), Just(Unfixed::HoldUntilFix), Just(Unfixed::Ignore)],
        days in any::<u32>(),
    ) {
        let mut policy = Policy::default();
        (policy.vulnerabilities.start, policy.vulnerabilities.unfixed) = (start, unfixed);
        policy.vulnerabilities.resolution.high = Some(days);
        policy.vulnerabilities.warn_before = days;
        policy.freshness.end_of_support_notice = days;
        policy.exceptions.max_duration = Some(days);
        policy.exception = vec![exception("2026-04-01")];
        let one = Facts { now: Timestamp::from_second(seconds).unwrap(), ..facts(findings.clone()) };
        let other = Facts { now: one.now, ..facts(findings.into_iter().rev().collect()) };
        prop_assert_eq!(evaluate(&one, &policy), evaluate(&other, &policy));
    }
}

#[test]
fn a_verdict_has_all_its_members_whether_or_not_there_is_something_to_say() {
    // A verdict is read by programs: the same members in the same order.
    let verdict = evaluate(&facts(Vec::new()), &policy()).verdict;
    let json: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&serde_json::to_string(&verdict).unwrap()).unwrap();
    let members: BTreeSet<&str> = json.keys().map(String::as_str).collect();
    for member in
        ["schema", "verdict", "digest", "now", "good-until", "policy-sha256", "violations", "suppressed", "manual"]
    {
        assert!(members.contains(member), "{member}");
    }
}

#[test]
fn a_base_is_as_its_tag_is_or_nobody_knows() {
    let ([old, new], policy) = ([&"aa".repeat(32), &"bb".repeat(32)], policy());
    let weights = |facts: &Facts, policy: &Policy| {
        let verdict = evaluate(facts, policy).verdict;
        let found = verdict.violations.iter().filter(|found| found.rule == "DSTL-UPD-001");
        (verdict.verdict, found.map(|found| found.weight).collect::<Vec<_>>())
    };
    let check = |change: &dyn Fn(&mut Facts, &mut Policy), outcome, expected: &[Weight]| {
        let (mut facts, mut policy) = (facts(Vec::new()), policy.clone());
        on_base(&mut facts, old, Some(new));
        change(&mut facts, &mut policy);
        assert_eq!(weights(&facts, &policy), (outcome, expected.to_vec()));
    };
    let strict = |policy: &mut Policy| policy.freshness.base_image = Some(Weight::Error);
    let name = "org.opencontainers.image.base.name";
    check(&|_, _| {}, Outcome::Pass, &[Weight::Warning]);
    check(&|_, policy| policy.freshness.base_image = None, Outcome::Pass, &[]);
    check(&|facts, _| on_base(facts, new, Some(new)), Outcome::Pass, &[]);
    // Tools note the digest of the index, or that of the platform's own image.
    check(&|facts, _| on_base(facts, &"cc".repeat(32), Some(new)), Outcome::Pass, &[]);
    check(&|facts, _| on_base(facts, old, None), Outcome::Pass, &[Weight::Note]);
    check(
        &|facts, policy| {
            strict(policy);
            on_base(facts, old, None);
        },
        Outcome::Undecided,
        &[Weight::Note],
    );
    let not_asked = |facts: &mut Facts| platform(facts).base = None;
    check(&|facts, _| not_asked(facts), Outcome::Pass, &[Weight::Note]);
    let without_digest = |facts: &mut Facts| {
        platform(facts).annotations.remove("org.opencontainers.image.base.digest");
    };
    check(&|facts, _| without_digest(facts), Outcome::Pass, &[Weight::Note]);
    for no_tag in ["", "scratch", "registry.example.org:5000/base@sha256:aa"] {
        let named = |facts: &mut Facts| platform(facts).annotations.insert(name.into(), no_tag.into());
        check(
            &|facts, policy| {
                strict(policy);
                named(facts);
            },
            Outcome::Pass,
            &[],
        );
    }
    let by_both = |facts: &mut Facts| {
        platform(facts).annotations.insert(name.into(), "registry.example.org/base:1@sha256:aa".into());
    };
    check(&|facts, _| by_both(facts), Outcome::Pass, &[Weight::Warning]);
}

#[test]
fn only_tags_of_the_patterns_that_were_recorded_must_stay() {
    let check = |reference: &str, found: Option<RecordedFacts>, expected: bool| {
        let (mut facts, mut policy) = (facts(Vec::new()), policy());
        policy.immutable.tags = vec![Glob::of_names("v?[0-9]*").unwrap(), Glob::of_names("[0-9]*").unwrap()];
        policy.immutable.except = vec![Glob::of_names("*-rc*").unwrap()];
        (facts.reference, facts.recorded) = (reference.to_owned(), found);
        let (_, rules) = judged(&facts, &policy);
        assert_eq!(rules.contains(&"DSTL-REG-001".to_owned()), expected, "{reference}");
    };
    let other = || Some(recorded("sha256:bb"));
    check("registry.example.org/prod/app:1.4", other(), true);
    check("registry.example.org/prod/app:1.4", Some(recorded("sha256:aa")), false);
    check("registry.example.org/prod/app:1.4", None, false);
    check("registry.example.org/prod/app:1.4-rc2", other(), false);
    check("registry.example.org/prod/app:edge", other(), false);
    check("registry.example.org/prod/app", other(), false);
    check("registry.example.org/prod/app@sha256:aa", other(), false);
    check("oci:app:1.4", other(), false);
}

fn less_support(ended: Option<&str>) -> PackageSupportFacts {
    PackageSupportFacts {
        source: "zlib".into(),
        ended: ended.map(day),
        last_version: ended.map(|_| "1:1.2.13.dfsg-1".into()),
        text: Some("abandoned upstream".into()),
    }
}

#[test]
fn the_support_of_a_package_ends_as_the_clock_moves() {
    let mut facts = facts(Vec::new());
    platform(&mut facts).less_support = vec![less_support(Some("2026-05-30"))];
    let at = |now: &str| {
        let data = DataFacts { sources: vec![source("tracker", Some(now))] };
        let verdict = evaluate(&Facts { now: moment(now), data, is_new: true, ..facts.clone() }, &policy()).verdict;
        let found = verdict.violations.into_iter().find(|found| found.rule == "DSTL-EOS-003");
        (found.map(|found| (found.evidence, found.days_left)), verdict.good_until)
    };
    // Ninety days before, a notice.
    assert_eq!(at("2026-02-28T00:00:00Z"), (None, Some(day("2026-05-30"))));
    let words =
        |verb: &str| format!("its support {verb} on 2026-05-30, with version 1:1.2.13.dfsg-1: abandoned upstream");
    assert_eq!(at("2026-03-01T00:00:00Z"), (Some((words("ends"), Some(90))), Some(day("2026-05-30"))));
    assert_eq!(at("2026-05-30T00:00:00Z").0, Some((words("ends"), Some(0))));
    assert_eq!(at("2026-05-31T00:00:00Z").0, Some((words("ended"), Some(-1))));
    let mut off = policy();
    off.freshness.limited_support = None;
    check(&facts, &off, Outcome::Pass, &[]);
}

fn suite(name: &str, fetched: &str) -> SourceFacts {
    SourceFacts { name: name.into(), fetched: Some(moment(fetched)), ..source("suite", Some("2025-12-01T00:00:00Z")) }
}

/// An image whose suites were asked a day ago, for a package of which they have another version.
fn offered(candidate: &str) -> Facts {
    let mut facts = facts(Vec::new());
    facts.data.sources.push(suite("bookworm", "2026-02-28T12:00:00Z"));
    let package = &mut platform(&mut facts).packages[0];
    package.candidate = Some(candidate.into());
    package.candidate_source_version = Some(candidate.into());
    package.candidate_suite = Some("bookworm".into());
    facts
}

#[test]
fn a_newer_package_counts_as_the_policy_says() {
    let evidence = |facts: &Facts| evaluate(facts, &policy()).verdict.violations.remove(0).evidence;
    let newer = offered("1:1.2.13.dfsg-2");
    check(&newer, &policy(), Outcome::Pass, &["DSTL-UPD-002"]);
    assert_eq!(evidence(&newer), "1:1.2.13.dfsg-1 is there, and 1:1.2.13.dfsg-2 to be had in bookworm");
    check(&offered("1:1.2.13.dfsg-1"), &policy(), Outcome::Pass, &[]);
    check(&offered("1:1.2.12"), &policy(), Outcome::Pass, &[]);

    // Of what is in no suite for security it shows by what it repairs.
    let mut repairing = newer.clone();
    let mut fixed = finding("CVE-2026-0001", Level::Low, Some("1:1.2.13.dfsg-2"));
    fixed.packages = [("zlib1g".to_owned(), "1:1.2.13.dfsg-1".to_owned())].into();
    let later = Finding { fixed: Some("1:1.2.13.dfsg-3".into()), ..fixed.clone() };
    platform(&mut repairing).findings = vec![later];
    check(&repairing, &policy(), Outcome::Pass, &["DSTL-UPD-002"]);
    platform(&mut repairing).findings = vec![fixed];
    check(&repairing, &policy(), Outcome::Fail, &["DSTL-UPD-002"]);
    let words = " is there, and 1:1.2.13.dfsg-2 to be had in bookworm, a security update; it repairs CVE-2026-0001";
    assert_eq!(evidence(&repairing), format!("1:1.2.13.dfsg-1{words}"));

    let mut off = policy();
    off.freshness.security_packages = None;
    check(&repairing, &off, Outcome::Pass, &[]);
    check(&newer, &off, Outcome::Pass, &["DSTL-UPD-002"]);
    off.freshness.packages = None;
    check(&newer, &off, Outcome::Pass, &[]);
}

#[test]
fn suites_that_were_asked_long_ago_decide_nothing() {
    let mut facts = offered("1:1.2.13.dfsg-1");
    check(&facts, &policy(), Outcome::Pass, &[]);
    facts.data.sources[1] = suite("bookworm-security", "2026-02-27T11:59:59Z");
    check(&facts, &policy(), Outcome::Undecided, &["DSTL-VUL-007"]);
    let mut told = policy();
    told.freshness.security_packages = Some(Weight::Warning);
    check(&facts, &told, Outcome::Pass, &["DSTL-UPD-003"]);
    // It is of another release.
    facts.data.sources[1].name = "trixie-security".into();
    check(&facts, &policy(), Outcome::Pass, &[]);
    // Its own word counts, too.
    facts.data.sources[1] = SourceFacts {
        valid_until: Some(moment("2026-03-01T11:59:59Z")),
        ..suite("bookworm-security", "2026-03-01T00:00:00Z")
    };
    check(&facts, &policy(), Outcome::Undecided, &["DSTL-VUL-007"]);
    facts.data.sources[1].valid_until = Some(facts.now);
    check(&facts, &policy(), Outcome::Pass, &[]);
    facts.data.sources[1].fetched = None;
    check(&facts, &policy(), Outcome::Undecided, &["DSTL-VUL-007"]);
}

#[test]
fn what_was_announced_is_repaired_from_the_day_on_which_the_suites_have_it() {
    let mut finding = finding("CVE-2026-0001", Level::High, Some("1:1.2.13.dfsg-2"));
    finding.fix_available = Some(day("2026-02-01"));
    let seen = |state, now: &str, ledger: &Ledger| {
        let mut facts = facts(vec![Finding { fix_state: state, ..finding.clone() }]);
        facts.now = moment(now);
        facts.ledger = ledger.clone();
        let mut policy = policy();
        policy.vulnerabilities.at_creation.fail_on = Some(Level::High);
        let after = evaluate(&facts, &policy);
        let refused = after.verdict.violations.iter().any(|found| found.rule == "DSTL-VUL-002");
        (after.ledger.entries()[0].first_fixable, refused, after.ledger)
    };
    // The image is of 2026-02-20: what was to be had before could have been repaired.
    let at_once = seen(FixState::InSuite, "2026-03-01T00:00:00Z", &Ledger::new([]));
    assert_eq!((at_once.0, at_once.1), (Some(day("2026-02-01")), true));
    let announced = seen(FixState::Announced, "2026-03-01T00:00:00Z", &Ledger::new([]));
    assert_eq!((announced.0, announced.1), (None, false));
    let came = seen(FixState::InSuite, "2026-03-09T00:00:00Z", &announced.2);
    assert_eq!((came.0, came.1), (Some(day("2026-03-09")), false));
}

#[test]
fn a_repair_that_old_suites_do_not_have_counts_as_one_that_is_to_be_had() {
    let mut finding = finding("CVE-2026-0001", Level::High, Some("1:1.2.13.dfsg-2"));
    finding.fix_state = FixState::Announced;
    let mut facts = offered("1:1.2.13.dfsg-1");
    platform(&mut facts).findings = vec![finding];
    facts.ledger = Ledger::new([]);
    let mut told = policy();
    told.freshness.security_packages = None;
    let clock = |facts: &Facts, policy: &Policy| {
        let first = evaluate(facts, policy).ledger.entries().first().and_then(|entry| entry.first_fixable);
        first.map(|day| day.to_string())
    };
    assert_eq!(clock(&facts, &told), None, "held until the suites have it");
    facts.data.sources[1] = suite("bookworm", "2026-01-01T00:00:00Z");
    assert_eq!(clock(&facts, &told).as_deref(), Some("2026-03-01"));
}
