//! What `sign` and `attest` put beside an image, as a document.

use distil_signing::verify::SignedBy;
use schemars::JsonSchema;
use serde::Serialize;

use super::beside::AddedForm;
use super::sign::Signed;

/// The JSON document of `sign` and `attest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SignedDocument {
    /// `distil.signed/v1`.
    pub schema: String,
    /// The image, as it was asked for.
    pub reference: String,
    /// The digest of its index, or of its manifest where there is no index.
    pub digest: String,
    /// The repository that it was signed for; missing where no form has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The SHA-256 of the public key that verifies.
    pub key: String,
    /// The name in the certificate, where it was signed with one, and not with a key that verifiers have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Who vouches for that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// One for each statement or signature.
    pub signed: Vec<SignedManifestDocument>,
    /// The manifests of attached statements that are about something else, and were left unsigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<String>,
}

/// A signature or statement about a manifest or index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SignedManifestDocument {
    /// What it is about.
    pub digest: String,
    /// The platform, as in `linux/amd64`, where the manifest is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The type of the predicate; missing where it is a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// In which forms it is there now.
    pub forms: Vec<FormDocument>,
}

/// A signature or statement in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FormDocument {
    /// `legacy` or `bundle`.
    pub form: String,
    /// Whether it was written now; otherwise the same was there already, by the same key.
    pub new: bool,
    /// The digest of the manifest that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// Identity and issuer, where a certificate has them.
pub(super) fn named(certified: Option<&SignedBy>) -> (Option<String>, Option<String>) {
    match certified {
        Some(SignedBy::Identity { subject, issuer }) => (Some(subject.clone()), Some(issuer.clone())),
        Some(SignedBy::Key(_)) | None => (None, None),
    }
}

impl SignedDocument {
    /// The document about an image that was asked for as `reference`.
    #[must_use]
    pub fn new(reference: &str, signed: &Signed) -> Self {
        let form = |found: &AddedForm| FormDocument {
            form: found.form.as_str().to_owned(),
            new: found.manifest.is_some(),
            manifest: found.manifest.as_ref().map(ToString::to_string),
        };
        let added = signed.added.iter().map(|(platform, added)| SignedManifestDocument {
            digest: added.image.to_string(),
            platform: platform.as_ref().map(ToString::to_string),
            predicate_type: added.predicate_type.clone(),
            forms: added.forms.iter().map(form).collect(),
        });
        let (identity, issuer) = named(signed.certified.as_ref());
        Self {
            schema: "distil.signed/v1".to_owned(),
            reference: reference.to_owned(),
            digest: signed.digest.to_string(),
            name: signed.name.clone(),
            key: signed.key.to_string(),
            identity,
            issuer,
            signed: added.collect(),
            foreign: signed.foreign.iter().map(ToString::to_string).collect(),
        }
    }
}
