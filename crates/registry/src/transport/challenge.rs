//! What a server wants before it answers: the fields `WWW-Authenticate` of a 401 ([RFC 9110, section 11.6.1]).
//!
//! [RFC 9110, section 11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

use std::collections::BTreeMap;

/// Bytes of one field; more is not read.
const MAX_FIELD: usize = 8 << 10;
/// Challenges of one answer, and parameters of one challenge.
const MAX_ITEMS: usize = 32;

/// One way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// In lower case.
    pub(crate) scheme: String,
    /// By their names in lower case.
    pub(crate) params: BTreeMap<String, String>,
}

/// A field that is not in order: what it asks for cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The challenges of all fields, in their order. There may be several in one field, with the same comma between them that
/// stands between parameters.
pub(crate) fn parse<'a>(fields: impl Iterator<Item = &'a str>) -> Result<Vec<Challenge>, Malformed> {
    let mut challenges = Vec::new();
    for field in fields {
        if field.len() > MAX_FIELD {
            return Err(Malformed);
        }
        Cursor { rest: field }.challenges(&mut challenges)?;
    }
    Ok(challenges)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn challenges(&mut self, out: &mut Vec<Challenge>) -> Result<(), Malformed> {
        let mut current: Option<Challenge> = None;
        loop {
            self.skip(|c| matches!(c, ' ' | '\t' | ','));
            if self.rest.is_empty() {
                out.extend(current);
                return Ok(());
            }
            let name = self.take(is_token).to_ascii_lowercase();
            if name.is_empty() {
                return Err(Malformed);
            }
            self.space();
            if let Some(challenge) = current.as_mut()
                && self.eat('=')
            {
                self.space();
                let value = self.value()?;
                // Of two equal names one reader takes the first and another the last.
                if challenge.params.insert(name, value).is_some() || challenge.params.len() > MAX_ITEMS {
                    return Err(Malformed);
                }
                self.end_of_item()?;
            } else {
                out.extend(current.replace(Challenge { scheme: name, params: BTreeMap::new() }));
                if out.len() >= MAX_ITEMS {
                    return Err(Malformed);
                }
                self.token68();
            }
        }
    }

    /// The other form of what follows a scheme: `Negotiate YWJj=`. No scheme that is understood here has it.
    fn token68(&mut self) {
        let is_68 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/');
        let mut ahead = Cursor { rest: self.rest };
        if ahead.take(is_68).is_empty() {
            return;
        }
        ahead.skip(|c| c == '=');
        ahead.space();
        if ahead.end_of_item().is_ok() {
            self.rest = ahead.rest;
        }
    }

    fn value(&mut self) -> Result<String, Malformed> {
        if !self.eat('"') {
            let token = self.take(is_token);
            return if token.is_empty() { Err(Malformed) } else { Ok(token.to_owned()) };
        }
        let mut value = String::new();
        let mut chars = self.rest.chars();
        loop {
            let c = match chars.next() {
                Some('"') => break,
                Some('\\') => chars.next(),
                c => c,
            };
            value.push(c.filter(|c| !c.is_control() || *c == '\t').ok_or(Malformed)?);
        }
        self.rest = chars.as_str();
        Ok(value)
    }

    /// Nothing but a comma may follow a parameter.
    fn end_of_item(&mut self) -> Result<(), Malformed> {
        self.space();
        if self.rest.is_empty() || self.rest.starts_with(',') { Ok(()) } else { Err(Malformed) }
    }

    fn space(&mut self) {
        self.skip(|c| matches!(c, ' ' | '\t'));
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(which);
    }

    fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, which: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !which(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(fields: &[&str]) -> Result<String, Malformed> {
        let shown = |challenge: &Challenge| {
            let params: Vec<_> = challenge.params.iter().map(|(name, value)| format!("{name}<{value}>")).collect();
            format!("{}({})", challenge.scheme, params.join(" "))
        };
        Ok(parse(fields.iter().copied())?.iter().map(shown).collect::<Vec<_>>().join(" "))
    }

    fn quoted(value: &str) -> String {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn written(challenge: &Challenge) -> String {
        let params: Vec<_> = challenge.params.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        format!("{} {}", challenge.scheme, params.join(", "))
    }

    #[test]
    fn challenges_are_told_apart() {
        let cases: &[(&[&str], &str)] = &[
            (&[], ""),
            (&["Basic realm=\"a b\""], "basic(realm<a b>)"),
            (
                &["Bearer realm=\"https://a.example/t\",service=\"s\",scope=\"repository:x:pull,push\""],
                "bearer(realm<https://a.example/t> scope<repository:x:pull,push> service<s>)",
            ),
            (&["BEARER Realm = \"x\" , SERVICE=y"], "bearer(realm<x> service<y>)"),
            (&["Basic realm=a, Bearer realm=b, service=c"], "basic(realm<a>) bearer(realm<b> service<c>)"),
            (&["Basic realm=a", "Bearer realm=b"], "basic(realm<a>) bearer(realm<b>)"),
            (&["Negotiate, Basic realm=a"], "negotiate() basic(realm<a>)"),
            (&["Negotiate YWJj==, Basic realm=a"], "negotiate() basic(realm<a>)"),
            (&["Basic"], "basic()"),
            (&[", ,Basic realm=\"\\\"\\\\,\", "], "basic(realm<\"\\,>)"),
        ];
        for (fields, expected) in cases {
            assert_eq!(read(fields).as_deref(), Ok(*expected), "{fields:?}");
        }
    }

    #[test]
    fn what_is_not_in_order_is_no_challenge() {
        let long = format!("Basic realm=\"{}\"", "a".repeat(MAX_FIELD));
        let many = "Basic, ".repeat(MAX_ITEMS + 1);
        let params: Vec<_> = (0..=MAX_ITEMS).map(|n| format!("a{n}=b")).collect();
        for field in [
            "Basic realm=\"a",
            "Basic realm=\"a\\",
            "Basic realm=\"a\"b",
            "Basic realm=",
            "Basic realm=a, realm=b",
            "Basic realm=a Bearer realm=b",
            "=a",
            "Basic realm=\"a\u{1}\"",
            "\u{e9}",
            &long,
            &many,
            &format!("Basic {}", params.join(", ")),
        ] {
            // `realm=` alone has the form of the one other thing that may follow a scheme.
            let expected = if field == "Basic realm=" { Ok("basic()".to_owned()) } else { Err(Malformed) };
            assert_eq!(read(&[field]), expected, "{field}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_means_the_same_written_again(field in "\\PC{0,60}|[ab, =\"\\\\]{0,40}") {
            let Ok(challenges) = parse([field.as_str()].into_iter()) else { return Ok(()) };
            prop_assert!(challenges.iter().all(|c| c.scheme.chars().all(is_token) && !c.scheme.is_empty()));
            let written: Vec<String> = challenges.iter().map(written).collect();
            prop_assert_eq!(parse(written.iter().map(String::as_str)), Ok(challenges));
        }

        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec("[ -~]{0,20}", 1..4)) {
            let params: Vec<_> = values.iter().enumerate().map(|(n, value)| format!("p{n}={}", quoted(value))).collect();
            let field = format!("Bearer {}, Basic realm=\"r\"", params.join(","));
            let challenges = parse([field.as_str()].into_iter()).unwrap();
            prop_assert_eq!(challenges.len(), 2);
            for (n, value) in values.iter().enumerate() {
                prop_assert_eq!(challenges[0].params.get(&format!("p{n}")), Some(value));
            }
        }
    }
}
