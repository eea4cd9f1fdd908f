//! Signatures of files.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::{Digest, Escaped};
use distil_signing::bundle::{self, By, MessageDigest};
use distil_signing::key::{self, KeyKind, PublicKey, Signer, SignerError};
use distil_signing::keyless::{Evidence, Logged};
use distil_signing::legacy::MAX_LAYER;
use distil_signing::verify::{self, Artifact, Detached, Report, Requirements, SignedBy, VerifiedBlob};
use schemars::JsonSchema;
use serde::Serialize;

use super::document::named;
use super::vouched::{VouchError, Vouched};
use crate::whole_file;

#[cfg(test)]
mod tests;

/// Bytes of a file that is kept in memory: 512 MiB. Of a larger one there is the SHA-256, which is what ECDSA P-256 and RSA
/// sign; the other kinds of keys cannot sign it or verify its signature.
pub const MAX_BYTES: u64 = 512 << 20;

/// A file that is signed, or whose signature is verified.
pub struct Blob {
    name: String,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    Digest { digest: Digest, limit: u64 },
}

/// The signature of a file.
#[derive(Debug)]
pub struct SignedBlob {
    digest: Digest,
    stated: MessageDigest,
    key: PublicKey,
    signature: Vec<u8>,
    evidence: Option<Evidence>,
}

/// What a bundle of a file's signature is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlobBundle {
    /// A sigstore bundle of version 0.3, which cosign 3 reads, and cosign 2 with `--new-bundle-format`.
    #[default]
    Sigstore,
    /// What cosign 2 writes by default, and both read: `{"base64Signature":"…"}`.
    Legacy,
}

/// The JSON document of `sign-blob`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SignedBlobDocument {
    /// `distil.signed-blob/v1`.
    pub schema: String,
    /// The SHA-256 of the file.
    pub digest: String,
    /// The fingerprint of the key: `sha256:` and the SHA-256 of its `SubjectPublicKeyInfo`.
    pub key: String,
    /// The name in the certificate, where it was signed with one, and not with a key that verifiers have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Who vouches for that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The signature in base64; of ECDSA, in DER.
    pub signature: String,
    /// The file that the signature was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_signature: Option<String>,
    /// The file that the bundle was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
}

