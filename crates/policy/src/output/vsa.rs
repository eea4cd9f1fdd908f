//! A verdict as a [verification summary] of SLSA: the predicate of a statement about the image that was judged.
//!
//! [verification summary]: https://slsa.dev/spec/v1.1/verification_summary

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::line;
use crate::facts::Facts;
use crate::{Outcome, Verdict, Weight};

/// Who verifies.
const VERIFIER: &str = "https://git.example.org/distil";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    verifier: Verifier,
    time_verified: Timestamp,
    resource_uri: &'a str,
    policy: Resource<'a>,
    input_attestations: Vec<Resource<'a>>,
    verification_result: &'static str,
    verified_levels: [&'static str; 1],
    slsa_version: &'static str,
    /// What the form has no place for. Names of such members are URIs.
    #[serde(rename = "https://git.example.org/distil/docs/check.md#summary")]
    more: More<'a>,
}

#[derive(Serialize)]
struct Verifier {
    id: &'static str,
    version: Version,
}

#[derive(Serialize)]
struct Version {
    distil: &'static str,
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    digest: Sha256<'a>,
}

#[derive(Serialize)]
struct Sha256<'a> {
    sha256: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct More<'a> {
    verdict: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    good_until: Option<Date>,
    /// The rules of what is against the image.
    violated: BTreeSet<&'a str>,
    /// The data that was taken into account.
    data: Vec<Resource<'a>>,
}

/// The verdict as the predicate of a summary, one line of JSON. `resource` is the URI under which the image is to be had, and
/// `facts` are those that were judged, for the statements among them. What could not be decided did not pass. What level of
/// SLSA the image has is not looked at, and said so.
#[must_use]
pub fn vsa(verdict: &Verdict, facts: &Facts, resource: &str) -> String {
    let has_passed = verdict.verdict == Outcome::Pass;
    let errors = verdict.violations.iter().filter(|violation| violation.weight == Weight::Error);
    line(&Summary {
        verifier: Verifier { id: VERIFIER, version: Version { distil: env!("CARGO_PKG_VERSION") } },
        time_verified: verdict.now,
        resource_uri: resource,
        policy: Resource { name: Some(&verdict.policy), digest: Sha256 { sha256: &verdict.policy_sha256 } },
        input_attestations: inputs(facts),
        verification_result: if has_passed { "PASSED" } else { "FAILED" },
        verified_levels: [if has_passed { "SLSA_BUILD_LEVEL_UNEVALUATED" } else { "FAILED" }],
        slsa_version: "1.1",
        more: More {
            verdict: verdict.verdict,
            good_until: verdict.good_until,
            violated: errors.map(|violation| violation.rule.as_str()).collect(),
            data: verdict
                .sources
                .iter()
                .map(|source| Resource { name: Some(&source.name), digest: Sha256 { sha256: &source.sha256 } })
                .collect(),
        },
    })
}

/// The statements that were taken into account: those that somebody signed who is trusted.
fn inputs(facts: &Facts) -> Vec<Resource<'_>> {
    let attached = facts.attached.iter().filter(|attached| !attached.verified.is_empty());
    let ledgers = facts.ledger_from.iter().flat_map(|origin| &origin.statements);
    let digests: BTreeSet<&str> = attached
        .map(|attached| &attached.digest)
        .chain(ledgers)
        .filter_map(|digest| digest.strip_prefix("sha256:"))
        .collect();
    digests.into_iter().map(|sha256| Resource { name: None, digest: Sha256 { sha256 } }).collect()
}
