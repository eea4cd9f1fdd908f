//! Documents of any known format, told apart by what they say of themselves.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::document::Format;
use crate::inventory::Inventory;
use crate::{cyclonedx, spdx2, spdx3};

/// Why bytes are no document about an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not JSON.
    #[error("the document is not JSON")]
    Json(#[source] serde_json::Error),
    /// None of the formats that are known.
    #[error("the document is neither SPDX nor CycloneDX")]
    Unknown,
    /// Wrong as SPDX 2.
    #[error(transparent)]
    Spdx2(#[from] spdx2::Spdx2Error),
    /// Wrong as SPDX 3.
    #[error(transparent)]
    Spdx3(#[from] spdx3::ReadError),
    /// Wrong as CycloneDX.
    #[error(transparent)]
    CycloneDx(#[from] cyclonedx::ReadError),
}

/// The fields by which formats are told apart.
#[derive(Deserialize)]
struct Marks {
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<IgnoredAny>,
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<IgnoredAny>,
}

/// Reads a document in whichever format it is. A document of another version of a format counts as the nearest one.
///
/// # Errors
/// [`ReadError`].
pub fn read(bytes: &[u8]) -> Result<(Format, Inventory), ReadError> {
    let marks: Marks = serde_json::from_slice(bytes).map_err(ReadError::Json)?;
    if marks.spdx_version.is_some() {
        Ok((Format::Spdx23, spdx2::read(bytes)?))
    } else if marks.bom_format.is_some() {
        Ok((Format::CycloneDx16, cyclonedx::read(bytes)?))
    } else if marks.context.is_some() {
        Ok((Format::Spdx30, spdx3::read(bytes)?))
    } else {
        Err(ReadError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{About, sample};

    #[test]
    fn every_format_is_told_apart() {
        let about = About { author: None, created: 0, version: "1".into(), files: true };
        for format in Format::ALL {
            let mut bytes = Vec::new();
            format.write(&sample::inventory(), &about, &mut bytes).unwrap();
            let (found, inventory) = read(&bytes).unwrap();
            assert_eq!((found, inventory.packages.len()), (format, sample::inventory().packages.len()));
        }
        assert!(matches!(read(b"{}"), Err(ReadError::Unknown)));
        assert!(matches!(read(b"x"), Err(ReadError::Json(_))));
    }
}
