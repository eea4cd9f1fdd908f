//! What is in an image.

use std::collections::BTreeMap;
use std::fmt;

use distil_imgcore::{DiffId, Digest, ImagePath, Platform};

use crate::digests::Digests;
use crate::licence::Licences;

/// What is in an image of one platform: what every document is written from, and what reading one gives.
///
/// Packages are in the order of [`Package::key`], files in that of their paths. Numbers that stand for a package or a layer
/// are positions in [`packages`](Self::packages) and [`ImageFacts::layers`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// The image itself.
    pub image: ImageFacts,
    /// The operating system that its packages belong to.
    pub system: Option<System>,
    /// Packages of all kinds.
    pub packages: Vec<Package>,
    /// Regular files, by path.
    pub files: Vec<File>,
    /// The texts of licences that SPDX has no name for: by `LicenseRef-…`, without duplicates.
    pub licence_texts: BTreeMap<String, String>,
}

/// An image, as far as its description goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageFacts {
    /// What people call it: `org.opencontainers.image.title`, or the last part of a repository's name. Nothing decides by it.
    pub name: String,
    /// The digest of its manifest.
    pub digest: Option<Digest>,
    /// The SHA-512 of its manifest.
    pub sha512: Option<[u8; 64]>,
    /// The platform that it is for.
    pub platform: Option<Platform>,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerFacts>,
    /// The image that it starts from.
    pub base: Option<BaseImage>,
    /// The time of the image in seconds since 1970.
    pub created: Option<i64>,
    /// Annotations of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// How this came to be known.
    pub context: Context,
}

/// How an inventory was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Context {
    /// By the build, which knew where each byte came from.
    Build,
    /// By looking into a finished image, or from a document about one.
    #[default]
    Analysis,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFacts {
    /// The digest of its uncompressed bytes.
    pub diff_id: DiffId,
    /// The digest of its bytes as they are stored.
    pub digest: Option<Digest>,
    /// What the configuration says made it.
    pub created_by: Option<String>,
}

/// The image that another one starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// Its public name, where it may be told.
    pub name: Option<String>,
    /// Its digest.
    pub digest: Digest,
}

/// An operating system, from `os-release`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// `ID`, as in `debian`.
    pub id: String,
    /// `VERSION_ID`, as in `12`. Testing and unstable have none.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`, as in `bookworm`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
}

/// What kind of package it is, which is also the type of its package URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageKind {
    /// A Debian package.
    Deb,
    /// A Go module, found in a program's build information.
    Golang,
    /// A Rust crate, found in a program that cargo-auditable made.
    Cargo,
    /// A Python distribution.
    Pypi,
    /// A Java archive.
    Maven,
    /// A package of npm.
    Npm,
    /// Another type of package URL, found in a document.
    Other(String),
}

/// A package.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// What kind of package it is.
    pub kind: PackageKind,
    /// The part of a package URL before the name: a Maven group, an npm scope with its `@`, for a Go module all of its path
    /// but the last part, for a Debian package the distribution (`debian`).
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// Debian's name of the architecture, or `all`.
    pub architecture: Option<String>,
    /// The source package that a Debian package was built from.
    pub source: Option<SourcePackage>,
    /// Other source packages whose code is in it, by `Built-Using` and `Static-Built-Using`.
    pub built_using: Vec<BuiltUsing>,
    /// Who maintains it.
    pub maintainer: Option<Agent>,
    /// Who supplied it: the distribution, or where that is not known nobody.
    pub supplier: Option<Agent>,
    /// A page about it.
    pub homepage: Option<String>,
    /// The first line of the description.
    pub summary: Option<String>,
    /// The rest of the description.
    pub description: Option<String>,
    /// The archive's section, as in `libs`.
    pub section: Option<String>,
    /// The archive's priority, as in `required`.
    pub priority: Option<String>,
    /// Its licences.
    pub licences: Licences,
    /// The file that was installed.
    pub artefact: Option<Artefact>,
    /// The layer that brought it.
    pub layer: Option<usize>,
    /// The files that show that it is there, as absolute paths: its record, its copyright file, the program that it is part of.
    pub locations: Vec<ImagePath>,
    /// What it needs to run.
    pub dependencies: Vec<Dependency>,
    /// The package whose files it was found in, as a Python distribution within a Debian package.
    pub part_of: Option<usize>,
}

/// A source package and its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePackage {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

/// A source package whose code is in a binary one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuiltUsing {
    /// The source package.
    pub source: SourcePackage,
    /// Whether it was linked statically, by `Static-Built-Using`.
    pub is_static: bool,
}

/// A person or an organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agent {
    /// The name.
    pub name: String,
    /// A mail address or a URL to reach it.
    pub contact: Option<Contact>,
    /// Whether it is known to be one human. Teams maintain packages under names like those of people, so that nothing but a
    /// document says so.
    pub is_person: bool,
}

/// How somebody is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// By a mail address.
    Mail(String),
    /// By a URL.
    Url(String),
}

/// The file that a package was installed from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Artefact {
    /// Its name, without folders.
    pub file_name: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Its digests.
    pub digests: Digests,
    /// Where in its repository it lies, as in `pool/main/h/hello/hello_1_amd64.deb`. No host: mirrors differ.
    pub path: Option<String>,
    /// The repository.
    pub repository: Option<Repository>,
}

