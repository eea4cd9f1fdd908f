//! What a build knows about the image that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use distil_aptrepo::lock::{Lock, LockedPlatform, PackageOrigin};
use distil_debunpack::records::Database;
use distil_imgcore::{Entry, EntryKind, FileTree, Image, ImagePath, Node};
use distil_sbom::licence::Analysis;
use distil_sbom::{
    Artefact, BaseImage, Context, Digests, File, Inventory, Owner, Package as Described, Repository, System, debian,
};

use super::assemble::{Assembled, Parts};
use super::error::BuildError;
use super::own::OwnFiles;
use super::plan::Plan;
use super::tree::RECIPE;
use crate::describe::{Belongs, Description, Look, Looking, Pieces, SeenFile, facts, is_os_release, linked, survey};
use crate::package::Package;
use crate::progress::Progress;
use crate::recipe::Strategy;
use crate::regular_file;
use crate::shelf::{Converted, Rules, Shelf};

/// The image of one platform, and what it was made of.
pub(super) struct Made<'a> {
    pub(super) assembled: &'a Assembled,
    pub(super) packages: &'a [(&'a Package, &'a Converted)],
    pub(super) plan: &'a Plan,
}

impl Made<'_> {
    /// The inventory of the image.
    pub(super) fn inventory(
        &self,
        parts: &Parts<'_>,
        lock: Option<&Lock>,
        (kept, rules): (&Shelf, Rules<'_>),
        progress: &dyn Progress,
    ) -> Result<Inventory, BuildError> {
        let mut pieces = Pieces { image: facts(&self.assembled.image, Context::Build), ..Pieces::default() };
        let platform = self.assembled.image.platform();
        let base = parts.bases.of(platform);
        let below = base.map_or(0, |base| base.image().layers().len());
        pieces.image.base = base.map(|base| BaseImage {
            name: parts.bases.public_name().map(str::to_owned),
            digest: base.image().digest().clone(),
        });
        let mut descriptions: BTreeMap<&str, (Description, &Package, usize)> = BTreeMap::new();
        for (number, (package, _)) in self.packages.iter().enumerate() {
            let deb = package.sha256().map_err(BuildError::read(package.path()))?;
            // It was made when the package was converted, and can be lost only to somebody who empties the cache meanwhile.
            let description = kept.description(deb, rules).ok_or_else(BuildError::not_described(package.path()))?;
            let layer = self.plan.iter().position(|group| group.contains(&number)).unwrap_or_default();
            descriptions.insert(package.name(), (description, package, below + layer));
        }
        let repositories = repositories(lock, &self.assembled.image);
        for (description, package, layer) in descriptions.values() {
            let mut described = debian::package(package.control());
            described.layer = Some(*layer);
            described.artefact = Some(artefact(package, description, &repositories));
            described.locations.extend(self.assembled.database.record_path(package.control().package()).ok());
            let licences = self.licences(package.name(), &descriptions, &mut described);
            pieces.add_deb(described, package.control().clone(), licences);
            for (path, found) in &description.found {
                for found in found.iter().filter(|_| self.assembled.tree.contains(path)) {
                    pieces.add_found(found, path, Some(*layer), Some(package.name().to_owned()));
                }
            }
        }
        let own_layer = match parts.layers.strategy {
            Strategy::Single => below,
            _ => below + self.plan.len(),
        };
        self.files(parts.own, &descriptions, own_layer, &mut pieces)?;
        for (path, bytes) in &self.assembled.records {
            // One database for all packages is in the layer of the recipe.
            let beside = self.assembled.database == Database::StatusDirectory;
            let layer = path.file_name().filter(|_| beside).and_then(|name| {
                let name = std::str::from_utf8(name).ok()?;
                let name = name.strip_suffix(".md5sums").unwrap_or(name);
                Some(descriptions.get(name)?.2)
            });
            let (size, digests) = (bytes.len() as u64, Digests::of(bytes));
            let (layer, owner) = (layer.or(Some(own_layer)), Owner::Generated);
            let file = File { path: path.clone(), size, digests, is_executable: false, layer, owner };
            pieces.files.push((file, Belongs::ToNone(Owner::Generated)));
        }
        let has_more = below > 0 || !parts.archives.is_empty();
        if has_more {
            self.add_foreign(&descriptions, &mut pieces, parts, progress)?;
        }
        Ok(pieces.join())
    }

    /// The licences of a package by its own copyright file, or by that of the package that its documentation is a link to.
    fn licences<'d>(
        &self,
        name: &str,
        descriptions: &'d BTreeMap<&str, (Description, &Package, usize)>,
        described: &mut Described,
    ) -> Option<&'d Analysis> {
        let folder = ImagePath::from_archive(format!("usr/share/doc/{name}").as_bytes()).ok()?;
        let (path, found) = if let Some(found) = &descriptions.get(name)?.0.licences {
            (folder.join(b"copyright").ok()?, found)
        } else {
            let converted = self.packages.iter().find(|(package, _)| package.name() == name)?.1;
            let EntryKind::Symlink { target } = &converted.fragment.tree().get(&folder)?.entry.kind else {
                return None;
            };
            let other = linked(&folder, target)?;
            let holder = std::str::from_utf8(other.file_name()?).ok()?;
            let found = descriptions.get(holder)?.0.licences.as_ref()?;
            // The link was replaced by a folder with the file in it.
            let path = folder.join(b"copyright").ok().filter(|path| self.assembled.tree.contains(path));
            (path.or_else(|| other.join(b"copyright").ok())?, found)
        };
        if self.assembled.tree.contains(&path) {
            described.locations.push(path);
        }
        Some(found)
    }

    /// Files of packages, own ones, and generated ones.
    fn files(
        &self,
        own: &OwnFiles,
        descriptions: &BTreeMap<&str, (Description, &Package, usize)>,
        own_layer: usize,
        pieces: &mut Pieces,
    ) -> Result<(), BuildError> {
        let conffiles: BTreeMap<&str, &Converted> =
            self.packages.iter().map(|(package, converted)| (package.name(), *converted)).collect();
        for node in self.assembled.tree.iter() {
            let Some(size) = size(&self.assembled.tree, node) else { continue };
            let path = &node.entry.path;
            let Some((description, _, layer)) = descriptions.get(node.origin.as_str()) else { continue };
            let sha1 = node.content.and_then(|content| description.sha1.get(&content).copied());
            let digests = Digests { sha1, sha256: node.content, ..Digests::default() };
            let name = node.origin.as_str().to_owned();
            let is_conffile = conffiles.get(node.origin.as_str()).is_some_and(|c| c.conffiles.contains_key(path));
            let file = described(&node.entry, size, digests, *layer);
            pieces.files.push((file, Belongs::ToPackage { name, is_conffile }));
        }
        for generated in
            self.assembled.generated.iter().filter(|file| matches!(file.entry.kind, EntryKind::File { .. }))
        {
            let (size, digests) = (generated.bytes.len() as u64, Digests::of(&generated.bytes));
            let file = described(&generated.entry, size, digests, own_layer);
            pieces.files.push((file, Belongs::ToNone(Owner::Generated)));
            if is_os_release(&generated.entry.path) && pieces.system.is_none() {
                pieces.system = System::parse(&generated.bytes);
            }
        }
        let in_image =
            |path: &ImagePath| self.assembled.tree.get(path).is_some_and(|node| node.origin.as_str() == RECIPE);
        for input in own.files.iter().filter(|input| in_image(&input.entry.path)) {
            let Some(source) = &input.content else { continue };
            let seen = own_file(source, &input.entry)?;
            let file = described(&input.entry, seen.size, seen.digests, own_layer);
            pieces.files.push((file, Belongs::ToNone(Owner::Recipe)));
            for found in &seen.found {
                pieces.add_found(found, &input.entry.path, Some(own_layer), None);
            }
            if is_os_release(&input.entry.path)
                && let Some(text) = &seen.text
            {
                pieces.system = System::parse(text);
            }
        }
        if pieces.system.is_none() {
            let os_release = descriptions.values().find_map(|(description, ..)| description.system.as_deref());
            pieces.system = os_release.and_then(System::parse);
        }
        Ok(())
    }

    /// What comes from the base and from archives, which no package of the build describes.
    fn add_foreign(
        &self,
        descriptions: &BTreeMap<&str, (Description, &Package, usize)>,
        pieces: &mut Pieces,
        parts: &Parts<'_>,
        progress: &dyn Progress,
    ) -> Result<(), BuildError> {
        let (found, _) = survey(&self.assembled.image, parts.jobs, progress)?;
        if pieces.system.is_none() {
            pieces.system = found.system;
        }
        let is_known = |name: &str| descriptions.contains_key(name);
        let known: BTreeSet<ImagePath> = pieces.files.iter().map(|(file, _)| file.path.clone()).collect();
        pieces.debs.extend(found.debs.into_iter().filter(|(package, _)| !is_known(&package.name)));
        let is_own = |package: &Described| package.locations.iter().any(|path| known.contains(path));
        pieces.found.extend(found.found.into_iter().filter(|(package, _)| !is_own(package)));
        pieces.files.extend(found.files.into_iter().filter(|(file, _)| !known.contains(&file.path)));
        pieces.texts.extend(found.texts);
        Ok(())
    }
}

