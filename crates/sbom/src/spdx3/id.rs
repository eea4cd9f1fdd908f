//! The names of elements.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::document::About;
use crate::inventory::{Agent, Contact, Context, Inventory};

/// What the IRI of every element of one document begins with.
///
/// It is made from what the document is about and who says it, so that two documents share names only where they share
/// all that they say. It is in every mention of every file, hence not longer than needed.
pub(super) struct Base(String);

/// The IRI of an element: what kind it is, and which of its kind.
#[derive(Clone, Copy)]
pub(super) enum Id<'a> {
    /// The only one of its kind in the document.
    Only(&'a Base, &'static str),
    /// One of many.
    One(&'a Base, char, usize),
    /// SPDX's word for "there is none".
    None,
    /// SPDX's word for "nothing is said".
    NoAssertion,
}

impl Base {
    pub(super) fn of(inventory: &Inventory, about: &About) -> Self {
        let subject = match &inventory.image.digest {
            Some(digest) => digest.hex(),
            None => content(inventory),
        };
        let said = hex::encode(said(inventory.image.context, about));
        Self(format!("https://spdx.org/spdxdocs/distil/{subject:.32}-{said:.8}/"))
    }

    pub(super) fn only(&self, name: &'static str) -> Id<'_> {
        Id::Only(self, name)
    }

    pub(super) fn one(&self, kind: char, number: usize) -> Id<'_> {
        Id::One(self, kind, number)
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only(base, name) => write!(f, "{}{name}", base.0),
            Self::One(base, kind, number) => write!(f, "{}{kind}{number}", base.0),
            Self::None => f.write_str("https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"),
            Self::NoAssertion => f.write_str("https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"),
        }
    }
}

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A hash of what a document says besides the image itself.
fn said(context: Context, about: &About) -> [u8; 32] {
    let mut parts = vec![about.version.clone(), about.created.to_string(), about.files.to_string()];
    parts.push(format!("{context:?}"));
    if let Some(Agent { name, contact, is_person }) = &about.author {
        parts.extend([name.clone(), is_person.to_string()]);
        match contact {
            Some(Contact::Mail(address)) => parts.extend(["mail".to_owned(), address.clone()]),
            Some(Contact::Url(address)) => parts.extend(["url".to_owned(), address.clone()]),
            None => {}
        }
    }
    let mut hash = Sha256::new();
    for part in &parts {
        absorb(&mut hash, part.as_bytes());
    }
    hash.finalize().into()
}

/// What stands for the digest of an image that has none, as a folder: a hash of its packages and files.
fn content(inventory: &Inventory) -> String {
    let mut hash = Sha256::new();
    absorb(&mut hash, inventory.image.name.as_bytes());
    for package in &inventory.packages {
        absorb(&mut hash, package.name.as_bytes());
        absorb(&mut hash, package.version.as_deref().unwrap_or_default().as_bytes());
    }
    for file in &inventory.files {
        absorb(&mut hash, file.path.as_bytes());
        absorb(&mut hash, file.digests.sha256.as_ref().map_or(&[], <[u8; 32]>::as_slice));
    }
    hex::encode(hash.finalize())
}

/// Takes in a part with its length, so that no two sequences of parts read alike.
fn absorb(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn documents_that_say_different_things_name_their_elements_differently() {
        let (inventory, about) = (sample::inventory(), sample::about());
        let base = |inventory: &Inventory, about: &About| Base::of(inventory, about).0;
        let mut all = vec![base(&inventory, &about)];
        assert_eq!(base(&inventory, &about), all[0]);
        let start = format!("https://spdx.org/spdxdocs/distil/{:.32}-", inventory.image.digest.as_ref().unwrap().hex());
        assert!(all[0].starts_with(&start), "{}", all[0]);
        all.push(base(&inventory, &About { files: false, ..about.clone() }));
        all.push(base(&inventory, &About { author: None, ..about.clone() }));
        all.push(base(&inventory, &About { version: "0.2".into(), ..about.clone() }));
        let mut other = sample::inventory();
        other.image.context = Context::Analysis;
        all.push(base(&other, &about));
        other.image.digest = None;
        all.push(base(&other, &about));
        other.packages[0].version = None;
        all.push(base(&other, &about));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7);
    }
}
