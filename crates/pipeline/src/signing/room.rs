//! The place of an image, opened so that something can be put beside it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use distil_imgcore::{Archive, Reference, Selector, Store};

use super::error::SignError;
use crate::places::Places;
use crate::read::{Named, ReadError};

/// An image, in a place that takes more.
#[derive(Debug)]
pub(super) struct Room {
    /// The image, in the store that is written to.
    pub(super) named: Named,
    /// Whether no other writer can take away what is written there.
    pub(super) undisturbed: bool,
}

/// How often an archive is made anew that somebody else replaces meanwhile.
const ATTEMPTS: u32 = 4;

/// What is done there, and whether it wrote anything.
type Work<'a, T> = dyn Fn(&Room) -> Result<(T, bool), SignError> + 'a;

/// Finds an image and does what is to be done beside it. `work` says whether anything was written; an archive is left alone
/// where nothing was, and otherwise made anew, with everything that was in it.
///
/// # Errors
/// [`SignError`]; [`SignError::DockerArchive`] for a place that has no room, [`SignError::Cancelled`] where somebody asked to
/// stop.
pub(super) fn with_room<T>(
    reference: &Reference,
    places: &Places<'_>,
    work: impl Fn(&Room) -> Result<(T, bool), SignError>,
) -> Result<T, SignError> {
    let done = within(reference, places, &work);
    // Whatever it was that failed then, that was the reason.
    if done.is_err() && places.cancelled.load(Ordering::Relaxed) { Err(SignError::Cancelled) } else { done }
}

fn within<T>(reference: &Reference, places: &Places<'_>, work: &Work<'_, T>) -> Result<T, SignError> {
    let unreadable = |source: ReadError| SignError::Read { reference: reference.to_string(), source: Box::new(source) };
    let find =
        |store: Arc<dyn Store>, wanted: &Selector| Named::among(store, reference, wanted, places).map_err(unreadable);
    match reference {
        Reference::DockerArchive(_) => Err(SignError::DockerArchive { reference: reference.to_string() }),
        Reference::Archive(at) => {
            for _ in 0..ATTEMPTS {
                let archive = Archive::open(at.path())?;
                let writer = Arc::new(archive.anew()?);
                let named = find(Arc::clone(&writer) as _, at.selector())?;
                let (done, wrote) = work(&Room { named, undisturbed: true })?;
                if !wrote {
                    return Ok(done);
                }
                // What another one has put there meanwhile would be lost.
                if let Some(writer) = Arc::into_inner(writer).filter(|_| archive.is_in_place()) {
                    writer.finish()?;
                    return Ok(done);
                }
            }
            Err(SignError::Replaced { reference: reference.to_string() })
        }
        Reference::Layout(_) | Reference::Registry(_) => {
            let (store, wanted) = places.room(reference)?;
            let room = Room { named: find(store, &wanted)?, undisturbed: matches!(reference, Reference::Layout(_)) };
            work(&room).map(|(done, _)| done)
        }
    }
}
