//! Inventories from elements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use distil_imgcore::{DiffId, Digest, ImagePath, Platform};
use jiff::Timestamp;

use super::elements::{Elements, FoundFile, FoundPackage, Key, Kind, Relation};
use super::packages;
use crate::inventory::{
    Artefact, BaseImage, BuiltUsing, Dependency, File, ImageFacts, Inventory, LayerFacts, Owner, Package, PackageKind,
    Repository, System,
};
use crate::spdx3::package::{INFERRED, MISSING};

/// How deep packages may lie within packages.
const MAX_DEPTH: usize = 16;

impl Elements {
    /// Puts together what the elements say. None where more bytes than these would be copied from elements that others share.
    pub(super) fn resolve(self, copies: usize) -> Option<Inventory> {
        let mut resolving = Resolving::new(&self, copies);
        resolving.layers();
        resolving.packages();
        for relation in &self.relations {
            resolving.relation(relation);
        }
        resolving.artefacts();
        resolving.files();
        resolving.image();
        resolving.inventory.licence_texts = self.texts.iter().cloned().collect();
        let Resolving { inventory, copies, .. } = resolving;
        (!copies.is_spent).then_some(inventory)
    }
}

/// How many more bytes may be copied from elements that others share.
pub(super) struct Copies {
    left: usize,
    is_spent: bool,
}

impl Copies {
    /// Takes bytes, if there are so many left.
    pub(super) fn afford(&mut self, bytes: usize) -> Option<()> {
        let left = self.left.checked_sub(bytes);
        self.is_spent |= left.is_none();
        self.left = left.unwrap_or(0);
        left.map(drop)
    }
}

struct Resolving<'e> {
    elements: &'e Elements,
    inventory: Inventory,
    files: HashMap<Key, &'e FoundFile>,
    /// The image, or what else the document is about.
    subject: Option<(Key, &'e FoundPackage)>,
    /// The numbers of packages in the inventory.
    numbers: HashMap<Key, usize>,
    layer_numbers: BTreeMap<DiffId, usize>,
    owners: HashMap<Key, Owner>,
    needed: BTreeSet<(usize, usize)>,
    /// The files that packages and the image came as.
    distributions: Vec<(Key, Key)>,
    /// Files that are in no image: layers, the base image, sources.
    outside: HashSet<Key>,
    copies: Copies,
}

impl<'e> Resolving<'e> {
    fn new(elements: &'e Elements, copies: usize) -> Self {
        let roots: HashSet<Key> = elements.roots.iter().copied().collect();
        let mut about = elements.packages.iter().filter(|(key, _)| roots.contains(key));
        let subject = about.next().filter(|_| about.next().is_none());
        let is_image = |found: &FoundPackage| found.purpose.as_deref() == Some("container") || !found.has_purl;
        let subject = subject.filter(|(_, found)| is_image(found)).map(|(key, found)| (*key, found));
        Self {
            elements,
            inventory: Inventory::default(),
            files: elements.files.iter().map(|(key, file)| (*key, file)).collect(),
            subject,
            numbers: HashMap::new(),
            layer_numbers: BTreeMap::new(),
            owners: HashMap::new(),
            needed: BTreeSet::new(),
            distributions: Vec::new(),
            outside: HashSet::new(),
            copies: Copies { left: copies, is_spent: false },
        }
    }

    fn is_subject(&self, key: Key) -> bool {
        self.subject.is_some_and(|(subject, _)| subject == key)
    }

    fn package(&mut self, key: Key) -> Option<&mut Package> {
        let number = *self.numbers.get(&key)?;
        self.inventory.packages.get_mut(number)
    }

    /// Layers in the order in which our own documents list them.
    fn layers(&mut self) {
        let elements = self.elements;
        let Some((subject, _)) = self.subject else { return };
        let is_listing = |relation: &&Relation| {
            let is_named = relation.comment.as_deref() == Some("layers");
            relation.kind == Kind::Contains && relation.from == subject && is_named
        };
        for key in elements.relations.iter().filter(is_listing).flat_map(|relation| &relation.to) {
            let Some(file) = self.files.get(key).copied() else { continue };
            let Ok(diff_id) = file.name.parse::<DiffId>() else { continue };
            self.outside.insert(*key);
            let number = layer(&mut self.layer_numbers, &mut self.inventory.image.layers, diff_id);
            if let Some(layer) = self.inventory.image.layers.get_mut(number) {
                layer.digest = file.digests.sha256.map(Digest::from_sha256);
                layer.created_by = file.more.as_ref().and_then(|more| more.description.clone());
            }
        }
    }

