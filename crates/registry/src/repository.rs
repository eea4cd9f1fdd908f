//! A repository as a store.

use std::io::Read;
use std::sync::Arc;

use distil_imgcore::{Descriptor, Digest, Error, RefName, RegistryName, Selector, Store};
use distil_net::{Client, Watch};

use crate::keychain::Keychain;

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

/// A repository in a registry.
#[derive(Debug)]
pub struct Repository {}

impl Repository {
    /// Opens the repository that a reference names; nothing is asked of the registry yet.
    ///
    /// # Errors
    /// Where the keychain fails or the name leads nowhere.
    pub fn open(name: &RegistryName, options: &Options) -> Result<Self, Error> {
        let _ = (name, options);
        todo!()
    }

    /// The same, which tries to take blobs over from these other repositories of the same registry.
    #[must_use]
    pub fn next_to(self, repositories: Vec<String>) -> Self {
        let _ = repositories;
        self
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("insecure_http", &self.insecure_http).finish_non_exhaustive()
    }
}

impl Store for Repository {
    fn place(&self) -> String {
        todo!()
    }

    fn has(&self, _blob: &Descriptor) -> Result<bool, Error> {
        todo!()
    }

    fn open(&self, _blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        todo!()
    }

    fn put(&self, _blob: &Descriptor, _content: &mut dyn Read) -> Result<(), Error> {
        todo!()
    }

    fn tag(&self, _name: Option<&RefName>, _root: &Descriptor) -> Result<(), Error> {
        todo!()
    }

    fn resolve(&self, _wanted: &Selector) -> Result<Descriptor, Error> {
        todo!()
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        todo!()
    }

    fn referrers(&self, _subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        todo!()
    }
}
