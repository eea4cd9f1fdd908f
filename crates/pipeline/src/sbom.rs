//! `sbom`: what is in an image, as a document.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use distil_imgcore::{Artifact, Digest, ImagePath, MediaType, Reference, statement};
use distil_sbom::table::{FileRow, LicenceRow, PackageRow, Table};
use distil_sbom::{About, Agent, Format, Inventory};
use schemars::JsonSchema;
use serde::Serialize;

use crate::build::in_statement;
use crate::describe::scan;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};

/// What is asked of an image.
#[derive(Debug)]
pub struct SbomRequest<'a> {
    /// The image.
    pub reference: &'a Reference,
    /// Of an image for several platforms, the one that is meant.
    pub platform: Choice<'a>,
    /// What the description is to be made from.
    pub source: SbomSource,
    /// Who answers for a document that is made now.
    pub author: Option<Agent>,
    /// Whether SPDX documents list every file.
    pub files: bool,
    /// How many threads work. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The machine and the network, for images in registries.
    pub machine: &'a Machine,
}

/// What a description is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SbomSource {
    /// The build's own description, where it is attached to the image, or else the image itself.
    #[default]
    Best,
    /// The build's own description.
    Attached,
    /// The files of the image, whatever is attached to it.
    Image,
}

/// What was described.
#[derive(Debug, Clone, PartialEq)]
pub struct SbomForm {
    /// The digest of the image's manifest.
    pub image: Digest,
    /// The document of the build that was used; none where the image itself was looked through.
    pub attached: Option<Digest>,
    /// Records of packages that are broken, so that packages may be missing.
    pub unreadable: Vec<ImagePath>,
}

/// Describes an image: writes a document to `out` in a format, or without one gives the rows of a table.
///
/// What the build attached says more than any image can tell: where each package came from, with its digests. It is used
/// where it names this very image. Nothing signs it here: whoever may write beside the image may replace it.
///
/// # Errors
/// [`ReadError`] where the image cannot be read, or where only what is attached was asked for and there is nothing.
pub fn sbom(
    request: &SbomRequest<'_>,
    format: Option<Format>,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<(SbomForm, Option<Table>), ReadError> {
    let named = Named::open(request.reference, &Places::uncancelled(request.machine, progress))?;
    let (_, image) = named.image(request.platform)?;
    let mut form = SbomForm { image: image.digest().clone(), attached: None, unreadable: Vec::new() };
    if request.source != SbomSource::Image {
        if let Some((digest, bytes, inventory)) = attached(&named, image.digest(), format.unwrap_or(Format::Spdx23))? {
            form.attached = Some(digest);
            return match format {
                Some(_) => out.write_all(&bytes).map(|()| (form, None)).map_err(ReadError::Write),
                None => Ok((form, Some(Table::of(&inventory)))),
            };
        }
        if request.source == SbomSource::Attached {
            return Err(ReadError::NotDescribed);
        }
    }
    let (inventory, unreadable) = scan(&image, request.jobs, progress)?;
    form.unreadable = unreadable;
    let Some(format) = format else { return Ok((form, Some(Table::of(&inventory)))) };
    let about = About {
        author: request.author.clone(),
        created: image.config().created().unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        files: request.files && format != Format::CycloneDx16,
    };
    let mut out = io::BufWriter::with_capacity(WRITE_BUFFER, out);
    format.write(&inventory, &about, &mut out).and_then(|()| out.flush()).map_err(ReadError::Write)?;
    Ok((form, None))
}

/// The rows of a table: the JSON document of `sbom`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SbomDocument {
    /// `distil.sbom/v1`.
    pub schema: String,
    /// The digest of the image's manifest.
    pub digest: String,
    /// The digest of the attached document that this was read from; none where the image itself was looked through.
    pub attached: Option<String>,
    /// The packages.
    pub packages: Vec<PackageRow>,
    /// The team's own files.
    pub own_files: Vec<FileRow>,
    /// How many packages have which licence.
    pub licences: Vec<LicenceRow>,
}

