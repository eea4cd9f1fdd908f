//! `[signatures]`: who must have signed, and what must be attached.

use super::reading::{age_or_none, flag, or, text, texts};
use crate::problem::{PolicyProblem, Problems};
use distil_settings::{Keys, Section, Value, ValueProblem};
use distil_signing::predicate::PredicateType;
use distil_signing::verify::Pattern;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use jiff::SignedDuration;

/// Who must have signed, and what must be attached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signatures {
    /// Those who are trusted to sign; each alone is enough.
    pub authorities: Vec<Authority>,
    /// Whether one of them must have signed the image.
    pub require_signature: bool,
    /// The predicate types of statements that must be attached, signed by one of them.
    pub require_attestations: Vec<String>,
    /// Whether an SBOM must be attached, in any form.
    pub require_sbom: bool,
    /// Older statements of these types do not count.
    pub max_attestation_age: Option<SignedDuration>,
}

/// Who is trusted to sign: holders of keys, or names in certificates. It has keys or names, never both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authority {
    /// How messages name it; no other one has this name.
    pub name: String,
    /// Files of public keys in PEM, relative to the policy's folder.
    pub keys: Vec<PathBuf>,
    /// The name that a certificate must have.
    pub certificate_identity: Option<String>,
    /// In place of that, an expression that matches the whole name.
    pub certificate_identity_regexp: Option<String>,
    /// The issuer of that name.
    pub certificate_oidc_issuer: Option<String>,
    /// In place of that, an expression that matches the whole URL.
    pub certificate_oidc_issuer_regexp: Option<String>,
    /// The file of the trusted root, relative to the policy's folder.
    pub trusted_root: Option<PathBuf>,
    /// How many different signers there must be; one where it is left out.
    pub threshold: Option<NonZeroUsize>,
    /// Whether signatures by keys must be in a log, too.
    pub require_tlog: bool,
    /// Whether there must be an RFC 3161 timestamp.
    pub use_signed_timestamps: bool,
}

pub(crate) const KEYS: Keys =
    Keys::all(&["authority", "require-signature", "require-attestations", "require-sbom", "max-attestation-age"]);
pub(crate) const TABLE: &str = "signatures";
pub(crate) const AUTHORITY_KEYS: Keys = Keys::all(&[
    "name",
    "key",
    "keyless",
    "certificate-identity",
    "certificate-identity-regexp",
    "certificate-oidc-issuer",
    "certificate-oidc-issuer-regexp",
    "trusted-root",
    "threshold",
    "require-tlog",
    "use-signed-timestamps",
]);

pub(crate) const KEYLESS_KEYS: Keys = Keys::all(&["subject", "subject-regexp", "issuer", "issuer-regexp"]);

const SIGNERS: &[&str] = &["key", "keyless", "certificate-identity", "certificate-identity-regexp"];
const IDENTITIES: &[&str] = &["certificate-identity", "certificate-identity-regexp"];
const ISSUERS: &[&str] = &["certificate-oidc-issuer", "certificate-oidc-issuer-regexp"];
const KEYLESS_SUBJECTS: &[&str] = &["subject", "subject-regexp"];
const KEYLESS_ISSUERS: &[&str] = &["issuer", "issuer-regexp"];
const TYPE: &str = "a type of predicates as in slsaprovenance1, or its URI";
const EXPRESSION: &str = "a regular expression for the whole name";
const SOME: &str = "the file of a public key, or several";
/// More different signers of one image than anybody has.
const MOST_SIGNERS: i64 = 1000;

impl Signatures {
    /// Reads a section of this name. `known` are the authorities of other sections: a name stands for one and the same in all.
    pub(crate) fn read(
        section: &Section<'_, '_>,
        name: &'static str,
        known: &[Authority],
        problems: &mut Problems<'_>,
    ) -> Self {
        let mut authorities: Vec<Authority> = Vec::new();
        let tables = section.value("authority").and_then(|value| value.elements(problems)).unwrap_or_default();
        for table in &tables {
            let Some(authority) = Authority::read(table, problems) else { continue };
            if authorities.iter().any(|other| other.name == authority.name) {
                let first = format!("the authority {}", authority.name);
                table.problem::<(), _, _>(problems, |key| ValueProblem::Twice { key, first });
            } else if known.iter().any(|other| other.name == authority.name && *other != authority) {
                let name = authority.name.clone();
                table.problem::<(), _, _>(problems, |key| PolicyProblem::OtherAuthority { key, name });
            }
            authorities.push(authority);
        }
        // Who says whose signatures are good wants one.
        let require_signature = flag(section, "require-signature", !tables.is_empty(), problems);
        let mut require_attestations = or(section, "require-attestations", Vec::new(), problems, types);
        let verdict = section.value("policy-result").and_then(|value| value.choice(&["pass"], &[()], problems));
        if tables.is_empty() {
            let asks = [
                ("require-signature", require_signature),
                ("require-attestations", !require_attestations.is_empty()),
                ("policy-result", verdict.is_some()),
            ];
            for value in asks.iter().filter(|(_, asks)| *asks).filter_map(|(key, _)| section.value(key)) {
                value.problem::<(), _, _>(problems, |key| PolicyProblem::NoAuthority { key, table: name });
            }
        }
        // That the verdict was a pass is what a verification summary says.
        let summary = verdict.map(|()| PredicateType::VSA.uri().to_owned());
        require_attestations.extend(summary.filter(|summary| !require_attestations.contains(summary)));
        Self {
            authorities,
            require_signature,
            require_attestations,
            require_sbom: flag(section, "require-sbom", false, problems),
            max_attestation_age: or(section, "max-attestation-age", None, problems, age_or_none),
        }
    }
}

