//! The JSON document of `verify`, `verify-attestation` and `verify-blob`.

use distil_signing::verify::{Report, SignedBy, Step, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

/// What was found about the signatures of something: the JSON document of `verify`, `verify-attestation` and `verify-blob`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerificationDocument {
    /// `distil.verify/v1`.
    pub schema: String,
    /// Whether enough different signers that are trusted have signed. Where it is false, nothing of all that follows is to be
    /// believed.
    pub verified: bool,
    /// The digest of what was to be verified: a manifest, an index or a file.
    pub digest: String,
    /// How many different signers were asked for.
    pub threshold: usize,
    /// How many different ones there are whose signatures are good.
    pub signers: usize,
    /// Each signature that was found, also those that are not good.
    pub signatures: Vec<SignatureDocument>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SignatureDocument {
    /// Where it lies.
    pub place: String,
    /// How it is stored: `simple-signing`, `envelope`, `bundle`, `legacy-bundle`, `detached`, `unreadable`.
    pub format: String,
    /// The key that signed: the SHA-256 of its SPKI. Left out where no key did, or it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who signed by a certificate. Left out where nobody did, or it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer of that identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whether every step went well.
    pub verified: bool,
    /// The steps of verification up to the one that failed.
    pub steps: Vec<StepDocument>,
    /// What was signed, as text: byte for byte the same. Only where all of the document is verified, and there is a payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// A step of verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StepDocument {
    /// `form`, `signer`, `signature`, `log`, `timestamps`, `type`, `subject`, `annotations` or `reference`.
    pub step: String,
    /// Whether it went well.
    pub ok: bool,
    /// What was found, or what is wrong.
    pub detail: String,
}

impl VerificationDocument {
    /// The document of a report.
    #[must_use]
    pub fn new<V>(report: &Report<V>) -> Self {
        let verified = report.is_verified();
        Self {
            schema: "distil.verify/v1".to_owned(),
            verified,
            digest: report.digest().to_string(),
            threshold: report.threshold().get(),
            signers: report.signers(),
            signatures: report.verdicts().iter().map(|verdict| SignatureDocument::new(verdict, verified)).collect(),
        }
    }
}

impl SignatureDocument {
    fn new(verdict: &Verdict, all_verified: bool) -> Self {
        let payload = verdict.payload.as_deref().filter(|_| all_verified);
        let (key, identity, issuer) = match &verdict.signer {
            Some(SignedBy::Key(fingerprint)) => (Some(fingerprint.to_string()), None, None),
            Some(SignedBy::Identity { subject, issuer }) => (None, Some(subject.clone()), Some(issuer.clone())),
            None => (None, None, None),
        };
        Self {
            place: verdict.place.clone(),
            format: verdict.format.to_string(),
            key,
            identity,
            issuer,
            verified: verdict.is_good(),
            steps: verdict.steps.iter().map(StepDocument::new).collect(),
            payload: payload.and_then(|payload| String::from_utf8(payload.to_vec()).ok()),
        }
    }
}

impl StepDocument {
    fn new(step: &Step) -> Self {
        let (Ok(detail) | Err(detail)) = &step.outcome;
        Self { step: step.name.to_string(), ok: step.outcome.is_ok(), detail: detail.clone() }
    }
}
