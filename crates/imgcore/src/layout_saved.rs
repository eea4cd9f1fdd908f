//! Layouts that `cosign save` wrote: they hold one image, and say by an annotation what each entry is, not by a name.

use crate::attachment::AttachmentKind;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::dir::Dir;
use crate::document::{Document, MAX_DOCUMENT};
use crate::error::Error;
use crate::listing::{Listing, MAX_SEARCH};
use crate::media_type::MediaType;

/// The annotation that says what an entry is.
pub(crate) const KIND: &str = "kind";
pub(crate) const IMAGE: &str = "dev.cosignproject.cosign/image";
pub(crate) const IMAGE_INDEX: &str = "dev.cosignproject.cosign/imageIndex";
pub(crate) const SIGNATURES: &str = "dev.cosignproject.cosign/sigs";
pub(crate) const ATTESTATIONS: &str = "dev.cosignproject.cosign/atts";
const IMAGES: [&str; 2] = [IMAGE, IMAGE_INDEX];

/// Whether an image is listed as `cosign save` lists it.
pub(crate) fn is_saved(listing: &Listing) -> bool {
    kinds(listing).any(|(kind, _)| IMAGES.contains(&kind))
}

/// The signatures and statements that have no name. They are about the image of the layout; which one that is, they do not
/// say.
pub(crate) fn attachments(listing: &Listing) -> Vec<(AttachmentKind, Descriptor)> {
    let kind = |kind: &str| match kind {
        SIGNATURES => Some(AttachmentKind::Signatures),
        ATTESTATIONS => Some(AttachmentKind::Attestations),
        _ => None,
    };
    kinds(listing).filter_map(|(found, entry)| Some((kind(found)?, entry.clone()))).collect()
}

/// The referrers of an image among all blobs of a directory: `cosign save` writes them and lists them nowhere. A blob that
/// is not what its name says is none.
pub(crate) fn referrers(blobs: &Dir, place: &str, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
    let hex = subject.hex();
    let limit = u64::try_from(MAX_DOCUMENT).unwrap_or(u64::MAX);
    let mut found = Vec::new();
    let names = blobs.names()?;
    if names.len() > MAX_SEARCH {
        return Err(Error::TooMany { what: "blobs", limit: MAX_SEARCH, place: place.to_owned() });
    }
    for name in names {
        if blobs.size(&name)?.is_none_or(|size| size > limit) {
            continue;
        }
        let bytes = blobs.read(&name, MAX_DOCUMENT)?;
        let names_subject = bytes.starts_with(b"{") && bytes.windows(hex.len()).any(|part| part == hex.as_bytes());
        let descriptor = Descriptor::of(MediaType::known(MediaType::MANIFEST), &bytes);
        if !names_subject || descriptor.digest().hex() != name {
            continue;
        }
        if let Ok(document) = Document::parse(&descriptor, bytes)
            && document.subject().is_some_and(|found| found.digest() == subject)
        {
            found.push(document.as_referrer(&descriptor));
        }
    }
    Ok(found)
}

fn kinds(listing: &Listing) -> impl Iterator<Item = (&str, &Descriptor)> {
    listing.unnamed().filter_map(|entry| Some((entry.annotations().get(KIND)?.as_str(), entry)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write plain files")]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::json;
    use crate::layout::Layout;
    use crate::store::Store;

    fn put(layout: &Path, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        fs::write(layout.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    fn entry(media_type: &str, bytes: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len()})
    }

    /// A layout with an image, signatures, and a referrer that is not listed; `kinds` says what the entries are.
    fn saved(kinds: bool) -> (TempDir, Digest, Digest) {
        let temp = TempDir::new().unwrap();
        fs::create_dir_all(temp.path().join("blobs/sha256")).unwrap();
        let manifest = |subject: Option<Value>| {
            let mut manifest = json!({
                "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "config": entry(MediaType::CONFIG, b"{}"), "layers": []
            });
            if let Some(subject) = subject {
                manifest["subject"] = subject;
            }
            json::to_canonical(&manifest)
        };
        let image = manifest(None);
        let referrer = manifest(Some(entry(MediaType::MANIFEST, &image)));
        let digest = put(temp.path(), &image);
        let referrer = put(temp.path(), &referrer);
        let mut entries = vec![entry(MediaType::MANIFEST, &image), entry(MediaType::MANIFEST, b"signatures")];
        if kinds {
            entries[0]["annotations"] = json!({KIND: IMAGES[0]});
            entries[1]["annotations"] = json!({KIND: SIGNATURES});
        }
        let index = json!({"schemaVersion": 2, "mediaType": MediaType::INDEX, "manifests": entries});
        fs::write(temp.path().join("index.json"), json::to_canonical(&index)).unwrap();
        fs::write(temp.path().join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        (temp, digest, referrer)
    }

    #[test]
    fn what_is_not_listed_is_found() {
        let (temp, image, referrer) = saved(true);
        let layout = Layout::open(temp.path()).unwrap();
        let found = layout.referrers(&image).unwrap();
        assert_eq!(found.iter().map(Descriptor::digest).collect::<Vec<_>>(), [&referrer]);
        let unnamed = layout.unnamed_attachments().unwrap();
        assert_eq!(unnamed.len(), 1);
        assert_eq!((unnamed[0].0, unnamed[0].1.digest()), (AttachmentKind::Signatures, &Digest::of(b"signatures")));
    }

    #[test]
    fn blobs_are_looked_through_where_cosign_wrote_alone() {
        let (temp, image, _) = saved(false);
        let layout = Layout::open(temp.path()).unwrap();
        assert_eq!(layout.referrers(&image).unwrap(), []);
        assert_eq!(layout.unnamed_attachments().unwrap(), []);
    }

    #[test]
    fn a_blob_under_another_name_is_no_referrer() {
        let (temp, image, referrer) = saved(true);
        let blobs = temp.path().join("blobs/sha256");
        fs::rename(blobs.join(referrer.hex()), blobs.join(Digest::of(b"other").hex())).unwrap();
        assert_eq!(Layout::open(temp.path()).unwrap().referrers(&image).unwrap(), []);
    }
}
