//! Machine-readable copyright files.

use std::collections::BTreeMap;

use distil_debunpack::copyright::{LicenseField, Stanza, StanzaKind, unfolded};

use super::draft::Draft;
use super::expression::Expression;
use super::grammar::{self, Name};
use super::names;

/// Adds what the stanzas say: of all files but those of the packaging alone, which are not in packages.
pub(super) fn analyse(stanzas: &[Stanza<'_>], draft: &mut Draft) {
    draft.copyright(stanzas.iter().flat_map(Stanza::copyright));
    let texts = Texts::new(stanzas);
    let mut known: BTreeMap<(&str, &str), Expression<String>> = BTreeMap::new();
    for stanza in relevant(stanzas) {
        let Some(field) = stanza.licence() else { continue };
        let key = (field.synopsis, field.body);
        let expression = known.entry(key).or_insert_with(|| licence(stanza, field, &texts, draft));
        draft.add(expression.clone());
        if draft.is_too_much() {
            return;
        }
    }
}

/// The stanzas whose licences are those of the package.
fn relevant<'a, 'b>(stanzas: &'b [Stanza<'a>]) -> Vec<&'b Stanza<'a>> {
    let of_kind = |kind| stanzas.iter().filter(move |stanza| stanza.kind() == kind && stanza.licence().is_some());
    let is_packaging =
        |stanza: &&Stanza<'_>| stanza.files().all(|pattern| pattern.trim_start_matches("./").starts_with("debian/"));
    let files: Vec<_> = of_kind(StanzaKind::Files).collect();
    let upstream: Vec<_> = files.iter().copied().filter(|stanza| !is_packaging(stanza)).collect();
    let choices = [upstream, files, of_kind(StanzaKind::Header).collect(), of_kind(StanzaKind::License).collect()];
    choices.into_iter().find(|choice| !choice.is_empty()).unwrap_or_default()
}

fn licence(stanza: &Stanza<'_>, field: LicenseField<'_>, texts: &Texts, draft: &mut Draft) -> Expression<String> {
    let mut own = Some(text(field.body)).filter(|text| !text.trim().is_empty());
    let unnamed = || Expression::Term(Name { licence: String::new(), exception: None });
    let mut expression = grammar::parse(field.synopsis).unwrap_or_else(unnamed);
    if grammar::is_prose(field.synopsis) {
        own = Some(format!("{}\n{}", field.synopsis, own.unwrap_or_default()));
        expression = unnamed();
    }
    let is_one = expression.len() == 1;
    expression.map(&mut |name| {
        if draft.is_too_much() {
            // The answer is thrown away; a long text is not read once more for each of many names.
            return Expression::Term(String::new());
        }
        let named = texts.of(&name.to_string());
        let shared = own.as_deref().or_else(|| texts.of(field.synopsis));
        let text = if is_one { shared.or(named) } else { named.or(shared) };
        match names::resolve(&name, text) {
            Some(resolved) => draft.resolved(resolved),
            None => draft.reference(&name.to_string(), text.unwrap_or(stanza.text())),
        }
    })
}

fn text(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    for line in unfolded(body) {
        text.push_str(line);
        text.push('\n');
    }
    text.trim_matches('\n').to_owned()
}

/// The texts of short names: from stanzas of their own, else from the first that has one.
struct Texts(BTreeMap<String, String>);

impl Texts {
    fn new(stanzas: &[Stanza<'_>]) -> Self {
        let mut texts = BTreeMap::new();
        for kind in [StanzaKind::License, StanzaKind::Files, StanzaKind::Header] {
            for field in stanzas.iter().filter(|stanza| stanza.kind() == kind).filter_map(Stanza::licence) {
                let key = key(field.synopsis);
                if !field.body.trim().is_empty() && !texts.contains_key(&key) {
                    texts.insert(key, text(field.body));
                }
            }
        }
        Self(texts)
    }

    fn of(&self, name: &str) -> Option<&str> {
        self.0.get(&key(name)).map(String::as_str)
    }
}

/// Names are the same whatever their case and the spaces in them.
fn key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
