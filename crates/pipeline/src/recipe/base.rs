//! `[base]`: an image to start from.

use distil_settings::{Keys, Place, Section, Value, ValueProblem};

use super::problem::Problems;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use distil_imgcore::{Reference, RegistryName};
use distil_signing::verify::Pattern;

use crate::signing::TrustOptions;

pub(super) const KEYS: Keys = Keys::all(&[
    "image",
    "public-name",
    "key",
    "certificate-identity",
    "certificate-identity-regexp",
    "certificate-oidc-issuer",
    "certificate-oidc-issuer-regexp",
    "trusted-root",
    "threshold",
]);

/// The image that another one starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Where it is. A path in it is relative to the recipe.
    pub image: Reference,
    /// What annotations may call it: `HOST/REPOSITORY[:TAG]`. Where the recipe gives none, they do not name it.
    pub public_name: Option<String>,
    /// Who must have signed it, where the recipe says so. Nothing is built on it then before that is verified.
    pub trust: Option<BaseTrust>,
    /// Where the recipe says which image it is.
    pub place: Place,
}

/// Who must have signed a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseTrust {
    /// Who. Paths are relative to the recipe.
    pub options: TrustOptions,
    /// Where the recipe says so.
    pub place: Place,
}

const IMAGE: &str = "an image, as in docker://registry.example.org/team/base:v1, oci:DIR:TAG or oci-archive:FILE";
const PUBLIC_NAME: &str = "the name of an image in a registry, as in registry.example.org/team/base";
const FILE: &str = "the path of a file";
const NAME: &str = "a name";
const EXPRESSION: &str = "a regular expression for the whole name";

/// Of the first there is one, where a base has to be signed, and of the second, where the first is no key.
const SIGNERS: &[&str] = &["key", "certificate-identity", "certificate-identity-regexp"];
const ISSUERS: &[&str] = &["certificate-oidc-issuer", "certificate-oidc-issuer-regexp"];
/// What means nothing where nobody has to have signed.
const MORE: &[&str] = &["trusted-root", "threshold"];
/// More different signers of one image than anybody has.
const MOST_SIGNERS: i64 = 1000;

impl Base {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let public_name = section.value("public-name").and_then(|v| {
            let text = v.string(problems)?;
            // A digest belongs into an annotation of its own, and the one of the base is known only when it is read.
            let fits = text.parse::<RegistryName>().is_ok_and(|name| name.digest().is_none());
            if fits { Some(text.to_owned()) } else { v.malformed(text, PUBLIC_NAME, problems) }
        });
        let trust = BaseTrust::read(section, problems);
        let image = section.required("image", problems)?;
        let text = image.string(problems)?;
        let reference = text.parse().ok().or_else(|| image.malformed(text, IMAGE, problems))?;
        Some(Self { image: reference, public_name, trust, place: image.place(problems) })
    }
}

impl BaseTrust {
    fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let all = || SIGNERS.iter().chain(ISSUERS).chain(MORE);
        let first = all().find_map(|key| section.value(key))?;
        let by_key = section.value("key").is_some();
        section.exactly_one(SIGNERS, problems);
        let by_name = SIGNERS.iter().any(|key| *key != "key" && section.value(key).is_some());
        if by_name && !by_key {
            section.exactly_one(ISSUERS, problems);
        }
        for issuer in ISSUERS.iter().filter(|_| by_key).filter_map(|key| section.value(key)) {
            issuer.problem::<(), _, _>(problems, |key| ValueProblem::Useless { key, beside: "key" });
        }
        let mut text = |key, expected| text(&section.value(key)?, expected, problems);
        let certificate_identity = text("certificate-identity", NAME);
        let certificate_oidc_issuer = text("certificate-oidc-issuer", NAME);
        let trusted_root = text("trusted-root", FILE).map(PathBuf::from);
        let certificate_identity_regexp = expression(section.value("certificate-identity-regexp"), problems);
        let certificate_oidc_issuer_regexp = expression(section.value("certificate-oidc-issuer-regexp"), problems);
        let threshold = section.value("threshold").and_then(|v| v.integer(1..=MOST_SIGNERS, problems));
        let options = TrustOptions {
            keys: section.value("key").and_then(|v| keys(&v, problems)).unwrap_or_default(),
            certificate_identity,
            certificate_identity_regexp,
            certificate_oidc_issuer,
            certificate_oidc_issuer_regexp,
            trusted_root,
            threshold: threshold.and_then(|n| NonZeroUsize::new(usize::try_from(n).ok()?)),
            ..TrustOptions::default()
        };
        Some(Self { options, place: first.place(problems) })
    }
}

/// The file of a key, or a list of them.
fn keys(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<PathBuf>> {
    if value.is_string() {
        return Some(vec![PathBuf::from(text(value, FILE, problems)?)]);
    }
    if value.is_empty_array() {
        return value.malformed("[]", "the file of a public key, or several", problems);
    }
    value.list(
        problems,
        |v, found, problems| {
            if found.is_empty() { v.malformed(found, FILE, problems) } else { Some(PathBuf::from(found)) }
        },
    )
}

/// A text that is not empty.
fn text(value: &Value<'_, '_>, expected: &'static str, problems: &mut Problems<'_>) -> Option<String> {
    let found = value.string(problems)?;
    if found.is_empty() { value.malformed(found, expected, problems) } else { Some(found.to_owned()) }
}

fn expression(value: Option<Value<'_, '_>>, problems: &mut Problems<'_>) -> Option<String> {
    let value = value?;
    let found = value.string(problems)?;
    if Pattern::regex(found).is_ok() { Some(found.to_owned()) } else { value.malformed(found, EXPRESSION, problems) }
}
