//! The `index.json` of a layout: the names of a place's images.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::attachment::Attachment;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{Document, DocumentError, Fields, MAX_INDEX_DEPTH, MAX_LAYOUT_INDEX};
use crate::error::Error;
use crate::index::{FIELDS, FOREIGN};
use crate::json;
use crate::layout_saved::KIND;
use crate::media_type::{MediaKind, MediaType};
use crate::ref_name::RefName;
use crate::store::{Selector, Store};

/// The annotation that names an image in a layout.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Entries of a listing: far more than an index has, since it lists the images and referrers of many builds.
const MAX_ENTRIES: usize = 50_000;
/// Documents that one search looks into.
pub(crate) const MAX_SEARCH: usize = 100_000;

/// The entries of `index.json`. What other tools wrote there stays as they wrote it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    entries: Vec<Entry>,
    /// Fields of the document that distil does not write.
    others: Map<String, Value>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: Option<RefName>,
    descriptor: Descriptor,
    raw: Value,
}

impl Entry {
    fn new(raw: Value) -> Result<Self, DocumentError> {
        let descriptor = Descriptor::from_json(&raw)?;
        let name = descriptor.annotations().get(REF_NAME).map(|name| name.parse()).transpose()?;
        Ok(Self { name, descriptor, raw })
    }

    fn of(name: Option<&RefName>, root: &Descriptor) -> Self {
        let mut annotations = root.annotations().clone();
        match name {
            Some(name) => annotations.insert(REF_NAME.into(), name.to_string()),
            None => annotations.remove(REF_NAME),
        };
        // That is said of entries, and was of another one.
        annotations.remove(KIND);
        let descriptor = root.clone().with_annotations(annotations);
        Self { name: name.cloned(), raw: descriptor.to_json(), descriptor }
    }
}

