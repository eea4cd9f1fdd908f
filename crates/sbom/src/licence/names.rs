//! From short names in copyright files to SPDX expressions: the name, and where it does not say enough the text.

use std::cell::OnceCell;

use distil_imgcore::Escaped;

use super::expression::Expression;
use super::grammar::Name;
use super::tables::{self, Meaning};
use super::{ecosystems, gnu, text, wording};

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The expression, of SPDX ids with their exceptions.
    pub(super) expression: Expression<String>,
    /// What was guessed, for people.
    pub(super) remark: Option<String>,
}

impl Resolved {
    pub(super) fn sure(id: impl Into<String>) -> Self {
        Self { expression: Expression::Term(id.into()), remark: None }
    }

    pub(super) fn guess(name: &str, id: impl Into<String>, why: &str) -> Self {
        let id = id.into();
        let short = name.get(..64).unwrap_or(name);
        let remark = format!("\"{}\" read as {id}: {why}", Escaped(short.as_bytes()));
        Self { remark: Some(remark), ..Self::sure(id) }
    }
}

/// The text that belongs to a name, which is folded only where the name does not say enough.
struct Text<'a> {
    written: Option<&'a str>,
    folded: OnceCell<String>,
}

impl Text<'_> {
    fn folded(&self) -> Option<&str> {
        self.written.map(|written| self.folded.get_or_init(|| text::folded(written)).as_str())
    }
}

/// The meaning of a name with the text that belongs to it. None where SPDX has no name for it, or where it is not sure which.
pub(super) fn resolve(name: &Name, text: Option<&str>) -> Option<Resolved> {
    let text = Text { written: text, folded: OnceCell::new() };
    let Some(exception) = &name.exception else {
        return licence(&name.licence, &text).or_else(|| by_wording(text.folded()?));
    };
    let licence = licence(&name.licence, &text)?;
    let exception = exception_id(exception, &text)?;
    match licence {
        Resolved { expression: Expression::Term(id), remark } if !id.contains(" WITH ") => {
            Some(Resolved { expression: Expression::Term(format!("{id} WITH {exception}")), remark })
        }
        _ => None,
    }
}

/// What a text is by its wording, where it is nothing else beside.
fn by_wording(text: &str) -> Option<Resolved> {
    let found = wording::recognise(text);
    let ids = found.ids.into_iter().filter(|_| found.is_all).map(|id| Expression::Term(id.to_owned()));
    Some(Resolved { expression: Expression::all(ids)?, remark: None })
}

fn licence(name: &str, text: &Text<'_>) -> Option<Resolved> {
    let names = spellings(name);
    let of_gnu = || names.iter().find_map(|name| gnu::licence(name, || text.folded()));
    let of_others = || names.iter().find_map(|name| named(name, text));
    of_gnu().or_else(of_others).or_else(|| ecosystems::listed(name).map(Resolved::sure))
}

