//! The way to the places that references name: files of this machine, and registries. It is made once for all that a verb
//! opens, so that connections and tokens are shared.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use distil_imgcore::{
    Archive, ArchiveWriter, Attachment, Descriptor, DockerArchive, DockerArchiveWriter, Error, Layout, RefName,
    Reference, RegistryName, Selector, Store,
};
use distil_net::{Client, Watch};
use distil_registry::{Options, Repository};

use crate::destination::{Destination, Kind};
use crate::machine::{Machine, MachineError};
use crate::progress::Progress;
pub use error::{StoreError, Taken};

/// The way to all places that one verb reads and writes.
pub(crate) struct Places<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancelled: Arc<AtomicBool>,
    /// Made when it is first needed: certificates take longer to read than an image of own files takes to build.
    client: OnceLock<Arc<Client>>,
    /// What speaks to each registry: the same, or one with certificates of the registry's own.
    clients: Mutex<BTreeMap<String, Arc<Client>>>,
    /// The repositories that were read, by their hosts. What is written beside them may take blobs over from them.
    read: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

/// The name of an image in a registry where none is given, as for all other tools.
const LATEST: &str = "latest";
/// How long to wait for another process that writes to the same layout.
const WAIT: Duration = Duration::from_secs(60);

impl<'a> Places<'a> {
    /// The way from this machine. `cancelled`, set to true from elsewhere, ends all that waits for a network.
    pub(crate) fn new(machine: &'a Machine, progress: &'a dyn Progress, cancelled: &Arc<AtomicBool>) -> Self {
        let cancelled = Arc::clone(cancelled);
        Self {
            machine,
            progress,
            cancelled,
            client: OnceLock::new(),
            clients: Mutex::default(),
            read: Mutex::default(),
        }
    }

    /// The same for what a signal ends on the spot.
    pub(crate) fn uncancelled(machine: &'a Machine, progress: &'a dyn Progress) -> Self {
        Self::new(machine, progress, &Arc::default())
    }

    /// Opens the place that a reference names, to read from it. Nothing is asked of a registry yet.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Offline`] where it is a registry and no network may be used.
    pub(crate) fn source(&self, reference: &Reference) -> Result<(Arc<dyn Store>, Selector), StoreError> {
        let (store, selector): (Arc<dyn Store>, _) = match reference {
            Reference::Layout(at) => (Arc::new(Layout::open(at.path())?), at.selector().clone()),
            Reference::Archive(at) => (Arc::new(Archive::open(at.path())?), at.selector().clone()),
            Reference::DockerArchive(at) => (Arc::new(DockerArchive::open(at.path())?), at.selector().clone()),
            Reference::Registry(name) => {
                let repository = self.repository(name)?;
                self.reads(name);
                (Arc::new(repository), selector(name))
            }
        };
        Ok((store, selector))
    }

    /// Opens the place that a reference names, and finds the image in it. Of a registry's tag it is told what it stands for,
    /// since the next one who asks may be given another image.
    ///
    /// # Errors
    /// As [`Places::source`]; [`StoreError::Unclear`] where it is not clear which image is meant.
    pub(crate) fn find(&self, reference: &Reference) -> Result<(Arc<dyn Store>, Descriptor), StoreError> {
        let (store, wanted) = self.source(reference)?;
        let root = self.resolve(reference, store.as_ref(), &wanted)?;
        Ok((store, root))
    }

    /// Finds the image in a place that was opened for a reference.
    ///
    /// # Errors
    /// As [`Places::find`].
    pub(crate) fn resolve(
        &self,
        reference: &Reference,
        store: &dyn Store,
        wanted: &Selector,
    ) -> Result<Descriptor, StoreError> {
        let root = resolve(store, wanted)?;
        if let (Reference::Registry(_), Selector::Name(_)) = (reference, wanted) {
            self.progress.resolved(reference, root.digest());
        }
        Ok(root)
    }

    /// Opens the place that a reference names, to write to it. A repository takes blobs over from those of the same registry
    /// that were opened before as sources.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Offline`] where it is a registry and no network may be used.
    pub(crate) fn destination(&self, reference: &Reference) -> Result<Destination, StoreError> {
        let (kind, name) = match reference {
            Reference::Layout(at) => (Kind::Layout(Layout::create(at.path(), WAIT)?), at.name().cloned()),
            Reference::Archive(at) => (Kind::Archive(ArchiveWriter::create(at.path())?), at.name().cloned()),
            Reference::DockerArchive(at) => {
                (Kind::DockerArchive(Box::new(DockerArchiveWriter::create(at.path())?)), at.name().cloned())
            }
            Reference::Registry(name) => {
                let repository = self.repository(name)?.next_to(self.beside(name)).for_writing();
                (Kind::Repository(Box::new(repository)), tag(name))
            }
        };
        Ok(Destination::new(kind, name))
    }

