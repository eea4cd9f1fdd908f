//! SPDX 3.0.1 as JSON-LD.
//!
//! A document is a graph of elements that name each other: the document itself, the bill of materials in it, the image,
//! packages, files, people, licences, and the relations between them. See the
//! [specification](https://spdx.github.io/spdx-spec/v3.0.1/) and its [model](https://spdx.org/rdf/3.0.1/).
//!
//! Besides SPDX's own rules, documents keep those of the NTIA, of CISA's framing and of the BSI's TR-03183-2, as far as the
//! inventory knows what they ask for.

mod file;
mod graph;
mod id;
mod package;
mod plan;
mod read;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use read::{MAX_BYTES, ReadError, read};
pub use write::write;
