use proptest::prelude::*;

use super::*;
use crate::advisory::{Advisory, Feed, State, Urgency};
use crate::matching::{Available, Installed, find};
use crate::severity::{Level, Rater, Rating};
use crate::{SeverityOrder, merge};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reports/", $name)).as_slice()
    };
}

mod beside;

const TRIVY_BUSTER: &[u8] = data!("trivy/debian-buster.json");
const TRIVY_STRETCH: &[u8] = data!("trivy/debian-stretch.json");
const TRIVY_STATUSES: &[u8] = data!("trivy/dd-all_statuses.json");
const TRIVY_LEGACY: &[u8] = data!("trivy/dd-legacy_trivy_mix.json");
const TRIVY_NOTHING: &[u8] = data!("trivy/dd-scheme_2_no_vuln.json");
const TRIVY_DOCKERFILE: &[u8] = data!("trivy/dockerfile-misconfig.json");
const GRYPE_IMAGE: &[u8] = data!("grype/TestJsonImgsPresenter.json");
const GRYPE_FIELDS: &[u8] = data!("grype/dd-check_all_fields.json");
const GRYPE_MANY: &[u8] = data!("grype/dd-many_vulns4.json");
const GRYPE_EPSS: &[u8] = data!("grype/dd-many_vulns_with_epss_values.json");
const GRYPE_NOTHING: &[u8] = data!("grype/dd-no_vuln.json");
const OSV_SCANNER: &[u8] = data!("osv-scanner/some_findings.json");
const SARIF_DOCKLE: &[u8] = data!("sarif/dockle_0_3_15.sarif");
const SARIF_GRYPE: &[u8] = data!("sarif/grype-image.sarif");
const SARIF_NGINX: &[u8] = data!("sarif/nginx-trivy.sarif.json");
const SARIF_SUPPRESSED: &[u8] = data!("sarif/suppression_test.sarif");
const SARIF_ALPINE: &[u8] = data!("sarif/trivy-alpine-310.sarif");
const DOCKLE: &[u8] = data!("dockle/many_findings.json");

const ALL: [(&[u8], ReportKind, usize, usize); 17] = [
    (TRIVY_BUSTER, ReportKind::Trivy, 2, 0),
    (TRIVY_STRETCH, ReportKind::Trivy, 5, 0),
    (TRIVY_STATUSES, ReportKind::Trivy, 8, 0),
    (TRIVY_LEGACY, ReportKind::Trivy, 6, 2),
    (TRIVY_NOTHING, ReportKind::Trivy, 0, 0),
    (TRIVY_DOCKERFILE, ReportKind::Trivy, 0, 1),
    (GRYPE_IMAGE, ReportKind::Grype, 2, 1),
    (GRYPE_FIELDS, ReportKind::Grype, 6, 0),
    (GRYPE_MANY, ReportKind::Grype, 9, 0),
    (GRYPE_EPSS, ReportKind::Grype, 15, 0),
    (GRYPE_NOTHING, ReportKind::Grype, 0, 0),
    (OSV_SCANNER, ReportKind::OsvScanner, 1, 0),
    (SARIF_DOCKLE, ReportKind::Sarif, 0, 2),
    (SARIF_GRYPE, ReportKind::Sarif, 2, 1),
    (SARIF_NGINX, ReportKind::Sarif, 99, 1),
    (SARIF_SUPPRESSED, ReportKind::Sarif, 0, 3),
    (SARIF_ALPINE, ReportKind::Sarif, 4, 1),
];

/// What identifies a finding of a report.
fn pairs(report: &Report) -> BTreeSet<(String, String, String)> {
    let pair = |r: &Reported| {
        let (package, version) = r.finding.packages.first_key_value().unwrap();
        (r.finding.id.clone(), package.clone(), version.clone())
    };
    report.findings.iter().map(pair).collect()
}

