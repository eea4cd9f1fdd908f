//! The URI that names a key in a token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::error::UriError;

#[cfg(test)]
mod tests;

/// A private key in a token, as [RFC 7512] names it: `pkcs11:token=T;object=O?module-path=/M`.
///
/// The token is named by one or more of `token`, `serial`, `manufacturer`, `model` and `slot-id`, the key by `object`, `id`
/// or both, and the module by `module-path`. `type` may only be `private`. Other attributes of the path are refused,
/// since each of them would leave keys out; other attributes of the query are passed over.
///
/// What is [displayed](fmt::Display) ends before the query, which may hold a PIN.
///
/// [RFC 7512]: https://www.rfc-editor.org/rfc/rfc7512#section-2.3
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    path: String,
    pub(super) label: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) slot: Option<u64>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    module: PathBuf,
    pin: Option<Pin>,
}

/// Where a URI says that the PIN is.
#[derive(Clone, PartialEq, Eq)]
pub enum Pin {
    /// In the URI itself, `pin-value`. Who sees the command line sees it.
    Value(Zeroizing<Vec<u8>>),
    /// In a file, `pin-source`: a path, or a URL of the scheme `file`.
    File(PathBuf),
}

impl Uri {
    /// The scheme, with its colon: what starts with it is no path of a file.
    pub const SCHEME: &str = "pkcs11:";

    /// Where the module lies, an absolute path.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Where the PIN is, if the URI says so.
    #[must_use]
    pub fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    fn set_path(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        match name {
            "token" => set(&mut self.label, name, text(name, value)?),
            "serial" => set(&mut self.serial, name, text(name, value)?),
            "manufacturer" => set(&mut self.manufacturer, name, text(name, value)?),
            "model" => set(&mut self.model, name, text(name, value)?),
            "object" => set(&mut self.object, name, text(name, value)?),
            "id" => set(&mut self.id, name, bytes(name, value)?.to_vec()),
            "slot-id" => {
                let number = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
                let number = number.and_then(|value| value.parse().ok());
                set(
                    &mut self.slot,
                    name,
                    number.ok_or(UriError::Value { name: name.to_owned(), expected: "a number" })?,
                )
            }
            "type" if value == "private" => Ok(()),
            "type" => Err(UriError::Value { name: name.to_owned(), expected: "private" }),
            _ => Err(UriError::Attribute { name: name.to_owned() }),
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(uri: &str) -> Result<Self, UriError> {
        let rest = uri.strip_prefix(Self::SCHEME).ok_or(UriError::Scheme)?;
        let (path, query) = rest.split_once('?').map_or((rest, ""), |(path, query)| (path, query));
        let mut found = Self {
            path: format!("{}{path}", Self::SCHEME),
            label: None,
            serial: None,
            manufacturer: None,
            model: None,
            slot: None,
            object: None,
            id: None,
            module: PathBuf::new(),
            pin: None,
        };
        for pair in path.split(';').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| UriError::Attribute { name: pair.to_owned() })?;
            found.set_path(name, value)?;
        }
        let (mut module, mut pin_value, mut pin_source) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // What has no name may be a part of the PIN, and is not told.
            let (name, value) = pair.split_once('=').ok_or(UriError::Query)?;
            match name {
                "module-path" => set(&mut module, name, absolute(name, text(name, value)?)?)?,
                "pin-value" => set(&mut pin_value, name, Pin::Value(bytes(name, value)?))?,
                "pin-source" => {
                    let source = text(name, value)?;
                    let path = source.strip_prefix("file:").unwrap_or(&source);
                    let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
                    set(&mut pin_source, name, Pin::File(absolute(name, path.to_owned())?))?;
                }
                _ => {}
            }
        }
        if found.object.is_none() && found.id.is_none() {
            return Err(UriError::Missing { what: "object or id" });
        }
        let names = [&found.label, &found.serial, &found.manufacturer, &found.model];
        if names.iter().all(|name| name.is_none()) && found.slot.is_none() {
            return Err(UriError::Missing { what: "token, serial or slot-id" });
        }
        found.module = module.ok_or(UriError::Missing { what: "module-path" })?;
        found.pin = match (pin_value, pin_source) {
            (Some(_), Some(_)) => return Err(UriError::TwoPins),
            (value, source) => value.or(source),
        };
        Ok(found)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uri").field("path", &self.path).field("module", &self.module).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.debug_tuple("Value").finish_non_exhaustive(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// An attribute may be there once ([RFC 7512], section 2.3).
///
/// [RFC 7512]: https://www.rfc-editor.org/rfc/rfc7512#section-2.3
fn set<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), UriError> {
    if slot.replace(value).is_some() { Err(UriError::Repeated { name: name.to_owned() }) } else { Ok(()) }
}

fn absolute(name: &str, path: String) -> Result<PathBuf, UriError> {
    let path = PathBuf::from(path);
    let expected = "an absolute path";
    if path.is_absolute() { Ok(path) } else { Err(UriError::Value { name: name.to_owned(), expected }) }
}

fn text(name: &str, value: &str) -> Result<String, UriError> {
    let text = std::str::from_utf8(&bytes(name, value)?).ok().map(str::to_owned);
    text.ok_or_else(|| UriError::Value { name: name.to_owned(), expected: "UTF-8" })
}

fn bytes(name: &str, value: &str) -> Result<Zeroizing<Vec<u8>>, UriError> {
    let wrong =
        || UriError::Value { name: name.to_owned(), expected: "as a URI writes it: %XX for what it cannot have" };
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                u8::try_from(high * 16 + low).map_err(|_| wrong())?
            }
            b'!'..=b'~' => byte,
            _ => return Err(wrong()),
        };
        decoded.push(byte);
    }
    Ok(decoded)
}