impl SbomDocument {
    /// The document of what [`sbom`] found.
    #[must_use]
    pub fn new(form: &SbomForm, table: Table) -> Self {
        let Table { packages, own_files, licences } = table;
        Self {
            schema: "distil.sbom/v1".to_owned(),
            digest: form.image.to_string(),
            attached: form.attached.as_ref().map(ToString::to_string),
            packages,
            own_files,
            licences,
        }
    }
}

const WRITE_BUFFER: usize = 256 << 10;

/// The document in a format that refers to an image and says that it is about it.
fn attached(named: &Named, image: &Digest, format: Format) -> Result<Option<(Digest, Vec<u8>, Inventory)>, ReadError> {
    for referrer in named.store.referrers(image)? {
        let wanted = if in_statement(format) { MediaType::IN_TOTO } else { format.media_type() };
        if referrer.artifact_type().is_none_or(|found| found.as_str() != wanted) {
            continue;
        }
        let artifact = Artifact::read(&named.store, &referrer)?;
        for (blob, content) in artifact.manifest().layers().iter().zip(artifact.blobs()) {
            if blob.size() > MAX_DOCUMENT {
                continue;
            }
            let mut bytes = Vec::new();
            let read = content.open().and_then(|mut content| content.read_to_end(&mut bytes));
            read.map_err(|source| ReadError::Document { digest: blob.digest().clone(), source })?;
            if in_statement(format) {
                let Some(document) = document_of(&bytes, format) else { continue };
                bytes = document;
            }
            // Anybody may attach anything: what cannot be read, or is about something else, is passed over.
            if let Ok((found, inventory)) = distil_sbom::read(&bytes)
                && found == format
                && inventory.image.digest.as_ref() == Some(image)
            {
                return Ok(Some((blob.digest().clone(), bytes, inventory)));
            }
        }
    }
    Ok(None)
}

/// The document that a statement is around.
fn document_of(statement: &[u8], format: Format) -> Option<Vec<u8>> {
    let statement = statement::read(statement).ok()?;
    let document = statement.predicate.filter(|_| statement.predicate_type == format.predicate_type())?;
    Some(document.as_bytes().to_vec())
}

/// Bytes of a document that is read.
const MAX_DOCUMENT: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::testimage;

    #[test]
    fn any_image_is_described_and_nothing_is_believed_that_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let record = testimage::record("aa", "2-1", "Source: ss (1-1)\n");
        let copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
                         Files: *\nCopyright: 2020 A\nLicense: Expat\n";
        let release = "ID=debian\nVERSION_ID=12\n";
        let layers: [&[(&str, &str)]; 2] = [
            &[("usr/lib/os-release", release), ("var/lib/dpkg/status.d/aa", &record)],
            &[("usr/share/doc/aa/copyright", copyright), ("etc/x", "x")],
        ];
        let reference = testimage::write(dir.path(), &["linux/amd64"], &layers);
        let machine = Machine::new(0);
        let request = |source| SbomRequest {
            machine: &machine,
            reference: &reference,
            platform: Choice::First,
            source,
            author: None,
            files: true,
            jobs: NonZeroUsize::MIN,
        };
        let (form, table) = sbom(&request(SbomSource::Best), None, &mut io::sink(), &Silent).unwrap();
        let table = table.unwrap();
        assert_eq!(form.attached, None);
        assert_eq!((table.packages[0].name.as_str(), table.packages[0].licence.as_str()), ("aa", "MIT"));
        assert_eq!(table.packages[0].source, "ss 1-1");
        let document = serde_json::to_value(SbomDocument::new(&form, table)).unwrap();
        let schema = serde_json::from_str(&crate::schema::sbom()).unwrap();
        assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&document));
        for format in Format::ALL {
            let mut bytes = Vec::new();
            assert_eq!(sbom(&request(SbomSource::Image), Some(format), &mut bytes, &Silent).unwrap().1, None);
            let (found, inventory) = distil_sbom::read(&bytes).unwrap();
            assert_eq!((found, inventory.packages.len()), (format, 1));
            assert_eq!(inventory.image.digest, Some(form.image.clone()));
        }
        let attached = sbom(&request(SbomSource::Attached), None, &mut io::sink(), &Silent);
        assert!(matches!(attached, Err(ReadError::NotDescribed)));
    }
}
