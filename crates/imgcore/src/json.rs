//! JSON with one meaning: what is read is checked on its bytes, what is written has one form.
//!
//! Readers of JSON differ where [RFC 8259] leaves them room: of two equal keys some take the first and some the last,
//! Go's takes `Layers` for `layers`, and large numbers are rounded. A document that two readers would understand
//! differently is refused here, before anything parses it.
//!
//! [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259

mod scan;

use serde_json::Value;

use crate::escape::Escaped;
use scan::Rules;

/// Objects within objects and arrays.
pub const MAX_DEPTH: usize = 64;

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
    check_by(Rules::DOCUMENT, bytes, limit)
}

/// Checks a value that is embedded or passed on rather than understood, such as the predicate of a statement: its numbers may
/// be any of the grammar, and keys may differ in case alone, since nothing says that they are names of fields.
///
/// # Errors
/// As [`parse`], but for [`JsonError::Number`], which only a number out of the grammar gives.
pub fn check_data(bytes: &[u8], limit: usize) -> Result<(), JsonError> {
    check_by(Rules::DATA, bytes, limit)
}

fn check_by(rules: Rules, bytes: &[u8], limit: usize) -> Result<(), JsonError> {
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
    scan::whole(rules, bytes)
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
#[must_use]
pub fn fold(key: &str) -> String {
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
    fn data_has_any_numbers_and_any_keys_but_none_twice() {
        let check = |text: &str| check_data(text.as_bytes(), 1000);
        for good in
            [r#"{"path":"a","PATH":"b"}"#, "[1.0,1e3,-0,-0.5E-7,18446744073709551616,0]", r#"{"a":{"B":1,"b":2}}"#]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["01", "-", "1.", ".5", "1e", "1e+", "1-2", "+1", "1.0.0", "-01", "1e1.5", "0x1", "1ee1"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(matches!(check(r#"{"a":[{"b":1,"\u0062":1}]}"#), Err(JsonError::DuplicateKey { .. })));
        assert!(matches!(check("{} {}"), Err(JsonError::Trailing { .. })));
        assert!(matches!(check(&"[".repeat(65)), Err(JsonError::TooDeep { .. })));
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
                prop_assert_eq!(check_data(&bytes, 100), Ok(()));
            }
            if check_data(&bytes, 100).is_ok() {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok());
            }
        }
    }
}