#[test]
fn reports_of_every_kind_are_known_by_what_they_hold() {
    for (number, (bytes, kind, findings, notes)) in ALL.into_iter().enumerate() {
        let report = read(bytes).unwrap_or_else(|error| panic!("{number}: {error:?}"));
        let found = (report.kind, report.findings.len(), report.notes.len());
        assert_eq!(found, (kind, findings, notes), "{number}: {:#?}", report.notes);
    }
    assert!(matches!(read(DOCKLE), Err(ReportError::Unknown)));
    for (text, findings) in
        [("null", 0), (" [] ", 0), ("{\"Results\":null}", 0), ("{\"runs\":null}", 0), ("{\"matches\":null}", 0)]
    {
        assert_eq!(read(text.as_bytes()).unwrap().findings.len(), findings, "{text}");
    }
    let kinds = ["{\"runs\":[]}", "\u{feff}{\"matches\":[]}", "{\"SchemaVersion\":2}", "{\"results\":[]}"];
    let kinds = kinds.map(|text| read(text.as_bytes()).unwrap().kind);
    assert_eq!(kinds, [ReportKind::Sarif, ReportKind::Grype, ReportKind::Trivy, ReportKind::OsvScanner]);
}

#[test]
fn a_report_says_what_it_is_about() {
    let trivy = read(TRIVY_BUSTER).unwrap();
    assert_eq!(trivy.system, Some(ReportSystem { family: "debian".into(), version: "10.1".into() }));
    assert_eq!(trivy.created.map(|at| at.to_string()).as_deref(), Some("2021-08-25T12:20:30.000000005Z"));
    assert_eq!((trivy.version.as_deref(), trivy.target.is_some()), (Some("dev"), true));
    let grype = read(GRYPE_FIELDS).unwrap();
    assert_eq!(grype.system, Some(ReportSystem { family: "debian".into(), version: "10".into() }));
    assert_eq!((grype.version.as_deref(), grype.target.as_deref()), (Some("0.28.0"), Some("vulnerable-image:latest")));
    // Of the configuration, and of the manifest.
    let digests = [
        "sha256:ce9898fd214aef9c994a42624b09056bdce3ff4a8e3f68dc242d967b80fcbeee",
        "sha256:9d8825ab20ac86b40eb71495bece1608a302fb180384740697a28c2b0a5a0fc6",
    ];
    assert_eq!(grype.digests, digests.map(str::to_owned).into());
    let sarif = read(SARIF_NGINX).unwrap();
    let digest = "sha256:13d22ec63300e16014d4a42aed735207a8b33c223cff19627dd3042e5a10a3a0";
    assert_eq!(sarif.digests, BTreeSet::from([digest.to_owned()]));
    assert_eq!(sarif.tool.as_deref(), Some("Trivy"));
}

#[test]
fn trivys_words_are_kept() {
    let statuses: Vec<Status> = read(TRIVY_STATUSES).unwrap().findings.iter().map(|r| r.finding.status).collect();
    assert_eq!(
        statuses,
        [
            Status::Affected,
            Status::NotAffected,
            Status::Affected,
            Status::Fixed,
            Status::UnderInvestigation,
            Status::WillNotFix,
            Status::FixDeferred,
            Status::EndOfLife,
        ]
    );
    let report = read(TRIVY_STRETCH).unwrap();
    let fixed = &report.findings[1].finding;
    assert_eq!((fixed.status, fixed.fixed.as_deref()), (Status::Fixed, Some("1.43.4-2+deb9u1")));
    assert_eq!(fixed.aliases, BTreeSet::from(["DSA-4535-1".to_owned()]));
    assert_eq!(report.findings[1].kind.as_deref(), Some("deb"));
    let legacy = read(TRIVY_LEGACY).unwrap();
    assert_eq!(legacy.findings[0].kind.as_deref(), Some("npm"));
    assert_eq!(legacy.findings[0].finding.fixed.as_deref(), Some(">=4.17.11"));
    let cluster = r#"{"ClusterName":"c","Resources":[{"Results":[{"Class":"os-pkgs","Type":"debian","Packages":[
        {"Name":"libc6","Version":"2.36","Release":"9","SrcName":"glibc","SrcVersion":"2.36","SrcRelease":"9","SrcEpoch":1}],
        "Vulnerabilities":[{"VulnerabilityID":"CVE-2024-0001","PkgName":"libc6","InstalledVersion":"2.36-9",
        "FixedVersion":"2.36-1, 2:2.36-9"}]}]}]}"#;
    let cluster = read(cluster.as_bytes()).unwrap();
    let found = &cluster.findings[0];
    assert_eq!((cluster.target.as_deref(), found.names_source), (Some("c"), true));
    assert_eq!((found.finding.source.as_str(), found.finding.source_version.as_str()), ("glibc", "1:2.36-9"));
    assert_eq!(found.finding.fixed.as_deref(), Some("2:2.36-9"));
}

