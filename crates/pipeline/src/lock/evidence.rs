//! What was verified of a repository, as a lock states it.

use distil_aptrepo::lock::{IndexEvidence, RepositoryEvidence, SignedFile};
use distil_aptrepo::{Repository, SignedBytes};
use distil_imgcore::Digest;

/// The evidence for one repository.
pub(super) fn evidence(repository: &Repository) -> RepositoryEvidence {
    let release = &repository.release;
    let signer = release.signer();
    let text = |text: Option<&str>| text.map(str::to_owned);
    let mut indices: Vec<IndexEvidence> = repository
        .indices
        .iter()
        .map(|index| IndexEvidence { path: index.path.clone(), size: index.size, sha256: index.sha256.clone() })
        .collect();
    indices.sort_by(|a, b| a.path.cmp(&b.path));
    RepositoryEvidence {
        suite: repository.source.suite.clone(),
        codename: text(release.codename()),
        origin: text(release.origin()),
        label: text(release.label()),
        version: text(release.version()),
        signed: signed(&repository.signed),
        primary_key: signer.primary,
        key: signer.key,
        signed_at: signer.created,
        date: release.date(),
        valid_until: release.valid_until(),
        snapshot: repository.source.snapshot,
        indices,
    }
}

fn signed(bytes: &SignedBytes) -> SignedFile {
    match bytes {
        SignedBytes::Inline(bytes) => SignedFile::Inline { digest: Digest::of(bytes) },
        SignedBytes::Detached { release, signature } => {
            SignedFile::Detached { release: Digest::of(release), signature: Digest::of(signature) }
        }
    }
}
