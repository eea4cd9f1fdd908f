//! From a reference, which is text, to the place that it names.

use std::sync::Arc;
use std::time::Duration;

use distil_imgcore::{Error, Layout, RefName, Reference, Selector, Store};

/// Why a place cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The place is there, or should be, and cannot be used.
    #[error(transparent)]
    Store(#[from] Error),
    /// Images are not read from, or not written to, this kind of place yet.
    #[error("{reference} cannot be {done} yet")]
    NotYet {
        /// The place.
        reference: String,
        /// `read` or `written`.
        done: &'static str,
    },
}

/// How long to wait for another process that writes to the same layout.
const WAIT: Duration = Duration::from_secs(60);

/// Opens the place that a reference names, to read from it.
///
/// # Errors
/// [`StoreError`] where the place is not there, is broken, or is a registry.
pub fn source(reference: &Reference) -> Result<(Arc<dyn Store>, Selector), StoreError> {
    match reference {
        Reference::Layout(at) => Ok((Arc::new(Layout::open(at.path())?), at.selector().clone())),
        _ => Err(StoreError::NotYet { reference: reference.to_string(), done: "read" }),
    }
}

/// Opens the place that a reference names, to write to it, and tells under which name.
///
/// # Errors
/// As [`source`].
pub fn destination(reference: &Reference) -> Result<(Arc<dyn Store>, Option<RefName>), StoreError> {
    match reference {
        Reference::Layout(at) => Ok((Arc::new(Layout::create(at.path(), WAIT)?), at.name().cloned())),
        _ => Err(StoreError::NotYet { reference: reference.to_string(), done: "written" }),
    }
}