impl Listing {
    /// Parses the bytes of an `index.json`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let value = json::parse(bytes, MAX_LAYOUT_INDEX)?;
        let fields = Fields::of(&value, "an index", FIELDS, FOREIGN)?;
        fields.check_type(&MediaType::known(MediaType::INDEX))?;
        // Parsed for its bounds; the entries themselves are kept as they are.
        fields.descriptors("manifests", MAX_ENTRIES)?;
        let Value::Object(mut others) = value else { return Err(DocumentError::NoObject) };
        let Some(Value::Array(items)) = others.remove("manifests") else { return Err(DocumentError::NoObject) };
        let entries = items.into_iter().map(Entry::new).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        for name in entries.iter().filter_map(|entry| entry.name.as_ref()) {
            if !seen.insert(name) {
                return Err(DocumentError::NameTwice(name.clone()));
            }
        }
        Ok(Self { entries, others })
    }

    /// The bytes of the `index.json`: canonical, names first.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| (entry.name.is_none(), &entry.name, entry.descriptor.digest()));
        let mut out = self.others.clone();
        out.insert("schemaVersion".into(), 2.into());
        out.insert("mediaType".into(), MediaType::INDEX.into());
        out.insert("manifests".into(), entries.into_iter().map(|entry| entry.raw.clone()).collect());
        json::to_canonical(&Value::Object(out))
    }

    pub(crate) fn tags(&self) -> Vec<RefName> {
        self.entries.iter().filter_map(|entry| entry.name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What has a name.
    pub(crate) fn named(&self, name: &RefName) -> Option<&Descriptor> {
        self.entries.iter().find(|entry| entry.name.as_ref() == Some(name)).map(|entry| &entry.descriptor)
    }

    /// The entries without a name.
    pub(crate) fn unnamed(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().filter(|entry| entry.name.is_none()).map(|entry| &entry.descriptor)
    }

    /// The listing with one more entry, and nothing taken away.
    pub(crate) fn with(mut self, name: Option<&RefName>, root: &Descriptor) -> Self {
        self.entries.push(Entry::of(name, root));
        self
    }

    /// The listing with one more entry, in place of the one that it replaces; see [`Store::tag`].
    pub(crate) fn tag(&self, store: &dyn Store, name: Option<&RefName>, root: &Descriptor) -> Result<Self, Error> {
        let mut entries = self.entries.clone();
        let mut changed = root.digest().clone();
        if let Some(name) = name {
            entries.retain(|entry| entry.name.as_ref() != Some(name));
            if let Some(attachment) = Attachment::named(name) {
                changed = attachment.subject().clone();
            }
        } else if let Some(subject) = store.document(root)?.subject() {
            changed = subject.digest().clone();
            entries.retain(|entry| entry.name.is_some() || entry.descriptor.digest() != root.digest());
        } else {
            let unnamed = self.images(store, |entry| entry.name.is_none())?;
            match unnamed.as_slice() {
                [] => {}
                [one] => {
                    let digest = one.descriptor.digest();
                    entries.retain(|entry| entry.name.is_some() || entry.descriptor.digest() != digest);
                }
                several => return Err(Error::Ambiguous { found: several.len(), place: store.place() }),
            }
        }
        entries.push(Entry::of(name, root));
        Ok(Self { entries, others: self.others.clone() }.marked(store, self, &changed))
    }

    /// The listing with an image and what refers to it, and without what referred to the image that this one replaces: see
    /// [`Store::publish`].
    pub(crate) fn publish(
        &self,
        store: &dyn Store,
        name: Option<&RefName>,
        root: &Descriptor,
        about: &[Descriptor],
    ) -> Result<Self, Error> {
        let mut next = self.tag(store, name, root)?;
        for artifact in about {
            next.entries.retain(|entry| entry.name.is_some() || entry.descriptor.digest() != artifact.digest());
            next.entries.push(Entry::of(None, artifact));
        }
        let mut next = next.marked(store, self, root.digest());
        let listed: BTreeSet<&Digest> = next.entries.iter().map(|entry| entry.descriptor.digest()).collect();
        let replaced: Vec<&Entry> =
            self.entries.iter().filter(|entry| !listed.contains(entry.descriptor.digest())).collect();
        if replaced.is_empty() {
            return Ok(next);
        }
        let all = |listing: &Self| -> Result<BTreeSet<Digest>, Error> {
            Ok(listing.search(store, |_, _| true)?.into_iter().map(|found| found.digest().clone()).collect())
        };
        let replaced = Self { entries: replaced.into_iter().cloned().collect(), others: Map::new() };
        let mut gone: BTreeSet<Digest> = all(&replaced)?.difference(&all(&next)?).cloned().collect();
        // What refers to a referrer goes with it, so the rest is looked through until nothing more goes.
        loop {
            let count = gone.len();
            next.entries.retain(|entry| {
                let is_gone = match &entry.name {
                    Some(name) => Attachment::named(name).is_some_and(|attachment| gone.contains(attachment.subject())),
                    None => {
                        entry.descriptor.media_type().is_index_or_manifest()
                            && store.document(&entry.descriptor).is_ok_and(|document| {
                                document.subject().is_some_and(|subject| gone.contains(subject.digest()))
                            })
                    }
                };
                if is_gone {
                    gone.insert(entry.descriptor.digest().clone());
                }
                !is_gone
            });
            if gone.len() == count {
                return Ok(next);
            }
        }
    }

    pub(crate) fn resolve(&self, store: &dyn Store, wanted: &Selector) -> Result<Descriptor, Error> {
        let missing = || Error::NoImage { wanted: wanted.clone(), place: store.place() };
        match wanted {
            Selector::Name(name) => self.named(name).cloned().ok_or_else(missing),
            Selector::Digest(digest) => match self.entries.iter().find(|entry| entry.descriptor.digest() == digest) {
                Some(entry) => Ok(entry.descriptor.clone()),
                None => self.search(store, |found, _| found.digest() == digest)?.pop().ok_or_else(missing),
            },
            Selector::Only => {
                let mut found = self.images(store, |entry| entry.name.is_none())?;
                if found.is_empty() {
                    found = self.images(store, |_| true)?;
                }
                match found.as_slice() {
                    [] => Err(missing()),
                    [one] => Ok(one.descriptor.clone()),
                    several => Err(Error::Ambiguous { found: several.len(), place: store.place() }),
                }
            }
        }
    }

    pub(crate) fn referrers(&self, store: &dyn Store, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.search(store, |_, document| document.subject().is_some_and(|s| s.digest() == subject))
    }

    /// Entries that are no referrers and not named as what is about an image, each digest once. One whose document cannot be
    /// read as one counts as an image.
    fn images(&self, store: &dyn Store, keep: impl Fn(&Entry) -> bool) -> Result<Vec<&Entry>, Error> {
        let mut images = BTreeMap::new();
        let attachment = |entry: &&Entry| entry.name.as_ref().is_some_and(|name| Attachment::named(name).is_some());
        for entry in self.entries.iter().filter(|entry| keep(entry) && !attachment(entry)) {
            let referrer = entry.descriptor.media_type().is_index_or_manifest()
                && match store.document(&entry.descriptor) {
                    Ok(document) => document.subject().is_some(),
                    Err(e) if e.is_io() => return Err(e),
                    Err(_) => false,
                };
            if !referrer {
                images.entry(entry.descriptor.digest()).or_insert(entry);
            }
        }
        Ok(images.into_values().collect())
    }

    /// Looks into all manifests and indexes that can be reached, and gives those wanted, sorted by digest. Documents that
    /// are not there or not valid are passed over: a layout may hold a part of an image, and what is wrong with one image
    /// does not concern another.
    fn search(
        &self,
        store: &dyn Store,
        wanted: impl Fn(&Descriptor, &Document) -> bool,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut todo: Vec<(Descriptor, usize)> =
            self.entries.iter().map(|entry| (entry.descriptor.clone(), 1)).collect();
        while let Some((descriptor, depth)) = todo.pop() {
            if !descriptor.media_type().is_index_or_manifest() || !seen.insert(descriptor.digest().clone()) {
                continue;
            }
            if seen.len() > MAX_SEARCH {
                return Err(Error::TooMany { what: "documents", limit: MAX_SEARCH, place: store.place() });
            }
            let document = match store.document(&descriptor) {
                Ok(document) => document,
                Err(e) if e.is_io() => return Err(e),
                Err(_) => continue,
            };
            if wanted(&descriptor, &document) {
                found.insert(descriptor.digest().clone(), document.as_referrer(&descriptor));
            }
            if descriptor.kind() == MediaKind::Index && depth <= MAX_INDEX_DEPTH {
                todo.extend(document.children().into_iter().map(|child| (child.clone(), depth + 1)));
            }
        }
        Ok(found.into_values().collect())
    }
}
