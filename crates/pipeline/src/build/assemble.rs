//! Fragments and own files to the image of one platform.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use distil_debunpack::records::Database;
use distil_imgcore::tree::Conflict;
use distil_imgcore::{
    Composition, Compression, Escaped, FileTree, Fragment, FragmentWriter, Image, ImageBuilder, ImagePath, Layer,
    LayerSums, Origin, Packing, Platform, Reference, Settings,
};
use distil_rootfs::{Filter, Generated};

use super::Jobs;
use super::bases::Bases;
use super::chunked;
use super::convert::Workshop;
use super::directories::directories;
use super::error::BuildError;
use super::layer_records::{self, AtHand, MadeOf};
use super::own::{self, OwnFiles};
use super::plan::Plan;
use super::records::{self, Form, Record};
use super::settings;
use super::tree::{ImageTree, image_tree};
use crate::base::BaseImage;
use crate::package::Package;
use crate::parallel;
use crate::recipe::{Layers, Recipe, Strategy};
use crate::shelf::{Converted, Rules, Shelf};

/// Something in an image that is unlikely to be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Two packages want one directory with different modes or owners; the first one's stands.
    Directory(Box<Conflict>),
    /// A destination holds this platform and, since it can hold no more, none of the others.
    OnePlatform {
        /// The destination.
        reference: Reference,
    },
    /// The root file system lacks something, or has it in an unusual way.
    Rootfs(distil_rootfs::Warning),
    /// One of these, told by the earlier build that gave the same image.
    Earlier {
        /// What it said.
        text: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(conflict) => write!(f, "{conflict}; the first stands"),
            Self::OnePlatform { reference } => {
                write!(f, "{} holds this platform alone", Escaped(reference.to_string().as_bytes()))
            }
            Self::Rootfs(warning) => warning.fmt(f),
            Self::Earlier { text } => f.write_str(text),
        }
    }
}

/// What an image is made of, the same for all platforms.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) own: &'a OwnFiles,
    /// Layers of the user's, on top of everything.
    pub(super) archives: &'a [Layer],
    pub(super) layers: Layers,
    /// How fragments are compressed.
    pub(super) compression: Compression,
    /// How layers are stored that are made of them.
    pub(super) packing: Packing,
    /// What the recipe says of it.
    pub(super) database: Option<Database>,
    pub(super) recipe: Option<&'a Recipe>,
    /// What is below the image of each platform.
    pub(super) bases: &'a Bases,
    pub(super) annotations: &'a BTreeMap<String, String>,
    /// When it was made, in seconds since 1970.
    pub(super) epoch: i64,
    pub(super) filter: Option<&'a Filter>,
    pub(super) jobs: Jobs,
    /// Whether somebody will describe the image.
    pub(super) describe: bool,
}

/// The image of one platform, and what is in it.
pub(super) struct Assembled {
    pub(super) image: Image,
    pub(super) warnings: Vec<Warning>,
    /// All that packages, own and generated files put into it.
    pub(super) tree: FileTree,
    pub(super) generated: Vec<Generated>,
    /// The files that record packages, where the image is to be described.
    pub(super) records: Vec<(ImagePath, Vec<u8>)>,
    pub(super) database: Database,
}

/// Own and generated files on their way into a layer.
struct Own {
    fragment: Fragment,
    at_hand: AtHand,
}

/// A package on its way into layers.
struct Piece<'a> {
    package: &'a Package,
    fragment: Fragment,
    record: Record,
}

