//! `[registry]`: what must stay as it is in registries.

use distil_settings::{Keys, Section, Value};

use super::glob::Glob;
use super::reading::{names_list, or};
use crate::problem::Problems;

/// `[registry.immutable]`: tags that stay with the image that was released under them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Immutable {
    /// Patterns of such tags; none where there is none.
    pub tags: Vec<Glob>,
    /// Patterns of those that may move all the same.
    pub except: Vec<Glob>,
}

pub(crate) const KEYS: Keys = Keys::all(&["immutable"]);
pub(crate) const IMMUTABLE_KEYS: Keys = Keys::all(&["tags", "except"]);

impl Immutable {
    /// Reads `[registry]`, which has nothing else today.
    pub(crate) fn read(registry: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        or(registry, "immutable", Self::default(), problems, |value: &Value<'_, '_>, problems| {
            let section = value.section(IMMUTABLE_KEYS, problems)?;
            let tags = or(&section, "tags", Vec::new(), problems, names_list);
            let except = or(&section, "except", Vec::new(), problems, names_list);
            Some(Self { tags, except })
        })
    }

    /// Whether a tag must stay.
    #[must_use]
    pub fn covers(&self, tag: &str) -> bool {
        let is_in = |patterns: &[Glob]| patterns.iter().any(|pattern| pattern.matches(tag));
        is_in(&self.tags) && !is_in(&self.except)
    }
}
