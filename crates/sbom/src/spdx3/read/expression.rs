//! Expressions of licences from the elements that they are made of.

use std::collections::BTreeSet;

use super::elements::{Elements, FoundLicence, Key};
use super::resolve::Copies;

/// How deep sets of licences may lie in each other.
const MAX_DEPTH: usize = 16;
/// What one member of a set costs besides its text, in bytes: members that stand for many others cost time.
const MEMBER: usize = 64;

impl Elements {
    /// The expression that all of these licences together make.
    pub(super) fn expression(&self, licences: &[Key], copies: &mut Copies) -> Option<String> {
        self.set(licences, "AND", &mut Vec::new(), copies)
    }

    fn set(&self, members: &[Key], word: &str, around: &mut Vec<Key>, copies: &mut Copies) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for member in members.iter().filter(|member| seen.insert(**member)) {
            copies.afford(MEMBER)?;
            all.extend(self.part(*member, around, copies));
        }
        join(all, word)
    }

    /// The expression of a licence within others. One that is within itself has none.
    fn part(&self, licence: Key, around: &mut Vec<Key>, copies: &mut Copies) -> Option<String> {
        if around.len() == MAX_DEPTH || around.contains(&licence) {
            return None;
        }
        let found = self.licences.get(&licence)?;
        around.push(licence);
        let text = match found {
            FoundLicence::Text(text) => copies.afford(text.len()).map(|()| text.clone()),
            FoundLicence::Set(word, members) => self.set(members, word, around, copies),
            FoundLicence::With(licence, addition) => {
                let licence = self.part(*licence, around, copies);
                let addition = self.part(*addition, around, copies);
                licence.zip(addition).map(|(licence, addition)| format!("{licence} WITH {addition}"))
            }
            FoundLicence::OrLater(licence) => self.part(*licence, around, copies).map(|licence| format!("{licence}+")),
        };
        around.pop();
        text
    }
}

/// Joins expressions, with brackets around those that hold another word.
fn join(mut all: Vec<String>, word: &str) -> Option<String> {
    let mut seen = BTreeSet::new();
    all.retain(|part| seen.insert(part.clone()));
    if all.len() < 2 {
        return all.pop();
    }
    let is_single = |part: &str| !part.split_whitespace().any(|word| matches!(word, "AND" | "OR" | "and" | "or"));
    let bracketed = all.into_iter().map(|part| if is_single(&part) { part } else { format!("({part})") });
    Some(bracketed.collect::<Vec<_>>().join(&format!(" {word} ")))
}
