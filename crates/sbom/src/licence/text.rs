//! Texts of licences, as words.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

/// A text as lower-case words with one space between them, and one before the first and after the last: so that a phrase is
/// found whatever the layout and punctuation, and only as whole words.
pub(super) fn folded(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    let mut is_word = false;
    words.push(' ');
    for c in text.chars() {
        let is_part = if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
        if is_part && c.is_ascii() {
            words.push(c.to_ascii_lowercase());
        } else if is_part {
            words.extend(c.to_lowercase());
        } else if is_word {
            words.push(' ');
        }
        is_word = is_part;
    }
    if is_word {
        words.push(' ');
    }
    words
}

/// The first twelve hexadecimal digits of the SHA-256 of a text whose white space is folded: the same text in another layout has
/// the same.
pub(super) fn digest(text: &str) -> String {
    let mut hash = Sha256::new();
    for (number, word) in text.split_whitespace().enumerate() {
        if number > 0 {
            hash.update(b" ");
        }
        hash.update(word);
    }
    hash.finalize().iter().take(6).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// The versions that stand near a name: `mozilla public license version 2 0` gives `2.0`. The text and the name are folded.
/// In the order of the text, each once.
pub(super) fn versions(text: &str, name: &str) -> Vec<Version> {
    let mut found: Vec<Version> = Vec::new();
    for (at, _) in text.match_indices(name) {
        let after = text.get(at + name.len()..).unwrap_or_default();
        let before = text.get(..at).unwrap_or_default();
        let version = version_after(after).or_else(|| version_before(before, after));
        if let Some(version) = version
            && !found.iter().any(|v| v == &version)
        {
            found.push(version);
        }
    }
    found
}

/// A version that a text speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// As in `2.0`.
    pub(super) number: String,
    /// Whether later ones are granted, too.
    pub(super) or_later: bool,
}

/// Words after a name within which its version stands: `as published by the free software foundation either version`.
const NEAR: usize = 14;

fn version_after(after: &str) -> Option<Version> {
    let mut words = after.split(' ').filter(|word| !word.is_empty()).take(NEAR).peekable();
    let mut is_named = true;
    while let Some(word) = words.next() {
        let (named, number) = match word {
            "version" | "versions" | "v" => (true, words.peek().copied()),
            _ if is_named || word.starts_with('v') => (false, Some(word.strip_prefix('v').unwrap_or(word))),
            _ => (false, None),
        };
        is_named = false;
        if named {
            words.next();
        }
        if let Some(number) = number.and_then(|number| number_at(number, words.peek().copied())) {
            return Some(Version { number, or_later: says_later(after) });
        }
    }
    None
}

/// `version 2 of the gnu general public license`.
fn version_before(before: &str, after: &str) -> Option<Version> {
    let words: Vec<&str> = before.rsplit(' ').filter(|word| !word.is_empty()).take(8).collect();
    let at = words.iter().position(|word| matches!(*word, "version" | "v"))?;
    let word = |back: usize| at.checked_sub(back).and_then(|i| words.get(i)).copied();
    let number = number_at(word(1)?, word(2))?;
    Some(Version { number, or_later: says_later(after) || before.ends_with("or later ") })
}

fn number_at(first: &str, second: Option<&str>) -> Option<String> {
    let is_digit = |word: &str| word.len() == 1 && word.starts_with(|c: char| c.is_ascii_digit());
    // The minor number of `1.3c` has a letter.
    let is_minor = |word: &&str| is_digit(word.trim_end_matches(char::is_alphabetic)) && word.len() <= 2;
    is_digit(first).then(|| format!("{first}.{}", second.filter(is_minor).unwrap_or("0")))
}

/// Words after a name within which later versions are granted.
const GRANT: usize = 40;

fn says_later(after: &str) -> bool {
    let words: Vec<&str> = after.split(' ').filter(|word| !word.is_empty()).take(GRANT).collect();
    let near = words.join(" ");
    ["any later version", "or later", "or newer", "any newer version", "or higher", "any later"]
        .iter()
        .any(|p| near.contains(p))
}
