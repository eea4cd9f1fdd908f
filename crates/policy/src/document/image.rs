//! `[[admission.image]]`: what is asked of images by their names, beside what is asked of all.

use super::glob::Glob;
use super::signatures::{Authority, Signatures};
use crate::image_name::{DOCKER_HUB, ImageName, host};
use crate::problem::Problems;
use distil_settings::{Keys, Value};

/// What is asked of images whose registry and repository fit a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRule {
    /// The pattern, a path that begins with the registry: `/registry.example.org/prod/**`.
    pub images: Glob,
    /// What is asked of them. Nobody counts here but who stands here.
    pub asks: Signatures,
}

pub(crate) const KEYS: Keys = Keys::all(&[
    "glob",
    "authority",
    "require-signature",
    "require-attestations",
    "policy-result",
    "require-sbom",
    "max-attestation-age",
]);

const TABLE: &str = "admission.image";
const IMAGES: &str =
    "a pattern for a registry and what is below it, as in registry.example.org/prod/**, without tag and digest";
const LONGEST: usize = 255;

impl ImageRule {
    /// Reads all of them. `known` are the authorities of other sections: a name stands for one.
    pub(super) fn read_all(
        value: &Value<'_, '_>,
        known: &[Authority],
        problems: &mut Problems<'_>,
    ) -> Option<Vec<Self>> {
        let mut known = known.to_vec();
        let mut rules = Vec::new();
        for table in value.elements(problems)? {
            let Some(section) = table.section(KEYS, problems) else { continue };
            let images = section.required("glob", problems).and_then(|value| images(&value, problems));
            let asks = Signatures::read(&section, TABLE, &known, problems);
            known.extend(asks.authorities.iter().cloned());
            rules.extend(images.map(|images| Self { images, asks }));
        }
        Some(rules)
    }

    /// Whether it is about what has this name. What is in no registry has none.
    #[must_use]
    pub fn covers(&self, reference: &str) -> bool {
        ImageName::of(reference).is_some_and(|name| self.images.matches(&format!("/{}", name.path())))
    }
}

fn images(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = value.string(problems)?;
    let glob = normal(text).and_then(|normal| Glob::of_paths(&normal).ok());
    glob.or_else(|| value.malformed(text, IMAGES, problems))
}

/// The pattern in the form in which names are compared with it; none for what no name can fit.
fn normal(text: &str) -> Option<String> {
    if text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('@') {
        return None;
    }
    let Some((registry, path)) = text.split_once('/') else { return (text == "**").then(|| text.to_owned()) };
    let is_registry = registry == "localhost" || registry.contains(['.', ':', '*', '?', '[', '{']);
    let is_path = path.split('/').all(|name| !name.is_empty() && !name.contains(':'));
    if !is_registry || !is_path {
        return None;
    }
    let registry = host(registry);
    let is_official = registry == DOCKER_HUB && !path.contains(['/', '*', '?', '[', '{']);
    Some(if is_official { format!("{registry}/library/{path}") } else { format!("{registry}/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glob: &str, covered: &[&str], others: &[&str]) {
        let rule = ImageRule { images: Glob::of_paths(&normal(glob).unwrap()).unwrap(), asks: Signatures::default() };
        for name in covered {
            assert!(rule.covers(name), "{glob} {name}");
        }
        for name in others {
            assert!(!rule.covers(name), "{glob} {name}");
        }
    }

    #[test]
    fn a_pattern_is_about_registry_and_repository() {
        check(
            "registry.example.org/prod/**",
            &[
                "registry.example.org/prod/app:1",
                "docker://REGISTRY.example.org/prod/team/app@sha256:00",
                "registry.example.org/prod/app:1@sha256:00",
                "registry.example.org:443/prod/app:1",
            ],
            &[
                "registry.example.org/production/app",
                "registry.example.org.evil/prod/app",
                "evil.example/registry.example.org/prod/app",
                "registry.example.org:5000/prod/app",
                "registry.example.org/prod",
                "oci:registry.example.org/prod/app",
                "docker-archive:registry.example.org/prod/app",
            ],
        );
        check("Registry.example.org/*/app", &["registry.example.org/a/app:1"], &["registry.example.org/a/b/app"]);
        check("*.example.org/**", &["a.example.org/app"], &["a.b/c.example.org/app", "example.org/app"]);
        check("index.docker.io/nginx", &["nginx", "docker.io/library/nginx:1"], &["someone/nginx"]);
        check("docker.io/**", &["nginx", "someone/nginx"], &["registry.example.org/nginx"]);
        check("localhost:*/app", &["localhost:5000/app:1"], &["localhost/app"]);
        check("**", &["nginx", "registry.example.org/prod/app"], &["oci:dir"]);
    }
}