impl Signatures {
    /// Whether one of these names is that of an authority here.
    #[must_use]
    pub fn trusts(&self, names: &BTreeSet<String>) -> bool {
        self.authorities.iter().any(|authority| names.contains(&authority.name))
    }
}

impl Authority {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(AUTHORITY_KEYS, problems)?;
        section.exactly_one(SIGNERS, problems);
        if let Some(beside) = ["key", "keyless"].into_iter().find(|key| section.value(key).is_some()) {
            for issuer in ISSUERS.iter().filter_map(|key| section.value(key)) {
                issuer.problem::<(), _, _>(problems, |key| ValueProblem::Useless { key, beside });
            }
        } else if SIGNERS.iter().any(|key| section.value(key).is_some()) {
            // Whoever runs an issuer of his own can have any name in it.
            section.exactly_one(ISSUERS, problems);
        }
        let keys = section.value("key").and_then(|value| files(&value, problems)).unwrap_or_default();
        let trusted_root = section.value("trusted-root").and_then(|value| text(&value, problems)).map(PathBuf::from);
        let keyless = section.value("keyless").and_then(|value| value.section(KEYLESS_KEYS, problems));
        let identity = match keyless {
            Some(keyless) => {
                keyless.exactly_one(KEYLESS_SUBJECTS, problems);
                keyless.exactly_one(KEYLESS_ISSUERS, problems);
                identity(&keyless, KEYLESS_SUBJECTS, KEYLESS_ISSUERS, problems)
            }
            None => identity(&section, IDENTITIES, ISSUERS, problems),
        };
        let [
            certificate_identity,
            certificate_identity_regexp,
            certificate_oidc_issuer,
            certificate_oidc_issuer_regexp,
        ] = identity;
        let threshold = section.value("threshold").and_then(|value| value.integer(1..=MOST_SIGNERS, problems));
        let require_tlog = flag(&section, "require-tlog", false, problems);
        let use_signed_timestamps = flag(&section, "use-signed-timestamps", false, problems);
        let name = section.required("name", problems).and_then(|value| text(&value, problems));
        Some(Self {
            name: name?,
            keys,
            certificate_identity,
            certificate_identity_regexp,
            certificate_oidc_issuer,
            certificate_oidc_issuer_regexp,
            trusted_root,
            threshold: threshold.and_then(|most| NonZeroUsize::new(usize::try_from(most).ok()?)),
            require_tlog,
            use_signed_timestamps,
        })
    }
}

/// A name and an issuer, each as it is and as an expression: under the keys of one of the two spellings.
fn identity(
    section: &Section<'_, '_>,
    names: &[&str],
    issuers: &[&str],
    problems: &mut Problems<'_>,
) -> [Option<String>; 4] {
    let mut at = |keys: &[&str], nth: usize| {
        let value = section.value(keys.get(nth)?)?;
        if nth == 0 { text(&value, problems) } else { expression(&value, problems) }
    };
    [at(names, 0), at(names, 1), at(issuers, 0), at(issuers, 1)]
}

/// The types of cosign as they are often written, without a scheme. Statements have one.
const WITHOUT_SCHEME: &[&str] = &["cosign.sigstore.dev/attestation/v1", "cosign.sigstore.dev/attestation/vuln/v1"];

/// The URIs of types of predicates.
fn types(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    value.list(problems, |value, text, problems| {
        if WITHOUT_SCHEME.contains(&text) {
            return Some(format!("https://{text}"));
        }
        let kind = text.parse::<PredicateType>().ok().map(|kind| kind.uri().to_owned());
        kind.or_else(|| value.malformed(text, TYPE, problems))
    })
}

/// A file, or a list of at least one.
fn files(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<PathBuf>> {
    if value.is_string() {
        return Some(vec![PathBuf::from(text(value, problems)?)]);
    }
    if value.is_empty_array() {
        return value.malformed("[]", SOME, problems);
    }
    Some(texts(value, problems)?.into_iter().map(PathBuf::from).collect())
}

fn expression(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    let text = value.string(problems)?;
    Pattern::regex(text).is_ok().then(|| text.to_owned()).or_else(|| value.malformed(text, EXPRESSION, problems))
}
