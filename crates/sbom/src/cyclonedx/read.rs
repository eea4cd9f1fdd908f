//! Reading documents of others, as far as they tell what is in an image.

mod collect;
mod image;
mod licence;
mod package;
mod raw;

use distil_imgcore::pieces::{self, PieceError};
use serde::Deserialize;

use crate::inventory::Inventory;
use collect::Collection;
use raw::{Component, Needs, Text};

/// Bytes of a document.
const MAX_BYTES: usize = 256 << 20;
/// Components within components. Real ones have two or three levels; each level is read twice more than the one above it.
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
    /// Not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// A value in a part is no JSON, or not of the form that this part has. Lines and columns of the cause count from the
    /// start of the value.
    #[error("cannot read the {part}")]
    Json {
        /// Which part.
        part: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// Something other than what an object or a list has between values.
    #[error("byte {at} of the {part} is not what stands there in JSON of this form")]
    Form {
        /// Which part.
        part: &'static str,
        /// Offset of the byte in that part.
        at: usize,
    },
    /// A field that decides stands there twice.
    #[error("the {part} has the field {field} twice")]
    Twice {
        /// Which part.
        part: &'static str,
        /// The field.
        field: &'static str,
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
    let text = std::str::from_utf8(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes))?;
    let fields = ["bomFormat", "specVersion", "metadata", "components", "dependencies"];
    let [format, version, metadata, components, dependencies] = within("document", text, fields)?;
    if !value::<Text>("document", format)?.unwrap_or_default().0.eq_ignore_ascii_case("CycloneDX") {
        return Err(ReadError::NotCycloneDx);
    }
    let version = value::<Text>("document", version)?.unwrap_or_default().0;
    if !matches!(version.as_str(), "1.2" | "1.3" | "1.4" | "1.5" | "1.6" | "1.7") {
        return Err(ReadError::Version(version.chars().take(32).collect()));
    }
    let [subject] = match metadata.filter(|metadata| *metadata != "null") {
        Some(metadata) => within("metadata", metadata, ["component"])?,
        None => [None],
    };
    let component = value::<Option<Component>>("metadata", subject)?.flatten();
    let mut collection = Collection::new(component.as_ref().map(image::of).unwrap_or_default());
    if let Some((subject, text)) = component.as_ref().zip(subject) {
        // What a document of Maven, npm or a Go program is about is a package itself.
        collection.add_subject(subject, text)?;
    }
    each("components", components, |component: Component, text| collection.add(&component, text, None, 0))?;
    each("dependencies", dependencies, |needs: Needs, _| collection.add_needs(&needs))?;
    Ok(collection.finish())
}

/// The texts of some values of an object.
fn within<'a, const N: usize>(
    part: &'static str,
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], ReadError> {
    pieces::members(text, names).map_err(|error| ReadError::in_part(part, error))
}

fn value<'a, T: Deserialize<'a>>(part: &'static str, text: Option<&'a str>) -> Result<Option<T>, ReadError> {
    text.map(serde_json::from_str).transpose().map_err(|source| ReadError::Json { part, source })
}

/// Reads a list one item at a time, so that a document of a few bytes an item takes no more memory than what is kept of it.
fn each<'a, T: Deserialize<'a>>(
    part: &'static str,
    list: Option<&'a str>,
    mut take: impl FnMut(T, &'a str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for item in list.into_iter().flat_map(pieces::items) {
        let (item, text) = item.map_err(|error| ReadError::in_part(part, error))?;
        take(item, text)?;
    }
    Ok(())
}

impl ReadError {
    fn in_part(part: &'static str, error: PieceError) -> Self {
        match error {
            PieceError::Json(source) => Self::Json { part, source },
            PieceError::Unexpected { at } => Self::Form { part, at },
            PieceError::Twice(field) => Self::Twice { part, field },
        }
    }
}

#[cfg(test)]
mod tests;
