//! The checksum of tar-split: CRC-64 with the polynomial of [ISO 3309], low bit first, as `hash/crc64` of Go has it.
//!
//! [ISO 3309]: https://www.iso.org/standard/8561.html

/// x⁶⁴ + x⁴ + x³ + x + 1 with its bits reversed.
const POLYNOMIAL: u64 = 0xd800_0000_0000_0000;

/// What eight bytes in a row do to the sum: one table for each of their places.
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum >> 1) ^ (POLYNOMIAL * (sum & 1));
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses what is out of bounds")]
        {
            tables[0][byte] = sum;
        }
        byte += 1;
    }
    let mut place = 1;
    while place < 8 {
        let mut byte = 0;
        while byte < 256 {
            #[expect(
                clippy::indexing_slicing,
                reason = "evaluated by the compiler, which refuses what is out of bounds"
            )]
            {
                let before: u64 = tables[place - 1][byte];
                tables[place][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            }
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// A sum of all bytes so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crc64(u64);

impl Crc64 {
    pub(super) fn new() -> Self {
        Self(!0)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        let mut sum = self.0;
        for eight in eights {
            let bytes = (sum ^ u64::from_le_bytes(*eight)).to_le_bytes();
            sum = bytes.iter().zip(TABLES.iter().rev()).fold(0, |sum, (byte, table)| sum ^ at(table, *byte));
        }
        for byte in rest {
            let [low, ..] = sum.to_le_bytes();
            sum = (sum >> 8) ^ at(&TABLES[0], low ^ byte);
        }
        self.0 = sum;
    }

    pub(super) fn sum(self) -> u64 {
        !self.0
    }
}

/// A table has a place for every byte.
fn at(table: &[u64; 256], byte: u8) -> u64 {
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.sum()
    }

    #[test]
    fn sums_are_those_of_the_catalogue() {
        // CRC-64/GO-ISO in Greg Cook's catalogue of parametrised CRC algorithms.
        assert_eq!(sum(b"123456789"), 0xb909_56c7_75a4_1001);
        assert_eq!(sum(b""), 0);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
            let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut crc = Crc64::new();
            crc.update(left);
            crc.update(right);
            prop_assert_eq!(crc.sum(), sum(&bytes));
        }
    }
}
