//! Licences that are known by their wording.
//!
//! Only whole texts count, word by word but for names and the like: half a licence is another licence.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::tables;

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wording {
    /// The licences in it, by SPDX ids, each once, in the order of the text.
    pub(super) ids: Vec<&'static str>,
    /// Whether the rest of it has nothing that sounds like terms.
    pub(super) is_all: bool,
}

/// Looks for whole licences in a folded text.
pub(super) fn recognise(text: &str) -> Wording {
    let texts = texts();
    let mut wording = Wording { ids: Vec::new(), is_all: true };
    let mut end = 0;
    for (start, word) in words(text) {
        if start < end {
            continue;
        }
        let known = texts.get(word).into_iter().flatten().filter_map(|phrase| phrase.longest(text, start));
        let Some((found, id)) = known.reduce(|best, other| if other.0 > best.0 { other } else { best }) else {
            continue;
        };
        wording.is_all = wording.is_all && !sounds_like_terms(text.get(end..=start).unwrap_or_default());
        end = found;
        if id != NEUTRAL && !wording.ids.contains(&id) {
            wording.ids.push(id);
        }
    }
    wording.is_all = wording.is_all && !sounds_like_terms(text.get(end..).unwrap_or_default());
    wording
}

/// The id of text that grants and demands nothing by itself.
const NEUTRAL: &str = "-";

/// The words of a folded text, each with the place of the space before it.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(' ').skip(1).scan(0, |start, word| {
        let this = *start;
        *start += word.len() + 1;
        Some((this, word))
    })
}

/// A phrase of known texts, and what follows it in them: many texts begin alike.
struct Phrase {
    /// How many words of any kind may stand before it.
    gap: usize,
    words: String,
    next: Vec<Phrase>,
    /// The texts that it ends, each with the number of words of any kind at its end: they belong to the text as far as they do
    /// not sound like terms.
    texts: Vec<(&'static str, usize)>,
}

impl Phrase {
    /// The end and the id of the longest text that goes on with this phrase; of equally long ones the first of the file.
    fn longest(&self, text: &str, from: usize) -> Option<(usize, &'static str)> {
        // A phrase starts with the space that the one before ended with.
        let window = start_of(text.get(from..)?, self.words.len() + self.gap * LONGEST_WORD);
        // Comparing at the few spaces takes less than to get ready to search for the phrase.
        let spaces = window.bytes().enumerate().filter(|(_, byte)| *byte == b' ').map(|(at, _)| at);
        let mut starts = spaces.take(self.gap + 1);
        let at = starts.find(|at| window.get(*at..).is_some_and(|rest| rest.starts_with(&self.words)))?;
        let end = from + at + self.words.len() - 1;
        let ended = self.texts.iter().map(|(id, tail)| (end + length_of_tail(text, end, *tail), *id));
        let longer = self.next.iter().filter_map(|next| next.longest(text, end));
        longer.chain(ended).reduce(|best, other| if other.0 > best.0 { other } else { best })
    }

