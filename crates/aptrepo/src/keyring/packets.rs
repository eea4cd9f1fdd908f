//! The framing of OpenPGP packets ([RFC 9580, section 4.2]), without a look into them.
//!
//! The packets are told apart here and not by the library, so that one that it cannot read does not hide those after it,
//! and so that nothing is decoded before it is needed: an archive's key ring holds dozens of keys and a file is signed by
//! two or three.
//!
//! [RFC 9580, section 4.2]: https://www.rfc-editor.org/rfc/rfc9580#section-4.2

/// One packet: its type, and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

pub(crate) mod tag {
    pub(crate) const SIGNATURE: u8 = 2;
    pub(crate) const SECRET_KEY: u8 = 5;
    pub(crate) const PUBLIC_KEY: u8 = 6;
    pub(crate) const SECRET_SUBKEY: u8 = 7;
    pub(crate) const USER_ID: u8 = 13;
    pub(crate) const PUBLIC_SUBKEY: u8 = 14;
}

/// Bytes that are no packet, or a packet that is cut off or of unstated length, which keys and signatures never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no whole packet at byte {offset}")]
pub struct PacketError {
    /// Where the packet starts.
    pub offset: usize,
}

/// Goes over the packets; after an error it ends.
#[derive(Debug, Clone)]
pub(crate) struct Packets<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Packets<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.length - self.rest.len();
        if let Some((packet, rest)) = split(self.rest) {
            self.rest = rest;
            Some(Ok(packet))
        } else {
            self.rest = &[];
            Some(Err(PacketError { offset }))
        }
    }
}

fn split(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
    let (tag, length, rest) = match first {
        0xC0..=0xFF => {
            let (&start, rest) = rest.split_first()?;
            let (length, rest) = match start {
                0..=191 => (usize::from(start), rest),
                192..=223 => {
                    let (&next, rest) = rest.split_first()?;
                    (((usize::from(start) - 192) << 8) + usize::from(next) + 192, rest)
                }
                224..=254 => return None,
                255 => rest.split_at_checked(4).map(|(length, rest)| (number(length), rest))?,
            };
            (first & 0x3F, length, rest)
        }
        0x80..=0xBF => {
            let width = match first & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return None,
            };
            let (length, rest) = rest.split_at_checked(width)?;
            (first >> 2 & 0x0F, number(length), rest)
        }
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((Packet { tag, body }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<(u8, usize), PacketError>> {
        Packets::new(bytes).map(|packet| packet.map(|packet| (packet.tag, packet.body.len()))).collect()
    }

    #[test]
    fn both_forms_of_length_are_read() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\x88\x02ab\xC2\x01a\xB4\x00"), [Ok((2, 2)), Ok((2, 1)), Ok((13, 0))]);
        let long = |start: &[u8], length: usize| [start, &vec![0; length]].concat();
        assert_eq!(read(&long(b"\xC2\xC0\x00", 192)), [Ok((2, 192))]);
        assert_eq!(read(&long(b"\xC2\xDF\xFF", 8383)), [Ok((2, 8383))]);
        assert_eq!(read(&long(b"\xC2\xFF\x00\x00\x20\xC0", 8384)), [Ok((2, 8384))]);
        assert_eq!(read(&long(b"\x99\x01\x00", 256)), [Ok((6, 256))]);
        assert_eq!(read(&long(b"\x9A\x00\x00\x01\x00", 256)), [Ok((6, 256))]);
    }

    #[test]
    fn what_is_cut_off_or_endless_is_refused() {
        let bad = |offset| Err(PacketError { offset });
        assert_eq!(read(b"\x88\x02ab\x88\x02a"), [Ok((2, 2)), bad(4)]);
        for bytes in [
            &b"\x88"[..],
            b"\x88\x01",
            b"\x8B",
            b"\x8Bab",
            b"\xC2\xE1ab",
            b"\x40\x00",
            b"text",
            b"\xC2\xFF\xFF\xFF\xFF\xFF",
        ] {
            assert_eq!(read(bytes), [bad(0)], "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn packets_never_overlap(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let total: usize = Packets::new(&bytes).filter_map(Result::ok).map(|packet| packet.body.len() + 2).sum();
            prop_assert!(total <= bytes.len());
        }
    }
}
