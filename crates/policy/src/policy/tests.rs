use std::collections::BTreeMap;
use std::path::PathBuf;

use distil_settings::{Table, ValueProblem as V};
use distil_vulns::{Level, Rater, Status};
use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use super::*;
use crate::document::{
    Allow, AtCreation, Authority, CvssVersion, FixableMeans, Glob, ImageRule, Immutable, Mode, Override, Profile,
    Reaction, Relation, Reopen, Requirement, Resolution, Response, Start, SupportTier, Undetermined, Unfixed,
};
use crate::problem::PolicyProblem as K;
use crate::verdict::Weight;

const FULL: &str = r#"
version = 1
name = "production"

[time]
timezone = "UTC"

[data]
max-data-age = "12h"
undetermined = "count"

[severity]
order = ["override", "nvd-cvss", "debian-urgency"]
unimportant = "low"
not-yet-assigned = "low"
unknown = "medium"
cvss-preference = ["3.1", "4.0"]
[[severity.override]]
id = "CVE-2005-2541"
package = "tar"
level = "negligible"
reason = "documented behaviour"
[[severity.override]]
id = "CVE-2019-1010023"
level = "low"

[vulnerabilities]
resolution = { critical = "2d", high = "1w", medium = "0d", low = "none", negligible = "365d" }
start = "earliest"
unfixed = "count"
reopen = "restart"
warn-before = "1w"
kev-due-date = false
ledger = "distil-ledger.jsonl"
fixable-means = "announced"
ignore-statuses = ["will-not-fix", "end-of-life"]
ignore-packages = ["linux-libc-dev", "linux-headers-*"]
deny = []
[vulnerabilities.at-creation]
fail-on = "medium"
only-fixable = false

[vex]
documents = ["vex/*.json"]
accept-justifications = ["inline_mitigations_already_exist"]
trusted-authors = ["mailto:security@example.org"]
require-signature = true
discover-referrers = false
max-age = "none"

[[exception]]
id = "CVE-2023-45853"
package = "zlib*"
versions = ">= 1:1.2, <= 1:1.2.13.dfsg-1"
expires = 2027-01-31
max-severity = "critical"
reason = "MiniZip is not built"
approved-by = "security@example.org"

[[exception]]
id = "TEMP-0000001-ABCDEF"
package = "*"
expires = 2027-02-28
reason = "no effect"

[exceptions]
max-duration = "none"
require = ["reason"]
unused = "fail"
expired = "warn"

[hardening]
profile = "cis-docker-1.6"
annotations-required = ["org.opencontainers.image.source"]
[hardening.rules]
DSTL-CFG-001 = "warning"
DSTL-CFG-006 = "off"
DSTL-FS-001 = "note"
[hardening.allow]
setuid = ["usr/bin/ping"]
world-writable = ["/srv/drop"]
env-keys = ["*_GPG_KEY"]
secret-paths = ["usr/lib/python3*/test/**"]
files = { DSTL-FS-004 = ["/usr/bin/dash"] }
capabilities = { "usr/bin/app" = ["cap_net_bind_service"] }
ports = [80, 443]
local-packages = ["app-*"]

[freshness]
max-image-age = "90d"
max-scan-age = "none"
support-tier = "regular"
end-of-support-notice = "26w"
base-image = "error"
packages = "error"
security-packages = "note"
limited-support = "off"

[admission]
registries = ["registry.example.org/prod", "localhost:5000"]
no-match = "warn"
require-digest = true
forbid-tags = ["latest"]
base-images = ["registry.example.org/bases"]
mode = "warn"
[[admission.image]]
glob = "registry.example.org/prod/**"
require-signature = false
require-attestations = ["spdxjson"]
policy-result = "pass"
require-sbom = true
max-attestation-age = "30d"
[[admission.image.authority]]
name = "builder"
keyless = { subject = "https://ci.example.org/job", issuer-regexp = "https://ci[.]example[.]org" }

[registry.immutable]
tags = ["v?[0-9]*.[0-9]*.[0-9]*"]
except = ["*-rc*"]

[signatures]
require-attestations = ["slsaprovenance1", "https://example.org/review/v1"]
require-sbom = true
max-attestation-age = "4w"
[[signatures.authority]]
name = "release key"
key = ["keys/a.pub", "keys/b.pub"]
threshold = 2
require-tlog = true
[[signatures.authority]]
name = "ci"
certificate-identity-regexp = 'https://github\.com/example/.+'
certificate-oidc-issuer = "https://token.actions.githubusercontent.com"
trusted-root = "keys/root.json"
use-signed-timestamps = true

[packages]
required = ["ca-certificates"]
forbidden = ["telnetd", "rsh-*"]

[licences]
allowed = ["Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1", "LicenseRef-example"]
forbidden = ["AGPL-3.0-only"]
unknown = "deny"

[size]
max-image = "200MiB"
max-layers = 20
max-layer = "1GB"
"#;

fn names(text: &str) -> Glob {
    Glob::of_names(text).unwrap()
}