    /// Adds a text, as its phrases, each after its gap.
    fn insert(phrases: &mut Vec<Self>, mut text: std::vec::IntoIter<(usize, String)>, end: (&'static str, usize)) {
        let Some((gap, words)) = text.next() else { return };
        let known = phrases.iter().position(|known| known.gap == gap && known.words == words);
        if known.is_none() {
            phrases.push(Self { gap, words, next: Vec::new(), texts: Vec::new() });
        }
        let last = phrases.len() - 1;
        let Some(phrase) = phrases.get_mut(known.unwrap_or(last)) else { return };
        if text.len() == 0 {
            phrase.texts.push(end);
        } else {
            Self::insert(&mut phrase.next, text, end);
        }
    }
}

fn length_of_tail(text: &str, from: usize, tail: usize) -> usize {
    let after = start_of(text.get(from..).unwrap_or_default(), tail * LONGEST_WORD);
    let words = after.split_inclusive(' ').skip(1).take(tail);
    words.take_while(|word| word.ends_with(' ') && !is_of_terms(word.trim_end())).map(str::len).sum()
}

/// Bytes that a word of a gap may have.
const LONGEST_WORD: usize = 24;

fn start_of(text: &str, length: usize) -> &str {
    (0..=length.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// Words that stand in terms and seldom elsewhere.
const TERMS: [&str; 78] = [
    "acknowledge",
    "acknowledgement",
    "acknowledgment",
    "advertising",
    "agree",
    "agreement",
    "alternatively",
    "attribution",
    "commercial",
    "comply",
    "condition",
    "conditions",
    "consent",
    "copied",
    "copies",
    "copy",
    "copying",
    "critical",
    "disclaim",
    "disclaimer",
    "disclaims",
    "distribute",
    "distributed",
    "distributing",
    "distribution",
    "either",
    "endorse",
    "exception",
    "exceptions",
    "export",
    "exported",
    "forbid",
    "forbidden",
    "free",
    "freely",
    "gpl",
    "grant",
    "granted",
    "grants",
    "lgpl",
    "liability",
    "liable",
    "licence",
    "licences",
    "license",
    "licensed",
    "licenses",
    "modification",
    "modifications",
    "modify",
    "must",
    "noncommercial",
    "notice",
    "notices",
    "obligation",
    "patent",
    "patents",
    "permission",
    "permissions",
    "permit",
    "permitted",
    "prohibited",
    "promote",
    "promotion",
    "provided",
    "redistribute",
    "redistributed",
    "redistribution",
    "restriction",
    "restrictions",
    "rights",
    "royalty",
    "shall",
    "sublicense",
    "terms",
    "warranties",
    "warrants",
    "warranty",
];

fn is_of_terms(word: &str) -> bool {
    TERMS.binary_search(&word).is_ok()
}

fn sounds_like_terms(text: &str) -> bool {
    text.contains(" public domain ") || text.split(' ').any(is_of_terms)
}

/// The known texts by their first words.
fn texts() -> &'static HashMap<String, Vec<Phrase>> {
    static TEXTS: OnceLock<HashMap<String, Vec<Phrase>>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut texts: HashMap<String, Vec<Phrase>> = HashMap::new();
        for Known { id, mut phrases, tail } in read(include_str!("../../data/wordings.txt")) {
            let Some((gap, first)) = phrases.first_mut() else { continue };
            // Nothing comes before the start.
            *gap = 0;
            let word = first.split_whitespace().next().unwrap_or_default().to_owned();
            Phrase::insert(texts.entry(word).or_default(), phrases.into_iter(), (id, tail));
        }
        texts
    })
}

/// A text as the file has it.
struct Known {
    id: &'static str,
    /// Each with the number of words of any kind before it.
    phrases: Vec<(usize, String)>,
    /// How many words of any kind may stand at the end.
    tail: usize,
}

/// Reads the file of wordings.
fn read(file: &'static str) -> Vec<Known> {
    let mut entries: Vec<(&'static str, char, String)> = Vec::new();
    for row in tables::rows(file) {
        if let Some((.., words)) = entries.last_mut().filter(|_| row.starts_with(' ')) {
            words.push_str(row);
        } else if let Some((name, words)) = row.split_once(" = ") {
            entries.push((name, '=', words.to_owned()));
        } else if let Some((id, words)) = row.split_once(": ") {
            entries.push((id, ':', words.to_owned()));
        }
    }
    let mut texts = Vec::new();
    for (id, _, words) in entries.iter().filter(|(_, kind, _)| *kind == ':') {
        // A part with two wordings gives two texts.
        let mut wordings: Vec<Vec<&str>> = vec![Vec::new()];
        for word in words.split_whitespace() {
            let parts: Vec<&str> = match word.strip_prefix('@') {
                Some(part) => entries.iter().filter(|e| e.1 == '=' && e.0 == part).map(|e| e.2.as_str()).collect(),
                None => vec![word],
            };
            let longer = wordings.iter().flat_map(|wording| {
                parts.iter().map(|part| wording.iter().copied().chain(part.split_whitespace()).collect())
            });
            wordings = longer.collect();
        }
        texts.extend(wordings.iter().filter_map(|wording| known(id, wording)));
    }
    texts
}

/// One wording: words, and gaps as `{n}`.
fn known(id: &'static str, wording: &[&str]) -> Option<Known> {
    let mut phrases: Vec<(usize, String)> = Vec::new();
    let mut gap = 0;
    let mut is_new = true;
    for word in wording {
        if let Some(words) = word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            gap += words.parse::<usize>().ok()?;
            is_new = true;
            continue;
        }
        if is_new {
            phrases.push((std::mem::take(&mut gap), " ".to_owned()));
        }
        is_new = false;
        let (_, phrase) = phrases.last_mut()?;
        phrase.push_str(word);
        phrase.push(' ');
    }
    Some(Known { id, phrases, tail: gap })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text;
    use super::*;

    /// The licences of SPDX's list whose texts, as SPDX has them, are known by their wording.
    const KNOWN: &str = "0BSD BSD-1-Clause BSD-2-Clause BSD-2-Clause-Darwin BSD-2-Clause-Views BSD-3-Clause BSD-4-Clause \
                         BSD-4-Clause-UC BSD-4.3TAHOE BSD-Source-Code BSL-1.0 FSFAP FSFAP-no-warranty-disclaimer FSFUL FSFULLR \
                         FSFULLRWD HPND HPND-sell-variant ISC ISC-Veillard MIT MIT-0 SunPro X11 X11-swapped Zlib";

    #[test]
    fn no_licence_of_the_list_is_taken_for_another() {
        let mut known = Vec::new();
        for licence in spdx::identifiers::LICENSES.iter().filter(|l| tables::licence_id(l.name).is_some()) {
            let words = text::folded(spdx::license_id(licence.name).unwrap().text());
            let found = recognise(&words);
            if found.is_all && !found.ids.is_empty() {
                assert_eq!(found.ids, [licence.name]);
                known.push(licence.name);
            }
        }
        assert_eq!(known.join(" "), KNOWN);
    }

    #[test]
    fn every_text_is_one_that_spdx_has() {
        assert!(TERMS.is_sorted());
        let file = include_str!("../../data/wordings.txt");
        for known in read(file).iter().filter(|known| known.id != NEUTRAL) {
            assert_eq!(tables::licence_id(known.id), Some(known.id));
        }
        // A part that no text names would be a slip of the pen.
        for (part, _) in tables::rows(file).filter_map(|row| row.split_once(" = ")) {
            assert!(file.contains(&format!("@{part}")), "{part}");
        }
        for word in file.split_whitespace().filter_map(|word| word.strip_prefix('@')).filter(|word| word.contains('-'))
        {
            assert!(file.contains(&format!("\n{word} = ")), "{word}");
        }
    }

    #[test]
    fn a_text_counts_only_whole_and_alone() {
        let isc = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is \
                   hereby granted, provided that the above copyright notice and this permission notice appear in all \
                   copies. THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS \
                   SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR \
                   BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER \
                   RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER \
                   TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.";
        for (text, ids, is_all) in [
            (isc.to_owned(), vec!["ISC"], true),
            (
                format!("Copyright 2001 A. Body. All rights reserved.\n# {}", isc.replace(". ", ".\n# ")),
                vec!["ISC"],
                true,
            ),
            (isc.replace("THE AUTHOR ", "JANE DOE AND HER FRIENDS "), vec!["ISC"], true),
            (format!("{isc} You must not sell it."), vec!["ISC"], false),
            (format!("Alternatively, {isc}"), vec!["ISC"], false),
            (isc.replace("provided that", "provided that you are kind and that"), vec![], false),
            (isc.replace("OUT OF OR", "OUT OF"), vec![], false),
            (String::new(), vec![], true),
        ] {
            let found = recognise(&text::folded(&text));
            assert_eq!((found.ids, found.is_all), (ids, is_all), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in "((permission is hereby granted free of charge|all rights reserved|the|\\PC{1,5}) ?){0,20}") {
            prop_assert!(recognise(&text::folded(&text)).ids.is_empty());
        }
    }
}
