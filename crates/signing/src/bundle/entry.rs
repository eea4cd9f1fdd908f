//! Entries of transparency logs.

use super::{BundleError, Version};
use crate::object::{FieldError, Object};

/// Hashes of a path: sizes of trees have 63 bits.
const MAX_PATH: usize = 63;
/// Bytes of a hash: all logs have SHA-256.
const HASH: usize = 32;

/// What a transparency log says: that it holds an entry, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The position in the whole log.
    pub log_index: u64,
    /// The log: SHA-256 of its public key, or of its name and key.
    pub log_id: Vec<u8>,
    /// What kind of entry it is, such as `hashedrekord`.
    pub kind: String,
    /// The version of that kind.
    pub kind_version: String,
    /// When the log took it, in seconds since 1970. It counts only where the promise signs it.
    pub integrated_time: Option<u64>,
    /// The log's signature over entry and time.
    pub promise: Option<Vec<u8>>,
    /// The proof that the log holds it.
    pub proof: Option<InclusionProof>,
    /// The entry: canonical JSON.
    pub body: Vec<u8>,
}

/// The proof that a tree holds an entry: [RFC 6962], section 2.1.1.
///
/// [RFC 6962]: https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The position in the tree, less than its size.
    pub log_index: u64,
    /// Entries of the tree.
    pub tree_size: u64,
    /// The hash of the tree.
    pub root_hash: [u8; HASH],
    /// The hashes beside the path from the entry to the root.
    pub hashes: Vec<[u8; HASH]>,
    /// The signed note in which the log states size and hash. Only version 0.1 may go without.
    pub checkpoint: Option<String>,
}

pub(super) fn entry(entry: Object<'_>, index: usize, version: Version) -> Result<LogEntry, BundleError> {
    let entry = entry.only(&[
        "logIndex",
        "logId",
        "kindVersion",
        "integratedTime",
        "inclusionPromise",
        "inclusionProof",
        "canonicalizedBody",
    ])?;
    let missing = |missing| BundleError::Entry { index, missing };
    let log = entry.require("logId", entry.object("logId", "logId")?)?.only(&["keyId"])?;
    let kind = entry.require("kindVersion", entry.object("kindVersion", "kindVersion")?)?.only(&["kind", "version"])?;
    let promise = match entry.object("inclusionPromise", "inclusionPromise")? {
        Some(promise) => promise.only(&["signedEntryTimestamp"])?.bytes("signedEntryTimestamp")?,
        None => None,
    };
    let proof = entry.object("inclusionProof", "inclusionProof")?.map(|found| proof(found, index)).transpose()?;
    let has_checkpoint = proof.as_ref().is_some_and(|proof| proof.checkpoint.is_some());
    match version {
        Version::V0_1 if promise.is_none() => return Err(missing("inclusion promise")),
        Version::V0_2 | Version::V0_3 if proof.is_none() => return Err(missing("inclusion proof")),
        Version::V0_2 | Version::V0_3 if !has_checkpoint => return Err(missing("checkpoint")),
        Version::V0_1 | Version::V0_2 | Version::V0_3 => {}
    }
    Ok(LogEntry {
        log_index: entry.count("logIndex")?.unwrap_or_default(),
        log_id: log.bytes("keyId")?.filter(|id| !id.is_empty()).ok_or_else(|| missing("log id"))?,
        kind: kind.text("kind")?.filter(|kind| !kind.is_empty()).ok_or_else(|| missing("kind"))?.to_owned(),
        kind_version: kind.require("version", kind.text("version")?)?.to_owned(),
        integrated_time: entry.count("integratedTime")?.filter(|time| *time > 0),
        promise,
        proof,
        body: entry.bytes("canonicalizedBody")?.filter(|body| !body.is_empty()).ok_or_else(|| missing("body"))?,
    })
}

fn proof(proof: Object<'_>, index: usize) -> Result<InclusionProof, BundleError> {
    let proof = proof.only(&["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"])?;
    let hash = |bytes: Vec<u8>| <[u8; HASH]>::try_from(bytes).map_err(|_| BundleError::Proof { index });
    let log_index = proof.count("logIndex")?.unwrap_or_default();
    let tree_size = proof.count("treeSize")?.unwrap_or_default();
    if log_index >= tree_size {
        return Err(BundleError::Proof { index });
    }
    let hashes = proof.list("hashes", MAX_PATH)?.iter().map(|item| {
        let bytes = Object::base64(item).ok_or_else(|| proof.wrong("hashes", "a list of base64"))?;
        hash(bytes)
    });
    let checkpoint = match proof.object("checkpoint", "checkpoint")? {
        Some(checkpoint) => checkpoint.only(&["envelope"])?.text("envelope")?,
        None => None,
    };
    Ok(InclusionProof {
        log_index,
        tree_size,
        root_hash: hash(proof.bytes("rootHash")?.unwrap_or_default())?,
        hashes: hashes.collect::<Result<_, BundleError>>()?,
        checkpoint: checkpoint.filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

/// Timestamps, beside the entries.
pub(super) fn timestamp(timestamp: Object<'_>) -> Result<Vec<u8>, FieldError> {
    let timestamp = timestamp.only(&["signedTimestamp"])?;
    timestamp.require("signedTimestamp", timestamp.bytes("signedTimestamp")?.filter(|bytes| !bytes.is_empty()))
}
