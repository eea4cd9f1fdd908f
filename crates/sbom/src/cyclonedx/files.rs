//! Files as components.

use std::borrow::Cow;

use distil_imgcore::{Escaped, ImagePath};
use serde::{Serialize, Serializer};

use super::bom::{Component, Entity, Hash, Properties};
use super::facts::Facts;
use super::{property, refs};
use crate::inventory::{Context, File, Owner};

/// Names of files that are archives of other files whose names are still known.
const ARCHIVES: [&str; 16] = [
    ".7z", ".apk", ".deb", ".ear", ".egg", ".jar", ".rpm", ".tar", ".tar.bz2", ".tar.gz", ".tar.xz", ".tar.zst",
    ".tgz", ".war", ".whl", ".zip",
];

/// The files of a package, one after the other: written without a list of all their components in memory.
#[derive(Clone, Copy)]
pub(super) struct FileComponents<'a> {
    facts: &'a Facts<'a>,
    numbers: &'a [usize],
}

impl<'a> FileComponents<'a> {
    /// None where there are no files.
    pub(super) fn of(facts: &'a Facts<'a>, numbers: &'a [usize]) -> Option<Self> {
        (!numbers.is_empty()).then_some(Self { facts, numbers })
    }
}

impl Serialize for FileComponents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let files = self.numbers.iter().filter_map(|number| self.facts.inventory.files.get(*number));
        serializer.collect_seq(files.map(|file| component(self.facts, file)))
    }
}

/// The absolute path of a file. Bytes that are not UTF-8 are escaped; the reference of its component has them.
pub(super) fn location(path: &ImagePath) -> String {
    match str::from_utf8(path.as_bytes()) {
        Ok(text) => format!("/{text}"),
        Err(_) => format!("/{}", Escaped(path.as_bytes())),
    }
}

/// One file. What the recipe brought is a component of its own, with all that is asked of one.
pub(super) fn component<'a>(facts: &'a Facts<'a>, file: &'a File) -> Component<'a> {
    let is_own = file.owner == Owner::Recipe;
    let is_utf8 = str::from_utf8(file.path.as_bytes()).is_ok();
    let mut properties = Properties::default();
    if is_own {
        let base = file.path.components().next_back().unwrap_or_default();
        let is_archive = ARCHIVES.iter().any(|ending| base.to_ascii_lowercase().ends_with(ending.as_bytes()));
        properties.add(property::FILE_NAME, String::from_utf8_lossy(base));
        properties.add(property::EXECUTABLE, if file.is_executable { "executable" } else { "non-executable" });
        properties.add(property::ARCHIVE, if is_archive { "archive" } else { "no archive" });
        properties.add(property::STRUCTURED, if is_archive { "structured" } else { "unstructured" });
    } else if file.is_executable {
        properties.add(property::EXECUTABLE, "executable");
    }
    properties.add(property::SIZE, file.size.to_string());
    match file.owner {
        Owner::Recipe => properties.add(property::OWNER, "recipe"),
        Owner::Generated => properties.add(property::OWNER, "generated"),
        Owner::Package { is_conffile: true, .. } => properties.add(property::CONFFILE, "true"),
        Owner::Package { .. } | Owner::Unknown => {}
    }
    properties.add_known(property::TRIVY_LAYER, facts.diff_id(file.layer));
    let is_built = facts.inventory.image.context == Context::Build;
    Component {
        kind: "file",
        bom_ref: (is_own || !is_utf8).then(|| refs::of_file(file).into()),
        manufacturer: facts.about.author.as_ref().filter(|_| is_own && is_built).map(Entity::of),
        name: location(&file.path).into(),
        // A file has no version, in whose place the rules of BSI want its time: the build gives all files that of the image.
        version: facts.created.as_deref().filter(|_| is_own && is_built).map(Cow::Borrowed),
        hashes: Hash::all(&file.digests),
        properties: properties.0,
        ..Component::default()
    }
}
