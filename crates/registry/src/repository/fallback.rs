//! The tag that lists the referrers of an image where a registry does not.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use distil_imgcore::{Descriptor, Digest, DocumentError, Error, IndexDocument, MediaType};

use super::Repository;
use super::answer::AnswerError;
use super::manifests::Found;

/// Writers that take each other's entries away do so by chance, and not often.
const MOST_ATTEMPTS: u32 = 8;
/// Digits of the digest in the [tag].
///
/// [tag]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
const DIGITS: usize = 64;

impl Repository {
    /// What lies under the tag. There are registries to which the tag is another way to write the digest: what they give is
    /// the image itself.
    pub(super) fn fallback(&self, subject: &Digest) -> Result<Option<Found>, Error> {
        let found = self.fetch(&tag(subject), None)?;
        Ok(found.filter(|found| found.descriptor.digest() != subject))
    }

    /// Adds referrers to those that are listed under the tag. Registries have no common way to keep two writers apart: what
    /// another one took away meanwhile is added again.
    pub(super) fn add_to_fallback(&self, subject: &Digest, added: &[Descriptor]) -> Result<(), Error> {
        let _alone = self.fallbacks.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = tag(subject);
        for _ in 0..MOST_ATTEMPTS {
            let found = self.fallback(subject)?;
            let old = found.as_ref().map(|found| self.index_under(&tag, found)).transpose()?;
            let Some(new) = merged(old.as_ref(), added).map_err(|source| self.no_index(&tag, source))? else {
                return Ok(());
            };
            let mark = found.as_ref().and_then(|found| found.etag.as_deref());
            // Where it was written, the next round sees whether it still stands.
            self.send_successor(&tag, new.descriptor(), new.bytes(), mark)?;
        }
        Err(self.remote.unwritable(AnswerError::Contended { tag }))
    }

    fn index_under(&self, tag: &str, found: &Found) -> Result<IndexDocument, Error> {
        let media_type = found.descriptor.media_type();
        let index = match media_type.as_str() {
            MediaType::INDEX => IndexDocument::parse(found.bytes.to_vec(), media_type),
            _ => Err(DocumentError::NotADocument(media_type.clone())),
        };
        index.map_err(|source| self.no_index(tag, source))
    }

    fn no_index(&self, tag: &str, source: DocumentError) -> Error {
        self.remote.unwritable(AnswerError::Fallback { tag: tag.to_owned(), source: Box::new(source) })
    }
}

/// The index with these entries too; none where it has them.
fn merged(old: Option<&IndexDocument>, added: &[Descriptor]) -> Result<Option<IndexDocument>, DocumentError> {
    let before = old.map_or(&[][..], IndexDocument::manifests);
    let mut entries: BTreeMap<&Digest, &Descriptor> = before.iter().map(|entry| (entry.digest(), entry)).collect();
    let mut changed = false;
    for entry in added {
        changed |= entries.insert(entry.digest(), entry) != Some(entry);
    }
    if !changed {
        return Ok(None);
    }
    let entries: Vec<Descriptor> = entries.into_values().cloned().collect();
    let annotations = old.map(|old| old.annotations().clone()).unwrap_or_default();
    IndexDocument::new(&entries, &annotations).map(Some)
}

fn tag(subject: &Digest) -> String {
    let digits: String = subject.hex().chars().take(DIGITS).collect();
    format!("{}-{digits}", subject.algorithm())
}
