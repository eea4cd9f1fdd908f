//! Whether a key may sign documents: what its owner says of it, checked signature by signature.
//!
//! The library can only verify a certificate as a whole, and then one certification by a stranger, which Debian's keys
//! have many of, makes it fail. So only the owner's own signatures are looked at here: the newest valid one decides what
//! the key is for and how long it lasts, whatever its date, since it is the owner's last word; revocations decide
//! against it.

use pgp::packet::{RevocationCode, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion, Tag};

use super::certificate::{Certificate, Component, Subkey, User};
use super::fault::SignatureReason;
use super::policy::{check_key, demands_more, read_signature, times, weak_hash};
use crate::time::Timestamp;

/// Signatures of one key or user that are tried at most. The owner's own are few; certifications by others are told
/// apart by their issuer, before anything is computed.
const MAX_TRIED: usize = 64;

/// When a document was signed, and as of when it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub(super) made: Timestamp,
    pub(super) at: Timestamp,
}

impl Certificate {
    /// Checks that this key of the certificate may sign documents.
    pub(super) fn check_signer(&self, key: Component<'_>, moments: Moments) -> Result<(), SignatureReason> {
        check_key(&self.primary)?;
        let revoked = self.signatures.iter().filter_map(|body| {
            let signature = self.own(body, &[SignatureType::KeyRevocation])?;
            signature.verify_key(&self.primary).is_ok().then_some(signature)
        });
        check_revocations(revoked.take(MAX_TRIED), moments)?;
        let primary = self.primary_binding(moments)?;
        check_age(&self.primary, &primary, moments)?;
        match key {
            // A key without any flags is from before there were flags, and is for everything.
            Component::Primary(_) if flags(&primary).unwrap_or(true) => Ok(()),
            Component::Primary(_) => Err(SignatureReason::MayNotSign),
            Component::Subkey(subkey) => self.check_subkey(subkey, moments),
        }
    }

    fn check_subkey(&self, subkey: &Subkey, moments: Moments) -> Result<(), SignatureReason> {
        check_key(&subkey.key)?;
        let of_kind = |kind| {
            let bodies = subkey.signatures.iter();
            bodies.filter_map(move |body| self.own(body, &[kind]))
        };
        let verifies = |signature: &Signature| signature.verify_subkey_binding(&self.primary, &subkey.key).is_ok();
        let revoked = of_kind(SignatureType::SubkeyRevocation).filter(verifies);
        check_revocations(revoked.take(MAX_TRIED), moments)?;
        let binding = newest(of_kind(SignatureType::SubkeyBinding).collect(), moments, |_, found| verifies(found))?;
        check_age(&subkey.key, &binding, moments)?;
        if !flags(&binding).unwrap_or(false) {
            return Err(SignatureReason::MayNotSign);
        }
        let back = binding.embedded_signature().ok_or(SignatureReason::NotCrossCertified)?;
        if let Some(hash) = weak_hash(back) {
            return Err(SignatureReason::WeakSelfSignature { hash });
        }
        let lasts = times(back).is_some_and(|(_, until)| until.is_none_or(|until| moments.at < until));
        let valid = lasts && !demands_more(back) && back.verify_primary_key_binding(&subkey.key, &self.primary).is_ok();
        if valid { Ok(()) } else { Err(SignatureReason::NotCrossCertified) }
    }

    /// The signature that says what the primary key is for: for version 6 it is one of the key itself; before, more
    /// often one of a user's name.
    fn primary_binding(&self, moments: Moments) -> Result<Signature, SignatureReason> {
        let direct = self.signatures.iter().filter_map(|body| self.own(body, &[SignatureType::Key]));
        let mut candidates: Vec<(Option<&User>, Signature)> = direct.map(|signature| (None, signature)).collect();
        if self.primary.version() == KeyVersion::V4 {
            for user in &self.users {
                let own = user.signatures.iter().filter_map(|body| self.own(body, CERTIFICATIONS));
                candidates.extend(own.map(|signature| (Some(user), signature)));
            }
        }
        let (users, signatures): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
        newest(signatures, moments, |index, signature| match users.get(index).copied().flatten() {
            None => signature.verify_key(&self.primary).is_ok(),
            Some(user) => {
                signature.verify_certification(&self.primary, Tag::UserId, &user.id).is_ok()
                    && !self.disowns(user, signature)
            }
        })
    }

