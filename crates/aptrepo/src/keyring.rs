//! Keyrings: the keys whose signatures are believed.
//!
//! The arithmetic is that of the crate `pgp`; what counts as a valid signature is decided here, rule by rule, since the
//! library has no policy. gpgv is no model: it ends with success for signatures of expired and of revoked keys.

mod certificate;
mod fault;
mod packets;
mod policy;
mod standing;
mod verify;

use std::collections::BTreeSet;
use std::sync::Arc;

use distil_imgcore::Escaped;

pub use fault::{SignatureFault, SignatureReason};
pub use packets::PacketError;
pub(crate) use verify::CLOCK_SKEW;
pub use verify::{MAX_SIGNATURES, Signer, VerifyError};

use crate::armor::{ArmorError, lines, read_block};
use crate::fingerprint::{Fingerprint, KeyPin};
use certificate::{Builder, Certificate, Component};
use packets::{Packets, tag};

/// Largest keyring, in bytes. Debian's has 56 thousand.
const MAX_SIZE: usize = 16 << 20;

/// Certificates in a keyring.
const MAX_CERTIFICATES: usize = 1024;

const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &[u8] = b"-----END PGP PUBLIC KEY BLOCK-----";
const BEGIN_ANY: &[u8] = b"-----BEGIN PGP ";

/// Keys whose signatures are believed. It is never empty.
#[derive(Debug, Clone)]
pub struct Keyring {
    name: String,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    certificate: Arc<Certificate>,
    /// The keys of it that may sign; all where there is none.
    only: Option<BTreeSet<Fingerprint>>,
}

/// Why bytes are no keyring. Whoever read the file adds its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Too large.
    #[error("keyring of {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// No certificate in it: no signature could ever be valid.
    #[error("keyring without a key")]
    Empty,
    /// Too many certificates.
    #[error("more than {MAX_CERTIFICATES} keys in one keyring")]
    TooManyKeys,
    /// Too many signatures of one key or user name.
    #[error("too many signatures of one key")]
    TooManySignatures,
    /// Neither armour nor packets.
    #[error("not a keyring of OpenPGP packets")]
    Packets(#[from] PacketError),
    /// The armour is not in order.
    #[error("not an armoured keyring")]
    Armor(#[from] ArmorError),
    /// A secret key: not to be handed around with a recipe.
    #[error("a secret key, where only public keys belong")]
    SecretKey,
    /// The database of GnuPG, whose form is its own.
    #[error("a keybox of GnuPG, not a keyring; gpg --export writes one")]
    Keybox,
    /// A packet before the first key.
    #[error("a packet of type {tag} where a key belongs")]
    NotAKey {
        /// Its type.
        tag: u8,
    },
    /// There are keys, but of no kind that is known.
    #[error("none of the {keys} keys of the keyring is of a known version and kind")]
    NoneKnown {
        /// How many there are.
        keys: usize,
    },
    /// None of the keys that were asked for is there.
    #[error("none of the keys {} is in {}", list(.pins), Escaped(.name.as_bytes()))]
    NotThere {
        /// The name of the keyring.
        name: String,
        /// The keys.
        pins: Vec<KeyPin>,
    },
}

fn list(pins: &[KeyPin]) -> String {
    pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Keyring {
    /// Reads certificates, binary or armoured, one or several. `name` stands in messages. Keys of unknown versions and
    /// kinds are left out.
    ///
    /// # Errors
    ///
    /// [`KeyringError`] for anything but public keys, and where no key of a known kind is left.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, KeyringError> {
        let (size, limit) = (bytes.len(), MAX_SIZE);
        if size > limit {
            return Err(KeyringError::TooLarge { size, limit });
        }
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(KeyringError::Keybox);
        }
        // A binary keyring starts with a packet, whose first byte has its highest bit set; armour is ASCII.
        let decoded = if bytes.first().is_none_or(|first| first & 0x80 == 0) { Some(dearmor(bytes)?) } else { None };
        let certificates = read_certificates(decoded.as_deref().unwrap_or(bytes))?;
        let member = |certificate| Member { certificate: Arc::new(certificate), only: None };
        Ok(Self { name: name.to_owned(), members: certificates.into_iter().map(member).collect() })
    }

    /// All keys of several keyrings.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Empty`] for none, [`KeyringError::TooManyKeys`] for too many.
    pub fn merged(name: &str, keyrings: Vec<Self>) -> Result<Self, KeyringError> {
        let members: Vec<Member> = keyrings.into_iter().flat_map(|keyring| keyring.members).collect();
        match members.len() {
            0 => Err(KeyringError::Empty),
            1..=MAX_CERTIFICATES => Ok(Self { name: name.to_owned(), members }),
            _ => Err(KeyringError::TooManyKeys),
        }
    }

    /// The same keyring, of which only these keys may sign: [`Fingerprint`]s or [`KeyPin`]s.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotThere`] where the keyring has none of them.
    pub fn restricted<P: Copy + Into<KeyPin>>(&self, pins: &[P]) -> Result<Self, KeyringError> {
        let pins: Vec<KeyPin> = pins.iter().map(|pin| (*pin).into()).collect();
        let restrict = |member: &Member| {
            let primary = member.certificate.fingerprint;
            let allowed = |fingerprint: Fingerprint| {
                pins.iter().any(|pin| pin.fingerprint == fingerprint || (pin.fingerprint == primary && !pin.exact))
            };
            let keys = member.fingerprints().filter(|fingerprint| allowed(*fingerprint));
            let only: BTreeSet<Fingerprint> = keys.collect();
            (!only.is_empty()).then(|| Member { certificate: Arc::clone(&member.certificate), only: Some(only) })
        };
        let members: Vec<Member> = self.members.iter().filter_map(restrict).collect();
        if members.is_empty() {
            return Err(KeyringError::NotThere { name: self.name.clone(), pins });
        }
        Ok(Self { name: self.name.clone(), members })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fingerprints of all keys that may sign, so far as their owners let them, in the order of the file.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.members.iter().flat_map(Member::fingerprints).collect()
    }

    /// The primary keys of all certificates of which some key may sign.
    pub(crate) fn primaries(&self) -> BTreeSet<Fingerprint> {
        self.members.iter().map(|member| member.certificate.fingerprint).collect()
    }

    /// Every key that is not left out, with its certificate.
    fn keys(&self) -> impl Iterator<Item = (&Certificate, Component<'_>)> {
        self.members.iter().flat_map(|member| {
            let certificate = &*member.certificate;
            let keys = certificate.components().filter(|key| member.allows(certificate.fingerprint_of(*key)));
            keys.map(move |key| (certificate, key))
        })
    }
}

