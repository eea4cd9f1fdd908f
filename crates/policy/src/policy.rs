//! A whole policy.

use distil_imgcore::Digest;

use distil_settings::{Document, Keys, Section};

use crate::document::{
    Admission, Data, Exception, Exceptions, Freshness, Glob, Hardening, Immutable, Licences, Packages, SeverityRules,
    Signatures, Size, Vex, Vulnerabilities,
};
use crate::document::{
    admission, data, exception, freshness, hardening, licences, packages, registry, severity, signatures, size, time,
    vex, vulnerabilities,
};

use crate::document::reading::text;
use crate::problem::{PolicyError, Problems};

/// The longest policy that is read, in bytes.
pub const MAX_POLICY: usize = 1 << 20;

/// The JSON Schema (draft 2020-12) of the policy, by which editors complete and check `distil-policy.toml`.
///
/// It is written by hand, since it says what the parser's types do not: what a key is for, and how a time or a pattern is
/// spelled. Tests compare it with the parser.
pub const SCHEMA: &str = include_str!("schema/policy.json");

const KEYS: Keys = Keys::all(&[
    "version",
    "name",
    "time",
    "data",
    "severity",
    "vulnerabilities",
    "vex",
    "exception",
    "exceptions",
    "hardening",
    "freshness",
    "admission",
    "registry",
    "signatures",
    "packages",
    "licences",
    "size",
]);

/// The form of policies that this version reads.
const VERSION: i64 = 1;

/// The shortest policy: all is as it is where nothing else is said.
const SHORTEST: &str = "version = 1\n";

/// What an image is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How verdicts name it.
    pub name: String,
    /// `[data]`
    pub data: Data,
    /// `[severity]`
    pub severity: SeverityRules,
    /// `[vulnerabilities]`
    pub vulnerabilities: Vulnerabilities,
    /// `[vex]`
    pub vex: Vex,
    /// `[[exception]]`, in the order of the file.
    pub exception: Vec<Exception>,
    /// `[exceptions]`
    pub exceptions: Exceptions,
    /// `[hardening]`
    pub hardening: Hardening,
    /// `[freshness]`
    pub freshness: Freshness,
    /// `[admission]`
    pub admission: Admission,
    /// `[registry.immutable]`
    pub immutable: Immutable,
    /// `[signatures]`
    pub signatures: Signatures,
    /// `[packages]`
    pub packages: Packages,
    /// `[licences]`
    pub licences: Licences,
    /// `[size]`
    pub size: Size,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
}

