//! The file that cosign keeps a private key in: JSON with a secretbox, whose key scrypt derives from a password, as the
//! body of a PEM block. Its format is that of `github.com/secure-systems-lab/go-securesystemslib`, package `encrypted`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use distil_imgcore::json;
use scrypt::{Params, scrypt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::KeyError;
use super::pem::{self, MAX_PEM};

#[cfg(test)]
mod tests;

/// What cosign 2 and 3 write.
pub(super) const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// What cosign 1 wrote.
pub(super) const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";

const SALT: usize = 32;
const NONCE: usize = 24;

/// The memory that scrypt takes is 128 bytes times `N` times `r`, here at most 128 MiB.
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 1;
/// Binary logarithms of the values of `N` that are read. cosign 1 wrote the first, 2 and 3 write the second; the third
/// is the other one that its library reads.
const COSTS: [u8; 3] = [15, WRITTEN_COST, 17];
const WRITTEN_COST: u8 = 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    kdf: Derivation,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Derivation {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

/// What the secretbox needs to be opened, beside the password.
#[derive(Debug)]
pub(super) struct Sealed {
    log_n: u8,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    ciphertext: Vec<u8>,
}

impl Sealed {
    /// Reads a file. What costs memory or time comes later: a cost that is not allowed is refused here.
    pub(super) fn read(file: &[u8]) -> Result<Self, KeyError> {
        let block = pem::read(file)?;
        match block.label {
            LABEL | OLD_LABEL => Self::parse(&block.bytes),
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => Err(KeyError::NotSealed),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            other => Err(KeyError::Label { found: other.to_owned(), expected: LABEL }),
        }
    }

    fn parse(json: &[u8]) -> Result<Self, KeyError> {
        json::check(json, MAX_PEM).map_err(KeyError::Json)?;
        let members: Members =
            serde_json::from_slice(json).map_err(|error| KeyError::Members { detail: error.to_string() })?;
        if members.kdf.name != "scrypt" {
            return Err(KeyError::Derivation);
        }
        let Cost { n, r, p } = members.kdf.params;
        let cost = COSTS.into_iter().find(|log_n| n == 1 << log_n);
        let log_n = cost.filter(|_| r == u64::from(BLOCK_SIZE) && p == u64::from(PARALLEL));
        let log_n = log_n.ok_or(KeyError::Cost { n, r, p })?;
        if members.cipher.name != "nacl/secretbox" {
            return Err(KeyError::Cipher);
        }
        let salt = bytes("salt", "32 bytes", &members.kdf.salt)?;
        let nonce = bytes("nonce", "24 bytes", &members.cipher.nonce)?;
        let ciphertext = decoded("ciphertext", "bytes", &members.ciphertext)?;
        Ok(Self { log_n, salt, nonce, ciphertext })
    }

    /// Opens the secretbox.
    pub(super) fn open(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.open_with(&*derive(password, &self.salt, self.log_n)?)
    }

    fn open_with(&self, key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let cipher = XSalsa20Poly1305::new(Key::from_slice(key));
        let plain = cipher.decrypt(Nonce::from_slice(&self.nonce), self.ciphertext.as_slice());
        plain.map(Zeroizing::new).map_err(|_| KeyError::Password)
    }
}

/// Writes a file, the one that cosign writes of the same salt and nonce.
pub(super) fn seal(plain: &[u8], password: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let mut salt = [0; SALT];
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| KeyError::Random)?;
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| KeyError::Random)?;
    seal_with(plain, password, &salt, &nonce)
}

fn seal_with(
    plain: &[u8],
    password: &[u8],
    salt: &[u8; SALT],
    nonce: &[u8; NONCE],
) -> Result<Zeroizing<String>, KeyError> {
    let key = derive(password, salt, WRITTEN_COST)?;
    let cipher = XSalsa20Poly1305::new(Key::from_slice(key.as_slice()));
    let ciphertext = cipher.encrypt(Nonce::from_slice(nonce), plain).map_err(|_| KeyError::Unwritable)?;
    let members = Members {
        kdf: Derivation {
            name: "scrypt".to_owned(),
            params: Cost { n: 1 << WRITTEN_COST, r: u64::from(BLOCK_SIZE), p: u64::from(PARALLEL) },
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&members).map_err(|_| KeyError::Unwritable)?;
    Ok(Zeroizing::new(pem::write(LABEL, &json)))
}

fn derive(password: &[u8], salt: &[u8; SALT], log_n: u8) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let cost = KeyError::Cost { n: 1 << log_n, r: u64::from(BLOCK_SIZE), p: u64::from(PARALLEL) };
    let Ok(params) = Params::new(log_n, BLOCK_SIZE, PARALLEL) else { return Err(cost) };
    let mut key = Zeroizing::new([0; 32]);
    scrypt(password, salt, &params, key.as_mut_slice()).map_err(|_| cost)?;
    Ok(key)
}

fn decoded(member: &'static str, expected: &'static str, text: &str) -> Result<Vec<u8>, KeyError> {
    STANDARD.decode(text).map_err(|_| KeyError::Member { member, expected })
}

fn bytes<const N: usize>(member: &'static str, expected: &'static str, text: &str) -> Result<[u8; N], KeyError> {
    decoded(member, expected, text)?.try_into().map_err(|_| KeyError::Member { member, expected })
}
