//! Python distributions, by the metadata that installers leave beside their files.
//!
//! See [core metadata](https://packaging.python.org/en/latest/specifications/core-metadata/).

use distil_imgcore::ImagePath;

use super::found::{Found, value};
use crate::inventory::PackageKind;

/// Classifiers that stand for one licence and one version of it, after `License :: ` and `OSI Approved :: `.
///
/// See [classifiers](https://pypi.org/classifiers/). `BSD License` and `Apache Software License` are not here: they leave
/// open which one.
const CLASSIFIERS: &[(&str, &str)] = &[
    ("Academic Free License (AFL)", "AFL-3.0"),
    ("Blue Oak Model License (BlueOak-1.0.0)", "BlueOak-1.0.0"),
    ("Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
    ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
    ("Eclipse Public License 1.0 (EPL-1.0)", "EPL-1.0"),
    ("Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0"),
    ("European Union Public Licence 1.1 (EUPL 1.1)", "EUPL-1.1"),
    ("European Union Public Licence 1.2 (EUPL 1.2)", "EUPL-1.2"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
    ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("ISC License (ISCL)", "ISC"),
    ("MIT License", "MIT"),
    ("MIT No Attribution License (MIT-0)", "MIT-0"),
    ("Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("Mulan Permissive Software License v2 (MulanPSL-2.0)", "MulanPSL-2.0"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("Universal Permissive License (UPL)", "UPL-1.0"),
    ("Zero-Clause BSD (0BSD)", "0BSD"),
    ("zlib/libpng License", "Zlib"),
];

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
    let declared = first("License-Expression").or_else(|| first("License")).and_then(value);
    Some(Found {
        licence: declared.or_else(|| classified(&fields)),
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
fn classified(fields: &[(&str, String)]) -> Option<String> {
    let mut licences =
        fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Classifier")).filter_map(|(_, value)| {
            let name = value.strip_prefix("License :: ")?;
            let name = name.strip_prefix("OSI Approved :: ").unwrap_or(name);
            (name != "OSI Approved").then_some(name)
        });
    let only = licences.next().filter(|_| licences.next().is_none())?;
    CLASSIFIERS.iter().find(|(name, _)| *name == only).map(|(_, id)| (*id).to_owned())
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
