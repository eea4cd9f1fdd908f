//! `[attestations]`: what is said about an image beside it.

use distil_settings::{Keys, Section};

use super::problem::Problems;
use distil_sbom::{Agent, Contact, Format};

pub(super) const KEYS: Keys = Keys::all(&["sbom", "provenance", "in-index", "files", "author"]);

/// What is said about an image, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestations {
    /// The formats of SBOMs, each once.
    pub sbom: Vec<Format>,
    /// Whether it is said of what the image was built, and by what recipe.
    pub provenance: bool,
    /// Whether all that stands inside the index as well, in the form of BuildKit.
    pub in_index: bool,
    /// Whether SPDX documents list every file.
    pub files: bool,
    /// Who answers for the documents.
    pub author: Option<Agent>,
}

const FORMATS: &[&str] = &["spdx-2.3", "spdx-3.0", "cyclonedx-1.6"];
const AUTHOR: &str = "a name with a mail address or a URL, as in Release team <release@example.org>";

impl Default for Attestations {
    fn default() -> Self {
        Self { sbom: Format::ALL.into(), provenance: true, in_index: false, files: true, author: None }
    }
}

impl Attestations {
    /// Nothing at all.
    #[must_use]
    pub fn none() -> Self {
        Self { sbom: Vec::new(), provenance: false, ..Self::default() }
    }

    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        let formats = section.value("sbom").and_then(|v| {
            v.list(problems, |value, text, problems| {
                text.parse::<Format>().ok().or_else(|| value.one_of(text, FORMATS, &[], problems))
            })
        });
        let mut flag = |key| section.value(key).and_then(|v| v.boolean(problems));
        let (provenance, in_index, files) = (flag("provenance"), flag("in-index"), flag("files"));
        let author = section.value("author").and_then(|v| {
            let text = v.string(problems)?;
            author(text).or_else(|| v.malformed(text, AUTHOR, problems))
        });
        let mut sbom = formats.unwrap_or(default.sbom);
        sbom.sort();
        sbom.dedup();
        Self {
            sbom,
            provenance: provenance.unwrap_or(default.provenance),
            in_index: in_index.unwrap_or(default.in_index),
            files: files.unwrap_or(default.files),
            author,
        }
    }
}

/// Reads `Name <address>`, where the address may be a URL. A name alone is an author whom nobody can reach.
#[must_use]
pub fn author(text: &str) -> Option<Agent> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    let url = text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')).filter(|(_, url)| is_url(url));
    match url {
        Some((name, url)) if !name.trim().is_empty() => {
            let contact = Some(Contact::Url(url.to_owned()));
            Some(Agent { name: name.trim().to_owned(), contact, is_person: false })
        }
        Some(_) => None,
        None => Agent::parse(text),
    }
}

fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
