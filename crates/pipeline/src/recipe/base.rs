//! `[base]`: an image to start from.

use distil_imgcore::{Reference, RegistryName};

use super::problem::Place;
use super::reader::{Keys, Problems, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["image", "public-name"],
    not_yet: &[
        "key",
        "certificate-identity",
        "certificate-identity-regexp",
        "certificate-oidc-issuer",
        "certificate-oidc-issuer-regexp",
        "trusted-root",
        "threshold",
    ],
    never: &[],
};

/// The image that another one starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Where it is. A path in it is relative to the recipe.
    pub image: Reference,
    /// What annotations may call it: `HOST/REPOSITORY[:TAG]`. Where the recipe gives none, they do not name it.
    pub public_name: Option<String>,
    /// Where the recipe says which image it is.
    pub place: Place,
}

const IMAGE: &str = "an image, as in docker://registry.example.org/team/base:v1, oci:DIR:TAG or oci-archive:FILE";
const PUBLIC_NAME: &str = "the name of an image in a registry, as in registry.example.org/team/base";

impl Base {
    pub(super) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let public_name = section.value("public-name").and_then(|v| {
            let text = v.string(problems)?;
            // A digest belongs into an annotation of its own, and the one of the base is known only when it is read.
            let fits = text.parse::<RegistryName>().is_ok_and(|name| name.digest().is_none());
            if fits { Some(text.to_owned()) } else { v.malformed(text, PUBLIC_NAME, problems) }
        });
        let image = section.required("image", problems)?;
        let text = image.string(problems)?;
        let reference = text.parse().ok().or_else(|| image.malformed(text, IMAGE, problems))?;
        Some(Self { image: reference, public_name, place: image.place(problems) })
    }
}
