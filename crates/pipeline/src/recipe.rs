//! The recipe `distil.toml`: what an image is made of, as its authors write it.
//!
//! [`Recipe::parse`] takes text and opens nothing. It reports every mistake that it finds with its place, so that a
//! front end can show them all; whether the files that a recipe names exist is asked by [`crate::inputs`].

mod attestations;
mod base;
mod debian;
mod files;
mod filter;
mod image;
mod layers;
mod problem;
mod publish;
mod sources;
mod users;
mod variant;

use std::collections::BTreeMap;

use distil_imgcore::{Digest, ImagePath, Platform};
use distil_rootfs::{Accounts, FilterRules};
use distil_settings::{Document, Keys, Section, Value, nearest};

pub use attestations::{Attestations, author};
pub use base::{Base, BaseTrust};
pub use debian::{DebPattern, Debian, Exclude, PackageRequest};
pub use distil_debunpack::records::Database;
pub use distil_settings::{Invalid, Place, ValueProblem};
pub(crate) use files::reserved;
pub use files::{FileSource, OwnFile};
pub use image::{ImageSettings, Port, PortError, SignalError, StopSignal};
pub use layers::{Layers, Strategy};
pub use problem::{Problem, ProblemKind, RecipeError};
pub use publish::Publish;
pub use sources::{RelativeFile, SignedBy, SourceTable, SourceUri, Sources};
pub use users::RunAs;
pub use variant::Variant;

use image::{ImageChanges, appended};
use problem::Problems;
use users::Users;

/// The longest recipe that is read, in bytes.
pub const MAX_RECIPE: usize = 1 << 20;

const KEYS: Keys = Keys::all(&[
    "platforms",
    "image",
    "base",
    "debian",
    "files",
    "users",
    "filter",
    "layers",
    "attestations",
    "publish",
    "variants",
]);

/// What an image is made of. Everything in it was checked; only the files that it names were not looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The platforms to build for; none for that of the host.
    pub platforms: Vec<Platform>,
    /// How a container starts.
    pub image: ImageSettings,
    /// The image to start from.
    pub base: Option<Base>,
    /// The packages.
    pub debian: Debian,
    /// What is added beside packages, by its path in the image.
    pub files: BTreeMap<ImagePath, OwnFile>,
    /// The users.
    pub users: Accounts,
    /// Which files of packages are left out.
    pub filter: FilterRules,
    /// How files become layers.
    pub layers: Layers,
    /// What is said about the image beside it.
    pub attestations: Attestations,
    /// How it is made known under a name.
    pub publish: Publish,
    variants: BTreeMap<String, Variant>,
    settings: Digest,
    text: String,
}

