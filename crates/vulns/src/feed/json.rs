//! Large JSON documents, a part at a time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::FeedError;

/// What each part goes to, and where its error is kept: a parser's own errors are words alone.
pub(super) struct Each<'a, T> {
    each: &'a mut dyn FnMut(T) -> Result<(), FeedError>,
    failed: &'a mut Option<FeedError>,
}

impl<'a, T> Each<'a, T> {
    pub(super) fn new(each: &'a mut dyn FnMut(T) -> Result<(), FeedError>, failed: &'a mut Option<FeedError>) -> Self {
        Self { each, failed }
    }

    fn take<E: serde::de::Error>(&mut self, part: T) -> Result<(), E> {
        (self.each)(part).map_err(|error| {
            *self.failed = Some(error);
            E::custom("refused")
        })
    }
}

/// An object whose members are given away one by one.
pub(super) struct Members<'a, V>(pub(super) Each<'a, (String, V)>);

impl<'de, V: Deserialize<'de>> DeserializeSeed<'de> for Members<'_, V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<'_, V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.take(member)?;
        }
        Ok(())
    }
}

/// An array whose elements are given away one by one.
pub(super) struct Elements<'a, V>(pub(super) Each<'a, V>);

impl<'de, V: Deserialize<'de>> DeserializeSeed<'de> for Elements<'_, V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Elements<'_, V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            self.0.take(element)?;
        }
        Ok(())
    }
}

/// An object without two members of one name: one of them would be lost, and nobody would know.
#[derive(Debug)]
pub(super) struct Unique<V>(pub(super) BTreeMap<String, V>);

impl<V> Default for Unique<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> Unique<V> {
    /// Reads the members.
    pub(super) fn of<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error>
    where
        V: Deserialize<'de>,
    {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            match members.entry(name) {
                Entry::Vacant(place) => drop(place.insert(map.next_value()?)),
                Entry::Occupied(known) => {
                    let name: String = known.key().chars().take(100).collect();
                    return Err(A::Error::custom(format_args!("{name} is there twice")));
                }
            }
        }
        Ok(Self(members))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Reader<V> {
            type Value = Unique<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Unique<V>, A::Error> {
                Unique::of(map)
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// The error of a part where there is one, else the parser's.
pub(super) fn outcome(parsed: Result<(), serde_json::Error>, failed: Option<FeedError>) -> Result<(), FeedError> {
    match (parsed, failed) {
        (_, Some(error)) => Err(error),
        (parsed, None) => Ok(parsed?),
    }
}
