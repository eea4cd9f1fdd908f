//! Copyright files in prose.
//!
//! What they say for certain: whole texts of licences, grants of the GNU licences, and pointers to `/usr/share/common-licenses`.
//! Where something beside these sounds like terms, the whole file is one more licence.

use super::draft::Draft;
use super::expression::Expression;
use super::names::Resolved;
use super::{gnu, text, wording};

/// What Perl modules say, and what it means.
const AS_PERL: [&str; 4] = [
    " under the same terms as perl itself ",
    " under the terms of either the gnu general public license or the artistic license ",
    " under the terms of either a the gnu general public license ",
    " either a the gnu general public license as published by the free software foundation either version 1 ",
];

/// Files of `/usr/share/common-licenses` outside of the GNU family, and what is in them.
const OTHERS: [(&str, &str); 6] = [
    (" common licenses apache 2 0 ", "Apache-2.0"),
    (" common licenses artistic ", "Artistic-1.0-Perl"),
    (" common licenses bsd ", "BSD-3-Clause"),
    (" common licenses cc0 1 0 ", "CC0-1.0"),
    (" common licenses mpl 1 1 ", "MPL-1.1"),
    (" common licenses mpl 2 0 ", "MPL-2.0"),
];

/// Adds what a text in prose says for certain.
pub(super) fn analyse(text: &str, source: &str, draft: &mut Draft) {
    copyright(text, draft);
    let folded = text::folded(&without_headings(text));
    let upstream = of_upstream(&folded);
    let found = wording::recognise(upstream);
    let mut ids: Vec<&str> = found.ids;
    let is_perls = AS_PERL.iter().any(|phrase| upstream.contains(phrase));
    if is_perls {
        ids.retain(|id| !id.starts_with("GPL-1") && !id.starts_with("Artistic-1"));
        let terms = ["GPL-1.0-or-later", "Artistic-1.0-Perl"].map(|id| Expression::Term(id.to_owned()));
        if let Some(either) = Expression::any(terms) {
            draft.add(either);
        }
    }
    let granted: Vec<String> = ids.iter().map(|id| (*id).to_owned()).chain(draft.terms()).collect();
    for pointer in gnu::pointed_to(upstream) {
        let Resolved { expression: Expression::Term(id), remark } = pointer else { continue };
        // Where the grant itself was understood, its pointer says nothing new.
        let version = match &remark {
            // A file without a version belongs to whatever was granted.
            Some(_) => id.split_inclusive('-').next().unwrap_or_default(),
            None => id.trim_end_matches("-only").trim_end_matches("-or-later"),
        };
        let is_granted = granted.iter().any(|known| known.starts_with(version));
        if !(is_granted || is_perls && id.starts_with("GPL-1")) {
            draft.remark(remark);
            draft.add(Expression::Term(id));
        }
    }
    for (_, id) in OTHERS.iter().filter(|(pointer, _)| upstream.contains(pointer)) {
        if !(ids.contains(id) || is_perls && id.starts_with("Artistic")) {
            ids.push(id);
        }
    }
    for id in ids {
        draft.add(Expression::Term(id.to_owned()));
    }
    if !found.is_all {
        let whole = draft.reference(source, text);
        draft.add(whole);
    }
}

/// Adds the lines that say who has the copyright.
pub(super) fn copyright(text: &str, draft: &mut Draft) {
    draft.copyright(text.lines().map(str::trim).filter(|line| is_copyright(line)));
}

/// The text without the lines that only announce what follows, as `License:`.
fn without_headings(text: &str) -> String {
    let is_heading = |line: &&str| {
        let lower = line.trim().to_lowercase();
        let announces = ["license", "licence", "copyright"].iter().any(|word| lower.contains(word));
        announces && lower.ends_with(':') && lower.split_whitespace().count() <= 3
    };
    text.lines().filter(|line| !is_heading(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The text without what it says of the packaging, which is not in packages.
fn of_upstream(folded: &str) -> &str {
    let ends = [
        " debian packaging is ",
        " debian packaging copyright ",
        " packaging is copyright ",
        " debian packaging of ",
        " debian specific changes are ",
        " debian specific parts ",
    ];
    let Some(end) = ends.iter().filter_map(|phrase| folded.find(phrase)).min() else { return folded };
    let upstream = folded.get(..=end).unwrap_or(folded);
    // Files that begin with the packaging say the rest after it.
    let has_terms = !wording::recognise(upstream).ids.is_empty() || upstream.contains(" common licenses ");
    if has_terms { upstream } else { folded }
}

/// Whether a line says who has the copyright since when.
fn is_copyright(line: &str) -> bool {
    let lower = line.to_lowercase();
    let is_claim = lower.contains("copyright") || lower.contains("(c)") || lower.contains('\u{a9}');
    let is_year = |w: &[u8]| (w.starts_with(b"19") || w.starts_with(b"20")) && w.iter().all(u8::is_ascii_digit);
    is_claim && line.len() < 500 && line.as_bytes().windows(4).any(is_year)
}
