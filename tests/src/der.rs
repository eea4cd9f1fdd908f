//! DER, as far as certificates need it.

/// A value with its tag and length.
#[must_use]
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if content.len() >= 128 {
        out.push(0x80 | u8::try_from(length.len()).unwrap());
    }
    out.extend(if content.is_empty() { &[0] } else { length });
    [out.as_slice(), content].concat()
}

/// A sequence of these.
#[must_use]
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// A set of one.
#[must_use]
pub fn set(one: &[u8]) -> Vec<u8> {
    value(0x31, one)
}

/// A number that is not negative, from its bytes.
#[must_use]
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes[0] < 128 { &[] } else { &[0] };
    value(2, &[sign, bytes].concat())
}

/// Bits, of which the last so many are unused.
#[must_use]
pub fn bits(unused: u8, bytes: &[u8]) -> Vec<u8> {
    value(3, &[&[unused], bytes].concat())
}

/// Bytes.
#[must_use]
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    value(4, bytes)
}

/// Text.
#[must_use]
pub fn text(text: &str) -> Vec<u8> {
    value(12, text.as_bytes())
}

/// `true`
#[must_use]
pub fn yes() -> Vec<u8> {
    value(1, &[0xff])
}

/// An object identifier, as in `2.5.29.15`.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let mut out = Vec::new();
    for number in [&[numbers[0] * 40 + numbers[1]], &numbers[2..]].concat() {
        let mut groups = vec![u8::try_from(number & 127).unwrap()];
        let mut rest = number >> 7;
        while rest > 0 {
            groups.push(0x80 | u8::try_from(rest & 127).unwrap());
            rest >>= 7;
        }
        out.extend(groups.iter().rev());
    }
    value(6, &out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_identifiers() {
        assert_eq!(oid("1.2.840.10045.2.1"), [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(value(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(value(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(value(4, &[7; 300])[..4], [4, 0x82, 1, 44]);
    }
}
