//! Components as they come, and the inventory that they make in the end.

use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::ImagePath;
use percent_encoding::percent_decode_str;

use super::raw::{Component, Needs};
use super::{
    MAX_COMPONENTS, MAX_DEPENDENCIES, MAX_DEPTH, MAX_FILES, MAX_PACKAGES, ReadError, each, image, package, within,
};
use crate::cyclonedx::{facts, files, property, refs};
use crate::inventory::{Dependency, File, ImageFacts, Inventory, Owner, Package, PackageKind, System};

/// The part of a document that is within a component, for messages.
const NESTED: &str = "components within a component";

/// What was read up to now.
pub(super) struct Collection {
    image: ImageFacts,
    /// Numbers of layers by their diff ids.
    layers: BTreeMap<String, usize>,
    system: Option<System>,
    distro: Option<System>,
    packages: Vec<Package>,
    /// Numbers of packages by what the document calls them. The first of two with one reference has it.
    refs: BTreeMap<String, usize>,
    needs: Vec<BTreeSet<usize>>,
    files: BTreeMap<ImagePath, File>,
    texts: BTreeMap<String, String>,
    components: usize,
    dependencies: usize,
}

impl Collection {
    pub(super) fn new(image: ImageFacts) -> Self {
        let layers = image.layers.iter().enumerate().map(|(number, layer)| (layer.diff_id.to_string(), number));
        Self {
            layers: layers.collect(),
            image,
            system: None,
            distro: None,
            packages: Vec::new(),
            refs: BTreeMap::new(),
            needs: Vec::new(),
            files: BTreeMap::new(),
            texts: BTreeMap::new(),
            components: 0,
            dependencies: 0,
        }
    }

    /// Takes in what the document is about: a package itself, unless it is an image or a folder.
    pub(super) fn add_subject(&mut self, subject: &Component, text: &str) -> Result<(), ReadError> {
        let number = match subject.purl.known() {
            Some(_) if !matches!(subject.kind.0.as_str(), "container" | "file" | "operating-system") => {
                self.add_package(subject, None)?
            }
            _ => None,
        };
        self.add_nested(subject, text, number, 0)
    }

    /// Takes in a component and those within it, which are in its text.
    pub(super) fn add(
        &mut self,
        component: &Component,
        text: &str,
        parent: Option<usize>,
        depth: usize,
    ) -> Result<(), ReadError> {
        self.components += 1;
        limit(self.components, MAX_COMPONENTS, "components")?;
        let number = match component.kind.0.as_str() {
            "operating-system" => {
                self.system = self.system.take().or_else(|| image::system(component));
                None
            }
            "file" => self.add_file(component, parent).map(|()| None)?,
            "container" => None,
            _ => self.add_package(component, parent)?,
        };
        self.add_nested(component, text, number.or(parent), depth)
    }

    /// Takes in what a component needs.
    pub(super) fn add_needs(&mut self, needs: &Needs) -> Result<(), ReadError> {
        let Some(number) = self.refs.get(&needs.bom_ref.0) else { return Ok(()) };
        let Some(all) = self.needs.get_mut(*number) else { return Ok(()) };
        for needed in needs.depends_on.0.iter().filter_map(|needed| self.refs.get(&needed.0)) {
            if needed != number && all.insert(*needed) {
                self.dependencies += 1;
                limit(self.dependencies, MAX_DEPENDENCIES, "dependencies")?;
            }
        }
        Ok(())
    }

    /// The inventory, with packages and files in their order.
    pub(super) fn finish(mut self) -> Inventory {
        self.split_needs();
        let mut order: Vec<usize> = (0..self.packages.len()).collect();
        let key = |number: &usize| self.packages.get(*number).map(Package::key);
        order.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut positions = vec![0; order.len()];
        for (position, number) in order.iter().enumerate() {
            if let Some(place) = positions.get_mut(*number) {
                *place = position;
            }
        }
        let position = |number: usize| positions.get(number).copied();
        let mut packages: Vec<(usize, Package)> = self
            .packages
            .into_iter()
            .enumerate()
            .map(|(number, package)| (position(number).unwrap_or(number), package))
            .collect();
        packages.sort_by_key(|(position, _)| *position);
        for (_, package) in &mut packages {
            package.part_of = package.part_of.and_then(position);
            for dependency in &mut package.dependencies {
                if let Dependency::Package(number) = dependency {
                    *number = position(*number).unwrap_or(*number);
                }
            }
            package.dependencies.sort();
        }
        let files = self.files.into_values().map(|file| match file.owner {
            Owner::Package { number, is_conffile } => File {
                owner: position(number).map_or(Owner::Unknown, |number| Owner::Package { number, is_conffile }),
                ..file
            },
            _ => file,
        });
        Inventory {
            image: self.image,
            system: self.system.or(self.distro),
            packages: packages.into_iter().map(|(_, package)| package).collect(),
            files: files.collect(),
            licence_texts: self.texts,
        }
    }

