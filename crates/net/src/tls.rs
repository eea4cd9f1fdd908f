//! TLS: who vouches for which server, and who we are to it.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use url::Url;

use crate::error::SetupError;
use crate::roots::Roots;

/// What holds for one server besides what holds for all. Of several entries for the same one, the last counts.
#[derive(Debug, Clone)]
pub struct HostTls {
    /// `HOST` or `HOST:PORT`, as in URLs. Without a port it is 443.
    pub host: String,
    /// Who vouches for it besides [`crate::ClientOptions`]'s own.
    pub roots: Roots,
    /// Who we are, where it asks for that.
    pub identity: Option<Identity>,
}

/// A certificate with its private key, to be shown to a server.
#[derive(Clone)]
pub struct Identity {
    key: Arc<CertifiedKey>,
}

/// The key is for the handshake alone.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl Identity {
    /// Reads a certificate, followed by those in between it and its authority, and the private key of the first: PKCS #1,
    /// PKCS #8 or SEC 1, not encrypted. Both are PEM and may come from one file; `name` is for messages.
    ///
    /// # Errors
    /// [`SetupError::Identity`] where one is missing, cannot be used, or does not belong to the other.
    pub fn from_pem(name: &str, certificate: &[u8], key: &[u8]) -> Result<Self, SetupError> {
        let wrong = |problem| SetupError::Identity { name: name.to_owned(), problem };
        let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(wrong("no certificate in it"))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| wrong("no private key in it, or an encrypted one"))?;
        // The cause may quote what it could not read, and is left out.
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|_| {
            wrong("a certificate or private key that cannot be used, or two that do not belong together")
        })?;
        Ok(Self { key: Arc::new(key) })
    }
}

/// TLS with its own cryptography: one that is set for the whole process would be the concern of the program.
pub(crate) fn config(roots: Roots, identity: Option<&Identity>) -> Result<ClientConfig, SetupError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider())).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| SetupError::Start { source: Box::new(e) })?;
    let builder = builder.with_root_certificates(roots.into_store());
    let mut config = match identity {
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.key))))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// A server over TLS: its name as URLs write it, and its port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    host: String,
    port: u16,
}

impl Server {
    /// That of a URL, if it speaks TLS.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default().filter(|_| url.scheme() == "https")?;
        Some(Self { host: url.host_str()?.to_owned(), port })
    }

    /// Reads `HOST` or `HOST:PORT`.
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        let wrong = || SetupError::Host { host: text.to_owned() };
        // What a URL has besides must not hide in the text.
        if text.contains(['/', '\\', '@', '?', '#']) || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong());
        }
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| wrong())?;
        Self::of(&url).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests;
