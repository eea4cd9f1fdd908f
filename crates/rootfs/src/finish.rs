//! What a tree of packages lacks to be a system, in two steps: what has to be read, and what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use distil_imgcore::{Entry, Escaped, FileTree, ImagePath, Origin, PathError};

use crate::accounts::{Accounts, UserName};
use crate::plan::Plan;
use crate::{account_files, base, certificates, docs, identity, nsswitch};

/// What [`finish`] cannot see from the tree.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The users of the image.
    pub accounts: Accounts,
    /// The time of everything that is generated, in seconds since 1970.
    pub epoch: i64,
    /// The image that the tree starts from, all of it in the tree, too. Its origins are nobody else's.
    pub base: Option<&'a FileTree>,
}

/// What is to be added to a tree, and what is to be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// What was made, sorted by path. Nothing is at the path of an entry of the tree that is not in `replaced`.
    pub files: Vec<Generated>,
    /// Entries of the tree that must not get into the image, sorted.
    pub replaced: Vec<ImagePath>,
    /// What somebody should know, none of it a reason to stop.
    pub warnings: Vec<Warning>,
}

/// A file, link or directory that no package ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// What it is.
    pub entry: Entry,
    /// The content of a file; empty for everything else.
    pub bytes: Vec<u8>,
}

/// Something in a tree that is unlikely to be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A file by which scanners recognise the system is not there, or its link leads nowhere.
    NoIdentity {
        /// The file.
        path: ImagePath,
    },
    /// A file of the tree stays where another one would have been generated.
    Kept {
        /// The file.
        path: ImagePath,
        /// Who brought it.
        origin: Origin,
    },
    /// Something else is in the place of a link of the merged `/usr`.
    NotMerged {
        /// The place.
        path: ImagePath,
        /// Who brought what is there.
        origin: Origin,
    },
    /// A folder of documentation is a link that leads out of the image. It was left out.
    DanglingDocs {
        /// The link.
        path: ImagePath,
        /// Where it leads.
        target: Vec<u8>,
    },
    /// A folder of documentation is a link to one without a copyright file.
    NoCopyright {
        /// The link.
        path: ImagePath,
        /// Where it leads.
        target: Vec<u8>,
    },
    /// A certificate is listed and not there, or has a name that update-ca-certificates could not handle either.
    NoCertificate {
        /// The name, as the list or the directory has it.
        name: Vec<u8>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIdentity { path } => write!(f, "there is no {path}, by which scanners recognise the system"),
            Self::Kept { path, origin } => write!(f, "{path} of {origin} stays as it is, and none is generated"),
            Self::NotMerged { path, origin } => write!(f, "{path} of {origin} is not the link of a merged /usr"),
            Self::DanglingDocs { path, target } => {
                write!(f, "{path} is a link to {}, which is not in the image, and was left out", Escaped(target))
            }
            Self::NoCopyright { path, target } => {
                write!(f, "{path} is a link to {}, which has no copyright file", Escaped(target))
            }
            Self::NoCertificate { name } => {
                write!(f, "certificate {} is not there or has a name that cannot be listed", Escaped(name))
            }
        }
    }
}

/// Why a tree cannot be finished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The content of a file that [`wanted`] names was not handed over.
    #[error("the content of {path} is missing")]
    MissingContent {
        /// The file.
        path: ImagePath,
    },
    /// A generated file would lie below something that is not a directory.
    #[error("{path} cannot be made, since {above} is not a directory")]
    NotADirectory {
        /// The generated file.
        path: ImagePath,
        /// What is in its way.
        above: ImagePath,
    },
    /// A directory holds so many entries, or links to directories, that nobody would wait for the end.
    #[error("{path} has too many entries and links to directories")]
    TooManyEntries {
        /// The directory.
        path: ImagePath,
    },
    /// A user that does not fit those of the image below.
    #[error("user {name} with the number {uid} does not fit the base, which has \"{}\"", Escaped(.found))]
    BaseUser {
        /// The user's name.
        name: UserName,
        /// The user's number.
        uid: u32,
        /// The line that the base has for the name or the number.
        found: Vec<u8>,
    },
    /// A group that does not fit those of the image below.
    #[error("group {name} with the number {gid} does not fit the base, which has \"{}\"", Escaped(.found))]
    BaseGroup {
        /// The group's name.
        name: UserName,
        /// The group's number.
        gid: u32,
        /// The line that the base has for the name.
        found: Vec<u8>,
    },
    /// A generated path that is longer than Linux allows.
    #[error("a generated path is not valid")]
    Path(#[from] PathError),
}

