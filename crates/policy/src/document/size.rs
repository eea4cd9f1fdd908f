//! `[size]`: how large an image may be.

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
