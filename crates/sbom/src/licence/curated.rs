//! Copyright files in prose that people have read, by source package.

use super::expression::Expression;
use super::grammar;
use super::tables;

/// What people found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    source: &'static str,
    /// Whether there is nothing else in the file.
    pub(super) is_all: bool,
    expression: &'static str,
    probes: &'static str,
}

/// The term that stands for the whole file.
pub(super) const FILE: &str = "FILE";

/// The entry for a source package, if its folded text is the one that somebody read.
pub(super) fn entry(source: &str, text: &str) -> Option<Entry> {
    entries().find(|entry| entry.is_for(source) && entry.probes().all(|probe| text.contains(&format!(" {probe} "))))
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
    pub(super) fn expression(&self) -> Option<Expression<String>> {
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
    use super::super::text;
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
            assert_eq!(super::entry(&source, &text), Some(entry));
            // Without one of its probes it is another text.
            for probe in entry.probes() {
                assert_eq!(super::entry(&source, &text.replace(probe, "")), None, "{probe}");
            }
            assert_eq!(super::entry("other", &text), None);
        }
    }
}
