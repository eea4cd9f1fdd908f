//! Certificates made for tests, packet by packet, so that each can have exactly one fault.

use pgp::crypto::ed25519::{Mode, SecretKey as Ed25519};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PacketTrait, PubKeyInner, PublicKey, PublicSubkey, RevocationCode, SecretKey, SecretSubkey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::types::{
    Duration, KeyDetails, KeyVersion, PacketHeaderVersion, Password, PlainSecretParams, PublicParams, SecretParams,
    SignatureBytes, SigningKey, Tag, Timestamp,
};

/// When the keys are made, in seconds since 1970.
pub(super) const BORN: u32 = 1_700_000_000;

/// A key pair of a primary key.
#[derive(Clone)]
pub(super) struct Primary {
    pub(super) secret: SecretKey,
    pub(super) public: PublicKey,
}

/// A key pair of a subkey.
#[derive(Clone)]
pub(super) struct Sub {
    pub(super) secret: SecretSubkey,
    pub(super) public: PublicSubkey,
}

/// What a signature says, beside what it is of.
#[derive(Clone)]
pub(super) struct Says {
    pub(super) made: u32,
    pub(super) parts: Vec<Subpacket>,
    pub(super) hash: HashAlgorithm,
}

pub(super) fn says(made: u32) -> Says {
    Says { made, parts: Vec::new(), hash: HashAlgorithm::Sha512 }
}

impl Says {
    pub(super) fn and(mut self, data: SubpacketData) -> Self {
        self.parts.push(Subpacket::regular(data).unwrap());
        self
    }

    pub(super) fn demands(mut self, data: SubpacketData) -> Self {
        self.parts.push(Subpacket::critical(data).unwrap());
        self
    }

    pub(super) fn flags(self, certify: bool, sign: bool) -> Self {
        let mut flags = KeyFlags::default();
        flags.set_certify(certify);
        flags.set_sign(sign);
        flags.set_encrypt_comms(!certify && !sign);
        self.and(SubpacketData::KeyFlags(flags))
    }

    /// How long the key lasts from its making.
    pub(super) fn key_lasts(self, seconds: u32) -> Self {
        self.and(SubpacketData::KeyExpirationTime(Duration::from_secs(seconds)))
    }

    pub(super) fn lasts(self, seconds: u32) -> Self {
        self.and(SubpacketData::SignatureExpirationTime(Duration::from_secs(seconds)))
    }

    pub(super) fn because(self, reason: RevocationCode) -> Self {
        self.and(SubpacketData::RevocationReason(reason, Vec::new().into()))
    }

    fn config(&self, kind: SignatureType, signer: &impl KeyDetails) -> SignatureConfig {
        let algorithm = PublicKeyAlgorithm::Ed25519;
        let mut config = match signer.version() {
            KeyVersion::V6 => SignatureConfig::v6_with_salt(kind, algorithm, self.hash, vec![7; 32]),
            _ => SignatureConfig::v4(kind, algorithm, self.hash),
        };
        let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(self.made));
        let issuer = SubpacketData::IssuerFingerprint(signer.fingerprint());
        config.hashed_subpackets = [made, issuer].map(|data| Subpacket::regular(data).unwrap()).to_vec();
        config.hashed_subpackets.extend(self.parts.iter().cloned());
        config
    }
}

fn inner(seed: u8, version: KeyVersion, born: u32) -> (PubKeyInner, SecretParams) {
    let secret = Ed25519::try_from_bytes([seed; 32], Mode::Ed25519).unwrap();
    let public = PublicParams::Ed25519((&secret).into());
    let born = Timestamp::from_secs(born);
    let inner = PubKeyInner::new(version, PublicKeyAlgorithm::Ed25519, born, None, public).unwrap();
    (inner, SecretParams::Plain(PlainSecretParams::Ed25519(secret)))
}

fn password() -> Password {
    Password::empty()
}

impl Primary {
    pub(super) fn new(seed: u8, version: KeyVersion) -> Self {
        let (inner, secret) = inner(seed, version, BORN);
        let public = PublicKey::from_inner(inner).unwrap();
        Self { secret: SecretKey::new(public.clone(), secret).unwrap(), public }
    }

