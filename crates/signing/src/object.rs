//! Objects of JSON, read by what stands in them.
//!
//! Not by derived readers: those take a list for an object, with the values in the order of the fields, which no other
//! reader does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::Escaped;
use serde_json::{Map, Value};

/// Why an object is not of the form that its format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// Something else stands where an object must.
    #[error("{object} is no object")]
    NoObject {
        /// What messages call the object.
        object: &'static str,
    },
    /// A member that the format does not have.
    #[error("{object} has a member \"{}\", which nobody knows", Escaped(.member.as_bytes()))]
    Unknown {
        /// What messages call the object.
        object: &'static str,
        /// The member.
        member: String,
    },
    /// A member that must be there is not.
    #[error("{object} has no {member}")]
    Missing {
        /// What messages call the object.
        object: &'static str,
        /// The member.
        member: &'static str,
    },
    /// A member of another type.
    #[error("{member} of {object} is not {expected}")]
    Form {
        /// What messages call the object.
        object: &'static str,
        /// The member.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// More items than a list may have.
    #[error("{member} of {object} are {found} where at most {limit} may be")]
    TooMany {
        /// What messages call the object.
        object: &'static str,
        /// The member.
        member: &'static str,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
}

/// An object of a document that has one meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    name: &'static str,
    members: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// `name` is what messages call it.
    pub(crate) fn of(value: &'a Value, name: &'static str) -> Result<Self, FieldError> {
        let members = value.as_object().ok_or(FieldError::NoObject { object: name })?;
        Ok(Self { name, members })
    }

    /// Refuses members that are not among these.
    pub(crate) fn only(self, known: &[&str]) -> Result<Self, FieldError> {
        match self.members.keys().find(|member| !known.contains(&member.as_str())) {
            Some(member) => Err(FieldError::Unknown { object: self.name, member: member.clone() }),
            None => Ok(self),
        }
    }

    /// A member; null is as good as missing, as it is to Go.
    pub(crate) fn get(self, member: &str) -> Option<&'a Value> {
        self.members.get(member).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, member: &'static str) -> Result<Option<&'a str>, FieldError> {
        self.read(member, "a text", Value::as_str)
    }

    /// Bytes as base64 has them: in the standard alphabet, with padding, and one text only for each value.
    pub(crate) fn bytes(self, member: &'static str) -> Result<Option<Vec<u8>>, FieldError> {
        self.read(member, "base64 of the standard alphabet", Self::base64)
    }

    /// The same of a value by itself.
    pub(crate) fn base64(value: &Value) -> Option<Vec<u8>> {
        STANDARD.decode(value.as_str()?).ok()
    }

    /// An integer that is no less than 0. Protocol buffers write it as a text, since JavaScript rounds large numbers.
    pub(crate) fn count(self, member: &'static str) -> Result<Option<u64>, FieldError> {
        let count = |value: &Value| match value.as_str() {
            Some(text) if text == "0" || !text.starts_with(['0', '+']) => text.parse().ok(),
            Some(_) => None,
            None => value.as_u64(),
        };
        self.read(member, "an integer that is no less than 0", |value| {
            count(value).filter(|n| i64::try_from(*n).is_ok())
        })
    }

    pub(crate) fn object(self, member: &'static str, name: &'static str) -> Result<Option<Self>, FieldError> {
        self.get(member).map(|value| Self::of(value, name)).transpose()
    }

    /// The items of a list; none where it is missing.
    pub(crate) fn list(self, member: &'static str, limit: usize) -> Result<&'a [Value], FieldError> {
        let items = self.read(member, "a list", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
        if items.len() > limit {
            return Err(FieldError::TooMany { object: self.name, member, limit, found: items.len() });
        }
        Ok(items)
    }

    pub(crate) fn missing(self, member: &'static str) -> FieldError {
        FieldError::Missing { object: self.name, member }
    }

    /// A value that has to be there, as one of the methods above gave it.
    pub(crate) fn require<T>(self, member: &'static str, value: Option<T>) -> Result<T, FieldError> {
        value.ok_or_else(|| self.missing(member))
    }

    pub(crate) fn wrong(self, member: &'static str, expected: &'static str) -> FieldError {
        FieldError::Form { object: self.name, member, expected }
    }

    fn read<T>(
        self,
        member: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        self.get(member).map(|value| read(value).ok_or_else(|| self.wrong(member, expected))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_of_one_form_each() {
        let value = json!({"t": "a", "n": null, "b": "e30=", "i": "42", "j": 7, "l": [1, 2], "o": {}});
        let object = Object::of(&value, "a thing").unwrap();
        assert_eq!(object.text("t"), Ok(Some("a")));
        assert_eq!((object.text("n"), object.text("x")), (Ok(None), Ok(None)));
        assert_eq!(object.bytes("b"), Ok(Some(b"{}".to_vec())));
        assert_eq!((object.count("i"), object.count("j")), (Ok(Some(42)), Ok(Some(7))));
        assert_eq!(object.list("l", 2).map(<[Value]>::len), Ok(2));
        assert_eq!(object.list("x", 0).map(<[Value]>::len), Ok(0));
        assert!(matches!(object.list("l", 1), Err(FieldError::TooMany { found: 2, .. })));
        assert!(matches!(object.text("j"), Err(FieldError::Form { member: "j", .. })));
        assert!(matches!(object.object("l", "l"), Err(FieldError::NoObject { object: "l" })));
        assert!(object.only(&["t", "n", "b", "i", "j", "l", "o"]).is_ok());
        assert!(matches!(object.only(&["t"]), Err(FieldError::Unknown { .. })));
        assert_eq!(object.require("x", None::<u8>), Err(FieldError::Missing { object: "a thing", member: "x" }));
    }

    #[test]
    fn one_text_stands_for_each_value() {
        for bad in ["e30", "e31=", "e30=\n", " e30=", "e_0=", "e-0=", "e30==", "e30=e30=", "="] {
            let value = json!({"b": bad});
            assert!(Object::of(&value, "o").unwrap().bytes("b").is_err(), "{bad:?}");
        }
        for bad in
            [json!("01"), json!("+1"), json!("-1"), json!(""), json!("1.0"), json!("9223372036854775808"), json!(-1)]
        {
            let value = json!({"i": bad});
            assert!(Object::of(&value, "o").unwrap().count("i").is_err(), "{bad}");
        }
    }
}
