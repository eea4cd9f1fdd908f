//! The names of a repository's images.

use distil_imgcore::document::MAX_DOCUMENT;
use distil_imgcore::{Error, RefName, RefNameError, Selector, json};
use serde_json::Value;

use super::Repository;
use super::answer::{self, AnswerError};
use super::pages::{Page, Pages};
use crate::error::RegistryError;

/// Tags of one repository.
const MOST_TAGS: usize = 1_000_000;

impl Repository {
    /// The tags of the repository. There are registries that list names which are none: digests, or what somebody could write
    /// before they looked at it. Nobody can ask for these, so that they are left out and hide no others. A list in which nothing
    /// is a tag is an error.
    pub(super) fn list_tags(&self) -> Result<Vec<RefName>, Error> {
        let unreadable = |error: RegistryError| self.remote.unreadable(error);
        let mut pages = Pages::new(&self.remote, "tags/list?n=1000".to_owned(), "pages of tags");
        let (mut tags, mut listed, mut refused) = (Vec::new(), 0, None);
        loop {
            let bytes = match pages.next(&|answer| answer.status() == 200).map_err(unreadable)? {
                Page::Bytes(bytes) => bytes,
                Page::None => break,
                Page::Other(answer) if answer.status() == 404 => {
                    return Err(Error::NoImage { wanted: Selector::Only, place: self.remote.place().to_owned() });
                }
                Page::Other(answer) => return Err(unreadable(self.remote.refused("list the tags", *answer))),
            };
            for name in page(&bytes).map_err(|e| self.remote.unreadable(e))? {
                listed += 1;
                match name {
                    Ok(tag) => tags.push(tag),
                    Err(error) => refused = refused.or(Some(error)),
                }
            }
            if listed > MOST_TAGS {
                return Err(self.remote.unreadable(AnswerError::Endless { what: "tags", limit: MOST_TAGS }));
            }
        }
        if let Some(error) = refused.filter(|_| tags.is_empty()) {
            return Err(self.remote.unreadable(AnswerError::Tag(error)));
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }
}

/// The names of one page, each with what it is. One without any has null there.
fn page(bytes: &[u8]) -> Result<Vec<Result<RefName, RefNameError>>, AnswerError> {
    let list = json::parse(bytes, MAX_DOCUMENT)?;
    let tag = |tag: &Value| {
        let text = tag.as_str().ok_or(AnswerError::NoList("tags"))?;
        let name = text.parse().ok().filter(RefName::is_tag);
        Ok(name.ok_or_else(|| RefNameError(answer::shortened(text))))
    };
    match list.get("tags") {
        None | Some(Value::Null) if list.is_object() => Ok(Vec::new()),
        Some(Value::Array(tags)) => tags.iter().map(tag).collect(),
        _ => Err(AnswerError::NoList("tags")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_list_of_tags() {
        let names =
            |bytes: &[u8]| page(bytes).map(|names| names.iter().flatten().map(RefName::to_string).collect::<Vec<_>>());
        assert_eq!(names(br#"{"name":"a","tags":["v2","v1"]}"#).unwrap(), ["v2", "v1"]);
        for none in [&br#"{"name":"a","tags":null}"#[..], b"{}"] {
            assert!(names(none).unwrap().is_empty());
        }
        assert!(matches!(names(b"[]"), Err(AnswerError::NoList("tags"))));
        assert!(matches!(names(br#"{"tags":[1]}"#), Err(AnswerError::NoList("tags"))));
        assert!(matches!(names(b"<html>"), Err(AnswerError::Json(_))));
        let digest = format!("sha256:{}", "0".repeat(64));
        for bad in ["a/b", "a:b", "", "-a", "..", "a\\u001b[31m", &digest, &"a".repeat(129)] {
            let found = page(format!(r#"{{"tags":["{bad}","v1"]}}"#).as_bytes()).unwrap();
            assert!(matches!(&found[..], [Err(_), Ok(tag)] if tag.as_str() == "v1"), "{bad}: {found:?}");
        }
    }
}
