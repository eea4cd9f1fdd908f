//! What refers to an image: signatures, statements, SBOMs.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use distil_imgcore::document::{MAX_DESCRIPTORS, MAX_DOCUMENT};
use distil_imgcore::{Descriptor, Digest, Document, Error, MediaType, Store, json};
use distil_net::{NetError, RedirectRefusal, Response};
use serde_json::Value;

use super::Repository;
use super::answer;
use super::pages::{Page, Pages};
use crate::error::RegistryError;

impl Repository {
    /// The referrers by the registry's own [list], or by the fallback tag where it has none. Both are hints: each manifest is
    /// read, and says itself what it is about and of which type.
    ///
    /// [list]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
    pub(super) fn list_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let mut hints = self.ask_for_referrers(subject)?.unwrap_or_default();
        // A registry that has learnt to list them may not have gone through what it had before.
        hints.extend(self.fallback(subject)?.map(|found| entries(&found.bytes)).unwrap_or_default());
        if hints.len() > MAX_DESCRIPTORS {
            let place = self.remote.place().to_owned();
            return Err(Error::TooMany { what: "referrers", limit: MAX_DESCRIPTORS, place });
        }
        let mut referrers = BTreeMap::new();
        for hint in hints.iter().filter(|hint| hint.media_type().is_index_or_manifest()) {
            match (self as &dyn Store).document(&hint.bare()) {
                Ok(document) if document.subject().is_some_and(|of| of.digest() == subject) => {
                    referrers.insert(hint.digest().clone(), document.as_referrer(hint));
                }
                Err(error) if error.is_io() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(referrers.into_values().collect())
    }

    /// What the registry lists; none where it keeps no list.
    fn ask_for_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let mut pages = Pages::new(&self.remote, format!("referrers/{subject}"), "pages of referrers");
        let mut hints = Vec::new();
        loop {
            let bytes = match pages.next(&is_index) {
                Ok(Page::Bytes(bytes)) => bytes,
                Ok(Page::None) => break,
                // Registries that do not know the question say so in several ways, of which the specification has the first.
                Ok(Page::Other(answer)) if matches!(answer.status(), 404 | 400 | 405 | 406 | 200) => return Ok(None),
                Ok(Page::Other(answer)) => {
                    return Err(self.remote.unreadable(self.remote.refused("list referrers", *answer)));
                }
                Err(error) if leads_away(&error) => return Ok(None),
                Err(error) => return Err(self.remote.unreadable(error)),
            };
            hints.extend(entries(&bytes));
            if hints.len() > MAX_DESCRIPTORS {
                break;
            }
        }
        Ok(Some(hints))
    }

    /// Makes documents findable by what they are about. They were put before, and may be tagged.
    pub(super) fn refer(&self, documents: &[&Descriptor]) -> Result<(), Error> {
        let mut by_subject: BTreeMap<Digest, Vec<Descriptor>> = BTreeMap::new();
        for descriptor in documents {
            let document = (self as &dyn Store).document(&descriptor.bare())?;
            if let Some(subject) = document.subject() {
                by_subject.entry(subject.digest().clone()).or_default().push(document.as_referrer(descriptor));
            }
        }
        for (subject, referrers) in by_subject {
            if !self.keeps_a_list_with(&subject, &referrers)? {
                self.add_to_fallback(&subject, &referrers)?;
            }
        }
        Ok(())
    }

    /// Whether the registry lists these itself. Where no answer has said so, its list does: nothing may have been put in this
    /// run, and there are registries that list referrers and do not say so.
    fn keeps_a_list_with(&self, subject: &Digest, referrers: &[Descriptor]) -> Result<bool, Error> {
        if self.keeps_list.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let listed = self.ask_for_referrers(subject)?.unwrap_or_default();
        Ok(referrers.iter().all(|one| listed.iter().any(|other| other.digest() == one.digest())))
    }

    /// Takes what the answer to a manifest with a subject [says]: whether the registry has understood it.
    ///
    /// [says]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
    pub(super) fn learn_about_referrers(&self, answer: &Response, blob: &Descriptor, bytes: &[u8]) {
        let Some(stated) = answer.header("oci-subject") else { return };
        let document = Document::parse(blob, bytes.to_vec());
        if let Some(subject) = document.as_ref().ok().and_then(Document::subject) {
            self.keeps_list.fetch_or(stated == subject.digest().to_string(), Ordering::Relaxed);
        }
    }
}

/// There is a registry that sends whoever asks for referrers to the pages of its web site.
fn leads_away(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Net(NetError::Redirect { refusal: RedirectRefusal::Host(_), .. }))
}

fn is_index(answer: &Response) -> bool {
    let stated = answer::media_type(answer);
    answer.status() == 200 && stated.is_ok_and(|media_type| media_type.as_str() == MediaType::INDEX)
}

/// The entries of a list that can be read. What is not valid is nobody's referrer, and hides no other.
fn entries(bytes: &[u8]) -> Vec<Descriptor> {
    let list = json::parse(bytes, MAX_DOCUMENT).unwrap_or_default();
    let entries = list.get("manifests").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| Descriptor::from_json(entry).ok()).collect()
}
