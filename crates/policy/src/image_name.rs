//! Names of images, as they stand for one in a registry.

/// A name of an image, as it stands for one in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageName<'a> {
    host: String,
    segments: Vec<&'a str>,
    pub(crate) tag: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
}

impl<'a> ImageName<'a> {
    /// Reads a name, with what container engines fill in: `nginx` is `docker.io/library/nginx:latest`. None for what is in
    /// no registry.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let text = match text.split_once("://") {
            Some(("docker", rest)) => rest,
            Some(_) => return None,
            None => text,
        };
        if ["oci:", "oci-archive:", "docker-archive:"].iter().any(|prefix| text.starts_with(prefix)) {
            return None;
        }
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (start, last) = name.rsplit_once('/').map_or(("", name), |(start, last)| (start, last));
        let (last, tag) = last.split_once(':').map_or((last, None), |(last, tag)| (last, Some(tag)));
        let mut segments: Vec<&str> = start.split('/').chain([last]).filter(|segment| !segment.is_empty()).collect();
        let has_host = segments.len() > 1 && segments.first().is_some_and(|first| is_host(first));
        let host = if has_host { host(segments.remove(0)) } else { DOCKER_HUB.to_owned() };
        if host == DOCKER_HUB && segments.len() == 1 {
            segments.insert(0, "library");
        }
        let tag = if digest.is_none() { tag.or(Some("latest")) } else { tag };
        (!segments.is_empty()).then_some(Self { host, segments, tag, digest })
    }

    /// Its registry and repository in their one form.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.segments.join("/"))
    }

    /// Whether it is what a pattern names, or below it: compared segment by segment, never as a text that starts alike.
    pub(crate) fn is_below(&self, allowed: &str) -> bool {
        let allowed = allowed.strip_prefix("docker://").unwrap_or(allowed);
        let allowed = allowed.strip_suffix("/**").unwrap_or(allowed);
        let mut wanted: Vec<&str> = allowed.split('/').filter(|segment| !segment.is_empty()).collect();
        let has_host = wanted.first().is_some_and(|first| is_host(first));
        let wanted_host = if has_host { host(wanted.remove(0)) } else { DOCKER_HUB.to_owned() };
        if !has_host && wanted.len() == 1 && self.segments.first() == Some(&"library") {
            wanted.insert(0, "library");
        }
        let is_start = wanted.len() <= self.segments.len() && wanted.iter().zip(&self.segments).all(|(a, b)| a == b);
        self.host == wanted_host && is_start && (has_host || !wanted.is_empty())
    }
}

pub(crate) const DOCKER_HUB: &str = "docker.io";

pub(crate) fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

/// A host in its one form.
pub(crate) fn host(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    // The port of https goes without saying. Who wrote it would not be asked what images with that name are asked.
    match text.strip_suffix(":443").unwrap_or(&text) {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        host => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, allowed: &str, expected: bool) {
        assert_eq!(ImageName::of(name).unwrap().is_below(allowed), expected, "{name} below {allowed}");
    }

    #[test]
    fn names_are_compared_by_segments() {
        check("registry.example.org/prod/app:1", "registry.example.org/prod", true);
        check("registry.example.org/prod/app:1", "registry.example.org/prod/**", true);
        check("docker://registry.example.org/prod@sha256:00", "registry.example.org/prod/", true);
        check("registry.example.org/production/app", "registry.example.org/prod", false);
        check("eu.example.io.evil/app", "eu.example.io", false);
        check("eu.example.io/app", "eu.example.io", true);
        check("EU.example.io/app", "eu.example.IO", true);
        check("eu.example.io:5000/app", "eu.example.io", false);
        check("eu.example.io:443/app", "eu.example.io", true);
        check("eu.example.io/app", "eu.example.io:443", true);
        check("evil.example/eu.example.io/app", "eu.example.io", false);
        check("registry.example.org/prod", "registry.example.org/prod/app", false);
        check("registry.example.org/prod", "", false);
    }

    #[test]
    fn short_names_are_those_of_docker() {
        for name in ["nginx", "docker.io/nginx", "index.docker.io/library/nginx:1", "registry-1.docker.io/nginx"] {
            check(name, "docker.io", true);
            check(name, "docker.io/library", true);
            check(name, "nginx", true);
            check(name, "other", false);
        }
        check("someone/nginx", "nginx", false);
        check("someone/nginx", "someone", true);
        assert_eq!(ImageName::of("nginx").unwrap().tag, Some("latest"));
        assert_eq!(ImageName::of("localhost:5000/a:b@sha256:0").unwrap().digest, Some("sha256:0"));
        for none in ["oci:dir:tag", "oci-archive:a.tar", "docker-archive:a", "https://a/b", "", "/", ":"] {
            assert_eq!(ImageName::of(none).filter(|_| !none.is_empty()), None, "{none}");
        }
    }
}
