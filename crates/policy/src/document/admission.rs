//! `[admission]`: where images may come from, and how they are named.

use super::image::ImageRule;
use super::reading::{flag, or};
use super::signatures::Authority;
use crate::problem::Problems;
use distil_settings::{Keys, Section, Value};

/// Where images may come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admission {
    /// Registries, or repositories in them, that an image may be in: `registry.example.org/prod` stands for all below it,
    /// compared segment by segment. All where there is none.
    pub registries: Vec<String>,
    /// What follows for an image that is in none of them.
    pub no_match: Response,
    /// Whether an image must be named by its digest.
    pub require_digest: bool,
    /// Tags by which it must not be named.
    pub forbid_tags: Vec<String>,
    /// The images that it may be built upon, each with all below it, compared segment by segment. All where there is none.
    pub base_images: Vec<String>,
    /// What follows from what is found here, and from signatures and statements that are missing.
    pub mode: Mode,
    /// What is asked of images by their names, beside what is asked of all.
    pub images: Vec<ImageRule>,
}

/// Whether images are kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// It is told, and nothing is against the image.
    Warn,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Response {
    /// Nothing.
    Allow,
    /// A warning.
    Warn,
    /// It is against the image.
    #[default]
    Deny,
}

pub(crate) const KEYS: Keys =
    Keys::all(&["registries", "no-match", "require-digest", "forbid-tags", "base-images", "mode", "image"]);

const RESPONSES: &[&str] = &["allow", "warn", "deny"];
const REPOSITORY: &str = "a registry, and what is below it where wanted, as in registry.example.org/prod";
const TAG: &str = "a tag as in latest";

impl Admission {
    /// Reads it. `known` are the authorities of other sections.
    pub(crate) fn read(section: &Section<'_, '_>, known: &[Authority], problems: &mut Problems<'_>) -> Self {
        let mut repositories = |key| {
            or(section, key, Vec::new(), problems, |value, problems| {
                value.list(problems, |value, text, problems| {
                    let fits = is_repository(text);
                    fits.then(|| text.to_owned()).or_else(|| value.malformed(text, REPOSITORY, problems))
                })
            })
        };
        let (registries, base_images) = (repositories("registries"), repositories("base-images"));
        Self {
            registries,
            base_images,
            mode: or(section, "mode", Mode::default(), problems, |value, problems| {
                value.choice(&["enforce", "warn"], &[Mode::Enforce, Mode::Warn], problems)
            }),
            images: or(section, "image", Vec::new(), problems, |value, problems| {
                ImageRule::read_all(value, known, problems)
            }),
            no_match: or(section, "no-match", Response::default(), problems, Response::read),
            require_digest: flag(section, "require-digest", false, problems),
            forbid_tags: or(section, "forbid-tags", Vec::new(), problems, |value, problems| {
                value.list(problems, |value, text, problems| {
                    is_tag(text).then(|| text.to_owned()).or_else(|| value.malformed(text, TAG, problems))
                })
            }),
        }
    }
}

impl Response {
    pub(super) fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        value.choice(RESPONSES, &[Self::Allow, Self::Warn, Self::Deny], problems)
    }
}

/// `HOST[:PORT][/SEGMENT…]`, where a host is what has a dot or a port, or is `localhost`: what `docker.io` is left out of is no
/// host, and would be compared with one.
fn is_repository(text: &str) -> bool {
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let of_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let of_path = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    let is_host = !name.is_empty() && name.split('.').all(|label| !label.is_empty()) && name.bytes().all(of_host);
    let is_port = port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()));
    let is_path = path.is_none_or(|path| path.split('/').all(|part| !part.is_empty() && part.bytes().all(of_path)));
    is_host && is_port && is_path && (name.contains('.') || port.is_some() || name == "localhost") && text.len() <= 255
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}
