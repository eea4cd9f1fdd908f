//! In which order a `Packages` file mentions names.
//!
//! libapt numbers packages as it reads: a stanza's own name, then the names in its relation fields. Among packages that
//! provide the same and have the same priority it prefers the higher number. Nobody means anything by it, but who wants
//! the set that apt would install has to count along.

use std::collections::HashMap;

use distil_debunpack::deb822::Paragraph;

/// The fields in the order in which libapt reads them, whatever their order in the stanza.
const FIELDS: [&str; 9] =
    ["Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances", "Provides"];

/// Numbers names.
#[derive(Debug)]
pub(super) struct Mentions<'a>(HashMap<&'a [u8], u32>);

impl<'a> Mentions<'a> {
    /// Room for the names of a document of some bytes: a suite has one for every 600, and growing a table costs more
    /// than a table that is too large.
    pub(super) fn for_document(bytes: usize) -> Self {
        Self(HashMap::with_capacity(bytes / 600))
    }

    /// Counts the names of a stanza.
    pub(super) fn read(&mut self, package: &'a [u8], stanza: &Paragraph<'a>) {
        self.mention(package);
        for field in FIELDS.iter().filter_map(|name| stanza.field(name)) {
            for relation in field.value().split(|b| matches!(b, b',' | b'|')) {
                let relation = relation.trim_ascii_start();
                let end = relation.iter().position(|b| b.is_ascii_whitespace() || *b == b'(');
                self.mention(relation.get(..end.unwrap_or(relation.len())).unwrap_or_default());
            }
        }
    }

    /// The number of a name that was mentioned.
    pub(super) fn number(&self, name: &[u8]) -> u32 {
        self.0.get(name).copied().unwrap_or(u32::MAX)
    }

    fn mention(&mut self, name: &'a [u8]) {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.entry(name).or_insert(next);
    }
}
