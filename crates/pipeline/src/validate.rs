//! `validate`: whether an image is what it says, to the last byte.

use std::io;

use distil_imgcore::validate::{Limits, Problem, validate as validate_store};
use distil_imgcore::{Descriptor, Error, Reference, Selector};
use schemars::JsonSchema;
use serde::Serialize;

use crate::machine::Machine;
use crate::observed::Observed;
use crate::places::{Places, StoreError};
use crate::progress::{Phase, Progress};

/// Whether an image is valid: the JSON document of `validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Validation {
    /// `distil.validate/v1`.
    pub schema: String,
    /// Whether nothing is wrong.
    pub valid: bool,
    /// Everything that is wrong.
    pub problems: Vec<Finding>,
}

/// One thing that is wrong with an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The document or blob.
    #[serde(rename = "where")]
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// Recomputes every digest and size of an image, its platforms and referrers, and reads every layer.
///
/// # Errors
/// [`StoreError`] where nothing can be said about the image: it is not there, it is unclear which is meant, or the disk failed.
/// What is broken about it is a finding and no error, an unfinished layout among it.
pub fn validate(reference: &Reference, machine: &Machine, progress: &dyn Progress) -> Result<Validation, StoreError> {
    let places = Places::uncancelled(machine, progress);
    progress.phase(Phase::Check);
    let problems = match places.source(reference) {
        Ok((store, selector)) => {
            let selector = match (reference, places.resolve(reference, store.as_ref(), &selector)) {
                (_, Err(error @ StoreError::Unclear { .. })) => return Err(error),
                // The tag may name another image a moment later.
                (Reference::Registry(_), Ok(root)) => Selector::Digest(root.digest().clone()),
                _ => selector,
            };
            let told = |blob: &Descriptor, reader| {
                let name = blob.digest().to_string();
                progress.advanced(&name, blob.size());
                progress.finished(&name);
                reader
            };
            validate_store(&Observed { inner: store.as_ref(), open: told }, &selector, &Limits::default())?
        }
        Err(StoreError::Store(error)) if says_something(&error) => {
            vec![Problem::from_error(&reference.to_string(), &error)]
        }
        Err(error) => return Err(error),
    };
    let finding = |Problem { at, expected, found }: Problem| Finding { place: at, expected, found };
    Ok(Validation {
        schema: "distil.validate/v1".to_owned(),
        valid: problems.is_empty(),
        problems: problems.into_iter().map(finding).collect(),
    })
}

/// Whether an error of opening a place is about what lies there. Where nothing lies there, the name is wrong.
fn says_something(error: &Error) -> bool {
    let missing = matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
    !error.is_io() && !missing
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::progress::Silent;
    use crate::testimage;

    #[test]
    fn a_broken_image_is_a_finding_and_a_missing_one_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let reference = testimage::write(dir.path(), &["linux/amd64"], &[&[("etc/x", "x")]]);
        assert!(validate(&reference, &Machine::new(0), &Silent).unwrap().valid);

        let index = dir.path().join("image/index.json");
        let bytes = std::fs::read(&index).unwrap();
        let cut = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
        cut.as_file().write_all(&bytes[..bytes.len() / 2]).unwrap();
        cut.persist(&index).unwrap();
        let found = validate(&reference, &Machine::new(0), &Silent).unwrap();
        assert!(!found.valid && found.problems.len() == 1, "{found:?}");
        let document = serde_json::to_value(&found).unwrap();
        assert!(document["problems"][0]["where"].is_string(), "{document}");

        let missing = format!("oci:{}", dir.path().join("none").display()).parse().unwrap();
        assert!(validate(&missing, &Machine::new(0), &Silent).is_err());
    }

    #[test]
    fn an_image_that_is_not_named_clearly_is_an_error_with_the_names_there_are() {
        let dir = tempfile::tempdir().unwrap();
        testimage::write(dir.path(), &["linux/amd64"], &[&[("etc/x", "x")]]);
        let reference = format!("oci:{}:other", dir.path().join("image").display()).parse().unwrap();
        let error = validate(&reference, &Machine::new(0), &Silent).unwrap_err();
        assert!(matches!(error, StoreError::Unclear { known, .. } if known == ["test".parse().unwrap()]));
    }
}
