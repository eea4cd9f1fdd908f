//! From what a recipe asks for to packages that were verified: sources are acquired, packages are chosen and fetched.

mod fetch;
mod market;
mod resolve;

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use distil_aptrepo::{Acquirer, IndexFile, Repository, RepositoryIndex, Timestamp};
use distil_cache::{Area, Content, ContentKey, Session, Values};
use distil_imgcore::Digest;
use distil_net::{Client, Watch};

pub(crate) use fetch::{Debs, fetch};
pub(crate) use market::Market;
pub(crate) use resolve::{Choice, Picked, Target, Versions, architecture_of, choose, explain};

use crate::lock::LockError;
use crate::places::Places;

/// What is needed to acquire and to fetch.
pub(crate) struct Provider<'a> {
    pub(crate) places: &'a Places<'a>,
    pub(crate) session: Session,
    pub(crate) jobs: NonZeroUsize,
    content: Content,
    values: Values,
}

/// Downloads wait for the other side most of the time, so that more of them run than there are cores.
const DOWNLOADS: usize = 6;

impl<'a> Provider<'a> {
    pub(crate) fn new(places: &'a Places<'a>, session: &Session, jobs: NonZeroUsize) -> Result<Self, LockError> {
        Ok(Self {
            places,
            session: session.clone(),
            jobs,
            content: Content::in_session(session, Area::Packages)?,
            values: Values::in_session(session)?,
        })
    }

    /// Whether a .deb is in the cache.
    pub(crate) fn has(&self, sha256: &Digest) -> bool {
        let key = sha256.hex().parse::<ContentKey>();
        key.is_ok_and(|key| matches!(self.content.get(&key, None), Ok(Some(_))))
    }

    /// An index as a file, to be kept beside the packages.
    pub(crate) fn index_file(&self, repository: &Repository, index: &RepositoryIndex) -> Result<IndexFile, LockError> {
        let file = self.acquirer()?.index_file(repository, index);
        file.map_err(|source| LockError::Acquire(Box::new(source)))
    }

    fn acquirer(&self) -> Result<Acquirer<'_>, LockError> {
        Ok(Acquirer {
            client: self.client()?,
            content: &self.content,
            values: &self.values,
            now: Timestamp::from_seconds(self.places.machine.now),
            offline: self.places.machine.offline,
            watch: self,
        })
    }

    fn client(&self) -> Result<&Client, LockError> {
        Ok(self.places.client()?.as_ref())
    }

    fn downloads(&self) -> NonZeroUsize {
        self.jobs.max(NonZeroUsize::new(DOWNLOADS).unwrap_or(NonZeroUsize::MIN))
    }
}

/// Downloads report to whoever shows progress, and end when somebody asks to stop.
impl Watch for Provider<'_> {
    fn advanced(&self, what: &str, bytes: u64) {
        self.places.progress.advanced(what, bytes);
    }

    fn cancelled(&self) -> bool {
        self.places.cancelled.load(Ordering::Relaxed)
    }
}
