//! The certificate authorities that servers are checked with.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::SetupError;

/// Certificates in PEM, from files that the caller has read.
#[derive(Debug, Clone)]
pub struct Roots {
    store: RootCertStore,
}

impl Default for Roots {
    fn default() -> Self {
        Self::none()
    }
}

impl Roots {
    /// No authorities: `https:` fails.
    #[must_use]
    pub fn none() -> Self {
        Self { store: RootCertStore::empty() }
    }

    /// These and those of another file, whose name is for messages. Certificates that cannot be used are left out, as
    /// bundles hold some for other purposes; other parts of the file, such as comments, are no matter.
    ///
    /// # Errors
    /// [`SetupError::Roots`] where the file has none that can be used.
    pub fn and_pem(mut self, name: &str, pem: &[u8]) -> Result<Self, SetupError> {
        let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        let (added, _) = self.store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(SetupError::Roots { name: name.to_owned() });
        }
        Ok(self)
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.store.roots.extend(others.store.roots);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    pub(crate) fn into_store(self) -> RootCertStore {
        self.store
    }
}

#[cfg(test)]
mod tests;
