//! Large JSON documents, a part at a time.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

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

/// The error of a part where there is one, else the parser's.
pub(super) fn outcome(parsed: Result<(), serde_json::Error>, failed: Option<FeedError>) -> Result<(), FeedError> {
    match (parsed, failed) {
        (_, Some(error)) => Err(error),
        (parsed, None) => Ok(parsed?),
    }
}
