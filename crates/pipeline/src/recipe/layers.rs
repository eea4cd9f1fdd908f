//! `[layers]`: how files are distributed over layers, and how those are compressed.

use distil_settings::{Keys, Section};

use super::problem::Problems;
use distil_imgcore::Packing;

pub(super) const KEYS: Keys = Keys::all(&["strategy", "max", "compression"]);

/// How files are distributed over layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// By what rule.
    pub strategy: Strategy,
    /// The most layers that an image may have, those of its base and of archives among them.
    pub max: u8,
    /// How layers are compressed, and whether single files can be fetched of them; `None` is the destination's choice: zstd, or gzip where its readers know no zstd.
    pub compression: Option<Packing>,
}

/// By what rule packages become layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// One layer for everything.
    Single,
    /// One layer for each package, the smaller ones merged until there are few enough.
    #[default]
    Package,
    /// One layer for the packages of each source package, the smaller ones merged until there are few enough.
    Origin,
}

impl Strategy {
    /// The word of recipes and locks for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Package => "package",
            Self::Origin => "origin",
        }
    }
}

const STRATEGIES: &[&str] = &["single", "package", "origin"];
const COMPRESSIONS: &[&str] = &["zstd", "gzip", "none", "zstd-chunked", "estargz"];
const COMPRESSION: &str = "none, gzip, estargz, zstd or zstd-chunked, all but the first with a level if wanted, 1 to 9 or to 19, as in zstd:3";

impl Default for Layers {
    fn default() -> Self {
        Self { strategy: Strategy::Package, max: 40, compression: None }
    }
}

impl Layers {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        let strategies = [Strategy::Single, Strategy::Package, Strategy::Origin];
        let strategy = section.value("strategy").and_then(|v| v.choice(STRATEGIES, &strategies, problems));
        let max = section.value("max").and_then(|v| v.integer(2..=100, problems));
        let compression = section.value("compression").and_then(|v| {
            let text = v.string(problems)?;
            text.parse().ok().or_else(|| match text.split_once(':') {
                Some(_) => v.malformed(text, COMPRESSION, problems),
                None => v.one_of(text, COMPRESSIONS, &[], problems),
            })
        });
        Self {
            strategy: strategy.unwrap_or_default(),
            max: max.and_then(|n| u8::try_from(n).ok()).unwrap_or(default.max),
            compression,
        }
    }
}
