//! What a verb that needs repositories may know of the machine and the network. Front ends fill it in; nothing below them
//! reads the environment or the clock.

mod certificates;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_imgcore::Escaped;
use distil_net::{Client, ClientOptions, Credentials, HostTls, Proxies, Roots, SetupError};
use distil_registry::{Keychain, NoKeychain};

/// The machine and the network.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where apt keeps its sources and keys: `/etc/apt`.
    pub apt_dir: PathBuf,
    /// Seconds since 1970.
    pub now: i64,
    /// Whether only what is kept from before may be used.
    pub offline: bool,
    /// The proxy for `http:`, as the variable `http_proxy` holds it.
    pub http_proxy: Option<String>,
    /// The proxy for `https:`, as the variable `https_proxy` holds it.
    pub https_proxy: Option<String>,
    /// The hosts that are reached without a proxy, as the variable `no_proxy` holds them.
    pub no_proxy: Option<String>,
    /// Where certificate authorities are looked for.
    pub authorities: Authorities,
    /// Files of credentials in the form of `netrc`; those that do not exist are no matter.
    pub netrc: Vec<PathBuf>,
    /// Where logins to registries come from.
    pub keychain: Arc<dyn Keychain>,
    /// Whether plain HTTP may be spoken to registries that are not on loopback.
    pub insecure_http: bool,
    /// Hosts, with their ports where these are not the usual ones, that may be told the login to a registry which names them
    /// as its token server.
    pub token_servers: Vec<String>,
    /// Directories with certificates for single registries, as podman and docker keep them: `HOST[:PORT]/*.crt` are
    /// authorities, `HOST[:PORT]/*.cert` with the `*.key` beside it what this machine shows. The first that has a directory for a
    /// registry counts for it; those that do not exist are no matter.
    pub certificates: Vec<PathBuf>,
}

/// Where certificate authorities are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorities {
    /// In these files and in the files of these directories, all of which must be there.
    Named {
        /// Bundles of certificates.
        files: Vec<PathBuf>,
        /// Directories with a file for each certificate.
        directories: Vec<PathBuf>,
    },
    /// In the first place of those where systems keep them that exists.
    System,
}

/// Why the machine cannot be used as it describes itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// A file that cannot be read.
    #[error("cannot read {}", Escaped::path(.path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A proxy, a certificate or a file of credentials that is not in order.
    #[error(transparent)]
    Setup(Box<SetupError>),
    /// A certificate without its key, or a key without its certificate.
    #[error("{} is there without {}", Escaped::path(.path), Escaped::path(.missing))]
    Unpaired {
        /// The one.
        path: PathBuf,
        /// Where the other should be.
        missing: PathBuf,
    },
}

/// Debian and its relatives, Red Hat and its relatives, Alpine and BSD.
const BUNDLES: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// The largest file of certificates or credentials that is read.
const MAX_FILE: u64 = 16 << 20;

impl Machine {
    /// A machine with its apt sources in the usual place, no proxy and no credentials, `now` seconds after 1970.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self {
            apt_dir: PathBuf::from("/etc/apt"),
            now,
            offline: false,
            http_proxy: None,
            https_proxy: None,
            no_proxy: None,
            authorities: Authorities::System,
            netrc: Vec::new(),
            keychain: Arc::new(NoKeychain),
            insecure_http: false,
            token_servers: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// What speaks to the network for this machine, with what holds for one server alone.
    pub(crate) fn client(&self, tls: Option<HostTls>) -> Result<Client, MachineError> {
        let mut credentials = Credentials::default();
        for path in &self.netrc {
            match read(path) {
                Ok(bytes) => credentials = credentials.and(Credentials::netrc(&path.to_string_lossy(), &bytes)?),
                Err(MachineError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let proxies =
            Proxies { http: self.http_proxy.clone(), https: self.https_proxy.clone(), no_proxy: self.no_proxy.clone() };
        let tls = tls.into_iter().collect();
        let options = ClientOptions { roots: self.roots()?, proxies, credentials, tls, ..ClientOptions::default() };
        Ok(Client::new(options)?)
    }

    fn roots(&self) -> Result<Roots, MachineError> {
        let bundles = match &self.authorities {
            Authorities::Named { files, directories } => {
                let mut bundles = files.clone();
                for directory in directories {
                    bundles.extend(files_in(directory)?);
                }
                bundles
            }
            Authorities::System => BUNDLES.iter().map(PathBuf::from).find(|path| path.exists()).into_iter().collect(),
        };
        bundles.iter().try_fold(Roots::none(), |roots, path| Ok(roots.and_pem(&path.to_string_lossy(), &read(path)?)?))
    }
}

/// The files of a directory, sorted by name.
pub(crate) fn files_in(directory: &Path) -> Result<Vec<PathBuf>, MachineError> {
    let failed = |source| MachineError::Read { path: directory.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a small file of the machine.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, MachineError> {
    let failed = |source| MachineError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "more than 16 MiB")));
    }
    Ok(bytes)
}

impl From<SetupError> for MachineError {
    fn from(error: SetupError) -> Self {
        Self::Setup(Box::new(error))
    }
}
