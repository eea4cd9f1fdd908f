//! Keys of services, kept and used by openssl.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::program::Program;

/// A key on P-256 in a file.
#[derive(Debug, Clone)]
pub(super) struct Key {
    path: PathBuf,
    /// Of the public key.
    pub(super) spki: Vec<u8>,
}

impl Key {
    /// Makes one of this name.
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let path = folder.join(format!("{name}.key"));
        let made = Program::new("openssl").args(["genpkey", "-algorithm", "EC"]);
        let made = made.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-out"]).arg(&path);
        let _made = made.run().success();
        let spki = Program::new("openssl").args(["pkey", "-pubout", "-outform", "DER", "-in"]).arg(&path).run();
        let key = Self { spki: spki.success().stdout, path };
        let _written = Program::new("openssl")
            .args(["pkey", "-pubout", "-in"])
            .arg(&key.path)
            .arg("-out")
            .arg(folder.join(format!("{name}.pub")))
            .run()
            .success();
        key
    }

    /// Signs by ECDSA with SHA-256, in DER.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let sign = Program::new("openssl").args(["dgst", "-sha256", "-sign"]).arg(&self.path);
        sign.input(message.to_vec()).run().success().stdout
    }

    /// The file of the private key.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the public key, by which logs are known.
    pub(super) fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.spki).into()
    }
}

/// The public key in a PEM text, as DER; none where it is no key.
pub(super) fn public(pem: &str) -> Option<Vec<u8>> {
    let ran = Program::new("openssl").args(["pkey", "-pubin", "-outform", "DER"]).input(pem.into()).run();
    ran.status.success().then_some(ran.stdout)
}

/// Whether a signature by a key in PEM is over a message.
pub(super) fn verifies(pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let (_guard, folder) = crate::program::folder();
    fs::write(folder.join("key"), pem).unwrap();
    fs::write(folder.join("signature"), signature).unwrap();
    let ran = Program::new("openssl").args(["dgst", "-sha256", "-verify", "key", "-signature", "signature"]);
    ran.current_dir(&folder).input(message.to_vec()).run().status.success()
}
