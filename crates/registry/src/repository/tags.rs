//! The names of a repository's images.

use distil_imgcore::document::MAX_DOCUMENT;
use distil_imgcore::{Error, RefName, RefNameError, Selector, json};
use serde_json::Value;

use super::Repository;
use super::answer::AnswerError;
use super::pages::{Page, Pages};
use crate::error::RegistryError;

/// Tags of one repository.
const MOST_TAGS: usize = 1_000_000;

impl Repository {
    pub(super) fn list_tags(&self) -> Result<Vec<RefName>, Error> {
        let unreadable = |error: RegistryError| self.remote.unreadable(error);
        let mut pages = Pages::new(&self.remote, "tags/list?n=1000".to_owned(), "pages of tags");
        let mut tags = Vec::new();
        loop {
            let bytes = match pages.next(&|answer| answer.status() == 200).map_err(unreadable)? {
                Page::Bytes(bytes) => bytes,
                Page::None => break,
                Page::Other(answer) if answer.status() == 404 => {
                    return Err(Error::NoImage { wanted: Selector::Only, place: self.remote.place().to_owned() });
                }
                Page::Other(answer) => return Err(unreadable(self.remote.refused("list the tags", *answer))),
            };
            tags.extend(page(&bytes).map_err(|e| self.remote.unreadable(e))?);
            if tags.len() > MOST_TAGS {
                return Err(self.remote.unreadable(AnswerError::Endless { what: "tags", limit: MOST_TAGS }));
            }
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }
}

/// The tags of one page. One without any has null there.
fn page(bytes: &[u8]) -> Result<Vec<RefName>, AnswerError> {
    let list = json::parse(bytes, MAX_DOCUMENT)?;
    let tag = |tag: &Value| {
        let text = tag.as_str().ok_or(AnswerError::NoList("tags"))?;
        let name: RefName = text.parse()?;
        if name.is_tag() { Ok(name) } else { Err(RefNameError(super::answer::shortened(text)).into()) }
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
        let names = |bytes: &[u8]| page(bytes).map(|tags| tags.iter().map(RefName::to_string).collect::<Vec<_>>());
        assert_eq!(names(br#"{"name":"a","tags":["v2","v1"]}"#).unwrap(), ["v2", "v1"]);
        for none in [&br#"{"name":"a","tags":null}"#[..], b"{}"] {
            assert!(names(none).unwrap().is_empty());
        }
        assert!(matches!(names(b"[]"), Err(AnswerError::NoList("tags"))));
        assert!(matches!(names(br#"{"tags":[1]}"#), Err(AnswerError::NoList("tags"))));
        assert!(matches!(names(b"<html>"), Err(AnswerError::Json(_))));
        for bad in ["a/b", "a:b", "", "-a", "..", "a\\u001b[31m"] {
            assert!(matches!(names(format!(r#"{{"tags":["{bad}"]}}"#).as_bytes()), Err(AnswerError::Tag(_))), "{bad}");
        }
    }
}
