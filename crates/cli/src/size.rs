//! Numbers of bytes, for people.

use std::fmt;
use std::str::FromStr;

/// A number of bytes. It is shown in the unit that leaves at most four digits before the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Text that is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SizeError {
    #[error("it is a number of bytes, or one with a unit, as in 500M or 1.5GiB")]
    Form,
    #[error("it is more than a file system can hold")]
    TooLarge,
}

/// Reads numbers as coreutils do, which is what people are used to: `K` and `KiB` are 1024 bytes, `KB` is 1000. Capitals do
/// not matter, and a fraction may stand before a unit; what is less than a byte is dropped.
impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end).ok_or(SizeError::Form)?;
        let unit: u128 = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "t" | "tib" => 1 << 40,
            "kb" => 1000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            _ => return Err(SizeError::Form),
        };
        // A fraction is read as a whole number of its last digit's worth.
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
        let is_fraction = |digits: &str| unit > 1 && (1..=9).contains(&digits.len()) && !digits.contains('.');
        if whole.is_empty() || fraction.is_some_and(|digits| !is_fraction(digits)) {
            return Err(SizeError::Form);
        }
        let fraction = fraction.unwrap_or_default();
        let parts = format!("{whole}{fraction}").parse::<u128>().ok().and_then(|parts| parts.checked_mul(unit));
        let bytes = parts.map(|parts| fraction.bytes().fold(parts, |parts, _| parts / 10));
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(SizeError::TooLarge)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let text = if self.0 < 1024 {
            format!("{} B", self.0)
        } else {
            // Tenths, rounded down: 1023.99 MiB must not become 1024.0.
            let power = (self.0.ilog2() / 10).clamp(1, 6);
            let tenths = (u128::from(self.0) * 10) >> (10 * power);
            let unit = UNITS.get(power as usize - 1).unwrap_or(&"EiB");
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_fits_the_number() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(Size(bytes).to_string(), shown);
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let cases = [
            ("0", 0),
            ("1024", 1024),
            ("7b", 7),
            ("1K", 1 << 10),
            ("1k", 1 << 10),
            ("1KiB", 1 << 10),
            ("1KB", 1000),
            ("500M", 500 << 20),
            ("500 MiB", 500 << 20),
            ("500MB", 500_000_000),
            ("10g", 10 << 30),
            ("1.5GiB", 3 << 29),
            ("1.5GB", 1_500_000_000),
            ("0.001K", 1),
            ("2T", 2 << 40),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        let wrong =
            ["", "K", "-1", "+1", "1.5", "1.K", ".5K", "1..5K", "1e3", "1 2", "1ib", "1X", "1KK", "1Kib ", "1,5G", "١"];
        for text in wrong {
            assert_eq!(text.parse::<Size>(), Err(SizeError::Form), "{text}");
        }
        for text in ["18446744073709551616", "16777216T", "99999999999999999999K"] {
            assert_eq!(text.parse::<Size>(), Err(SizeError::TooLarge), "{text}");
        }
    }
}
