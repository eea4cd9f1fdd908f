//! What the analysis of a copyright file comes to, while it grows.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Expression;
use super::names::Resolved;
use super::{Analysis, Licences, text};

/// Bytes of one text that are kept. The longest licence in the archive has some 100 KiB.
const MAX_TEXT: usize = 1 << 20;
/// Bytes of all texts of a package.
const MAX_TEXTS: usize = 16 << 20;
/// Licences of one expression. The package with the most has some 500.
const MAX_TERMS: usize = 4096;
/// Lines of copyright that are kept, and bytes of one.
const MAX_COPYRIGHT: usize = 8192;
const MAX_COPYRIGHT_LINE: usize = 1024;
/// Remarks that are kept: for people, who read no more.
const MAX_REMARKS: usize = 32;
/// Bytes of a name that are in a `LicenseRef`.
const MAX_SLUG: usize = 48;

/// Parts of an answer.
#[derive(Debug, Default)]
pub(super) struct Draft {
    parts: BTreeSet<Expression<String>>,
    order: Vec<Expression<String>>,
    terms: usize,
    texts: BTreeMap<String, String>,
    bytes: usize,
    copyright: Vec<String>,
    seen: BTreeSet<String>,
    remarks: Vec<String>,
}

impl Draft {
    /// Adds an expression, which holds together with those there are.
    pub(super) fn add(&mut self, expression: Expression<String>) {
        if let Expression::All(parts) = expression {
            for part in parts {
                self.add(part);
            }
            return;
        }
        if self.parts.insert(expression.clone()) {
            self.terms += expression.len();
            self.order.push(expression);
        }
    }

    /// The single licences that were added.
    pub(super) fn terms(&self) -> impl Iterator<Item = String> {
        self.order.iter().filter_map(|part| match part {
            Expression::Term(id) => Some(id.clone()),
            Expression::All(_) | Expression::Any(_) => None,
        })
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Takes over what a name resolved to.
    pub(super) fn resolved(&mut self, resolved: Resolved) -> Expression<String> {
        self.remark(resolved.remark);
        resolved.expression
    }

    /// Adds a remark, once.
    pub(super) fn remark(&mut self, remark: Option<String>) {
        let is_new = |remark: &String| self.remarks.len() < MAX_REMARKS && !self.remarks.contains(remark);
        if let Some(remark) = remark.filter(is_new) {
            self.remarks.push(remark);
        }
    }

    /// Adds lines of copyright, each once.
    pub(super) fn copyright<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        for line in lines {
            let line = cut(line, MAX_COPYRIGHT_LINE);
            if self.copyright.len() < MAX_COPYRIGHT && !self.seen.contains(line) {
                self.seen.insert(line.to_owned());
                self.copyright.push(line.to_owned());
            }
        }
    }

    /// A licence that SPDX has no name for: one of ours, which carries a digest of the text, since Debian's short names mean
    /// something only within one file.
    pub(super) fn reference(&mut self, name: &str, text: &str) -> Expression<String> {
        let id = format!("LicenseRef-deb-{}-{}", slug(name), text::digest(text));
        if !self.texts.contains_key(&id) {
            let text = cut(text, MAX_TEXT);
            self.bytes += text.len();
            self.texts.insert(id.clone(), text.to_owned());
        }
        Expression::Term(id)
    }

    /// Whether this is more than a document should hold.
    pub(super) fn is_too_much(&self) -> bool {
        self.bytes > MAX_TEXTS || self.terms > MAX_TERMS
    }

    /// The same with nothing but the copyright, and the whole text as the only licence.
    pub(super) fn whole(self, name: &str, text: &str) -> Self {
        let mut whole = Self { copyright: self.copyright, ..Self::default() };
        let licence = whole.reference(name, text);
        whole.add(licence);
        whole
    }

    /// The answer; None where the expression is not one that SPDX has.
    pub(super) fn finish(self) -> Option<Analysis> {
        let expression = Expression::all(self.order).map(|expression| expression.to_string());
        if let Some(expression) = &expression {
            spdx::Expression::parse(expression).ok()?;
        }
        let licences = Licences {
            declared: expression.clone(),
            concluded: expression,
            copyright: self.copyright,
            remarks: self.remarks,
        };
        Some(Analysis { licences, texts: self.texts })
    }
}

/// A name as SPDX allows it in a `LicenseRef`: letters, digits, full stops and hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' | '.' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            '+' => slug.push_str("plus"),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() >= MAX_SLUG {
            break;
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    if slug.is_empty() { "unnamed".to_owned() } else { slug.to_owned() }
}

/// The start of a text, of at most this many bytes.
fn cut(text: &str, limit: usize) -> &str {
    (0..=limit.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}
