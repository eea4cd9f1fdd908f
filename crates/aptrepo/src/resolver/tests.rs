use std::collections::{BTreeMap, BTreeSet};

use distil_debunpack::{PackageName, RelationField, Version};

use super::sample::{controls, index, offered, universe};
use super::{
    Because, DeadEnd, Offered, Origin, PlatformsError, Reason, Resolution, Universe, Unresolvable, Wanted, Why,
    resolve, resolve_platforms, why,
};
use crate::Request;

fn wanted(requests: &str) -> Wanted {
    let requests = requests.split(", ").filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
    Wanted { requests, ..Wanted::default() }
}

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn names(texts: &[&str]) -> BTreeSet<PackageName> {
    texts.iter().map(|text| name(text)).collect()
}

/// The set as `NAME=VERSION`, or why there is none.
fn said(found: &Result<Resolution, Unresolvable>) -> String {
    match found {
        Ok(found) => found.packages.iter().map(|p| format!("{}={}", p.name, p.version)).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    }
}

fn check(lines: &[&str], requests: &str, expected: &str) {
    let index = index(lines);
    let found = resolve(&universe(&[offered("stable", &index)]), &wanted(requests));
    assert_eq!(said(&found), expected, "{requests} of {lines:?}");
}

#[test]
fn depends_and_pre_depends_bring_packages_in() {
    check(
        &[
            "aa 1 ; Depends: bb (>= 2), cc ; Pre-Depends: dd",
            "bb 1",
            "bb 2",
            "bb 3",
            "cc 1 ; Depends: aa",
            "dd 1",
            "ee 1",
        ],
        "aa",
        "aa=1 bb=3 cc=1 dd=1",
    );
}

#[test]
fn the_first_alternative_is_taken_unless_another_is_there_anyway() {
    check(&["aa 1 ; Depends: bb | cc", "bb 1", "cc 1"], "aa", "aa=1 bb=1");
    check(&["aa 1 ; Depends: bb | cc", "bb 1", "cc 1"], "aa, cc", "aa=1 cc=1");
    check(&["aa 1 ; Depends: bb | cc", "cc 1"], "aa", "aa=1 cc=1");
    check(&["aa 1 ; Depends: bb (>= 2) | cc", "bb 1", "cc 1"], "aa", "aa=1 cc=1");
    check(&["aa 1 ; Depends: bb | cc", "bb 1 ; Depends: missing", "cc 1"], "aa", "aa=1 cc=1");
}

#[test]
fn a_choice_that_fails_later_is_taken_back() {
    // Depth first, bb comes in before dd, which does not bear it.
    check(&["aa 1 ; Depends: bb | cc, dd", "bb 1", "cc 1", "dd 1 ; Conflicts: bb"], "aa", "aa=1 cc=1 dd=1");
    // The newest bb does not go together with cc.
    check(&["aa 1 ; Depends: bb, cc", "bb 1", "bb 2", "cc 1 ; Breaks: bb (>= 2)"], "aa", "aa=1 bb=1 cc=1");
}

#[test]
fn virtual_packages_are_met_by_who_provides_them() {
    let lines = ["aa 1 ; Depends: mta", "mta 1", "bb 1 ; Provides: mta"];
    check(&lines, "aa", "aa=1 mta=1");
    check(
        &["aa 1 ; Depends: mta", "bb 1 ; Provides: mta", "cc 1 ; Provides: mta ; Priority: standard"],
        "aa",
        "aa=1 bb=1",
    );
    check(
        &["aa 1 ; Depends: mta", "bb 1 ; Provides: mta ; Priority: extra", "cc 1 ; Provides: mta ; Priority: standard"],
        "aa",
        "aa=1 cc=1",
    );
    // With all else equal, who was mentioned last.
    check(&["aa 1 ; Depends: mta", "bb 1 ; Provides: mta", "cc 1 ; Provides: mta"], "aa", "aa=1 cc=1");
    check(&["aa 1 ; Suggests: cc ; Depends: mta", "bb 1 ; Provides: mta", "cc 1 ; Provides: mta"], "aa", "aa=1 bb=1");
    // Only a version meets a version.
    check(&["aa 1 ; Depends: mta (>= 2)", "bb 1 ; Provides: mta", "cc 1 ; Provides: mta (= 2)"], "aa", "aa=1 cc=1");
    check(&["bb 1 ; Provides: mta"], "mta", "bb=1");
}

