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

    /// Whether a name is made of a digest, so that what has it is about an image and is none itself: an attachment, also of a
    /// kind that nobody here knows, or the [list of referrers] of a registry that keeps none.
    ///
    /// [list of referrers]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
    #[must_use]
    pub fn is_beside(name: &RefName) -> bool {
        // Names of lists have no more than 64 digits.
        const FORMS: [(&str, usize); 3] = [("sha256-", 64), ("sha512-", 64), ("sha512-", 128)];
        let image = name.as_str().split('.').next().unwrap_or_default();
        let is_hex = |digits: &str| digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let has_form = |(algorithm, length): &(&str, usize)| {
            image.strip_prefix(algorithm).is_some_and(|digits| digits.len() == *length && is_hex(digits))
        };
        FORMS.iter().any(has_form)
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

    #[test]
    fn names_made_of_a_digest_are_those_of_no_image() {
        let is_beside = |text: String| Attachment::is_beside(&text.parse().unwrap());
        let hex = "0a".repeat(32);
        for image in [format!("sha256-{hex}"), format!("sha512-{hex}"), format!("sha512-{hex}{hex}")] {
            assert!(["", ".sig", ".new"].iter().all(|suffix| is_beside(format!("{image}{suffix}"))), "{image}");
        }
        for other in [format!("sha256-{hex}{hex}"), format!("sha256-{hex}0"), "sha256-short".into(), "v1.sig".into()] {
            assert!(!is_beside(other.clone()), "{other}");
        }
        assert!(!is_beside(format!("sha256-{}", "0A".repeat(32))));
    }

    proptest! {
        #[test]
        fn names_come_back(bytes: Vec<u8>) {
            let digest = Digest::of(&bytes);
            let found: Vec<_> = Attachment::names_for(&digest).filter_map(|name| Attachment::named(&name)).collect();
            prop_assert_eq!(found.len(), 3);
            prop_assert!(Attachment::names_for(&digest).all(|name| Attachment::is_beside(&name)));
            prop_assert!(found.iter().all(|attachment| *attachment.subject() == digest));
        }
    }
}
