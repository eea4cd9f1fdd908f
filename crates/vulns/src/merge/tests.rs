use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::finding::Origin;
use crate::severity::{Level, Rating};

fn finding(id: &str, kind: OriginKind, status: Status) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: BTreeSet::new(),
        release: Some("bookworm".to_owned()),
        source: "ss".to_owned(),
        source_version: "1-1".to_owned(),
        packages: BTreeMap::from([("libss".to_owned(), "1-1".to_owned())]),
        status,
        fixed: (status == Status::Fixed).then(|| "1-2".to_owned()),
        fix_state: if status == Status::Fixed { FixState::Unchecked } else { FixState::None },
        ratings: Vec::new(),
        published: None,
        fix_available: None,
        kev: None,
        epss: None,
        title: None,
        origins: BTreeSet::from([Origin { kind, id: id.to_owned(), report: None }]),
        vex: Vec::new(),
    }
}

#[test]
fn what_is_the_same_is_one_with_every_origin() {
    let own = finding("CVE-2024-0001", OriginKind::Tracker, Status::NoDsa);
    let mut trivy = finding("CVE-2024-0001", OriginKind::Trivy, Status::Affected);
    trivy.packages = BTreeMap::from([("ss-tools".to_owned(), "1-1".to_owned())]);
    let osv =
        Finding { id: "DEBIAN-CVE-2024-0001".to_owned(), ..finding("x", OriginKind::OsvScanner, Status::Unknown) };
    let found = merge(vec![osv, trivy, own]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].status, found[0].origins.len(), found[0].packages.len()), (Status::NoDsa, 3, 2));
    assert_eq!(found[0].aliases, BTreeSet::from(["DEBIAN-CVE-2024-0001".to_owned()]));
    let mut other = [finding("CVE-2024-0001", OriginKind::Tracker, Status::NoDsa), found[0].clone(), found[0].clone()];
    other[1].source_version = "1-2".to_owned();
    other[2].source = "tt".to_owned();
    assert_eq!(merge(other.to_vec()).len(), 3);
}

#[test]
fn an_advisory_about_several_is_one_finding_for_each() {
    let mut dsa = finding("DSA-1-1", OriginKind::OsvScanner, Status::Fixed);
    dsa.aliases = ["CVE-2024-0002", "DEBIAN-CVE-2024-0002", "CVE-2024-0001"].map(str::to_owned).into();
    let found = merge(vec![dsa]);
    let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["CVE-2024-0001", "CVE-2024-0002"]);
    assert!(found.iter().all(|finding| finding.aliases == BTreeSet::from(["DSA-1-1".to_owned()])));
}

#[test]
fn a_repair_that_somebody_knows_counts_and_nothing_is_taken_back() {
    let statuses = |own: Status, report: Status| {
        let id = "CVE-2024-0001";
        merge(vec![finding(id, OriginKind::Tracker, own), finding(id, OriginKind::Grype, report)])[0].status
    };
    assert_eq!(statuses(Status::Affected, Status::Fixed), Status::Fixed);
    assert_eq!(statuses(Status::NoDsa, Status::WillNotFix), Status::NoDsa);
    assert_eq!(statuses(Status::Unknown, Status::Affected), Status::Unknown);
    assert_eq!(statuses(Status::UnderInvestigation, Status::Affected), Status::UnderInvestigation);
    assert_eq!(statuses(Status::Resolved, Status::Affected), Status::Affected);
    assert_eq!(statuses(Status::NotAffected, Status::Fixed), Status::Fixed);
}

#[test]
fn the_higher_of_two_repairs_is_what_repairs_it() {
    let with = |version: &str| Finding {
        fixed: Some(version.to_owned()),
        ..finding("CVE-2024-0001", OriginKind::Trivy, Status::Fixed)
    };
    assert_eq!(merge(vec![with("1-9"), with("1-10"), with("what")])[0].fixed.as_deref(), Some("1-10"));
}

#[test]
fn debians_own_word_counts_before_what_scanners_make_of_it() {
    let debian = |level| Rating { rater: Rater::DebianUrgency, level, score: None, vector: None };
    let vendor = Rating { rater: Rater::Vendor, ..debian(Some(Level::High)) };
    let mut own = finding("CVE-2024-0001", OriginKind::Tracker, Status::Affected);
    own.ratings = vec![debian(Some(Level::Negligible))];
    let mut trivy = finding("CVE-2024-0001", OriginKind::Trivy, Status::Fixed);
    trivy.ratings = vec![debian(Some(Level::Low)), vendor.clone()];
    assert_eq!(merge(vec![own.clone(), trivy.clone()])[0].ratings, [debian(Some(Level::Negligible)), vendor.clone()]);
    own.ratings.clear();
    assert_eq!(merge(vec![own, trivy])[0].ratings, [debian(Some(Level::Low)), vendor]);
}

prop_compose! {
    fn any_finding()(
        id in prop::sample::select(vec!["CVE-2024-0001", "DEBIAN-CVE-2024-0001", "CVE-2024-0002", "DSA-1-1"]),
        kind in prop::sample::select(vec![OriginKind::Tracker, OriginKind::Dsa, OriginKind::Trivy, OriginKind::Sarif]),
        status in prop::sample::select(vec![
            Status::Fixed, Status::Affected, Status::WillNotFix, Status::Unknown, Status::Resolved, Status::NotAffected,
        ]),
        aliases in prop::collection::btree_set(prop::sample::select(vec!["CVE-2024-0001", "CVE-2024-0002", "GHSA-x"]), 0..3),
        fixed in prop::option::of(prop::sample::select(vec!["1-2", "0:1-2", "1-10", "what"])),
        in_suite in any::<bool>(),
        title in prop::option::of(prop::sample::select(vec!["a", "b"])),
        epss in prop::option::of((0u8..3, 0u8..3)),
        kev in prop::option::of((1i8..4, prop::option::of(1i8..4), any::<bool>())),
        level in prop::option::of(prop::sample::select(vec![Level::Negligible, Level::Low, Level::High])),
        version in prop::sample::select(vec!["1-1", "1-2"]),
        day in prop::option::of(1i8..4),
    ) -> Finding {
        let date = |day| jiff::civil::date(2024, 1, day);
        Finding {
            aliases: aliases.into_iter().map(str::to_owned).collect(),
            packages: BTreeMap::from([("libss".to_owned(), version.to_owned())]),
            fixed: fixed.map(str::to_owned),
            fix_state: if in_suite && fixed.is_some() { FixState::InSuite } else { FixState::None },
            title: title.map(str::to_owned),
            epss: epss.map(|(score, percentile)| Epss { score: score.into(), percentile: percentile.into() }),
            kev: kev.map(|(added, due, ransomware)| Kev { added: date(added), due: due.map(date), ransomware }),
            ratings: vec![Rating { rater: Rater::DebianUrgency, level, score: None, vector: None }],
            published: day.map(date),
            ..finding(id, kind, status)
        }
    }
}

proptest! {
    #[test]
    fn the_order_in_which_they_come_does_not_matter(
        (all, shuffled) in prop::collection::vec(any_finding(), 0..8)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let merged = merge(all);
        prop_assert_eq!(&merged, &merge(shuffled));
        prop_assert_eq!(&merged, &merge(merged.clone()));
    }
}
