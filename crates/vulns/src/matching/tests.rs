use super::*;
use crate::advisory::{NoDsa, Range};

fn advisory(feed: Feed, id: &str, state: State) -> Advisory {
    Advisory {
        id: id.to_owned(),
        aliases: Vec::new(),
        feed,
        release: "bookworm".to_owned(),
        source: "ss".to_owned(),
        state,
        urgency: None,
        no_dsa: None,
        archive: None,
        published: None,
        title: None,
    }
}

fn installed(version: &str) -> Installed {
    Installed {
        release: "bookworm".to_owned(),
        source: "ss".to_owned(),
        source_version: version.to_owned(),
        packages: BTreeMap::from([("libss".to_owned(), "9:9".to_owned())]),
    }
}

fn found(version: &str, advisories: &[Advisory]) -> Vec<Finding> {
    find(&installed(version), advisories, &mut |_| None, Available::NotAsked, true)
}

fn status(version: &str, advisories: &[Advisory]) -> Status {
    let found = found(version, advisories);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].status
}

fn fixed(version: &str) -> State {
    State::Fixed(version.to_owned())
}

fn ranges(ranges: &[Range], versions: &[&str]) -> State {
    State::Ranges { ranges: ranges.to_vec(), versions: versions.iter().map(|v| (*v).to_owned()).collect() }
}

#[test]
fn what_the_tracker_says_decides() {
    let said = |state| advisory(Feed::Tracker, "CVE-2024-0001", state);
    let open = |urgency, no_dsa| Advisory { urgency, no_dsa, ..said(State::Open) };
    let in_archive = |archive: &str, state| Advisory { archive: Some(archive.to_owned()), ..said(state) };
    for (version, advisory, expected) in [
        ("1-1", said(State::NotAffected), Status::NotAffected),
        ("1-1", said(fixed("0")), Status::NotAffected),
        ("0~1-1", said(fixed("0")), Status::NotAffected),
        ("1-1", said(fixed("1-2")), Status::Fixed),
        ("1-2~bpo12+1", said(fixed("1-2")), Status::Fixed),
        ("1-2", said(fixed("1-2")), Status::Resolved),
        ("1:1-1", said(fixed("2-1")), Status::Resolved),
        ("2-1", said(fixed("1:1-1")), Status::Fixed),
        ("1-1", said(State::Open), Status::Affected),
        ("1-1", open(None, Some(NoDsa::Minor)), Status::NoDsa),
        ("1-1", open(None, Some(NoDsa::Ignored)), Status::WillNotFix),
        ("1-1", open(Some(Urgency::High), Some(NoDsa::Postponed)), Status::FixDeferred),
        ("1-1", open(Some(Urgency::EndOfLife), None), Status::EndOfLife),
        ("1-1", in_archive("1-1", State::Open), Status::Affected),
        ("1-2", in_archive("1-1", State::Open), Status::Unknown),
        ("1-2", in_archive("1-1", State::EndOfLife), Status::Unknown),
        ("1-1", in_archive("broken", State::Open), Status::Affected),
        ("1-1", said(State::Undetermined), Status::UnderInvestigation),
        ("1-1", said(State::EndOfLife), Status::EndOfLife),
        // What is no version is never compared.
        ("abc", said(fixed("1-2")), Status::Unknown),
        ("", said(State::Open), Status::Unknown),
        ("abc", said(State::NotAffected), Status::NotAffected),
        ("1-1", said(fixed("<unfixed>")), Status::Unknown),
    ] {
        assert_eq!(status(version, std::slice::from_ref(&advisory)), expected, "{version} {advisory:?}");
    }
}

