//! An inventory from a document.

use std::collections::{BTreeSet, HashMap};

use distil_imgcore::{Digest, Escaped, ImagePath};

use super::document::{Document, Element, FileElement, Text};
use super::file::{self, LAYER};
use super::found::{self, Layers, annotations, digests, said};
use super::identifier::path_of;
use super::link::Links;
use super::role::{Role, purl};
use super::{CODENAME, PLATFORM};
use crate::inventory::{
    BaseImage, Context, Dependency, File, ImageFacts, Inventory, LayerFacts, Owner, Package, System,
};
use crate::time;

/// Bytes of the largest document that is read.
const LARGEST: usize = 256 * 1024 * 1024;
/// No chain of packages within packages is longer.
const DEEPEST: usize = 64;

/// Why a document is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Spdx2Error {
    /// More bytes than a document has.
    #[error("document of {size} bytes is larger than {LARGEST}")]
    TooLarge {
        /// Bytes.
        size: usize,
    },
    /// Not JSON, or not what SPDX has where something is needed.
    #[error("no document of SPDX 2")]
    Json(#[from] serde_json::Error),
    /// Another version of SPDX.
    #[error("version {} of SPDX is not read here", Escaped(.found.as_bytes()))]
    Version {
        /// What the document says.
        found: String,
    },
}

/// Reads a document of SPDX 2.2 or 2.3, as distil, Syft, Trivy and apko write them.
///
/// What stands for a package of the image is found by its package URL. Of two files of one path the first one counts, and
/// layers are known only from documents that list them. Sizes of files are zero, since there is no field for them.
///
/// # Errors
/// [`Spdx2Error`] where the bytes are no such document.
pub fn read(bytes: &[u8]) -> Result<Inventory, Spdx2Error> {
    if bytes.len() > LARGEST {
        return Err(Spdx2Error::TooLarge { size: bytes.len() });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Document<'_> = serde_json::from_slice(bytes)?;
    let version = document.spdx_version.as_str();
    if !version.starts_with("SPDX-2.") {
        return Err(Spdx2Error::Version { found: version.chars().take(100).collect() });
    }
    Ok(inventory(&document))
}

fn inventory(document: &Document<'_>) -> Inventory {
    let roles = Role::all(document);
    let mut all = Inventory { image: image(document, &roles), ..Inventory::default() };
    let layers = Layers::of(&all.image.layers);
    let mut links = Links::of(document, &roles);
    for (element, role) in document.packages.iter().zip(&roles) {
        match role {
            Role::System => all.system = all.system.or_else(|| system(element)),
            Role::Package(purl) => {
                links.packages.entry(element.id.as_str()).or_insert(all.packages.len());
                let purl = purl.as_deref();
                all.packages.push(found::package(element, purl, &layers));
                all.system = all.system.or_else(|| purl.and_then(|purl| distro(purl.qualifier("distro")?)));
            }
            _ => {}
        }
    }
    let creators = document.creation_info.as_ref().map(|info| &info.creators);
    let is_ours = creators.is_some_and(|all| all.iter().any(|creator| creator.as_str().starts_with("Tool: distil-")));
    for element in document.files.iter() {
        if let Some(file) = file(element, is_ours, &layers) {
            links.files.entry(element.id.as_str()).or_insert(all.files.len());
            all.files.push(file);
        }
    }
    links.follow(document, &mut all.packages, &mut all.files);
    for one in document.has_extracted_licensing_infos.iter() {
        if let Some(text) = said(Some(&one.extracted_text)) {
            all.licence_texts.entry(one.license_id.as_str().to_owned()).or_insert(text);
        }
    }
    in_order(&mut all);
    all
}

fn image(document: &Document<'_>, roles: &[Role]) -> ImageFacts {
    let mut facts = ImageFacts { context: Context::Analysis, ..ImageFacts::default() };
    for (element, role) in document.packages.iter().zip(roles) {
        let comment = element.comment.as_ref().map(Text::as_str);
        match role {
            Role::Image => {
                let purl = purl(element, false);
                let version = element.version_info.as_ref().and_then(|text| text.as_str().parse().ok());
                let in_purl = || purl.as_ref()?.version()?.parse().ok();
                let sums = digests(&element.checksums);
                let platform = comment.and_then(|text| text.strip_prefix(PLATFORM)?.parse().ok());
                let in_purl_too = || format!("linux/{}", purl.as_ref()?.qualifier("arch")?).parse().ok();
                element.name.as_str().clone_into(&mut facts.name);
                facts.digest = version.or_else(in_purl).or_else(|| sums.sha256.map(Digest::from_sha256));
                facts.sha512 = sums.sha512;
                facts.platform = platform.or_else(in_purl_too);
                facts.created = element.built_date.as_ref().and_then(|text| time::seconds(text.as_str()));
                let diff_ids =
                    annotations(element).filter_map(|line| line.strip_prefix("DiffID: ")?.trim().parse().ok());
                let layer = |diff_id| LayerFacts { diff_id, digest: None, created_by: None };
                facts.layers.extend(diff_ids.map(layer));
            }
            Role::Layer(diff_id) => facts.layers.push(LayerFacts {
                diff_id: diff_id.clone(),
                digest: digests(&element.checksums).sha256.map(Digest::from_sha256),
                created_by: comment.map(str::to_owned),
            }),
            Role::Base(digest) => {
                let name = Some(element.name.as_str()).filter(|name| name.parse::<Digest>().is_err());
                facts.base = Some(BaseImage { name: name.map(str::to_owned), digest: digest.clone() });
            }
            _ => {}
        }
    }
    facts
}

fn system(element: &Element<'_>) -> Option<System> {
    let id = Some(element.name.as_str()).filter(|name| !name.is_empty() && *name != "unknown" && *name != "none")?;
    let comment = element.comment.as_ref().map_or("", Text::as_str);
    let codename = comment.strip_prefix(CODENAME).map(str::to_owned);
    let version = said(element.version_info.as_ref()).filter(|version| codename.as_ref() != Some(version));
    let pretty_name = said(element.description.as_ref()).filter(|text| text != "Operating System");
    let version_id = version.map(|version| release(id, &version).to_owned());
    Some(System { id: id.to_owned(), version_id, codename, pretty_name })
}

/// The system of the qualifier `distro` of a package URL, as in `debian-12`.
fn distro(value: &str) -> Option<System> {
    let (id, version) = value.split_once('-')?;
    let is_number = version.starts_with(|c: char| c.is_ascii_digit());
    let version_id = is_number.then(|| release(id, version).to_owned());
    let codename = (!is_number).then(|| version.to_owned());
    (!id.is_empty() && !version.is_empty()).then(|| System {
        id: id.to_owned(),
        version_id,
        codename,
        pretty_name: None,
    })
}

/// Trivy has `12.15`, of which only the first part is the release to os-release.
fn release<'v>(id: &str, version: &'v str) -> &'v str {
    if id == "debian" { version.split('.').next().unwrap_or(version) } else { version }
}

