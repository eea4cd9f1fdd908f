//! A certificate authority as Fulcio is one: a root, an authority below it, and a log of what it certifies.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::key::Key;
use crate::der::{bits, integer, octets, oid, sequence, set, text, value, yes};
use crate::encoding::base64;
use crate::program::Program;

/// The address that certificates name.
pub const IDENTITY: &str = "release@distil.test";
/// Who vouches for it.
pub const ISSUER: &str = "https://issuer.distil.test";

/// Minutes that a certificate lives.
const MINUTES: u64 = 10;
/// Seconds that authorities live, before and after now.
const DAY: u64 = 24 * 60 * 60;

const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// The authority. Each certificate is made by hand, so that each part of it can be wrong.
#[derive(Debug)]
pub(super) struct CertificateAuthority {
    key: Key,
    /// What logs certificates.
    pub(super) log: Key,
    root: Vec<u8>,
    intermediate: Vec<u8>,
    stamper: Vec<u8>,
}

/// What is certified.
struct Wanted<'a> {
    subject: &'a str,
    issuer: &'a str,
    spki: &'a [u8],
    from: u64,
    to: u64,
    extensions: Vec<Vec<u8>>,
}

impl CertificateAuthority {
    pub(super) fn new(folder: &Path, stamps: &Key, now: u64) -> Self {
        let (top, key, log) = (Key::new(folder, "root"), Key::new(folder, "fulcio"), Key::new(folder, "ctlog"));
        let certify = |subject: &str, spki: &[u8], extensions: Vec<Vec<u8>>| {
            let (from, to) = (now - DAY, now + DAY);
            signed(&top, &tbs(&Wanted { subject, issuer: "root", spki, from, to, extensions }))
        };
        let root = certify("root", &top.spki, vec![authority(None), usage(0x06, 1), own_id(&top.spki)]);
        let below =
            vec![authority(Some(0)), usage(0x06, 1), purpose(CODE_SIGNING, false), own_id(&key.spki), above(&top.spki)];
        let intermediate = certify("fulcio", &key.spki, below);
        let stamping = vec![usage(0x80, 7), purpose(TIME_STAMPING, true), own_id(&stamps.spki), above(&top.spki)];
        let stamper = certify("tsa", &stamps.spki, stamping);
        Self { key, log, root, intermediate, stamper }
    }

    /// The certificate of this key, as Fulcio makes it, and those above it.
    pub(super) fn certify(&self, spki: &[u8], now: u64, logs_well: bool) -> Vec<Vec<u8>> {
        let address = value(0x30, &value(0x81, IDENTITY.as_bytes()));
        let mut extensions = vec![
            usage(0x80, 7),
            purpose(CODE_SIGNING, false),
            own_id(spki),
            above(&self.key.spki),
            extension("2.5.29.17", true, &address),
            extension("1.3.6.1.4.1.57264.1.1", false, ISSUER.as_bytes()),
            extension("1.3.6.1.4.1.57264.1.8", false, &text(ISSUER)),
        ];
        let (from, to) = (now - 1, now + MINUTES * 60);
        let of = |extensions| tbs(&Wanted { subject: "", issuer: "fulcio", spki, from, to, extensions });
        let stamp = self.logged(&of(extensions.clone()), now, logs_well);
        extensions.push(extension("1.3.6.1.4.1.11129.2.4.2", false, &octets(&stamp)));
        vec![signed(&self.key, &of(extensions)), self.intermediate.clone(), self.root.clone()]
    }

    /// Those above the certificates, the lowest first.
    pub(super) fn chain(&self) -> [&[u8]; 2] {
        [&self.intermediate, &self.root]
    }

    /// The certificate of the timestamp authority, and the one above it.
    pub(super) fn stampers(&self) -> [&[u8]; 2] {
        [&self.stamper, &self.root]
    }

    /// The list of the one timestamp over a certificate that has none yet: RFC 6962, sections 3.2 and 3.3.
    fn logged(&self, tbs: &[u8], now: u64, well: bool) -> Vec<u8> {
        let time = (now * 1000).to_be_bytes();
        let length = u32::try_from(tbs.len()).unwrap().to_be_bytes();
        let issuer: [u8; 32] = Sha256::digest(&self.key.spki).into();
        let signed = [&[0, 0], &time[..], &[0, 1], &issuer, &length[1..], tbs, &[0, 0]].concat();
        let by = if well { &self.log } else { &self.key };
        let signature = by.sign(&signed);
        let stamp = [&[0], &self.log.id()[..], &time, &[0, 0, 4, 3], &prefixed(&signature)].concat();
        prefixed(&prefixed(&stamp))
    }
}

/// A certificate as PEM.
pub(super) fn pem(der: &[u8]) -> String {
    let text = base64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn signed(by: &Key, tbs: &[u8]) -> Vec<u8> {
    sequence(&[tbs.to_vec(), sequence(&[oid(ECDSA_SHA256)]), bits(0, &by.sign(tbs))])
}

fn tbs(wanted: &Wanted<'_>) -> Vec<u8> {
    let Wanted { subject, issuer, spki, from, to, extensions } = wanted;
    // A number of its own for each certificate, and the same for a certificate with and without its timestamp.
    let number: [u8; 32] = Sha256::digest([spki, &from.to_be_bytes()[..]].concat()).into();
    sequence(&[
        value(0xa0, &integer(&[2])),
        integer(&[&[1], &number[..15]].concat()),
        sequence(&[oid(ECDSA_SHA256)]),
        name(issuer),
        sequence(&[time(*from), time(*to)]),
        name(subject),
        spki.to_vec(),
        value(0xa3, &sequence(extensions)),
    ])
}

fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence(&[]);
    }
    let part = |kind: &str, what: &str| set(&sequence(&[oid(kind), text(what)]));
    sequence(&[part("2.5.4.10", "distil test"), part("2.5.4.3", common)])
}

fn time(seconds: u64) -> Vec<u8> {
    let told = Program::new("date").args(["-u", "+%y%m%d%H%M%SZ", "-d", &format!("@{seconds}")]).run().success();
    value(0x17, told.text().trim().as_bytes())
}

fn extension(kind: &str, critical: bool, content: &[u8]) -> Vec<u8> {
    let critical = if critical { yes() } else { Vec::new() };
    sequence(&[oid(kind), critical, octets(content)])
}

fn usage(byte: u8, unused: u8) -> Vec<u8> {
    extension("2.5.29.15", true, &bits(unused, &[byte]))
}

fn purpose(kind: &str, critical: bool) -> Vec<u8> {
    extension("2.5.29.37", critical, &sequence(&[oid(kind)]))
}

fn authority(below: Option<u8>) -> Vec<u8> {
    let limit = below.map_or(Vec::new(), |limit| integer(&[limit]));
    extension("2.5.29.19", true, &sequence(&[yes(), limit]))
}

fn own_id(spki: &[u8]) -> Vec<u8> {
    extension("2.5.29.14", false, &octets(&id(spki)))
}

fn above(spki: &[u8]) -> Vec<u8> {
    extension("2.5.29.35", false, &sequence(&[value(0x80, &id(spki))]))
}

fn id(spki: &[u8]) -> Vec<u8> {
    Sha256::digest(spki)[..20].to_vec()
}