impl Policy {
    /// Reads a policy.
    ///
    /// ```
    /// use distil_policy::Policy;
    ///
    /// let policy = Policy::parse("version = 1\n[vulnerabilities]\nresolution = { critical = '2d' }\n")?;
    /// assert_eq!(policy.vulnerabilities.resolution.critical, Some(2));
    /// assert_eq!(policy.vulnerabilities.resolution.high, Some(30));
    ///
    /// let error = Policy::parse("version = 1\n[vulnerabilites]\n").unwrap_err();
    /// assert_eq!((error.problems[0].line, error.problems[0].column), (2, 2));
    /// # Ok::<(), distil_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`] with every mistake; where the text is not TOML, with what is wrong about that alone.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        const POLICY: Document = Document { name: "the policy", longest: MAX_POLICY };
        let sha256 = Digest::of(text.as_bytes()).hex();
        POLICY.read(text, KEYS, |top, problems| Self { sha256, ..Self::read(top, problems) })
    }

    /// What is asked of the signatures of an image with this name and of what is attached to it, all of which must hold: what is
    /// asked of all images, and what is asked of those that a pattern stands for.
    pub fn asked_of(&self, reference: &str) -> impl Iterator<Item = (Option<&Glob>, &Signatures)> {
        let rules = self.admission.images.iter().filter(move |rule| rule.covers(reference));
        std::iter::once((None, &self.signatures)).chain(rules.map(|rule| (Some(&rule.images), &rule.asks)))
    }

    fn read(top: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        // Before all else: a form that this version does not know may mean something else by the same words.
        top.required("version", problems).and_then(|value| value.integer(VERSION..=VERSION, problems));
        let default = Self::default();
        let name = top.value("name").and_then(|value| text(&value, problems));
        let zone = top.value("time").and_then(|value| value.section(time::KEYS, problems));
        if let Some(section) = zone {
            time::read(&section, problems);
        }
        let mut section = |key, keys| top.value(key).and_then(|value| value.section(keys, problems));
        let (data, severity) = (section("data", data::KEYS), section("severity", severity::KEYS));
        let vulnerabilities = section("vulnerabilities", vulnerabilities::KEYS);
        let (vex, exceptions) = (section("vex", vex::KEYS), section("exceptions", exception::KEYS));
        let (hardening, freshness) = (section("hardening", hardening::KEYS), section("freshness", freshness::KEYS));
        let (admission, signatures) = (section("admission", admission::KEYS), section("signatures", signatures::KEYS));
        let (packages, licences) = (section("packages", packages::KEYS), section("licences", licences::KEYS));
        let (size, registry) = (section("size", size::KEYS), section("registry", registry::KEYS));
        let exceptions = exceptions.map_or(default.exceptions, |s| Exceptions::read(&s, problems));
        let signatures =
            signatures.map_or(default.signatures, |s| Signatures::read(&s, signatures::TABLE, &[], problems));
        let exception = top.value("exception").and_then(|v| Exception::read_all(&v, &exceptions, problems));
        Self {
            name: name.unwrap_or(default.name),
            data: data.map_or(default.data, |s| Data::read(&s, problems)),
            severity: severity.map_or(default.severity, |s| SeverityRules::read(&s, problems)),
            vulnerabilities: vulnerabilities.map_or(default.vulnerabilities, |s| Vulnerabilities::read(&s, problems)),
            vex: vex.map_or(default.vex, |s| Vex::read(&s, problems)),
            exception: exception.unwrap_or_default(),
            exceptions,
            hardening: hardening.map_or(default.hardening, |s| Hardening::read(&s, problems)),
            freshness: freshness.map_or(default.freshness, |s| Freshness::read(&s, problems)),
            admission: admission.map_or(default.admission, |s| Admission::read(&s, &signatures.authorities, problems)),
            immutable: registry.map_or(default.immutable, |s| Immutable::read(&s, problems)),
            signatures,
            packages: packages.map_or(default.packages, |s| Packages::read(&s, problems)),
            licences: licences.map_or(default.licences, |s| Licences::read(&s, problems)),
            size: size.map_or(default.size, |s| Size::read(&s, problems)),
            sha256: default.sha256,
        }
    }
}

/// The keys of each table with fixed ones, by the table's name in the schema; that of the top is empty.
#[cfg(test)]
fn known_keys() -> [(&'static str, &'static [&'static str]); 25] {
    let tables = [
        ("", KEYS),
        ("time", time::KEYS),
        ("data", data::KEYS),
        ("severity", severity::KEYS),
        ("override", severity::OVERRIDE_KEYS),
        ("vulnerabilities", vulnerabilities::KEYS),
        ("resolution", vulnerabilities::RESOLUTION_KEYS),
        ("at-creation", vulnerabilities::AT_CREATION_KEYS),
        ("deny", vulnerabilities::DENY_KEYS),
        ("vex", vex::KEYS),
        ("exception", exception::EXCEPTION_KEYS),
        ("exceptions", exception::KEYS),
        ("hardening", hardening::KEYS),
        ("allow", hardening::ALLOW_KEYS),
        ("freshness", freshness::KEYS),
        ("admission", admission::KEYS),
        ("image", crate::document::image::KEYS),
        ("registry", registry::KEYS),
        ("immutable", registry::IMMUTABLE_KEYS),
        ("signatures", signatures::KEYS),
        ("authority", signatures::AUTHORITY_KEYS),
        ("keyless", signatures::KEYLESS_KEYS),
        ("packages", packages::KEYS),
        ("licences", licences::KEYS),
        ("size", size::KEYS),
    ];
    tables.map(|(name, keys)| (name, keys.known))
}

/// What a policy says that says nothing.
impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "policy".to_owned(),
            data: Data::default(),
            severity: SeverityRules::default(),
            vulnerabilities: Vulnerabilities::default(),
            vex: Vex::default(),
            exception: Vec::new(),
            exceptions: Exceptions::default(),
            hardening: Hardening::default(),
            freshness: Freshness::default(),
            admission: Admission::default(),
            immutable: Immutable::default(),
            signatures: Signatures::default(),
            packages: Packages::default(),
            licences: Licences::default(),
            size: Size::default(),
            sha256: Digest::of(SHORTEST.as_bytes()).hex(),
        }
    }
}

#[cfg(test)]
mod proposed;
#[cfg(test)]
mod tests;
