//! A repository as a store.

mod answer;
mod blobs;
mod documents;
mod download;
mod fallback;
mod manifests;
mod mount;
mod outgoing;
mod pages;
mod referrers;
mod remote;
mod tags;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use distil_imgcore::digest::VerifyingReader;
use distil_imgcore::{Descriptor, Digest, Error, RefName, RegistryName, Selector, Store};
use distil_net::{Attempts, Client, Watch};
use url::Url;

pub use self::answer::AnswerError;
use self::documents::Documents;
use self::remote::Remote;
use crate::keychain::Keychain;
use crate::transport::Transport;

/// The way to registries, the same for all of a program's run.
#[derive(Clone)]
pub struct Options {
    /// What speaks to the network.
    pub client: Arc<Client>,
    /// Where logins come from.
    pub keychain: Arc<dyn Keychain>,
    /// Whether plain HTTP may be spoken to registries that are not on loopback.
    pub insecure_http: bool,
    /// Token servers that may have the login although they are on another host than their registry, as `HOST` or
    /// `HOST:PORT`.
    pub token_servers: Vec<String>,
    /// Who may end it all.
    pub watch: Arc<dyn Watch + Send>,
}

/// A repository in a registry, by the [distribution specification] 1.1. It is made for one run of a program: blobs that were
/// there once are taken to stay.
///
/// Tags are resolved by the digest of the bytes that came, never by what the registry says of them. Nothing is written under
/// a tag but by [`Store::tag`], apart from the list of referrers of a registry that keeps none, whose tag is of the form
/// `sha256-HEX`.
///
/// [distribution specification]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
#[derive(Debug)]
pub struct Repository {
    remote: Arc<Remote>,
    next_to: Vec<String>,
    documents: Documents,
    /// What is there: documents and other blobs, with their sizes. The same bytes may be both, and lie in two places then.
    present: Mutex<BTreeSet<(bool, Digest, u64)>>,
    /// Uploads that the registry began and nobody asked for.
    spare: Mutex<BTreeMap<Digest, Url>>,
    /// Bytes of one request that the registry has not found too large.
    most_at_once: AtomicU64,
    /// Memory of blobs that were sent, for the next ones: pages that were used before cost less than new ones.
    memory: Mutex<Vec<VecDeque<u8>>>,
    /// Whether the registry has said that it lists referrers itself.
    keeps_list: AtomicBool,
    /// Held while a fallback tag is changed.
    fallbacks: Mutex<()>,
}

/// More make a push no faster, and each keeps some of its blob in memory.
const PUTS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");

impl Repository {
    /// Opens the repository that a reference names; nothing is asked of the registry yet.
    ///
    /// # Errors
    /// Where the keychain fails or the name leads nowhere.
    pub fn open(name: &RegistryName, options: &Options) -> Result<Self, Error> {
        let Options { client, watch, .. } = options.clone();
        let transport = Transport::new(name, options.clone()).map_err(|source| {
            let place = format!("{}/{}", name.host(), name.repository());
            Error::Remote { action: "open", place, may_repeat: false, source: Box::new(source) }
        })?;
        Ok(Self {
            remote: Arc::new(Remote::new(transport, client, watch)),
            next_to: Vec::new(),
            documents: Documents::default(),
            present: Mutex::default(),
            spare: Mutex::default(),
            most_at_once: AtomicU64::new(u64::MAX),
            memory: Mutex::default(),
            keeps_list: AtomicBool::new(false),
            fallbacks: Mutex::default(),
        })
    }

    /// The same, which tries to take blobs over from these other repositories of the same registry.
    #[must_use]
    pub fn next_to(self, repositories: Vec<String>) -> Self {
        Self { next_to: repositories, ..self }
    }

    /// The same, which asks for everything with the right to write from the start. Without it that begins with the first
    /// question that only a writer has; but a repository that does not exist yet may be hidden from readers.
    #[must_use]
    pub fn for_writing(self) -> Self {
        self.remote.will_write();
        self
    }

    fn is_present(&self, blob: &Descriptor) -> bool {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).contains(&identity(blob))
    }

    fn now_present(&self, blob: &Descriptor) {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).insert(identity(blob));
    }

    fn memory(&self) -> MutexGuard<'_, Vec<VecDeque<u8>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spare(&self) -> MutexGuard<'_, BTreeMap<Digest, Url>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(blob: &Descriptor) -> (bool, Digest, u64) {
    (blob.media_type().is_index_or_manifest(), blob.digest().clone(), blob.size())
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("insecure_http", &self.insecure_http).finish_non_exhaustive()
    }
}

impl Store for Repository {
    fn place(&self) -> String {
        self.remote.place().to_owned()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.remote.will_write();
        if self.is_present(blob) {
            return Ok(true);
        }
        let there = if blob.media_type().is_index_or_manifest() {
            self.has_document(blob)?
        } else {
            self.has_blob(&mut Attempts::begin(), blob)?
        };
        if there {
            self.now_present(blob);
        }
        Ok(there)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        if blob.media_type().is_index_or_manifest() {
            return self.open_document(blob);
        }
        Ok(Box::new(VerifyingReader::new(self.open_blob(blob)?, blob.digest().clone(), blob.size())))
    }

    fn open_unchecked(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        if blob.media_type().is_index_or_manifest() {
            return self.open_document(blob);
        }
        Ok(Box::new(self.open_blob(blob)?))
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.remote.will_write();
        if blob.media_type().is_index_or_manifest() {
            self.put_document(blob, content)?;
        } else {
            self.put_blob(blob, content)?;
        }
        self.now_present(blob);
        Ok(())
    }

    fn take_over(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.remote.will_write();
        // Manifests are in the repositories that they were put into, and cannot be mounted.
        let there = !blob.media_type().is_index_or_manifest() && self.mount(blob)?;
        if there {
            self.now_present(blob);
        }
        Ok(there)
    }

    fn puts_at_once(&self) -> NonZeroUsize {
        PUTS_AT_ONCE
    }

    /// Without a name, a document that is about another is made findable by that one; any other lies under its digest already.
    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.publish(name, root, &[])
    }

    fn publish(&self, name: Option<&RefName>, root: &Descriptor, about: &[Descriptor]) -> Result<(), Error> {
        self.remote.will_write();
        let documents: Vec<&Descriptor> = about.iter().chain([root]).collect();
        self.refer(&documents)?;
        let Some(name) = name else { return Ok(()) };
        if !name.is_tag() {
            return Err(self.remote.unwritable(AnswerError::NotATag(name.clone())));
        }
        let bytes = self.document_bytes(root)?;
        self.send_document(name.as_str(), root, &bytes)
    }

    fn tag_over(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        self.remote.will_write();
        self.retag(name, root, before)
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        self.find(wanted)
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.list_tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        self.list_referrers(subject)
    }
}
