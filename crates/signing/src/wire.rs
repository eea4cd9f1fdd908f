//! JSON in the bytes that cosign writes: the members in the order of the fields, without spaces.

use distil_imgcore::ForHtml;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

/// As Go's `encoding/json` writes: payloads of simple signatures, manifests and configs.
pub(crate) fn go(value: &impl Serialize) -> Vec<u8> {
    write(value, ForHtml)
}

/// The same as a text.
pub(crate) fn go_text(value: &impl Serialize) -> String {
    String::from_utf8(go(value)).expect("JSON is UTF-8")
}

/// As `protojson` writes where it adds no blanks: envelopes and bundles of cosign 3.
pub(crate) fn proto(value: &impl Serialize) -> Vec<u8> {
    write(value, CompactFormatter)
}

fn write(value: &impl Serialize, formatter: impl Formatter) -> Vec<u8> {
    let mut out = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut out, formatter))
        .expect("memory takes every byte, and all keys of these forms are texts");
    out
}
