//! What was copied with an image and has to be made findable beside it.

use std::fmt::Write as _;

use super::belonging::Belonging;
use super::delivery::{Bytes, Parcel, deliver};
use crate::attachment::{Attachment, AttachmentKind};
use crate::descriptor::Descriptor;
use crate::document::{Document, DocumentError};
use crate::error::Error;
use crate::manifest::Manifest;
use crate::media_type::MediaType;
use crate::ref_name::RefName;
use crate::store::{Selector, Store};

/// What is about an image, and lies in the destination already, where nobody finds it yet.
#[derive(Debug)]
#[must_use = "what is about the image is not findable yet"]
pub struct Attached {
    pub(super) referrers: Vec<Descriptor>,
    pub(super) inside: Vec<Descriptor>,
    /// What is found by its name alone.
    pub(super) attachments: Vec<Named>,
}

/// Something under its name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: RefName,
    pub(super) belonging: Belonging,
    pub(super) root: Descriptor,
    pub(super) document: Document,
}

/// How often a name is written again that somebody else writes to at the same time.
const ATTEMPTS: usize = 3;

impl Attached {
    /// The artifacts that refer to the image or to one another, for [`Store::publish`].
    #[must_use]
    pub fn referrers(&self) -> &[Descriptor] {
        &self.referrers
    }

    /// Documents that say what they are about, and that an index of the image names as well, as the statements of `BuildKit` may
    /// be. Whoever looks into the index finds them; a registry that keeps no list of referrers has to be told of them, too.
    #[must_use]
    pub fn inside(&self) -> &[Descriptor] {
        &self.inside
    }

    /// Names what is found by its name alone: cosign's signatures and statements. Those that are there under the same name
    /// stay: what is written then holds both, theirs first.
    ///
    /// # Errors
    /// [`Error::About`] with the name; [`Error::Moved`] in it where somebody else writes to it all the time.
    pub fn name_in(&self, destination: &dyn Store) -> Result<(), Error> {
        self.attachments
            .iter()
            .try_for_each(|named| named.write(destination).map_err(|error| named.belonging.explain(error)))
    }
}

impl Named {
    fn write(&self, destination: &dyn Store) -> Result<(), Error> {
        let Self { name, root, document, .. } = self;
        let mut found = there(destination, name)?;
        for _ in 0..ATTEMPTS {
            let wanted = match &found {
                Some(theirs) if theirs.digest() == root.digest() => return Ok(()),
                Some(theirs) => merge(destination, name, theirs, (root, document))?,
                None => root.clone(),
            };
            if found.as_ref().is_none_or(|found| found.digest() != wanted.digest()) {
                destination.tag(Some(name), &wanted)?;
            }
            // No registry changes a name only where it still is what it was, so two writers may both think that they were
            // the last.
            found = there(destination, name)?;
            if found.as_ref().is_some_and(|found| found.digest() == wanted.digest()) {
                return Ok(());
            }
        }
        let found = found.map(|found| found.digest().clone());
        Err(Error::Moved { name: name.clone(), found, place: destination.place() })
    }
}

fn there(store: &dyn Store, name: &RefName) -> Result<Option<Descriptor>, Error> {
    match store.resolve(&Selector::Name(name.clone())) {
        Ok(found) => Ok(Some(found)),
        // What is no document holds no signature that anybody could verify.
        Err(Error::NoImage { .. } | Error::Document { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What has to be named so that nothing is lost that is named now.
fn merge(
    store: &dyn Store,
    name: &RefName,
    theirs: &Descriptor,
    (root, ours): (&Descriptor, &Document),
) -> Result<Descriptor, Error> {
    let one = Attachment::named(name).is_some_and(|attachment| attachment.kind() == AttachmentKind::Sbom);
    let (ours, held) = match (ours, store.document(theirs)) {
        (Document::Manifest(ours), Ok(Document::Manifest(held))) if !one => (ours, held),
        (_, Err(error)) if error.is_io() => return Err(error),
        // There is one SBOM under a name, and whoever attaches another replaces it. What is no manifest, or none that can be
        // read, holds no signature that anybody could verify.
        _ => return Ok(root.clone()),
    };
    let lacks = |one: &Manifest, layer: &Descriptor| !one.layers().iter().any(|other| is_same(layer, other));
    let new: Vec<Descriptor> = ours.layers().iter().filter(|layer| lacks(&held, layer)).cloned().collect();
    if new.is_empty() {
        return Ok(theirs.clone());
    }
    if !held.layers().iter().any(|layer| lacks(ours, layer)) {
        return Ok(root.clone());
    }
    let mut annotations = ours.annotations().clone();
    annotations.extend(held.annotations().clone());
    let layers: Vec<Descriptor> = held.layers().iter().cloned().chain(new).collect();
    let config = config_of(&layers);
    let config = (Descriptor::of(MediaType::known(MediaType::CONFIG), &config), config);
    let invalid = |source: DocumentError| Error::invalid(name, store.place(), source);
    let manifest = Manifest::new(&config.0, &layers, &annotations).map_err(invalid)?;
    let parcels = [
        Parcel::of(&config.0, Bytes::InMemory(&config.1)),
        Parcel::of(manifest.descriptor(), Bytes::InMemory(manifest.bytes())).ranked((0, 0)),
    ];
    deliver(store, &parcels, &mut |_| {})?;
    Ok(manifest.descriptor().clone())
}

/// The same payload may be there more than once: the signature over it is an annotation.
fn is_same(a: &Descriptor, b: &Descriptor) -> bool {
    a.digest() == b.digest() && a.media_type() == b.media_type() && a.annotations() == b.annotations()
}

/// The configuration that cosign writes beside signatures, byte for byte: it says how many there are and no more.
fn config_of(layers: &[Descriptor]) -> Vec<u8> {
    const NEVER: &str = r#"{"created":"0001-01-01T00:00:00Z"}"#;
    let history = vec![NEVER; layers.len()].join(",");
    let mut diff_ids = String::new();
    for digest in layers.iter().map(Descriptor::digest) {
        let comma = if diff_ids.is_empty() { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(diff_ids, r#"{comma}"{digest}""#);
    }
    let start = r#"{"architecture":"","created":"0001-01-01T00:00:00Z","history":["#;
    format!(r#"{start}{history}],"os":"","rootfs":{{"type":"layers","diff_ids":[{diff_ids}]}},"config":{{}}}}"#)
        .into_bytes()
}
