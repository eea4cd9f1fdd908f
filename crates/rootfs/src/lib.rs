//! What the maintainer scripts of Debian packages would have done to a root file system, done natively.
//!
//! The crate takes values and bytes and gives values and bytes. It opens nothing, runs nothing, and never overwrites
//! what a package ships. Two things come before a tree of packages is merged: [`usr_merge`] moves their paths onto a
//! merged `/usr`, and a [`Filter`] says which of them get into the image. The rest comes after, in two steps:
//! [`wanted`] says whose content is needed, [`finish`] makes the missing files.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use distil_imgcore::{Entry, EntryKind, FileTree, ImagePath, Metadata};
//! use distil_imgcore::tree::{Node, Origin};
//! use distil_rootfs::{Accounts, Options, finish, wanted};
//!
//! // A package that ships one certificate.
//! let path = ImagePath::from_absolute(b"/usr/share/ca-certificates/team.crt")?;
//! let entry = Entry { path: path.clone(), kind: EntryKind::File { size: 6 }, meta: Metadata::root(0o644, 0) };
//! let tree = FileTree::from_iter([Node { entry, content: None, origin: Origin::new("team-ca") }]);
//! assert_eq!(wanted(&tree, None).into_iter().collect::<Vec<_>>(), [path.clone()]);
//!
//! let contents = BTreeMap::from([(path, b"a cert".to_vec())]);
//! let finished = finish(&tree, &contents, &Options { accounts: Accounts::new([])?, epoch: 0, base: None })?;
//! let bundle = ImagePath::from_absolute(b"/etc/ssl/certs/ca-certificates.crt")?;
//! let bundle = finished.files.iter().find(|file| file.entry.path == bundle).ok_or("no bundle")?;
//! assert_eq!(bundle.bytes, b"a cert\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it is about |
//! |---|---|
//! | [`usr_merge`] | `/bin`, `/sbin`, `/lib`… as links into `/usr`, and the paths of packages rewritten to match |
//! | [`Filter`] | excluded paths, documentation, languages |
//! | [`Accounts`] | `/etc/passwd`, `/etc/group`, home directories, owners by name |
//! | [`finish`] | all that is generated: the above, base directories, the CA bundle, `nsswitch.conf`, copyright files |

mod account_files;
mod accounts;
mod base;
mod certificates;
mod docs;
mod filter;
mod finish;
mod follow;
mod identity;
mod locale;
mod nsswitch;
mod places;
mod plan;
#[cfg(test)]
mod sample;
pub mod usr_merge;

pub use accounts::{AccountError, Accounts, Owner, User, UserName};
pub use filter::{Docs, Filter, FilterError, FilterRules};
pub use finish::{Error, Finished, Generated, Options, Warning, finish, wanted};
pub use follow::is_directory;