#[test]
fn conflicts_with_a_virtual_package_spare_the_package_itself() {
    let lines = ["aa 1 ; Provides: mta ; Conflicts: mta", "bb 1 ; Provides: mta ; Conflicts: mta", "cc 1"];
    check(&lines, "aa, cc", "aa=1 cc=1");
    check(&lines, "aa, bb", "aa conflicts with mta, which is bb here");
    // A Provides without a version is not hit by a version.
    check(&["aa 1 ; Breaks: mta (<< 2)", "bb 1 ; Provides: mta"], "aa, bb", "aa=1 bb=1");
    check(
        &["aa 1 ; Breaks: mta (<< 2)", "bb 1 ; Provides: mta (= 1)"],
        "aa, bb",
        "aa breaks mta (<< 2), which is bb here",
    );
}

#[test]
fn replaces_and_essential_say_nothing() {
    check(&["aa 1 ; Replaces: bb", "bb 1", "cc 1 ; Essential: yes"], "aa, bb", "aa=1 bb=1");
}

#[test]
fn qualifiers_name_what_serves() {
    let python = "py 3 ; Multi-Arch: allowed";
    check(&["aa 1 ; Depends: py:any", python], "aa", "aa=1 py=3");
    check(&["aa 1 ; Depends: py:amd64 (>= 3)", "py 3 ; Architecture: all"], "aa", "aa=1 py=3");
    check(&["aa 1 ; Depends: py:any", "py 3"], "aa", "aa depends on py:any; only py 3 (stable) is offered");
    check(&["aa 1 ; Depends: py:arm64", "py 3"], "aa", "aa depends on py:arm64; only py 3 (stable) is offered");
    check(&["py 3 ; Architecture: arm64"], "py", "no package is called py");
}

#[test]
fn requests_choose_versions_and_suites() {
    let old = index(&["aa 1.2.3 ; Depends: bb", "bb 1"]);
    let new = index(&["aa 1.3.0 ; Depends: bb", "bb 2"]);
    let both = [Offered { suite: "oldstable", codename: Some("bookworm"), index: &old }, offered("stable", &new)];
    let universe = universe(&both);
    for (requests, expected) in [
        ("aa", "aa=1.3.0 bb=2"),
        ("aa=1.2.*", "aa=1.2.3 bb=2"),
        ("aa<<1.3", "aa=1.2.3 bb=2"),
        ("aa/bookworm", "aa=1.2.3 bb=2"),
        ("aa/oldstable, bb=1", "aa=1.2.3 bb=1"),
        ("aa:amd64", "aa=1.3.0 bb=2"),
        ("aa:arm64", "aa is for arm64, not for amd64"),
        ("aa=2*", "aa=2* is asked for, but only aa 1.2.3 (oldstable), aa 1.3.0 (stable) are offered"),
        ("aa/sid", "aa/sid is asked for, but the suites are bookworm, oldstable, stable"),
        ("ab", "no package is called ab (near: aa, bb)"),
        (
            "aa=1.2*, aa=1.3*",
            "aa=1.2* is asked for, but only aa 1.2.3 (oldstable), aa 1.3.0 (stable) are offered; \
          aa=1.3* is asked for, but only aa 1.2.3 (oldstable), aa 1.3.0 (stable) are offered",
        ),
    ] {
        assert_eq!(said(&resolve(&universe, &wanted(requests))), expected, "{requests}");
    }
}

#[test]
fn what_a_repository_says_of_itself_does_not_steer_a_terminal() {
    let index = index(&["aa 1"]);
    let indices = [Offered { suite: "stable", codename: Some("\u{1b}[2J"), index: &index }];
    let found = said(&resolve(&universe(&indices), &wanted("aa/sid")));
    assert_eq!(found, "aa/sid is asked for, but the suites are \\x1b[2J, stable");
}

#[test]
fn of_equal_versions_the_first_source_wins() {
    let (first, second) = (index(&["aa 1 ; Depends: bb", "bb 1"]), index(&["aa 1"]));
    for (order, expected) in [([&first, &second], "aa=1 bb=1"), ([&second, &first], "aa=1")] {
        let both = order.map(|index| offered("stable", index));
        assert_eq!(said(&resolve(&universe(&both), &wanted("aa"))), expected);
    }
}