/// A variant that the recipe does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recipe has no variant {}", distil_imgcore::Escaped(.name.as_bytes()))]
pub struct UnknownVariant {
    /// The name that was asked for.
    pub name: String,
    /// The variants that exist.
    pub known: Vec<String>,
    /// The one that looks most like it.
    pub nearest: Option<String>,
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// ```
    /// use distil_pipeline::recipe::Recipe;
    ///
    /// let recipe = Recipe::parse("[image]\nentrypoint = ['/usr/bin/app']\n[debian]\ndebs = ['dist/*.deb']\n")?;
    /// assert_eq!(recipe.image.entrypoint, Some(vec!["/usr/bin/app".to_owned()]));
    ///
    /// let error = Recipe::parse("[image]\nentripoint = ['/usr/bin/app']\n").unwrap_err();
    /// assert_eq!((error.problems[0].line, error.problems[0].column), (2, 1));
    /// # Ok::<(), distil_pipeline::recipe::RecipeError>(())
    /// ```
    ///
    /// # Errors
    /// [`RecipeError`] with every mistake. Where the text is not TOML, only what could still be read is looked at.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        const RECIPE: Document = Document { name: "the recipe", longest: MAX_RECIPE };
        RECIPE.read(text, KEYS, |top, problems| Self {
            text: text.to_owned(),
            ..Self::read(top, settings_digest(text), problems)
        })
    }

    fn read(top: &Section<'_, '_>, settings: Digest, problems: &mut Problems<'_>) -> Self {
        let mut section = |key, keys| top.value(key).and_then(|v| v.section(keys, problems));
        let (image, base) = (section("image", image::KEYS), section("base", base::KEYS));
        let debian = section("debian", debian::KEYS);
        let (filter, layers) = (section("filter", filter::KEYS), section("layers", layers::KEYS));
        let attestations = section("attestations", attestations::KEYS);
        let publish = section("publish", publish::KEYS);
        let users = Users::read(top.value("users").as_ref(), problems);
        let image = image.map(|s| ImageChanges::read(&s, &users, problems)).unwrap_or_default();
        let debian = debian.map(|s| Debian::read(&s, problems)).unwrap_or_default();
        Self {
            platforms: top.value("platforms").map(|v| read_platforms(&v, problems)).unwrap_or_default(),
            image: ImageSettings::default().with(&image),
            base: base.and_then(|s| Base::read(&s, problems)),
            files: files::read(top.value("files").as_ref(), &users, problems),
            filter: filter.map(|s| filter::read(&s, problems)).unwrap_or_default(),
            layers: layers.map(|s| Layers::read(&s, problems)).unwrap_or_default(),
            attestations: attestations.map(|s| Attestations::read(&s, problems)).unwrap_or_default(),
            publish: publish.map(|s| Publish::read(&s, problems)).unwrap_or_default(),
            variants: variant::read(top.value("variants").as_ref(), &users, &debian.exclude, problems),
            debian,
            users: users.accounts,
            settings,
            text: String::new(),
        }
    }

    /// This recipe as one of its variants has it: with the variant's packages beside its own, with the variant's files
    /// beside or in place of its own, and with the variant's image settings over its own.
    ///
    /// # Errors
    /// [`UnknownVariant`].
    pub fn with_variant(&self, name: &str) -> Result<Self, UnknownVariant> {
        let names = || self.variants.keys().map(String::as_str);
        let variant = self.variants.get(name).ok_or_else(|| UnknownVariant {
            name: name.to_owned(),
            known: names().map(str::to_owned).collect(),
            nearest: nearest(name, names()),
        })?;
        let mut recipe = self.clone();
        recipe.debian.packages = appended(&self.debian.packages, &variant.packages);
        recipe.debian.debs = appended(&self.debian.debs, &variant.debs);
        recipe.files.extend(variant.files.clone());
        recipe.image = self.image.with(&variant.image);
        Ok(recipe)
    }

    /// A digest of all that the recipe says beside where packages come from and which they are: two recipes of one digest
    /// give the same image out of the same packages and files. Comments, order and spelling do not count.
    #[must_use]
    pub fn settings_digest(&self) -> &Digest {
        &self.settings
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the variants.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.variants.keys().map(String::as_str)
    }
}

/// The keys of each table with fixed ones, by the table's name in the schema; that of the top is empty.
#[cfg(test)]
pub(crate) fn known_keys() -> [(&'static str, &'static [&'static str]); 13] {
    let tables = [
        ("", KEYS),
        ("image", image::KEYS),
        ("base", base::KEYS),
        ("debian", debian::KEYS),
        ("source", sources::KEYS),
        ("exclude", debian::EXCLUDE_KEYS),
        ("file", files::KEYS),
        ("user", users::KEYS),
        ("filter", filter::KEYS),
        ("layers", layers::KEYS),
        ("attestations", attestations::KEYS),
        ("publish", publish::KEYS),
        ("variant", variant::KEYS),
    ];
    tables.map(|(name, keys)| (name, keys.known))
}

/// The digest of a recipe without what a lock is made for.
fn settings_digest(text: &str) -> Digest {
    // Whoever asks has a recipe, so that its text is valid.
    let mut all: serde_json::Value = toml::from_str(text).unwrap_or_default();
    if let Some(tables) = all.as_object_mut() {
        tables.remove("platforms");
        // It changes no image.
        tables.remove("publish");
        for (table, kept) in [("base", "public-name"), ("debian", "database")] {
            if let Some(table) = tables.get_mut(table).and_then(|table| table.as_object_mut()) {
                table.retain(|key, _| key == kept);
            }
        }
        tables.retain(|name, table| name != "base" || table.as_object().is_none_or(|base| !base.is_empty()));
    }
    Digest::of(&distil_imgcore::json::to_canonical(&all))
}

fn read_platforms(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Vec<Platform> {
    let mut platforms: Vec<Platform> = Vec::new();
    let expected = "a platform as in linux/amd64 or linux/arm64";
    value.list(problems, |v, text, problems| {
        let platform: Platform = text.parse().ok().or_else(|| v.malformed(text, expected, problems))?;
        if platforms.contains(&platform) {
            let first = format!("{platform} before it");
            return v.problem(problems, |key| ValueProblem::Twice { key, first });
        }
        platforms.push(platform);
        Some(())
    });
    if value.is_empty_array() {
        value.malformed::<(), _>("[]", "at least one platform, or left out for that of the host", problems);
    }
    platforms
}

#[cfg(test)]
mod tests;
