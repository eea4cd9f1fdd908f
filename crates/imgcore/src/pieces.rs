//! JSON taken apart into the texts of its values, so that a large one is read a piece at a time.
//!
//! `serde_json` has a type for this, `RawValue`. It is not used: the feature that it comes with makes every reader of the
//! program replace an object whose key is `$serde_json::private::RawValue` by what lies in its text.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Why a text does not come apart. Exhaustive, since each reader says of each where in its own document that was.
#[derive(Debug, thiserror::Error)]
pub enum PieceError {
    /// A value is no JSON, or of another form. Lines and columns count from its start.
    #[error("a value is not of the form that it should have")]
    Json(#[source] serde_json::Error),
    /// Something other than what an object or a list has between values.
    #[error("byte {at} is not what an object or a list has there")]
    Unexpected {
        /// Offset of the byte.
        at: usize,
    },
    /// A name that was asked for stands there twice.
    #[error("the name {0} stands there twice")]
    Twice(&'static str),
}

/// The texts of the values that an object has under some names, in the order of the names. Others are passed over.
///
/// # Errors
/// [`PieceError`] for what is no object, and for two values under one of the names.
pub fn members<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], PieceError> {
    let mut found = [None; N];
    each_member(text, |key, value| {
        if let Some((slot, name)) = found.iter_mut().zip(names).find(|(_, name)| *name == key)
            && slot.replace(value).is_some()
        {
            return Err(PieceError::Twice(name));
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_member<'a>(
    text: &'a str,
    mut take: impl FnMut(String, &'a str) -> Result<(), PieceError>,
) -> Result<(), PieceError> {
    let mut rest = Rest { text, at: 0 };
    rest.expect(b'{')?;
    let mut is_more = !rest.eat(b'}');
    while is_more {
        let (key, _): (String, _) = rest.value()?;
        rest.expect(b':')?;
        let (_, value): (IgnoredAny, _) = rest.value()?;
        take(key, value)?;
        is_more = rest.eat(b',');
        if !is_more {
            rest.expect(b'}')?;
        }
    }
    rest.end()
}

/// The names that an object has, in their order.
///
/// # Errors
/// [`PieceError`] for what is no object.
pub fn names(text: &str) -> Result<Vec<String>, PieceError> {
    let mut names = Vec::new();
    each_member(text, |name, _| {
        names.push(name);
        Ok(())
    })?;
    Ok(names)
}

/// The items of a list, each with its text; none of null.
#[must_use]
pub fn items<'a, T: Deserialize<'a>>(list: &'a str) -> Items<'a, T> {
    let place = if list.trim() == "null" { Place::Behind } else { Place::Before };
    Items { rest: Rest { text: list, at: 0 }, place, item: PhantomData }
}

/// What [`items`] gives. Nothing follows an error.
#[derive(Debug)]
pub struct Items<'a, T> {
    rest: Rest<'a>,
    place: Place,
    item: PhantomData<T>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Within,
    Behind,
}

impl<'a, T: Deserialize<'a>> Items<'a, T> {
    fn step(&mut self) -> Result<Option<(T, &'a str)>, PieceError> {
        match self.place {
            Place::Behind => return Ok(None),
            Place::Before => {
                self.rest.expect(b'[')?;
                self.place = Place::Within;
                if self.rest.eat(b']') {
                    return self.rest.end().map(|()| None);
                }
            }
            Place::Within if self.rest.eat(b']') => return self.rest.end().map(|()| None),
            Place::Within => self.rest.expect(b',')?,
        }
        self.rest.value().map(Some)
    }
}

impl<'a, T: Deserialize<'a>> Iterator for Items<'a, T> {
    type Item = Result<(T, &'a str), PieceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.place = Place::Behind;
        }
        item
    }
}

/// What is left of a text.
#[derive(Debug)]
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn left(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        let left = self.left();
        self.at += left.len() - left.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let is_there = self.left().as_bytes().first() == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), PieceError> {
        if self.eat(byte) { Ok(()) } else { Err(PieceError::Unexpected { at: self.at }) }
    }

    fn end(&mut self) -> Result<(), PieceError> {
        self.space();
        if self.left().is_empty() { Ok(()) } else { Err(PieceError::Unexpected { at: self.at }) }
    }

    /// One value and its text.
    fn value<T: Deserialize<'a>>(&mut self) -> Result<(T, &'a str), PieceError> {
        self.space();
        let left = self.left();
        let mut values = serde_json::Deserializer::from_str(left).into_iter();
        let value = values.next().ok_or(PieceError::Unexpected { at: self.at })?.map_err(PieceError::Json)?;
        let end = values.byte_offset();
        self.at += end;
        Ok((value, left.get(..end).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let check = |text: &str, expected: [Option<&str>; 2]| assert_eq!(members(text, ["a", "b"]).unwrap(), expected);
        check(" {} ", [None, None]);
        check("{\"b\" : [1, {\"a\":2}] ,\n\"c\":1,\"\\u0061\":-1e9}", [Some("-1e9"), Some("[1, {\"a\":2}]")]);
        check("{\"c\":1,\"c\":2}", [None, None]);
        assert_eq!(names(" {\"b\":[{\"a\":1}] , \"\\u0062\":2}").unwrap(), ["b", "b"]);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        let error = |text: &str| members(text, ["a"]).unwrap_err();
        assert!(matches!(error("[]"), PieceError::Unexpected { at: 0 }));
        assert!(matches!(error("{} {}"), PieceError::Unexpected { at: 3 }));
        assert!(matches!(error("{\"a\" 1}"), PieceError::Unexpected { at: 5 }));
        assert!(matches!(error("{\"a\":1,\"a\":1}"), PieceError::Twice("a")));
        for text in ["{\"a\":1", "{\"a\":1,}", "{\"a\":"] {
            assert!(!matches!(error(text), PieceError::Twice(_)), "{text}");
        }
    }

    fn check_items(text: &str, expected: &[(Value, &str)], is_list: bool) {
        let mut all = items::<Value>(text);
        let found: Vec<_> = all.by_ref().take_while(Result::is_ok).map(Result::unwrap).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(items::<Value>(text).all(|item| item.is_ok()), is_list, "{text}");
        assert!(all.next().is_none(), "something follows the end of {text}");
    }

    #[test]
    fn items_come_one_by_one() {
        let (one, two) = ((Value::from(1), "1"), (Value::from("]"), "\"]\""));
        check_items(" null ", &[], true);
        check_items("[ ]", &[], true);
        check_items("[1 ,\n\"]\"] ", &[one.clone(), two.clone()], true);
        check_items("[1,\"]\"", &[one.clone(), two], false);
        check_items("[1,]", std::slice::from_ref(&one), false);
        check_items("[1 1]", std::slice::from_ref(&one), false);
        check_items("[1]1", &[one], false);
        check_items("{}", &[], false);
        check_items("", &[], false);
    }

    proptest! {
        #[test]
        fn pieces_are_what_a_reader_of_all_finds(keys in proptest::collection::btree_map(any::<String>(), any::<i64>(), 0..6)) {
            let whole = serde_json::json!(keys);
            let text = whole.to_string();
            let [a, empty] = members(&text, ["a", ""]).unwrap();
            prop_assert_eq!(a.map(|text| serde_json::from_str(text).unwrap()), whole.get("a").cloned());
            prop_assert_eq!(empty.is_some(), keys.contains_key(""));
            let list = serde_json::json!([whole, keys.keys().collect::<Vec<_>>()]).to_string();
            let found: Vec<Value> = items(&list).map(|item| item.unwrap().0).collect();
            prop_assert_eq!(Value::from(found).to_string(), list);
        }

        #[test]
        fn no_text_is_fatal(text in "[\\[\\]{},:\"a1 \\\\]{0,16}") {
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert!(is_json || members(&text, ["b"]).is_err());
            prop_assert!(is_json || items::<IgnoredAny>(&text).any(|item| item.is_err()));
        }
    }
}
