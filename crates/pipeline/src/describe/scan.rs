//! An inventory by looking through a finished image.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use distil_imgcore::tree::ContentSha256;
use distil_imgcore::{EntryKind, Image, ImagePath};
use distil_sbom::catalog::Found;
use distil_sbom::licence::{Analysis, analyse};
use distil_sbom::{Context, File, ImageFacts, Inventory, LayerFacts, Owner, Package, System, debian};
use sha2::{Digest as _, Sha512};

use super::join::{Belongs, Pieces};
use super::look::{SeenFile, copyright_of, is_os_release};
use crate::contents::{Contents, Located, Sums};
use crate::packages::{Packages, is_record};
use crate::parallel;
use crate::progress::Progress;
use crate::read::ReadError;

/// Looks through all layers of an image. Beside the inventory come records of packages that are broken.
pub(crate) fn scan(
    image: &Image,
    jobs: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<(Inventory, Vec<ImagePath>), ReadError> {
    survey(image, jobs, progress).map(|(pieces, unreadable)| (pieces.join(), unreadable))
}

/// The same, before it is put together.
pub(crate) fn survey(
    image: &Image,
    jobs: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<(Pieces, Vec<ImagePath>), ReadError> {
    let contents = Contents::read_on(jobs, image, is_record, Sums::Survey, progress)?;
    let packages = Packages::read(&contents);
    let mut pieces = Pieces { image: facts(image, Context::Analysis), ..Pieces::default() };
    pieces.system = contents.entries.keys().filter(|path| is_os_release(path)).find_map(|path| {
        let text = seen(&contents, path)?.text.as_deref()?;
        System::parse(text)
    });
    add_debs(&mut pieces, &contents, &packages, jobs)?;
    let entries: Vec<(&ImagePath, &Located)> = contents.entries.iter().collect();
    let parts: Vec<&[(&ImagePath, &Located)]> = entries.chunks(AT_ONCE).collect();
    let files = parallel::map(jobs, &parts, |part| {
        Ok::<_, ReadError>(
            part.iter().filter_map(|(path, at)| file(&contents, &packages, path, at)).collect::<Vec<_>>(),
        )
    })?;
    for (file, owner, found) in files.into_iter().flatten() {
        for found in found {
            pieces.add_found(found, &file.path, file.layer, owner.map(str::to_owned));
        }
        let belongs = match owner {
            Some(name) => Belongs::ToPackage { name: name.to_owned(), is_conffile: false },
            None => Belongs::ToNone(Owner::Unknown),
        };
        pieces.files.push((file, belongs));
    }
    Ok((pieces, packages.unreadable))
}

/// The Debian packages alone, each with what its copyright file says.
pub(crate) fn debs(contents: &Contents, packages: &Packages, jobs: NonZeroUsize) -> Result<Vec<Package>, ReadError> {
    let mut pieces = Pieces::default();
    add_debs(&mut pieces, contents, packages, jobs)?;
    Ok(pieces.debs.into_iter().map(|(package, _)| package).collect())
}

/// Files that a thread looks up before it takes the next ones.
const AT_ONCE: usize = 1024;

/// Adds the Debian packages, each with what its copyright file says.
fn add_debs(
    pieces: &mut Pieces,
    contents: &Contents,
    packages: &Packages,
    jobs: NonZeroUsize,
) -> Result<(), ReadError> {
    let sources: BTreeMap<&str, &str> = packages
        .installed
        .iter()
        .map(|found| (found.control.package().as_str(), found.control.source().name.as_str()))
        .collect();
    let mut texts: BTreeMap<Text<'_>, &[u8]> = BTreeMap::new();
    let mut debs = Vec::with_capacity(packages.installed.len());
    for found in &packages.installed {
        let mut package = debian::package(&found.control);
        package.layer = Some(found.layer);
        package.locations.push(found.record.clone());
        let copyright = copyright(contents, found.control.package().as_str());
        let text = copyright.and_then(|(path, seen)| {
            let holder = copyright_of(&path).map(str::to_owned);
            package.locations.push(path);
            let holder = holder?;
            let (bytes, source) = (seen.text.as_deref()?, sources.get(holder.as_str()));
            let text =
                Text { sha256: seen.digests.sha256?, source: source.map_or(Cow::Owned(holder), |s| Cow::Borrowed(*s)) };
            texts.insert(text.clone(), bytes);
            Some(text)
        });
        debs.push((package, &found.control, text));
    }
    // The largest first, so that no thread ends with it alone.
    let mut texts: Vec<(Text<'_>, &[u8])> = texts.into_iter().collect();
    texts.sort_by_key(|(_, bytes)| Reverse(bytes.len()));
    let analyses = parallel::map(jobs, &texts, |(text, bytes)| Ok::<_, ReadError>(analyse(bytes, &text.source)))?;
    let analyses: BTreeMap<&Text<'_>, Analysis> = texts.iter().map(|(text, _)| text).zip(analyses).collect();
    for (package, control, text) in debs {
        pieces.add_deb(package, control.clone(), text.and_then(|text| analyses.get(&text)));
    }
    Ok(())
}

/// What decides what a copyright file says: packages of one source have mostly the same, and that is read once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a> {
    sha256: ContentSha256,
    source: Cow<'a, str>,
}

/// A regular file, the package that it belongs to, and the packages that it tells of.
fn file<'a>(
    contents: &'a Contents,
    packages: &'a Packages,
    path: &ImagePath,
    at: &Located,
) -> Option<(File, Option<&'a str>, &'a [Found])> {
    let (size, seen) = regular(contents, path, at)?;
    let found = if matches!(at.entry.kind, EntryKind::File { .. }) { seen.found.as_slice() } else { &[] };
    let file = File {
        path: path.clone(),
        size,
        digests: seen.digests,
        is_executable: at.entry.meta.mode & 0o111 != 0,
        layer: Some(at.layer),
        owner: Owner::Unknown,
    };
    Some((file, packages.owner(path, &at.entry.kind, at.layer), found))
}

/// What an image says of itself without its layers being read.
pub(crate) fn facts(image: &Image, context: Context) -> ImageFacts {
    let annotations = image.manifest().annotations().clone();
    let title = annotations.get("org.opencontainers.image.title");
    let layers = image.layers().iter().map(|layer| LayerFacts {
        diff_id: layer.diff_id().clone(),
        digest: Some(layer.digest().clone()),
        created_by: Some(layer.created_by().to_owned()).filter(|text| !text.is_empty()),
    });
    ImageFacts {
        name: title.cloned().unwrap_or_else(|| "image".to_owned()),
        digest: Some(image.digest().clone()),
        sha512: Some(Sha512::digest(image.manifest().bytes()).into()),
        platform: Some(image.platform().clone()),
        layers: layers.collect(),
        base: None,
        created: image.config().created(),
        annotations,
        context,
    }
}

fn seen<'a>(contents: &'a Contents, path: &ImagePath) -> Option<&'a SeenFile> {
    let at = contents.entries.get(path)?;
    contents.seen.get(at.layer)?.get(path)
}

