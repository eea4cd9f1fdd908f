//! A whole policy.

use distil_imgcore::Digest;

use crate::document::{
    Admission, Data, Exception, Exceptions, Freshness, Hardening, Licences, Packages, SeverityRules, Signatures, Size,
    Vex, Vulnerabilities,
};

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
            signatures: Signatures::default(),
            packages: Packages::default(),
            licences: Licences::default(),
            size: Size::default(),
            sha256: Digest::of(SHORTEST.as_bytes()).hex(),
        }
    }
}
