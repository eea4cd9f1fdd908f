//! What is in an image's files that a rule may be about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing about one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observation {
    /// The rule that it is about, as in `DSTL-FS-001`.
    pub rule: String,
    /// The file, as an absolute path, made fit for a terminal.
    pub path: String,
    /// What was seen, in words. A secret is masked.
    pub seen: String,
    /// The package whose file it is.
    pub package: Option<String>,
    /// The layer where it is, from 0.
    pub layer: Option<usize>,
}
