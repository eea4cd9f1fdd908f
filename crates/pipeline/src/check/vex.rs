//! VEX documents, in files and attached to the image, and which of them count.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use distil_imgcore::{Descriptor, Digest, Escaped};
use distil_policy::document::Vex;
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{Candidate, Stored};
use distil_signing::{legacy, referrer};
use distil_vulns::vex::{self, VexDocument};

use super::CheckError;
use super::attested::Found;
use super::signed::Authorities;
use crate::file_pattern::FilePattern;
use crate::inputs;
use crate::scan::{read_vex_bytes, vex_bytes};
use crate::signing::{Blob, NotVerified, SignatureFile, verify_blob};

/// Documents in files.
#[derive(Debug, Default)]
pub(super) struct VexFiles {
    /// Those that count.
    pub(super) documents: Vec<VexDocument>,
    /// Those that do not, with the reason: a line each.
    pub(super) unusable: Vec<String>,
    /// What a reader should know: a line each.
    pub(super) notes: Vec<String>,
}

/// Documents that are attached to an image.
#[derive(Debug, Default)]
pub(super) struct AttachedVex {
    /// Those that count, by the manifest that they are attached to.
    pub(super) documents: BTreeMap<Digest, Vec<VexDocument>>,
    /// Those that do not, with the reason: a line each.
    pub(super) unusable: Vec<String>,
    /// Those of which nobody who is trusted has signed: a line each.
    pub(super) notes: Vec<String>,
}

/// Reads documents. Those that the policy does not trust are told apart, with the reason: of two statements about one thing
/// the later counts, so that whoever is not trusted could overrule who is.
///
/// # Errors
/// [`CheckError`] where a file cannot be read, or is no document that can be used.
pub(super) fn read(paths: &[PathBuf], rules: &Vex, authorities: &Authorities) -> Result<VexFiles, CheckError> {
    let mut found = VexFiles::default();
    for path in paths {
        let bytes = vex_bytes(path)?;
        let mut document = read_vex_bytes(path, &bytes)?;
        match signature(path, &bytes, authorities)? {
            Signature::None => {}
            Signature::Good => document.is_verified = true,
            Signature::Bad(reason) => found.notes.push(reason),
        }
        match objection(&document, rules) {
            None => found.documents.push(document),
            Some(objection) => found.unusable.push(format!("{}: {objection}", document.id)),
        }
    }
    Ok(found)
}

/// The files of documents: those that are named, and those in the policy's folder that the policy names, each once.
///
/// # Errors
/// [`CheckError::NoDocuments`] where the policy names some and there are none: somebody relies on what they say.
pub(super) fn files(named: &[PathBuf], rules: &Vex, folder: &Path) -> Result<Vec<PathBuf>, CheckError> {
    // A link to a document is that document, and one that is missing is told where it is read.
    let place = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut places: BTreeSet<PathBuf> = named.iter().map(|path| place(path)).collect();
    let mut files = named.to_vec();
    for text in &rules.documents {
        let none = || CheckError::NoDocuments { pattern: text.clone() };
        let pattern = FilePattern::new(text).ok_or_else(none)?;
        let failed = |(path, source)| CheckError::File { action: "read", path, source };
        let mut found = inputs::matches(&pattern, folder).map_err(failed)?;
        // Signatures of documents lie beside them, with names that fit as well.
        found.retain(|path| !is_signature(path));
        if found.is_empty() {
            return Err(none());
        }
        files.extend(found.into_iter().filter(|path| places.insert(place(path))));
    }
    Ok(files)
}

/// Whether a file is the signature of another one that lies beside it.
fn is_signature(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let signed = [BUNDLE, ALONE].iter().find_map(|suffix| name.strip_suffix(suffix));
    signed.is_some_and(|signed| !signed.is_empty() && path.with_file_name(signed).is_file())
}

/// The signature of a file, as an authority of the policy has made it.
enum Signature {
    None,
    Good,
    /// There is one, and it is not good: why.
    Bad(String),
}

