//! JSON as all documents are written: in one line, by small parts, and with nothing in it that steers a terminal.

use std::io::{self, BufWriter, Write};

pub(crate) use distil_imgcore::Visible;
use serde::Serialize;

/// Enough to make few writes of many small parts.
const BUFFER: usize = 64 * 1024;

/// Writes a value as one line of JSON without spaces. Control characters and those that nobody sees (C1, bidirectional
/// marks, zero-width ones) are escaped as JSON has it, so that a reader gets the same text and a terminal gets none.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(BUFFER, out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffered, Visible);
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    buffered.flush()
}

/// A sequence whose items are made while it is written, so that it is nowhere as a whole.
pub(crate) struct Streamed<F>(pub(crate) F);

impl<F, I> Serialize for Streamed<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item: Serialize>,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The bytes of a digest in hexadecimal, which are written in great numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 128];
        if let Some(digits) = digits.get_mut(..2 * self.0.len())
            && hex::encode_to_slice(self.0, digits).is_ok()
            && let Ok(text) = std::str::from_utf8(digits)
        {
            return serializer.serialize_str(text);
        }
        serializer.serialize_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_all_lengths_are_digits() {
        for length in [0, 1, 20, 64, 65, 1000] {
            let bytes = vec![0xab; length];
            assert_eq!(serde_json::to_string(&Hex(&bytes)).unwrap(), format!("\"{}\"", "ab".repeat(length)));
        }
    }
}