/// The size of a regular file and what it told, also where the path is another name for it.
fn regular<'a>(contents: &'a Contents, path: &ImagePath, at: &Located) -> Option<(u64, &'a SeenFile)> {
    let seen = contents.seen.get(at.layer)?;
    match &at.entry.kind {
        EntryKind::File { size } => Some((*size, seen.get(path)?)),
        EntryKind::Hardlink { target } => Some((seen.get(target)?.size, seen.get(target)?)),
        _ => None,
    }
}

/// The copyright file of a package, whose folder may be a link to that of another one.
fn copyright<'a>(contents: &'a Contents, package: &str) -> Option<(ImagePath, &'a SeenFile)> {
    let folder = ImagePath::from_archive(format!("usr/share/doc/{package}").as_bytes()).ok()?;
    // Layers need not name the folders of their files.
    let folder = match contents.entries.get(&folder).map(|at| &at.entry.kind) {
        Some(EntryKind::Symlink { target }) => linked(&folder, target)?,
        _ => folder,
    };
    let path = folder.join(b"copyright").ok()?;
    let seen = seen(contents, &path)?;
    Some((path, seen))
}

/// Where a link beside other folders leads, if it is to one of them.
pub(crate) fn linked(folder: &ImagePath, target: &[u8]) -> Option<ImagePath> {
    let name = target.strip_prefix(b"/usr/share/doc/").unwrap_or(target);
    if name.contains(&b'/') { None } else { folder.parent()?.join(name).ok() }
}