#[test]
fn failures_are_told_from_the_request_on() {
    check(
        &["aa 1 ; Depends: bb", "bb 1 ; Depends: cc (>= 2)", "cc 1.5"],
        "aa",
        "aa depends on bb, bb depends on cc (>= 2); only cc 1.5 (stable) is offered",
    );
    check(&["aa 1 ; Depends: bb"], "aa", "aa depends on bb; no package has or provides that name");
    check(
        &["aa 1 ; Depends: bb, cc", "bb 1", "cc 1 ; Conflicts: bb"],
        "aa",
        "aa depends on cc; cc conflicts with bb, and aa depends on bb",
    );
    check(
        &["aa 1 ; Depends: cc (= 1)", "bb 1 ; Depends: cc (= 2)", "cc 1", "cc 2"],
        "aa, bb",
        "bb depends on cc (= 2); that is cc 2, but cc 1 is needed: aa depends on cc (= 1)",
    );
    check(
        &["aa 1 ; Depends: bb (>> 1", "bb 1"],
        "aa",
        "aa 1 has a field Depends that cannot be understood: relation \"bb (>> 1\": ( does not close, or is empty",
    );
    check(&["mta 1 ; Provides: xx", "mtb 1 ; Provides: xx"], "xx", "xx is a virtual package, provided by mta, mtb");
    check(
        &["aa 1 ; Depends: bb | cc", "bb 1 ; Depends: missing", "cc 1 ; Breaks: aa"],
        "aa",
        "aa depends on bb | cc; [bb depends on missing; no package has or provides that name] [cc breaks aa]",
    );
}

#[test]
fn choices_that_exclude_each_other_are_named_together() {
    // Three wish for two seats: no single need is to blame.
    let lines = [
        "aa 1 ; Depends: s1 | s2",
        "bb 1 ; Depends: t1 | t2",
        "cc 1 ; Depends: u1 | u2",
        "dd 1",
        "s1 1 ; Conflicts: t1, u1",
        "s2 1 ; Conflicts: t2, u2",
        "t1 1 ; Conflicts: u1",
        "t2 1 ; Conflicts: u2",
        "u1 1",
        "u2 1",
    ];
    let index = index(&lines);
    let error = resolve(&universe(&[offered("stable", &index)]), &wanted("aa, dd, bb, cc")).unwrap_err();
    assert_eq!(error.reasons, [Reason::Together { wanted: vec!["aa".into(), "bb".into(), "cc".into()] }]);
    assert_eq!(error.to_string(), "aa and bb and cc cannot be installed together");
}

