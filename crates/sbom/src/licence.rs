//! Licences of packages: from Debian copyright files and the free text of other ecosystems to SPDX expressions.
//!
//! Nothing here claims a licence that is not there. What SPDX has no name for, and what is not sure, becomes a `LicenseRef` with
//! its text. No deprecated id is ever used.

mod curated;
mod draft;
mod ecosystems;
mod expression;
mod free_form;
mod gnu;
mod grammar;
mod names;
mod stanzas;
mod tables;
mod text;
mod wording;

use std::collections::BTreeMap;

use distil_debunpack::copyright::{self, Copyright};

pub use ecosystems::of_name;

use draft::Draft;

/// The version of the SPDX licence list that all ids are from.
pub const LICENSE_LIST_VERSION: &str = spdx::identifiers::VERSION;

/// The licences of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Licences {
    /// What its authors declare, as an SPDX expression. None where nothing was found, which is not "no licence".
    pub declared: Option<String>,
    /// What holds for it by the rules of this crate. None as above.
    pub concluded: Option<String>,
    /// Lines of copyright, without duplicates, in the order of the file.
    pub copyright: Vec<String>,
    /// What was guessed to come to the expression, for people.
    pub remarks: Vec<String>,
}

/// What a copyright file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Analysis {
    /// The licences.
    pub licences: Licences,
    /// The texts of the licences that SPDX has no name for, by `LicenseRef-…`: exactly those in the expressions.
    pub texts: BTreeMap<String, String>,
}

/// Reads the copyright file of a package that was built from this source package.
///
/// Any bytes have an answer. A file beyond all measure is one licence as a whole, whose text is cut.
#[must_use]
pub fn analyse(copyright: &[u8], source: &str) -> Analysis {
    let text = copyright::decode(copyright);
    if text.trim().is_empty() {
        return Analysis::default();
    }
    let mut draft = Draft::default();
    let is_all = curated::analyse(&text, source, &mut draft);
    match Copyright::parse(&text) {
        Copyright::MachineReadable(stanzas) => stanzas::analyse(&stanzas, &mut draft),
        Copyright::FreeForm if is_all => free_form::copyright(&text, &mut draft),
        Copyright::FreeForm => free_form::analyse(&text, source, &mut draft),
    }
    if draft.is_empty() || draft.is_too_much() || copyright.len() > copyright::MAX_BYTES {
        draft = draft.whole(source, &text);
    }
    draft.finish().or_else(|| Draft::default().whole(source, &text).finish()).unwrap_or_default()
}
