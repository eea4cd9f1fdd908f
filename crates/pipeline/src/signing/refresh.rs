//! The trusted root that a TUF repository has at present.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use distil_imgcore::{Digest, Escaped};
use distil_net::{Client, Unwatched};
use distil_signing::verify::{TrustedRoot, TrustedRootError};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{FileStore, Repository, Updater};
use url::Url;

use super::service_url;
use crate::machine::{self, Machine, MachineError};
use crate::whole_file;

/// Where the public instance of Sigstore has its TUF repository.
pub const SIGSTORE_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";
/// The root of that repository, version 16, from which all later ones are reached: <https://github.com/sigstore/root-signing>
/// (Apache-2.0), but for two slashes that are written as `\/`, which mean the same.
const SIGSTORE_ROOT: &[u8] = include_bytes!("refresh/sigstore-root.json");
/// What the trusted root is called there, and in other repositories of the kind.
const TARGET: &str = "trusted_root.json";
/// Bytes of a trusted root.
const MAX_TARGET: u64 = 1 << 20;
/// Below the directory of the cache.
const KEPT: &str = "tuf";

/// Which trusted root is wanted, and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct RefreshRequest<'a> {
    /// The URL of the TUF repository, [`SIGSTORE_MIRROR`] or another one.
    pub mirror: &'a str,
    /// The file of a root of that repository which was got in a way that is trusted. Without it, it is that of Sigstore's public
    /// instance.
    pub root: Option<&'a Path>,
    /// The file that is written, in the place of one that is there.
    pub output: &'a Path,
    /// The directory of the cache. It keeps what was seen of the repository, so that nobody can show an older state later.
    pub cache_dir: &'a Path,
    /// The machine and the network.
    pub machine: &'a Machine,
}

/// The trusted root that was written: the JSON document of `trusted-root`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RefreshedDocument {
    /// `distil.trusted-root/v1`.
    pub schema: String,
    /// The file.
    pub path: String,
    /// Its digest.
    pub digest: String,
    /// The URL of the repository.
    pub mirror: String,
    /// The version of the repository's root.
    pub root_version: u64,
    /// Until when the repository says that this is the present state, in RFC 3339.
    pub valid_until: String,
}

/// Why there is no trusted root, or none that is present. The file that was there is there as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// No URL.
    #[error("{:?} is not the URL of a TUF repository", Escaped(.url.as_bytes()).to_string())]
    Url {
        /// What was given.
        url: String,
    },
    /// The network may not be used.
    #[error("cannot ask {url} without the network")]
    Offline {
        /// The repository.
        url: String,
    },
    /// The machine does not let itself be used as it describes itself, or the file with the root cannot be read.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The given root is not one, or not signed by its own keys.
    #[error("{} is not the root of a TUF repository", path.as_deref().map_or("what is built in".into(), |path| Escaped::path(path).to_string()))]
    Root {
        /// The file.
        path: Option<PathBuf>,
        /// Why not.
        source: Box<sigstore_tuf::Error>,
    },
    /// The repository does not answer, or its metadata does not hold: signed by too few, expired, older than what was seen before,
    /// or not about these bytes.
    #[error("cannot get the trusted root from {url}")]
    Repository {
        /// The repository.
        url: String,
        /// Why not.
        source: Box<sigstore_tuf::Error>,
    },
    /// What the repository vouches for is no trusted root that can be used here.
    #[error("what {url} has as {TARGET} cannot be used")]
    TrustedRoot {
        /// The repository.
        url: String,
        /// Why not.
        source: TrustedRootError,
    },
    /// The file cannot be written.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl RefreshError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Root { path: Some(_), .. })
    }
}