#[test]
fn explanations_of_large_sets_end() {
    // Every package needs every one behind it, and has two ways to do so; one thing is missing at the very end.
    let line = |n: usize| {
        let needs: Vec<String> = (n + 1..40).map(|m| format!("p{m:02} | q{m:02}")).collect();
        ["p", "q"].map(|letter| format!("{letter}{n:02} 1 ; Depends: {}", needs.join(", ")))
    };
    let mut lines: Vec<String> = (0..39).flat_map(line).collect();
    lines.extend(["p39 1 ; Depends: missing".into(), "q39 1 ; Depends: missing".into()]);
    let index = index(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let error = resolve(&universe(&[offered("stable", &index)]), &wanted("p00")).unwrap_err();
    assert!(matches!(&error.reasons[..], [Reason::Chain(_)]), "{error}");
}

#[test]
fn what_the_base_holds_cannot_be_excluded() {
    let (index, base) = (index(&["bb 1 ; Depends: aa"]), controls(&["aa 1"]));
    let indices = [offered("stable", &index)];
    let universe = Universe { base: &base, ..universe(&indices) };
    let found = resolve(&universe, &Wanted { exclude: names(&["aa"]), ..wanted("bb") }).unwrap();
    assert_eq!(found.unused_excludes, [name("aa")]);
    assert_eq!(said(&Ok(found)), "aa=1 bb=1");
}

#[test]
fn what_is_excluded_counts_as_there() {
    let index = index(&[
        "aa 1 ; Depends: perl, bb | cc, awk",
        "bb 1",
        "cc 1",
        "perl 5",
        "mawk 1 ; Provides: awk ; Priority: required",
        "gawk 1 ; Provides: awk ; Priority: optional",
    ]);
    let indices = [offered("stable", &index)];
    let excluding = |excluded: &[&str], requests| {
        let found = resolve(&universe(&indices), &Wanted { exclude: names(excluded), ..wanted(requests) });
        let unused =
            found.as_ref().map_or(Vec::new(), |found| found.unused_excludes.iter().map(ToString::to_string).collect());
        (said(&found), unused.join(" "))
    };
    let unused = |text: &str, unused: &str| (text.to_owned(), unused.to_owned());
    assert_eq!(excluding(&["perl"], "aa"), unused("aa=1 bb=1 mawk=1", ""));
    assert_eq!(excluding(&["perl", "mawk"], "aa"), unused("aa=1 bb=1", ""));
    // What would not have come in is no use: the choice stays as it is.
    assert_eq!(excluding(&["cc", "gawk"], "aa"), unused("aa=1 bb=1 mawk=1 perl=5", "cc gawk"));
    assert_eq!(excluding(&["bb"], "aa"), unused("aa=1 mawk=1 perl=5", ""));
    assert_eq!(excluding(&["aa"], "aa").0, "aa is both asked for and excluded");
    // Also what no source has can be excluded.
    let index = super::sample::index(&["aa 1 ; Depends: nowhere (>= 3)"]);
    let found =
        resolve(&universe(&[offered("stable", &index)]), &Wanted { exclude: names(&["nowhere"]), ..wanted("aa") });
    assert_eq!(said(&found), "aa=1");
}

#[test]
fn recommends_come_in_where_they_can() {
    let index = index(&[
        "aa 1 ; Recommends: bb, cc, missing ; Depends: dd",
        "bb 1 ; Recommends: ee",
        "cc 1 ; Conflicts: dd",
        "dd 1",
        "ee 1",
    ]);
    let indices = [offered("stable", &index)];
    assert_eq!(said(&resolve(&universe(&indices), &wanted("aa"))), "aa=1 dd=1");
    let found = resolve(&universe(&indices), &Wanted { recommends: true, ..wanted("aa") });
    assert_eq!(said(&found), "aa=1 bb=1 dd=1 ee=1");
}

#[test]
fn local_packages_take_part_and_come_first() {
    let index = index(&["aa 2", "bb 1 ; Depends: aa", "cc 1"]);
    let local = controls(&["aa 1 ; Depends: cc"]);
    let indices = [offered("stable", &index)];
    let universe = Universe { local: &local, ..universe(&indices) };
    let found = resolve(&universe, &wanted("bb")).unwrap();
    assert_eq!(said(&Ok(found.clone())), "aa=1 bb=1 cc=1");
    assert_eq!((&found.packages[0].origin, &found.packages[0].because), (&Origin::Local(0), &Because::Local));
    // Two files of one package cannot both be installed.
    let local = controls(&["aa 1", "aa 1.1"]);
    let error = resolve(&Universe { local: &local, ..universe.clone() }, &wanted("")).unwrap_err();
    assert!(
        matches!(&error.reasons[..], [Reason::Chain(chain)] if matches!(chain.end, DeadEnd::OtherVersion { .. })),
        "{error:?}"
    );
    let local = controls(&["aa 1 ; Architecture: arm64"]);
    let error = resolve(&Universe { local: &local, ..universe }, &wanted("")).unwrap_err();
    assert_eq!(error.to_string(), "aa is for arm64, not for amd64");
}

#[test]
fn the_base_neither_changes_nor_goes() {
    let index = index(&[
        "aa 2",
        "bb 1 ; Depends: aa",
        "cc 1 ; Depends: aa (>= 2)",
        "dd 1 ; Conflicts: aa",
        "mtb 1 ; Provides: mta",
        "ee 1 ; Depends: mta",
    ]);
    // That something of the base lacks what it needs, and conflicts with something else there, is past.
    let base = controls(&["aa 1 ; Depends: missing", "mtc 1 ; Provides: mta ; Conflicts: aa ; Breaks: ff"]);
    let indices = [offered("stable", &index)];
    let universe = Universe { base: &base, ..universe(&indices) };
    for (requests, expected) in [
        ("", "aa=1 mtc=1"),
        ("bb", "aa=1 bb=1 mtc=1"),
        ("ee", "aa=1 ee=1 mtc=1"),
        ("cc", "cc depends on aa (>= 2); only aa 1 (base) is offered"),
        ("dd", "dd conflicts with aa"),
    ] {
        assert_eq!(said(&resolve(&universe, &wanted(requests))), expected, "{requests}");
    }
}

#[test]
fn an_older_choice_is_kept_where_it_can_be() {
    let index =
        index(&["aa 1", "aa 2", "bb 1 ; Depends: cc | dd", "bb 2 ; Depends: aa (>= 2), cc | dd", "cc 1", "dd 1"]);
    let indices = [offered("stable", &index)];
    let keeping = |kept: &[(&str, &str)], requests| {
        let keep = kept.iter().map(|(n, version)| (name(n), version.parse().unwrap())).collect();
        said(&resolve(&universe(&indices), &Wanted { keep, ..wanted(requests) }))
    };
    assert_eq!(keeping(&[], "aa, bb"), "aa=2 bb=2 cc=1");
    assert_eq!(keeping(&[("aa", "1"), ("bb", "1"), ("dd", "1")], "aa, bb"), "aa=1 bb=1 dd=1");
    assert_eq!(keeping(&[("aa", "1"), ("bb", "1")], "aa, bb>=2"), "aa=2 bb=2 cc=1");
    // What is offered no longer is let go.
    assert_eq!(keeping(&[("aa", "0.9")], "aa"), "aa=2");
}

#[test]
fn platforms_have_the_same_source_versions() {
    let amd64 = index(&["aa 3 ; Source: src", "aa 2+b1 ; Source: src (2)", "bb 1"]);
    let arm64 = index(&["aa 2 ; Architecture: arm64 ; Source: src", "bb 1+b2 ; Architecture: arm64 ; Source: bb (1)"]);
    let (amd64, arm64) = ([offered("stable", &amd64)], [offered("stable", &arm64)]);
    let on = |architecture: &str, indices| {
        let architecture = architecture.parse().unwrap();
        (Universe { architecture, indices, local: &[], base: &[] }, wanted("aa, bb"))
    };
    let found = resolve_platforms(&[on("amd64", &amd64), on("arm64", &arm64)]).unwrap();
    let said: Vec<String> = found.into_iter().map(|found| said(&Ok(found))).collect();
    assert_eq!(said, ["aa=2+b1 bb=1", "aa=2 bb=1+b2"]);

    let behind = index(&["aa 1 ; Architecture: arm64 ; Source: src", "bb 1 ; Architecture: arm64"]);
    let behind = [offered("stable", &behind)];
    let error = resolve_platforms(&[on("amd64", &amd64), on("arm64", &behind)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source package src has no version that all platforms can have: 3 on amd64, 1 on arm64"
    );
    let empty = index(&["bb 1 ; Architecture: arm64"]);
    let empty = [offered("stable", &empty)];
    let error = resolve_platforms(&[on("amd64", &amd64), on("arm64", &empty)]).unwrap_err();
    assert!(matches!(error, PlatformsError::Unresolvable { architecture, .. } if architecture.as_str() == "arm64"));
}

#[test]
fn why_tells_the_shortest_way() {
    let index = index(&[
        "aa 1 ; Depends: bb, dd",
        "bb 1 ; Depends: cc",
        "cc 1 ; Depends: dd (>= 1)",
        "dd 1 ; Recommends: ee",
        "ee 1",
        "ff 1 ; Provides: gg",
    ]);
    let indices = [offered("stable", &index)];
    let (universe, wanted) = (universe(&indices), Wanted { exclude: names(&["cc"]), ..wanted("aa, ff") });
    let found = resolve(&universe, &wanted).unwrap();
    let links = |links: &[super::Link]| links.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let Why::Chosen { start, links: way, dependents } = why(&universe, &wanted, &found, &name("dd")) else { panic!() };
    assert_eq!((start, links(&way)), (Because::Requested(0), "aa depends on dd".to_owned()));
    assert_eq!(links(&dependents), "aa depends on dd");
    let Why::Chosen { start: Because::Requested(1), links: way, .. } = why(&universe, &wanted, &found, &name("ff"))
    else {
        panic!()
    };
    assert!(way.is_empty());
    let Why::Excluded { dependents } = why(&universe, &wanted, &found, &name("cc")) else { panic!() };
    assert_eq!(links(&dependents), "bb depends on cc");
    let Why::Absent { mentions, providers } = why(&universe, &wanted, &found, &name("ee")) else { panic!() };
    assert_eq!((links(&mentions), providers), ("dd recommends ee".to_owned(), vec![]));
    let Why::Absent { providers, .. } = why(&universe, &wanted, &found, &name("gg")) else { panic!() };
    assert_eq!(providers, [name("ff")]);
}

#[test]
fn a_deep_chain_ends() {
    let lines: Vec<String> =
        (0..1000).map(|n| format!("p{n:04} 1 ; Depends: p{:04}", n + 1)).chain(["p1000 1".into()]).collect();
    let index = index(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let found = resolve(&universe(&[offered("stable", &index)]), &wanted("p0000")).unwrap();
    assert_eq!(found.packages.len(), 1001);
    // The same without an end.
    let index = super::sample::index(&lines[..1000].iter().map(String::as_str).collect::<Vec<_>>());
    let error = resolve(&universe(&[offered("stable", &index)]), &wanted("p0000")).unwrap_err();
    assert!(
        matches!(&error.reasons[..], [Reason::Chain(chain)] if matches!(chain.end, DeadEnd::Missing { .. })),
        "{error}"
    );
}

/// The solver is complete and right: whatever it says of small random universes, trying all sets says so, too.
mod complete {
    use distil_debunpack::Relations;
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 5] = ["aa", "bb", "cc", "dd", "ee"];

    #[derive(Debug, Clone)]
    struct Package {
        name: &'static str,
        version: String,
        depends: String,
        conflicts: String,
        provides: String,
    }

    fn relation() -> impl Strategy<Value = String> {
        let name = prop::sample::select(&["aa", "bb", "cc", "dd", "ee", "vv"][..]);
        let bound = prop::sample::select(&["", "", " (>= 2)", " (<< 2)", " (= 1)"][..]);
        (name, bound).prop_map(|(name, bound)| format!("{name}{bound}"))
    }

    fn package() -> impl Strategy<Value = Package> {
        let group = prop::collection::vec(relation(), 1..3).prop_map(|group| group.join(" | "));
        let depends = prop::collection::vec(group, 0..3).prop_map(|groups| groups.join(", "));
        let conflicts = prop::collection::vec(relation(), 0..2).prop_map(|relations| relations.join(", "));
        let provides = prop::sample::select(&["", "", "vv", "vv (= 1)", "vv (= 2)", "aa (= 2)"][..]);
        (prop::sample::select(&NAMES[..]), 1..3_u8, depends, conflicts, provides).prop_map(
            |(name, version, depends, conflicts, provides)| Package {
                name,
                version: version.to_string(),
                depends,
                conflicts,
                provides: provides.to_owned(),
            },
        )
    }

    /// dpkg's rules, as the manual has them: nothing of the resolver is used.
    fn is_met(relation: &distil_debunpack::Relation, by: &Package) -> bool {
        let version: Version = by.version.parse().unwrap();
        let itself = relation.package.as_str() == by.name
            && relation.constraint.as_ref().is_none_or(|bound| bound.allows(&version));
        let provides: Relations = by.provides.parse().unwrap();
        itself
            || provides.groups().iter().any(|group| {
                let given = &group.alternatives()[0];
                given.package == relation.package
                    && match (&relation.constraint, &given.constraint) {
                        (None, _) => true,
                        (Some(bound), Some(given)) => bound.allows(&given.version),
                        (Some(_), None) => false,
                    }
            })
    }

    fn is_consistent(set: &[&Package]) -> bool {
        set.iter().all(|package| {
            let depends: Relations = package.depends.parse().unwrap();
            let conflicts: Relations = package.conflicts.parse().unwrap();
            let met = depends.groups().iter().all(|group| {
                group.alternatives().iter().any(|relation| set.iter().any(|other| is_met(relation, other)))
            });
            met && !conflicts.groups().iter().any(|group| {
                set.iter().any(|other| other.name != package.name && is_met(&group.alternatives()[0], other))
            })
        })
    }

    /// Every way to have each name in one of its versions or not at all.
    fn sets(packages: &[Package]) -> Vec<Vec<&Package>> {
        let mut sets = vec![Vec::new()];
        for name in NAMES {
            let versions: Vec<&Package> = packages.iter().filter(|package| package.name == name).collect();
            let mut more = Vec::new();
            for version in versions {
                more.extend(sets.iter().map(|set: &Vec<&Package>| [set.as_slice(), &[version]].concat()));
            }
            sets.extend(more);
        }
        sets
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn the_solver_agrees_with_trying_all_sets(packages in prop::collection::vec(package(), 1..9)) {
            let mut packages = packages;
            packages.sort_by(|a, b| (a.name, &a.version).cmp(&(b.name, &b.version)));
            packages.dedup_by(|a, b| (a.name, &a.version) == (b.name, &b.version));
            let lines: Vec<String> = packages.iter().map(|p| {
                format!("{} {} ; Depends: {} ; Conflicts: {} ; Provides: {}", p.name, p.version, p.depends, p.conflicts, p.provides)
            }).collect();
            let index = index(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let indices = [offered("stable", &index)];
            let universe = universe(&indices);
            let present: BTreeSet<&str> = packages.iter().map(|package| package.name).collect();
            let present: Vec<&str> = present.into_iter().collect();
            for count in 1..=2_usize.min(present.len()) {
                let asked = &present[..count];
                let possible = sets(&packages).iter().any(|set| {
                    asked.iter().all(|name| set.iter().any(|p| p.name == *name)) && is_consistent(set)
                });
                match resolve(&universe, &wanted(&asked.join(", "))) {
                    Ok(found) => {
                        let chosen: Vec<&Package> = found.packages.iter().map(|chosen| {
                            packages.iter().find(|p| p.name == chosen.name.as_str() && p.version == chosen.version.as_str()).unwrap()
                        }).collect();
                        prop_assert!(is_consistent(&chosen), "{chosen:?}");
                        prop_assert!(asked.iter().all(|name| chosen.iter().any(|p| p.name == *name)));
                    }
                    Err(error) => {
                        prop_assert!(!possible, "{error}");
                        prop_assert!(!error.reasons.is_empty() && !error.to_string().is_empty());
                    }
                }
            }
        }
    }
}

#[test]
fn limits_rule_newer_sources_out() {
    let index = index(&["aa 1 ; Source: src", "aa 2 ; Source: src", "bb 1 ; Depends: aa (>= 2)"]);
    let indices = [offered("stable", &index)];
    let limits: BTreeMap<PackageName, Version> = [(name("src"), "1".parse().unwrap())].into();
    let limited =
        |requests| said(&resolve(&universe(&indices), &Wanted { limits: limits.clone(), ..wanted(requests) }));
    assert_eq!(limited("aa"), "aa=1");
    assert_eq!(
        limited("bb"),
        "bb depends on aa (>= 2); only aa 1 (stable), aa 2 (stable; not on all platforms) are offered"
    );
}

#[test]
fn requests_are_read_as_they_are_written() {
    for text in ["aa", "aa=1.2-3", "aa=1.2.*", "aa>=1:2", "aa<<3~", "aa/bookworm-updates", "aa:amd64=1/stable"] {
        assert_eq!(text.parse::<Request>().unwrap().to_string(), text);
    }
    for bad in ["", "a", "aa=", "aa==1", "aa>1", "aa=1 2", "aa/", "aa/b c", "aa:", "aa bb", "aa=*_", "aa-1=", "=1"] {
        assert!(bad.parse::<Request>().is_err(), "{bad:?}");
    }
    for (pattern, version, expected) in [
        ("1.*", "1.2", true),
        ("1.*", "1", false),
        ("*", "0", true),
        ("*2", "1.2", true),
        ("1*2*3", "1.2.2-3", true),
        ("1*1", "1", false),
        ("1*2*2", "1.2", false),
        ("1**2", "12", true),
        ("1.0", "1.00", false),
        ("2.36*", "1:2.36", false),
    ] {
        let request: Request = format!("aa={pattern}").parse().unwrap();
        assert_eq!(request.allows(&version.parse().unwrap()), expected, "{pattern} {version}");
    }
}

#[test]
fn fields_of_links_are_said_as_verbs() {
    assert_eq!(
        super::Link {
            package: "aa".into(),
            version: "1".parse().unwrap(),
            field: RelationField::PreDepends,
            relation: "bb".into()
        }
        .to_string(),
        "aa pre-depends on bb"
    );
}
