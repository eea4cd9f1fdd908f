//! `[publish]`: how images are made known under a name.

use distil_settings::{Keys, Section};

use super::problem::Problems;

pub(super) const KEYS: Keys = Keys::all(&["immutable"]);

/// How images are made known under a name. Nothing of it gets into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Publish {
    /// Whether a name that an image has stays with it: to write another image under it is an error.
    pub immutable: bool,
}

impl Publish {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let immutable = section.value("immutable").and_then(|v| v.boolean(problems));
        Self { immutable: immutable.unwrap_or_default() }
    }
}
