//! What is said about an image: SBOMs and provenance, beside it and inside its index.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use distil_aptrepo::lock::{Lock, LockedPlatform, PackageOrigin, SignedFile};
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::statement::{self, Subject};
use distil_imgcore::{
    Artifact, Attestation, Blob, Content, Descriptor, Digest, Image, Index, MAX_STATEMENT, MediaType, PREDICATE_TYPE,
    Platform,
};
use distil_sbom::provenance::{self, BaseSigners, Byproduct, Deb, OwnFile, Parameter, Provenance, Release};
use distil_sbom::{About, Format, Inventory, Owner};

use super::Jobs;
use super::convert::Workshop;
use super::error::BuildError;
use super::own::OwnFiles;
use crate::parallel;
use crate::public::Discretion;
use crate::recipe::{Attestations, Recipe};
use crate::spool::MaybeSpool;

/// The version of distil that documents name.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether a document is attached as an in-toto statement around it. SPDX has one media type for all versions, and readers
/// that take the first document of the type, as Trivy does, know version 2 alone.
pub(crate) fn in_statement(format: Format) -> bool {
    format == Format::Spdx30
}

/// Bytes of an SBOM inside an index, so that the statement around it is within bounds, too.
const MAX_INSIDE: u64 = MAX_STATEMENT - (64 << 10);

/// Documents about the image of one platform.
#[derive(Debug)]
pub(super) struct Documents {
    platform: Platform,
    /// SBOMs in the order in which readers should find them.
    sboms: Vec<Sbom>,
    /// A statement with provenance.
    provenance: Option<Document>,
}

/// An SBOM.
#[derive(Debug)]
struct Sbom {
    format: Format,
    document: Document,
    /// The same without its files, where it is too long for a statement inside an index.
    short: Option<Document>,
}

/// A document, written once and read as often as it is stored.
#[derive(Debug, Clone)]
struct Document {
    digest: Digest,
    size: u64,
    content: Arc<dyn Content>,
}

/// What all documents of a build have in common.
pub(super) struct Scribe<'a> {
    pub(super) wanted: &'a Attestations,
    pub(super) recipe: Option<&'a Recipe>,
    pub(super) variant: Option<&'a str>,
    /// Where the recipe is.
    pub(super) dir: &'a Path,
    pub(super) lock: Option<&'a Lock>,
    pub(super) own: &'a OwnFiles,
    /// Who must have signed the base.
    pub(super) signers: Option<&'a BaseSigners>,
    pub(super) jobs: Jobs,
    pub(super) workshop: Workshop<'a>,
}

