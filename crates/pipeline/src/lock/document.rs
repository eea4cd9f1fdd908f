//! What `lock` did, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::Locking;

/// The JSON document of `lock`: how the packages of a recipe changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LockDocument {
    /// `distil.lock/v1`.
    pub schema: String,
    /// The packages that came, went or have another version, by name.
    pub changes: Vec<ChangeDocument>,
    /// Another base image than before, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseChangeDocument>,
    /// How the recipe differs from the one that the lock was made for that was there, in words.
    pub differences: Vec<String>,
    /// How many .debs the lock holds.
    pub packages: usize,
    /// What a vendored directory proves, where the lock was held against one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofDocument>,
}

/// Another base image than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BaseChangeDocument {
    /// The digest before; null where there was no base, or the lock did not say.
    pub from: Option<String>,
    /// The digest now; null where there is no base any more.
    pub to: Option<String>,
}

/// What a vendored directory proves of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ProofDocument {
    /// What does not fit, in words; nothing where all does.
    pub findings: Vec<String>,
    /// How many packages of the lock a key vouches for, through a signed file and an index.
    pub proved: usize,
    /// How many packages of the lock lie in the directory with the bytes that it states.
    pub present: usize,
}

/// A package that came, went or has another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChangeDocument {
    /// Its name.
    pub package: String,
    /// Its architecture, in Debian's words.
    pub architecture: String,
    /// The version before; null for a package that is new.
    pub from: Option<String>,
    /// The version now; null for a package that is gone.
    pub to: Option<String>,
}

impl LockDocument {
    /// The document about a lock that was made or checked.
    #[must_use]
    pub fn new(locking: &Locking) -> Self {
        let changes = locking.changes.iter().map(|change| ChangeDocument {
            package: change.package.to_string(),
            architecture: change.architecture.to_string(),
            from: change.from.as_ref().map(ToString::to_string),
            to: change.to.as_ref().map(ToString::to_string),
        });
        Self {
            schema: "distil.lock/v1".to_owned(),
            changes: changes.collect(),
            base: locking.base.as_ref().map(|change| BaseChangeDocument {
                from: change.from.as_ref().map(ToString::to_string),
                to: change.to.as_ref().map(ToString::to_string),
            }),
            differences: locking.differences.iter().map(ToString::to_string).collect(),
            packages: locking.packages,
            proof: locking.proof.as_ref().map(|proof| ProofDocument {
                findings: proof.findings.clone(),
                proved: proof.proved,
                present: proof.present,
            }),
        }
    }
}
