//! The name that an image is signed for.

use distil_imgcore::{Reference, RegistryName};

use super::error::SignError;

/// What cosign calls Docker Hub.
const HUB: &str = "index.docker.io";
/// Its other names.
const HUB_NAMES: [&str; 3] = ["docker.io", HUB, "registry-1.docker.io"];

/// Registry and repository, as cosign signs them: without tag and digest, and `index.docker.io/library/x` for an image of
/// Docker Hub.
pub(crate) fn of_repository(name: &RegistryName) -> String {
    let (host, repository) = (name.host(), name.repository());
    if !HUB_NAMES.contains(&host) {
        return format!("{host}/{repository}");
    }
    let space = if repository.contains('/') { "" } else { "library/" };
    format!("{HUB}/{space}{repository}")
}

/// The name that somebody has stated, or else that of the repository that the image is in. In layouts and archives that is
/// the name of the image, where it is one of a registry.
///
/// # Errors
/// [`SignError::Name`] for what was stated and is none.
pub(crate) fn of_image(reference: &Reference, stated: Option<&str>) -> Result<Option<String>, SignError> {
    if let Some(stated) = stated {
        let name = stated.parse().map_err(|_| SignError::Name { name: stated.to_owned() })?;
        return Ok(Some(of_repository(&name)));
    }
    Ok(match reference {
        Reference::Registry(name) => Some(of_repository(name)),
        Reference::Layout(at) | Reference::Archive(at) => {
            at.name().and_then(|name| name.as_str().parse().ok()).as_ref().map(of_repository)
        }
        Reference::DockerArchive(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_cosign_signs() {
        let check = |reference: &str, stated: Option<&str>, expected: Option<&str>| {
            assert_eq!(of_image(&reference.parse().unwrap(), stated).unwrap().as_deref(), expected, "{reference}");
        };
        check("registry.example.org:5000/team/app:1.0", None, Some("registry.example.org:5000/team/app"));
        check("docker.io/debian", None, Some("index.docker.io/library/debian"));
        check("docker://index.docker.io/team/app:1", None, Some("index.docker.io/team/app"));
        check("oci:dir", None, None);
        check("oci:dir:v1", None, None);
        check("oci:dir:registry.example.org/team/app:1.0", None, Some("registry.example.org/team/app"));
        check("oci-archive:a.tar:v1", Some("registry.example.org/app:2"), Some("registry.example.org/app"));
        check("registry.example.org/app", Some("other.example.org/app"), Some("other.example.org/app"));
        let wrong = of_image(&"oci:dir".parse().unwrap(), Some("no name"));
        assert!(matches!(wrong, Err(SignError::Name { .. })));
    }
}
