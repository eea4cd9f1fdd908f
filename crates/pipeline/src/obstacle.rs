//! What stands in the way to a registry, however deep in the causes of an error that is said.

use std::error::Error;
use std::io;

use distil_net::NetError;
use distil_registry::{RealmRefusal, RegistryError};

use crate::places::StoreError;

/// What stands in the way to a registry, where somebody can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The registry wants to know who asks, or hides what is not for everybody.
    NoLogin {
        /// The registry, as references name it.
        host: String,
    },
    /// Whoever asks may not do what was asked for.
    NotAllowed {
        /// The registry, as references name it.
        host: String,
    },
    /// The file or helper with the login is not in order.
    Keychain {
        /// The registry, as references name it.
        host: String,
    },
    /// Nothing has this name.
    Missing {
        /// Registry and repository, as references name them.
        place: String,
    },
    /// It does not speak TLS.
    Plain {
        /// The registry.
        host: String,
    },
    /// Nobody vouches for its certificate.
    Certificate,
    /// There are no certificate authorities on this machine.
    NoAuthorities,
    /// It wants the login to be told to a server that is none of its own.
    TokenServer {
        /// The URL of that server.
        realm: String,
    },
    /// No network may be used, and it is not in the cache.
    Offline,
}

impl Obstacle {
    /// Looks for one among the causes of an error.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            // An I/O error does not give what is inside of it as its cause, but the cause of that.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let inner = inner.map(|inner| inner as &(dyn Error + 'static));
            if let Some(found) = Self::here(error).or_else(|| Self::of(inner?)) {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    fn here(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(StoreError::Offline { .. }) = error.downcast_ref() {
            return Some(Self::Offline);
        }
        match error.downcast_ref::<RegistryError>()? {
            RegistryError::Denied { place, login: false, .. } => Some(Self::NoLogin { host: host(place) }),
            RegistryError::Denied { place, login: true, .. } => Some(Self::NotAllowed { host: host(place) }),
            RegistryError::Missing { place, .. } => Some(Self::Missing { place: place.clone() }),
            RegistryError::Keychain(error) => Some(Self::Keychain { host: error.host.clone() }),
            RegistryError::Plain { host, .. } => Some(Self::Plain { host: host.clone() }),
            RegistryError::Realm { realm, refusal: RealmRefusal::Login, .. } => {
                Some(Self::TokenServer { realm: realm.clone() })
            }
            RegistryError::Net(NetError::Certificate { .. }) => Some(Self::Certificate),
            RegistryError::Net(NetError::NoRoots { .. }) => Some(Self::NoAuthorities),
            _ => None,
        }
    }
}

/// The registry of a place.
fn host(place: &str) -> String {
    place.split('/').next().unwrap_or(place).to_owned()
}

#[cfg(test)]
mod tests {
    use distil_imgcore::Error as StoreFault;
    use distil_registry::Said;

    use super::*;
    use crate::read::ReadError;

    fn denied() -> RegistryError {
        let (place, server) = ("registry.example.org:5000/team/app".to_owned(), "registry.example.org:5000".to_owned());
        RegistryError::Denied { place, server, login: false, said: Said::default() }
    }

    fn remote(source: Box<dyn Error + Send + Sync>) -> ReadError {
        ReadError::Open(StoreFault::Remote { action: "read", place: "x".into(), may_repeat: false, source }.into())
    }

    #[test]
    fn it_is_found_however_deep_it_lies() {
        let expected = Some(Obstacle::NoLogin { host: "registry.example.org:5000".into() });
        assert_eq!(Obstacle::of(&denied()), expected);
        assert_eq!(Obstacle::of(&remote(Box::new(denied()))), expected);
        assert_eq!(Obstacle::of(&remote(Box::new(io::Error::other(denied())))), expected);
        let offline = StoreError::Offline { reference: "x".into() };
        assert_eq!(Obstacle::of(&remote(Box::new(offline))), Some(Obstacle::Offline));
    }

    #[test]
    fn other_errors_have_none() {
        assert_eq!(Obstacle::of(&remote(Box::new(io::Error::other("x")))), None);
        assert_eq!(Obstacle::of(&ReadError::NotDescribed), None);
    }
}