#[test]
fn grypes_words_are_kept() {
    let report = read(GRYPE_FIELDS).unwrap();
    let sources: Vec<&str> = report.findings.iter().map(|r| r.finding.source.as_str()).collect();
    assert_eq!(sources, ["krb5", "redis", "glibc", "glibc", "Django", "Django"]);
    // Debian calls it unimportant, and the NVD low.
    let ratings = &report.findings[0].finding.ratings;
    let told: Vec<(Rater, Option<Level>)> = ratings.iter().map(|rating| (rating.rater, rating.level)).collect();
    assert_eq!(told, [(Rater::DebianUrgency, Some(Level::Negligible)), (Rater::NvdCvss, Some(Level::Low))]);
    let epss = read(GRYPE_EPSS).unwrap().findings[0].finding.epss.clone().unwrap();
    assert!((epss.score - 0.0719).abs() < 1e-9 && (epss.percentile - 0.91123).abs() < 1e-9);
    let made = r#"{"matches":[{"vulnerability":{"id":"CVE-2024-0001","namespace":"debian:distro:debian:12","severity":"High",
        "fix":{"versions":["1.2"],"state":"wont-fix","available":[{"version":"1.2","date":"2024-05-06","kind":"advisory"}]},
        "knownExploited":[{"dateAdded":"2024-01-02T00:00:00Z","dueDate":"2024-01-23","knownRansomwareCampaignUse":"Known"}]},
        "relatedVulnerabilities":[{"id":"CVE-2024-0001","namespace":"nvd:cpe","cvss":[{"source":"nvd@nist.gov",
        "vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","metrics":{"baseScore":9.8}}]}],
        "artifact":{"name":"libx1","version":"1.1+b1","type":"deb","purl":"pkg:deb/debian/libx1@1.1%2Bb1?upstream=x%401.1"}}]}"#;
    let found = &read(made.as_bytes()).unwrap().findings[0];
    assert_eq!((found.finding.source.as_str(), found.finding.source_version.as_str()), ("x", "1.1"));
    assert_eq!(found.finding.status, Status::NoDsa);
    assert_eq!(found.finding.fix_available.map(|day| day.to_string()).as_deref(), Some("2024-05-06"));
    let kev = found.finding.kev.as_ref().unwrap();
    assert_eq!((kev.added.to_string().as_str(), kev.due.is_some(), kev.ransomware), ("2024-01-02", true, true));
    let told: Vec<(Rater, Option<Level>)> = found.finding.ratings.iter().map(|r| (r.rater, r.level)).collect();
    assert_eq!(told, [(Rater::DebianUrgency, Some(Level::High)), (Rater::NvdCvss, Some(Level::Critical))]);
}

#[test]
fn osv_scanner_names_source_packages() {
    let made = r#"{"results":[{"source":{"path":"image.tar"},"packages":[{"package":{"name":"glibc","version":"2.36-9",
        "ecosystem":"Debian:12"},"vulnerabilities":[{"id":"DEBIAN-CVE-2024-0001","upstream":["CVE-2024-0001"],
        "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected":[{"package":{"name":"glibc","ecosystem":"Debian:11"},"ranges":[{"events":[{"fixed":"2.31-13"}]}]},
        {"package":{"name":"glibc","ecosystem":"Debian:12"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"2.36-9+deb12u4"}]}],
        "ecosystem_specific":{"urgency":"unimportant"}}]}]}]},{"packages":[{"package":{"name":"glibc","version":"1",
        "ecosystem":"Root:Debian:12"},"vulnerabilities":[{"id":"X-1"},{"id":"X-2","withdrawn":"2024-01-01T00:00:00Z"}]}]}]}"#;
    let report = read(made.as_bytes()).unwrap();
    assert_eq!(report.system, Some(ReportSystem { family: "debian".into(), version: "12".into() }));
    let [found, other] = &report.findings[..] else { panic!("{:#?}", report.findings) };
    assert_eq!(found.finding.fixed.as_deref(), Some("2.36-9+deb12u4"));
    let told: Vec<(Rater, Option<u8>)> =
        found.finding.ratings.iter().map(|r| (r.rater, r.score.map(crate::Score::tenths))).collect();
    assert_eq!(told, [(Rater::DebianUrgency, None), (Rater::NvdCvss, Some(98))]);
    assert_eq!((found.kind.as_deref(), other.kind.as_deref()), (Some("deb"), Some("root")));
}

