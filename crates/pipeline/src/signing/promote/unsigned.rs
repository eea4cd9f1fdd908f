//! A store without what was signed in it: what is promoted is signed anew, and by nobody else.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use distil_imgcore::{
    Attachment, AttachmentKind, Descriptor, Digest, Document, Error, MediaKind, MediaType, RefName, Selector, Store,
};
use distil_signing::bundle::MEDIA_TYPE_PREFIX;

/// Something about the image that is not promoted with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftBehind {
    /// The digest of a referrer, or the name under which cosign keeps it.
    pub what: String,
    /// Why.
    pub because: Because,
}

/// Why something about an image is not promoted with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// It is a signature or a signed statement.
    Signed,
    /// It is neither an SBOM nor a statement. It is of this type, where it has one.
    OtherType(Option<String>),
}

/// The same store, in which only SBOMs and statements that nobody signed are about anything.
#[derive(Debug)]
pub(super) struct Unsigned<'a> {
    inner: &'a dyn Store,
    left: Mutex<BTreeMap<String, Because>>,
}

impl<'a> Unsigned<'a> {
    pub(super) fn new(inner: &'a dyn Store) -> Self {
        Self { inner, left: Mutex::default() }
    }

    /// What was asked for and was not shown.
    pub(super) fn left(&self) -> Vec<LeftBehind> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.iter().map(|(what, because)| LeftBehind { what: what.clone(), because: because.clone() }).collect()
    }

    fn leave(&self, what: &impl ToString, because: Because) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_string(), because);
    }

    /// Why a referrer stays, by what its layers are: what it says of its own type is not always so.
    fn judge(&self, referrer: &Descriptor) -> Result<Option<Because>, Error> {
        let other = || Some(Because::OtherType(referrer.artifact_type().map(ToString::to_string)));
        let Document::Manifest(manifest) = self.inner.document(&referrer.bare())? else { return Ok(other()) };
        let layers = manifest.layers();
        let says_signed = is_signature(manifest.artifact_type()) || is_signature(manifest.config().media_type());
        if says_signed || layers.iter().any(|layer| is_signature(layer.media_type())) {
            return Ok(Some(Because::Signed));
        }
        let is_document = |layer: &Descriptor| layer.kind() == MediaKind::Attestation;
        Ok(if !layers.is_empty() && layers.iter().all(is_document) { None } else { other() })
    }
}

/// Whether a type is one of a signature or of a signed statement, cosign's or another signer's.
fn is_signature(media_type: &MediaType) -> bool {
    const OTHERS: [&str; 2] =
        ["application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.cncf.notary.signature"];
    let text = media_type.as_str();
    let ours = [MediaType::SIMPLE_SIGNING, MediaType::DSSE];
    ours.contains(&text) || OTHERS.contains(&text) || text.starts_with(MEDIA_TYPE_PREFIX) || text.ends_with("+dsse")
}

// Whatever has a meaning of its own at the inner store keeps it.
#[deny(clippy::missing_trait_methods)]
impl Store for Unsigned<'_> {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.has(blob)
    }

    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        self.inner.open(blob)
    }

    fn open_unchecked(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        self.inner.open_unchecked(blob)
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        self.inner.put(blob, content)
    }

    fn take_over(&self, blob: &Descriptor) -> Result<bool, Error> {
        self.inner.take_over(blob)
    }

    fn puts_at_once(&self) -> NonZeroUsize {
        self.inner.puts_at_once()
    }

    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        self.inner.tag(name, root)
    }

    fn publish(&self, name: Option<&RefName>, root: &Descriptor, about: &[Descriptor]) -> Result<(), Error> {
        self.inner.publish(name, root, about)
    }

    fn tag_over(&self, name: &RefName, root: &Descriptor, before: Option<&Digest>) -> Result<bool, Error> {
        self.inner.tag_over(name, root, before)
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        let found = self.inner.resolve(wanted)?;
        match wanted {
            Selector::Name(name) if Attachment::named(name).is_some_and(|it| it.kind() != AttachmentKind::Sbom) => {
                self.leave(name, Because::Signed);
                Err(Error::NoImage { wanted: wanted.clone(), place: self.place() })
            }
            _ => Ok(found),
        }
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        self.inner.tags()
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let mut shown = Vec::new();
        for referrer in self.inner.referrers(subject)? {
            match self.judge(&referrer)? {
                Some(because) => self.leave(referrer.digest(), because),
                None => shown.push(referrer),
            }
        }
        Ok(shown)
    }

    fn unnamed_attachments(&self) -> Result<Vec<(AttachmentKind, Descriptor)>, Error> {
        let all = self.inner.unnamed_attachments()?;
        Ok(all.into_iter().filter(|(kind, _)| *kind == AttachmentKind::Sbom).collect())
    }
}

#[cfg(test)]
mod tests {
    use distil_imgcore::{Memory, json};
    use serde_json::json;

    use super::*;

    fn put(store: &Memory, media_type: &str, bytes: &[u8]) -> Descriptor {
        let blob = Descriptor::of(media_type.parse().unwrap(), bytes);
        store.put(&blob, &mut &*bytes).unwrap();
        blob
    }

    /// Something with one layer of this type, about the subject.
    fn about(store: &Memory, subject: &Descriptor, config: &str, layer: &str) -> Descriptor {
        let document = json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "artifactType": "application/vnd.example.x",
            "config": put(store, config, b"{}").to_json(), "layers": [put(store, layer, b"{}").to_json()],
            "subject": subject.to_json(),
        });
        let referrer = put(store, MediaType::MANIFEST, &json::to_canonical(&document));
        store.tag(None, &referrer).unwrap();
        referrer
    }

    #[test]
    fn sboms_and_statements_are_shown_and_nothing_else_is() {
        let store = Memory::new();
        let image = put(&store, MediaType::MANIFEST, b"an image");
        let of = |layer: &str| about(&store, &image, MediaType::EMPTY, layer);
        let mut shown: Vec<Digest> = [MediaType::SPDX_JSON, MediaType::IN_TOTO, MediaType::SBOM_CYCLONEDX_JSON]
            .map(|layer| of(layer).digest().clone())
            .to_vec();
        shown.sort();
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let mut signed: Vec<Digest> =
            [bundle, MediaType::DSSE, MediaType::SIMPLE_SIGNING].map(|layer| of(layer).digest().clone()).to_vec();
        let experimental = "application/vnd.dev.cosign.artifact.sig.v1+json";
        signed.push(about(&store, &image, experimental, MediaType::SPDX_JSON).digest().clone());
        let note = of("text/note");
        let name: RefName = format!("sha256-{}.sig", image.digest().hex()).parse().unwrap();
        store.tag(Some(&name), &image).unwrap();

        let view = Unsigned::new(&store);
        let found: Vec<Digest> =
            view.referrers(image.digest()).unwrap().iter().map(|one| one.digest().clone()).collect();
        assert_eq!(found, shown);
        assert!(matches!(view.resolve(&Selector::Name(name.clone())), Err(Error::NoImage { .. })));
        let because = |what: &str| view.left().into_iter().find(|left| left.what == what).map(|left| left.because);
        assert!(signed.iter().all(|digest| because(&digest.to_string()) == Some(Because::Signed)));
        assert_eq!(because(name.as_str()), Some(Because::Signed));
        let other = Because::OtherType(Some("application/vnd.example.x".into()));
        assert_eq!(because(&note.digest().to_string()), Some(other));
        assert_eq!(view.left().len(), 6);
    }
}