fn file(element: &FileElement<'_>, is_ours: bool, layers: &Layers) -> Option<File> {
    let name = element.file_name.as_str();
    // Bytes that are not UTF-8 are in the identifier, and only there.
    let exact = path_of(element.id.as_str()).filter(|path| is_ours && file::name_of(path) == name);
    let path = exact.or_else(|| ImagePath::from_foreign(name.as_bytes()).ok()).filter(|path| !path.is_root())?;
    let comment = element.comment.as_ref().map(Text::as_str);
    // To others every document and image of some type is an application.
    let programs = ["BINARY", if is_ours { "APPLICATION" } else { "BINARY" }];
    Some(File {
        path,
        size: 0,
        digests: digests(&element.checksums),
        is_executable: element.file_types.iter().any(|kind| programs.contains(&kind.as_str())),
        layer: comment.and_then(|text| layers.number(text.strip_prefix(LAYER)?)),
        owner: Owner::Unknown,
    })
}

/// Brings packages and files into the order of the model.
fn in_order(all: &mut Inventory) {
    for package in &mut all.packages {
        let mut seen = BTreeSet::new();
        package.locations.retain(|path| seen.insert(path.clone()));
    }
    let mut numbered: Vec<(usize, Package)> = std::mem::take(&mut all.packages).into_iter().enumerate().collect();
    numbered.sort_by(|(_, a), (_, b)| a.key().cmp(&b.key()));
    let numbers: HashMap<usize, usize> = numbered.iter().enumerate().map(|(new, (old, _))| (*old, new)).collect();
    let renumber = |number: &mut usize| {
        if let Some(new) = numbers.get(number) {
            *number = *new;
        }
    };
    all.packages = numbered.into_iter().map(|(_, package)| package).collect();
    for package in &mut all.packages {
        package.part_of.iter_mut().for_each(renumber);
        for dependency in &mut package.dependencies {
            if let Dependency::Package(number) = dependency {
                renumber(number);
            }
        }
        package.dependencies.sort();
        package.dependencies.dedup();
    }
    for file in &mut all.files {
        if let Owner::Package { number, .. } = &mut file.owner {
            renumber(number);
        }
    }
    break_loops(&mut all.packages);
    all.files.sort_by(|a, b| a.path.cmp(&b.path));
    all.files.dedup_by(|second, first| {
        let same = second.path == first.path;
        if same && first.owner == Owner::Unknown {
            first.owner = second.owner;
        }
        same
    });
}

/// A package that is part of itself by way of others is part of none.
fn break_loops(packages: &mut [Package]) {
    for number in 0..packages.len() {
        let above = |number: &usize| packages.get(*number).and_then(|package| package.part_of);
        let chain: Vec<usize> = std::iter::successors(above(&number), above).take(DEEPEST + 1).collect();
        if (chain.len() > DEEPEST || chain.contains(&number))
            && let Some(package) = packages.get_mut(number)
        {
            package.part_of = None;
        }
    }
}
