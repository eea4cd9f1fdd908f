//! Reading documents of others, as far as they tell what is in an image.

mod collect;
mod image;
mod licence;
mod package;
mod raw;

use serde::de::{Deserialize, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::inventory::Inventory;
use collect::Collection;
use raw::{Component, Document, Metadata, Needs};

/// Bytes of a document.
const MAX_BYTES: usize = 256 << 20;
/// Components within components. Real ones have two or three levels; each level is read once more than the one above it.
const MAX_DEPTH: usize = 16;
/// Packages of a document.
const MAX_PACKAGES: usize = 100_000;
/// Files of a document.
const MAX_FILES: usize = 1_000_000;
/// Components of all kinds, those that are left out included.
const MAX_COMPONENTS: usize = 2_000_000;
/// What packages need of each other.
const MAX_DEPENDENCIES: usize = 4_000_000;

/// Why bytes are no document that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// More bytes than a document may have.
    #[error("{found} bytes where at most {limit} may be")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size of the document.
        found: usize,
    },
    /// A part is no JSON, or not of the form that this part has. Lines and columns of the cause count from the part's start.
    #[error("cannot read the {part}")]
    Json {
        /// Which part.
        part: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// JSON of something else.
    #[error("the document does not say that it is CycloneDX")]
    NotCycloneDx,
    /// A version that is not known.
    #[error("version {} of CycloneDX is not known, only 1.2 to 1.7", distil_imgcore::Escaped(.0.as_bytes()))]
    Version(String),
    /// More of something than an image has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Components within components within components.
    #[error("components lie more than {limit} deep within each other")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

/// Reads a document of `CycloneDX` 1.2 to 1.7 in JSON, whichever tool wrote it.
///
/// What has a package URL is a package, what is nested in another component or needed by a package of the operating system
/// while being of another kind is part of it. Files are those with absolute paths. Source packages are not taken for
/// installed ones. Facts that the inventory has no place for are left out, vulnerabilities among them.
///
/// # Errors
/// [`ReadError`] for what is no such document, or is larger than any of an image.
pub fn read(bytes: &[u8]) -> Result<Inventory, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_BYTES, found: bytes.len() });
    }
    // Tools for Windows start their documents with a byte order mark.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let document: Document<'_> =
        serde_json::from_slice(bytes).map_err(|source| ReadError::Json { part: "document", source })?;
    if !document.format.0.eq_ignore_ascii_case("CycloneDX") {
        return Err(ReadError::NotCycloneDx);
    }
    if !matches!(document.version.0.as_str(), "1.2" | "1.3" | "1.4" | "1.5" | "1.6" | "1.7") {
        return Err(ReadError::Version(document.version.0.chars().take(32).collect()));
    }
    let metadata: Metadata<'_> = parsed("metadata", document.metadata)?.unwrap_or_default();
    let mut collection = Collection::new(image::of(&metadata));
    if let Some(subject) = &metadata.component {
        // What a document of Maven, npm or a Go program is about is a package itself.
        collection.add_subject(subject)?;
    }
    if let Some(list) = document.components {
        each("components", list, &mut |component: Component<'_>| collection.add(&component, None, 0))?;
    }
    if let Some(list) = document.dependencies {
        each("dependencies", list, &mut |needs: Needs| collection.add_needs(&needs))?;
    }
    Ok(collection.finish())
}

fn parsed<'a, T: Deserialize<'a>>(part: &'static str, raw: Option<&'a RawValue>) -> Result<Option<T>, ReadError> {
    raw.map(|raw| serde_json::from_str(raw.get())).transpose().map_err(|source| ReadError::Json { part, source })
}

/// Reads a list one item at a time, so that a document of a few bytes an item takes no more memory than what is kept of it.
fn each<'a, T: Deserialize<'a>>(
    part: &'static str,
    list: &'a RawValue,
    take: &mut dyn FnMut(T) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut failure = None;
    let visitor = Each { take, failure: &mut failure, item: std::marker::PhantomData };
    let mut deserializer = serde_json::Deserializer::from_str(list.get());
    let read = deserializer.deserialize_any(visitor);
    failure.map_or_else(|| read.map_err(|source| ReadError::Json { part, source }), Err)
}

struct Each<'f, T> {
    take: &'f mut dyn FnMut(T) -> Result<(), ReadError>,
    failure: &'f mut Option<ReadError>,
    item: std::marker::PhantomData<T>,
}

impl<'a, T: Deserialize<'a>> Visitor<'a> for Each<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            if let Err(failure) = (self.take)(item) {
                *self.failure = Some(failure);
                return Err(serde::de::Error::custom("given up"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
