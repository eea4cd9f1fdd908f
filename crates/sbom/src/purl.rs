//! Package URLs: one line that names a package in any ecosystem.
//!
//! See the [specification](https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst) and its definitions of
//! [types](https://github.com/package-url/purl-spec/tree/main/types).

mod parse;

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::inventory::{ImageFacts, Package, PackageKind, SourcePackage, System};

pub use parse::PurlError;

/// What stands for itself in every part but the type. Colons do by the specification: `1:2.4`, `sha256:…`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');
/// The vendor of Debian packages where nothing tells of another.
const DEBIAN: &str = "debian";
/// What stands for a name that is missing: the specification has no URL without one.
const UNNAMED: &str = "unnamed";

/// A package URL, such as `pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12`.
///
/// Its parts are kept as they came, decoded; the form that is written is the canonical one of the type, so that one
/// package has one URL: two URLs stand for the same package where they are written alike. Go modules are why: their URLs
/// are in lower case, while the paths that Go knows them by are not.
///
/// ```
/// use distil_sbom::purl::Purl;
/// let purl: Purl = "pkg:DEB/debian/attr@2.4.47-2%2Bb1?epoch=1&arch=amd64".parse()?;
/// assert_eq!((purl.name(), purl.version()), ("attr", Some("1:2.4.47-2+b1")));
/// assert_eq!(purl.to_string(), "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
/// # Ok::<(), distil_sbom::purl::PurlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

impl Purl {
    /// The URL of a package of an image with this operating system.
    #[must_use]
    pub fn of(package: &Package, system: Option<&System>) -> Self {
        let mut purl = Self::new(package.kind.as_str(), &package.name, package.version.as_deref());
        purl.namespace.clone_from(&package.namespace);
        match package.kind {
            PackageKind::Deb => {
                purl.namespace = Some(vendor(package.namespace.as_deref(), system).to_owned());
                purl.qualify("arch", package.architecture.as_deref());
                purl.qualify("distro", system.and_then(System::distro).as_deref());
                purl.qualify("upstream", upstream(package).as_deref());
            }
            // A module's path may have come in one piece. Its URL has the last part as the name.
            PackageKind::Golang => {
                let path = join(package.namespace.as_deref(), &package.name);
                let (namespace, name) = split_path(&path);
                purl.namespace = namespace.map(str::to_owned);
                name.clone_into(&mut purl.name);
                purl.name_release();
            }
            // Every artefact has a group; old ones have their own name for it, which is also what Syft takes where it
            // knows of none.
            PackageKind::Maven => {
                purl.namespace.get_or_insert_with(|| package.name.clone());
            }
            _ => {}
        }
        purl
    }

    /// The URL of a Debian source package.
    #[must_use]
    pub fn of_source(source: &SourcePackage, system: Option<&System>) -> Self {
        let mut purl = Self::new(PackageKind::Deb.as_str(), &source.name, Some(&source.version));
        purl.namespace = Some(vendor(None, system).to_owned());
        purl.qualify("arch", Some("source"));
        purl.qualify("distro", system.and_then(System::distro).as_deref());
        purl
    }

    /// The URL of an image. It names no registry: where the image was or will be pushed is not part of it. Add
    /// `repository_url` and `tag` by [`with_qualifier`](Self::with_qualifier) where they may be told.
    #[must_use]
    pub fn of_image(image: &ImageFacts) -> Self {
        let digest = image.digest.as_ref().map(ToString::to_string);
        let (_, name) = split_path(&image.name);
        let mut purl = Self::new("oci", name, digest.as_deref());
        purl.qualify("arch", image.platform.as_ref().map(distil_imgcore::Platform::architecture));
        purl
    }