impl Parts<'_> {
    /// Makes the image of one platform out of its packages, given in the order of their names. `plan` says which of them
    /// share a layer.
    pub(super) fn image(
        &self,
        platform: &Platform,
        packages: &[(&Package, &Converted)],
        plan: &Plan,
        workshop: Workshop<'_>,
    ) -> Result<Assembled, BuildError> {
        let base = self.bases.of(platform);
        let database = base.map_or(Ok(self.database.unwrap_or_default()), |base| base.records(self.database))?;
        let form = Form { database, below: base.and_then(BaseImage::status).unwrap_or_default() };
        let mut image = image_tree(platform, packages, base, self.own.tree(), &self.own.wishes)?;
        let mut warnings: Vec<Warning> =
            image.directories.iter().map(|conflict| Warning::Directory(Box::new(conflict.clone()))).collect();
        let generated = self.finish(platform, packages, &mut image, &mut warnings, workshop)?;
        let pieces = parallel::map(self.jobs, packages, |(package, converted)| {
            let fragment = self.fitted(package, converted, &image, workshop)?;
            let record = Record::new(package, converted, &image.tree, &fragment, self.filter.is_some());
            Ok::<_, BuildError>(Piece { package, fragment, record })
        })?;
        let own_left_out = image.left_out.get(&Origin::new(super::tree::RECIPE));
        let own = Own {
            fragment: own::fragment(self.own, own_left_out, &generated, self.compression, workshop)?,
            at_hand: layer_records::own(self.own, &generated),
        };
        let records = self.describe.then(|| self.recorded(&pieces, form)).transpose()?.unwrap_or_default();
        let layers = self.compose(&image.tree, &pieces, plan, form, own, workshop)?;
        let mut builder = ImageBuilder::new(platform.clone(), self.epoch)
            .settings(self.settings(base)?)
            .annotations(self.bases.of_manifest(platform, self.annotations));
        if let Some(base) = base {
            builder = builder.base(base.image());
        }
        for layer in layers.into_iter().chain(self.archives.iter().cloned()) {
            builder = builder.layer(layer);
        }
        Ok(Assembled { image: builder.finish()?, warnings, tree: image.tree, generated, records, database })
    }

    /// The files that record packages.
    fn recorded(&self, pieces: &[Piece<'_>], form: Form<'_>) -> Result<Vec<(ImagePath, Vec<u8>)>, BuildError> {
        let records: Vec<&Record> = pieces.iter().map(|piece| &piece.record).collect();
        Ok(records::files(&records, form, self.epoch)?.into_iter().map(|(entry, bytes)| (entry.path, bytes)).collect())
    }

    /// What a runtime does with the image.
    fn settings(&self, base: Option<&BaseImage>) -> Result<Settings, BuildError> {
        let below = base.map(|base| Settings::of(base.image().config())).transpose()?;
        Ok(self.recipe.map_or_else(settings::of_packages, |recipe| settings::of_recipe(recipe, below)))
    }

    /// Makes what maintainer scripts would have made, and takes out of the tree what that replaces.
    fn finish(
        &self,
        platform: &Platform,
        packages: &[(&Package, &Converted)],
        image: &mut ImageTree,
        warnings: &mut Vec<Warning>,
        workshop: Workshop<'_>,
    ) -> Result<Vec<Generated>, BuildError> {
        let Some(recipe) = self.recipe else { return Ok(Vec::new()) };
        let base = self.bases.of(platform);
        let wanted = distil_rootfs::wanted(&image.tree, base.map(BaseImage::tree));
        let mut contents = self.own.read(&wanted)?;
        if let Some(base) = base {
            let below = |path: &&ImagePath| image.tree.get(path).is_some_and(|node| base.brought(node));
            contents.extend(base.read_files(&wanted.iter().filter(below).cloned().collect(), workshop.progress)?);
        }
        let mut wanted_of: BTreeMap<&str, BTreeSet<ImagePath>> = BTreeMap::new();
        for (node, path) in wanted.iter().filter_map(|path| Some((image.tree.get(path)?, path))) {
            wanted_of.entry(node.origin.as_str()).or_default().insert(path.clone());
        }
        for (package, converted) in packages {
            let Some(mine) = wanted_of.get(package.name()) else { continue };
            let read = workshop.shelf.files(&converted.fragment, mine, own::MAX_READ);
            contents.extend(read.map_err(BuildError::read(package.path()))?);
        }
        let (accounts, base) = (recipe.users.clone(), base.map(BaseImage::tree));
        let options = distil_rootfs::Options { accounts, epoch: self.epoch, base };
        let finished = distil_rootfs::finish(&image.tree, &contents, &options)
            .map_err(|source| BuildError::Rootfs { platform: Box::new(platform.clone()), source })?;
        for path in finished.replaced {
            if let Some(node) = image.tree.remove(&path) {
                image.left_out.entry(node.origin).or_default().insert(path);
            }
        }
        image.tree.extend(own::nodes(&finished.files));
        warnings.extend(finished.warnings.into_iter().map(Warning::Rootfs));
        Ok(finished.files)
    }

    /// A package's fragment without what must not come from it. Only taking out a regular file means reading the package
    /// again.
    fn fitted(
        &self,
        package: &Package,
        converted: &Converted,
        image: &ImageTree,
        workshop: Workshop<'_>,
    ) -> Result<Fragment, BuildError> {
        let fragment = &converted.fragment;
        let Some(paths) = image.left_out.get(&package.origin()) else { return Ok(fragment.clone()) };
        let is_file = |path: &ImagePath| fragment.tree().get(path).is_some_and(|node| node.content.is_some());
        if !paths.iter().any(is_file) {
            return fragment.without(paths, self.compression).map_err(BuildError::Layer);
        }
        let rules =
            Rules { compression: self.compression, clamp: Some(self.epoch), fitting: self.filter, describe: false };
        Ok(package.convert(rules, paths, workshop)?.fragment.clone())
    }

    fn compose(
        &self,
        image: &FileTree,
        pieces: &[Piece<'_>],
        plan: &Plan,
        form: Form<'_>,
        own: Own,
        workshop: Workshop<'_>,
    ) -> Result<Vec<Layer>, BuildError> {
        let one_file = form.database == Database::StatusFile && !pieces.is_empty();
        let has_own = !own.fragment.tree().is_empty() || one_file;
        let single = self.layers.strategy == Strategy::Single;
        let mut groups: Vec<Group<'_, '_>> =
            plan.iter().map(|numbers| Group::new(numbers.iter().filter_map(|i| pieces.get(*i)).collect())).collect();
        if has_own {
            let own = Arc::new(own);
            match groups.first_mut().filter(|_| single) {
                Some(only) => only.own = Some(own),
                None => groups.push(Group { own: Some(own), ..Group::new(Vec::new()) }),
            }
        }
        if let (true, Some(last)) = (one_file, groups.last_mut()) {
            last.recorded = pieces.iter().collect();
        }
        // Several layers are hashed side by side; the stages of one are.
        let threads = if groups.len() > 1 { Jobs::MIN } else { self.jobs };
        parallel::map(self.jobs, &groups, |group| group.layer(image, form, self, (threads, workshop)))
    }
}

/// Fewer bytes of tar are hashed in less time than it takes to write down that they were.
const WORTH_KEEPING: usize = 128 << 10;

/// What comes into one layer.
struct Group<'a, 'p> {
    pieces: Vec<&'a Piece<'p>>,
    own: Option<Arc<Own>>,
    /// Packages that the one database in this layer records.
    recorded: Vec<&'a Piece<'p>>,
}

impl<'a, 'p> Group<'a, 'p> {
    fn new(pieces: Vec<&'a Piece<'p>>) -> Self {
        Self { pieces, own: None, recorded: Vec::new() }
    }

    /// The layer, and nothing of it read where an earlier build made the same.
    fn layer(
        &self,
        image: &FileTree,
        form: Form<'_>,
        parts: &Parts<'_>,
        (threads, workshop): (Jobs, Workshop<'_>),
    ) -> Result<Layer, BuildError> {
        // With own files among them the layer changes with the image anyway.
        let newest = self.pieces.iter().map(|piece| piece.package.head().control_time()).max();
        let time = newest.filter(|_| self.own.is_none()).unwrap_or(parts.epoch).min(parts.epoch);
        let (records, recorded) = self.records(form, parts)?;
        let packages: Vec<&Fragment> = self.pieces.iter().map(|piece| &piece.fragment).collect();
        let others: Vec<&Fragment> =
            std::iter::once(&records).chain(self.own.as_ref().map(|own| &own.fragment)).collect();
        let trees: Vec<&FileTree> = packages.iter().chain(&others).map(|fragment| fragment.tree()).collect();
        let directories = directories(image, &trees, time);
        let layer = match parts.packing {
            Packing::Plain(compression) => {
                let fragments = [&packages[..], &others].concat();
                let composition = Composition::new(fragments, &directories, compression).map_err(BuildError::Layer)?;
                composition.layer(Self::sums(&composition, threads, workshop.shelf)?)
            }
            Packing::Chunked(chunking) => {
                let parts = chunked::Parts { packages: &packages, others: &others, directories: &directories };
                chunked::layer(&parts, chunking, threads, workshop)?
            }
        };
        let at_hand: Vec<&AtHand> =
            std::iter::once(&recorded).chain(self.own.as_ref().map(|own| &own.at_hand)).collect();
        MadeOf { packages: &packages, others: &others, directories: &directories }.keep(
            &layer,
            &at_hand,
            workshop.shelf,
        );
        Ok(layer.with_created_by(&self.created_by()))
    }

    fn sums(composition: &Composition<'_>, threads: Jobs, shelf: &Shelf) -> Result<LayerSums, BuildError> {
        // Most layers are one package, whose hashes came with its fragment. Others have to be looked for, also where that
        // takes longer: sums from an earlier build are what tells when a file has changed since it was written.
        if composition.bytes_behind_known().is_some_and(|bytes| bytes < WORTH_KEEPING) {
            return composition.hash(&[], threads, &mut |_| {}).map_err(BuildError::Layer);
        }
        if let Some(sums) = shelf.sums(composition) {
            return Ok(sums);
        }
        let known = shelf.checkpoints(composition);
        let mut reached = Vec::new();
        let hashed = composition.hash(&known, threads, &mut |checkpoint| reached.push(checkpoint));
        let sums = hashed.map_err(BuildError::Layer)?;
        shelf.keep_checkpoints(composition, known, reached)?;
        shelf.keep_sums(composition, &sums)?;
        Ok(sums)
    }

    /// The files that record the packages of this layer, and their content.
    fn records(&self, form: Form<'_>, parts: &Parts<'_>) -> Result<(Fragment, AtHand), BuildError> {
        let origin = Origin::new("distil");
        let writer = FragmentWriter::new(Vec::new(), parts.compression, origin, Some(parts.epoch));
        let mut writer = writer.map_err(BuildError::Layer)?;
        let records: Vec<&Record> = match form.database {
            Database::StatusDirectory => self.pieces.iter().map(|piece| &piece.record).collect(),
            Database::StatusFile => self.recorded.iter().map(|piece| &piece.record).collect(),
        };
        let mut at_hand = AtHand::new();
        for (entry, bytes) in records::files(&records, form, parts.epoch)? {
            let path = entry.path.clone();
            writer.add(entry, &mut bytes.as_slice()).map_err(BuildError::Layer)?;
            at_hand.insert(path, bytes);
        }
        let (packed, index) = writer.finish().map_err(BuildError::Layer)?;
        Ok((index.with_content(Arc::new(packed)), at_hand))
    }

    fn created_by(&self) -> String {
        let names: Vec<String> = self
            .pieces
            .iter()
            .map(|piece| format!("{} {}", piece.package.name(), piece.package.control().version()))
            .collect();
        match (names.as_slice(), &self.own) {
            ([], _) => "distil: files of the recipe".to_owned(),
            (names, None) => format!("distil: {}", names.join(", ")),
            (names, Some(_)) => format!("distil: {}, files of the recipe", names.join(", ")),
        }
    }
}
