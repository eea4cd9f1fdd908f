//! The paths of an archive so far, and what may follow them.

use std::collections::HashMap;

use super::{Dialect, Fault};
use crate::entry::{Entry, EntryKind, is_whiteout_name};
use crate::path::ImagePath;

/// What the archive has made so far. Directories that nothing stated but that something lies in are there too.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<ImagePath, Kind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Implied,
    Directory {
        mode: u32,
        uid: u32,
        gid: u32,
    },
    File,
    /// A symbolic link, device or pipe.
    Other,
}

impl Table {
    /// Refuses an entry that another reader could put somewhere else or in place of another one: below a link or file,
    /// at a path that is taken, or linked to what is not there.
    pub(super) fn add(&mut self, entry: &Entry, dialect: Dialect) -> Result<(), Fault> {
        for above in entry.path.ancestors() {
            match self.0.get(&above) {
                Some(Kind::File | Kind::Other) => return Err(Fault::BelowNonDirectory(above)),
                // What is there has its own ancestors there.
                Some(Kind::Implied | Kind::Directory { .. }) => break,
                None => {
                    self.0.insert(above, Kind::Implied);
                }
            }
        }
        if let EntryKind::Hardlink { target } = &entry.kind {
            let fits = match self.0.get(target) {
                Some(Kind::File) => true,
                // Builders of images keep every name of a symbolic link or device, and whoever unpacks it follows none.
                Some(Kind::Other) => dialect == Dialect::Foreign,
                // A layer may link to a file of the layer below, which cannot be seen here.
                None => dialect == Dialect::Foreign && !self.is_below_non_directory(target),
                Some(Kind::Implied | Kind::Directory { .. }) => false,
            };
            if !fits || *target == entry.path {
                return Err(Fault::LinkTarget(target.clone()));
            }
        }
        let kind = match &entry.kind {
            EntryKind::Directory => Kind::Directory { mode: entry.meta.mode, uid: entry.meta.uid, gid: entry.meta.gid },
            EntryKind::File { .. } | EntryKind::Hardlink { .. } => Kind::File,
            _ => Kind::Other,
        };
        match self.0.insert(entry.path.clone(), kind) {
            None => Ok(()),
            Some(Kind::Implied) if entry.kind.is_dir() => Ok(()),
            // The same directory said twice says nothing new.
            Some(before @ Kind::Directory { .. }) if before == kind => Ok(()),
            Some(_) => Err(Fault::Duplicate),
        }
    }

    fn is_below_non_directory(&self, path: &ImagePath) -> bool {
        path.ancestors().any(|above| matches!(self.0.get(&above), Some(Kind::File | Kind::Other)))
    }
}

/// A whiteout is an empty file, as the specification has it, and no other name of a file that is one. Docker wrote several
/// whiteouts of a layer as links to the first.
pub(super) fn check_whiteout(entry: &Entry) -> Result<(), Fault> {
    let is_whiteout = entry.whiteout().map_err(Fault::Whiteout)?.is_some();
    match &entry.kind {
        EntryKind::Hardlink { target } if is_whiteout_name(target) == is_whiteout => Ok(()),
        EntryKind::File { size: 0 } => Ok(()),
        _ if is_whiteout => Err(Fault::WhiteoutContent),
        EntryKind::Hardlink { target } => Err(Fault::LinkTarget(target.clone())),
        _ => Ok(()),
    }
}