    /// Opens the place of an image, to write beside it: a layout that is there, or a repository.
    ///
    /// # Errors
    /// As [`Places::source`]; [`Error::ReadOnly`] for all other places.
    pub(crate) fn room(&self, reference: &Reference) -> Result<(Arc<dyn Store>, Selector), StoreError> {
        match reference {
            Reference::Layout(at) => {
                // Nothing is made where there is none.
                drop(Layout::open(at.path())?);
                Ok((Arc::new(Layout::create(at.path(), WAIT)?), at.selector().clone()))
            }
            Reference::Registry(name) => {
                self.reads(name);
                Ok((Arc::new(self.repository(name)?.for_writing()), selector(name)))
            }
            Reference::Archive(_) | Reference::DockerArchive(_) => {
                Err(Error::ReadOnly { place: reference.to_string() }.into())
            }
        }
    }

    /// Notes that a repository holds what is written elsewhere, also where it was not asked this time.
    pub(crate) fn reads(&self, name: &RegistryName) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(name.host().to_owned()).or_default().insert(name.repository().to_owned());
    }

    /// What speaks to the network.
    ///
    /// # Errors
    /// [`MachineError`] where the machine's certificates, proxies or credentials are not in order.
    pub(crate) fn client(&self) -> Result<&Arc<Client>, MachineError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Arc::new(self.machine.client(None)?);
        Ok(self.client.get_or_init(|| client))
    }

    /// What speaks to a registry. Only that registry's own certificates are looked at, so that those of another that are not in
    /// order are no matter.
    fn client_for(&self, host: &str) -> Result<Arc<Client>, MachineError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(host) {
            return Ok(Arc::clone(client));
        }
        let client = match self.machine.certificates_of(host)? {
            Some(tls) => Arc::new(self.machine.client(Some(tls))?),
            None => Arc::clone(self.client()?),
        };
        clients.insert(host.to_owned(), Arc::clone(&client));
        Ok(client)
    }

    /// Opens the repository of a name. Nothing is asked of the registry yet.
    ///
    /// # Errors
    /// As [`Places::source`].
    pub(crate) fn repository(&self, name: &RegistryName) -> Result<Repository, StoreError> {
        if self.machine.offline {
            return Err(StoreError::Offline { reference: Reference::Registry(name.clone()).to_string() });
        }
        let options = Options {
            client: self.client_for(name.host())?,
            keychain: Arc::clone(&self.machine.keychain),
            insecure_http: self.machine.insecure_http,
            token_servers: self.machine.token_servers.clone(),
            watch: Arc::new(Stop(Arc::clone(&self.cancelled))),
        };
        Ok(Repository::open(name, &options)?)
    }

    /// The other repositories of the same registry that were read.
    fn beside(&self, name: &RegistryName) -> Vec<String> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let beside = read.get(name.host()).into_iter().flatten();
        beside.filter(|repository| *repository != name.repository()).cloned().collect()
    }
}

impl fmt::Debug for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("machine", self.machine).field("read", &self.read).finish_non_exhaustive()
    }
}

/// Which image of a repository a name means. A digest decides where one is given.
pub(crate) fn selector(name: &RegistryName) -> Selector {
    match (name.digest(), name.tag()) {
        (Some(digest), _) => Selector::Digest(digest.clone()),
        (None, Some(tag)) => Selector::Name(tag.clone()),
        (None, None) => LATEST.parse::<RefName>().map_or(Selector::Only, Selector::Name),
    }
}

/// The tag under which an image is written: none where a digest alone is given.
fn tag(name: &RegistryName) -> Option<RefName> {
    match selector(name) {
        Selector::Name(tag) => Some(tag),
        Selector::Digest(_) | Selector::Only => name.tag().cloned(),
    }
}

/// Finds the image that is meant in a place, which is asked for its other names where that fails.
fn resolve(store: &dyn Store, wanted: &Selector) -> Result<Descriptor, StoreError> {
    store.resolve(wanted).map_err(|source| match source {
        Error::NoImage { .. } | Error::Ambiguous { .. } => {
            let mut known = store.tags().unwrap_or_default();
            known.retain(|name| !Attachment::is_beside(name));
            if known.is_empty() { source.into() } else { StoreError::Unclear { known, source } }
        }
        other => other.into(),
    })
}

/// Ends transfers when somebody asks to stop. How far they are is told by those who read from them.
struct Stop(Arc<AtomicBool>);

impl Watch for Stop {
    fn advanced(&self, _what: &str, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