fn paths(text: &str) -> Glob {
    Glob::of_paths(text).unwrap()
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

fn problems(text: &str) -> Vec<(usize, usize, String, K)> {
    let found = Policy::parse(text).unwrap_err().problems;
    found.into_iter().map(|p| (p.line, p.column, text.get(p.span).unwrap().to_owned(), p.kind)).collect()
}

#[test]
fn a_policy_that_says_nothing_is_the_default() {
    assert_eq!(Policy::parse(SHORTEST), Ok(Policy::default()));
    let empty = "version = 1\n[time]\n[data]\n[severity]\n[vulnerabilities]\nresolution = {}\nat-creation = {}\n[vex]\n[exceptions]\n\
                 [hardening]\nrules = {}\nallow = {}\n[freshness]\n[admission]\n[registry]\n[registry.immutable]\n[signatures]\n[packages]\n[licences]\n[size]\n";
    assert_eq!(Policy { sha256: Policy::default().sha256, ..Policy::parse(empty).unwrap() }, Policy::default());
}

#[test]
fn times_are_those_of_the_guidance_where_nothing_is_said() {
    let policy = Policy::default();
    let resolution = policy.vulnerabilities.resolution;
    let expected = [
        (Level::Critical, Some(7)),
        (Level::High, Some(30)),
        (Level::Moderate, Some(90)),
        (Level::Low, Some(180)),
        (Level::Negligible, None),
    ];
    for (level, days) in expected {
        assert_eq!(resolution.days(level), days, "{level}");
    }
    let creation = AtCreation { fail_on: Some(Level::High), only_fixable: true };
    assert_eq!(policy.vulnerabilities.at_creation, creation);
    assert_eq!(
        (policy.vulnerabilities.start, policy.vulnerabilities.unfixed),
        (Start::FirstSeen, Unfixed::HoldUntilFix)
    );
}

#[test]
fn every_key_is_read() {
    let policy = Policy::parse(FULL).unwrap();
    let line = FULL.lines().position(|line| line == "[[exception]]").unwrap() + 1;
    let expected = Policy {
        name: "production".to_owned(),
        data: Data { max_data_age: SignedDuration::from_hours(12), undetermined: Undetermined::Count },
        severity: SeverityRules {
            order: vec![Rater::NvdCvss, Rater::DebianUrgency],
            unimportant: Level::Low,
            not_yet_assigned: Some(Level::Low),
            unknown: Level::Moderate,
            cvss_preference: vec![CvssVersion::V31, CvssVersion::V4],
            overrides: vec![
                Override {
                    id: "CVE-2005-2541".to_owned(),
                    package: names("tar"),
                    level: Level::Negligible,
                    reason: Some("documented behaviour".to_owned()),
                },
                Override { id: "CVE-2019-1010023".to_owned(), package: names("*"), level: Level::Low, reason: None },
            ],
        },
        vulnerabilities: Vulnerabilities {
            resolution: Resolution {
                critical: Some(2),
                high: Some(7),
                moderate: Some(0),
                low: None,
                negligible: Some(365),
            },
            start: Start::Earliest,
            unfixed: Unfixed::Count,
            reopen: Reopen::Restart,
            warn_before: 7,
            kev_due_date: false,
            ledger: Some(PathBuf::from("distil-ledger.jsonl")),
            fixable_means: FixableMeans::Announced,
            ignore_statuses: vec![Status::WillNotFix, Status::EndOfLife],
            ignore_packages: vec![names("linux-libc-dev"), names("linux-headers-*")],
            at_creation: AtCreation { fail_on: Some(Level::Moderate), only_fixable: false },
            deny: Vec::new(),
        },
        vex: Vex {
            documents: texts(&["vex/*.json"]),
            accept_justifications: ["inline_mitigations_already_exist".to_owned()].into(),
            trusted_authors: texts(&["mailto:security@example.org"]),
            require_signature: true,
            discover_referrers: false,
            max_age: None,
        },
        exception: vec![
            Exception {
                id: "CVE-2023-45853".to_owned(),
                package: names("zlib*"),
                versions: vec![
                    (Relation::LaterOrEqual, "1:1.2".to_owned()),
                    (Relation::EarlierOrEqual, "1:1.2.13.dfsg-1".to_owned()),
                ],
                expires: date(2027, 1, 31),
                max_severity: Some(Level::Critical),
                reason: Some("MiniZip is not built".to_owned()),
                approved_by: Some("security@example.org".to_owned()),
                line,
            },
            Exception {
                id: "TEMP-0000001-ABCDEF".to_owned(),
                package: names("*"),
                versions: Vec::new(),
                expires: date(2027, 2, 28),
                max_severity: None,
                reason: Some("no effect".to_owned()),
                approved_by: None,
                line: line + 9,
            },
        ],
        exceptions: Exceptions {
            max_duration: None,
            require: [Requirement::Reason].into(),
            unused: Reaction::Fail,
            expired: Reaction::Warn,
        },
        hardening: Hardening {
            profile: Profile::Cis,
            rules: BTreeMap::from([
                ("DSTL-CFG-001".to_owned(), Some(Weight::Warning)),
                ("DSTL-CFG-006".to_owned(), None),
                ("DSTL-FS-001".to_owned(), Some(Weight::Note)),
            ]),
            allow: Allow {
                setuid: vec![paths("/usr/bin/ping")],
                world_writable: vec![paths("/srv/drop")],
                env_keys: vec![names("*_GPG_KEY")],
                secret_paths: vec![paths("/usr/lib/python3*/test/**")],
                files: BTreeMap::from([("DSTL-FS-004".to_owned(), vec![paths("/usr/bin/dash")])]),
                capabilities: vec![(paths("/usr/bin/app"), ["cap_net_bind_service".to_owned()].into())],
                ports: [80, 443].into(),
                local_packages: vec![names("app-*")],
            },
            annotations_required: texts(&["org.opencontainers.image.source"]),
        },
        freshness: Freshness {
            max_image_age: Some(days(90)),
            max_scan_age: None,
            support_tier: SupportTier::Regular,
            end_of_support_notice: 182,
            base_image: Some(Weight::Error),
            packages: Some(Weight::Error),
            security_packages: Some(Weight::Note),
            limited_support: None,
        },
        admission: Admission {
            registries: texts(&["registry.example.org/prod", "localhost:5000"]),
            no_match: Response::Warn,
            require_digest: true,
            forbid_tags: texts(&["latest"]),
            base_images: texts(&["registry.example.org/bases"]),
            mode: Mode::Warn,
            images: vec![ImageRule {
                images: paths("registry.example.org/prod/**"),
                asks: Signatures {
                    authorities: vec![Authority {
                        name: "builder".to_owned(),
                        certificate_identity: Some("https://ci.example.org/job".to_owned()),
                        certificate_oidc_issuer_regexp: Some("https://ci[.]example[.]org".to_owned()),
                        ..Authority::default()
                    }],
                    require_signature: false,
                    require_attestations: texts(&[
                        "https://spdx.dev/Document",
                        "https://slsa.dev/verification_summary/v1",
                    ]),
                    require_sbom: true,
                    max_attestation_age: Some(days(30)),
                },
            }],
        },
        immutable: Immutable { tags: vec![names("v?[0-9]*.[0-9]*.[0-9]*")], except: vec![names("*-rc*")] },
        signatures: Signatures {
            authorities: vec![
                Authority {
                    name: "release key".to_owned(),
                    keys: vec![PathBuf::from("keys/a.pub"), PathBuf::from("keys/b.pub")],
                    threshold: std::num::NonZeroUsize::new(2),
                    require_tlog: true,
                    ..Authority::default()
                },
                Authority {
                    name: "ci".to_owned(),
                    certificate_identity_regexp: Some(r"https://github\.com/example/.+".to_owned()),
                    certificate_oidc_issuer: Some("https://token.actions.githubusercontent.com".to_owned()),
                    trusted_root: Some(PathBuf::from("keys/root.json")),
                    use_signed_timestamps: true,
                    ..Authority::default()
                },
            ],
            require_signature: true,
            require_attestations: texts(&["https://slsa.dev/provenance/v1", "https://example.org/review/v1"]),
            require_sbom: true,
            max_attestation_age: Some(days(28)),
        },
        packages: Packages {
            required: vec![names("ca-certificates")],
            forbidden: vec![names("telnetd"), names("rsh-*")],
        },
        licences: Licences {
            allowed: texts(&["Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1", "LicenseRef-example"]),
            forbidden: texts(&["AGPL-3.0-only"]),
            unknown: Response::Deny,
        },
        size: Size { max_image: Some(200 << 20), max_layers: Some(20), max_layer: Some(1_000_000_000) },
        sha256: Digest::of(FULL.as_bytes()).hex(),
    };
    assert_eq!(policy, expected);
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_text() {
    let text = "version = 2\n[data]\nmax-data-age = 'soon'\n[severity]\nordr = []\n[[exception]]\nid = 'CVE-2024-0001'\n\
                expires = '2027-01-31'\n[hardening.rules]\nDSTL-CFG-999 = 'error'\n[hardening.allow]\nports = [0]\n";
    let found: Vec<_> = problems(text).into_iter().map(|(line, column, span, _)| (line, column, span)).collect();
    let expected = [
        (1, 11, "2"),
        (3, 16, "'soon'"),
        (5, 1, "ordr"),
        // The three keys that it lacks.
        (6, 1, "[[exception]]"),
        (6, 1, "[[exception]]"),
        (6, 1, "[[exception]]"),
        (8, 11, "'2027-01-31'"),
        (10, 1, "DSTL-CFG-999"),
        (12, 10, "0"),
    ];
    let found: Vec<_> = found.iter().map(|(line, column, span)| (*line, *column, span.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_unknown_names_the_nearest() {
    let unknown = |text: &str| match problems(&format!("version = 1\n{text}")).remove(0).3 {
        K::Value(V::UnknownKey { nearest, .. } | V::NotOneOf { nearest, .. }) | K::UnknownRule { nearest, .. } => {
            nearest
        }
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(unknown("[vulnerabilites]").as_deref(), Some("vulnerabilities"));
    assert_eq!(unknown("data.max_data_age = '1d'").as_deref(), Some("max-data-age"));
    assert_eq!(unknown("vulnerabilities.start = 'first_seen'").as_deref(), Some("first-seen"));
    assert_eq!(unknown("hardening.profile = 'distrolless'").as_deref(), Some("distroless"));
    assert_eq!(unknown("hardening.profile = 'cis'").as_deref(), Some("cis-docker-1.6"));
    assert_eq!(unknown("hardening.profile = 'disa'").as_deref(), Some("disa-2.6"));
    assert_eq!(unknown("hardening.rules.dstl-cfg-01 = 'error'").as_deref(), Some("DSTL-CFG-001"));
    assert_eq!(unknown("zzzzz = 1"), None);
    let table = Table { document: "the policy", name: String::new() };
    assert_eq!(problems("").remove(0).3, K::Value(V::MissingKey { table, key: "version" }));
    let message = Policy::parse("version = 1\nzzzzz = 1").unwrap_err().to_string();
    assert_eq!(message, "line 2, column 1: unknown key zzzzz in the policy");
}

/// Texts below `version = 1`, and whether they are a policy.
const CASES: &[(&str, bool)] = &[
    ("", true),
    ("name = 'a'", true),
    ("name = ''", false),
    ("name = \"a\\nb\"", false),
    ("name = 1", false),
    ("data.max-data-age = '48h'", true),
    ("data.max-data-age = '0h'", false),
    ("data.max-data-age = 'none'", false),
    ("data.max-data-age = 48", false),
    ("data.max-data-age = '100000h'", false),
    ("data.undetermined = 'report'", true),
    ("data.undetermined = 'drop'", false),
    ("data.osv = []", false),
    ("severity.order = ['vendor']", true),
    ("severity.order = []", false),
    ("severity.order = ['vendor', 'vendor']", false),
    ("severity.order = ['override', 'vendor']", true),
    ("severity.order = ['override']", true),
    ("severity.order = ['vendor', 'override']", false),
    ("severity.order = ['override', 'override']", false),
    ("severity.order = ['overide', 'vendor']", false),
    ("time.timezone = 'UTC'", true),
    ("time.timezone = 'utc'", false),
    ("time.timezone = 'Europe/Berlin'", false),
    ("time.timezone = 0", false),
    ("time.zone = 'UTC'", false),
    ("severity.unimportant = 'high'", false),
    ("severity.not-yet-assigned = 'next'", true),
    ("severity.not-yet-assigned = 'moderate'", true),
    ("severity.unknown = 'next'", false),
    ("severity.unknown = 'Critical'", false),
    ("severity.cvss-preference = ['2.0']", true),
    ("severity.cvss-preference = [2.0]", false),
    ("[[severity.override]]\nid = 'CVE-2005-2541'\nlevel = 'low'", true),
    ("[[severity.override]]\nlevel = 'low'", false),
    ("[[severity.override]]\nid = 'CVE-2005-2541'", false),
    ("[[severity.override]]\nid = 'CVE 2005 2541'\nlevel = 'low'", false),
    ("[severity.override]\nid = 'CVE-2005-2541'\nlevel = 'low'", false),
    ("vulnerabilities.resolution.critical = '7d'", true),
    ("vulnerabilities.resolution.critical = 'none'", true),
    ("vulnerabilities.resolution.critical = '48h'", false),
    ("vulnerabilities.resolution.critical = 7", false),
    ("vulnerabilities.resolution = '7d'", false),
    ("vulnerabilities.resolution = { moderate = '7d', medium = '7d' }", false),
    ("vulnerabilities.resolution.severe = '7d'", false),
    ("vulnerabilities.start = 'published'", true),
    ("vulnerabilities.start = 'build'", false),
    ("vulnerabilities.unfixed = 'hold'", false),
    ("vulnerabilities.reopen = 'restart'", true),
    ("vulnerabilities.warn-before = '0d'", true),
    ("vulnerabilities.warn-before = 'none'", false),
    ("vulnerabilities.kev-due-date = 'yes'", false),
    ("vulnerabilities.fixable-means = 'announced'", true),
    ("vulnerabilities.ignore-statuses = ['no-dsa']", true),
    ("vulnerabilities.ignore-statuses = ['not-affected']", false),
    ("vulnerabilities.ignore-packages = ['linux-*']", true),
    ("vulnerabilities.ignore-packages = ['']", false),
    ("vulnerabilities.at-creation = { fail-on = 'none', only-fixable = false }", true),
    ("vulnerabilities.at-creation.fail-on = 'any'", false),
    ("vulnerabilities.deny = []", true),
    ("[[vulnerabilities.deny]]\nkev = true", true),
    ("[[vulnerabilities.deny]]\nkev = false", false),
    ("[[vulnerabilities.deny]]", false),
    ("vex.accept-justifications = []", true),
    ("vex.accept-justifications = ['component-not-present']", false),
    ("vex.trusted-authors = ['']", false),
    ("vex.max-age = 'none'", true),
    ("vex.documents = ['a.json', '../vex/**/[ab]*.{json,csaf}', '/srv/vex/?.json']", true),
    ("vex.documents = 'a.json'", false),
    ("vex.documents = ['']", false),
    ("vex.documents = ['vex/']", false),
    ("vulnerabilities.ledger = '../ledger.jsonl'", true),
    ("vulnerabilities.ledger = ''", false),
    ("vulnerabilities.ledger = ['ledger.jsonl']", false),
    ("exceptions.require = []", true),
    ("exceptions.require = ['ticket']", false),
    ("exceptions.max-duration = '0d'", true),
    ("exceptions.unused = 'ignore'", false),
    ("hardening.profile = 'disa-2.6'", true),
    ("hardening.profile = 'disa'", false),
    ("hardening.profile = 'cis-docker-1.5'", false),
    ("hardening.rules = { DSTL-FS-001 = 'off' }", true),
    ("hardening.rules = { DSTL-FS-001 = 'fatal' }", false),
    ("hardening.rules = { DSTL-FS-001 = 1 }", false),
    ("hardening.rules = { fs-001 = 'off' }", false),
    ("hardening.allow.setuid = ['/usr/bin/ping', 'usr/bin/*']", true),
    ("hardening.allow.setuid = ['/']", false),
    ("hardening.allow.setuid = '/usr/bin/ping'", false),
    ("hardening.allow.capabilities = { '/usr/bin/app' = ['cap_net_raw'] }", true),
    ("hardening.allow.capabilities = { '/usr/bin/app' = ['NET_RAW'] }", false),
    ("hardening.allow.files = { DSTL-FS-004 = ['/bin/sh'] }", true),
    ("hardening.allow.local-packages = ['app', 'team-*']", true),
    ("hardening.allow.local-packages = 'app'", false),
    ("hardening.allow.ports = [80]", true),
    ("hardening.allow.ports = [65536]", false),
    ("hardening.annotations-required = ['']", false),
    ("freshness.max-image-age = 'none'", true),
    ("freshness.support-tier = 'extended'", false),
    ("freshness.end-of-support-notice = '8w'", true),
    ("freshness.base-image = 'off'", true),
    ("freshness.base-image = 'deny'", false),
    ("registry.immutable = { tags = ['1.*'], except = [] }", true),
    ("registry.immutable = ['1.*']", false),
    ("freshness.packages = 'off'", true),
    ("freshness.security-packages = 'warn'", false),
    ("freshness.limited-support = true", false),
    ("admission.registries = ['registry.example.org', 'localhost/a', 'host:5000/a_b/c.d']", true),
    ("admission.registries = ['docker.io/library']", true),
    ("admission.registries = ['library']", false),
    ("admission.registries = ['https://registry.example.org']", false),
    ("admission.registries = ['registry.example.org/']", false),
    ("admission.registries = ['registry.example.org/a//b']", false),
    ("admission.registries = ['registry.example.org/Prod']", false),
    ("admission.registries = ['registry.example.org/a:v1']", false),
    ("admission.no-match = 'fail'", false),
    ("admission.mode = 'enforce'", true),
    ("[[admission.image]]\nglob = 'registry.example.org/**'", true),
    ("[[admission.image]]\nglob = '**'\nrequire-sbom = true", true),
    ("[[admission.image]]\nglob = 'docker.io/nginx'\nauthority = [{ name = 'a', key = 'a.pub' }]", true),
    ("[[admission.image]]\nglob = '*.example.org:5000/{a,b}/[cd]?'", true),
    ("[[admission.image]]\nrequire-sbom = true", false),
    ("[[admission.image]]\nglob = 'registry.example.org'", false),
    ("[[admission.image]]\nglob = 'registry.example.org/'", false),
    ("[[admission.image]]\nglob = 'prod/**'", false),
    ("[[admission.image]]\nglob = '/registry.example.org/**'", false),
    ("[[admission.image]]\nglob = 'docker://registry.example.org/**'", false),
    ("[[admission.image]]\nglob = 'registry.example.org/app:1'", false),
    ("[[admission.image]]\nglob = 'registry.example.org/app@sha256:00'", false),
    ("[[admission.image]]\nglob = '**'\nrequire-signature = true", false),
    ("[[admission.image]]\nglob = '**'\npolicy-result = 'pass'", false),
    ("[[admission.image]]\nglob = '**'\npolicy-result = 'fail'\nauthority = [{ name = 'a', key = 'a.pub' }]", false),
    ("[[admission.image]]\nglob = '**'\npolicy-result = 'pass'\nauthority = [{ name = 'a', key = 'a.pub' }]", true),
    ("[admission.image]\nglob = '**'", false),
    ("admission.mode = 'deny'", false),
    ("admission.forbid-tags = ['latest', '_x']", true),
    ("admission.forbid-tags = ['*']", false),
    ("signatures.require-sbom = true", true),
    ("signatures.require-signature = false", true),
    ("signatures.require-signature = true", false),
    ("signatures.require-attestations = ['vuln']", false),
    ("signatures = { authority = [], require-signature = true }", false),
    ("[signatures]\nrequire-attestations = ['vuln']\nauthority = [{ name = 'a', key = 'a.pub' }]", true),
    ("[signatures]\nrequire-attestations = ['vsa', 'ledger']\nauthority = [{ name = 'a', key = 'a.pub' }]", true),
    (
        "[signatures]\nrequire-attestations = ['cosign.sigstore.dev/attestation/vuln/v1']\nauthority = [{ name = 'a', key = 'a.pub' }]",
        true,
    ),
    ("[signatures]\nrequire-attestations = ['scan']\nauthority = [{ name = 'a', key = 'a.pub' }]", false),
    ("signatures.authority = [{ name = 'a', key = ['a.pub'], threshold = 1 }]", true),
    ("signatures.authority = [{ key = 'a.pub' }]", false),
    ("signatures.authority = [{ name = 'a', keyless = { subject = 'b', issuer = 'c' } }]", true),
    ("signatures.authority = [{ name = 'a', keyless = { subject-regexp = 'b.*', issuer-regexp = 'c' } }]", true),
    ("signatures.authority = [{ name = 'a', keyless = { subject = 'b' } }]", false),
    ("signatures.authority = [{ name = 'a', keyless = { issuer = 'c' } }]", false),
    ("signatures.authority = [{ name = 'a', keyless = { subject = 'b', subject-regexp = 'b', issuer = 'c' } }]", false),
    ("signatures.authority = [{ name = 'a', keyless = { subject = 'b', issuer = 'c', issuer-regexp = 'c' } }]", false),
    ("signatures.authority = [{ name = 'a', keyless = 'b' }]", false),
    ("signatures.authority = [{ name = 'a', key = 'a.pub', keyless = { subject = 'b', issuer = 'c' } }]", false),
    (
        "signatures.authority = [{ name = 'a', keyless = { subject = 'b', issuer = 'c' }, certificate-oidc-issuer = 'c' }]",
        false,
    ),
    (
        "signatures.authority = [{ name = 'a', certificate-identity = 'b', keyless = { subject = 'b', issuer = 'c' } }]",
        false,
    ),
    ("signatures.authority = [{ name = 'a' }]", false),
    ("signatures.authority = [{ name = 'a', key = [] }]", false),
    ("signatures.authority = [{ name = 'a', key = '' }]", false),
    ("signatures.authority = [{ name = 'a', key = 'a.pub', threshold = 0 }]", false),
    ("signatures.authority = [{ name = 'a', key = 'a.pub', certificate-identity = 'b' }]", false),
    ("signatures.authority = [{ name = 'a', key = 'a.pub', certificate-oidc-issuer = 'b' }]", false),
    ("signatures.authority = [{ name = 'a', certificate-identity = 'b' }]", false),
    ("signatures.authority = [{ name = 'a', certificate-identity = 'b', certificate-oidc-issuer = 'c' }]", true),
    (
        "signatures.authority = [{ name = 'a', certificate-identity-regexp = 'b', certificate-oidc-issuer-regexp = 'c' }]",
        true,
    ),
    ("packages = { required = ['tzdata'], forbidden = ['*-dev'] }", true),
    ("packages.forbidden = 'telnetd'", false),
    ("licences.allowed = ['MIT', 'LicenseRef-a', 'GPL-2.0-only WITH Classpath-exception-2.0']", true),
    ("licences.allowed = ['MIT OR Apache-2.0']", false),
    ("licences.allowed = ['(MIT)']", false),
    ("licences.unknown = 'ignore'", false),
    ("size = { max-image = '1GiB', max-layers = 1, max-layer = '100kB' }", true),
    ("size.max-image = '1.5GiB'", false),
    ("size.max-image = 1000", false),
    ("size.max-layers = 0", false),
    ("registries = {}", false),
];

/// An exception that lacks some of its keys and has others.
fn exception(without: &str, with: &str) -> String {
    let all = [
        ("id", "'CVE-2023-45853'"),
        ("package", "'zlib'"),
        ("expires", "2027-01-31"),
        ("reason", "'MiniZip is not built'"),
        ("approved-by", "'security@example.org'"),
    ];
    let kept = all.iter().filter(|(key, _)| *key != without);
    let mut lines: Vec<String> = kept.map(|(key, value)| format!("{key} = {value}")).collect();
    lines.extend(Some(with.to_owned()).filter(|with| !with.is_empty()));
    format!("[[exception]]\n{}\n", lines.join("\n"))
}

fn cases() -> Vec<(String, bool)> {
    let mut cases: Vec<(String, bool)> = CASES.iter().map(|(text, fits)| ((*text).to_owned(), *fits)).collect();
    cases.extend([
        (exception("", ""), true),
        (exception("id", ""), false),
        (exception("package", ""), false),
        (exception("expires", ""), false),
        (exception("expires", "expires = 1969-12-31"), false),
        (exception("expires", "expires = 2027-01-31T00:00:00Z"), false),
        (exception("expires", "expires = 20270131"), false),
        (exception("", "versions = '<= 1:1.2.13.dfsg-1'"), true),
        (exception("", "versions = '>> 1.2~rc1-1, < 2.0+b1'"), true),
        (exception("", "versions = '1.2'"), false),
        (exception("", "versions = '<= 1.2-'"), false),
        (exception("", "max-severity = 'medium'"), true),
        (exception("", "max-severity = 'none'"), false),
        (exception("reason", "reason = ' '"), false),
        (exception("", "until = 2027-01-31"), false),
    ]);
    cases.into_iter().map(|(text, fits)| (format!("version = 1\n{text}"), fits)).collect()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// What a schema sees of a TOML document: dates are texts there.
fn as_json(text: &str) -> Value {
    fn plain(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => Value::String(date.to_string()),
            toml::Value::Array(all) => all.into_iter().map(plain).collect(),
            toml::Value::Table(all) => all.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    plain(toml::Value::Table(toml::from_str(text).unwrap()))
}

#[test]
fn the_schema_and_the_parser_agree() {
    let schema = jsonschema::draft202012::new(&schema()).unwrap();
    let mut all = cases();
    all.extend([(FULL.to_owned(), true), (String::new(), false), ("version = 2".to_owned(), false)]);
    all.extend([("version = '1'".to_owned(), false), ("version = 1.0".to_owned(), false)]);
    for (text, fits) in all {
        assert_eq!(Policy::parse(&text).is_ok(), fits, "the parser on {text}: {:?}", Policy::parse(&text));
        // To JSON Schema, 1.0 is the integer 1.
        if !text.contains("1.0\n") && text != "version = 1.0" {
            assert_eq!(schema.is_valid(&as_json(&text)), fits, "the schema on {text}");
        }
    }
}

#[test]
fn only_the_parser_knows_what_takes_more_than_a_form() {
    let authority = "[[signatures.authority]]\nname = 'a'\nkey = 'a.pub'\n";
    let refused = [
        exception("expires", "expires = '2027-01-31'"),
        exception("reason", ""),
        exception("approved-by", ""),
        "packages.forbidden = ['[']".to_owned(),
        "vex.documents = ['vex/[.json']".to_owned(),
        "[[admission.image]]\nglob = 'registry.example.org/[a'".to_owned(),
        format!("{authority}[[admission.image]]\nglob = '**'\nauthority = [{{ name = 'a', key = 'other.pub' }}]"),
        "hardening.rules = { DSTL-CFG-999 = 'off' }".to_owned(),
        "hardening.rules = { DSTL-VUL-001 = 'off' }".to_owned(),
        "packages = { required = ['tar'], forbidden = ['tar'] }".to_owned(),
        "licences = { allowed = ['MIT'], forbidden = ['MIT'] }".to_owned(),
        "licences.allowed = ['Mit-Like']".to_owned(),
        format!("{authority}{authority}"),
        "signatures.authority = [{ name = 'a', certificate-identity-regexp = '(', certificate-oidc-issuer = 'b' }]"
            .to_owned(),
    ];
    let schema = jsonschema::draft202012::new(&schema()).unwrap();
    for text in refused {
        let text = format!("version = 1\n{text}");
        assert!(Policy::parse(&text).is_err(), "{text}");
        assert!(schema.is_valid(&as_json(&text)), "{text}");
    }
    let same = format!("{authority}[[admission.image]]\nglob = '**'\nauthority = [{{ name = 'a', key = 'a.pub' }}]");
    assert!(Policy::parse(&format!("version = 1\n{same}")).is_ok());
    let relaxed = format!("version = 1\n{}[exceptions]\nrequire = []\n", exception("reason", ""));
    assert!(Policy::parse(&relaxed).is_ok());
}

#[test]
fn the_schema_is_one_and_has_the_keys_that_the_parser_knows() {
    let schema = schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    for (table, keys) in known_keys() {
        let pointer = if table.is_empty() { "/properties".to_owned() } else { format!("/$defs/{table}/properties") };
        let listed: Vec<&str> =
            schema.pointer(&pointer).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        assert_eq!(listed, keys, "{pointer}");
    }
    let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for table in tables.filter(|table| table.get("properties").is_some()) {
        assert_eq!(table["additionalProperties"], Value::Bool(false), "{table}");
        for (key, value) in table["properties"].as_object().unwrap() {
            assert!(value.get("description").is_some(), "{key}");
        }
    }
}

#[test]
fn every_example_is_a_policy() {
    let schema = jsonschema::draft202012::new(&schema()).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/policy");
    let mut seen = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(schema.is_valid(&as_json(&text)), "{}", path.display());
        seen.push((path.file_name().unwrap().to_owned(), policy.name));
    }
    seen.sort();
    let expected = [("distil-policy.toml", "production"), ("minimal.toml", "policy")];
    assert_eq!(seen, expected.map(|(file, name)| (file.into(), name.to_owned())));
}

/// Every key has its place in docs/policy.md, and the policy that is shown there is one.
#[test]
fn the_documentation_has_every_key() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    // Severities stand in one row, tables and lists of tables in headings.
    let elsewhere = [
        "critical",
        "high",
        "moderate",
        "medium",
        "low",
        "negligible",
        "allow",
        "at-creation",
        "authority",
        "image",
        "immutable",
    ];
    for (table, keys) in known_keys().into_iter().filter(|(table, _)| !table.is_empty() && *table != "resolution") {
        for key in keys.iter().filter(|key| !elsewhere.contains(key) && **key != "override") {
            let names = [format!("`{key}`"), format!("`{table}.{key}`"), format!("`{key} = ")];
            assert!(names.iter().any(|name| docs.contains(name)), "{table}.{key}");
        }
    }
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(Policy::parse(example).unwrap().name, "production");
}

/// What the schema says that holds where nothing is said is what the parser takes.
#[test]
fn the_defaults_of_the_schema_are_those_of_the_parser() {
    let schema = schema();
    let tables = [
        "time",
        "data",
        "severity",
        "vulnerabilities",
        "vex",
        "exceptions",
        "hardening",
        "freshness",
        "admission",
        "licences",
    ];
    let inner = [("resolution", "vulnerabilities.resolution"), ("at-creation", "vulnerabilities.at-creation")];
    let all = tables.map(|table| (table, table)).into_iter().chain(inner);
    let mut compared = 0;
    for (definition, table) in all {
        for (key, value) in schema["$defs"][definition]["properties"].as_object().unwrap() {
            let Some(default) = value.get("default") else { continue };
            let written = toml::Value::try_from(default).unwrap();
            let text = format!("version = 1\n[{table}]\n{key} = {written}\n");
            let read = Policy::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(Policy { sha256: Policy::default().sha256, ..read }, Policy::default(), "{text}");
            compared += 1;
        }
    }
    assert!(compared > 25, "{compared}");
}

#[test]
fn each_mistake_has_its_own_problem_and_place() {
    macro_rules! expect {
        ($text:expr, $column:expr, $kind:pat) => {
            let text = format!("version = 1\n{}", $text);
            let found = problems(&text);
            assert!(matches!(&found[..], [(2, $column, _, $kind)]), "{text}: {found:?}");
        };
    }
    expect!("a = ", 5, K::Value(V::Syntax { .. }));
    expect!("data = 1", 8, K::Value(V::WrongType { expected: "a table", .. }));
    expect!("data.max-data-age = 1", 21, K::Value(V::WrongType { expected: "a string", .. }));
    expect!("data.max-data-age = '1y'", 21, K::Value(V::Malformed { .. }));
    expect!("severity.order = ['vendor', 'vendor']", 29, K::Value(V::Twice { .. }));
    expect!("severity.order = ['vendor', 'override']", 29, K::Value(V::Malformed { .. }));
    expect!("time.timezone = 'Europe/Berlin'", 17, K::Value(V::Malformed { .. }));
    expect!("severity.order = ['nvd']", 19, K::Value(V::NotOneOf { nearest: Some(_), .. }));
    expect!("vulnerabilities.resolution = { moderate = '1d', medium = '1d' }", 58, K::Value(V::Twice { .. }));
    expect!("vulnerabilities.deny = [{ kev = false }]", 33, K::Value(V::Malformed { .. }));
    expect!("exception = [1]", 14, K::Value(V::WrongType { .. }));
    expect!("hardening.rules = { DSTL-VUL-001 = 'off' }", 21, K::NotHardening { found: "DSTL-VUL-001", .. });
    expect!("hardening.rules = { CFG-001 = 'off' }", 21, K::UnknownRule { .. });
    expect!("hardening.allow.ports = [70000]", 26, K::Value(V::OutOfRange { max: 65535, .. }));
    expect!("signatures.require-signature = true", 32, K::NoAuthority { .. });
    expect!("signatures.require-attestations = ['vuln']", 35, K::NoAuthority { .. });
    expect!(
        "admission.image = [{ glob = '**', policy-result = 'pass' }]",
        51,
        K::NoAuthority { table: "admission.image", .. }
    );
    expect!("admission.image = [{ glob = 'a/b' }]", 29, K::Value(V::Malformed { .. }));
    expect!(
        "admission.image = [{ glob = '**', authority = [{ name = 'a', key = 'b' }] }, { glob = '*/**', authority = [{ name = 'a', key = 'c' }] }]",
        108,
        K::OtherAuthority { .. }
    );
    expect!("signatures.authority = [{ name = 'a' }]", 25, K::Value(V::NotExactlyOne { .. }));
    expect!(
        "signatures.authority = [{ name = 'a', key = 'b', certificate-oidc-issuer = 'c' }]",
        76,
        K::Value(V::Useless { beside: "key", .. })
    );
    expect!("packages = { required = ['a'], forbidden = ['a'] }", 45, K::Contradiction { .. });
    expect!("licences = { allowed = ['MIT'], forbidden = ['MIT'] }", 46, K::Contradiction { .. });
    expect!("licences.allowed = ['mit']", 21, K::Value(V::Malformed { .. }));
    let large = Policy::parse(&" ".repeat(MAX_POLICY + 1)).unwrap_err().problems;
    assert!(matches!(&large[..], [distil_settings::Problem { kind: K::Value(V::TooLarge { .. }), .. }]));
}

#[test]
fn messages_hold_no_control_characters() {
    let text = "version = 1\nname = \"\\u001b[2J\"\n\"\\u001b[2J\" = 1\n[hardening.rules]\n\"\\u001b\" = 1\n[admission]\n\
                registries = [\"\\u202e\"]\n[packages]\nrequired = ['\u{202e}']\nforbidden = ['\u{202e}']\n";
    for problem in Policy::parse(text).unwrap_err().problems {
        let message = problem.to_string();
        assert!(!message.chars().any(|c| c.is_control() || c == '\u{202e}'), "{message:?}");
    }
}

/// What somebody sends who wants to keep the reader busy.
#[test]
fn hostile_texts_are_refused_and_do_not_blow_up() {
    let hostile = [
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("version = 1\npackages.forbidden = ['{}']", "{a,".repeat(300)),
        format!("version = 1\n{}", "[[exception]]\n".repeat(50_000)),
        format!(
            "version = 1\n[hardening.rules]\n{}",
            (0..20_000).map(|n| format!("X{n} = 1")).collect::<Vec<_>>().join("\n")
        ),
        format!("version = 1\nlicences.allowed = ['{}MIT']", "(".repeat(100_000)),
    ];
    for text in hostile {
        assert!(Policy::parse(&text).is_err(), "{text:.60}");
    }
    let many = format!("'{}',{}", "{a,b}".repeat(190), "'{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}',".repeat(999));
    let deep = "**/".repeat(300);
    let name = "\u{202e}".repeat(100_000);
    let text =
        format!("version = 1\nname = '{name}'\npackages.forbidden = [{many}]\nhardening.allow.setuid = ['{deep}']");
    assert_eq!(Policy::parse(&text).unwrap().packages.forbidden.len(), 1000);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_places_inside_it(text in "(?s).{0,200}") {
        if let Err(error) = Policy::parse(&text) {
            for problem in error.problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1 && problem.span.end <= text.len());
            }
        }
    }

    /// Breaks a good policy in one place, which reaches further than random text does.
    #[test]
    fn a_damaged_policy_is_read_or_refused(at in any::<prop::sample::Index>(), with in "[\\x00-\\x7f]{0,3}", cut in 0usize..4) {
        let at = at.index(FULL.len());
        let end = (at + cut).min(FULL.len());
        let text = format!("{}{with}{}", FULL.get(..at).unwrap(), FULL.get(end..).unwrap());
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::parse(&text).unwrap(), policy);
        }
    }
}
