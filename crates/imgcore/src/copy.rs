//! Copying an image with all that belongs to it from one store to another.

mod at_once;
mod attached;
mod belonging;
mod delivery;
mod graph;
#[cfg(test)]
mod tests;

pub use attached::Attached;
pub(crate) use delivery::{Bytes, Parcel, Rank, deliver};
pub use graph::Graph;

use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::store::Store;

/// What a copy is doing, for whoever shows it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The destination has this blob already.
    Present(&'a Descriptor),
    /// This blob is being copied.
    Started(&'a Descriptor),
    /// So many more bytes of it were read.
    Bytes(&'a Descriptor, u64),
    /// It is complete.
    Finished(&'a Descriptor),
}

/// Whether the signatures, statements and other artifacts about an image travel with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referrers {
    /// They do, and those about them too.
    Copy,
    /// They stay.
    Leave,
}

/// Copies what `root` names from one store to another: [`Graph::read`] and [`Graph::copy_to`].
///
/// # Errors
/// Those of the two.
pub fn copy_graph(
    source: &dyn Store,
    destination: &dyn Store,
    root: &Descriptor,
    referrers: Referrers,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Attached, Error> {
    let graph = Graph::read(source, root, referrers)?;
    graph.copy_to(destination, progress)?;
    Ok(graph.attached())
}
