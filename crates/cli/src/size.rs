//! Numbers of bytes, for people.

use std::fmt;

/// Shows a number of bytes in the unit that leaves at most four digits before the point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

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
}