#[test]
fn ranges_are_evaluated_as_their_schema_says() {
    let from = |a: &str| Range::From(a.to_owned());
    let below = |a: &str, b: &str| Range::Below(a.to_owned(), b.to_owned());
    let up_to = |a: &str, b: &str| Range::UpTo(a.to_owned(), b.to_owned());
    for (version, state, expected) in [
        ("0~1", ranges(&[from("0")], &[]), Status::Affected),
        ("1-1", ranges(&[below("0", "1-2")], &[]), Status::Fixed),
        ("1-2", ranges(&[below("0", "1-2")], &[]), Status::Resolved),
        ("1-1", ranges(&[from("1-2")], &[]), Status::NotAffected),
        ("1-2", ranges(&[up_to("0", "1-2")], &[]), Status::Affected),
        ("1-2.1", ranges(&[up_to("0", "1-2")], &[]), Status::Resolved),
        ("3-1", ranges(&[below("0", "1-2"), below("2-1", "4-1")], &[]), Status::Fixed),
        ("1-3", ranges(&[below("0", "1-2"), below("2-1", "4-1")], &[]), Status::Resolved),
        ("0:1-3", ranges(&[], &["1-3"]), Status::Affected),
        ("1-3", ranges(&[below("0", "1-2")], &["1-3"]), Status::Affected),
        ("1-3", ranges(&[], &["1-4"]), Status::NotAffected),
        ("1-3", ranges(&[], &[]), Status::NotAffected),
        ("1-3", ranges(&[below("0", "0")], &[]), Status::NotAffected),
        ("1-3", ranges(&[from("x")], &[]), Status::Unknown),
        ("1-3", ranges(&[below("0", "x"), below("0", "1-4")], &[]), Status::Fixed),
    ] {
        let record = advisory(Feed::Osv, "DEBIAN-CVE-2024-0001", state);
        let found = found(version, std::slice::from_ref(&record));
        assert_eq!((found[0].status, found[0].id.as_str()), (expected, "CVE-2024-0001"), "{version} {record:?}");
    }
}

#[test]
fn advisories_of_one_vulnerability_become_one_finding() {
    let date = "2024-01-02".parse().ok();
    let dsa = |id: &str, version: &str| Advisory {
        aliases: vec!["CVE-2024-0001".to_owned(), "DEBIAN-CVE-2024-0001".to_owned(), "CVE-2024-0002".to_owned()],
        published: date,
        ..advisory(Feed::Dsa, id, fixed(version))
    };
    let osv = Advisory {
        aliases: vec!["CVE-2024-0001".to_owned(), "GHSA-x".to_owned()],
        ..advisory(Feed::Osv, "DEBIAN-CVE-2024-0001", fixed("1-2"))
    };
    // Of two advisories the higher version repairs it.
    let two = found("1-2", &[dsa("DSA-1-1", "1-2"), dsa("DSA-1-2", "1-3")]);
    let told: Vec<_> = two.iter().map(|f| (f.id.as_str(), f.status, f.fixed.as_deref(), f.fix_available)).collect();
    let expected = |id| (id, Status::Fixed, Some("1-3"), date);
    assert_eq!(told, [expected("CVE-2024-0001"), expected("CVE-2024-0002")]);
    assert_eq!(two[0].aliases, BTreeSet::from(["DSA-1-1".to_owned(), "DSA-1-2".to_owned()]));
    assert_eq!(two[0].ratings, []);

    // What the tracker has of the CVE counts before lists of advisories, which do not know of point releases.
    let all = found("1-2", &[dsa("DSA-1-2", "1-3"), osv.clone()]);
    assert_eq!(all[0].status, Status::Resolved);
    let aliases = ["DEBIAN-CVE-2024-0001", "DSA-1-2", "GHSA-x"].map(str::to_owned);
    assert_eq!(all[0].aliases, BTreeSet::from(aliases));
    assert_eq!(all[0].origins.len(), 2);
    let tracker = |state| advisory(Feed::Tracker, "CVE-2024-0001", state);
    assert_eq!(found("1-1", &[osv.clone(), tracker(State::NotAffected)])[0].status, Status::NotAffected);
    let not_there =
        find(&installed("1-1"), &[osv.clone(), tracker(State::NotAffected)], &mut |_| None, Available::NotAsked, false);
    assert_eq!(not_there, []);
    // OSV calls affected what is not determined; the tracker tells.
    let open = Advisory { state: State::Open, ..osv };
    assert_eq!(found("1-1", &[open, tracker(State::Undetermined)])[0].status, Status::UnderInvestigation);
    // A tracker from before the advisory.
    let old = found("1-1", &[tracker(State::Open), dsa("DSA-1-1", "1-2")]);
    assert_eq!((old[0].status, old[0].fixed.as_deref()), (Status::Fixed, Some("1-2")));
    assert_eq!(
        status("1-2", &[tracker(State::Open), Advisory { aliases: Vec::new(), ..dsa("CVE-2024-0001", "1-2") }]),
        Status::Affected
    );
}

#[test]
fn what_has_no_cve_keeps_its_name() {
    let found = found(
        "1-1",
        &[advisory(Feed::Dsa, "DSA-903-2", fixed("1-2")), advisory(Feed::Tracker, "TEMP-0000001-ABCDEF", State::Open)],
    );
    let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["DSA-903-2", "TEMP-0000001-ABCDEF"]);
}