#[test]
fn sarif_and_json_of_one_image_find_the_same() {
    assert_eq!(pairs(&read(GRYPE_IMAGE).unwrap()), pairs(&read(SARIF_GRYPE).unwrap()));
    // Trivy's SARIF, in the form that it has for the image of the other sample.
    for bytes in [TRIVY_BUSTER, TRIVY_STRETCH] {
        let json = read(bytes).unwrap();
        let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let mut results = Vec::new();
        for found in document["Results"][0]["Vulnerabilities"].as_array().unwrap() {
            let field = |name: &str| found[name].as_str().unwrap_or_default();
            let id = field("VulnerabilityID");
            let text = format!(
                "Package: {}\nInstalled Version: {}\nVulnerability {id}\nSeverity: {}\nFixed Version: {}\nLink: [{id}](x)",
                field("PkgName"),
                field("InstalledVersion"),
                field("Severity"),
                field("FixedVersion"),
            );
            results.push(serde_json::json!({ "ruleId": id, "level": "note", "message": { "text": text } }));
        }
        let driver = serde_json::json!({ "name": "Trivy", "rules": [] });
        let sarif = serde_json::json!({ "runs": [{ "tool": { "driver": driver }, "results": results }] });
        let sarif = read(&serde_json::to_vec(&sarif).unwrap()).unwrap();
        assert_eq!(pairs(&json), pairs(&sarif));
        let fixed = |report: &Report| -> Vec<_> { report.findings.iter().map(|r| r.finding.fixed.clone()).collect() };
        assert_eq!(fixed(&json), fixed(&sarif));
    }
}

