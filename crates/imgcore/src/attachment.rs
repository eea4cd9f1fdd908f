//! What is about an image and found by its name alone, as cosign kept signatures before there were referrers.

use crate::digest::Digest;
use crate::ref_name::RefName;

/// What a name such as `sha256-….sig` says: the image that is meant, and what is kept about it there. See
/// [cosign's specification], section on tag-based discovery.
///
/// ```
/// use distil_imgcore::{Attachment, AttachmentKind, Digest};
///
/// let digest = Digest::of(b"a manifest");
/// let names: Vec<_> = Attachment::names_for(&digest).collect();
/// let found = Attachment::named(&names[0]).unwrap();
/// assert_eq!((found.subject(), found.kind()), (&digest, AttachmentKind::Signatures));
/// assert!(Attachment::named(&"latest".parse()?).is_none());
/// # Ok::<(), distil_imgcore::RefNameError>(())
/// ```
///
/// [cosign's specification]: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    subject: Digest,
    kind: AttachmentKind,
}

/// What is kept about an image under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentKind {
    /// Signatures, each a layer.
    Signatures,
    /// Signed statements, each a layer.
    Attestations,
    /// One SBOM.
    Sbom,
}

impl AttachmentKind {
    const ALL: [Self; 3] = [Self::Signatures, Self::Attestations, Self::Sbom];

    fn suffix(self) -> &'static str {
        match self {
            Self::Signatures => "sig",
            Self::Attestations => "att",
            Self::Sbom => "sbom",
        }
    }
}

impl Attachment {
    /// All names under which something may be kept about an image.
    pub fn names_for(subject: &Digest) -> impl Iterator<Item = RefName> {
        let image = format!("{}-{}", subject.algorithm(), subject.hex());
        // Letters, digits, one dash and one dot are always a name.
        AttachmentKind::ALL.into_iter().filter_map(move |kind| format!("{image}.{}", kind.suffix()).parse().ok())
    }

    /// What a name says; nothing where it is that of an image.
    #[must_use]
    pub fn named(name: &RefName) -> Option<Self> {
        let (image, suffix) = name.as_str().rsplit_once('.')?;
        let kind = AttachmentKind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
        let subject = image.replacen('-', ":", 1).parse().ok()?;
        Some(Self { subject, kind })
    }

    /// The image or index that is meant.
    #[must_use]
    pub fn subject(&self) -> &Digest {
        &self.subject
    }

    /// What is kept about it.
    #[must_use]
    pub fn kind(&self) -> AttachmentKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_whole_digest_with_a_known_ending_is_about_an_image() {
        let named = |text: String| Attachment::named(&text.parse().unwrap());
        let hex = "0a".repeat(32);
        assert_eq!(named(format!("sha256-{hex}.sbom")).unwrap().kind(), AttachmentKind::Sbom);
        assert_eq!(named(format!("sha512-{hex}{hex}.att")).unwrap().kind(), AttachmentKind::Attestations);
        // Without an ending it is the list of referrers of registries that have no better one.
        for other in
            [format!("sha256-{hex}"), format!("sha256-{hex}.txt"), format!("sha256-{hex}0.sig"), "v1.sig".into()]
        {
            assert_eq!(named(other.clone()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn names_come_back(bytes: Vec<u8>) {
            let digest = Digest::of(&bytes);
            let found: Vec<_> = Attachment::names_for(&digest).filter_map(|name| Attachment::named(&name)).collect();
            prop_assert_eq!(found.len(), 3);
            prop_assert!(found.iter().all(|attachment| *attachment.subject() == digest));
        }
    }
}
