//! Certificates: a primary key, what it says of itself, and its subkeys.

use pgp::packet::{PacketHeader, PublicKey, PublicSubkey, UserId};
use pgp::types::{KeyDetails, KeyVersion, Tag};

use super::packets::{Packet, tag};
use crate::fingerprint::Fingerprint;

/// Signatures that one key or user may have. The keys of well-known people have hundreds.
const MAX_SIGNATURES: usize = 4096;

/// A certificate as it was read. Nothing of what its signatures say is believed yet: they are kept as bytes until a
/// signature of a document names one of the keys.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) primary: PublicKey,
    pub(super) fingerprint: Fingerprint,
    /// Signatures of the primary key itself: direct ones and revocations.
    pub(super) signatures: Vec<Box<[u8]>>,
    pub(super) users: Vec<User>,
    pub(super) subkeys: Vec<Subkey>,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) signatures: Vec<Box<[u8]>>,
}

#[derive(Debug)]
pub(super) struct Subkey {
    pub(super) key: PublicSubkey,
    pub(super) fingerprint: Fingerprint,
    pub(super) signatures: Vec<Box<[u8]>>,
}

/// One of the keys of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Component<'a> {
    Primary(&'a PublicKey),
    Subkey(&'a Subkey),
}

impl Certificate {
    /// Starts a certificate with the content of a public key packet; `None` where the key is of no version or kind that
    /// is known.
    pub(super) fn new(body: &[u8]) -> Option<Self> {
        let primary = PublicKey::try_from_reader(header(Tag::PublicKey, body)?, body).ok()?;
        let fingerprint = known_version(&primary)?;
        Some(Self { primary, fingerprint, signatures: Vec::new(), users: Vec::new(), subkeys: Vec::new() })
    }

    /// Every key, the primary first.
    pub(super) fn components(&self) -> impl Iterator<Item = Component<'_>> {
        std::iter::once(Component::Primary(&self.primary)).chain(self.subkeys.iter().map(Component::Subkey))
    }

    pub(super) fn fingerprint_of(&self, component: Component<'_>) -> Fingerprint {
        match component {
            Component::Primary(_) => self.fingerprint,
            Component::Subkey(subkey) => subkey.fingerprint,
        }
    }
}

/// Puts packets after a primary key where they belong: signatures are those of the packet before them.
#[derive(Debug)]
pub(super) struct Builder {
    certificate: Certificate,
    last: Last,
}

/// What the next signature is of.
#[derive(Debug)]
enum Last {
    Primary,
    User,
    Subkey,
    /// Something that does not matter here, or cannot be read.
    Other,
}

impl Builder {
    pub(super) fn new(certificate: Certificate) -> Self {
        Self { certificate, last: Last::Primary }
    }

    /// Adds a packet; whether there was room for it.
    pub(super) fn add(&mut self, packet: Packet<'_>) -> bool {
        let Certificate { signatures, users, subkeys, .. } = &mut self.certificate;
        match packet.tag {
            tag::SIGNATURE => {
                let signatures = match self.last {
                    Last::Primary => Some(signatures),
                    Last::User => users.last_mut().map(|user| &mut user.signatures),
                    Last::Subkey => subkeys.last_mut().map(|subkey| &mut subkey.signatures),
                    Last::Other => None,
                };
                if let Some(signatures) = signatures {
                    signatures.push(packet.body.into());
                    return signatures.len() <= MAX_SIGNATURES;
                }
            }
            tag::USER_ID => {
                let id = header(Tag::UserId, packet.body).and_then(|h| UserId::try_from_reader(h, packet.body).ok());
                self.last = if id.is_some() { Last::User } else { Last::Other };
                users.extend(id.map(|id| User { id, signatures: Vec::new() }));
            }
            tag::PUBLIC_SUBKEY => {
                let key = header(Tag::PublicSubkey, packet.body)
                    .and_then(|h| PublicSubkey::try_from_reader(h, packet.body).ok())
                    .and_then(|key| known_version(&key).map(|fingerprint| (key, fingerprint)));
                self.last = if key.is_some() { Last::Subkey } else { Last::Other };
                subkeys.extend(key.map(|(key, fingerprint)| Subkey { key, fingerprint, signatures: Vec::new() }));
            }
            _ => self.last = Last::Other,
        }
        true
    }

    pub(super) fn finish(self) -> Certificate {
        self.certificate
    }
}

/// The library keeps the header of each packet; this is the one that the packet would have today.
fn header(tag: Tag, body: &[u8]) -> Option<PacketHeader> {
    Some(PacketHeader::new_fixed(tag, u32::try_from(body.len()).ok()?))
}

/// The fingerprint of keys of versions 4 and 6. Version 3 names its keys by MD5.
fn known_version(key: &impl KeyDetails) -> Option<Fingerprint> {
    let known = matches!(key.version(), KeyVersion::V4 | KeyVersion::V6);
    Fingerprint::from_bytes(key.fingerprint().as_bytes()).filter(|_| known)
}
