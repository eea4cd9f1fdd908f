//! JSON that leaves element by element.

use std::io::{self, BufWriter, Write};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::id::Id;
use crate::json::{Streamed, Visible};

const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
const BUFFER: usize = 1 << 16;

/// How an element names what says who made it and when: one node for the whole document.
pub(super) const CREATION: &str = "_:c";

/// An SPDX document on its way out: elements are forgotten as soon as they are written.
pub(super) struct Graph<'a> {
    out: BufWriter<&'a mut dyn Write>,
    is_empty: bool,
}

/// The properties of one object, in the order of writing.
pub(super) struct Fields<'a, 'b>(
    <&'a mut serde_json::Serializer<&'a mut BufWriter<&'b mut dyn Write>, Visible> as Serializer>::SerializeMap,
);

impl<'a> Graph<'a> {
    pub(super) fn begin(out: &'a mut dyn Write) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, out);
        write!(out, "{{\"@context\":\"{CONTEXT}\",\"@graph\":[")?;
        Ok(Self { out, is_empty: true })
    }

    /// Writes an element; what all of them have comes first.
    pub(super) fn element(
        &mut self,
        kind: &'static str,
        id: Id<'_>,
        fields: impl FnOnce(&mut Fields<'_, '_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.object(|all| {
            all.put("type", kind)?.put("spdxId", &id)?.put("creationInfo", CREATION)?;
            fields(all)
        })
    }

    /// Writes an object that is no element.
    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Fields<'_, '_>) -> io::Result<()>) -> io::Result<()> {
        if !self.is_empty {
            self.out.write_all(b",")?;
        }
        self.is_empty = false;
        let mut serializer = serde_json::Serializer::with_formatter(&mut self.out, Visible);
        let mut all = Fields(serializer.serialize_map(None)?);
        fields(&mut all)?;
        all.0.end().map_err(io::Error::from)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(b"]}")?;
        self.out.flush()
    }
}

impl Fields<'_, '_> {
    pub(super) fn put(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> io::Result<&mut Self> {
        self.0.serialize_entry(key, value)?;
        Ok(self)
    }

    pub(super) fn some(&mut self, key: &'static str, value: Option<impl Serialize>) -> io::Result<&mut Self> {
        match value {
            Some(value) => self.put(key, &value),
            None => Ok(self),
        }
    }

    /// A list, where it has anything in it.
    pub(super) fn list<I: Iterator<Item: Serialize> + Clone>(
        &mut self,
        key: &'static str,
        values: I,
    ) -> io::Result<&mut Self> {
        if values.clone().next().is_none() {
            return Ok(self);
        }
        self.put(key, &Streamed(move || values.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_follow_each_other() {
        let mut out: Vec<u8> = Vec::new();
        let mut graph = Graph::begin(&mut out).unwrap();
        graph.object(|fields| fields.some("none", None::<u8>)?.put("a", "\u{9b}")?.list("b", 0..0).map(drop)).unwrap();
        graph.object(|fields| fields.list("b", 0..2).map(drop)).unwrap();
        graph.finish().unwrap();
        let wanted = format!("{{\"@context\":\"{CONTEXT}\",\"@graph\":[{{\"a\":\"\\u009b\"}},{{\"b\":[0,1]}}]}}");
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