/// Why the signature of a file was not made, or cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// A file cannot be read.
    #[error("cannot read {}", Escaped(.name.as_bytes()))]
    Read {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A signature has more bytes than any.
    #[error("{} has more than {limit} bytes", Escaped(.name.as_bytes()))]
    TooLarge {
        /// The file.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// A file that is too large for this kind of key, or for what keeps the key.
    #[error("{} has more than {limit} bytes, and this {kind} key signs no SHA-256 of them", Escaped(.name.as_bytes()))]
    Unsignable {
        /// The file.
        name: String,
        /// The limit.
        limit: u64,
        /// The kind of the key.
        kind: KeyKind,
    },
    /// The key made no signature.
    #[error("cannot sign")]
    Sign(#[from] SignerError),
    /// The key is one that nobody keeps, and nobody vouches for its signature.
    #[error("cannot sign")]
    Vouch(#[from] VouchError),
    /// A file cannot be written.
    #[error("cannot write {}", Escaped::path(.path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where the signature of a file lies.
#[derive(Debug, Clone, Copy)]
pub enum SignatureFile<'a> {
    /// In base64, alone.
    Signature(&'a Path),
    /// In a bundle of either form.
    Bundle(&'a Path),
}

/// Signs a file with a key.
///
/// # Errors
/// [`BlobError::Sign`], and [`BlobError::Unsignable`] for files above [`MAX_BYTES`].
pub fn sign_blob(blob: &Blob, signer: &dyn Signer) -> Result<SignedBlob, BlobError> {
    let key = signer.public_key().clone();
    let (digest, stated, signature) = match &blob.content {
        Content::Bytes(bytes) => {
            (Digest::of(bytes), MessageDigest::for_key(key.kind(), bytes), key::sign(signer, bytes)?)
        }
        Content::Digest { digest, limit } => {
            let unsignable = || BlobError::Unsignable { name: blob.name.clone(), limit: *limit, kind: key.kind() };
            let sha256 = digest.as_sha256().ok_or_else(unsignable)?;
            let signature = key::sign_sha256(signer, sha256)?.ok_or_else(unsignable)?;
            (digest.clone(), MessageDigest::of_sha256(*sha256), signature)
        }
    };
    let made = SignedBlob { digest, stated, key, signature, evidence: None };
    // As many bytes as a log wants: of this kind are the keys that nobody keeps.
    let Some(sha256) = made.digest.as_sha256() else { return Ok(made) };
    let logged = Logged::Bytes { digest: sha256, signature: &made.signature };
    let Some(vouched) = Vouched::of(signer, logged)? else { return Ok(made) };
    let evidence = vouched.evidence(&made.signature)?;
    let made = SignedBlob { evidence: Some(evidence.clone()), ..made };
    let bundle = Detached::Bundle(made.to_bundle(BlobBundle::Sigstore));
    vouched.check(&evidence, |wanted| verify::blob(&blob.artifact(), "", &bundle, wanted))?;
    Ok(made)
}

/// Verifies the signature of a file. A bundle with a statement about the file is none.
///
/// # Errors
/// [`BlobError`] where the signature cannot be read. A signature that does not verify is a report, and no error.
pub fn verify_blob(
    blob: &Blob,
    signature: SignatureFile<'_>,
    wanted: &Requirements,
) -> Result<Report<VerifiedBlob>, BlobError> {
    let (path, detached): (_, fn(Vec<u8>) -> Detached) = match signature {
        SignatureFile::Signature(path) => (path, Detached::Signature),
        SignatureFile::Bundle(path) => (path, Detached::Bundle),
    };
    let bytes = read_signature(path)?;
    let place = path.to_string_lossy();
    Ok(verify::blob(&blob.artifact(), &place, &detached(bytes), wanted))
}

/// What sigstore's client protocol has a bundle verified against.
#[derive(Debug)]
pub enum Subject {
    /// A file.
    Blob(Blob),
    /// The digest of one that is somewhere else.
    Digest(Digest),
}

/// Verifies a bundle about a file as sigstore's [client protocol] asks it: it may hold a signature of the file, or a statement
/// of any type with the file among its subjects.
///
/// # Errors
/// As [`verify_blob`].
///
/// [client protocol]: https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md
pub fn verify_bundle(
    subject: &Subject,
    bundle: &Path,
    wanted: &Requirements,
) -> Result<Report<VerifiedBlob>, BlobError> {
    let bytes = read_signature(bundle)?;
    let artifact = match subject {
        Subject::Blob(blob) => blob.artifact(),
        Subject::Digest(digest) => Artifact::Digest(digest.clone()),
    };
    Ok(verify::bundle(&artifact, &bundle.to_string_lossy(), bytes, wanted))
}

impl Blob {
    /// Reads a file. A pipe will do.
    ///
    /// # Errors
    /// [`BlobError::Read`].
    pub fn open(path: &Path) -> Result<Self, BlobError> {
        let name = path.to_string_lossy();
        let file = File::open(path).map_err(|source| BlobError::Read { name: name.to_string(), source })?;
        Self::read(&name, file)
    }

    /// Reads a stream to its end; `name` is for messages.
    ///
    /// # Errors
    /// [`BlobError::Read`].
    pub fn read(name: &str, stream: impl Read) -> Result<Self, BlobError> {
        Self::read_keeping(name, stream, MAX_BYTES)
    }

    fn read_keeping(name: &str, mut stream: impl Read, limit: u64) -> Result<Self, BlobError> {
        let failed = |source| BlobError::Read { name: name.to_owned(), source };
        let mut bytes = Vec::new();
        stream.by_ref().take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        let content = if bytes.len() as u64 > limit {
            let mut hash = DigestWriter::new(io::sink());
            hash.write_all(&bytes).and_then(|()| io::copy(&mut stream, &mut hash)).map_err(failed)?;
            Content::Digest { digest: hash.finish().1, limit }
        } else {
            Content::Bytes(bytes)
        };
        Ok(Self { name: name.to_owned(), content })
    }

    fn artifact(&self) -> Artifact<'_> {
        match &self.content {
            Content::Bytes(bytes) => Artifact::Bytes(bytes),
            Content::Digest { digest, .. } => Artifact::Digest(digest.clone()),
        }
    }
}

impl SignedBlob {
    /// The signature in base64, without a line end: what cosign has in the file of `--output-signature`.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.signature)
    }

    /// Whom the certificate names, where the key is one that nobody keeps. The signature by itself is nothing then.
    #[must_use]
    pub fn certified(&self) -> Option<&SignedBy> {
        self.evidence.as_ref().map(|evidence| evidence.certificate.signer())
    }

    /// The signature as a bundle.
    #[must_use]
    pub fn to_bundle(&self, form: BlobBundle) -> Vec<u8> {
        let by = self.evidence.as_ref().map_or(By::Key(&self.key), By::Evidence);
        match form {
            BlobBundle::Sigstore => bundle::of_message(by, &self.stated, &self.signature),
            BlobBundle::Legacy => bundle::legacy_of_message(by, &self.signature),
        }
    }

    /// Writes the signature into a file, whole, in the place of what is there.
    ///
    /// # Errors
    /// [`BlobError::Write`].
    pub fn write_signature(&self, path: &Path) -> Result<(), BlobError> {
        write(path, self.to_base64().as_bytes())
    }

    /// Writes a bundle into a file, whole, in the place of what is there.
    ///
    /// # Errors
    /// [`BlobError::Write`].
    pub fn write_bundle(&self, path: &Path, form: BlobBundle) -> Result<(), BlobError> {
        write(path, &self.to_bundle(form))
    }

    /// The document about it, with the files that it was written to.
    #[must_use]
    pub fn document(&self, output_signature: Option<&Path>, bundle: Option<&Path>) -> SignedBlobDocument {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let (identity, issuer) = named(self.certified());
        SignedBlobDocument {
            schema: "distil.signed-blob/v1".to_owned(),
            digest: self.digest.to_string(),
            key: self.key.fingerprint().to_string(),
            identity,
            issuer,
            signature: self.to_base64(),
            output_signature: output_signature.map(shown),
            bundle: bundle.map(shown),
        }
    }
}

impl BlobError {
    /// Whether the trusted root that was given says no.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Vouch(error) if error.is_no())
    }

    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        matches!(self, Self::Unsignable { .. })
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("name", &self.name).finish_non_exhaustive()
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), BlobError> {
    whole_file::deliver(path, content).map_err(|source| BlobError::Write { path: path.to_owned(), source })
}

/// Reads the file of a signature, as far as one can go. A pipe will do.
fn read_signature(path: &Path) -> Result<Vec<u8>, BlobError> {
    let name = || path.to_string_lossy().into_owned();
    let (limit, mut bytes) = (MAX_LAYER as u64, Vec::new());
    let read = File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|source| BlobError::Read { name: name(), source })?;
    if bytes.len() as u64 > limit { Err(BlobError::TooLarge { name: name(), limit }) } else { Ok(bytes) }
}