#[test]
fn nothing_is_matched_by_less_than_release_source_and_version() {
    let open = advisory(Feed::Tracker, "CVE-2024-0001", State::Open);
    let other_release = Advisory { release: "trixie".to_owned(), ..open.clone() };
    let no_release = Advisory { release: String::new(), ..open.clone() };
    let other_source = Advisory { source: "libss".to_owned(), ..open.clone() };
    let all = [other_release, no_release, other_source];
    assert_eq!(found("1-1", &all), []);
    let nowhere = Installed { release: String::new(), ..installed("1-1") };
    assert_eq!(find(&nowhere, &all, &mut |_| None, Available::NotAsked, true), []);
}

#[test]
fn a_repair_is_to_be_had_where_the_suites_have_it() {
    let advisory = advisory(Feed::Tracker, "CVE-2024-0001", fixed("1-2"));
    let state = |version: &str, available| {
        find(&installed(version), std::slice::from_ref(&advisory), &mut |_| None, available, true)[0].fix_state
    };
    assert_eq!(state("1-1", Available::Newest("1-2")), FixState::InSuite);
    assert_eq!(state("1-1", Available::Newest("1-3")), FixState::InSuite);
    assert_eq!(state("1-1", Available::Newest("1-1")), FixState::Announced);
    assert_eq!(state("1-1", Available::Nothing), FixState::Announced);
    assert_eq!(state("1-1", Available::Newest("what")), FixState::Unchecked);
    assert_eq!(state("1-1", Available::NotAsked), FixState::Unchecked);
    assert_eq!(state("abc", Available::Newest("1-2")), FixState::None);
    let in_archive = |archive: &str| Advisory { archive: Some(archive.to_owned()), ..advisory.clone() };
    let told = |archive| {
        find(&installed("1-1"), &[in_archive(archive)], &mut |_| None, Available::NotAsked, true)[0].fix_state
    };
    assert_eq!([told("1-1"), told("1-2")], [FixState::Announced, FixState::InSuite]);
}

#[test]
fn facts_of_the_cve_and_debians_urgency_are_ratings() {
    let nvd = Rating { rater: Rater::NvdCvss, level: Some(Level::High), score: None, vector: None };
    let facts = CveFacts { ratings: vec![nvd.clone()], title: Some("a title".to_owned()), ..CveFacts::default() };
    let urgent = |urgency| Advisory { urgency, ..advisory(Feed::Tracker, "CVE-2024-0001", State::Open) };
    let mut asked = Vec::new();
    let mut cve = |id: &str| {
        asked.push(id.to_owned());
        Some(facts.clone())
    };
    let twice =
        [urgent(Some(Urgency::Unimportant)), Advisory { feed: Feed::Osv, ..urgent(Some(Urgency::Unimportant)) }];
    let twice = find(&installed("1-1"), &twice, &mut cve, Available::NotAsked, false);
    let debian = |level| Rating { rater: Rater::DebianUrgency, level, score: None, vector: None };
    assert_eq!(twice[0].ratings, [debian(Some(Level::Negligible)), nvd]);
    assert_eq!(twice[0].title.as_deref(), Some("a title"));
    assert_eq!(asked, ["CVE-2024-0001"]);
    assert_eq!(found("1-1", &[urgent(None)])[0].ratings, [debian(None)]);
}

/// Pairs in which the first is less or equal; data of others that dpkg agrees with.
const PAIRS: [&str; 2] = [
    include_str!("../../tests/data/versions/debian-versions.txt"),
    include_str!("../../tests/data/versions/generated.txt"),
];

#[test]
fn versions_are_ordered_as_dpkg_orders_them() {
    let mut compared = 0;
    for line in PAIRS.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
        let [a, sign, b] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let is_affected = |version: &str, repaired: &str| {
            let tracker = advisory(Feed::Tracker, "CVE-2024-0001", fixed(repaired));
            let osv =
                advisory(Feed::Osv, "CVE-2024-0001", ranges(&[Range::Below("0".to_owned(), repaired.to_owned())], &[]));
            let affected = status(version, &[tracker]) == Status::Fixed;
            assert_eq!(status(version, &[osv]) == Status::Fixed, affected, "{line}");
            affected
        };
        let expected = match sign {
            "<" => (true, false),
            "=" => (false, false),
            ">" => (false, true),
            _ => panic!("{line}"),
        };
        assert_eq!((is_affected(a, b), is_affected(b, a)), expected, "{line}");
        compared += 1;
    }
    assert!(compared > 7000, "{compared}");
}