impl Member {
    fn allows(&self, fingerprint: Fingerprint) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&fingerprint))
    }

    fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        let all = self.certificate.components().map(|key| self.certificate.fingerprint_of(key));
        all.filter(|fingerprint| self.allows(*fingerprint))
    }
}

/// The packets of all armoured blocks. Text between the blocks is let pass: people put notes there, and it is the user
/// who names the keyring.
fn dearmor(text: &[u8]) -> Result<Vec<u8>, KeyringError> {
    let mut packets = Vec::new();
    let mut lines = lines(text);
    while let Some((_, line)) = lines.next() {
        match line {
            BEGIN => packets.extend(read_block(&mut lines, END)?),
            line if line.starts_with(BEGIN_ANY) && line.windows(7).any(|word| word == b"PRIVATE") => {
                return Err(KeyringError::SecretKey);
            }
            _ => {}
        }
    }
    Ok(packets)
}

fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, KeyringError> {
    let mut certificates = Vec::new();
    let mut keys = 0;
    let mut open: Option<Builder> = None;
    for packet in Packets::new(bytes) {
        let packet = packet?;
        match packet.tag {
            tag::SECRET_KEY | tag::SECRET_SUBKEY => return Err(KeyringError::SecretKey),
            tag::PUBLIC_KEY => {
                keys += 1;
                if keys > MAX_CERTIFICATES {
                    return Err(KeyringError::TooManyKeys);
                }
                certificates.extend(open.take().map(Builder::finish));
                open = Certificate::new(packet.body).map(Builder::new);
            }
            tag if keys == 0 => return Err(KeyringError::NotAKey { tag }),
            _ => {
                // Leaving some out is no way: a revocation could be among them.
                if !open.as_mut().is_none_or(|open| open.add(packet)) {
                    return Err(KeyringError::TooManySignatures);
                }
            }
        }
    }
    certificates.extend(open.map(Builder::finish));
    match (keys, certificates.is_empty()) {
        (0, _) => Err(KeyringError::Empty),
        (keys, true) => Err(KeyringError::NoneKnown { keys }),
        _ => Ok(certificates),
    }
}

#[cfg(test)]
mod testkey;
#[cfg(test)]
mod tests;