impl Scribe<'_> {
    /// Writes everything that is wanted about one image.
    pub(super) fn describe(&self, image: &Image, inventory: &Inventory) -> Result<Documents, BuildError> {
        let wanted: Vec<Format> = Format::ALL.into_iter().filter(|f| self.wanted.sbom.contains(f)).collect();
        let created = image.config().created().unwrap_or_default();
        let sboms = parallel::map(self.jobs, &wanted, |format| {
            let about = self.about(*format, created);
            let document = self.sbom(*format, image, inventory, &about)?;
            let too_long = self.wanted.in_index && document.size > MAX_INSIDE;
            let about = About { files: false, ..about };
            let short = too_long.then(|| self.sbom(*format, image, inventory, &about)).transpose()?;
            Ok::<_, BuildError>(Sbom { format: *format, document, short })
        })?;
        let provenance = self.wanted.provenance.then(|| {
            let predicate = self.provenance(image, inventory, &sboms);
            let subjects = [Subject::new("_", image.digest())];
            self.write(&mut |out| {
                statement::write(&subjects, provenance::PREDICATE_TYPE, &mut |out| predicate.write(out), out)
            })
        });
        Ok(Documents { platform: image.platform().clone(), sboms, provenance: provenance.transpose()? })
    }

    fn sbom(
        &self,
        format: Format,
        image: &Image,
        inventory: &Inventory,
        about: &About,
    ) -> Result<Document, BuildError> {
        if !in_statement(format) {
            return self.write(&mut |out| format.write(inventory, about, out));
        }
        let subjects = [Subject::new("_", image.digest())];
        self.write(&mut |out| {
            let mut document = |out: &mut dyn Write| format.write(inventory, about, out);
            statement::write(&subjects, format.predicate_type(), &mut document, out)
        })
    }

    fn about(&self, format: Format, created: i64) -> About {
        About {
            author: self.wanted.author.clone(),
            created,
            version: VERSION.to_owned(),
            // A component for each file makes documents that no reader of CycloneDX asks for.
            files: self.wanted.files && format != Format::CycloneDx16,
        }
    }

    fn write(&self, document: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<Document, BuildError> {
        let mut sink = DigestWriter::new(MaybeSpool::new(self.workshop.session));
        document(&mut sink).map_err(BuildError::Describe)?;
        let (sink, digest, size) = sink.finish();
        Ok(Document { digest, size, content: sink.content().map_err(BuildError::Describe)? })
    }

    fn provenance(&self, image: &Image, inventory: &Inventory, sboms: &[Sbom]) -> Provenance {
        let mut found =
            Provenance::new(image.platform().clone(), VERSION, image.config().created().unwrap_or_default());
        let discretion = self.recipe.map(Discretion::of).unwrap_or_default();
        found.recipe = self.recipe.map(|recipe| Parameter::new("distil.toml", &discretion.told(recipe.text())));
        found.variant = self.variant.map(str::to_owned);
        found.base.clone_from(&inventory.image.base);
        found.base_signers = self.signers.cloned();
        found.packages = inventory.packages.iter().filter_map(|p| Deb::of(p, inventory.system.as_ref())).collect();
        found.byproducts = sboms
            .iter()
            .filter_map(|Sbom { format, document, .. }| {
                let (name, media_type) = (format.file_name().to_owned(), format.media_type().to_owned());
                Some(Byproduct { name, media_type, sha256: *document.digest.as_sha256()? })
            })
            .collect();
        let digests: BTreeMap<_, _> = inventory
            .files
            .iter()
            .filter(|file| file.owner == Owner::Recipe)
            .map(|file| (&file.path, file.digests.sha256))
            .collect();
        for input in &self.own.files {
            let sha256 = digests.get(&input.entry.path).copied().flatten();
            if let (Some(path), Some(sha256)) = (&input.content, sha256) {
                let path = path.strip_prefix(self.dir).unwrap_or(path).to_string_lossy().into_owned();
                found.files.push(OwnFile { path, sha256 });
            }
        }
        if let Some(lock) = self.lock {
            self.evidence(lock, image.platform(), &discretion, &mut found);
        }
        found
    }

    /// What was verified of the repositories that packages of this platform came from.
    fn evidence(&self, lock: &Lock, platform: &Platform, discretion: &Discretion, found: &mut Provenance) {
        let mut lock = lock.clone();
        // What is recorded of the result follows from the rest, and would name this very document's subject.
        lock.main.result = None;
        lock.variants.values_mut().for_each(|variant| variant.result = None);
        found.lock = Some(Parameter::new("distil.lock", &discretion.told(&lock.to_toml())));
        let locked = lock.locked(self.variant).and_then(|locked| locked.platforms.get(platform));
        let packages = locked.map(LockedPlatform::packages).unwrap_or_default();
        for (number, repository) in lock.repositories.iter().enumerate() {
            let is_used = packages.iter().any(|package| {
                matches!(package.origin, PackageOrigin::Repository { repository, .. } if repository == number)
            });
            if !is_used {
                continue;
            }
            let (digest, signature) = match &repository.signed {
                SignedFile::Inline { digest } => (digest, None),
                SignedFile::Detached { release, signature } => (release, signature.as_sha256().copied()),
            };
            let Some(sha256) = digest.as_sha256().copied() else { continue };
            found.releases.push(Release {
                suite: repository.suite.clone(),
                origin: repository.origin.clone(),
                sha256,
                signature,
                date: repository.date.seconds(),
                key: repository.key.to_string().to_lowercase(),
                download: None,
            });
            found.keys.push(repository.primary_key.to_string().to_lowercase());
            for index in &repository.indices {
                let Some(sha256) = index.sha256.as_sha256().copied() else { continue };
                let (suite, path) = (repository.suite.clone(), index.path.clone());
                found.indices.push(provenance::Index { suite, path, sha256, download: None });
            }
        }
        found.keys.sort();
        found.keys.dedup();
    }

    /// The image's index with statements in it, in the form of BuildKit.
    pub(super) fn inside(&self, index: Index, documents: &BTreeMap<Platform, Documents>) -> Result<Index, BuildError> {
        let mut attestations = Vec::new();
        for image in index.images() {
            let Some(documents) = documents.get(image.platform()) else { continue };
            let mut statements = Vec::new();
            for Sbom { format, document, short } in &documents.sboms {
                let document = short.as_ref().unwrap_or(document);
                if in_statement(*format) {
                    statements.push((format.predicate_type(), document.blob()));
                    continue;
                }
                let subjects = [Subject::new("_", image.digest())];
                let whole = self.write(&mut |out| {
                    let mut copy = |out: &mut dyn Write| io::copy(&mut document.content.open()?, out).map(drop);
                    statement::write(&subjects, format.predicate_type(), &mut copy, out)
                })?;
                statements.push((format.predicate_type(), whole.blob()));
            }
            if let Some(provenance) = &documents.provenance {
                statements.push((provenance::PREDICATE_TYPE, provenance.blob()));
            }
            attestations.push(Attestation::new(image, statements)?);
        }
        Ok(index.with_attestations(attestations)?)
    }
}