    fn add_nested(
        &mut self,
        component: &Component,
        text: &str,
        parent: Option<usize>,
        depth: usize,
    ) -> Result<(), ReadError> {
        if component.components.is_none() {
            return Ok(());
        }
        if depth == MAX_DEPTH {
            return Err(ReadError::TooDeep { limit: MAX_DEPTH });
        }
        let [list] = within(NESTED, text, ["components"])?;
        each(NESTED, list, |nested: Component, text| self.add(&nested, text, parent, depth + 1))
    }

    fn add_package(&mut self, component: &Component, parent: Option<usize>) -> Result<Option<usize>, ReadError> {
        let Some(package) = package::of(component, &mut self.texts) else { return Ok(None) };
        limit(self.packages.len() + 1, MAX_PACKAGES, "packages")?;
        if self.distro.is_none() && package.kind == PackageKind::Deb {
            let purl = component.purl.0.parse::<crate::purl::Purl>().ok();
            self.distro = purl.and_then(|purl| image::system_of_distro(purl.qualifier("distro")?));
        }
        let number = self.packages.len();
        let layer = self.layer(component);
        self.packages.push(Package { layer, part_of: parent, ..package });
        self.needs.push(BTreeSet::new());
        if let Some(name) = component.bom_ref.kept() {
            self.refs.entry(name).or_insert(number);
        }
        Ok(Some(number))
    }

    fn add_file(&mut self, component: &Component, parent: Option<usize>) -> Result<(), ReadError> {
        let Some(path) = path(component) else { return Ok(()) };
        limit(self.files.len() + 1, MAX_FILES, "files")?;
        let properties = &component.properties;
        let owner = match (parent, properties.first(property::OWNER)) {
            (Some(number), _) => {
                Owner::Package { number, is_conffile: properties.first(property::CONFFILE) == Some("true") }
            }
            (None, Some("recipe")) => Owner::Recipe,
            (None, Some("generated")) => Owner::Generated,
            (None, _) => Owner::Unknown,
        };
        let file = File {
            size: properties.first(property::SIZE).and_then(|size| size.parse().ok()).unwrap_or_default(),
            digests: image::digests(component),
            is_executable: properties.first(property::EXECUTABLE) == Some("executable"),
            layer: self.layer(component),
            owner,
            path: path.clone(),
        };
        self.files.entry(path).or_insert(file);
        Ok(())
    }

    fn layer(&self, component: &Component) -> Option<usize> {
        package::layer(component).and_then(|diff_id| self.layers.get(diff_id)).copied()
    }

    /// A package of the system needs others of it. What it needs besides was found in its files.
    fn split_needs(&mut self) {
        let of_system: Vec<bool> = self.packages.iter().map(|package| facts::is_of_system(&package.kind)).collect();
        let is_of_system = |number: usize| of_system.get(number).copied().unwrap_or_default();
        for (number, needs) in std::mem::take(&mut self.needs).into_iter().enumerate() {
            for needed in needs {
                let is_part = is_of_system(number) && !is_of_system(needed);
                match self.packages.get_mut(if is_part { needed } else { number }) {
                    Some(part) if is_part => part.part_of = part.part_of.or(Some(number)),
                    Some(package) => package.dependencies.push(Dependency::Package(needed)),
                    None => {}
                }
            }
        }
    }
}

/// The path of a file: by its reference if that is one of ours, which has bytes that are not UTF-8, or by its name.
fn path(component: &Component) -> Option<ImagePath> {
    let exact = component.bom_ref.0.strip_prefix(refs::FILE).and_then(|text| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        ImagePath::from_absolute(&bytes).ok().filter(|path| files::location(path) == component.name.0)
    });
    let path = exact.or_else(|| ImagePath::from_absolute(component.name.0.as_bytes()).ok())?;
    (!path.is_root()).then_some(path)
}

fn limit(found: usize, limit: usize, what: &'static str) -> Result<(), ReadError> {
    if found > limit { Err(ReadError::TooMany { what, limit }) } else { Ok(()) }
}
