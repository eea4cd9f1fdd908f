//! Python distributions, by the metadata that installers leave beside their files.
//!
//! See [core metadata](https://packaging.python.org/en/latest/specifications/core-metadata/).

use distil_imgcore::ImagePath;

use super::found::{Found, value};
use crate::inventory::PackageKind;
use crate::licence;

/// Whether a file is the metadata of a distribution.
pub(super) fn is_metadata(path: &ImagePath) -> bool {
    let mut parts = path.components().rev();
    let name = parts.next().unwrap_or_default();
    let folder = parts.next().unwrap_or_default();
    match name {
        b"METADATA" => folder.ends_with(b".dist-info"),
        b"PKG-INFO" => folder.ends_with(b".egg-info") || folder == b"EGG-INFO",
        _ => name.ends_with(b".egg-info"),
    }
}

/// The distribution, by the headers before the first empty line.
pub(super) fn find(bytes: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(bytes);
    let fields = fields(&text);
    let first = |key: &str| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str());
    let found = Found::new(&PackageKind::Pypi, first("Name")?, first("Version"))?;
    let words = [first("License-Expression"), first("License"), classified(&fields)];
    Some(Found {
        licence: clearest(words.into_iter().flatten().filter_map(value).collect()),
        homepage: first("Home-page").and_then(value).or_else(|| page(&fields)),
        summary: first("Summary").and_then(value),
        author: author(first("Author"), first("Author-email")),
        ..found
    })
}

/// Keys and values in their order. Lines that begin with a blank belong to the value before.
fn fields(text: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            fields.push((key.trim(), value.trim().to_owned()));
        }
    }
    fields
}

/// The licence that classifiers tell of. Several may mean a choice or all of them, which nothing says.
fn classified<'a>(fields: &'a [(&str, String)]) -> Option<&'a str> {
    let classifiers = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Classifier")).map(|(_, value)| value);
    let mut licences =
        classifiers.filter(|value| value.starts_with("License :: ") && !value.ends_with(":: OSI Approved"));
    licences.next().filter(|_| licences.next().is_none()).map(String::as_str)
}

/// The first word for the licence that leaves no question, or the first one. `BSD` and a classifier with a version are
/// often side by side.
fn clearest(words: Vec<String>) -> Option<String> {
    let clear = words.iter().position(|word| licence::of_name(word).is_some());
    words.into_iter().nth(clear.unwrap_or_default())
}

/// The page among those of a project that is called its home.
fn page(fields: &[(&str, String)]) -> Option<String> {
    let pages = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Project-URL"));
    let mut labelled = pages.filter_map(|(_, page)| page.split_once(','));
    let is_home =
        |label: &str| ["home", "homepage", "home-page"].iter().any(|home| label.trim().eq_ignore_ascii_case(home));
    labelled.find(|(label, _)| is_home(label)).and_then(|(_, url)| value(url))
}

/// A name and an address, which newer metadata have in one field.
fn author(name: Option<&str>, mail: Option<&str>) -> Option<String> {
    let (name, mail) = (name.and_then(value), mail.and_then(value));
    match (name, mail) {
        (Some(name), Some(mail)) if !mail.contains(['<', ',']) => Some(format!("{name} <{mail}>")),
        (name, mail) => mail.filter(|mail| !mail.contains(',')).or(name),
    }
}