    fn packages(&mut self) {
        let elements = self.elements;
        let (numbers, layers) = (&mut self.layer_numbers, &mut self.inventory.image.layers);
        let mut named = |name: &str| Some(layer(numbers, layers, name.parse().ok()?));
        let mut all = Vec::new();
        for (key, found) in &elements.packages {
            let is_source =
                found.package.kind == PackageKind::Deb && found.package.architecture.as_deref() == Some("source");
            let is_system = found.purpose.as_deref() == Some("operatingSystem");
            if self.subject.is_none_or(|(subject, _)| subject != *key) && !is_source && !is_system {
                all.push((*key, packages::completed(found, elements, &mut self.copies, &mut named)));
            }
        }
        all.sort_by(|(_, a), (_, b)| a.key().cmp(&b.key()));
        for (number, (key, package)) in all.into_iter().enumerate() {
            self.numbers.insert(key, number);
            self.inventory.packages.push(package);
        }
    }

    fn relation(&mut self, relation: &Relation) {
        match relation.kind {
            Kind::Contains => self.contents(relation),
            Kind::DependsOn => self.dependencies(relation),
            Kind::Declared => {
                let expression = self.elements.expression(&relation.to, &mut self.copies);
                if let Some(package) = self.package(relation.from) {
                    package.licences.declared = package.licences.declared.take().or(expression);
                }
            }
            Kind::Concluded if relation.comment.as_deref() == Some(INFERRED) => {}
            Kind::Concluded => {
                let expression = self.elements.expression(&relation.to, &mut self.copies);
                if let Some(package) = self.package(relation.from) {
                    package.licences.concluded = package.licences.concluded.take().or(expression);
                    let remarks = relation.comment.iter().flat_map(|comment| comment.lines());
                    package.licences.remarks.extend(remarks.map(str::to_owned));
                }
            }
            Kind::DistributedAs => {
                self.distributions.extend(relation.to.iter().map(|file| (relation.from, *file)));
            }
            Kind::Generates => self.sources(relation),
            Kind::DescendantOf => self.base(relation),
        }
    }

    fn contents(&mut self, relation: &Relation) {
        let holder = self.numbers.get(&relation.from).copied();
        let by_image = match relation.comment.as_deref() {
            Some("recipe") => Owner::Recipe,
            Some("generated") => Owner::Generated,
            _ => Owner::Unknown,
        };
        for key in &relation.to {
            if let Some(file) = self.files.get(key) {
                let by_package = |number| Owner::Package { number, is_conffile: file.is_conffile };
                // What a package brought is also in the image.
                let owner = holder.map_or(by_image, by_package);
                let known = self.owners.entry(*key).or_insert(owner);
                *known = owner.min(*known);
            } else if let Some(holder) = holder {
                let within = self.numbers.get(key).copied().filter(|within| *within != holder);
                if let Some(package) = within.and_then(|within| self.inventory.packages.get_mut(within)) {
                    package.part_of.get_or_insert(holder);
                }
            }
        }
    }

    fn dependencies(&mut self, relation: &Relation) {
        let Some(number) = self.numbers.get(&relation.from).copied() else { return };
        let needed = relation.to.iter().filter_map(|key| self.numbers.get(key).copied());
        let needed: Vec<_> = needed.filter(|needed| self.needed.insert((number, *needed))).collect();
        let missing = relation.comment.as_deref().and_then(|comment| comment.strip_prefix(MISSING));
        let missing = missing.into_iter().flat_map(str::lines).filter(|line| !line.is_empty());
        if let Some(package) = self.inventory.packages.get_mut(number) {
            package.dependencies.extend(needed.into_iter().map(Dependency::Package));
            package.dependencies.extend(missing.map(|relation| Dependency::Missing(relation.to_owned())));
        }
    }

    /// The source package that packages were built from, or have code of.
    fn sources(&mut self, relation: &Relation) {
        self.outside.insert(relation.from);
        let Some(file) = self.files.get(&relation.from) else { return };
        let Some(source) = file.more.as_ref().and_then(|more| more.source.as_ref()) else { return };
        for key in &relation.to {
            let number = self.numbers.get(key);
            let Some(package) = number.and_then(|number| self.inventory.packages.get_mut(*number)) else { continue };
            if self.copies.afford(source.name.len() + source.version.len()).is_none() {
                return;
            }
            let is_static = match relation.comment.as_deref() {
                Some("Built-Using") => false,
                Some("Static-Built-Using") => true,
                _ => {
                    package.source = Some(source.clone());
                    continue;
                }
            };
            package.built_using.push(BuiltUsing { source: source.clone(), is_static });
        }
    }

    fn base(&mut self, relation: &Relation) {
        let Some(key) = relation.to.first().filter(|_| self.is_subject(relation.from)) else { return };
        let Some(file) = self.files.get(key) else { return };
        let Some(digest) = file.digests.sha256 else { return };
        self.outside.insert(*key);
        let name = Some(file.name.to_string()).filter(|name| !name.is_empty());
        self.inventory.image.base = Some(BaseImage { name, digest: Digest::from_sha256(digest) });
    }

