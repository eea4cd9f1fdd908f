//! JSON with one meaning: what is read is checked on its bytes, what is written has one form.
//!
//! Readers of JSON differ where [RFC 8259] leaves them room: of two equal keys some take the first and some the last,
//! Go's takes `Layers` for `layers`, and large numbers are rounded. A document that two readers would understand
//! differently is refused here, before anything parses it.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

use std::collections::BTreeSet;

use serde_json::Value;

use crate::escape::Escaped;

/// Objects within objects and arrays.
pub const MAX_DEPTH: usize = 64;

/// Objects whose keys are data: Go reads them into maps, which tell upper from lower case, and images in the wild have
/// labels that differ in case alone.
const MAPS: [&str; 4] = ["annotations", "Labels", "ExposedPorts", "Volumes"];

/// How keys start that `serde_json` takes for instructions: with its feature `raw_value`, which any crate of a program may
/// turn on for all of them, an object with such a key is replaced by the document that lies in its text.
const RESERVED: &str = "$serde_json::private::";

/// Why bytes are not JSON with one meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Larger than the document may be.
    #[error("{found} bytes where at most {limit} may be")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size of the document.
        found: usize,
    },
    /// No bytes, or NULs only: what a crash leaves of a file that was not flushed.
    #[error("the document is empty")]
    Empty,
    /// Starts with a byte order mark.
    #[error("the document starts with a byte order mark")]
    ByteOrderMark,
    /// Not UTF-8.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not in the grammar: also a document that ends too early.
    #[error("byte {at} is not what JSON has there, which is {expected}")]
    Syntax {
        /// Offset of the byte, the length of the document where it ends too early.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// Something after the value.
    #[error("something follows the document at byte {at}")]
    Trailing {
        /// Offset of the first byte that is no space.
        at: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} at byte {at}")]
    TooDeep {
        /// Offset of the bracket.
        at: usize,
    },
    /// A fraction, an exponent, or an integer of more than 64 bits.
    #[error("the number at byte {at} is no integer of 64 bits")]
    Number {
        /// Offset of the number.
        at: usize,
    },
    /// One key twice in an object, or two that differ in case alone.
    #[error("the key \"{}\" at byte {at} is there twice, or differs from another in case alone", Escaped(.key.as_bytes()))]
    DuplicateKey {
        /// The second key.
        key: String,
        /// Its offset.
        at: usize,
    },
    /// A key that the reader behind this check takes for an instruction.
    #[error("the key \"{}\" at byte {at} has a meaning of its own to readers written in Rust", Escaped(.key.as_bytes()))]
    ReservedKey {
        /// The key.
        key: String,
        /// Its offset.
        at: usize,
    },
}

/// Checks a document and parses it.
///
/// # Errors
/// [`JsonError`] for everything that two readers could understand differently, and above `limit` bytes.
pub fn parse(bytes: &[u8], limit: usize) -> Result<Value, JsonError> {
    check(bytes, limit)?;
    // What the check lets through is in the grammar; a difference between the two readers is one more error.
    serde_json::from_slice(bytes)
        .map_err(|e| JsonError::Syntax { at: e.column(), expected: "what the second reader wants" })
}

/// Checks that a document has one meaning.
///
/// # Errors
/// As [`parse`].
pub fn check(bytes: &[u8], limit: usize) -> Result<(), JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLarge { limit, found: bytes.len() });
    }
    if bytes.iter().all(|b| *b == 0) {
        return Err(JsonError::Empty);
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(JsonError::ByteOrderMark);
    }
    std::str::from_utf8(bytes).map_err(|e| JsonError::NotUtf8 { at: e.valid_up_to() })?;
    let mut scan = Scan { bytes, at: 0 };
    scan.value(0, Keys::Fields)?;
    scan.space();
    if scan.at < bytes.len() {
        return Err(JsonError::Trailing { at: scan.at });
    }
    Ok(())
}

/// The one form in which distil writes a value: keys in the order of their bytes, no spaces, the shortest escapes. It
/// does not depend on how the map inside [`Value`] is ordered, which another crate's feature decides.
#[must_use]
pub fn to_canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

