//! The files in which docker and podman keep their logins: `config.json` and `auth.json`.
//!
//! The form is docker's, and podman's manual page [containers-auth.json] describes it. What is not about logins is ignored.
//! The names of registries in them may be followed by a repository or a part of its path, and older ones are URLs.
//!
//! [containers-auth.json]: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md

mod shape;

use std::collections::BTreeMap;

use distil_imgcore::Escaped;
use distil_imgcore::json::{self, JsonError};

use self::shape::{Document, Entry};
use crate::keychain::Login;

/// The largest file that is read, in bytes.
pub const MAX_AUTH_FILE: usize = 1 << 20;
/// Names of Docker Hub; the first is the one of references.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// What docker asks helpers for where Docker Hub is meant.
const HUB_SERVER: &str = "https://index.docker.io/v1/";
/// The paths of URLs that stand for a registry as a whole.
const ROOTS: [&str; 6] = ["", "/", "/v1", "/v1/", "/v2", "/v2/"];

/// A file of logins.
#[derive(Debug, Clone)]
pub struct AuthFile {
    /// By host, or host and path, as references have them.
    logins: BTreeMap<String, Login>,
    /// By host. Empty where docker's own file counts in place of a helper for all.
    helpers: BTreeMap<String, Option<String>>,
    /// For all other hosts.
    store: Option<String>,
}

/// Where the login for a registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here.
    Login(Login),
    /// With the program `docker-credential-NAME`, which is to be asked for the server.
    Helper {
        /// The part of the program's name that the file gives: small letters, digits and `-`, or `_` and `.` between them.
        name: String,
        /// What it calls the registry.
        server: String,
    },
}

/// A file of logins that is not in order. Nothing in the message is a secret.
#[derive(Debug, thiserror::Error)]
#[error("the logins in {} cannot be read", Escaped(.name.as_bytes()))]
pub struct AuthFileError {
    /// The name of the file.
    pub name: String,
    /// What is wrong with it.
    #[source]
    pub problem: AuthFileProblem,
}

/// What is wrong with a file of logins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthFileProblem {
    /// No JSON with one meaning, or too large.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON of another shape.
    #[error("line {line}, column {column}: another kind of value than logins have there")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An entry whose member `auth` is not a name and a password.
    #[error("the entry \"{}\" holds no name and password in base64", Escaped(.key.as_bytes()))]
    Auth {
        /// The name of the entry.
        key: String,
    },
    /// A helper whose name could be something else than the end of a program's name.
    #[error("\"{}\" is not the name of a credential helper", Escaped(.name.as_bytes()))]
    Helper {
        /// The name.
        name: String,
    },
}

impl AuthFile {
    /// Reads a file. `name` is for messages.
    ///
    /// # Errors
    /// [`AuthFileError`] where it is not in order, also in a part that would not be needed, or is larger than
    /// [`MAX_AUTH_FILE`].
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, AuthFileError> {
        read(bytes).map_err(|problem| AuthFileError { name: name.to_owned(), problem })
    }

    /// Where the login for a repository is; none where the file knows nothing about its registry.
    ///
    /// The helper for just this registry comes first, then the entry with the longest path that the repository lies below,
    /// then the helper for all registries. `host` is as in references: with its port where it has one, `docker.io` for Docker
    /// Hub.
    #[must_use]
    pub fn find(&self, host: &str, repository: &str) -> Option<Source> {
        let host = common_name(host);
        let helper = |name: &String| {
            let server = if host == HUB[0] { HUB_SERVER } else { host };
            Source::Helper { name: name.clone(), server: server.to_owned() }
        };
        let own = self.helpers.get(host);
        if let Some(Some(name)) = own {
            return Some(helper(name));
        }
        let whole = format!("{host}/{repository}");
        let mut key = Some(whole.as_str());
        while let Some(path) = key {
            if let Some(login) = self.logins.get(path) {
                return Some(Source::Login(login.clone()));
            }
            key = path.rsplit_once('/').map(|(parent, _)| parent);
        }
        self.store.as_ref().filter(|_| own.is_none()).map(helper)
    }
}

fn read(bytes: &[u8]) -> Result<AuthFile, AuthFileProblem> {
    json::check(bytes, MAX_AUTH_FILE)?;
    // The message of the parser is left out, as it may quote what is in the wrong place.
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|error| AuthFileProblem::Shape { line: error.line(), column: error.column() })?;
    // Those that are written as references have them come before older forms.
    let mut entries: Vec<(String, Entry)> = document.auths.unwrap_or_default().into_iter().collect();
    entries.sort_by_key(|(key, _)| place(key).as_ref() != Some(key));
    let mut logins = BTreeMap::new();
    for (key, entry) in entries {
        let Some(place) = place(&key) else { continue };
        if let Some(login) = entry.login().map_err(|shape::NotALogin| AuthFileProblem::Auth { key })? {
            logins.entry(place).or_insert(login);
        }
    }
    let mut helpers = BTreeMap::new();
    for (key, name) in document.cred_helpers.unwrap_or_default() {
        if let Some(place) = place(&key) {
            helpers.insert(place, helper_name(name)?);
        }
    }
    let store = document.creds_store.map(helper_name).transpose()?.flatten();
    Ok(AuthFile { logins, helpers, store })
}

/// What a key of an entry stands for, as references have it. URLs stand for whole registries. Docker keeps more entries for
/// the Hub, such as `https://index.docker.io/v1/access-token`, which are none.
fn place(key: &str) -> Option<String> {
    let without_scheme = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = match without_scheme.unwrap_or(key).split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (without_scheme.unwrap_or(key), String::new()),
    };
    let host = common_name(host);
    if without_scheme.is_some() || path == "/" {
        return ROOTS.contains(&path.as_str()).then(|| host.to_owned());
    }
    Some(format!("{host}{path}"))
}

fn common_name(host: &str) -> &str {
    if HUB.contains(&host) { HUB[0] } else { host }
}

/// The name becomes a part of a program's name. The form is that of the helpers there are; `desktop.exe` is one of them.
fn helper_name(name: String) -> Result<Option<String>, AuthFileProblem> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |c: char| matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        return Ok(None);
    }
    let fits = name.starts_with(word) && name.ends_with(word) && name.len() <= 64;
    if fits && name.chars().all(|c| word(c) || separator(c)) {
        Ok(Some(name))
    } else {
        Err(AuthFileProblem::Helper { name: name.chars().take(400).collect() })
    }
}

#[cfg(test)]
mod tests;