/// What the signature of a file is called, beside it: a bundle, or the signature alone.
const BUNDLE: &str = ".sigstore.json";
const ALONE: &str = ".sig";

/// Verifies the signature that lies beside a file, of the very bytes that were read.
fn signature(path: &Path, bytes: &[u8], authorities: &Authorities) -> Result<Signature, CheckError> {
    let beside = |suffix: &str| {
        let mut name = OsString::from(path);
        name.push(suffix);
        Some(PathBuf::from(name)).filter(|path| path.is_file())
    };
    let (bundle, alone) = (beside(BUNDLE), beside(ALONE));
    let (place, file) = match (&bundle, &alone) {
        (Some(bundle), _) => (bundle, SignatureFile::Bundle(bundle)),
        (None, Some(alone)) => (alone, SignatureFile::Signature(alone)),
        (None, None) => return Ok(Signature::None),
    };
    let failed = |source| CheckError::VexSignature { path: path.to_owned(), source: Box::new(source) };
    let blob = Blob::read(&path.to_string_lossy(), bytes).map_err(failed)?;
    let mut reasons = BTreeSet::new();
    for (name, wanted) in authorities.known() {
        match NotVerified::of(&verify_blob(&blob, file, wanted).map_err(failed)?) {
            None => return Ok(Signature::Good),
            Some(found) => {
                let steps = found.refused.iter().map(|refused| format!("{name}: {}", refused.reason));
                reasons.extend(steps);
            }
        }
    }
    let reasons = if authorities.known().is_empty() {
        "the policy names no authority".to_owned()
    } else {
        reasons.into_iter().collect::<Vec<_>>().join("; ")
    };
    Ok(Signature::Bad(format!("{} is not good, so that nobody signed the document: {reasons}", Escaped::path(place))))
}

impl AttachedVex {
    /// Takes in the documents that were found beside a manifest, and tells of those that nobody who is trusted has signed.
    pub(super) fn add(
        &mut self,
        about: &Digest,
        found: &Found,
        (candidates, referrers): (&[Candidate], &[Descriptor]),
        rules: &Vex,
    ) {
        for statement in &found.statements {
            let name = statement.digest();
            match vex::read(statement.predicate().as_bytes(), &name) {
                Ok(document) => {
                    let document = VexDocument { is_verified: true, ..document };
                    match objection(&document, rules) {
                        None => self.documents.entry(about.clone()).or_default().push(document),
                        Some(objection) => self.unusable.push(format!("{}: {objection}", document.id)),
                    }
                }
                Err(error) => self.unusable.push(format!("{name}, which is attached: {error}")),
            }
        }
        for place in claimed(candidates, referrers).difference(&found.places) {
            let place = Escaped(place.as_bytes()).to_string();
            self.notes.push(format!(
                "{place}: a VEX document that is attached is not believed, since no authority's signature of it was verified"
            ));
        }
    }
}

/// Where something lies that says of itself to be VEX. Nothing of it is verified.
fn claimed(candidates: &[Candidate], referrers: &[Descriptor]) -> BTreeSet<String> {
    let is_vex = |kind: Option<&String>| kind.is_some_and(|kind| PredicateType::OPENVEX.is(kind));
    let referrers = referrers.iter().filter(|referrer| {
        let is_document = |kind: &str| kind.to_ascii_lowercase().contains("vex");
        is_vex(referrer.annotations().get(referrer::PREDICATE_TYPE))
            || referrer.artifact_type().is_some_and(|kind| is_document(kind.as_str()))
    });
    let envelopes = candidates.iter().filter(|candidate| match &candidate.stored {
        Stored::Envelope { annotations, .. } => is_vex(annotations.get(legacy::PREDICATE_TYPE)),
        _ => false,
    });
    let envelopes = envelopes.map(|candidate| candidate.place.clone());
    referrers.map(|referrer| referrer.digest().to_string()).chain(envelopes).collect()
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
