//! What a file says about a package, before anybody judges it.

use distil_imgcore::{Escaped, ImagePath};
use serde::{Deserialize, Serialize};

use crate::inventory::{Agent, Package, PackageKind};
use crate::licence;

/// Longest value that is taken over, in bytes. Whole licences stand in fields that are for their names.
const MAX_VALUE: usize = 1024;

/// A package that a file tells of, in the words of that file. It can be kept and read back, so that a file is looked into
/// once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Found {
    /// The type of its package URL, as in `golang`.
    pub kind: String,
    /// What stands before the name in its package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name of its licence, an expression, or a URL: whatever its metadata have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// One line on what it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Who made it, with a mail address where there is one: `Name <address>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

impl Found {
    /// A package of which no more is known. None without a name, or with one that no package has.
    pub(super) fn new(kind: &PackageKind, name: &str, version: Option<&str>) -> Option<Self> {
        let name = value(name)?;
        Some(Self { kind: kind.as_str().to_owned(), name, version: version.and_then(value), ..Self::default() })
    }

    /// The package as part of an inventory, with the file that told of it. Its licence is declared where its word for it is
    /// clear, and otherwise remarked on.
    #[must_use]
    pub fn to_package(&self, location: &ImagePath) -> Package {
        let mut package = Package::new(PackageKind::of(&self.kind), &self.name, self.version.clone());
        package.namespace.clone_from(&self.namespace);
        package.homepage.clone_from(&self.homepage);
        package.summary.clone_from(&self.summary);
        package.maintainer = self.author.as_deref().and_then(Agent::parse);
        if let Some(name) = &self.licence {
            package.licences.declared = licence::of_name(name);
            package.licences.concluded.clone_from(&package.licences.declared);
            if package.licences.declared.is_none() {
                package.licences.remarks.push(format!("called {} in its metadata", Escaped(name.as_bytes())));
            }
        }
        package.locations.push(location.clone());
        package
    }
}

/// A value of one line, or nothing where it is empty, too long for what it stands for, or says that it is not known.
pub(super) fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let is_told = !text.is_empty() && text.len() <= MAX_VALUE && !text.eq_ignore_ascii_case("unknown");
    (is_told && !text.contains(['\n', '\0'])).then(|| text.to_owned())
}
