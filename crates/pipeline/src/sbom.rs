//! `sbom`: what is in an image, as a document.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use distil_imgcore::{Artifact, Digest, ImagePath, MediaType, Reference};
use distil_sbom::statement;
use distil_sbom::table::Table;
use distil_sbom::{About, Agent, Format, Inventory};

use crate::build::in_statement;
use crate::describe::scan;
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
    let named = Named::open(request.reference)?;
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
    (statement.predicate_type == format.predicate_type()).then(|| statement.predicate.as_bytes().to_vec())
}

/// Bytes of a document that is read.
const MAX_DOCUMENT: u64 = 256 << 20;
