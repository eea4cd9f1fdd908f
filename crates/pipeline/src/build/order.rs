//! What is asked for, with the variant applied and defaults filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::Lock;
use distil_cache::Session;
use distil_debunpack::records::Database;
use distil_imgcore::{Compression, Digest, Packing, Platform, Reference};
use distil_rootfs::Filter;
use distil_sbom::provenance::BaseSigners;

use super::attach::Scribe;
use super::bases::Bases;
use super::convert::Workshop;
use super::error::BuildError;
use super::own::OwnFiles;
use super::plan::{self, Candidate, NoRoom, Plan};
use super::{BuildRequest, Jobs, What, output, record, supply};
use crate::base::Base;
use crate::destination::Names;
use crate::inputs::{self, Input};
use crate::lock::LockError;
use crate::package::Package;
use crate::places::Places;
use crate::recipe::{Attestations, Layers, Recipe, Strategy};
use crate::shelf::{Converted, Rules};

/// What a request comes down to.
pub(super) struct Order<'a> {
    pub(super) tars: Vec<PathBuf>,
    pub(super) recipe: Option<Asked<'a>>,
    pub(super) filter: Option<Filter>,
    pub(super) layers: Layers,
    /// How fragments are compressed.
    pub(super) compression: Compression,
    /// How layers are stored that are made of them.
    pub(super) packing: Packing,
    pub(super) database: Option<Database>,
    pub(super) annotations: BTreeMap<String, String>,
    /// What is said about the image beside it.
    pub(super) attestations: Attestations,
}

/// A recipe and what it names.
pub(super) struct Asked<'a> {
    /// The recipe with the variant applied.
    pub(super) recipe: Cow<'a, Recipe>,
    pub(super) variant: Option<&'a str>,
    pub(super) dir: &'a Path,
    pub(super) files: Vec<Input>,
}

impl<'a> Order<'a> {
    pub(super) fn new(request: &'a BuildRequest<'_>) -> Result<Self, BuildError> {
        let default = Packing::Plain(output::default_compression(&request.outputs));
        match &request.what {
            What::Recipe { recipe, variant, dir, .. } => {
                let recipe = match variant {
                    Some(name) => Cow::Owned(recipe.with_variant(name).map_err(LockError::from)?),
                    None => Cow::Borrowed(&**recipe),
                };
                Ok(Self {
                    tars: Vec::new(),
                    filter: Some(Filter::new(&recipe.filter)?),
                    layers: recipe.layers,
                    compression: recipe.layers.compression.unwrap_or(default).fragments(),
                    packing: recipe.layers.compression.unwrap_or(default),
                    database: recipe.debian.database,
                    annotations: recipe.image.annotations.clone(),
                    attestations: attestations(recipe.attestations.clone(), &request.outputs),
                    recipe: Some(Asked {
                        files: inputs::find(&recipe, dir)?.files,
                        recipe,
                        variant: variant.as_deref(),
                        dir,
                    }),
                })
            }
            What::Packages { tars, .. } => Ok(Self {
                tars: tars.clone(),
                recipe: None,
                filter: None,
                layers: Layers { strategy: Strategy::Package, ..Layers::default() },
                compression: default.fragments(),
                packing: default,
                database: None,
                annotations: BTreeMap::new(),
                attestations: attestations(Attestations::default(), &request.outputs),
            }),
        }
    }

    /// What decides on fragments.
    pub(super) fn rules(&self, clamp: Option<i64>) -> Rules<'_> {
        Rules { compression: self.compression, clamp, fitting: self.filter.as_ref(), describe: self.describes() }
    }

    /// Whether anything is said about the image.
    pub(super) fn describes(&self) -> bool {
        self.attestations.provenance || !self.attestations.sbom.is_empty()
    }

    pub(super) fn scribe<'s>(
        &'s self,
        lock: Option<&'s Lock>,
        (own, signers): (&'s OwnFiles, Option<&'s BaseSigners>),
        jobs: Jobs,
        workshop: Workshop<'s>,
    ) -> Scribe<'s> {
        let asked = self.recipe.as_ref();
        Scribe {
            wanted: &self.attestations,
            recipe: asked.map(|asked| &*asked.recipe),
            variant: asked.and_then(|asked| asked.variant),
            dir: asked.map_or(Path::new(""), |asked| asked.dir),
            lock,
            own,
            signers,
            jobs,
            workshop,
        }
    }

    /// What the images of these platforms start from.
    pub(super) fn bases<'p>(
        &self,
        platforms: impl IntoIterator<Item = &'p Platform>,
        lock: Option<&Lock>,
        places: &Places<'_>,
        session: &Session,
    ) -> Result<Bases, BuildError> {
        let Some(Asked { recipe, dir, .. }) = &self.recipe else { return Ok(Bases::default()) };
        let Some(stated) = &recipe.base else { return Ok(Bases::default()) };
        let locked = lock.and_then(|lock| lock.base.as_ref());
        let digest = locked.and_then(|locked| locked.digest.as_ref());
        let base = Base::open(stated, dir, digest, places, session)?;
        Ok(Bases::read(base, platforms, locked, self.database, places.progress)?)
    }

    /// Which packages share a layer, where no lock says so.
    pub(super) fn plan(&self, packages: &[(&Package, &Converted)]) -> Result<Plan, BuildError> {
        if packages.is_empty() {
            return Ok(Plan::new());
        }
        let room = plan::room(&self.layers, self.tars.len(), self.recipe.is_some());
        let room = room.map_err(|NoRoom { archives, max }| BuildError::Layers { tars: archives, max })?;
        let candidates: Vec<Candidate<'_>> = packages.iter().map(|(package, _)| package.candidate()).collect();
        Ok(plan::plan(&candidates, &self.layers, room))
    }

    /// What becomes of names that another image has.
    pub(super) fn names(&self, request: &BuildRequest<'_>) -> Names {
        let publish = self.recipe.as_ref().map(|asked| asked.recipe.publish).unwrap_or_default();
        Names::of(request.immutable || publish.immutable)
    }

    /// The platforms that a recipe is built for. What is no recipe is for those of its packages.
    pub(super) fn platforms(&self, request: &BuildRequest<'_>) -> Result<Vec<Platform>, BuildError> {
        self.recipe.as_ref().map_or(Ok(Vec::new()), |asked| supply::platforms_of(&asked.recipe, request))
    }

    /// The digest of everything that decides on an image beside its lock.
    pub(super) fn own_digest(&self, own: &OwnFiles) -> Result<Digest, BuildError> {
        let Some(asked) = &self.recipe else { return Ok(Digest::of(b"")) };
        record::own_digest(&asked.recipe, asked.variant, own)
    }

    /// The recipe's own files, with the time of the image.
    pub(super) fn own_files(&self, epoch: i64) -> Result<OwnFiles, BuildError> {
        let Some(Asked { recipe, dir, files, .. }) = &self.recipe else { return Ok(OwnFiles::default()) };
        OwnFiles::new(recipe, files, dir, epoch)
    }
}

/// What is said about an image that goes to these places. A docker archive has no place for it.
fn attestations(wanted: Attestations, outputs: &[Reference]) -> Attestations {
    let docker = |reference: &Reference| matches!(reference, Reference::DockerArchive(_));
    if !wanted.in_index && outputs.iter().all(docker) { Attestations::none() } else { wanted }
}
