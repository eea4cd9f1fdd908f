//! Copyright files in prose that people have read, by source package.

use super::draft::Draft;
use super::expression::Expression;
use super::{grammar, tables, text};

/// What people found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    source: &'static str,
    /// Whether there is nothing else in the file.
    is_all: bool,
    expression: &'static str,
    probes: &'static str,
}

/// The term that stands for the whole file.
const FILE: &str = "FILE";

/// Adds what people found in the file of a source package, if it is the text that they read. Says whether that is all of it.
pub(super) fn analyse(text: &str, source: &str, draft: &mut Draft) -> bool {
    let Some(entry) = entry(source, || text::folded(text)) else { return false };
    let Some(expression) = entry.expression() else { return false };
    let expression = expression.map(&mut |term| match term.as_str() {
        FILE => draft.reference(source, text),
        _ => Expression::Term(term),
    });
    draft.add(expression);
    entry.is_all
}

fn entry(source: &str, text: impl FnOnce() -> String) -> Option<Entry> {
    let mut entries = entries().filter(|entry| entry.is_for(source)).peekable();
    entries.peek()?;
    let text = text();
    entries.find(|entry| entry.probes().all(|probe| text.contains(&format!(" {probe} "))))
}

impl Entry {
    fn is_for(&self, source: &str) -> bool {
        match self.source.strip_suffix('*') {
            Some(start) => source.starts_with(start),
            None => source == self.source,
        }
    }

    fn probes(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.probes.split(" | ")
    }

    /// What it says, in SPDX ids and [`FILE`].
    fn expression(&self) -> Option<Expression<String>> {
        let term = |name: grammar::Name| match name.exception {
            Some(exception) => Expression::Term(format!("{} WITH {exception}", name.licence)),
            None => Expression::Term(name.licence),
        };
        Some(grammar::parse(self.expression)?.map(&mut { term }))
    }
}

fn entries() -> impl Iterator<Item = Entry> {
    tables::rows(include_str!("../../data/deb-free-form.tsv")).filter_map(|row| {
        let mut columns = row.split('\t');
        let (source, how) = (columns.next()?, columns.next()?);
        Some(Entry { source, is_all: how == "=", expression: columns.next()?, probes: columns.next()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_apply_and_says_what_spdx_has() {
        let table = include_str!("../../data/deb-free-form.tsv");
        assert_eq!(entries().count(), tables::rows(table).count());
        for entry in entries() {
            let expression = entry.expression().unwrap().to_string();
            let known = expression.replace(FILE, "LicenseRef-file");
            assert!(spdx::Expression::parse(&known).is_ok(), "{entry:?}");
            assert_eq!(expression, entry.expression);
            for probe in entry.probes() {
                assert_eq!(text::folded(probe), format!(" {probe} "), "{entry:?}");
            }
            let source = entry.source.replace('*', "12");
            let text = text::folded(entry.probes);
            assert_eq!(super::entry(&source, || text.clone()), Some(entry));
            // Without one of its probes it is another text.
            for probe in entry.probes() {
                assert_eq!(super::entry(&source, || text.replace(probe, "")), None, "{probe}");
            }
            assert_eq!(super::entry("other", || text.clone()), None);
        }
    }
}
