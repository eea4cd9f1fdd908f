//! From what a recipe asks for to packages that were verified: sources are acquired, packages are chosen and fetched.

mod fetch;
mod market;
mod resolve;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_aptrepo::{Acquirer, IndexFile, Repository, RepositoryIndex, Timestamp};
use distil_cache::{Area, Content, ContentKey, Session, Values};
use distil_imgcore::Digest;
use distil_net::{Client, Watch};

pub(crate) use fetch::{Debs, fetch};
pub(crate) use market::Market;
pub(crate) use resolve::{Choice, Picked, Target, Versions, architecture_of, choose, explain};

use crate::lock::LockError;
use crate::machine::Machine;
use crate::progress::Progress;

/// What is needed to acquire and to fetch.
pub(crate) struct Provider<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancelled: &'a AtomicBool,
    pub(crate) jobs: NonZeroUsize,
    /// Made when it is first needed: certificates take longer to read than an image of own files takes to build.
    client: OnceLock<Client>,
    content: Content,
    values: Values,
}

/// Downloads wait for the other side most of the time, so that more of them run than there are cores.
const DOWNLOADS: usize = 6;

impl<'a> Provider<'a> {
    pub(crate) fn new(
        machine: &'a Machine,
        cache_dir: &Path,
        jobs: NonZeroUsize,
        progress: &'a dyn Progress,
        cancelled: &'a AtomicBool,
    ) -> Result<Self, LockError> {
        let session = Session::start(cache_dir)?;
        Ok(Self {
            machine,
            progress,
            cancelled,
            jobs,
            client: OnceLock::new(),
            content: Content::in_session(&session, Area::Packages)?,
            values: Values::in_session(&session)?,
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
            now: Timestamp::from_seconds(self.machine.now),
            offline: self.machine.offline,
            watch: self,
        })
    }

    fn client(&self) -> Result<&Client, LockError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.machine.client()?;
        Ok(self.client.get_or_init(|| client))
    }

    fn downloads(&self) -> NonZeroUsize {
        self.jobs.max(NonZeroUsize::new(DOWNLOADS).unwrap_or(NonZeroUsize::MIN))
    }
}

/// Downloads report to whoever shows progress, and end when somebody asks to stop.
impl Watch for Provider<'_> {
    fn advanced(&self, what: &str, bytes: u64) {
        self.progress.advanced(what, bytes);
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
