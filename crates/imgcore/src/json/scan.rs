//! The check of a document on its bytes.

use std::collections::BTreeSet;

use super::{JsonError, MAX_DEPTH, fold};

/// Objects whose keys are data: Go reads them into maps, which tell upper from lower case, and images in the wild have
/// labels that differ in case alone.
const MAPS: [&str; 4] = ["annotations", "Labels", "ExposedPorts", "Volumes"];

/// How keys start that `serde_json` takes for instructions: with its feature `raw_value`, which any crate of a program may
/// turn on for all of them, an object with such a key is replaced by the document that lies in its text.
const RESERVED: &str = "$serde_json::private::";

/// What is allowed in a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// What the keys of most objects are.
    keys: Keys,
    /// Whether numbers must be integers of 64 bits.
    integers: bool,
}

impl Rules {
    /// A document whose fields are understood.
    pub(super) const DOCUMENT: Self = Self { keys: Keys::Fields, integers: true };
    /// Anything.
    pub(super) const DATA: Self = Self { keys: Keys::Data, integers: false };
}

/// What the keys of an object are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Fields,
    Data,
}

/// Reads one value and nothing behind it.
pub(super) fn whole(rules: Rules, bytes: &[u8]) -> Result<(), JsonError> {
    let mut scan = Scan { rules, bytes, at: 0 };
    scan.value(0, rules.keys)?;
    scan.space();
    if scan.at < bytes.len() {
        return Err(JsonError::Trailing { at: scan.at });
    }
    Ok(())
}

struct Scan<'a> {
    rules: Rules,
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
            self.value(depth, if MAPS.contains(&key.as_str()) { Keys::Data } else { self.rules.keys })?;
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
            self.value(depth, self.rules.keys)?;
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
        let plain = if self.rules.integers { is_integer(text) } else { is_number(text) };
        if plain { Ok(()) } else { Err(JsonError::Number { at: start }) }
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

/// Whether a text is an integer of 64 bits, in the one way to write it.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    is_natural(digits) && text != "-0" && (text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok())
}

/// Whether a text is a number of the grammar: an integer, digits behind a point, an exponent.
fn is_number(text: &str) -> bool {
    let (number, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(number, e)| (number, Some(e)));
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    is_natural(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits)
}

fn is_natural(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