/// Two keys collide when Go's reader takes them for one: under simple case folding, for which going up and down again
/// is enough (it also joins U+017F and U+212A with s and k).
pub(crate) fn fold(key: &str) -> String {
    key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push(b'{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(out, key);
                out.push(b':');
                write_value(out, map.get(key).unwrap_or(&Value::Null));
            }
            out.push(b'}');
        }
        Value::String(text) => write_string(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.extend_from_slice(value.to_string().as_bytes()),
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// What the keys of an object are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Fields,
    Data,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn wrong<T>(&self, expected: &'static str) -> Result<T, JsonError> {
        Err(JsonError::Syntax { at: self.at, expected })
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize, keys: Keys) -> Result<(), JsonError> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(JsonError::TooDeep { at: self.at }),
            Some(b'{') => self.object(depth + 1, keys),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.wrong("a value"),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), JsonError> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return self.wrong("true, false or null");
        }
        self.at += word.len();
        Ok(())
    }

    fn object(&mut self, depth: usize, keys: Keys) -> Result<(), JsonError> {
        self.at += 1;
        let mut seen = BTreeSet::new();
        self.space();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return self.wrong("a key");
            }
            let key = self.string()?;
            if key.starts_with(RESERVED) {
                return Err(JsonError::ReservedKey { key, at });
            }
            let new = seen.insert(if keys == Keys::Fields { fold(&key) } else { key.clone() });
            if !new {
                return Err(JsonError::DuplicateKey { key, at });
            }
            self.space();
            if !self.eat(b':') {
                return self.wrong("a colon");
            }
            self.value(depth, if MAPS.contains(&key.as_str()) { Keys::Data } else { Keys::Fields })?;
            self.space();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.wrong("a comma or the end of the object");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at += 1;
        self.space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(depth, Keys::Fields)?;
            self.space();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.wrong("a comma or the end of the array");
            }
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = self.bytes.get(start..self.at).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'))
            && text != "-0";
        if plain && (text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok()) {
            return Ok(());
        }
        Err(JsonError::Number { at: start })
    }

    /// Moves over a string and gives what it says.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(b) if b >= b' ' => {
                    out.push(b);
                    self.at += 1;
                }
                _ => return self.wrong("text, with control characters escaped"),
            }
        }
        self.at += 1;
        String::from_utf8(out).or_else(|_| self.wrong("UTF-8"))
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let c = match self.peek() {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.wrong("an escape"),
        };
        self.at += 1;
        Ok(c)
    }

    /// Half a surrogate pair is refused: readers replace it, keep it or stop.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let high = self.four_digits()?;
        let mut code = high;
        if (0xd800..0xdc00).contains(&high) {
            if !(self.eat(b'\\') && self.peek() == Some(b'u')) {
                return self.wrong("the second half of a surrogate pair");
            }
            let low = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return self.wrong("the second half of a surrogate pair");
            }
            code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        }
        char::from_u32(code).map_or_else(|| self.wrong("a whole surrogate pair"), Ok)
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let text = std::str::from_utf8(digits).unwrap_or_default();
        if text.len() != 4 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.wrong("four hexadecimal digits");
        }
        self.at += 4;
        u32::from_str_radix(text, 16).or_else(|_| self.wrong("four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn verdict(text: &str) -> Result<(), JsonError> {
        check(text.as_bytes(), 1000)
    }

    #[test]
    fn plain_documents_pass() {
        for good in [
            r#"{"a":[1,-2,0,18446744073709551615,-9223372036854775808],"b":{"a":null,"c":true}}"#,
            " [ ] \n",
            r#""\u00e4\ud83d\ude00\n\/""#,
            r#"{"config":{"Labels":{"a":"1","A":"2"}}}"#,
        ] {
            assert_eq!(verdict(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn keys_that_some_reader_takes_for_one_are_refused() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"layers":1,"Layers":1}"#,
            r#"{"a":{"b":1,"\u0062":1}}"#,
            "{\"layers\":1,\"layer\u{17f}\":1}",
            "{\"k\":1,\"\u{212a}\":1}",
            r#"{"annotations":{"a":"1","a":"2"}}"#,
        ] {
            assert!(matches!(verdict(bad), Err(JsonError::DuplicateKey { .. })), "{bad}");
        }
    }

    #[test]
    fn no_key_hides_another_document() {
        for key in ["$serde_json::private::RawValue", "$serde_json::private::Number", "\\u0024serde_json::private::x"] {
            let found = verdict(&format!(r#"{{"{key}":"{{\"a\":1}}"}}"#));
            assert!(matches!(found, Err(JsonError::ReservedKey { at: 1, .. })), "{key}: {found:?}");
        }
    }

    #[test]
    fn only_integers_of_64_bits_are_numbers() {
        for bad in ["1.0", "1e3", "18446744073709551616", "-9223372036854775809", "01", "-0", "-", "1-2"] {
            assert_eq!(verdict(bad), Err(JsonError::Number { at: 0 }), "{bad}");
        }
    }

    #[test]
    fn each_break_of_the_grammar_is_found() {
        assert_eq!(verdict("{} {}"), Err(JsonError::Trailing { at: 3 }));
        assert_eq!(verdict("{}\0"), Err(JsonError::Trailing { at: 2 }));
        assert_eq!(verdict("\u{feff}{}"), Err(JsonError::ByteOrderMark));
        assert_eq!(verdict(""), Err(JsonError::Empty));
        assert_eq!(verdict("\0\0"), Err(JsonError::Empty));
        assert_eq!(check(b"\"\xff\"", 9), Err(JsonError::NotUtf8 { at: 1 }));
        assert_eq!(check(b"{}", 1), Err(JsonError::TooLarge { limit: 1, found: 2 }));
        for bad in
            ["{", "[1,]", "{\"a\":1,}", "nul", "\"\n\"", r#""\x""#, r#""\ud800""#, r#""\udc00""#, "{\"a\" 1}", "{a:1}"]
        {
            assert!(matches!(verdict(bad), Err(JsonError::Syntax { .. })), "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(verdict(&("[".repeat(64) + &"]".repeat(64))), Ok(()));
        assert_eq!(verdict(&("[".repeat(65) + &"]".repeat(65))), Err(JsonError::TooDeep { at: 64 }));
        assert!(matches!(check("[".repeat(1_000_000).as_bytes(), 2_000_000), Err(JsonError::TooDeep { .. })));
    }

    #[test]
    fn output_is_sorted_compact_and_escaped() {
        let value = json!({"b": [1, {"z": null, "a": true}], "a": "\u{1}\u{1f}\n\"ä\\", "B": -3});
        let text = String::from_utf8(to_canonical(&value)).unwrap();
        assert_eq!(text, r#"{"B":-3,"a":"\u0001\u001f\n\"ä\\","b":[1,{"a":true,"z":null}]}"#);
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|m| m.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(value in documents()) {
            prop_assert_eq!(parse(&to_canonical(&value), 1 << 20).unwrap(), value);
        }

        /// The check knows no document that the parser does not, and no bytes make it panic.
        #[test]
        fn what_passes_is_json(bytes in proptest::collection::vec(proptest::sample::select(&b"{}[]\",:\\u0d8aA1-e. tn\xc3\xa4"[..]), 0..40)) {
            if check(&bytes, 100).is_ok() {
                prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
            }
        }
    }
}
