//! `tags`: the names of images in a place.

mod order;

use std::num::NonZeroUsize;

use distil_imgcore::{Attachment, Error, RefName, Reference, Selector, Store};
use schemars::JsonSchema;
use serde::Serialize;

use crate::machine::Machine;
use crate::parallel;
use crate::places::{Places, StoreError, selector};
use crate::progress::{Phase, Progress};

/// What is asked of a place.
#[derive(Debug, Clone, Copy)]
pub struct TagsRequest<'a> {
    /// The place, without the name of an image.
    pub reference: &'a Reference,
    /// Whether to look which image each name has.
    pub digests: bool,
    /// Whether names count, too, that only say something about another image: `sha256-HEX`, and the same with an ending as of
    /// signatures.
    pub all: bool,
    /// The machine and the network, for registries.
    pub machine: &'a Machine,
}

/// The names of images in a place: the JSON document of `tags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TagList {
    /// `distil.tags/v1`.
    pub schema: String,
    /// The place: a repository as `HOST/REPOSITORY`, a directory or file by its path.
    pub place: String,
    /// The names, in the order of versions.
    pub tags: Vec<TagSummary>,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TagSummary {
    /// The name.
    pub tag: String,
    /// The digest of its image: of the index, or of the manifest where there is none. Left out unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Why the names in a place cannot be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TagsError {
    /// The place cannot be opened.
    #[error(transparent)]
    Open(#[from] StoreError),
    /// The place was opened, and does not tell.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no such repository.
    #[error("there is no repository {place}")]
    NoRepository {
        /// The repository.
        place: String,
    },
    /// The reference names one image.
    #[error("{reference} names one image of a place, and not the place")]
    OneImage {
        /// The reference.
        reference: String,
    },
}

impl TagsError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Open(error) => error.is_mistake(),
            Self::OneImage { .. } => true,
            Self::Store(_) | Self::NoRepository { .. } => false,
        }
    }
}

/// Names that are looked up at once. Each waits for the other side most of the time.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not 0");

/// Lists the names of images in a repository, layout or archive. A name that goes away meanwhile is left out where its image
/// is looked up.
///
/// # Errors
/// [`TagsError`]
pub fn tags(request: &TagsRequest<'_>, progress: &dyn Progress) -> Result<TagList, TagsError> {
    if names_one(request.reference) {
        return Err(TagsError::OneImage { reference: request.reference.to_string() });
    }
    let (store, _) = Places::uncancelled(request.machine, progress).source(request.reference)?;
    let mut names = store.tags().map_err(|error| match error {
        Error::NoImage { place, .. } => TagsError::NoRepository { place },
        error => error.into(),
    })?;
    names.retain(|name| request.all || !Attachment::is_beside(name));
    names.sort_by(|a, b| order::by_version(a.as_str(), b.as_str()));
    let tags = if request.digests {
        progress.phase(Phase::Check);
        let found = parallel::map(AT_ONCE, &names, |name| digest(store.as_ref(), name, progress))?;
        found.into_iter().flatten().collect()
    } else {
        names.iter().map(|name| TagSummary { tag: name.to_string(), digest: None }).collect()
    };
    Ok(TagList { schema: "distil.tags/v1".to_owned(), place: store.place(), tags })
}

fn digest(store: &dyn Store, name: &RefName, progress: &dyn Progress) -> Result<Option<TagSummary>, Error> {
    let found = match store.resolve(&Selector::Name(name.clone())) {
        Ok(root) => Some(TagSummary { tag: name.to_string(), digest: Some(root.digest().to_string()) }),
        Err(Error::NoImage { .. }) => None,
        Err(error) => return Err(error),
    };
    progress.finished(name.as_str());
    Ok(found)
}

/// Whether a reference says which image of its place is meant.
fn names_one(reference: &Reference) -> bool {
    match reference {
        Reference::Layout(at) | Reference::Archive(at) | Reference::DockerArchive(at) => {
            *at.selector() != Selector::Only
        }
        Reference::Registry(name) => name.tag().is_some() || matches!(selector(name), Selector::Digest(_)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use distil_imgcore::Layout;

    use super::*;
    use crate::progress::Silent;
    use crate::testimage;

    /// A layout whose one image has these names.
    fn layout(names: &[&str]) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        testimage::write(dir.path(), &["linux/amd64"], &[]);
        let path = dir.path().join("image");
        let layout = Layout::create(&path, Duration::ZERO).unwrap();
        let root = layout.resolve(&Selector::Name("test".parse().unwrap())).unwrap();
        for name in names {
            layout.tag(Some(&name.parse().unwrap()), &root).unwrap();
        }
        (dir, format!("oci:{}", path.display()))
    }

    fn list(reference: &str, digests: bool, all: bool) -> Result<TagList, TagsError> {
        let (reference, machine) = (reference.parse().unwrap(), Machine::new(0));
        tags(&TagsRequest { reference: &reference, digests, all, machine: &machine }, &Silent)
    }

    fn names(list: &TagList) -> Vec<&str> {
        list.tags.iter().map(|tag| tag.tag.as_str()).collect()
    }

    #[test]
    fn names_are_in_the_order_of_versions_and_those_about_others_are_left_out() {
        let about = format!("sha256-{}", "0a".repeat(32));
        let signature = format!("{about}.sig");
        let (_dir, reference) = layout(&["1.10", "1.9", "1.10-rc1", &about, &signature, "sha256-short"]);
        let found = list(&reference, false, false).unwrap();
        assert_eq!(names(&found), ["sha256-short", "test", "1.9", "1.10-rc1", "1.10"]);
        assert!(found.tags.iter().all(|tag| tag.digest.is_none()));
        let all = list(&reference, false, true).unwrap();
        assert!([&about, &signature].iter().all(|name| names(&all).contains(&name.as_str())));
    }

    #[test]
    fn digests_are_those_of_the_images() {
        let (_dir, reference) = layout(&["v1"]);
        let found = list(&reference, true, false).unwrap();
        assert_eq!(names(&found), ["test", "v1"]);
        assert_eq!(found.tags[0].digest, found.tags[1].digest);
        let document = serde_json::to_value(&found).unwrap();
        assert!(document["tags"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
        let schema = serde_json::from_str(&crate::schema::tags()).unwrap();
        assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&document));
    }

    #[test]
    fn a_reference_to_one_image_is_a_mistake() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for reference in ["oci:x:v1", "registry.example.org/x:v1", &format!("registry.example.org/x@{digest}")] {
            let error = list(reference, false, false).unwrap_err();
            assert!(matches!(error, TagsError::OneImage { .. }) && error.is_mistake(), "{reference}");
        }
    }
}