#[test]
fn sarif_may_have_anything() {
    let result = |id: &str, more: &str| format!(r#"{{"ruleId":"{id}"{more}}}"#);
    let text = r#","message":{"text":"Package: p\nInstalled Version: 1\nPackage: q"}"#;
    let suppressed = |status: &str| format!(r#"{text},"suppressions":[{{"kind":"external"{status}}}]"#);
    let results = [
        result("CVE-2024-0001-libc-bin", text),
        result("CVE-2024-0002", &suppressed("")),
        result("CVE-2024-0003", &suppressed(r#","status":"rejected""#)),
        result("CVE-2024-0004", ""),
        result("LINT-1", text),
        result("SNYK-DEBIAN12-GLIBC-1", text),
    ];
    let rules = r#"[{"id":"SNYK-DEBIAN12-GLIBC-1","properties":{"tags":["vulnerability"],"security-severity":9.1}}]"#;
    let driver = format!(r#"{{"driver":{{"name":"a <b>\u001b[31m","rules":{rules}}}}}"#);
    let runs = format!(r#"{{"runs":[{{}},{{"results":null}},{{"tool":{driver},"results":[{}]}}]}}"#, results.join(","));
    let report = read(runs.as_bytes()).unwrap();
    let found: Vec<_> = report.findings.iter().map(|r| (r.finding.id.as_str(), r.finding.source.as_str())).collect();
    assert_eq!(found, [("CVE-2024-0001", "p"), ("CVE-2024-0003", "p"), ("SNYK-DEBIAN12-GLIBC-1", "p")]);
    assert_eq!(report.findings[2].finding.ratings[0].level, Some(Level::Critical));
    assert_eq!(report.notes.len(), 4, "{:#?}", report.notes);
    assert!(report.notes.iter().all(|note| !note.contains('\u{1b}')));
}

/// A finding that Debian rates low and the NVD high, from everywhere.
fn everywhere() -> Vec<(&'static str, Finding, bool)> {
    let trivy = read(TRIVY_BUSTER).unwrap().findings.swap_remove(0).finding;
    let vector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H";
    let grype = format!(
        r#"{{"matches":[{{"vulnerability":{{"id":"CVE-2019-18276","namespace":"debian:distro:debian:10","severity":"Low"}},
        "relatedVulnerabilities":[{{"id":"CVE-2019-18276","namespace":"nvd:cpe","cvss":[{{"source":"nvd@nist.gov",
        "vector":"{vector}","metrics":{{"baseScore":7.8}}}}]}}],
        "artifact":{{"name":"bash","version":"5.0-4","type":"deb"}}}}]}}"#
    );
    let sarif = |help: &str, score: &str| {
        format!(
            r#"{{"runs":[{{"tool":{{"driver":{{"rules":[{{"id":"CVE-2019-18276-bash","help":{{"text":"{help}"}},
            "properties":{{"security-severity":"{score}"}}}}]}}}},"results":[{{"ruleId":"CVE-2019-18276-bash"}}]}}]}}"#
        )
    };
    let of_grype = "Vulnerability CVE-2019-18276\\nSeverity: low\\nPackage: bash\\nVersion: 5.0-4\\nFix Version: \\n\
                    Type: deb\\nData Namespace: debian:distro:debian:10";
    let of_trivy = "Vulnerability CVE-2019-18276\\nSeverity: LOW\\nPackage: bash\\nInstalled Version: 5.0-4";
    let advisory = Advisory {
        id: "CVE-2019-18276".to_owned(),
        aliases: Vec::new(),
        feed: Feed::Tracker,
        release: "buster".to_owned(),
        source: "bash".to_owned(),
        state: State::Open,
        urgency: Some(Urgency::Low),
        no_dsa: None,
        archive: None,
        published: None,
        title: None,
    };
    let installed = Installed {
        release: "buster".to_owned(),
        source: "bash".to_owned(),
        source_version: "5.0-4".to_owned(),
        packages: BTreeMap::new(),
    };
    let facts = crate::CveFacts {
        ratings: Rating::from_vector(Rater::NvdCvss, vector).into_iter().collect(),
        ..crate::CveFacts::default()
    };
    let own = find(&installed, &[advisory], &mut |_| Some(facts.clone()), Available::NotAsked, false).swap_remove(0);
    let first = |text: &str| read(text.as_bytes()).unwrap().findings.swap_remove(0).finding;
    vec![
        ("trivy", trivy, true),
        ("grype", first(&grype), true),
        ("grype's sarif", first(&sarif(of_grype, "7.8")), true),
        // Neither the NVD's score nor whose word it is can be told.
        ("trivy's sarif", first(&sarif(of_trivy, "2.0")), false),
        ("own", own, true),
    ]
}

#[test]
fn the_order_decides_whatever_the_form() {
    let debian_first = SeverityOrder::default();
    let nvd_first = SeverityOrder {
        order: vec![Rater::NvdCvss, Rater::CnaCvss, Rater::DebianUrgency, Rater::Vendor],
        ..SeverityOrder::default()
    };
    let own = everywhere().pop().unwrap().1;
    for (form, finding, has_score) in everywhere() {
        assert_eq!(debian_first.decide(&finding.ratings).level, Some(Level::Low), "{form}");
        let expected = if has_score { Level::High } else { Level::Low };
        assert_eq!(nvd_first.decide(&finding.ratings).level, Some(expected), "{form}");
        // Together with the database nothing is missing.
        let finding = Finding { release: own.release.clone(), ..finding };
        let merged = merge(vec![finding, own.clone()]);
        assert_eq!(merged.len(), 1, "{form}: {merged:#?}");
        let severity = debian_first.decide(&merged[0].ratings);
        assert_eq!((severity.level, severity.from), (Some(Level::Low), Some(Rater::DebianUrgency)), "{form}");
        let severity = nvd_first.decide(&merged[0].ratings);
        assert_eq!((severity.level, severity.from), (Some(Level::High), Some(Rater::NvdCvss)), "{form}");
    }
}

