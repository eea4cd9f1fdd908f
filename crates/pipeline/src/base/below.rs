//! The image below for one platform: its files, its packages, and which file is whose.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use distil_cache::Values;
use distil_debunpack::Control;
use distil_debunpack::records::{Database, STATUS_DIRECTORY, STATUS_FILE};
use distil_imgcore::{Entry, EntryKind, FileTree, Image, ImagePath, Metadata, Node, Origin};

use super::error::{BaseError, Name};
use crate::contents::{Contents, Sums};
use crate::packages::{Packages, is_record};
use crate::progress::Progress;
use crate::records::{LayerRecords, is_wanted};

/// Files that are looked at in every build, so that no layer is read a second time for them alone.
const ACCOUNTS: [&[u8]; 4] = [b"etc/passwd", b"etc/group", b"etc/shadow", b"etc/gshadow"];

/// How messages call what belongs to no package of the base.
const NOBODY: &str = "the base";

/// The image that the one of a platform starts from.
#[derive(Debug)]
pub(crate) struct BaseImage {
    image: Image,
    contents: Contents,
    tree: FileTree,
    packages: Vec<Control>,
    /// The packages by the origins that their files have in the tree.
    owners: BTreeMap<Origin, usize>,
    database: Option<Database>,
    name: Name,
}

impl BaseImage {
    /// Reads all layers, each checked against its digests on the way. What a scan asks of them is kept in `cache`, since they
    /// will be layers of the image on top as well.
    pub(super) fn read(image: Image, name: Name, cache: &Values, progress: &dyn Progress) -> Result<Self, BaseError> {
        let keep = |path: &ImagePath| is_record(path) || is_wanted(path) || ACCOUNTS.contains(&path.as_bytes());
        let contents =
            Contents::read_telling(NonZeroUsize::MIN, &image, keep, Sums::Compute, progress, |layer, read| {
                if let Ok(records) = LayerRecords::of(&read.entries, |path| read.kept.get(path).cloned()) {
                    records.keep(cache, layer.diff_id());
                }
            });
        let contents = contents.map_err(|source| name.unreadable(source))?;
        let found = Packages::read(&contents);
        if let Some(path) = found.unreadable.first() {
            return Err(BaseError::Record { path: path.clone() });
        }
        let (tree, origins) = tree(&contents, &found);
        // What is only half there meets no dependency.
        let whole = found.installed.into_iter().filter(|package| package.is_whole);
        let packages: Vec<Control> = whole.map(|package| package.control).collect();
        let number = |name: &str| packages.iter().position(|control| control.package().as_str() == name);
        let owners = origins.into_iter().filter_map(|(name, origin)| Some((origin, number(&name)?))).collect();
        let database = database(&contents, &packages);
        Ok(Self { image, contents, tree, packages, owners, database, name })
    }

    /// The image itself.
    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// Its files. Every directory is there, also where no layer names it; the origins are nobody else's.
    pub(crate) fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// Its packages, by name.
    pub(crate) fn packages(&self) -> &[Control] {
        &self.packages
    }

    /// How packages on top are recorded, where a recipe states a form or leaves it open.
    ///
    /// # Errors
    /// [`BaseError::Database`]: an image has one form or the other.
    pub(crate) fn records(&self, stated: Option<Database>) -> Result<Database, BaseError> {
        match (self.database, stated) {
            (Some(found), Some(asked)) if found != asked => Err(BaseError::Database { found, asked }),
            (found, stated) => Ok(found.or(stated).unwrap_or_default()),
        }
    }

    /// The package that brought what has this origin in a tree.
    pub(crate) fn owner(&self, origin: &Origin) -> Option<&Control> {
        self.packages.get(*self.owners.get(origin)?)
    }

    /// Whether an entry of a tree comes from here.
    pub(crate) fn brought(&self, node: &Node) -> bool {
        self.tree.get(&node.entry.path).is_some_and(|below| below.origin == node.origin)
    }

    /// The one file of all records, where it has that.
    pub(crate) fn status(&self) -> Option<&[u8]> {
        kept(&self.contents, STATUS_FILE)
    }

    /// Reads some of its regular files whole.
    pub(crate) fn read_files(
        &self,
        wanted: &BTreeSet<ImagePath>,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<ImagePath, Vec<u8>>, BaseError> {
        self.contents.files(&self.image, wanted, progress).map_err(|source| self.name.unreadable(source))
    }
}

/// Refuses to add another version of a package than a base has, or that for another architecture.
///
/// # Errors
/// [`BaseError::Version`]
pub(crate) fn check_version(there: &[Control], wanted: &Control) -> Result<(), BaseError> {
    let shown = |control: &Control| format!("{} {}", control.version(), control.architecture());
    let same = |a: &Control, b: &Control| a.version() == b.version() && a.architecture() == b.architecture();
    let mut of_this_name = there.iter().filter(|control| control.package() == wanted.package()).peekable();
    let first = of_this_name.peek().copied();
    match first {
        Some(first) if !of_this_name.any(|control| same(control, wanted)) => {
            Err(BaseError::Version { name: wanted.package().to_string(), found: shown(first), wanted: shown(wanted) })
        }
        _ => Ok(()),
    }
}

/// The content of a file that was kept, as the image shows it.
fn kept<'a>(contents: &'a Contents, name: &str) -> Option<&'a [u8]> {
    let path = ImagePath::from_archive(name.as_bytes()).ok()?;
    let at = contents.entries.get(&path)?;
    contents.kept.get(at.layer)?.get(&path).map(Vec::as_slice)
}

/// The form of the records. Some images with a folder of records have an empty file of the other form, too.
fn database(contents: &Contents, packages: &[Control]) -> Option<Database> {
    if packages.is_empty() {
        return None;
    }
    let folder = ImagePath::from_archive(STATUS_DIRECTORY.as_bytes()).ok()?;
    let in_folder = contents.entries.keys().any(|path| path.parent().as_ref() == Some(&folder) && is_record(path));
    let in_file = kept(contents, STATUS_FILE).is_some_and(|status| !status.trim_ascii().is_empty());
    match (in_file, in_folder) {
        (true, _) => Some(Database::StatusFile),
        (false, true) => Some(Database::StatusDirectory),
        (false, false) => None,
    }
}

/// All files, with the origin of each package that has some.
fn tree(contents: &Contents, packages: &Packages) -> (FileTree, BTreeMap<String, Origin>) {
    let nobody = Origin::new(NOBODY);
    let mut origins: BTreeMap<String, Origin> = BTreeMap::new();
    let mut tree = FileTree::new();
    for (path, at) in &contents.entries {
        let origin = match packages.owner(path, &at.entry.kind, at.layer) {
            None => nobody.clone(),
            Some(name) => match origins.get(name) {
                Some(origin) => origin.clone(),
                // No package has blanks in its name.
                None => origins.entry(name.to_owned()).or_insert(Origin::new(&format!("{name} of the base"))).clone(),
            },
        };
        let content = contents.sums.get(at.layer).and_then(|sums| sums.get(path)).copied();
        tree.insert(Node { entry: at.entry.clone(), content, origin });
    }
    // Unpacking makes the directories above an entry that no layer names.
    let above: BTreeSet<ImagePath> = contents.entries.keys().flat_map(ImagePath::ancestors).collect();
    for path in above.into_iter().filter(|path| !path.is_root()) {
        if !tree.contains(&path) {
            let entry = Entry { path, kind: EntryKind::Directory, meta: Metadata::root(0o755, 0) };
            tree.insert(Node { entry, content: None, origin: nobody.clone() });
        }
    }
    (tree, origins)
}
