//! What both forms of sources have in common: the meaning of options and fields.

use std::path::PathBuf;

use distil_debunpack::Architecture;

use super::error::HostSourceErrorKind as Kind;
use super::{ArchitectureChoice, SignedBy};
use crate::fingerprint::KeyPin;
use crate::time::Snapshot;

/// Settings that a source may have beside its addresses.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) architectures: ArchitectureChoice,
    pub(super) signed_by: SignedBy,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) enabled: bool,
}

/// How a value stands to the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Set,
    Add,
    Remove,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            architectures: ArchitectureChoice::default(),
            signed_by: SignedBy::Default,
            snapshot: None,
            enabled: true,
        }
    }
}

impl Options {
    /// Sets one, by the name it has in one-line entries. Names that are not known change nothing about trust: languages,
    /// targets, diffs.
    pub(super) fn set(&mut self, name: &str, change: Change, value: &str) -> Result<(), Kind> {
        match name {
            "arch" => {
                let list = list(value).map(str::parse).collect::<Result<Vec<Architecture>, _>>()?;
                let choice = &mut self.architectures;
                match change {
                    Change::Set => choice.only = Some(list),
                    Change::Add => choice.added.extend(list),
                    Change::Remove => choice.removed.extend(list),
                }
            }
            "signed-by" => self.signed_by = signed_by(value)?,
            "snapshot" => {
                // Yes and no are about a server that names its own snapshots, and pin nothing.
                self.snapshot = match boolean(value) {
                    Some(_) => None,
                    None => Some(value.parse().map_err(|_| Kind::Snapshot { found: short(value) })?),
                }
            }
            "enabled" => self.enabled = boolean(value).ok_or_else(|| Kind::NotABoolean { option: name.to_owned() })?,
            // A source that is never to be trusted cannot be used at all, and one that always is must not be.
            "trusted" => return Err(Kind::Weakens { option: name.to_owned() }),
            "allow-insecure" | "allow-weak" | "allow-downgrade-to-insecure" if boolean(value) != Some(false) => {
                return Err(Kind::Weakens { option: name.to_owned() });
            }
            "check-valid-until" | "check-date" if boolean(value) != Some(true) => {
                return Err(Kind::Weakens { option: name.to_owned() });
            }
            _ => {}
        }
        Ok(())
    }
}

/// Words between commas and white space.
pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// Refuses addresses that cannot be fetched from here.
pub(super) fn check_address(uri: &str) -> Result<String, Kind> {
    match uri.split_once(':') {
        Some(("http" | "https" | "file", _)) => Ok(uri.to_owned()),
        Some((scheme, _)) if !scheme.is_empty() && !scheme.contains('/') => Err(Kind::Scheme { scheme: short(scheme) }),
        _ => Err(Kind::Address),
    }
}

/// A flat repository has no components; every other has.
pub(super) fn check_components(suites: &[String], components: &[String]) -> Result<(), Kind> {
    let flat = suites.iter().filter(|suite| suite.ends_with('/')).count();
    match (flat, components.is_empty()) {
        (0, true) => Err(Kind::Missing { part: "component" }),
        (0, false) => Ok(()),
        (_, true) if flat == suites.len() => Ok(()),
        _ => Err(Kind::FlatComponents),
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The words that apt takes for yes and no.
fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "with" | "on" | "enable" | "1" => Some(true),
        "no" | "false" | "without" | "off" | "disable" | "0" => Some(false),
        _ => None,
    }
}

fn signed_by(value: &str) -> Result<SignedBy, Kind> {
    if value.trim_start().starts_with("-----BEGIN PGP ") {
        return Ok(SignedBy::Embedded(value.trim_start().as_bytes().to_vec()));
    }
    let mut files = Vec::new();
    let mut pins = Vec::new();
    for word in list(value) {
        if word.starts_with('/') {
            files.push(PathBuf::from(word));
        } else {
            pins.push(word.parse::<KeyPin>().map_err(Kind::SignedBy)?);
        }
    }
    Ok(match (files.is_empty(), pins.is_empty()) {
        (true, true) => SignedBy::Default,
        (false, true) => SignedBy::Files(files),
        (true, false) => SignedBy::Fingerprints(pins),
        (false, false) => SignedBy::Selected { files, pins },
    })
}
