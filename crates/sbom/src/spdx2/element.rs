//! What stands for a package in a document, field by field.
//!
//! See the [specification](https://spdx.github.io/spdx-spec/v2.3/package-information/).

use std::borrow::Cow;

use serde::Serialize;

use super::identifier::NOASSERTION;
use crate::digests::Digests;
use crate::document::About;
use crate::inventory::{Agent, Contact};
use crate::json::Hex;
use distil_imgcore::Escaped;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element<'a> {
    #[serde(rename = "SPDXID")]
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version_info: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package_file_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) primary_package_purpose: Option<&'static str>,
    pub(super) supplier: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) originator: Option<String>,
    pub(super) download_location: Cow<'a, str>,
    pub(super) files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package_verification_code: Option<VerificationCode>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) built_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_info: Option<String>,
    pub(super) license_concluded: &'a str,
    pub(super) license_declared: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) license_comments: Option<String>,
    pub(super) copyright_text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_refs: Vec<ExternalRef>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Annotation<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct VerificationCode {
    #[serde(rename = "packageVerificationCodeValue", serialize_with = "digits")]
    pub(super) value: [u8; 20],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum {
    pub(super) algorithm: &'static str,
    pub(super) checksum_value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ExternalRef {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Annotation<'a> {
    #[serde(rename = "annotationDate")]
    pub(super) date: &'a str,
    #[serde(rename = "annotationType")]
    pub(super) kind: &'static str,
    pub(super) annotator: &'a str,
    pub(super) comment: String,
}

impl<'a> Element<'a> {
    /// An element of which nothing but its name is known.
    pub(super) fn new(id: impl Into<Cow<'a, str>>, name: &'a str) -> Self {
        Self {
            id: id.into(),
            // The field has to say something, and a document may come from one that had nothing.
            name: if name.is_empty() { "unnamed" } else { name }.into(),
            version_info: None,
            package_file_name: None,
            primary_package_purpose: None,
            supplier: NOASSERTION.into(),
            originator: None,
            download_location: NOASSERTION.into(),
            files_analyzed: false,
            package_verification_code: None,
            checksums: Vec::new(),
            built_date: None,
            homepage: None,
            source_info: None,
            license_concluded: NOASSERTION,
            license_declared: NOASSERTION,
            license_comments: None,
            copyright_text: NOASSERTION.into(),
            summary: None,
            description: None,
            comment: None,
            external_refs: Vec::new(),
            annotations: Vec::new(),
        }
    }
}

impl Checksum {
    pub(super) fn all(digests: &Digests) -> Vec<Self> {
        digests.named().map(|(algorithm, checksum_value)| Self { algorithm, checksum_value }).collect()
    }
}

impl ExternalRef {
    /// The package URL of what is installed: scanners look up vulnerabilities by it.
    pub(super) fn installed(purl: &crate::purl::Purl) -> Self {
        Self::new("PACKAGE-MANAGER", "purl", purl.to_string())
    }

    /// The package URL of what is not in the image by itself, such as a source package. As a `purl` Syft would take it for one
    /// more installed package whatever the category, and Trivy in the category of package managers.
    pub(super) fn elsewhere(purl: &crate::purl::Purl) -> Self {
        Self::new("OTHER", "package-url", purl.to_string())
    }

    pub(super) fn advisory(url: String) -> Self {
        Self::new("SECURITY", "advisory", url)
    }

    pub(super) fn cpe(name: String) -> Self {
        Self::new("SECURITY", "cpe23Type", name)
    }

    fn new(category: &'static str, kind: &'static str, locator: String) -> Self {
        Self { category, kind, locator }
    }
}

/// Somebody in the form of the specification: `Organization: NAME (MAIL)`. Only mail addresses have a place in it.
pub(super) fn actor(agent: &Agent) -> String {
    let kind = if agent.is_person { "Person" } else { "Organization" };
    let name = Escaped(agent.name.as_bytes());
    match &agent.contact {
        Some(Contact::Mail(mail)) if is_plain(mail) => format!("{kind}: {name} ({mail})"),
        _ => format!("{kind}: {name}"),
    }
}

/// Who answers for a document.
pub(super) fn author(about: &About) -> String {
    // The specification's word for authors that are not named.
    about.author.as_ref().map_or_else(|| "Organization: anonymous".to_owned(), actor)
}

/// Whether a text is a URL of a page as validators want it. Control files have all sorts in the field.
pub(super) fn is_page(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    host.contains('.')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b))
        && url.bytes().all(allowed)
}

fn is_plain(mail: &str) -> bool {
    mail.contains('@') && mail.chars().all(|c| c.is_ascii_graphic() && !"()<>\"\\".contains(c))
}

fn digits<S: serde::Serializer>(bytes: &[u8; 20], serializer: S) -> Result<S::Ok, S::Error> {
    Hex(bytes).serialize(serializer)
}
