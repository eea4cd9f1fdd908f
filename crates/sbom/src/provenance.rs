//! Provenance: what an image was made from, as [SLSA Provenance](https://slsa.dev/spec/v1.0/provenance), version 1.
//!
//! The recipe and its lock are in it whole, and everything else by digest, so that the image can be made again from it
//! alone. It tells no time, no machine and no random number: the same image has the same provenance. What the fields mean
//! to others is said in `docs/provenance.md`.

#[cfg(test)]
mod tests;
mod values;
mod wire;

use std::io::{self, Write};

use distil_imgcore::json::{self, JsonError};
use distil_imgcore::{Escaped, Platform, PlatformError};
use serde::Deserialize;
use serde_json::Value;

use crate::inventory::{BaseImage, Package, SourcePackage, System};
use crate::purl::Purl;

/// The type of the predicate in a [statement](distil_imgcore::statement).
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// What distil's builds are called, and where the page is that says what their parameters mean.
pub const BUILD_TYPE: &str = "https://git.example.org/distil/docs/provenance.md#v1";

/// Who says so: distil, wherever it ran. Who ran it is told by a signature and not by this.
pub const BUILDER: &str = "https://git.example.org/distil";

/// Bytes of a predicate that is read.
pub const MAX_PROVENANCE: usize = 128 << 20;

/// What an image of one platform was made from. Lists are written in the order that they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The recipe. None where the image was asked for on the command line alone.
    pub recipe: Option<Parameter>,
    /// The lock of the recipe.
    pub lock: Option<Parameter>,
    /// The platform that the image is for.
    pub platform: Platform,
    /// The variant of the recipe.
    pub variant: Option<String>,
    /// The signed files of the repositories.
    pub releases: Vec<Release>,
    /// The indices that packages were found in.
    pub indices: Vec<Index>,
    /// The fingerprints of the keys that repositories were trusted by.
    pub keys: Vec<String>,
    /// The image that this one starts from.
    pub base: Option<BaseImage>,
    /// Who must have signed that, where somebody must and it was verified that they have.
    pub base_signers: Option<BaseSigners>,
    /// The packages that were installed.
    pub packages: Vec<Deb>,
    /// The recipe's own files.
    pub files: Vec<OwnFile>,
    /// The version of distil.
    pub version: String,
    /// The time that the image states, in seconds since 1970.
    pub epoch: i64,
    /// Documents that came out of the build beside the image.
    pub byproducts: Vec<Byproduct>,
}

/// Those of whom enough have signed a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSigners {
    /// Each that counts: a key by the SHA-256 of its SPKI, as `sha256:…`, or an identity by its name and issuer.
    pub names: Vec<String>,
    /// How many different ones had to have signed.
    pub threshold: usize,
}

/// A text that somebody outside wrote and that decides what the image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    sha256: [u8; 32],
    text: Option<String>,
}

/// A signed file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The suite as it was asked for.
    pub suite: String,
    /// Who publishes it, as the file says.
    pub origin: Option<String>,
    /// The digest of `InRelease`, or of `Release` where the signature lies beside it.
    pub sha256: [u8; 32],
    /// The digest of `Release.gpg`, where that was the signature.
    pub signature: Option<[u8; 32]>,
    /// The time that the file states, in seconds since 1970.
    pub date: i64,
    /// The fingerprint of the key that signed.
    pub key: String,
    /// A public URL of the very file.
    pub download: Option<String>,
}

/// An index of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The suite as it was asked for.
    pub suite: String,
    /// The path below the suite, as in `main/binary-amd64/Packages.xz`.
    pub path: String,
    /// Its digest.
    pub sha256: [u8; 32],
    /// A public URL of the very file.
    pub download: Option<String>,
}

/// A package that was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deb {
    /// Its package URL.
    pub purl: String,
    /// The name of its file. Of a path, the last part is written: it may be one of the machine.
    pub file_name: String,
    /// Its digest.
    pub sha256: [u8; 32],
    /// Its SHA-512.
    pub sha512: Option<[u8; 64]>,
    /// The suite that it came from, and where in the repository it lies: no host, for mirrors differ. None for one that lay
    /// beside the recipe.
    pub origin: Option<DebOrigin>,
    /// The source package that it was built from.
    pub source: Option<SourcePackage>,
    /// A public URL of the very file.
    pub download: Option<String>,
}

