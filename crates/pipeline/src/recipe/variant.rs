//! `[variants.NAME]`: what changes where a build asks for it by name.

use std::collections::BTreeMap;

use distil_imgcore::ImagePath;

use distil_settings::{Keys, Value, ValueProblem};

use super::debian::{DebPattern, Exclude, PackageRequest, read_debs, read_packages};
use super::files::{self, OwnFile};
use super::image::{self, ImageChanges};
use super::problem::Problems;
use super::users::Users;

pub(super) const KEYS: Keys = Keys::all(&["packages", "debs", "files", "image"]);

/// What one variant changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub(super) packages: Vec<PackageRequest>,
    pub(super) debs: Vec<DebPattern>,
    pub(super) files: BTreeMap<ImagePath, OwnFile>,
    pub(super) image: ImageChanges,
}

/// Reads `[variants]`.
pub(super) fn read(
    value: Option<&Value<'_, '_>>,
    users: &Users,
    exclude: &[Exclude],
    problems: &mut Problems<'_>,
) -> BTreeMap<String, Variant> {
    let mut variants = BTreeMap::new();
    for entry in value.and_then(|v| v.entries(problems)).unwrap_or_default() {
        if !is_name(entry.name) {
            let (key, found) = ("variants".to_owned(), entry.name.to_owned());
            let expected = "lower-case letters, digits, . and -, starting with a letter";
            problems.add(entry.span.clone(), ValueProblem::Malformed { key, found, expected });
        }
        let variant = Variant::read(&entry.value, users, exclude, problems);
        variants.extend(variant.map(|variant| (entry.name.to_owned(), variant)));
    }
    variants
}

/// Names of variants end up in tags, which allow little.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && text.len() <= 64
}

impl Variant {
    fn read(value: &Value<'_, '_>, users: &Users, exclude: &[Exclude], problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(KEYS, problems)?;
        let image = section.value("image").and_then(|v| v.section(image::KEYS, problems));
        Some(Self {
            packages: read_packages(&section, exclude, problems),
            debs: read_debs(&section, problems),
            files: files::read(section.value("files").as_ref(), users, problems),
            image: image.map(|section| ImageChanges::read(&section, users, problems)).unwrap_or_default(),
        })
    }
}