    /// Whether the owner took back the name after this signature of it.
    fn disowns(&self, user: &User, signature: &Signature) -> bool {
        let revocations = user.signatures.iter().filter_map(|body| self.own(body, &[SignatureType::CertRevocation]));
        revocations.take(MAX_TRIED).any(|revocation| {
            revocation.created() >= signature.created()
                && revocation.verify_certification(&self.primary, Tag::UserId, &user.id).is_ok()
        })
    }

    /// Reads a signature, and gives it where it is of one of these kinds and says that the primary key made it.
    fn own(&self, body: &[u8], kinds: &[SignatureType]) -> Option<Signature> {
        let signature = read_signature(body)?;
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        let own = ids.is_empty() && fingerprints.is_empty()
            || ids.contains(&&self.primary.legacy_key_id())
            || fingerprints.contains(&&self.primary.fingerprint());
        (own && signature.typ().is_some_and(|kind| kinds.contains(&kind))).then_some(signature)
    }
}

const CERTIFICATIONS: &[SignatureType] =
    &[SignatureType::CertGeneric, SignatureType::CertPersona, SignatureType::CertCasual, SignatureType::CertPositive];

/// The newest signature that is strong, has not run out and verifies.
fn newest(
    signatures: Vec<Signature>,
    moments: Moments,
    verifies: impl Fn(usize, &Signature) -> bool,
) -> Result<Signature, SignatureReason> {
    let mut weak = None;
    let mut usable = Vec::new();
    for (index, signature) in signatures.into_iter().enumerate() {
        let Some((made, until)) = times(&signature) else { continue };
        if let Some(hash) = weak_hash(&signature) {
            weak = Some(hash);
        } else if !demands_more(&signature) && until.is_none_or(|until| moments.at < until) {
            usable.push((made, index, signature));
        }
    }
    // Where several were made in one second, the first in the file: the sort is stable.
    usable.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
    let found = usable.into_iter().take(MAX_TRIED).find(|(_, index, signature)| verifies(*index, signature));
    match (found, weak) {
        (Some((_, _, signature)), _) => Ok(signature),
        (None, Some(hash)) => Err(SignatureReason::WeakSelfSignature { hash }),
        (None, None) => Err(SignatureReason::NotBound),
    }
}

/// A key that was superseded or retired is good for what it signed before. For any other reason, and for none, someone
/// else may have the key and may date signatures as they like. Revocations count whatever hash they are made with:
/// who forges one only takes trust away.
fn check_revocations(revocations: impl Iterator<Item = Signature>, moments: Moments) -> Result<(), SignatureReason> {
    for revocation in revocations {
        let since = times(&revocation).map_or(Timestamp::from_seconds(0), |(made, _)| made);
        let reason = revocation.revocation_reason_code();
        let soft = matches!(reason, Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired));
        if !soft || since <= moments.made {
            return Err(SignatureReason::KeyRevoked { since });
        }
    }
    Ok(())
}

/// The key must be older than what it signed, and last beyond both moments.
fn check_age(key: &impl KeyDetails, binding: &Signature, moments: Moments) -> Result<(), SignatureReason> {
    let made = i64::from(key.created_at().as_secs());
    if moments.made.seconds() < made {
        return Err(SignatureReason::OlderThanKey);
    }
    let lasts = binding.key_expiration_time().map_or(0, |duration| i64::from(duration.as_secs()));
    let since = Timestamp::from_seconds(made + lasts);
    if lasts > 0 && (moments.made >= since || moments.at >= since) {
        return Err(SignatureReason::KeyExpired { since });
    }
    Ok(())
}

/// Whether the key is for signing; `None` where nothing is said about its use.
fn flags(binding: &Signature) -> Option<bool> {
    let mut parts = binding.config()?.hashed_subpackets();
    parts.find_map(|part| match &part.data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}
