//! What other ecosystems write for licences: Python's `License` and classifiers, npm's `license`, Maven's names and URLs.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::expression::Expression;
use super::grammar::{self, Name};
use super::{names, tables, text};

/// Bytes of a value that are read. Some put the whole text of a licence there.
const MAX_NAME: usize = 1024;

/// The SPDX expression that a package's own word for its licence means: an expression already, the name of one licence, a Python
/// classifier, the URL of a licence. None where it is not sure which licence is meant, as for `BSD` and `Apache Software License`.
#[must_use]
pub fn of_name(name: &str) -> Option<String> {
    let name = name.rsplit(" :: ").next().unwrap_or_default().trim();
    if name.is_empty() || name.len() > MAX_NAME {
        return None;
    }
    let found = whole(name).or_else(|| expression(name))?.to_string();
    spdx::Expression::parse(&found).is_ok().then_some(found)
}

/// Names joined by operators, each of which is known.
fn expression(name: &str) -> Option<Expression<String>> {
    let parsed = grammar::parse(name).and_then(known);
    // `MIT/Apache-2.0` means a choice, in crates and elsewhere.
    parsed.or_else(|| {
        let parts = name.split('/').map(|part| whole(part.trim())).collect::<Option<Vec<_>>>()?;
        Expression::any(parts)
    })
}

fn known(parsed: Expression<Name>) -> Option<Expression<String>> {
    let mut is_known = true;
    let expression = parsed.map(&mut |name| {
        let found = match &name.exception {
            None => whole(&name.licence),
            Some(_) => names::resolve(&name, None).filter(|r| r.remark.is_none()).map(|r| r.expression),
        };
        is_known &= found.is_some();
        found.unwrap_or(Expression::Term(String::new()))
    });
    is_known.then_some(expression)
}

/// One licence.
fn whole(name: &str) -> Option<Expression<String>> {
    if let Some(id) = listed(name) {
        return Some(Expression::Term(id.to_owned()));
    }
    let name = Name { licence: name.split_whitespace().collect::<Vec<_>>().join("-"), exception: None };
    // What was guessed is a promise that a copyright file's format makes, and nobody here.
    names::resolve(&name, None).filter(|resolved| resolved.remark.is_none()).map(|resolved| resolved.expression)
}

/// The licence of this name in SPDX's list or in our table.
pub(super) fn listed(name: &str) -> Option<&'static str> {
    names_of_all().get(&folded(name)).copied().flatten()
}

/// The licences by their names in SPDX's list and in our table. None for a name that two have.
fn names_of_all() -> &'static BTreeMap<String, Option<&'static str>> {
    static NAMES: OnceLock<BTreeMap<String, Option<&str>>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names: BTreeMap<String, Option<&str>> = BTreeMap::new();
        for licence in spdx::identifiers::LICENSES {
            if tables::licence_id(licence.name).is_some() {
                let of_this = |other: Option<&str>| other == Some(licence.name);
                let name = names.entry(folded(licence.full_name)).or_insert(Some(licence.name));
                *name = name.filter(|other| of_this(Some(other)));
            }
        }
        let rows = tables::rows(include_str!("../../data/license-names.tsv"));
        names.extend(rows.filter_map(|row| row.split_once('\t')).map(|(name, id)| (name.to_owned(), Some(id))));
        names
    })
}

/// The words that tell licences apart.
fn folded(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let plain = lower.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    let plain = if plain.len() < lower.len() {
        let plain = plain.trim_end_matches('/');
        [".txt", ".html", ".php", ".htm"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(plain)
    } else {
        plain
    };
    let words = text::folded(plain);
    let mut kept: Vec<&str> = Vec::new();
    let is_url = plain.len() < lower.len();
    for word in words.split_whitespace() {
        let word = match word.strip_prefix('v') {
            Some(number) if !is_url && number.starts_with(|c: char| c.is_ascii_digit()) => number,
            _ => word,
        };
        let is_noise = matches!(word, "the" | "license" | "licenses" | "licence" | "version" | "v") && !is_url;
        // `The MIT License (MIT)` says it twice, while `1.1` has the same number twice.
        let is_again = kept.last() == Some(&word) && !word.starts_with(|c: char| c.is_ascii_digit());
        if !is_noise && !is_again {
            kept.push(word);
        }
    }
    kept.join(" ").replace("gplv", "gpl")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_other_ecosystems() {
        for (name, expected) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            ("The MIT License (MIT)", "MIT"),
            ("License :: OSI Approved :: MIT License", "MIT"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("The Apache Software License, Version 2.0", "Apache-2.0"),
            ("Apache 2.0", "Apache-2.0"),
            ("Apache License v2.0", "Apache-2.0"),
            ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
            ("BSD 3-Clause \"New\" or \"Revised\" License", "BSD-3-Clause"),
            ("BSD-3-Clause", "BSD-3-Clause"),
            ("New BSD License", "BSD-3-Clause"),
            ("(MIT OR Apache-2.0)", "MIT OR Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("MIT AND (Apache-2.0 OR BSD-2-Clause)", "MIT AND (Apache-2.0 OR BSD-2-Clause)"),
            ("GPLv3+", "GPL-3.0-or-later"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
            ("GNU Lesser General Public License v2.1 or later", "LGPL-2.1-or-later"),
            ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
            ("Eclipse Public License - v 1.0", "EPL-1.0"),
            ("ISC License (ISCL)", "ISC"),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
            ("GPL-2.0 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
            ("http://www.eclipse.org/legal/epl-v10.html", "EPL-1.0"),
            ("The Unlicense (Unlicense)", "Unlicense"),
            ("MIT-0", "MIT-0"),
        ] {
            assert_eq!(of_name(name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_is_not_sure_has_no_expression() {
        for name in [
            "",
            "UNKNOWN",
            "BSD",
            "BSD License",
            "Apache Software License",
            "GPL",
            "Apache",
            "SEE LICENSE IN LICENSE.md",
            "UNLICENSED",
            "MIT OR UNKNOWN",
            "LicenseRef-own",
            "Public Domain",
            "NONE",
            "http://example.org/license",
        ] {
            assert_eq!(of_name(name), None, "{name}");
        }
        assert_eq!(of_name(&"MIT OR ".repeat(1000)), None);
    }

    #[test]
    fn every_row_names_what_spdx_has() {
        for row in tables::rows(include_str!("../../data/license-names.tsv")) {
            let (name, id) = row.split_once('\t').unwrap();
            assert!(spdx::Expression::parse(id).is_ok(), "{row}");
            // A URL is kept as it is folded.
            assert!(folded(name) == name || row.contains(" org ") || row.contains(" org\t"), "{row}");
        }
    }

    proptest! {
        #[test]
        fn any_name_ends_in_an_answer(name in "((MIT|GPL|v?[23](.0)?|or|AND|with|/|\\(|\\)|https?:|\\PC{1,4}|License| :: )[ -]?){0,8}") {
            if let Some(found) = of_name(&name) {
                prop_assert!(spdx::Expression::parse(&found).is_ok());
                prop_assert_eq!(of_name(&found), Some(found));
            }
        }
    }
}
