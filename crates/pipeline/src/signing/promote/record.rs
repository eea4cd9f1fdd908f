//! What is kept of a promotion, signed beside the image and in a log of this machine.

use std::collections::BTreeSet;

use distil_imgcore::{Reference, time};
use distil_policy::Approval;
use distil_signing::key::PublicKey;
use distil_signing::verify::{Report, SignedBy, VerifiedSignature};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of the predicate that records a promotion.
pub const PROMOTION: &str = "https://git.example.org/distil/docs/promotion.md#v1";

/// What is recorded of a promotion: the predicate of the statement beside the image. It names no place, so that nothing of
/// the one that the image came from is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promotion {
    /// Who promoted it.
    pub by: Promoter,
    /// What kind of place it came from.
    pub from: PlaceKind,
    /// Why it was let through.
    pub verdict: PromotionVerdict,
    /// When, as RFC 3339 has it, in UTC.
    pub when: String,
}

/// Who promoted an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promoter {
    /// The key that signs what is promoted, by the SHA-256 of its SPKI.
    pub key: String,
    /// Who had it, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// A repository in a registry.
    Registry,
    /// An image layout.
    Layout,
    /// An image layout in a tar file.
    Archive,
    /// What engines save.
    DockerArchive,
}

/// Why an image was let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionVerdict {
    /// How many different signers were asked for.
    pub threshold: usize,
    /// Those whose signatures of the image were good, sorted.
    pub signers: Vec<SignerDocument>,
    /// What the policy said.
    pub policy: PolicyVerdict,
}

/// Somebody whose signature was good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SignerDocument {
    /// Whoever has this key.
    Key {
        /// The SHA-256 of its SPKI.
        key: String,
    },
    /// Whoever was this, as a trusted authority certified.
    Identity {
        /// The certificate's subject alternative name.
        identity: String,
        /// Who said so to the authority.
        issuer: String,
    },
}

/// What a policy said about an image. One that says no lets none through, so that there is no record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyVerdict {
    /// Nobody asked for one.
    None,
    /// It approved of this very digest.
    Pass {
        /// The SHA-256 of the policy's text.
        policy: String,
    },
}

impl Promotion {
    /// The record of what was just verified. None for a time that has no form.
    pub(super) fn new(
        by: Promoter,
        source: &Reference,
        report: &Report<VerifiedSignature>,
        approval: Option<&Approval>,
        now: i64,
    ) -> Option<Self> {
        let signers: BTreeSet<&SignedBy> = report.verified().iter().map(VerifiedSignature::signer).collect();
        Some(Self {
            by,
            from: PlaceKind::of(source),
            verdict: PromotionVerdict {
                threshold: report.threshold().get(),
                signers: signers.into_iter().map(SignerDocument::of).collect(),
                policy: approval.map_or(PolicyVerdict::None, |approval| PolicyVerdict::Pass {
                    policy: format!("sha256:{}", approval.policy_sha256()),
                }),
            },
            when: time::rfc3339(now)?,
        })
    }

    /// Whether two records say the same, but for the time.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        self.by == other.by && self.from == other.from && self.verdict == other.verdict
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("all members have names and are texts or numbers")
    }
}

impl Promoter {
    pub(super) fn new(key: &PublicKey, name: Option<&str>) -> Self {
        Self { key: key.fingerprint().to_string(), name: name.map(str::to_owned) }
    }
}

impl PlaceKind {
    fn of(reference: &Reference) -> Self {
        match reference {
            Reference::Registry(_) => Self::Registry,
            Reference::Layout(_) => Self::Layout,
            Reference::Archive(_) => Self::Archive,
            Reference::DockerArchive(_) => Self::DockerArchive,
        }
    }
}

impl SignerDocument {
    fn of(signer: &SignedBy) -> Self {
        match signer {
            SignedBy::Key(fingerprint) => Self::Key { key: fingerprint.to_string() },
            SignedBy::Identity { subject, issuer } => {
                Self::Identity { identity: subject.clone(), issuer: issuer.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(when: &str, name: Option<&str>) -> Promotion {
        let signers = vec![
            SignerDocument::Key { key: "sha256:aa".into() },
            SignerDocument::Identity { identity: "ci@example.org".into(), issuer: "https://example.org".into() },
        ];
        Promotion {
            by: Promoter { key: "sha256:bb".into(), name: name.map(str::to_owned) },
            from: PlaceKind::DockerArchive,
            verdict: PromotionVerdict { threshold: 2, signers, policy: PolicyVerdict::None },
            when: when.into(),
        }
    }

    #[test]
    fn a_record_is_written_as_the_documentation_says_and_read_again() {
        let record = record("2026-11-22T00:00:00Z", None);
        let expected = concat!(
            r#"{"by":{"key":"sha256:bb"},"from":"docker-archive","verdict":{"threshold":2,"signers":[{"key":"sha256:aa"},"#,
            r#"{"identity":"ci@example.org","issuer":"https://example.org"}],"policy":"none"},"when":"2026-11-22T00:00:00Z"}"#
        );
        assert_eq!(record.to_json(), expected);
        assert_eq!(serde_json::from_str::<Promotion>(expected).unwrap(), record);
    }

    #[test]
    fn a_policys_verdict_is_in_it() {
        let mut record = record("2026-11-22T00:00:00Z", None);
        record.verdict.policy = PolicyVerdict::Pass { policy: "sha256:cc".into() };
        let text = record.to_json();
        assert!(text.contains(r#""policy":{"pass":{"policy":"sha256:cc"}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Promotion>(&text).unwrap(), record);
    }

    #[test]
    fn a_later_record_of_the_same_repeats_it() {
        let first = record("2026-11-22T00:00:00Z", None);
        assert!(first.repeats(&record("2026-11-23T00:00:00Z", None)));
        assert!(!first.repeats(&record("2026-11-22T00:00:00Z", Some("Ann"))));
    }
}