/// Fetches the trusted root from a [TUF] repository, by the client's workflow of the specification: each version of the
/// root signed by the one before, then timestamp, snapshot and targets, none of them expired, none older than what was seen
/// before, each the very bytes that the one before vouches for. Metadata of at most 5 MB each, a trusted root of at most
/// 1 MiB.
///
/// It is written when all of that holds and everything in it can be used.
///
/// # Errors
/// [`RefreshError`].
///
/// [TUF]: https://theupdateframework.github.io/specification/latest/
pub fn refresh_trusted_root(request: &RefreshRequest<'_>) -> Result<RefreshedDocument, RefreshError> {
    let wrong = || RefreshError::Url { url: request.mirror.to_owned() };
    let base = service_url::base(request.mirror).ok_or_else(wrong)?;
    let url = distil_net::shown(&base);
    if request.machine.offline {
        return Err(RefreshError::Offline { url });
    }
    let given = request.root.map(machine::read).transpose()?;
    let root = given.as_deref().unwrap_or(SIGSTORE_ROOT);
    // What is kept of one repository says nothing of another one.
    let kept = request.cache_dir.join(KEPT).join(Digest::of(base.as_str().as_bytes()).hex());
    let over = Http { client: request.machine.client(None)?, base };
    let path = || request.root.map(Path::to_owned);
    let updater = Updater::new(over, root).map_err(|e| RefreshError::Root { path: path(), source: Box::new(e) })?;
    let mut updater = updater.with_store(FileStore::new(kept));
    let failed = |e| RefreshError::Repository { url: url.clone(), source: Box::new(e) };
    let now = Timestamp::from_second(request.machine.now).unwrap_or(Timestamp::MAX);
    at_once(updater.refresh(now)).map_err(failed)?;
    let bytes = at_once(updater.get_target(TARGET, now)).map_err(failed)?;
    TrustedRoot::from_json(&bytes).map_err(|source| RefreshError::TrustedRoot { url: url.clone(), source })?;
    let write = |source| RefreshError::Write { path: request.output.to_owned(), source };
    whole_file::deliver(request.output, &bytes).map_err(write)?;
    let trusted = updater.trusted();
    Ok(RefreshedDocument {
        schema: "distil.trusted-root/v1".to_owned(),
        path: request.output.to_string_lossy().into_owned(),
        digest: Digest::of(&bytes).to_string(),
        mirror: url,
        root_version: trusted.root().version,
        valid_until: trusted.timestamp().map(|timestamp| timestamp.expires.to_string()).unwrap_or_default(),
    })
}

/// A TUF repository on a server.
struct Http {
    client: Client,
    base: Url,
}

impl Http {
    fn get(&self, path: &str, max: u64) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let url = self.base.join(&format!("./{path}"));
        let url = url.map_err(|error| sigstore_tuf::Error::transport_with_source(path, error))?;
        match self.client.get(&url, max, &Unwatched) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(sigstore_tuf::Error::transport_with_source(path, error)),
        }
    }
}

impl Repository for Http {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max: u64) -> FetchFuture<'a> {
        let found = self.get(name, max);
        Box::pin(async move { found })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max: u64) -> FetchFuture<'a> {
        let found = self.get(&format!("targets/{path}"), max.min(MAX_TARGET));
        Box::pin(async move { found })
    }
}

/// What comes of work that waits for nothing but the repository above, which blocks.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository that has nothing.
    struct Nothing;

    impl Repository for Nothing {
        fn fetch_metadata<'a>(&'a self, _name: &'a str, _max: u64) -> FetchFuture<'a> {
            Box::pin(async { Ok(None) })
        }

        fn fetch_target<'a>(&'a self, _path: &'a str, _max: u64) -> FetchFuture<'a> {
            Box::pin(async { Ok(None) })
        }
    }

    #[test]
    fn the_root_that_is_built_in_is_signed_by_its_own_keys() {
        assert!(Updater::new(Nothing, SIGSTORE_ROOT).is_ok());
        let forged = String::from_utf8(SIGSTORE_ROOT.to_vec()).unwrap().replace("\"version\": 16", "\"version\": 17");
        assert_ne!(forged.as_bytes(), SIGSTORE_ROOT);
        assert!(Updater::new(Nothing, forged.as_bytes()).is_err());
    }
}