/// Where a package lies in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebOrigin {
    /// The suite as it was asked for.
    pub suite: String,
    /// The path below the repository's URL.
    pub path: String,
}

/// A file of the recipe's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it lies, relative to the recipe. Of an absolute path, the last part is written: the rest is of the machine.
    pub path: String,
    /// Its digest.
    pub sha256: [u8; 32],
}

/// A document that came out of the build beside the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Byproduct {
    /// A name for its file.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub sha256: [u8; 32],
}

/// Why bytes are no provenance of distil's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Not JSON with one meaning.
    #[error("the provenance is not JSON with one meaning")]
    Json(#[from] JsonError),
    /// A field is missing, of another type, or a parameter that this version does not know and thus cannot follow.
    #[error("the provenance is not of the form that distil writes")]
    Form(#[from] serde_json::Error),
    /// Made by another program, or by a newer distil.
    #[error("builds of the type \"{}\" are not known", Escaped(.0.as_bytes()))]
    BuildType(String),
    /// The text of a parameter is not the one that its digest is of.
    #[error("\"{}\" is not the text that its digest is of", Escaped(.0.as_bytes()))]
    Text(String),
    /// The platform is none.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// A dependency lacks what one of its kind must have.
    #[error("dependency {number} has no {field}")]
    Missing {
        /// Its number, from 0.
        number: usize,
        /// What it lacks.
        field: &'static str,
    },
    /// Two images to start from.
    #[error("dependency {0} is a second image to start from")]
    TwoBases(usize),
}

impl Provenance {
    /// Provenance of which no more is known than this.
    #[must_use]
    pub fn new(platform: Platform, version: &str, epoch: i64) -> Self {
        Self {
            recipe: None,
            lock: None,
            platform,
            variant: None,
            releases: Vec::new(),
            indices: Vec::new(),
            keys: Vec::new(),
            base: None,
            base_signers: None,
            packages: Vec::new(),
            files: Vec::new(),
            version: version.to_owned(),
            epoch,
            byproducts: Vec::new(),
        }
    }

    /// Writes the predicate.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        crate::json::write(&wire::Predicate::of(self)?, out)
    }

    /// Reads a predicate that distil wrote. Dependencies of kinds that this version does not know are passed over.
    ///
    /// # Errors
    /// [`ProvenanceError`] for everything else than that, a parameter whose text is not that of its digest among it.
    pub fn read(predicate: &[u8]) -> Result<Self, ProvenanceError> {
        let value = json::parse(predicate, MAX_PROVENANCE)?;
        // Asked first: of another type of build, nothing else is known.
        match value.pointer("/buildDefinition/buildType").and_then(Value::as_str) {
            Some(BUILD_TYPE) | None => wire::Predicate::deserialize(value)?.into_provenance(),
            Some(other) => Err(ProvenanceError::BuildType(other.to_owned())),
        }
    }
}

impl Parameter {
    /// A parameter with its text, so that a build can be made again.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), sha256: values::sha256(text), text: Some(text.to_owned()) }
    }

    /// The same by its digest alone, where the text names what may not be told, such as a host that is not public.
    #[must_use]
    pub fn without_text(self) -> Self {
        Self { text: None, ..self }
    }

    /// The name of its file, without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of the text.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

impl Deb {
    /// A package of an inventory. None where the file that it was installed from is not known by its digest.
    #[must_use]
    pub fn of(package: &Package, system: Option<&System>) -> Option<Self> {
        let artefact = package.artefact.as_ref()?;
        let origin = artefact.repository.as_ref().zip(artefact.path.as_ref());
        Some(Self {
            purl: Purl::of(package, system).to_string(),
            file_name: artefact.file_name.clone(),
            sha256: artefact.digests.sha256?,
            sha512: artefact.digests.sha512,
            origin: origin.map(|(repository, path)| DebOrigin { suite: repository.suite.clone(), path: path.clone() }),
            source: package.source.clone(),
            download: artefact.snapshot(),
        })
    }
}
