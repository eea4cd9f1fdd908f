//! [In-toto statements]: who or what a document is about, in front of the document.
//!
//! [In-toto statements]: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::escape::Escaped;
use crate::json::{self, JsonError};
use crate::pieces::{self, PieceError};
use crate::visible::Visible;

/// Bytes of a statement that is read.
pub const MAX_STATEMENT: usize = 256 << 20;

/// Bytes of the list of subjects: tens of thousands of them.
const MAX_SUBJECTS: usize = 4 << 20;

const TYPE: &str = "https://in-toto.io/Statement/v1";
/// The same fields, before they were called final.
const OLD_TYPE: &str = "https://in-toto.io/Statement/v0.1";

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// A name, which decides nothing: `_` where there is none. For an image, tools look for a package URL.
    #[serde(default)]
    pub name: String,
    /// Digests in hexadecimal, by the name of the function in lower case without dashes: `sha256`.
    #[serde(rename = "digest", default)]
    pub digests: BTreeMap<String, String>,
}

/// A statement, read. The predicate is the part of the text that it was read from, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What kind of document the predicate is.
    pub predicate_type: String,
    /// The document: one JSON value, in the grammar and not looked into.
    pub predicate: &'a str,
}

/// Why bytes are no statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Larger than a statement may be.
    #[error("{found} bytes where at most {limit} may be")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size.
        found: usize,
    },
    /// Not UTF-8.
    #[error("the statement is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// Not JSON, or a field of another type.
    #[error("the statement is not of the form that the specification gives")]
    Form(#[from] serde_json::Error),
    /// Something other than the fields of an object.
    #[error("byte {at} of the statement is not what an object has there")]
    NoObject {
        /// Offset of the byte.
        at: usize,
    },
    /// The subjects can be read in two ways.
    #[error("the subjects have no single meaning")]
    Subjects(#[source] JsonError),
    /// A field that must be there is not.
    #[error("the statement has no field {0}")]
    Missing(&'static str),
    /// A field stands there twice.
    #[error("the statement has the field {0} twice")]
    Twice(&'static str),
    /// Something other than a statement, or a newer one.
    #[error("\"{}\" is not a type of statement that is known", Escaped(.0.as_bytes()))]
    Type(String),
    /// A statement about nothing, or about something that is not known by its digest.
    #[error("the statement does not name what it is about by digest")]
    NoDigest,
}

impl Subject {
    /// Something under a name, by its digest.
    #[must_use]
    pub fn new(name: &str, digest: &Digest) -> Self {
        let digests = BTreeMap::from([(digest.algorithm().to_owned(), digest.hex())]);
        Self { name: name.to_owned(), digests }
    }

    /// Whether this is what has the digest.
    #[must_use]
    pub fn is(&self, digest: &Digest) -> bool {
        self.digests.get(digest.algorithm()).is_some_and(|found| *found == digest.hex())
    }
}

impl From<PieceError> for StatementError {
    fn from(error: PieceError) -> Self {
        match error {
            PieceError::Json(source) => Self::Form(source),
            PieceError::Unexpected { at } => Self::NoObject { at },
            PieceError::Twice(name) => Self::Twice(name),
        }
    }
}

/// Writes a statement. `predicate` writes its document, one JSON value, which is nowhere as a whole.
///
/// # Errors
/// Those of `out` and of `predicate`.
pub fn write(
    subjects: &[Subject],
    predicate_type: &str,
    predicate: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(br#"{"_type":"#)?;
    put(&TYPE, out)?;
    out.write_all(br#","subject":"#)?;
    put(&subjects, out)?;
    out.write_all(br#","predicateType":"#)?;
    put(&predicate_type, out)?;
    out.write_all(br#","predicate":"#)?;
    predicate(out)?;
    out.write_all(b"}")
}

fn put(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Visible)).map_err(io::Error::from)
}

/// Reads a statement of version 1 or 0.1. Whether its subject is what the reader asked about is for the caller to compare.
///
/// # Errors
/// [`StatementError`] for what is none, and for one that two readers could take for statements about different things.
pub fn read(bytes: &[u8]) -> Result<Statement<'_>, StatementError> {
    if bytes.len() > MAX_STATEMENT {
        return Err(StatementError::TooLarge { limit: MAX_STATEMENT, found: bytes.len() });
    }
    let found = pieces::members(std::str::from_utf8(bytes)?, ["_type", "subject", "predicateType", "predicate"])?;
    let [kind, subject, predicate_type, predicate] = found;
    let kind: String = serde_json::from_str(kind.ok_or(StatementError::Missing("_type"))?)?;
    if kind != TYPE && kind != OLD_TYPE {
        return Err(StatementError::Type(kind));
    }
    let subject = subject.ok_or(StatementError::Missing("subject"))?;
    let subjects = json::parse(subject.as_bytes(), MAX_SUBJECTS).map_err(StatementError::Subjects)?;
    let subjects: Vec<Subject> = serde_json::from_value(subjects)?;
    if subjects.is_empty() || subjects.iter().any(|subject| subject.digests.is_empty()) {
        return Err(StatementError::NoDigest);
    }
    let predicate_type = serde_json::from_str(predicate_type.ok_or(StatementError::Missing("predicateType"))?)?;
    Ok(Statement { subjects, predicate_type, predicate: predicate.ok_or(StatementError::Missing("predicate"))? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn written(subjects: &[Subject], predicate_type: &str, predicate: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write(subjects, predicate_type, &mut |out| out.write_all(predicate.as_bytes()), &mut out).unwrap();
        out
    }

    #[test]
    fn the_form_is_that_of_the_specification() {
        let digest = Digest::of(b"x");
        let text = written(&[Subject::new("_", &digest)], "https://spdx.dev/Document", r#"{"a":[1.5]}"#);
        let hex = digest.to_string().replace("sha256:", "");
        let expected = format!(
            concat!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"_","digest":{{"sha256":"{hex}"}}}}],"#,
                r#""predicateType":"https://spdx.dev/Document","predicate":{{"a":[1.5]}}}}"#
            ),
            hex = hex
        );
        assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
        let statement = read(&text).unwrap();
        assert!(statement.subjects[0].is(&digest) && !statement.subjects[0].is(&Digest::of(b"y")));
        assert_eq!(statement.predicate, r#"{"a":[1.5]}"#);
        let old = expected.replace("v1", "v0.1").replace(r#""subject""#, " \n\"other\" : { } ,\t\"sub\\u006aect\" ");
        assert_eq!(read(old.as_bytes()).unwrap(), statement);
    }

    #[test]
    fn each_break_is_found() {
        use StatementError as E;
        let text = String::from_utf8(written(&[Subject::new("a", &Digest::of(b"x"))], "t", "{}")).unwrap();
        let check = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            read(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert!(matches!(check("Statement/v1", "Statement/v2"), E::Type(_)));
        assert!(matches!(check("\"predicateType\":\"t\",", ""), E::Missing("predicateType")));
        assert!(matches!(check("{\"_type\"", "{\"predicate\":1,\"_type\""), E::Twice("predicate")));
        assert!(matches!(
            check("\"sha256\"", "\"sha256\":\"0\",\"sha256\""),
            E::Subjects(JsonError::DuplicateKey { .. })
        ));
        assert!(matches!(check("\"name\"", "\"digest\":{},\"name\""), E::Subjects(_)));
        assert!(matches!(check("\"digest\"", "\"digests\""), E::NoDigest));
        assert!(matches!(check("\"t\"", "1"), E::Form(_)));
        assert!(matches!(check("{}}", "{"), E::Form(_)));
        assert!(matches!(check("{}}", "{},}"), E::Form(_)));
        assert!(matches!(check("{}}", "{}}1"), E::NoObject { .. }));
        assert!(matches!(check("{\"_type\"", "[\"_type\""), E::NoObject { at: 0 }));
        assert!(matches!(read(&[b'{', 0xff]).unwrap_err(), E::NotUtf8(_)));
    }

    #[test]
    fn depth_is_for_whoever_reads_the_predicate() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = written(&[Subject::new("a", &Digest::of(b"x"))], "t", &deep);
        assert!(read(&text).unwrap().predicate == deep);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            names in proptest::collection::vec(any::<String>(), 1..4),
            predicate_type in any::<String>(),
            predicate in "[a-z]{0,9}",
        ) {
            let subjects: Vec<Subject> =
                names.iter().map(|name| Subject::new(name, &Digest::of(name.as_bytes()))).collect();
            let predicate = format!("{{\"{predicate}\": [null, -1e9]}}");
            let text = written(&subjects, &predicate_type, &predicate);
            prop_assert!(!text.iter().any(u8::is_ascii_control));
            let expected = Statement { subjects, predicate_type, predicate: &predicate };
            prop_assert_eq!(read(&text).unwrap(), expected);
        }

        #[test]
        fn no_bytes_are_fatal(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let mut text = written(&[Subject::new("a", &Digest::of(b"x"))], "t", "{\"b\":[\"c\",1]}");
            for (at, byte) in &edits {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            if let Ok(statement) = read(&text) {
                prop_assert!(serde_json::from_str::<IgnoredAny>(statement.predicate).is_ok());
            }
        }
    }
}