/// The size of a regular file, also where the path is another name for it.
fn size(tree: &FileTree, node: &Node) -> Option<u64> {
    match &node.entry.kind {
        EntryKind::File { size } => Some(*size),
        EntryKind::Hardlink { target } => match tree.get(target)?.entry.kind {
            EntryKind::File { size } => Some(size),
            _ => None,
        },
        _ => None,
    }
}

fn described(entry: &Entry, size: u64, digests: Digests, layer: usize) -> File {
    File {
        path: entry.path.clone(),
        size,
        digests,
        is_executable: entry.meta.mode & 0o111 != 0,
        layer: Some(layer),
        owner: Owner::Unknown,
    }
}

/// An own file, read for its digests and for what it tells.
fn own_file(path: &Path, entry: &Entry) -> Result<SeenFile, BuildError> {
    let mut look = Look::thorough(entry);
    let file = regular_file::open(path).map_err(BuildError::read(path))?;
    io::copy(&mut Looking { inner: file, look: &mut look }, &mut io::sink()).map_err(BuildError::read(path))?;
    Ok(look.finish())
}

/// The repositories that packages come from, by the package's name.
fn repositories(lock: Option<&Lock>, image: &Image) -> BTreeMap<String, Repository> {
    let Some(lock) = lock else { return BTreeMap::new() };
    let all = std::iter::once(&lock.main).chain(lock.variants.values());
    let mut found = BTreeMap::new();
    for package in all.filter_map(|locked| locked.platforms.get(image.platform())).flat_map(LockedPlatform::packages) {
        if let PackageOrigin::Repository { repository, .. } = package.origin
            && let Some(evidence) = lock.repositories.get(repository)
        {
            let repository = Repository { origin: evidence.origin.clone(), suite: evidence.suite.clone() };
            found.insert(package.sha256.to_string(), repository);
        }
    }
    found
}

fn artefact(package: &Package, description: &Description, repositories: &BTreeMap<String, Repository>) -> Artefact {
    let repository = package.sha256().ok().and_then(|digest| repositories.get(&digest.to_string())).cloned();
    let path = package.path().to_string_lossy();
    let control = package.control();
    let file_name = package.path().file_name().map_or_else(
        || format!("{}_{}_{}.deb", control.package(), control.version(), control.architecture()),
        |name| name.to_string_lossy().into_owned(),
    );
    Artefact {
        file_name,
        size: Some(package.size()),
        digests: description.digests,
        path: repository.is_some().then(|| path.into_owned()),
        repository,
    }
}
