//! Reading statements.

use serde_json::Value;

use super::{MAX_DIGESTS, MAX_STATEMENT, MAX_SUBJECTS, Statement, StatementError, Subject, Version};
use crate::json;
use crate::pieces;

/// Bytes of the list of subjects: tens of thousands of them.
const MAX_SUBJECT_BYTES: usize = 4 << 20;

/// The members of a statement.
const FIELDS: [&str; 4] = ["_type", "subject", "predicateType", "predicate"];

/// The members of a subject: those of a [resource descriptor].
///
/// [resource descriptor]: https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
const SUBJECT_FIELDS: [&str; 7] = ["name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"];

/// Reads a statement of version 1 or 0.1. Whether its subject is what the reader asked about is for the caller to compare.
///
/// # Errors
/// [`StatementError`] for what is none, and for one that two readers could take for statements about different things.
pub fn read(bytes: &[u8]) -> Result<Statement<'_>, StatementError> {
    Ok(take_apart(bytes)?.0)
}

/// Reads a statement that was signed, which several verifiers read. Members that nobody knows are passed over, as the
/// [specification] asks; the predicate is looked into, so that it has one meaning as well.
///
/// # Errors
/// As [`read`]. Also [`StatementError::Ambiguous`] for a key that stands twice in any object,
/// [`StatementError::Respelled`] for a member that is another one to readers that do not look at case, as cosign 2 is,
/// [`StatementError::TooMany`] above [`MAX_SUBJECTS`] and [`MAX_DIGESTS`], and [`StatementError::Predicate`].
///
/// [specification]: https://github.com/in-toto/attestation/blob/main/spec/v1/README.md#parsing-rules
pub fn read_signed(bytes: &[u8]) -> Result<Statement<'_>, StatementError> {
    json::check_data(bytes, MAX_STATEMENT).map_err(StatementError::Ambiguous)?;
    let (mut statement, subjects) = take_apart(bytes)?;
    check_spelling(pieces::names(std::str::from_utf8(bytes)?)?.iter().map(String::as_str), &FIELDS)?;
    for subject in subjects.as_array().into_iter().flatten().filter_map(Value::as_object) {
        check_spelling(subject.keys().map(String::as_str), &SUBJECT_FIELDS)?;
    }
    check_count("subjects", MAX_SUBJECTS, statement.subjects.len())?;
    for subject in &statement.subjects {
        check_count("digests of a subject", MAX_DIGESTS, subject.digests.len())?;
    }
    match statement.predicate.map(str::as_bytes) {
        // As good as missing, for cosign too.
        Some(b"null") => statement.predicate = None,
        Some([b'{' | b'"', ..]) | None => {}
        Some(_) => return Err(StatementError::Predicate),
    }
    Ok(statement)
}

/// A statement, and its subjects as they stand there.
fn take_apart(bytes: &[u8]) -> Result<(Statement<'_>, Value), StatementError> {
    if bytes.len() > MAX_STATEMENT {
        return Err(StatementError::TooLarge { limit: MAX_STATEMENT, found: bytes.len() });
    }
    let [kind, subject, predicate_type, predicate] = pieces::members(std::str::from_utf8(bytes)?, FIELDS)?;
    let kind: String = serde_json::from_str(kind.ok_or(StatementError::Missing("_type"))?)?;
    let version = Version::ALL.into_iter().find(|version| version.uri() == kind).ok_or(StatementError::Type(kind))?;
    let subject = subject.ok_or(StatementError::Missing("subject"))?;
    let listed = json::parse(subject.as_bytes(), MAX_SUBJECT_BYTES).map_err(StatementError::Subjects)?;
    let subjects: Vec<Subject> = serde::Deserialize::deserialize(&listed)?;
    if subjects.is_empty() || subjects.iter().any(|subject| subject.digests.is_empty()) {
        return Err(StatementError::NoDigest);
    }
    let predicate_type = serde_json::from_str(predicate_type.ok_or(StatementError::Missing("predicateType"))?)?;
    Ok((Statement { version, subjects, predicate_type, predicate }, listed))
}

fn check_spelling<'a>(
    found: impl Iterator<Item = &'a str>,
    known: &'static [&'static str],
) -> Result<(), StatementError> {
    for found in found {
        let folded = json::fold(found);
        if let Some(known) = known.iter().find(|known| **known != found && json::fold(known) == folded) {
            return Err(StatementError::Respelled { found: found.to_owned(), known });
        }
    }
    Ok(())
}

fn check_count(what: &'static str, limit: usize, found: usize) -> Result<(), StatementError> {
    if found > limit { Err(StatementError::TooMany { what, limit, found }) } else { Ok(()) }
}
