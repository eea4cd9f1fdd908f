//! `[size]`: how large an image may be.

use super::reading::bytes;
use crate::problem::Problems;
use distil_settings::{Keys, Section};

/// How large an image may be; none for any size. Bytes are those that are stored and sent, compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// The most bytes of all layers of one platform together.
    pub max_image: Option<u64>,
    /// The most layers of one platform.
    pub max_layers: Option<usize>,
    /// The most bytes of one layer.
    pub max_layer: Option<u64>,
}

pub(crate) const KEYS: Keys = Keys::all(&["max-image", "max-layers", "max-layer"]);

/// More layers than any image can have that somebody runs.
const MOST_LAYERS: i64 = 1000;

impl Size {
    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let mut size = |key| section.value(key).and_then(|value| bytes(&value, problems));
        let (max_image, max_layer) = (size("max-image"), size("max-layer"));
        let max_layers = section.value("max-layers").and_then(|value| value.integer(1..=MOST_LAYERS, problems));
        Self { max_image, max_layer, max_layers: max_layers.and_then(|most| usize::try_from(most).ok()) }
    }
}
