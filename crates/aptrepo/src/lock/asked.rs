//! What a recipe asks for, as far as it decides packages and layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use distil_imgcore::{Digest, Escaped, Platform};

use super::write;
use crate::Snapshot;

/// The parts of a recipe that decide which packages an image has and how they become layers, in a form in which two
/// recipes that ask for the same are equal: without places, order and mirrors.
///
/// What is not here may change without making a lock stale: own files, users, settings of the image, the filter, the
/// compression, how packages are recorded, and the reasons of exclusions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The platforms.
    pub platforms: BTreeSet<Platform>,
    /// The requests, as they show themselves.
    pub packages: BTreeSet<String>,
    /// The patterns of local packages, as they are written.
    pub debs: BTreeSet<String>,
    /// The names of the packages that stay out.
    pub exclude: BTreeSet<String>,
    /// Whether recommended packages are added.
    pub recommends: bool,
    /// The repositories.
    pub sources: AskedSources,
    /// The reference of the image that is started from.
    pub base: Option<String>,
    /// How packages become layers.
    pub layers: AskedLayers,
    /// What each variant adds.
    pub variants: BTreeMap<String, AskedVariant>,
}

/// The repositories that a recipe asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedSources {
    /// Those of the machine.
    Host {
        /// Which of its suites; left out, all.
        suites: Option<BTreeSet<String>>,
    },
    /// Those that the recipe describes.
    Tables(BTreeSet<AskedSource>),
}

/// One suite of a repository that a recipe describes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskedSource {
    /// The suite.
    pub suite: String,
    /// The components.
    pub components: BTreeSet<String>,
    /// The architectures; left out, all that are built.
    pub architectures: Option<BTreeSet<String>>,
    /// The path of the keys, or the fingerprints of keys.
    pub signed_by: BTreeSet<String>,
    /// The time at which it is looked at; left out, now.
    pub snapshot: Option<Snapshot>,
}

/// How packages become layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedLayers {
    /// The rule, in the word of the recipe.
    pub strategy: String,
    /// The most layers.
    pub max: u8,
}

/// What a variant adds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedVariant {
    /// Requests.
    pub packages: BTreeSet<String>,
    /// Patterns of local packages.
    pub debs: BTreeSet<String>,
}

/// One difference between what a lock was made for and what a recipe asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Something that the recipe asks for and the lock does not know.
    Added {
        /// The key of the recipe.
        part: String,
        /// What was added to it.
        what: String,
    },
    /// Something that the lock was made for and the recipe does not ask for.
    Removed {
        /// The key of the recipe.
        part: String,
        /// What was removed from it.
        what: String,
    },
    /// Another value.
    Changed {
        /// The key of the recipe.
        part: String,
        /// The value that the lock was made for.
        from: String,
        /// The value that the recipe has.
        to: String,
    },
}

/// One part of what is asked for, as it is compared.
#[derive(PartialEq, Eq)]
enum Part {
    Set(BTreeSet<String>),
    Value(String),
}

impl Asked {
    /// The SHA-256 of these parts: of their lines as a lock holds them.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(write::asked(self).as_bytes())
    }

    /// What a lock that was made for this lacks for `other`, in the order of the parts' names.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let (old, new) = (self.parts(), other.parts());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut differences = Vec::new();
        for part in names {
            compare(part, old.get(part), new.get(part), &mut differences);
        }
        differences
    }

    fn parts(&self) -> BTreeMap<String, Part> {
        let set = |items: &BTreeSet<String>| Part::Set(items.clone());
        let mut parts = BTreeMap::from([
            ("platforms".to_owned(), Part::Set(self.platforms.iter().map(ToString::to_string).collect())),
            ("packages".to_owned(), set(&self.packages)),
            ("debs".to_owned(), set(&self.debs)),
            ("exclude".to_owned(), set(&self.exclude)),
            ("recommends".to_owned(), Part::Value(self.recommends.to_string())),
            ("base".to_owned(), Part::Value(self.base.clone().unwrap_or_else(|| "no image".to_owned()))),
            ("layers.strategy".to_owned(), Part::Value(self.layers.strategy.clone())),
            ("layers.max".to_owned(), Part::Value(self.layers.max.to_string())),
        ]);
        match &self.sources {
            AskedSources::Host { suites } => {
                parts.insert("sources".to_owned(), Part::Value("host".to_owned()));
                let all = || Part::Value("all suites".to_owned());
                parts.insert("host-suites".to_owned(), suites.as_ref().map_or_else(all, set));
            }
            AskedSources::Tables(tables) => {
                let tables = tables.iter().map(ToString::to_string).collect();
                parts.insert("sources".to_owned(), Part::Set(tables));
            }
        }
        let names = Part::Set(self.variants.keys().cloned().collect());
        parts.insert("variants".to_owned(), names);
        for (name, variant) in &self.variants {
            parts.insert(format!("variants.{name}.packages"), set(&variant.packages));
            parts.insert(format!("variants.{name}.debs"), set(&variant.debs));
        }
        parts
    }
}

fn compare(part: &str, old: Option<&Part>, new: Option<&Part>, differences: &mut Vec<Difference>) {
    let none = BTreeSet::new();
    let sets = match (old, new) {
        (Some(Part::Set(old)), Some(Part::Set(new))) => (old, new),
        (Some(Part::Set(old)), None) => (old, &none),
        (None, Some(Part::Set(new))) => (&none, new),
        _ => {
            let words = |part: Option<&Part>| match part {
                Some(Part::Set(items)) => items.iter().cloned().collect::<Vec<_>>().join("; "),
                Some(Part::Value(value)) => value.clone(),
                None => String::new(),
            };
            // A part that only one side can have follows from another one, which differs, too.
            if old != new && old.is_some() && new.is_some() {
                differences.push(Difference::Changed { part: part.to_owned(), from: words(old), to: words(new) });
            }
            return;
        }
    };
    let part = || part.to_owned();
    differences.extend(sets.1.difference(sets.0).map(|what| Difference::Added { part: part(), what: what.clone() }));
    differences.extend(sets.0.difference(sets.1).map(|what| Difference::Removed { part: part(), what: what.clone() }));
}

/// As `packages: python3.11 was added`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &String| Escaped(text.as_bytes()).to_string();
        match self {
            Self::Added { part, what } => write!(f, "{}: {} was added", text(part), text(what)),
            Self::Removed { part, what } => write!(f, "{}: {} was removed", text(part), text(what)),
            Self::Changed { part, from, to } => {
                write!(f, "{}: {} became {}", text(part), text(from), text(to))
            }
        }
    }
}

/// As `bookworm (main) for amd64, signed by keys/archive.gpg, at 20260818T205150Z`.
impl fmt::Display for AskedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &BTreeSet<String>| items.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        f.write_str(&self.suite)?;
        if !self.components.is_empty() {
            write!(f, " ({})", list(&self.components))?;
        }
        if let Some(architectures) = &self.architectures {
            write!(f, " for {}", list(architectures))?;
        }
        write!(f, ", signed by {}", list(&self.signed_by))?;
        match self.snapshot {
            Some(snapshot) => write!(f, ", at {snapshot}"),
            None => Ok(()),
        }
    }
}