impl Error {
    /// Whether users or files were asked for that do not fit each other.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::BaseUser { .. } | Self::BaseGroup { .. } | Self::NotADirectory { .. })
    }
}

/// The regular files whose content [`finish`] has to be given, all of them in the tree. `base` is what the options say.
#[must_use]
pub fn wanted(tree: &FileTree, base: Option<&FileTree>) -> BTreeSet<ImagePath> {
    let mut wanted = BTreeSet::new();
    account_files::wanted(tree, base, &mut wanted);
    certificates::wanted(tree, base, &mut wanted);
    docs::wanted(tree, base, &mut wanted);
    nsswitch::wanted(tree, &mut wanted);
    wanted
}

/// Makes what maintainer scripts would have made. The tree is that of the whole image with a merged `/usr`, filtered,
/// the recipe's own files in it; what it has is never overwritten. Of an image below, two things may be replaced: its
/// lists of users and groups, which get the lines they lack, and its CA bundle, where there are new certificates.
///
/// # Errors
/// [`Error`]; a tree that was merged without conflicts and comes with all contents gives none but for a home
/// directory, or a directory that packages ship as a link, that is in the way of something generated, and for users that
/// do not fit those of the image below.
pub fn finish(
    tree: &FileTree,
    contents: &BTreeMap<ImagePath, Vec<u8>>,
    options: &Options<'_>,
) -> Result<Finished, Error> {
    let mut plan = Plan::new(tree, contents, options.epoch);
    if let Some(base) = options.base {
        plan = plan.on(base);
    }
    base::add(&mut plan)?;
    account_files::add(&mut plan, &options.accounts)?;
    nsswitch::add(&mut plan)?;
    certificates::add(&mut plan)?;
    docs::add(&mut plan)?;
    identity::check(&mut plan);
    Ok(plan.finish())
}

#[cfg(test)]
mod tests {
    use distil_imgcore::Node;
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::User;
    use crate::places::at;
    use crate::sample;