/// Ways to write the same name, in lower case, the given one first.
fn spellings(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let short = lower.strip_prefix("the-").unwrap_or(&lower);
    let short =
        ["-license", "-licence", "-licensed"].iter().fold(short, |name, end| name.strip_suffix(end).unwrap_or(name));
    let short = short.replace("-license-", "-").replace("-version-", "-").replace(',', "");
    let plain = strip_v(&short);
    let mut all = vec![lower];
    for other in [short, plain] {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

/// `apache-v2` without the letter.
fn strip_v(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        let is_mark = c == 'v' && !last.is_ascii_alphabetic() && rest.peek().is_some_and(char::is_ascii_digit);
        if !is_mark {
            plain.push(c);
        }
        last = c;
    }
    plain
}

/// A licence outside of the GNU family.
fn named(name: &str, text: &Text<'_>) -> Option<Resolved> {
    if let Some(base) = name.strip_suffix('+').or_else(|| name.strip_suffix("-or-later")) {
        return later(base, text);
    }
    match tables::meaning(name) {
        Some(Meaning::Checked(spdx)) => {
            let usual = Resolved { expression: alternatives(spdx), remark: None };
            Some(text.folded().and_then(by_wording).unwrap_or(usual))
        }
        Some(Meaning::Fixed(spdx)) => Some(Resolved { expression: alternatives(spdx), remark: None }),
        Some(Meaning::Family(lowest)) => family(name, lowest, text),
        Some(Meaning::Nothing) => None,
        None => tables::licence_id(name).or_else(|| tables::licence_id(&format!("{name}.0"))).map(Resolved::sure),
    }
}

/// `MPL-1.1+`: that version or any later one that exists. SPDX's own `MPL-1.1+` is refused by readers.
fn later(base: &str, text: &Text<'_>) -> Option<Resolved> {
    let Resolved { expression, remark } = named(base, text)?;
    let Expression::Term(id) = &expression else { return Some(Resolved { expression, remark }) };
    let mut ids = tables::from_version_on(id);
    if let Some(position) = ids.iter().position(|other| other == id) {
        ids.drain(..position);
    } else {
        ids.clear();
    }
    let later = Expression::any(ids.into_iter().map(|id| Expression::Term(id.to_owned())));
    Some(Resolved { expression: later.unwrap_or(expression), remark })
}

/// A table's value: ids joined by `OR`.
fn alternatives(spdx: &str) -> Expression<String> {
    let ids = spdx.split(" OR ").map(|id| Expression::Term(id.to_owned()));
    Expression::any(ids).unwrap_or_else(|| Expression::Term(spdx.to_owned()))
}

/// Families by the start of their ids, and what their texts call them.
const FAMILIES: [(&str, &str); 15] = [
    ("Apache-", " apache license "),
    ("Artistic-", " artistic license "),
    ("MPL-", " mozilla public license "),
    ("CC-BY-SA-", " creative commons attribution sharealike "),
    ("CC-BY-SA-", " creative commons attribution share alike "),
    ("CC-BY-NC-SA-", " creative commons attribution noncommercial sharealike "),
    ("CC-BY-", " creative commons attribution "),
    ("CDDL-", " common development and distribution license "),
    ("CPL-", " common public license "),
    ("EPL-", " eclipse public license "),
    ("LPPL-", " latex project public license "),
    ("OFL-", " sil open font license "),
    ("QPL-", " q public license "),
    ("ZPL-", " zope public license "),
    ("EFL-", " eiffel forum license "),
];

/// A name without a version: the text has to say which, if there is one.
fn family(name: &str, lowest: &str, text: &Text<'_>) -> Option<Resolved> {
    let Some(text) = text.folded() else { return Some(Resolved::guess(name, lowest, "no version, so the lowest")) };
    let is_perls = text.contains(" common licenses artistic ") || text.contains(" perl ");
    if lowest.starts_with("Artistic-1") && is_perls {
        return Some(Resolved::sure("Artistic-1.0-Perl"));
    }
    let kind = lowest.rsplit_once('-').map_or(lowest, |(kind, _)| kind);
    for (start, words) in FAMILIES.iter().filter(|(start, _)| start.strip_suffix('-') == Some(kind)) {
        let found = text::versions(text, words);
        if let [version] = found.as_slice() {
            let id = tables::licence_id(&format!("{start}{}", version.number))?;
            return Some(Resolved::sure(id));
        }
    }
    None
}

/// The SPDX id of an exception, by a keyword that the text, if it has to, agrees with.
fn exception_id(keyword: &str, text: &Text<'_>) -> Option<&'static str> {
    let lower = keyword.to_ascii_lowercase().replace(['_', ' '], "-");
    if let Some(id) = tables::exception_id(&lower) {
        return Some(id);
    }
    let short = ["-exceptions", "-exception"].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    let agrees = |probe: &str| text.folded().is_some_and(|text| text.contains(&text::folded(probe)));
    let rows = tables::keywords().iter().filter(|row| row.name == short || row.name == "*");
    rows.filter(|row| row.probe.is_none_or(agrees)).find_map(|row| row.exception)
}