#[test]
fn the_source_version_is_what_is_compared() {
    // Binary packages whose version says something else than that of their source package.
    let traps = include_str!("../../tests/data/source-version-traps.tsv");
    let mut different = 0;
    for line in traps.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [suite, package, version, source, source_version] = fields[..] else { panic!("{line}") };
        let repaired = Advisory {
            release: suite.to_owned(),
            source: source.to_owned(),
            ..advisory(Feed::Tracker, "CVE-2024-0001", fixed(source_version))
        };
        let installed = |source_version: &str| Installed {
            release: suite.to_owned(),
            source: source.to_owned(),
            source_version: source_version.to_owned(),
            packages: BTreeMap::from([(package.to_owned(), version.to_owned())]),
        };
        let found =
            find(&installed(source_version), std::slice::from_ref(&repaired), &mut |_| None, Available::NotAsked, true);
        assert_eq!(found[0].status, Status::Resolved, "{line}");
        // The package of the version before is found, whatever its binary packages say.
        let before =
            find(&installed(&format!("{source_version}~")), &[repaired], &mut |_| None, Available::NotAsked, true);
        assert_eq!((before[0].status, before[0].packages[package].as_str()), (Status::Fixed, version), "{line}");
        different += usize::from(version != source_version);
    }
    assert!(different > 500, "{different}");
}

#[test]
fn a_feed_that_ended_before_finds_nothing_of_what_came_after() {
    use crate::advisory::Item;
    use crate::feed::{self, FeedKind};
    use crate::release::Releases;

    let releases = Releases::embedded();
    let mut advisories: Vec<Advisory> = Vec::new();
    let dsa = include_bytes!("../../tests/data/lists/DSA.list").as_slice();
    let dla = include_bytes!("../../tests/data/lists/DLA.list").as_slice();
    for (kind, mut list) in [(FeedKind::Dsa, dsa), (FeedKind::Dla, dla)] {
        let mut take = |item| match item {
            Item::Advisory(advisory) if advisory.release == "buster" => advisories.push(advisory),
            _ => {}
        };
        feed::read(kind, &mut list, &releases, &mut take).unwrap();
    }
    let known: BTreeSet<&str> = advisories.iter().map(|advisory| advisory.id.as_str()).collect();
    let answers = include_bytes!("../../tests/data/osvdev-answers-debian10.json");
    let answers: serde_json::Value = serde_json::from_slice(answers).unwrap();
    let (mut packages, mut newer, mut resolved) = (0, 0, 0);
    for answer in answers["results"].as_array().unwrap() {
        let installed = Installed {
            release: "buster".to_owned(),
            source: answer["name"].as_str().unwrap().to_owned(),
            source_version: answer["version"].as_str().unwrap().to_owned(),
            packages: BTreeMap::new(),
        };
        assert_eq!(find(&installed, &advisories, &mut |_| None, Available::NotAsked, false), [], "{answer}");
        resolved += find(&installed, &advisories, &mut |_| None, Available::NotAsked, true).len();
        for vulnerability in answer["vulns"].as_array().unwrap() {
            // What the service has found since was published later.
            assert!(!known.contains(vulnerability["id"].as_str().unwrap()), "{vulnerability}");
            newer += 1;
        }
        packages += 1;
    }
    assert_eq!((packages, newer), (93, 31));
    assert!(resolved > 50, "{resolved}");
}

#[test]
fn an_update_of_an_update_is_of_the_cves_that_anybody_knows_of_it() {
    let later = advisory(Feed::Osv, "DSA-1-2", fixed("3"));
    let alone: Vec<String> = found("1", std::slice::from_ref(&later)).into_iter().map(|finding| finding.id).collect();
    assert_eq!(alone, ["DSA-1-2"]);
    let listed = Advisory { aliases: vec!["CVE-2024-0001".to_owned()], ..advisory(Feed::Dsa, "DSA-1-2", fixed("3")) };
    let both = found("1", &[later, listed]);
    assert_eq!(both.iter().map(|finding| finding.id.as_str()).collect::<Vec<_>>(), ["CVE-2024-0001"]);
    assert_eq!((both[0].origins.len(), both[0].fixed.as_deref()), (2, Some("3")));
}