/// The packages of the image of Trivy's example, and what its own report needs to be put in their terms.
fn packages() -> BTreeMap<String, BinaryPackage> {
    let bytes = include_bytes!("../../tests/data/trivy-example/debian-buster.json");
    let packages: Vec<serde_json::Value> = serde_json::from_slice(bytes).unwrap();
    let version = |package: &serde_json::Value, prefix: &str| {
        let text = |name: &str| package[format!("{prefix}{name}")].as_str().map(str::to_owned);
        let epoch = package[format!("{prefix}Epoch")].as_u64().map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let revision = text("Release").map(|release| format!("-{release}")).unwrap_or_default();
        format!("{epoch}{}{revision}", text("Version").unwrap())
    };
    let package = |package: &serde_json::Value| {
        let source = package["SrcName"].as_str().unwrap().to_owned();
        let binary = BinaryPackage { version: version(package, ""), source, source_version: version(package, "Src") };
        (package["Name"].as_str().unwrap().to_owned(), binary)
    };
    packages.iter().map(package).collect()
}

#[test]
fn the_same_advisories_find_what_trivy_finds() {
    let advisories = include_str!("../../tests/data/trivy-example/advisories.debian.yaml");
    let document: serde_json::Value = serde_saphyr::from_str(advisories).unwrap();
    let buster = document.as_array().unwrap().iter().find(|bucket| bucket["bucket"] == "debian 10").unwrap();
    let mut all = Vec::new();
    for source in buster["pairs"].as_array().unwrap() {
        for pair in source["pairs"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            all.push(Advisory {
                id: text(&pair["key"]).unwrap(),
                aliases: Vec::new(),
                feed: Feed::Tracker,
                release: "buster".to_owned(),
                source: text(&source["bucket"]).unwrap(),
                state: text(&pair["value"]["FixedVersion"]).map_or(State::Open, State::Fixed),
                urgency: (pair["value"]["Severity"] == 1).then_some(Urgency::Low),
                no_dsa: None,
                archive: None,
                published: None,
                title: None,
            });
        }
    }
    let packages = packages();
    assert_eq!(packages.len(), 91);
    let mut sources: BTreeMap<(&str, &str), BTreeMap<String, String>> = BTreeMap::new();
    for (name, package) in &packages {
        let source = (package.source.as_str(), package.source_version.as_str());
        sources.entry(source).or_default().insert(name.clone(), package.version.clone());
    }
    let mut own = Vec::new();
    for ((source, source_version), packages) in sources {
        let installed = Installed {
            release: "buster".to_owned(),
            source: source.to_owned(),
            source_version: source_version.to_owned(),
            packages,
        };
        own.extend(find(&installed, &all, &mut |_| None, Available::NotAsked, false));
    }
    let told = resolve(&read(TRIVY_BUSTER).unwrap(), "trivy.json", &packages, Some(("buster", Some("10"))));
    assert_eq!(told.notes, Vec::<String>::new());
    let key = |finding: &Finding| {
        let Finding { id, source, source_version, release, packages, status, fixed, .. } = finding.clone();
        (id, source, source_version, release, packages, status, fixed)
    };
    assert_eq!(own.iter().map(key).collect::<Vec<_>>(), told.findings.iter().map(key).collect::<Vec<_>>());
    assert_eq!(own[1].source, "libidn2");
    let merged = merge(own.into_iter().chain(told.findings).collect());
    assert_eq!(merged.iter().map(|finding| finding.origins.len()).collect::<Vec<_>>(), [2, 2]);
    assert!(merged[0].origins.iter().any(|origin| origin.report.as_deref() == Some("trivy.json")));
}

#[test]
fn what_does_not_fit_the_image_is_told() {
    let told = resolve(&read(TRIVY_BUSTER).unwrap(), "r", &packages(), Some(("bookworm", Some("12"))));
    assert_eq!((told.notes.len(), &told.findings[0].release), (1, &None), "{:#?}", told.notes);
    let told = resolve(&read(TRIVY_STRETCH).unwrap(), "r", &packages(), Some(("stretch", Some("9"))));
    assert_eq!(told.notes.len(), 1, "{:#?}", told.notes);
    assert_eq!(told.findings[0].source_version, "4.4-5");
    // The name of a Python package is no Debian package.
    let told = resolve(&read(GRYPE_FIELDS).unwrap(), "r", &packages(), Some(("buster", Some("10"))));
    let redis = told.findings.iter().find(|finding| finding.source == "redis").unwrap();
    assert_eq!(redis.release, None);
}

