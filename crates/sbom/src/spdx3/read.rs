//! Inventories from SPDX 3.0 documents.

mod elements;
mod expression;
mod node;
mod packages;
mod resolve;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use serde::Deserializer as _;

use self::elements::Elements;
use self::node::{Budget, Document, Node};
use crate::inventory::Inventory;

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 256 << 20;
/// What a document may have in it. One of 60,000 files has a million values.
const LIMITS: Limits = Limits { values: 24_000_000, elements: 1_500_000, copies: 128 << 20 };

/// How much is taken in.
struct Limits {
    /// Values of JSON.
    values: usize,
    /// Elements, which cost memory until the end.
    elements: usize,
    /// Bytes of texts that many elements share by name, and that each package has for itself in an inventory.
    copies: usize,
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is larger than [`MAX_BYTES`].
    #[error("document of {size} bytes, of which at most {MAX_BYTES} are read")]
    TooLarge {
        /// Bytes.
        size: usize,
    },
    /// It has too many elements.
    #[error("document of more than {limit} elements")]
    TooManyElements {
        /// How many are read.
        limit: usize,
    },
    /// Its elements share so much text that an inventory, which does not, would be far larger than the document.
    #[error("document whose elements share more than {limit} bytes of text")]
    TooMuchShared {
        /// How many bytes are written out.
        limit: usize,
    },
    /// It is not JSON of the form of JSON-LD, or too deep, or has too many values.
    #[error("not a JSON object with a graph of elements")]
    Json(#[from] serde_json::Error),
    /// It does not say that it is SPDX 3.0.
    #[error("not a document of SPDX 3.0")]
    NotSpdx3,
}

/// Reads an SPDX 3.0 document in JSON-LD: one of ours, or one that has its elements in one plain list, as Syft's has.
///
/// What is said about an image is taken as found by looking into it: who reads a document did not see the build. Elements that
/// are not understood are left out, and so are names of files that no image can have.
///
/// # Errors
/// [`ReadError`] where the text is not such a document or is beyond all measure.
pub fn read(bytes: &[u8]) -> Result<Inventory, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { size: bytes.len() });
    }
    read_within(bytes, &LIMITS)
}

fn read_within(bytes: &[u8], limits: &Limits) -> Result<Inventory, ReadError> {
    let left = Cell::new(limits.values);
    let mut elements = Elements::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let each = |element: &Node<'_>| {
        if elements.count() <= limits.elements {
            elements.insert(element);
        }
    };
    let context = deserializer.deserialize_map(Document { budget: Budget(&left), each })?;
    deserializer.end()?;
    let is_spdx = |text: &str| text.starts_with("https://spdx.org/rdf/3.0");
    let is_spdx = |node: &Node<'_>| matches!(node, Node::Text(text) if is_spdx(text));
    if !context.is_some_and(|context| context.items().iter().any(is_spdx)) {
        return Err(ReadError::NotSpdx3);
    }
    if elements.count() > limits.elements {
        return Err(ReadError::TooManyElements { limit: limits.elements });
    }
    elements.resolve(limits.copies).ok_or(ReadError::TooMuchShared { limit: limits.copies })
}
