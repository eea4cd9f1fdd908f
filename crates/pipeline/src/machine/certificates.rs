//! Certificates for single registries, in the directories in which podman and docker keep them.

use std::io;
use std::path::{Path, PathBuf};

use distil_net::{HostTls, Identity, Roots};

use super::{Machine, MachineError, files_in, read};

impl Machine {
    /// What holds for a registry alone, from the first of the machine's directories that has one for it: `host` is
    /// `HOST[:PORT]` as in references.
    ///
    /// # Errors
    /// [`MachineError`] where a file cannot be read, holds no certificate or key, or a certificate has no key beside it.
    pub(crate) fn certificates_of(&self, host: &str) -> Result<Option<HostTls>, MachineError> {
        for directory in &self.certificates {
            let directory = directory.join(host);
            match files_in(&directory) {
                Ok(files) => return of_files(host, &files).map(Some),
                Err(MachineError::Read { source, .. }) if is_none(&source) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Whether a directory is simply not there.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// `*.crt` are authorities; `*.cert` is what we show, with the key that has the same name. Other files are no matter.
fn of_files(host: &str, files: &[PathBuf]) -> Result<HostTls, MachineError> {
    let (mut roots, mut identity) = (Roots::none(), None);
    for path in files {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => roots = roots.and_pem(&shown(path), &read(path)?)?,
            Some("cert") => {
                let key = beside(path, "key", files)?;
                // Of several the first by name is shown, as a handshake has room for one.
                if identity.is_none() {
                    identity = Some(Identity::from_pem(&shown(path), &read(path)?, &read(&key)?)?);
                }
            }
            Some("key") => {
                beside(path, "cert", files)?;
            }
            _ => {}
        }
    }
    Ok(HostTls { host: host.to_owned(), roots, identity })
}

fn beside(path: &Path, extension: &'static str, files: &[PathBuf]) -> Result<PathBuf, MachineError> {
    let other = path.with_extension(extension);
    if files.contains(&other) {
        Ok(other)
    } else {
        Err(MachineError::Unpaired { path: path.to_owned(), missing: other })
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine with two directories of certificates, the second of which has these empty files for the host.
    fn machine(dir: &Path, names: &[&str]) -> Machine {
        let of_host = dir.join("second/registry.example.org:5000");
        fs::create_dir_all(&of_host).unwrap();
        fs::create_dir_all(dir.join("first/other.example.org")).unwrap();
        for name in names {
            tempfile::NamedTempFile::new_in(&of_host).unwrap().persist(of_host.join(name)).unwrap();
        }
        let certificates = ["none", "first", "second"].map(|name| dir.join(name)).into();
        Machine { certificates, ..Machine::new(0) }
    }

    #[test]
    fn a_host_has_the_certificates_of_its_own_directory() {
        let dir = tempfile::tempdir().unwrap();
        let machine = machine(dir.path(), &["readme"]);
        let found = machine.certificates_of("registry.example.org:5000").unwrap().unwrap();
        assert_eq!((found.host.as_str(), found.identity.is_none()), ("registry.example.org:5000", true));
        assert!(machine.certificates_of("registry.example.org").unwrap().is_none());
    }

    #[test]
    fn a_certificate_and_its_key_are_two_files_of_one_name() {
        for (names, missing) in [(["a.cert", "b.key"], "a.key"), (["a.key", "b"], "a.cert")] {
            let dir = tempfile::tempdir().unwrap();
            let error = machine(dir.path(), &names).certificates_of("registry.example.org:5000").unwrap_err();
            assert!(matches!(error, MachineError::Unpaired { missing: found, .. } if found.ends_with(missing)));
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = machine(dir.path(), &["ca.crt"]).certificates_of("registry.example.org:5000").unwrap_err();
        assert!(matches!(error, MachineError::Setup(_)), "{error:?}");
        assert!(error.to_string().contains("ca.crt"), "{error}");
    }
}
