//! Manifests and indexes that were read or written, so that nobody asks for them twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use distil_imgcore::{Digest, MediaType};

/// Bytes of all documents that are kept.
const MOST: usize = 32 << 20;

/// The documents of one run, checked against their digests; the oldest go first when there are too many bytes.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_digest: BTreeMap<Digest, (MediaType, Arc<[u8]>)>,
    order: VecDeque<Digest>,
    bytes: usize,
}

impl Documents {
    pub(super) fn get(&self, digest: &Digest) -> Option<(MediaType, Arc<[u8]>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    pub(super) fn keep(&self, digest: &Digest, media_type: &MediaType, bytes: &Arc<[u8]>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_digest.insert(digest.clone(), (media_type.clone(), Arc::clone(bytes))).is_some() {
            return;
        }
        kept.order.push_back(digest.clone());
        kept.bytes += bytes.len();
        while kept.bytes > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            let gone = kept.by_digest.remove(&oldest).map_or(0, |(_, bytes)| bytes.len());
            kept.bytes -= gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let documents = Documents::default();
        let media_type: MediaType = MediaType::MANIFEST.parse().unwrap();
        let blobs: Vec<Arc<[u8]>> = (0..9_u8).map(|n| vec![n; 4 << 20].into()).collect();
        let digests: Vec<Digest> = blobs.iter().map(|bytes| Digest::of(bytes)).collect();
        for (digest, bytes) in digests.iter().zip(&blobs) {
            documents.keep(digest, &media_type, bytes);
            documents.keep(digest, &media_type, bytes);
        }
        assert!(documents.get(&digests[0]).is_none());
        assert!(digests[1..].iter().all(|digest| documents.get(digest).is_some()));
    }
}