    /// A URL with one more qualifier, or another value of it. Keys are letters, digits, `.`, `-` and `_`; one that is not is
    /// left out, and so is an empty value.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        self.qualify(key, Some(value));
        self
    }

    /// The type, as in `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What stands before the name: parts with slashes between them.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version. Of a Debian package it has its epoch, even if that came as a qualifier.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The value of a qualifier.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// What is meant within the package.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    /// The package, as far as its URL tells of it. A subpath of a Go module is part of the module's path, which is how Syft
    /// writes paths of more than three parts.
    #[must_use]
    pub fn to_package(&self) -> Package {
        let kind = PackageKind::of(&self.kind);
        let mut package = Package::new(kind, &self.name, self.version.clone());
        package.namespace.clone_from(&self.namespace);
        match package.kind {
            PackageKind::Deb => {
                package.architecture = self.qualifier("arch").map(str::to_owned);
                package.source = self.upstream();
            }
            PackageKind::Golang => {
                if let Some(below) = &self.subpath {
                    let path = format!("{}/{below}", join(self.namespace(), &self.name));
                    let (namespace, name) = split_path(&path);
                    package.namespace = namespace.map(str::to_owned);
                    name.clone_into(&mut package.name);
                }
            }
            _ => {}
        }
        package
    }

    /// Releases of Go are called `go1.22`, and the standard library in package URLs has the bare number, as vulnerability
    /// databases have it.
    fn name_release(&mut self) {
        if self.namespace.is_none() && self.name == "stdlib" {
            self.version = self.version.take().map(|version| version.trim_start_matches("go").to_owned());
        }
    }

    /// The source package of the qualifier `upstream`, whose version is that of the package unless it has its own.
    fn upstream(&self) -> Option<SourcePackage> {
        let upstream = self.qualifier("upstream")?;
        let (name, version) = match upstream.split_once('@') {
            Some((name, version)) => (name, version),
            None => (upstream, self.version()?),
        };
        Some(SourcePackage { name: name.to_owned(), version: version.to_owned() })
    }

    fn new(kind: &str, name: &str, version: Option<&str>) -> Self {
        let mut kind = kind.to_ascii_lowercase();
        if !parse::is_kind(&kind) {
            "generic".clone_into(&mut kind);
        }
        Self {
            kind,
            namespace: None,
            name: if name.is_empty() { UNNAMED } else { name }.to_owned(),
            version: version.filter(|version| !version.is_empty()).map(str::to_owned),
            qualifiers: BTreeMap::new(),
            subpath: None,
        }
    }

    fn qualify(&mut self, key: &str, value: Option<&str>) {
        let key = key.to_ascii_lowercase();
        if let Some(value) = value.filter(|value| !value.is_empty() && parse::is_key(&key)) {
            self.qualifiers.insert(key, value.to_owned());
        }
    }

    /// How names and namespaces of this type are spelled.
    fn canonical(&self, text: &str) -> String {
        match self.kind.as_str() {
            "deb" | "golang" | "npm" | "oci" => text.to_lowercase(),
            "pypi" => normalised(text),
            _ => text.to_owned(),
        }
    }
}

/// The canonical form.
impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            for part in self.canonical(namespace).split('/').filter(|part| !part.is_empty()) {
                write!(f, "{}/", utf8_percent_encode(part, ENCODED))?;
            }
        }
        write!(f, "{}", utf8_percent_encode(&self.canonical(&self.name), ENCODED))?;
        if let Some(version) = &self.version {
            write!(f, "@{}", utf8_percent_encode(version, ENCODED))?;
        }
        let mut separator = '?';
        for (key, value) in &self.qualifiers {
            write!(f, "{separator}{key}={}", utf8_percent_encode(value, ENCODED))?;
            separator = '&';
        }
        let mut separator = '#';
        for part in self.subpath.iter().flat_map(|path| path.split('/')) {
            write!(f, "{separator}{}", utf8_percent_encode(part, ENCODED))?;
            separator = '/';
        }
        Ok(())
    }
}

/// The name of a Python distribution as all spellings of it have in common.
///
/// See the [rule](https://packaging.python.org/en/latest/specifications/name-normalization/).
fn normalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if matches!(c, '-' | '_' | '.') { '-' } else { c };
        if c != '-' || !out.ends_with('-') {
            out.extend(c.to_lowercase());
        }
    }
    out
}

fn vendor<'a>(namespace: Option<&'a str>, system: Option<&'a System>) -> &'a str {
    let vendor = namespace.or_else(|| system.map(|system| system.id.as_str()));
    vendor.filter(|vendor| !vendor.is_empty()).unwrap_or(DEBIAN)
}

/// The source package where the package itself does not name it already, with its version where that is another one.
fn upstream(package: &Package) -> Option<String> {
    let source = package.source.as_ref()?;
    let version = package.version.as_deref();
    if version.is_some_and(|version| version != source.version) && !source.version.is_empty() {
        return Some(format!("{}@{}", source.name, source.version));
    }
    (source.name != package.name).then(|| source.name.clone())
}

fn join(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

/// The last part of a path and what is before it.
fn split_path(path: &str) -> (Option<&str>, &str) {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((before, last)) => (Some(before), last),
        None => (None, path.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests;
