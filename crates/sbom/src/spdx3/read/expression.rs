//! Expressions of licences from the elements that they are made of.

use std::collections::BTreeSet;

use super::elements::{Elements, FoundLicence, Key};

/// How deep sets of licences may lie in each other.
const MAX_DEPTH: usize = 32;
/// The longest expression, in bytes. Sets that share members may stand for one much longer than the document.
const MAX_LENGTH: usize = 1 << 20;

impl Elements {
    /// The expression that all of these licences together make.
    pub(super) fn expression(&self, licences: &[Key]) -> Option<String> {
        let mut budget = MAX_LENGTH;
        let mut seen = BTreeSet::new();
        let licences = licences.iter().filter(|licence| seen.insert(**licence));
        let all: Vec<_> = licences.filter_map(|licence| self.part(*licence, MAX_DEPTH, &mut budget)).collect();
        join(all, "AND")
    }

    fn part(&self, licence: Key, depth: usize, budget: &mut usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let text = match self.licences.get(&licence)? {
            FoundLicence::Text(text) => text.clone(),
            FoundLicence::Set(word, members) => {
                let members = members.iter().map_while(|member| {
                    *budget = budget.checked_sub(1)?;
                    self.part(*member, depth, budget)
                });
                let members: Vec<_> = members.collect();
                join(members, word)?
            }
            FoundLicence::With(licence, addition) => {
                let licence = self.part(*licence, depth, budget)?;
                format!("{licence} WITH {}", self.part(*addition, depth, budget)?)
            }
            FoundLicence::OrLater(licence) => format!("{}+", self.part(*licence, depth, budget)?),
        };
        *budget = budget.checked_sub(text.len())?;
        Some(text)
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