#[test]
fn hostile_reports_are_refused_or_read_but_never_believed() {
    let deep = format!("{{\"runs\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(deep.as_bytes()), Err(ReportError::Json { .. })));
    let deep = format!("{{\"matches\":[],\"source\":{{\"target\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(deep.as_bytes()), Err(ReportError::Json { .. })));
    for wrong in [
        "{\"runs\":{}}",
        "{\"runs\":[{\"results\":5}]}",
        "{\"matches\":[null]}",
        "{\"matches\":[{\"vulnerability\":{\"id\":5},\"artifact\":{}}]}",
        "{\"SchemaVersion\":2,\"Results\":[{\"Vulnerabilities\":\"x\"}]}",
        "{\"SchemaVersion\":2,\"Results\":[{\"Vulnerabilities\":[{\"CVSS\":{\"nvd\":{\"V3Score\":\"9\"}}}]}]}",
        "{\"results\":[{\"packages\":[{}]}]}",
        "{\"runs\":[],\"runs\":[]}",
        "[1]",
        "{",
        "",
    ] {
        let error = read(wrong.as_bytes()).unwrap_err();
        let ReportError::Json { source, .. } = error else { panic!("{wrong}: {error:?}") };
        assert!(source.line() == 1 || wrong.is_empty(), "{wrong}: {source}");
    }
    let title = "x".repeat(2_000);
    let hostile = format!(
        r#"{{"SchemaVersion":2,"Results":[{{"Vulnerabilities":[{{"VulnerabilityID":"CVE-2024-0001","PkgName":"<script>",
        "InstalledVersion":"\u001b[31m","Title":"\n<img src=x onerror=alert(1)>{title}\nsecond",
        "CVSS":{{"nvd":{{"V3Score":1e308}}}},"PublishedDate":"é2024-01-01"}}]}}]}}"#
    );
    let found = &read(hostile.as_bytes()).unwrap().findings[0].finding;
    let title = found.title.as_deref().unwrap();
    assert!(title.starts_with("<img") && title.len() <= MAX_TITLE && !title.contains('\n'));
    assert_eq!((found.ratings.len(), found.published), (0, None));
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let large = vec![b' '; MAX_BYTES + 1];
    assert!(matches!(read(&large), Err(ReportError::TooLarge { .. })));
    let empty = format!("{{\"matches\":[{}{{}}]}}", "{},".repeat(MAX_OBJECTS));
    assert!(matches!(read(empty.as_bytes()), Err(ReportError::TooMany)));
    // Fifty megabytes of one text.
    let text = format!("{{\"matches\":[],\"x\":\"{}\"}}", "é".repeat(25 << 20));
    assert_eq!(read(text.as_bytes()).unwrap().findings, []);
    let one = "{\"vulnerability\":{\"id\":\"CVE-2024-0001\"},\"artifact\":{\"name\":\"a\"}},";
    let many = |count| format!("{{\"matches\":[{}]}}", one.repeat(count).trim_end_matches(','));
    assert_eq!(read(many(MAX_FINDINGS).as_bytes()).unwrap().findings.len(), MAX_FINDINGS);
    let refused = read(many(330_000).as_bytes());
    assert!(matches!(refused, Err(ReportError::TooManyFindings { found: 330_000 })));
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = read(&bytes);
    }

    #[test]
    fn reports_with_something_else_in_them_never_panic(
        number in 0..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (bytes, ..) = ALL[number];
        // Of the large one a part is enough.
        let mut bytes = bytes[..bytes.len().min(20_000)].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(report) = read(&bytes) {
            let _ = merge(resolve(&report, "r", &BTreeMap::new(), None).findings);
        }
    }

    #[test]
    fn reports_that_end_early_never_panic(number in 0..ALL.len(), at in any::<prop::sample::Index>()) {
        let (bytes, ..) = ALL[number];
        prop_assert!(read(&bytes[..at.index(bytes.len() - 8)]).is_err());
    }
}
