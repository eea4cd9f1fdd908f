//! A policy in the words that were agreed before there was a parser: whoever wrote one by them can use it.

use super::*;
use crate::document::{Mode, Profile};

const PROPOSED: &str = r#"
version = 1
name = "everything"

[time]
timezone = "UTC"

[data]
max-data-age = "24h"
undetermined = "count"

[severity]
order = ["override", "debian-urgency", "nvd-cvss", "cna-cvss", "vendor"]
unimportant = "low"
not-yet-assigned = "next"
unknown = "high"
cvss-preference = ["4.0", "3.1", "3.0", "2.0"]
[[severity.override]]
id = "CVE-2011-3374"
package = "apt"
level = "negligible"
reason = "nobody uses that command"

[vulnerabilities]
resolution = { critical = "3d", high = "2w", moderate = "60d", low = "none" }
start = "fix-available"
unfixed = "ignore"
reopen = "restart"
warn-before = "5d"
kev-due-date = true
ledger = "ledger/first-seen.jsonl"
fixable-means = "announced"
ignore-statuses = ["end-of-life"]
ignore-packages = ["linux-headers-*"]
[vulnerabilities.at-creation]
fail-on = "moderate"
only-fixable = true
[[vulnerabilities.deny]]
kev = true

[vex]
documents = ["vex/*.json", "vex/csaf/**/*.json"]
discover-referrers = true
trusted-authors = ["https://security.example.org"]
require-signature = true
max-age = "90d"
accept-justifications = ["component_not_present", "inline_mitigations_already_exist"]

[[exception]]
id = "CVE-2023-4039"
package = "gcc-*"
versions = "<< 13.2.0-4"
expires = 2027-03-31
max-severity = "high"
reason = "not on this architecture"
approved-by = "security@example.org"

[exceptions]
max-duration = "26w"
require = ["reason", "approved-by"]
unused = "fail"
expired = "warn"

[hardening]
profile = "cis-docker-1.6"
annotations-required = ["org.opencontainers.image.revision"]
[hardening.rules]
DSTL-CFG-001 = "error"
DSTL-CFG-006 = "off"
[hardening.allow]
setuid = ["usr/bin/newgrp"]
world-writable = ["var/spool/drop"]
env-keys = ["*_FINGERPRINT"]
secret-paths = ["usr/share/doc/**"]
capabilities = { "usr/bin/web" = ["cap_net_bind_service"] }

[freshness]
base-image = "error"
packages = "note"
security-packages = "error"
max-image-age = "30d"
max-scan-age = "7d"
support-tier = "regular"
end-of-support-notice = "12w"
limited-support = "off"

[admission]
registries = ["registry.example.org", "registry.example.net/mirror"]
no-match = "warn"
require-digest = true
forbid-tags = ["latest", "edge"]
mode = "warn"
[[admission.image]]
glob = "registry.example.org/live/**"
require-signature = true
require-attestations = ["https://spdx.dev/Document", "cosign.sigstore.dev/attestation/vuln/v1"]
policy-result = "pass"
[[admission.image.authority]]
name = "release"
key = "keys/release.pub"
[[admission.image.authority]]
name = "builder"
keyless = { issuer = "https://accounts.example.org", subject-regexp = "^https://git.example.org/.+@refs/tags/.+$" }

[registry.immutable]
tags = ["[0-9]*.[0-9]*"]
except = ["*-next"]
"#;

#[test]
fn the_agreed_words_are_a_policy() {
    let policy = Policy::parse(PROPOSED).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((policy.hardening.profile, policy.admission.mode), (Profile::Cis, Mode::Warn));
    assert_eq!(policy.severity.order, SeverityRules::default().order);
    let [rule] = &policy.admission.images[..] else { panic!("{:?}", policy.admission.images) };
    let names: Vec<&str> = rule.asks.authorities.iter().map(|authority| authority.name.as_str()).collect();
    assert_eq!(names, ["release", "builder"]);
    let types = ["spdx.dev/Document", "cosign.sigstore.dev/attestation/vuln/v1", "slsa.dev/verification_summary/v1"];
    assert_eq!(rule.asks.require_attestations, types.map(|kind| format!("https://{kind}")));
}

/// What is done elsewhere is unknown here.
#[test]
fn what_is_not_the_policys_is_refused() {
    for text in [
        "data.osv = []",
        "data.distro-info = 'debian.csv'",
        "admission.namespaces-exclude = []",
        "registry.retention = {}",
    ] {
        assert!(Policy::parse(&format!("version = 1\n{text}")).is_err(), "{text}");
    }
}