/// An apt repository, by what its Release file says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// `Origin`, as in `Debian`.
    pub origin: Option<String>,
    /// The suite as it was asked for, as in `bookworm-security`.
    pub suite: String,
}

/// Something that a package needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// A package of the inventory.
    Package(usize),
    /// None of the packages of the inventory: the relation as its record has it.
    Missing(String),
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: ImagePath,
    /// Bytes.
    pub size: u64,
    /// Its digests.
    pub digests: Digests,
    /// Whether its mode lets anybody run it.
    pub is_executable: bool,
    /// The layer that it is in.
    pub layer: Option<usize>,
    /// What brought it.
    pub owner: Owner,
}

/// What brought a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A package of the inventory.
    Package {
        /// Its number.
        number: usize,
        /// Whether it is one of its configuration files.
        is_conffile: bool,
    },
    /// The recipe: a team's own file, a component by itself.
    Recipe,
    /// The build: accounts, a bundle of certificates, records.
    Generated,
    /// Nothing says.
    Unknown,
}

impl Inventory {
    /// The files of a package, by path.
    pub fn files_of(&self, package: usize) -> impl Iterator<Item = &File> {
        let owned = move |file: &&File| matches!(file.owner, Owner::Package { number, .. } if number == package);
        self.files.iter().filter(owned)
    }

    /// The team's own files, by path.
    pub fn own_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.owner == Owner::Recipe)
    }
}

impl Package {
    /// A package of which no more than this is known.
    #[must_use]
    pub fn new(kind: PackageKind, name: impl Into<String>, version: Option<String>) -> Self {
        Self {
            kind,
            namespace: None,
            name: name.into(),
            version,
            architecture: None,
            source: None,
            built_using: Vec::new(),
            maintainer: None,
            supplier: None,
            homepage: None,
            summary: None,
            description: None,
            section: None,
            priority: None,
            licences: Licences::default(),
            artefact: None,
            layer: None,
            locations: Vec::new(),
            dependencies: Vec::new(),
            part_of: None,
        }
    }

    /// What packages are sorted by.
    #[must_use]
    pub fn key(&self) -> impl Ord + '_ {
        (
            &self.kind,
            self.namespace.as_deref(),
            &self.name,
            self.version.as_deref(),
            self.architecture.as_deref(),
            &self.locations,
        )
    }
}

impl System {
    /// The value of the qualifier `distro` in package URLs: `debian-12`, or `debian-sid` where the release has no number.
    #[must_use]
    pub fn distro(&self) -> Option<String> {
        let release = self.version_id.as_deref().or(self.codename.as_deref())?;
        Some(format!("{}-{release}", self.id))
    }

    /// Reads `os-release`: lines of `KEY=value`, quoted or not. None without an `ID`.
    ///
    /// See [os-release(5)](https://www.freedesktop.org/software/systemd/man/latest/os-release.html).
    #[must_use]
    pub fn parse(os_release: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(os_release);
        let mut values: BTreeMap<&str, String> = BTreeMap::new();
        for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
            let value = value.trim();
            let quoted = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
            let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
            values.insert(key, value.replace("\\\"", "\"").replace("\\\\", "\\"));
        }
        let mut take = |key| values.remove(key).filter(|value| !value.is_empty());
        Some(Self {
            id: take("ID")?,
            version_id: take("VERSION_ID"),
            codename: take("VERSION_CODENAME"),
            pretty_name: take("PRETTY_NAME"),
        })
    }
}

impl PackageKind {
    /// The kind that a type of package URL stands for.
    #[must_use]
    pub fn of(purl_type: &str) -> Self {
        let known = [Self::Deb, Self::Golang, Self::Cargo, Self::Pypi, Self::Maven, Self::Npm];
        let named = known.into_iter().find(|kind| kind.as_str() == purl_type);
        named.unwrap_or_else(|| Self::Other(purl_type.to_owned()))
    }

    /// The type of its package URL, as in `deb`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Deb => "deb",
            Self::Golang => "golang",
            Self::Cargo => "cargo",
            Self::Pypi => "pypi",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Agent {
    /// Reads `Name <address>` as Debian's `Maintainer` has it; what is not written so is all name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, mail) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, mail)) => (name.trim(), Some(mail.trim())),
            None => (text, None),
        };
        let mail =
            mail.filter(|mail| mail.contains('@') && !mail.contains(|c: char| c.is_whitespace() || c.is_control()));
        let name = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(name);
        let name = if name.is_empty() { mail? } else { name };
        Some(Self { name: name.to_owned(), contact: mail.map(|m| Contact::Mail(m.to_owned())), is_person: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_without_a_number_is_named_by_its_codename() {
        let stable = System::parse(b"ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n").unwrap();
        assert_eq!(stable.distro().unwrap(), "debian-12");
        let sid =
            System::parse(b"PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nID=debian\nVERSION_CODENAME=sid\n").unwrap();
        assert_eq!(sid.distro().unwrap(), "debian-sid");
        assert_eq!(System::parse(b"NAME=x\n"), None);
    }

    #[test]
    fn maintainers_are_names_with_addresses() {
        let agent = Agent::parse("Team \"A\" <a@example.org>").unwrap();
        assert_eq!((agent.name.as_str(), agent.contact), ("Team \"A\"", Some(Contact::Mail("a@example.org".into()))));
        assert_eq!(Agent::parse("just a name").unwrap().contact, None);
        assert_eq!(Agent::parse(" "), None);
    }
}
