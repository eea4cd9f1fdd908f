//! Writing statements.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

use super::{Subject, Version};
use crate::formatter::{ForHtml, Visible};

/// How a statement is written. All forms of one version read as the same; they differ in their bytes, which are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Its type.
    pub version: Version,
    /// The order of its members.
    pub order: Order,
    /// How texts are escaped; the predicate is written by the caller.
    pub text: Text,
}

/// The order of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `_type`, `subject`, `predicateType`, `predicate`, as the specification lists them.
    SubjectFirst,
    /// `_type`, `predicateType`, `subject`, `predicate`.
    TypeFirst,
}

/// How texts are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// As [`Visible`] does.
    Visible,
    /// Where JSON asks for it alone.
    Plain,
    /// As [`ForHtml`] does.
    ForHtml,
}

impl Form {
    /// What distil writes where only it decides.
    pub const DISTIL: Self = Self { version: Version::V1, order: Order::SubjectFirst, text: Text::Visible };
    /// What cosign 3 writes around the predicate of an attestation.
    pub const COSIGN_3: Self = Self { version: Version::V0_1, order: Order::SubjectFirst, text: Text::Plain };
    /// What cosign 3 writes around that of a signature.
    pub const COSIGN_3_SIGNATURE: Self = Self { version: Version::V1, ..Self::COSIGN_3 };
    /// What cosign 2 writes around the predicate of an attestation.
    pub const COSIGN_2: Self = Self { version: Version::V0_1, order: Order::TypeFirst, text: Text::ForHtml };
}

/// Writes a statement as [`Form::DISTIL`] has it. `predicate` writes its document, one JSON value, which is nowhere as a whole.
///
/// # Errors
/// Those of `out` and of `predicate`.
pub fn write(
    subjects: &[Subject],
    predicate_type: &str,
    predicate: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_as(Form::DISTIL, subjects, predicate_type, predicate, out)
}

/// The same in another form.
///
/// # Errors
/// Those of `out` and of `predicate`.
pub fn write_as(
    form: Form,
    subjects: &[Subject],
    predicate_type: &str,
    predicate: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(br#"{"_type":"#)?;
    form.text.put(&form.version.uri(), out)?;
    let subject = |out: &mut dyn Write| {
        out.write_all(br#","subject":"#)?;
        form.text.put(&subjects, out)
    };
    let kind = |out: &mut dyn Write| {
        out.write_all(br#","predicateType":"#)?;
        form.text.put(&predicate_type, out)
    };
    match form.order {
        Order::SubjectFirst => subject(out).and_then(|()| kind(out))?,
        Order::TypeFirst => kind(out).and_then(|()| subject(out))?,
    }
    out.write_all(br#","predicate":"#)?;
    predicate(out)?;
    out.write_all(b"}")
}

impl Text {
    fn put(self, value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        fn put(value: &impl Serialize, out: &mut dyn Write, formatter: impl Formatter) -> io::Result<()> {
            value.serialize(&mut Serializer::with_formatter(out, formatter)).map_err(io::Error::from)
        }
        match self {
            Self::Visible => put(value, out, Visible),
            Self::Plain => put(value, out, CompactFormatter),
            Self::ForHtml => put(value, out, ForHtml),
        }
    }
}