    fn options(users: impl IntoIterator<Item = User>) -> Options<'static> {
        Options { accounts: Accounts::new(users).unwrap(), epoch: 7, base: None }
    }

    fn contents(tree: &FileTree) -> BTreeMap<ImagePath, Vec<u8>> {
        wanted(tree, None).into_iter().map(|path| (path.clone(), path.as_bytes().to_vec())).collect()
    }

    fn user(home: &str) -> User {
        let home = ImagePath::from_absolute(home.as_bytes()).ok();
        User { name: "app".parse().unwrap(), uid: 1000, gid: None, home, shell: None }
    }

    const TREE: [&str; 7] = [
        "etc/debian_version",
        "etc/os-release -> ../usr/lib/os-release",
        "usr/lib/os-release",
        "usr/share/ca-certificates/a.crt",
        "usr/share/doc/a -> b",
        "usr/share/doc/b/copyright",
        "usr/share/libc-bin/nsswitch.conf",
    ];

    #[test]
    fn a_tree_of_packages_becomes_a_system() {
        let tree = sample::tree(&TREE);
        let finished = finish(&tree, &contents(&tree), &options([user("/srv/app")])).unwrap();
        assert_eq!(finished.warnings, []);
        assert_eq!(finished.replaced, [at("usr/share/doc/a")]);
        let has = |path: &str| finished.files.iter().any(|f| f.entry.path.to_string() == path);
        for path in [
            "/bin",
            "/etc/group",
            "/etc/nsswitch.conf",
            "/etc/passwd",
            "/etc/ssl",
            "/etc/ssl/certs/ca-certificates.crt",
            "/root",
            "/srv",
            "/srv/app",
            "/tmp",
            "/usr/lib/ssl/cert.pem",
            "/usr/share/doc/a/copyright",
        ] {
            assert!(has(path), "{path}");
        }
        let home = finished.files.iter().find(|f| f.entry.path == at("srv/app")).unwrap();
        assert_eq!((home.entry.meta.mode, home.entry.meta.uid), (0o700, 1000));
    }

    #[test]
    fn accounts_of_a_package_stay_with_a_warning() {
        let tree = sample::tree(&["etc/passwd", "etc/os-release", "etc/debian_version", "home/nonroot/"]);
        let finished = finish(&tree, &contents(&tree), &options([])).unwrap();
        assert_eq!(finished.warnings, [Warning::Kept { path: at("etc/passwd"), origin: Origin::new("sample") }]);
        let has = |path| finished.files.iter().any(|f| f.entry.path == at(path));
        assert!(has("etc/group") && !has("etc/passwd") && !has("home/nonroot"));
    }

    #[test]
    fn content_that_was_not_handed_over_is_an_error() {
        let tree = sample::tree(&TREE);
        for path in wanted(&tree, None) {
            let mut contents = contents(&tree);
            contents.remove(&path);
            assert_eq!(finish(&tree, &contents, &options([])), Err(Error::MissingContent { path }));
        }
    }

    #[test]
    fn nothing_is_made_below_a_file_or_link() {
        let tree = sample::tree(&["srv -> data", "data/"]);
        let error = finish(&tree, &BTreeMap::new(), &options([user("/srv/app")])).unwrap_err();
        assert_eq!(error, Error::NotADirectory { path: at("srv/app"), above: at("srv") });
    }

    #[test]
    fn an_image_that_is_whole_already_gets_nothing_more() {
        let tree = sample::tree(&TREE);
        let first = finish(&tree, &contents(&tree), &options([user("/srv/app")])).unwrap();
        let mut whole = tree.clone();
        for path in &first.replaced {
            whole.remove(path);
        }
        let node = |file: &Generated| Node { entry: file.entry.clone(), content: None, origin: Origin::new("base") };
        whole.extend(first.files.iter().map(node));
        let generated: BTreeMap<_, _> =
            first.files.iter().map(|file| (file.entry.path.clone(), file.bytes.clone())).collect();
        let options = Options { base: Some(&whole), ..options([user("/srv/app")]) };
        let again = finish(&whole, &generated, &options).unwrap();
        assert_eq!(again, Finished::default());
    }

    #[test]
    fn a_warning_names_what_it_is_about() {
        let text = Warning::DanglingDocs { path: at("usr/share/doc/a"), target: b"b\x1b".to_vec() }.to_string();
        assert!(text.contains("/usr/share/doc/a") && text.contains("b\\x1b"), "{text}");
    }

    fn any_line() -> impl Strategy<Value = String> {
        let path = "(usr/share/doc|usr/share/ca-certificates|usr/local/share/ca-certificates|etc|usr/lib|var|tmp)/(a|b|run|passwd|ca-certificates\\.conf|ssl)(\\.crt|/copyright)?";
        let end = "(/|| -> (\\.\\./)?[ab](\\.crt)?| -> /usr/share/doc| -> \\.)";
        (path, end).prop_map(|(path, end)| path + &end)
    }

    proptest! {
        #[test]
        fn nothing_of_the_tree_is_overwritten(lines in proptest::collection::vec(any_line(), 0..12)) {
            let tree = sample::tree(&lines);
            let contents = contents(&tree);
            prop_assert!(contents.keys().all(|path| tree.get(path).is_some_and(|n| n.entry.kind.size() == 1)));
            match finish(&tree, &contents, &options([])) {
                Ok(finished) => {
                    prop_assert!(finished.replaced.iter().all(|path| tree.contains(path)));
                    let free = |path: &ImagePath| !tree.contains(path) || finished.replaced.contains(path);
                    prop_assert!(finished.files.iter().all(|f| free(&f.entry.path)));
                    prop_assert!(finished.files.windows(2).all(|two| two[0].entry.path < two[1].entry.path));
                    for file in &finished.files {
                        prop_assert_eq!(file.entry.kind.size(), file.bytes.len() as u64);
                        prop_assert_eq!(file.entry.meta.mtime, 7);
                        let parent = file.entry.path.parent().unwrap();
                        let generated = finished.files.iter().any(|f| f.entry.path == parent && f.entry.kind.is_dir());
                        let shipped = tree.get(&parent).is_some_and(|n| n.entry.kind.is_dir());
                        prop_assert!(parent.is_root() || generated || shipped, "{}", file.entry.path);
                    }
                }
                Err(error) => prop_assert!(matches!(error, Error::NotADirectory { .. }), "{error}"),
            }
        }
    }
}
