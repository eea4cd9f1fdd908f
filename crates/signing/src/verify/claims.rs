//! Steps 6 to 9: what a good signature says, and whether it is what was asked for.

use std::collections::BTreeMap;

use distil_imgcore::Digest;
use distil_imgcore::statement::{self, Statement, Subject};

use super::Requirements;
use super::report::StepName;
use super::trail::{Failed, Trail, told};
use crate::dsse::{Envelope, IN_TOTO};
use crate::predicate::PredicateType;
use crate::simple::Payload;

/// Reads the payload of a simple signature, and compares it with what was asked for.
pub(super) fn payload(
    bytes: &[u8],
    digest: &Digest,
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<Payload, Failed> {
    let payload = trail.need(StepName::Type, Payload::parse(bytes).map_err(|error| told(&error)))?;
    trail.pass(StepName::Type, "a simple signature of an image");
    if payload.digest != *digest {
        return Err(trail.fail(StepName::Subject, format!("it is about {}", payload.digest)));
    }
    trail.pass(StepName::Subject, digest.to_string());
    annotations(std::iter::once(payload.optional.clone()), wanted, trail)?;
    reference(std::iter::once(payload.reference.as_str()), wanted, trail)?;
    Ok(payload)
}

/// Reads the statement in an envelope, and compares it with what was asked for. Without a predicate type any will do.
pub(super) fn statement<'a>(
    envelope: &'a Envelope,
    digest: &Digest,
    predicate_type: Option<&PredicateType>,
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<Statement<'a>, Failed> {
    if envelope.payload_type != IN_TOTO {
        return Err(trail.fail(StepName::Type, format!("the envelope holds {:?}", envelope.payload_type)));
    }
    let read = statement::read_signed(&envelope.payload).map_err(|error| told(&error));
    let statement = trail.need(StepName::Type, read)?;
    if predicate_type.is_some_and(|wanted| !wanted.is(&statement.predicate_type)) {
        return Err(trail.fail(StepName::Type, format!("it is a statement of type {:?}", statement.predicate_type)));
    }
    trail.pass(StepName::Type, statement.predicate_type.clone());
    let about = || statement.subjects.iter().filter(|subject| subject.is(digest));
    if about().next().is_none() {
        let subjects = statement.subjects.len();
        return Err(trail
            .fail(StepName::Subject, format!("it is about something else, none of its {subjects} subjects is this")));
    }
    trail.pass(StepName::Subject, digest.to_string());
    annotations(about().map(texts), wanted, trail)?;
    reference(about().map(|subject| subject.name.as_str()), wanted, trail)?;
    Ok(statement)
}

/// A file's signature has no annotations and no name: whoever asks for some does not get them.
pub(super) fn of_file(wanted: &Requirements, trail: &mut Trail) -> Result<(), Failed> {
    annotations(std::iter::empty(), wanted, trail)?;
    reference(std::iter::empty(), wanted, trail)
}

/// The annotations of a subject that are texts: no other can be asked for.
pub(super) fn texts(subject: &Subject) -> BTreeMap<String, String> {
    let all = subject.annotations.iter().flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// All that were asked for have to be in one place.
fn annotations(
    mut found: impl Iterator<Item = BTreeMap<String, String>>,
    wanted: &Requirements,
    trail: &mut Trail,
) -> Result<(), Failed> {
    if wanted.annotations.is_empty() {
        return Ok(());
    }
    if found.any(|found| wanted.annotations.iter().all(|(key, value)| found.get(key) == Some(value))) {
        trail.pass(StepName::Annotations, "all that were asked for");
        Ok(())
    } else {
        Err(trail.fail(StepName::Annotations, "an annotation that was asked for is missing or has another value"))
    }
}

/// Without this step a signature counts under every name that the image has: cosign signs the name, and does not compare it.
fn reference<'a>(found: impl Iterator<Item = &'a str>, wanted: &Requirements, trail: &mut Trail) -> Result<(), Failed> {
    let Some(name) = &wanted.reference else { return Ok(()) };
    let found: Vec<&str> = found.filter(|found| !found.is_empty()).collect();
    if found.iter().any(|found| repository(found) == repository(name)) {
        trail.pass(StepName::Reference, repository(name));
        return Ok(());
    }
    let why = match found.first() {
        Some(found) => format!("it was signed as {found:?}"),
        None => "it names no image".into(),
    };
    Err(trail.fail(StepName::Reference, why))
}

/// Registry and repository of a name, without tag and digest, and with one spelling of Docker Hub, which cosign calls
/// `index.docker.io`.
fn repository(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let name = match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    };
    match name.split_once('/') {
        Some(("index.docker.io" | "docker.io" | "registry-1.docker.io", path)) if path.contains('/') => {
            format!("docker.io/{path}")
        }
        Some(("index.docker.io" | "docker.io" | "registry-1.docker.io", path)) => format!("docker.io/library/{path}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_tag_and_digest() {
        let check = |name: &str, expected: &str| assert_eq!(repository(name), expected, "{name}");
        check("r.example.com/a/b:1@sha256:00", "r.example.com/a/b");
        check("r.example.com:5000/a/b", "r.example.com:5000/a/b");
        check("r.example.com:5000/a/b:1", "r.example.com:5000/a/b");
        check("docker.io/debian", "docker.io/library/debian");
        check("index.docker.io/library/debian", "docker.io/library/debian");
        check("docker.io/a/debian", "docker.io/a/debian");
    }
}
