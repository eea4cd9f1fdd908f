//! What all documents about an image have in common.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::inventory::{Agent, Inventory};
use crate::{cyclonedx, spdx2, spdx3};

/// What a document says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Who answers for the document. None is written as unknown; some rules want a mail address or URL.
    pub author: Option<Agent>,
    /// The time of the document in seconds since 1970: that of the image, so that the same image gives the same document.
    pub created: i64,
    /// The version of distil.
    pub version: String,
    /// Whether files are listed.
    pub files: bool,
}

/// A format of documents about an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// SPDX 2.3 as JSON.
    Spdx23,
    /// SPDX 3.0.1 as JSON-LD.
    Spdx30,
    /// CycloneDX 1.6 as JSON.
    CycloneDx16,
}

impl Format {
    /// All formats, in the order of documents at an image: readers that take the first one know SPDX 2.3 best.
    pub const ALL: [Self; 3] = [Self::Spdx23, Self::CycloneDx16, Self::Spdx30];

    /// The name in recipes and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spdx23 => "spdx-2.3",
            Self::Spdx30 => "spdx-3.0",
            Self::CycloneDx16 => "cyclonedx-1.6",
        }
    }

    /// The media type of a document.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Spdx23 | Self::Spdx30 => "application/spdx+json",
            Self::CycloneDx16 => "application/vnd.cyclonedx+json",
        }
    }

    /// The type of an in-toto predicate that is such a document.
    #[must_use]
    pub fn predicate_type(self) -> &'static str {
        match self {
            Self::Spdx23 => "https://spdx.dev/Document",
            Self::Spdx30 => "https://spdx.dev/Document/v3",
            Self::CycloneDx16 => "https://cyclonedx.org/bom",
        }
    }

    /// Writes a document in this format.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(self, inventory: &Inventory, about: &About, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Spdx23 => spdx2::write(inventory, about, out),
            Self::Spdx30 => spdx3::write(inventory, about, out),
            Self::CycloneDx16 => cyclonedx::write(inventory, about, out),
        }
    }

    /// A name for a file with such a document.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Spdx23 => "sbom.spdx.json",
            Self::Spdx30 => "sbom.spdx3.json",
            Self::CycloneDx16 => "sbom.cdx.json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No such format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no format of SBOMs is called {0:?}")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}
