//! What may be told of a recipe to whoever gets the image.

use std::path::Path;

use distil_imgcore::Reference;

use crate::recipe::{FileSource, Recipe, SignedBy, SourceUri, Sources};

/// What stands for a host that is not told.
const PRIVATE: &str = "private.invalid";

/// Replaces what is not for everybody in a recipe, or in its lock: hosts that are not known to be public, and where files
/// lie on the machine. Both stay in everything else, so that an image can be made again from it beside the same sources.
#[derive(Debug, Default)]
pub(crate) struct Discretion {
    /// What is replaced, by what, the longest first.
    replaced: Vec<(String, String)>,
}

impl Discretion {
    pub(crate) fn of(recipe: &Recipe) -> Self {
        let mut found = Self::default();
        if let Sources::Tables(tables) = &recipe.debian.sources {
            for table in tables {
                table.uris.iter().for_each(|uri| found.uri(uri));
                if let SignedBy::File(path) = &table.signed_by {
                    found.path(path);
                }
            }
        }
        if let Some(base) = &recipe.base {
            let trust = base.trust.iter().map(|trust| &trust.options);
            trust.flat_map(|trust| trust.keys.iter().chain(&trust.trusted_root)).for_each(|path| found.path(path));
            match &base.image {
                Reference::Layout(at) | Reference::Archive(at) | Reference::DockerArchive(at) => found.path(at.path()),
                Reference::Registry(name) => {
                    let name = name.to_string();
                    let host = name.split('/').next().unwrap_or_default().to_owned();
                    let told =
                        base.public_name.as_deref().is_some_and(|public| public.split('/').next() == Some(&*host));
                    if !told {
                        found.host(&host);
                    }
                }
            }
        }
        recipe.debian.debs.iter().for_each(|pattern| found.path(Path::new(pattern.as_str())));
        for file in recipe.files.values() {
            if let FileSource::Copy { source } = &file.source {
                found.path(Path::new(source));
            }
        }
        found.replaced.sort_by_key(|(what, _)| std::cmp::Reverse(what.len()));
        found
    }

    /// The text as it may be told.
    pub(crate) fn told(&self, text: &str) -> String {
        self.replaced.iter().fold(text.to_owned(), |text, (what, by)| text.replace(what, by))
    }

    fn uri(&mut self, uri: &SourceUri) {
        let SourceUri::Absolute(url) = uri else { return };
        match url.host_str() {
            Some(host) if is_public(host) => {}
            Some(host) => {
                let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
                self.host(&authority);
            }
            None => self.path(Path::new(url.path())),
        }
    }

    fn host(&mut self, authority: &str) {
        if !authority.is_empty() {
            self.replaced.push((authority.to_owned(), PRIVATE.to_owned()));
        }
    }

    fn path(&mut self, path: &Path) {
        // Where Debian's packages put keyrings, they are on every machine.
        let everywhere = ["/usr/share/keyrings", "/etc/apt"].iter().any(|folder| path.starts_with(folder));
        if let (true, false, Some(path), Some(name)) =
            (path.is_absolute(), everywhere, path.to_str(), path.file_name().and_then(|name| name.to_str()))
        {
            self.replaced.push((path.to_owned(), name.to_owned()));
        }
    }
}

/// Whether everybody knows a host.
fn is_public(host: &str) -> bool {
    ["debian.org", "ubuntu.com"].iter().any(|public| {
        let rest = host.strip_suffix(public);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_private_hosts_nor_folders_are_told() {
        let text = "[debian]\ndebs = ['/home/me/dist/*.deb', 'own/*.deb']\n\
                    sources = [{ uris = ['https://mirror.corp:8443/debian', 'https://archive.debian.org/debian'], suites = ['x'],\n\
                    components = ['main'], signed-by = '/usr/share/keyrings/debian-archive-keyring.gpg' }]\n\
                    [files]\n'/a' = { source = '/home/me/a' }\n'/b' = { source = 'b' }\n";
        let told = Discretion::of(&Recipe::parse(text).unwrap()).told(text);
        assert!(!told.contains("corp") && !told.contains("/home"), "{told}");
        for kept in [
            "https://archive.debian.org/debian",
            "/usr/share/keyrings/",
            "'own/*.deb'",
            "https://private.invalid/debian",
        ] {
            assert!(told.contains(kept), "{kept} is not in {told}");
        }
    }
}
