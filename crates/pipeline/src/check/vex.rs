//! The VEX documents that were named, and which of them count.

use std::path::PathBuf;

use distil_policy::document::Vex;
use distil_vulns::vex::VexDocument;

use super::CheckError;
use crate::scan::read_vex;

/// Reads documents. Those that the policy does not trust are told apart, with the reason: of two statements about one thing
/// the later counts, so that whoever is not trusted could overrule who is.
///
/// # Errors
/// [`CheckError`] where a file cannot be read, or is no document that can be used.
pub(super) fn read(paths: &[PathBuf], rules: &Vex) -> Result<(Vec<VexDocument>, Vec<String>), CheckError> {
    let (mut trusted, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let document = read_vex(path)?;
        match objection(&document, rules) {
            None => trusted.push(document),
            Some(objection) => others.push(format!("{}: {objection}", document.id)),
        }
    }
    Ok((trusted, others))
}

fn objection(document: &VexDocument, rules: &Vex) -> Option<String> {
    if rules.require_signature && !document.is_verified {
        return Some("no signature of it was verified".to_owned());
    }
    if rules.trusted_authors.is_empty() {
        return None;
    }
    let author = document.author.as_deref();
    let is_trusted = author.is_some_and(|author| rules.trusted_authors.iter().any(|trusted| trusted == author));
    (!is_trusted).then(|| format!("its author is not trusted: {}", author.unwrap_or("nobody")))
}
