//! Packages of npm, by the `package.json` in the folder that Node loads them from.
//!
//! See [package.json](https://docs.npmjs.com/cli/configuring-npm/package-json).

use distil_imgcore::ImagePath;
use serde_json::Value;

use super::found::{Found, value};
use crate::inventory::PackageKind;

/// Whether a file is the `package.json` of a package that can be loaded: directly in a folder of packages, which npm calls
/// `node_modules` and Debian `nodejs`. Those deeper within a package are for tests, or for Node's choice of a format.
pub(super) fn is_metadata(path: &ImagePath) -> bool {
    let mut parts = path.components().rev();
    if parts.next() != Some(b"package.json") || parts.next().is_none_or(|name| name.starts_with(b"@")) {
        return false;
    }
    let folder = match parts.next() {
        Some(scope) if scope.starts_with(b"@") => parts.next(),
        folder => folder,
    };
    match folder {
        Some(b"node_modules") => true,
        Some(b"nodejs") => path.components().next() == Some(b"usr"),
        _ => false,
    }
}

/// The package. One without a name or a version is none that npm would install.
pub(super) fn find(bytes: &[u8]) -> Option<Found> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let name = text("name")?;
    let (namespace, name) = match name.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => (value(scope), name),
        _ => (None, name),
    };
    let found = Found::new(&PackageKind::Npm, name, Some(text("version")?))?;
    Some(Found {
        namespace,
        licence: json.get("license").and_then(licence).or_else(|| json.get("licenses").and_then(licence)),
        homepage: text("homepage").and_then(value),
        summary: text("description").and_then(value),
        author: json.get("author").and_then(author),
        ..found
    })
}

/// An expression, or as old packages have it an object, or several to choose from.
fn licence(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => value(text),
        Value::Object(fields) => fields.get("type").and_then(Value::as_str).and_then(value),
        Value::Array(choice) => {
            let all: Option<Vec<String>> = choice.iter().filter(|one| !one.is_array()).map(licence).collect();
            value(&all?.join(" OR "))
        }
        _ => None,
    }
}

/// `Name <address> (page)`, or an object of the three.
fn author(json: &Value) -> Option<String> {
    let field = |key: &str| json.get(key).and_then(Value::as_str).and_then(value);
    match json {
        Value::String(text) => value(text.split('(').next().unwrap_or_default()),
        _ => match (field("name"), field("email")) {
            (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
            (name, mail) => name.or(mail),
        },
    }
}
