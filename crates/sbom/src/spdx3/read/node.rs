//! JSON of any shape, as far as documents need it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value. Numbers and truths are in no property that is read, and a value that is not as it should be is as good as
/// none: writers differ, and one slip must not lose a whole document.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    Other,
}

/// How many more values may be read.
#[derive(Clone, Copy)]
pub(super) struct Budget<'b>(pub(super) &'b Cell<usize>);

/// A string of JSON, borrowed where nothing in it is escaped.
struct Str;

impl<'a> Node<'a> {
    /// The value of a property. Of two by one name it is the first.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a property, the first one of a list. Words for "nothing is known" are none.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let text = self.get(key)?.items().iter().find_map(Self::name)?;
        (!matches!(text, "" | "NOASSERTION" | "NONE")).then_some(text)
    }

    /// A text of a property that is kept.
    pub(super) fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// All texts of a property.
    pub(super) fn texts<'n>(&'n self, key: &str) -> impl Iterator<Item = &'n str> + use<'n, 'a> {
        self.all(key).iter().filter_map(Self::name)
    }

    /// All values of a property, which may be one without a list around it.
    pub(super) fn all(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }

    /// The values of a list, or the value itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }

    /// The values within an object.
    pub(super) fn values(&self) -> impl Iterator<Item = &Self> {
        let fields = match self {
            Self::Object(fields) => fields.as_slice(),
            _ => &[],
        };
        fields.iter().flat_map(|(_, value)| value.items())
    }

    /// A text, or the name of an element that stands where its name would do.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Object(_) => match self.get("spdxId").or_else(|| self.get("@id"))? {
                Self::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Budget<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Budget<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(key) = fields.next_key_seed(Str)? {
            all.push((key, fields.next_value_seed(self)?));
        }
        Ok(Node::Object(all))
    }
}

impl<'de> DeserializeSeed<'de> for Str {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Str {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The properties of the object around all elements. Elements are handed on one by one.
pub(super) struct Document<'s, F> {
    pub(super) budget: Budget<'s>,
    /// What is done with each element.
    pub(super) each: F,
}

impl<'de, F: FnMut(&Node<'de>)> Visitor<'de> for Document<'_, F> {
    /// What the document says that its words mean.
    type Value = Option<Node<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a graph")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut context = None;
        while let Some(key) = fields.next_key_seed(Str)? {
            match &*key {
                "@context" => context = Some(fields.next_value_seed(self.budget)?),
                "@graph" => fields.next_value_seed(Elements(&mut self))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(context)
    }
}

struct Elements<'d, 's, F>(&'d mut Document<'s, F>);

impl<'de, F: FnMut(&Node<'de>)> DeserializeSeed<'de> for Elements<'_, '_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&Node<'de>)> Visitor<'de> for Elements<'_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element_seed(self.0.budget)? {
            (self.0.each)(&element);
        }
        Ok(())
    }
}
