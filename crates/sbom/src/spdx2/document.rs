//! A document as JSON has it, as far as it is read: every field may be missing or null but those that an element is
//! nothing without. These also keep a large document from growing in memory, since each takes its bytes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// More packages than any image has.
const PACKAGES: usize = 200_000;
/// More files than any image has.
const FILES: usize = 4_000_000;
/// More of what one element lists.
const FEW: usize = 100_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) spdx_version: Text<'a>,
    #[serde(default)]
    pub(super) creation_info: Option<CreationInfo<'a>>,
    #[serde(default, rename = "documentDescribes")]
    pub(super) describes: List<Text<'a>, FEW>,
    #[serde(default)]
    pub(super) packages: List<Element<'a>, PACKAGES>,
    #[serde(default)]
    pub(super) files: List<FileElement<'a>, FILES>,
    #[serde(default)]
    pub(super) has_extracted_licensing_infos: List<Extracted<'a>, FEW>,
    #[serde(default)]
    pub(super) relationships: List<Relationship<'a>, { 4 * FILES }>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreationInfo<'a> {
    #[serde(borrow, default)]
    pub(super) creators: List<Text<'a>, FEW>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element<'a> {
    #[serde(rename = "SPDXID", borrow)]
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    #[serde(default)]
    pub(super) version_info: Option<Text<'a>>,
    #[serde(default)]
    pub(super) package_file_name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) primary_package_purpose: Option<Text<'a>>,
    #[serde(default)]
    pub(super) supplier: Option<Text<'a>>,
    #[serde(default)]
    pub(super) originator: Option<Text<'a>>,
    #[serde(default)]
    pub(super) checksums: List<Checksum<'a>, FEW>,
    #[serde(default)]
    pub(super) built_date: Option<Text<'a>>,
    #[serde(default)]
    pub(super) homepage: Option<Text<'a>>,
    #[serde(default)]
    pub(super) source_info: Option<Text<'a>>,
    #[serde(default)]
    pub(super) license_concluded: Option<Text<'a>>,
    #[serde(default)]
    pub(super) license_declared: Option<Text<'a>>,
    #[serde(default)]
    pub(super) license_comments: Option<Text<'a>>,
    #[serde(default)]
    pub(super) copyright_text: Option<Text<'a>>,
    #[serde(default)]
    pub(super) summary: Option<Text<'a>>,
    #[serde(default)]
    pub(super) description: Option<Text<'a>>,
    #[serde(default)]
    pub(super) comment: Option<Text<'a>>,
    #[serde(default)]
    pub(super) external_refs: List<ExternalRef<'a>, FEW>,
    #[serde(default)]
    pub(super) annotations: List<Annotation<'a>, FEW>,
    /// Where Trivy had what it has in annotations since.
    #[serde(default)]
    pub(super) attribution_texts: List<Text<'a>, FEW>,
    /// What relationships tell since version 2.3.
    #[serde(default)]
    pub(super) has_files: List<Text<'a>, FILES>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileElement<'a> {
    #[serde(rename = "SPDXID", borrow)]
    pub(super) id: Text<'a>,
    pub(super) file_name: Text<'a>,
    #[serde(default)]
    pub(super) file_types: List<Text<'a>, FEW>,
    #[serde(default)]
    pub(super) checksums: List<Checksum<'a>, FEW>,
    #[serde(default)]
    pub(super) comment: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checksum<'a> {
    #[serde(borrow)]
    pub(super) algorithm: Text<'a>,
    pub(super) checksum_value: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ExternalRef<'a> {
    #[serde(borrow, rename = "referenceCategory")]
    pub(super) category: Text<'a>,
    #[serde(rename = "referenceType")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "referenceLocator")]
    pub(super) locator: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Annotation<'a> {
    #[serde(borrow)]
    pub(super) annotator: Text<'a>,
    pub(super) comment: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extracted<'a> {
    #[serde(borrow)]
    pub(super) license_id: Text<'a>,
    pub(super) extracted_text: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Relationship<'a> {
    #[serde(borrow, rename = "spdxElementId")]
    pub(super) from: Text<'a>,
    #[serde(rename = "relationshipType")]
    pub(super) kind: Text<'a>,
    #[serde(rename = "relatedSpdxElement")]
    pub(super) to: Text<'a>,
    #[serde(default)]
    pub(super) comment: Option<Text<'a>>,
}

/// A text, within the document where it has no escapes.
#[derive(Debug, Clone)]
pub(super) struct Text<'a>(Cow<'a, str>);

/// A list of at most so many items. Null is an empty one.
#[derive(Debug)]
pub(super) struct List<T, const MOST: usize>(Vec<T>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T, const MOST: usize> List<T, MOST> {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowed)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
            type Value = List<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} items")
            }

            fn visit_unit<E: de::Error>(self) -> Result<List<T, MOST>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T, MOST>, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    if all.len() == MOST {
                        return Err(A::Error::invalid_length(MOST + 1, &self));
                    }
                    all.push(item);
                }
                Ok(List(all))
            }
        }
        deserializer.deserialize_any(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_an_end() {
        let few: Result<List<u8, 3>, _> = serde_json::from_str("[1, 2, 3]");
        assert_eq!(few.unwrap().iter().copied().collect::<Vec<_>>(), [1, 2, 3]);
        let none: List<u8, 3> = serde_json::from_str("null").unwrap();
        assert_eq!(none.iter().len(), 0);
        assert!(serde_json::from_str::<List<u8, 3>>("[1, 2, 3, 4]").is_err());
    }
}
