//! The parts of a document that are read, of all versions and as loosely as tools write them.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};

/// Items of a list within one component.
const MAX_ITEMS: usize = 1 << 18;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Component {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    #[serde(rename = "bom-ref")]
    pub(super) bom_ref: Text,
    pub(super) supplier: List<Entity>,
    pub(super) manufacturer: List<Entity>,
    pub(super) authors: List<Person>,
    pub(super) author: Text,
    pub(super) publisher: Text,
    pub(super) group: Text,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) description: Text,
    pub(super) hashes: List<Hash>,
    pub(super) licenses: List<LicenceChoice>,
    pub(super) copyright: Text,
    pub(super) purl: Text,
    pub(super) pedigree: List<Pedigree>,
    pub(super) external_references: List<Reference>,
    pub(super) evidence: List<Evidence>,
    pub(super) properties: List<Property>,
    /// Whether others lie within it. They are read one by one, from its text.
    pub(super) components: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Entity {
    pub(super) name: Text,
    pub(super) url: List<Text>,
    pub(super) contact: List<Person>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Person {
    pub(super) name: Text,
    pub(super) email: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Hash {
    pub(super) alg: Text,
    pub(super) content: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct LicenceChoice {
    pub(super) expression: Text,
    pub(super) acknowledgement: Text,
    pub(super) license: List<Licence>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Licence {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) acknowledgement: Text,
    pub(super) text: List<Attachment>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Attachment {
    pub(super) encoding: Text,
    pub(super) content: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pedigree {
    pub(super) ancestors: List<Ancestor>,
}

/// A component, as far as ancestors are looked at.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Ancestor {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) purl: Text,
    pub(super) properties: List<Property>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Reference {
    pub(super) url: Text,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) hashes: List<Hash>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Evidence {
    pub(super) occurrences: List<Occurrence>,
    pub(super) licenses: List<LicenceChoice>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Occurrence {
    pub(super) location: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Property {
    pub(super) name: Text,
    pub(super) value: Text,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Needs {
    #[serde(rename = "ref")]
    pub(super) bom_ref: Text,
    pub(super) depends_on: List<Text>,
}

/// A text; empty for null and for what is none. Numbers, which some tools write as versions, are their digits.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

/// Some items, of which there are none for null and for what is no list. A single object is a list of one.
pub(super) struct List<T>(pub(super) Vec<T>);

impl Text {
    /// The text, unless it is empty.
    pub(super) fn known(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }

    /// The text to keep, unless it is empty.
    pub(super) fn kept(&self) -> Option<String> {
        self.known().map(str::to_owned)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl List<Property> {
    /// The values of a property.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |property| property.name.0 == name).filter_map(|property| property.value.known())
    }

    /// The first value of a property.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|property| property.name.0 == name).and_then(|property| property.value.known())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Text, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            if all.len() == MAX_ITEMS {
                return Err(serde::de::Error::custom(format_args!("more than {MAX_ITEMS} items in a list")));
            }
            all.push(item);
        }
        Ok(List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<List<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(|item| List(vec![item]))
    }

    fn visit_str<E>(self, _: &str) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<List<T>, E> {
        Ok(List::default())
    }

    fn visit_unit<E>(self) -> Result<List<T>, E> {
        Ok(List::default())
    }
}
