//! A log as Rekor is one, version 1.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::key::Key;
use crate::encoding::{base64, base64_decoded, hex};

const ORIGIN: &str = "rekor.distil.test - 4242";
/// Entries of other trees before this one.
const BEFORE: u64 = 5000;

type Hash = [u8; 32];

/// The log, with what it holds.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) key: Key,
    leaves: Vec<Hash>,
}

impl Log {
    /// A log with an entry of somebody else.
    pub(super) fn new(key: Key) -> Self {
        Self { key, leaves: vec![leaf(b"somebody else's")] }
    }

    /// Takes an entry as it was proposed, and answers; nothing where it is none.
    pub(super) fn take(&mut self, proposed: &Value, now: u64) -> Option<Value> {
        let body = body(proposed)?.to_string();
        self.leaves.push(leaf(body.as_bytes()));
        let at = self.leaves.len() - 1;
        let id = hex(&self.key.id());
        let index = BEFORE + at as u64;
        let payload = json!({"body": base64(body.as_bytes()), "integratedTime": now, "logID": id, "logIndex": index});
        // The members are sorted, so this is canonical.
        let promise = self.key.sign(payload.to_string().as_bytes());
        let (root, path) = (root(&self.leaves), path(at, &self.leaves));
        let note = format!("{ORIGIN}\n{}\n{}\n", self.leaves.len(), base64(&root));
        let signature = [&self.key.id()[..4], &self.key.sign(note.as_bytes())].concat();
        let checkpoint = format!("{note}\n\u{2014} rekor.distil.test {}\n", base64(&signature));
        let mut entry = payload;
        entry["verification"] = json!({
            "signedEntryTimestamp": base64(&promise),
            "inclusionProof": {
                "checkpoint": checkpoint, "hashes": path.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), "logIndex": at,
                "rootHash": hex(&root), "treeSize": self.leaves.len(),
            },
        });
        Some(json!({hex(&self.leaves[at]): entry}))
    }
}

/// What a log writes down of what is proposed.
fn body(proposed: &Value) -> Option<Value> {
    let spec = match proposed["kind"].as_str()? {
        "hashedrekord" => proposed["spec"].clone(),
        "dsse" => {
            let content = &proposed["spec"]["proposedContent"];
            let text = content["envelope"].as_str()?;
            let envelope: Value = serde_json::from_str(text).ok()?;
            let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&Sha256::digest(bytes))});
            let payload = base64_decoded(envelope["payload"].as_str()?)?;
            let signature = &envelope["signatures"][0]["sig"];
            json!({
                "envelopeHash": hash(text.as_bytes()), "payloadHash": hash(&payload),
                "signatures": [{"signature": signature, "verifier": content["verifiers"][0]}],
            })
        }
        _ => return None,
    };
    Some(json!({"apiVersion": proposed["apiVersion"], "kind": proposed["kind"], "spec": spec}))
}

fn leaf(bytes: &[u8]) -> Hash {
    Sha256::digest([&[0], bytes].concat()).into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1], &left[..], right].concat()).into()
}

/// RFC 6962, section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    if let [one] = leaves {
        return *one;
    }
    let (left, right) = leaves.split_at(half(leaves));
    node(&root(left), &root(right))
}

/// RFC 6962, section 2.1.1.
fn path(at: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let half = half(leaves);
    let (left, right) = leaves.split_at(half);
    let (mut found, beside) =
        if at < half { (path(at, left), root(right)) } else { (path(at - half, right), root(left)) };
    found.push(beside);
    found
}

fn half(leaves: &[Hash]) -> usize {
    leaves.len().next_power_of_two() / 2
}