    /// The files that packages came as. One that a package shares with the package around it is the outer one's alone.
    fn artefacts(&mut self) {
        let archives = self.distributions.iter().filter(|(_, file)| !self.owners.contains_key(file));
        let archives: Vec<_> = archives.copied().collect();
        self.outside.extend(archives.iter().map(|(_, file)| *file));
        let numbered = |(package, file): &(Key, Key)| Some((*self.numbers.get(package)?, *file));
        let by_number: BTreeSet<(usize, Key)> = archives.iter().filter_map(numbered).collect();
        for (number, key) in &by_number {
            let holder = |number: &usize| self.inventory.packages.get(*number).and_then(|package| package.part_of);
            let mut around = std::iter::successors(holder(number), holder).take(MAX_DEPTH);
            if around.any(|holder| holder != *number && by_number.contains(&(holder, *key))) {
                continue;
            }
            let Some(file) = self.files.get(key) else { continue };
            let place = file.more.as_ref().and_then(|more| more.place.clone());
            let (path, repository) = match place {
                Some((path, suite, origin)) => (Some(path), Some(Repository { origin, suite })),
                None => (None, None),
            };
            let path = path.filter(|path| **path != *file.name);
            let file_name = file.name.to_string();
            let artefact = Artefact { file_name, size: None, digests: file.digests, path, repository };
            if let Some(package) = self.inventory.packages.get_mut(*number) {
                package.artefact.get_or_insert(artefact);
            }
        }
    }

    fn files(&mut self) {
        let mut all = Vec::new();
        for (key, found) in &self.elements.files {
            let Ok(path) = ImagePath::from_foreign(found.name.as_bytes()) else { continue };
            if self.outside.contains(key) || path.is_root() {
                continue;
            }
            let owner = self.owners.get(key).copied().unwrap_or(Owner::Unknown);
            let own = found.layer.as_deref().and_then(|name| name.parse().ok());
            let own = own.map(|diff_id| layer(&mut self.layer_numbers, &mut self.inventory.image.layers, diff_id));
            let brought = match owner {
                Owner::Package { number, .. } => self.inventory.packages.get(number).and_then(|package| package.layer),
                _ => None,
            };
            let digests = found.digests;
            let is_executable = found.is_executable;
            // SPDX has no place for the size of a file.
            all.push(File { path, size: 0, digests, is_executable, layer: own.or(brought), owner });
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        // Of files that hide each other in layers, the last one is in the image.
        all.dedup_by(|later, earlier| {
            let is_same = later.path == earlier.path;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        self.inventory.files = all;
    }

    fn image(&mut self) {
        self.inventory.system = self.system();
        let Some((_, found)) = self.subject else { return };
        let mut properties: BTreeMap<String, String> = found.properties.iter().cloned().collect();
        let platform = properties.remove("distil:platform");
        let named = found.package.version.as_deref().and_then(|version| version.parse().ok());
        self.inventory.image = ImageFacts {
            name: found.package.name.clone(),
            digest: named.or(found.digests.sha256.map(Digest::from_sha256)),
            sha512: found.digests.sha512,
            platform: platform.and_then(|platform| platform.parse::<Platform>().ok()),
            layers: std::mem::take(&mut self.inventory.image.layers),
            base: self.inventory.image.base.take(),
            created: found.built.as_deref().and_then(|time| Some(time.parse::<Timestamp>().ok()?.as_second())),
            annotations: properties,
            ..ImageFacts::default()
        };
    }

    fn system(&self) -> Option<System> {
        let own = self.subject.and_then(|(_, found)| found.system());
        let all = || self.elements.packages.iter().map(|(_, found)| found);
        let system =
            || all().filter(|found| found.purpose.as_deref() == Some("operatingSystem")).find_map(FoundPackage::system);
        let by_purl = || all().find_map(|found| of_distro(found.distro.as_deref()?));
        own.or_else(system).or_else(by_purl)
    }
}

/// The number of a layer, which is a new one where nothing has named it yet.
fn layer(numbers: &mut BTreeMap<DiffId, usize>, layers: &mut Vec<LayerFacts>, diff_id: DiffId) -> usize {
    *numbers.entry(diff_id).or_insert_with_key(|diff_id| {
        layers.push(LayerFacts { diff_id: diff_id.clone(), digest: None, created_by: None });
        layers.len() - 1
    })
}

/// The operating system of a package URL's `distro`: `debian-12`, or `debian-sid`.
fn of_distro(distro: &str) -> Option<System> {
    let (id, release) = distro.split_once('-')?;
    let release = Some(release.to_owned()).filter(|release| !release.is_empty());
    let is_number = release.as_deref().is_some_and(|release| release.starts_with(|c: char| c.is_ascii_digit()));
    let (version_id, codename) = if is_number { (release, None) } else { (None, release) };
    Some(System { id: id.to_owned(), version_id, codename, pretty_name: None })
}
