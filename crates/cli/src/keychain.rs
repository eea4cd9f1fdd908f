//! Where logins to registries come from: the files and credential helpers that docker and podman use already.

mod program;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use distil_pipeline::{AuthFile, AuthFileError, Escaped, Keychain, KeychainError, Login, LoginSource, MAX_AUTH_FILE};

use crate::environment::Environment;
use program::{HelperError, Helpers};

/// The files of logins of a user, and the helpers that they name.
#[derive(Debug)]
pub(crate) struct AuthFiles {
    files: Files,
    helpers: Helpers,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Files {
    /// This one, which must be there.
    Named(PathBuf),
    /// The first of these that knows a registry; those that do not exist are no matter.
    Usual(Vec<PathBuf>),
}

/// Why a file or helper gives no login.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("cannot read {}", Escaped::path(.path))]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] AuthFileError),
    #[error("{} names a helper that gives no login", Escaped::path(.path))]
    Helper { path: PathBuf, source: HelperError },
}

impl AuthFiles {
    /// Those of this user, or the one that the command line names.
    pub(crate) fn new(named: Option<PathBuf>, environment: &Environment) -> Self {
        let helpers = Helpers::in_path(environment.path.clone());
        Self { files: Files::new(named, environment), helpers }
    }

    fn find(&self, host: &str, repository: &str) -> Result<Option<Login>, Problem> {
        let (paths, required) = match &self.files {
            Files::Named(path) => (std::slice::from_ref(path), true),
            Files::Usual(paths) => (paths.as_slice(), false),
        };
        for path in paths {
            let bytes = match read(path) {
                Ok(bytes) => bytes,
                Err(source) if !required && source.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Problem::Read { path: path.clone(), source }),
            };
            let found = match AuthFile::parse(&path.to_string_lossy(), &bytes)?.find(host, repository) {
                None => None,
                Some(LoginSource::Login(login)) => Some(login),
                Some(LoginSource::Helper { name, server }) => {
                    let login = self.helpers.login(&name, &server);
                    login.map_err(|source| Problem::Helper { path: path.clone(), source })?
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl Keychain for AuthFiles {
    fn login(&self, host: &str, repository: &str) -> Result<Option<Login>, KeychainError> {
        self.find(host, repository)
            .map_err(|problem| KeychainError { host: host.to_owned(), source: Box::new(problem) })
    }
}

impl Files {
    /// The order is podman's, which looks into docker's file last; its variable is not docker's.
    fn new(named: Option<PathBuf>, environment: &Environment) -> Self {
        let given = |value: &Option<OsString>| value.clone().filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = named.or_else(|| given(&environment.registry_auth_file)) {
            return Self::Named(path);
        }
        let absolute = |value| given(value).filter(|path| path.is_absolute());
        let home = absolute(&environment.home);
        let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let runtime = absolute(&environment.xdg_runtime_dir);
        let config = absolute(&environment.xdg_config_home).or_else(|| in_home(".config"));
        let docker = given(&environment.docker_config).or_else(|| in_home(".docker"));
        let places = [(runtime, "containers/auth.json"), (config, "containers/auth.json"), (docker, "config.json")];
        Self::Usual(places.into_iter().filter_map(|(folder, name)| Some(folder?.join(name))).collect())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than may be, so that the parser sees what is too large.
    File::open(path)?.take(MAX_AUTH_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Files with these texts, in a directory that is kept as long as they are wanted.
    fn files(texts: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let mut paths = vec![dir.path().join("none.json")];
        for (number, text) in texts.iter().enumerate() {
            let mut file = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            paths.push(dir.path().join(format!("{number}.json")));
            file.persist(paths.last().unwrap()).unwrap();
        }
        (dir, paths)
    }

    fn keychain(files: Files) -> AuthFiles {
        AuthFiles { files, helpers: Helpers::for_tests() }
    }

    fn user(login: Option<Login>) -> Option<String> {
        login.map(|login| match login {
            Login::Password { user, .. } => user,
            other => format!("{other:?}"),
        })
    }

    // "a:x", "b:x".
    const FIRST: &str = r#"{"auths": {"one.example.org": {"auth": "YTp4"}}}"#;
    const SECOND: &str = r#"{"auths": {"one.example.org": {"auth": "Yjp4"}, "two.example.org": {"auth": "Yjp4"}}}"#;

    #[test]
    fn the_first_file_that_knows_a_registry_counts() {
        let (_dir, paths) = files(&[FIRST, SECOND]);
        let keychain = keychain(Files::Usual(paths));
        for (host, expected) in [("one.example.org", Some("a")), ("two.example.org", Some("b")), ("x.example", None)] {
            assert_eq!(user(keychain.login(host, "team/app").unwrap()).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn a_file_that_is_not_in_order_is_named_also_where_a_later_one_has_a_login() {
        let (_dir, paths) = files(&["{", SECOND]);
        let error = keychain(Files::Usual(paths)).login("two.example.org", "x").unwrap_err();
        assert!(matches!(error.source.downcast_ref(), Some(Problem::File(file)) if file.name.ends_with("0.json")));
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let (_dir, mut paths) = files(&[]);
        let error = keychain(Files::Named(paths.remove(0))).login("one.example.org", "x").unwrap_err();
        assert!(matches!(error.source.downcast_ref(), Some(Problem::Read { .. })));
    }

    #[test]
    fn a_helper_is_asked_and_where_it_knows_nothing_the_next_file() {
        let helpers = r#"{"credHelpers": {"password.example.org": "test", "none.example.org": "test", "locked.example.org": "test"}}"#;
        let last = r#"{"auths": {"none.example.org": {"auth": "Yjp4"}}}"#;
        let (_dir, paths) = files(&[helpers, last]);
        let keychain = keychain(Files::Usual(paths));
        assert_eq!(user(keychain.login("password.example.org", "x").unwrap()).as_deref(), Some("me"));
        assert_eq!(user(keychain.login("none.example.org", "x").unwrap()).as_deref(), Some("b"));
        let error = keychain.login("locked.example.org", "x").unwrap_err();
        assert!(matches!(error.source.downcast_ref(), Some(Problem::Helper { path, .. }) if path.ends_with("0.json")));
    }

    #[test]
    fn files_are_where_docker_and_podman_have_them() {
        let text = |value: &str| Some(OsString::from(value));
        let environment =
            Environment { home: text("/home/me"), xdg_runtime_dir: text("/run/user/1"), ..Environment::default() };
        let usual = |environment: &Environment| match Files::new(None, environment) {
            Files::Usual(paths) => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            Files::Named(path) => vec![format!("named {}", path.display())],
        };
        assert_eq!(
            usual(&environment),
            [
                "/run/user/1/containers/auth.json",
                "/home/me/.config/containers/auth.json",
                "/home/me/.docker/config.json"
            ]
        );
        let docker = Environment { docker_config: text("/d"), xdg_config_home: text("/c"), ..environment.clone() };
        assert_eq!(usual(&docker)[1..], ["/c/containers/auth.json", "/d/config.json"]);
        let named = Environment { registry_auth_file: text("a.json"), ..environment.clone() };
        assert_eq!(usual(&named), ["named a.json"]);
        assert_eq!(Files::new(Some("b.json".into()), &named), Files::Named("b.json".into()));
        assert!(usual(&Environment::default()).is_empty());
    }
}
