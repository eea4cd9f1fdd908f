//! SPDX 2.3 as JSON, the form that most tools read.
//!
//! See the [specification](https://spdx.github.io/spdx-spec/v2.3/) and its
//! [JSON Schema](https://github.com/spdx/spdx-spec/blob/development/v2.3.1/schemas/spdx-schema.json). What the specification
//! leaves open follows Trivy and Syft, so that scanners find here what they would find in the image.

mod details;
mod document;
mod element;
mod expression;
mod file;
mod found;
mod identifier;
mod link;
mod package;
mod read;
mod relationship;
mod role;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Spdx2Error, read};
pub use write::write;

const VERSION: &str = "SPDX-2.3";
/// What the namespaces of all documents begin with.
const NAMESPACE: &str = "https://spdx.org/spdxdocs/distil/";
/// Trivy takes the source package from what follows exactly this.
const SOURCE_INFO: &str = "built package from: ";
/// The keys of Trivy's annotations.
const PACKAGE_TYPE: &str = "PkgType: ";
const LAYER_DIFF_ID: &str = "LayerDiffID: ";
/// What the comment on the image begins with.
const PLATFORM: &str = "platform: ";
/// What the comment on the operating system begins with.
const CODENAME: &str = "codename: ";