    pub(super) fn packet(&self) -> Vec<u8> {
        packet(&self.public)
    }

    /// A signature of the key itself: a direct one, or a revocation.
    pub(super) fn of_itself(&self, kind: SignatureType, says: &Says) -> Vec<u8> {
        packet(&says.config(kind, &self.public).sign_key(&self.secret, &password(), &self.public).unwrap())
    }

    /// A signature of a user name of another key, or of this one.
    pub(super) fn of_user(&self, owner: &Self, name: &str, kind: SignatureType, says: &Says) -> Vec<u8> {
        let id = user(name);
        let config = says.config(kind, &self.public);
        let signed = config.sign_certification_third_party(&self.secret, &password(), &owner.public, Tag::UserId, &id);
        packet(&signed.unwrap())
    }

    /// A signature that binds a subkey, or takes it back.
    pub(super) fn of_subkey(&self, sub: &Sub, kind: SignatureType, says: &Says) -> Vec<u8> {
        let config = says.config(kind, &self.public);
        packet(&config.sign_subkey_binding(&self.secret, &self.public, &password(), &sub.public).unwrap())
    }

    pub(super) fn sign(&self, says: &Says, document: &[u8]) -> Vec<u8> {
        packet(&says.config(SignatureType::Text, &self.public).sign(&self.secret, &password(), document).unwrap())
    }

    /// A signature whose kind does not fit a document.
    pub(super) fn sign_as(&self, kind: SignatureType, says: &Says, document: &[u8]) -> Vec<u8> {
        let mut config = says.config(SignatureType::Binary, &self.public);
        config.typ = kind;
        packet(&forged(config, &self.secret, document))
    }

    /// A signature that states this hash. The library makes none with a weak one, so it is not valid in itself; what is
    /// tested refuses it before that matters.
    pub(super) fn weakly(&self, kind: SignatureType, hash: HashAlgorithm, says: &Says) -> Vec<u8> {
        let config = Says { hash, ..says.clone() }.config(kind, &self.public);
        packet(&Signature::from_config(config, [0; 2], SignatureBytes::Native(vec![1; 64].into())).unwrap())
    }
}

impl Sub {
    pub(super) fn new(seed: u8, version: KeyVersion) -> Self {
        let (inner, secret) = inner(seed, version, BORN + 10);
        let public = PublicSubkey::from_inner(inner).unwrap();
        Self { secret: SecretSubkey::new(public.clone(), secret).unwrap(), public }
    }

    pub(super) fn packet(&self) -> Vec<u8> {
        packet(&self.public)
    }

    /// The signature that confirms to whom the subkey belongs.
    pub(super) fn back(&self, owner: &Primary, says: &Says) -> SubpacketData {
        let config = says.config(SignatureType::KeyBinding, &self.public);
        let signed = config.sign_primary_key_binding(&self.secret, &self.public, &password(), &owner.public);
        SubpacketData::EmbeddedSignature(Box::new(signed.unwrap()))
    }

    pub(super) fn sign(&self, says: &Says, document: &[u8]) -> Vec<u8> {
        packet(&says.config(SignatureType::Text, &self.public).sign(&self.secret, &password(), document).unwrap())
    }
}

pub(super) fn user_packet(name: &str) -> Vec<u8> {
    packet(&user(name))
}

fn user(name: &str) -> UserId {
    UserId::from_str(PacketHeaderVersion::New, name).unwrap()
}

fn packet(content: &impl PacketTrait) -> Vec<u8> {
    let mut bytes = Vec::new();
    content.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

fn forged(config: SignatureConfig, key: &impl SigningKey, document: &[u8]) -> Signature {
    let mut hasher = config.hash_alg.new_hasher().unwrap();
    hasher.update(document);
    let length = config.hash_signature_data(&mut hasher).unwrap();
    hasher.update(&config.trailer(length).unwrap());
    let hash = hasher.finalize();
    let start = [hash[0], hash[1]];
    let signature = key.sign(&password(), config.hash_alg, &hash).unwrap();
    Signature::from_config(config, start, signature).unwrap()
}