/// The artifacts that refer to the index and to each of its images.
pub(super) fn artifacts(index: &Index, documents: &BTreeMap<Platform, Documents>) -> Result<Vec<Artifact>, BuildError> {
    let mut artifacts = Vec::new();
    for image in index.images() {
        let Some(documents) = documents.get(image.platform()) else { continue };
        for subject in [image.manifest().descriptor(), index.descriptor()] {
            artifacts.extend(documents.artifacts(subject)?);
        }
    }
    Ok(artifacts)
}

impl Documents {
    fn artifacts(&self, subject: &Descriptor) -> Result<Vec<Artifact>, BuildError> {
        let mut artifacts = Vec::new();
        let mut add = |media_type: &str, document: &Document, title: &str, what: &str, predicate: Option<&str>| {
            let Ok(media_type) = media_type.parse::<MediaType>() else { return Ok(()) };
            let mut annotations = BTreeMap::from([
                ("org.opencontainers.image.title".to_owned(), title.to_owned()),
                (
                    "org.opencontainers.image.description".to_owned(),
                    format!("{what} of the image for {}", self.platform),
                ),
            ]);
            let mut blob = document.blob().with_annotation("org.opencontainers.image.title", title);
            if let Some(predicate) = predicate {
                annotations.insert(PREDICATE_TYPE.to_owned(), predicate.to_owned());
                blob = blob.with_annotation(PREDICATE_TYPE, predicate);
            }
            artifacts.push(Artifact::new(&media_type, blob, subject, &annotations)?);
            Ok::<_, BuildError>(())
        };
        for Sbom { format, document, .. } in &self.sboms {
            let what = format!("SBOM ({format})");
            if in_statement(*format) {
                let title = format!("{}.intoto.json", format.as_str());
                add(MediaType::IN_TOTO, document, &title, &what, Some(format.predicate_type()))?;
            } else {
                add(format.media_type(), document, format.file_name(), &what, None)?;
            }
        }
        if let Some(document) = &self.provenance {
            let predicate = Some(provenance::PREDICATE_TYPE);
            add(MediaType::IN_TOTO, document, "provenance.intoto.json", "Provenance", predicate)?;
        }
        Ok(artifacts)
    }
}

impl Document {
    fn blob(&self) -> Blob {
        Blob::stated(self.digest.clone(), self.size, Arc::clone(&self.content))
    }
}
