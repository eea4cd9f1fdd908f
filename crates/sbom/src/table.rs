//! An inventory for people: what each line of a table has to say. Whoever prints it aligns the columns.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use distil_imgcore::Escaped;
use schemars::JsonSchema;
use serde::Serialize;

use crate::digests::Digests;
use crate::inventory::{File, Inventory, Package};

/// What a table shows. All texts are fit for a terminal: without line breaks, escape sequences and hidden characters. They are
/// whole, and may be of any length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Packages of all kinds, in the order of the inventory.
    pub packages: Vec<PackageRow>,
    /// The team's own files, by path.
    pub own_files: Vec<FileRow>,
    /// How many packages have which licence: the most frequent first, those without any last.
    pub licences: Vec<LicenceRow>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PackageRow {
    /// The type of its package URL, as in `deb`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, for other kinds than Debian packages with what stands before it, as in `@babel/core`.
    pub name: String,
    /// Its version; empty where none is known.
    pub version: String,
    /// Debian's name of the architecture; empty where none is known.
    pub architecture: String,
    /// Bytes of the file that it was installed from.
    pub size: Option<u64>,
    /// Its source package where that has another name, with its version where that is another one; empty otherwise.
    pub source: String,
    /// Its licence as an expression; empty where none is known.
    pub licence: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileRow {
    /// Where it is, from the root.
    pub path: String,
    /// Bytes; none where it is not known.
    pub size: Option<u64>,
    /// Its SHA-256 in hexadecimal; empty where it is not known.
    pub sha256: String,
}

/// A licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LicenceRow {
    /// The expression. None stands for packages whose licence is not known.
    #[serde(rename = "licence")]
    pub expression: Option<String>,
    /// How many packages have it.
    pub packages: usize,
}

impl Table {
    /// The table of an inventory.
    #[must_use]
    pub fn of(inventory: &Inventory) -> Self {
        Self {
            packages: inventory.packages.iter().map(PackageRow::of).collect(),
            own_files: inventory.own_files().map(FileRow::of).collect(),
            licences: licences(&inventory.packages),
        }
    }
}

impl PackageRow {
    fn of(package: &Package) -> Self {
        let text = |text: Option<&str>| shown(text.unwrap_or_default());
        let is_deb = package.kind == crate::inventory::PackageKind::Deb;
        let name = match package.namespace.as_deref().filter(|namespace| !is_deb && !namespace.is_empty()) {
            Some(namespace) => shown(&format!("{namespace}/{}", package.name)),
            None => shown(&package.name),
        };
        Self {
            kind: shown(package.kind.as_str()),
            name,
            version: text(package.version.as_deref()),
            architecture: text(package.architecture.as_deref()),
            size: package.artefact.as_ref().and_then(|artefact| artefact.size),
            source: source(package),
            licence: text(licence(package)),
        }
    }
}

impl FileRow {
    fn of(file: &File) -> Self {
        // SPDX has no field for sizes, and a file without a byte has the digest of nothing.
        let is_known = file.size > 0 || file.digests.sha256 == Digests::of(&[]).sha256;
        Self {
            path: format!("/{}", Escaped(file.path.as_bytes())),
            size: is_known.then_some(file.size),
            sha256: file.digests.sha256.map(hex::encode).unwrap_or_default(),
        }
    }
}

fn source(package: &Package) -> String {
    let Some(source) = &package.source else { return String::new() };
    let has_name = source.name != package.name;
    let has_version = package.version.as_ref() != Some(&source.version);
    match (has_name, has_version) {
        (false, false) => String::new(),
        (true, false) => shown(&source.name),
        (_, true) => shown(&format!("{} {}", source.name, source.version)),
    }
}

/// What holds for a package, or what its authors say where nobody came to a conclusion.
fn licence(package: &Package) -> Option<&str> {
    let licences = &package.licences;
    licences.concluded.as_deref().or(licences.declared.as_deref()).filter(|text| !text.is_empty())
}

fn licences(packages: &[Package]) -> Vec<LicenceRow> {
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for package in packages {
        *counts.entry(licence(package)).or_default() += 1;
    }
    let row =
        |(expression, packages): (Option<&str>, usize)| LicenceRow { expression: expression.map(shown), packages };
    let mut rows: Vec<LicenceRow> = counts.into_iter().map(row).collect();
    // The sort is stable, so that licences of equal number stay in the order of their names.
    rows.sort_by_key(|row| (row.expression.is_none(), Reverse(row.packages)));
    rows
}

/// The text, fit for a terminal.
fn shown(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn check(inventory: &Inventory) -> Table {
        let table = Table::of(inventory);
        assert_eq!(table.packages.len(), inventory.packages.len());
        assert_eq!(table.own_files.len(), inventory.own_files().count());
        assert_eq!(table.licences.iter().map(|row| row.packages).sum::<usize>(), inventory.packages.len());
        let texts = table.packages.iter().flat_map(|row| {
            [&row.kind, &row.name, &row.version, &row.architecture, &row.source, &row.licence].map(String::as_str)
        });
        let texts = texts.chain(table.own_files.iter().map(|row| row.path.as_str()));
        let texts = texts.chain(table.licences.iter().filter_map(|row| row.expression.as_deref()));
        for text in texts {
            assert_eq!(Escaped(text.as_bytes()).to_string(), text);
        }
        table
    }

    #[test]
    fn packages_files_and_licences_have_rows() {
        let table = check(&sample::inventory());
        let lines =
            table.packages.iter().map(|row| [&row.name, &row.version, &row.architecture, &row.source, &row.licence]);
        let library = format!("(GPL-2.0-or-later OR MIT) AND {}", sample::LICENCE_REF);
        let expected = [
            ["libweird++1", "2:1.0~rc1+dfsg-1+b2", "amd64", "weird 2:1.0~rc1+dfsg-1", &library],
            ["webtool", "3.1-1", "amd64", "", "Apache-2.0"],
            ["github.com/Example/mod", "v1.2.3", "", "", ""],
            ["sampledist", "0.9", "", "", "BSD-3-Clause"],
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
        assert_eq!((table.packages[0].size, table.packages[2].size), (Some(12_345), None));
        assert_eq!((table.own_files[1].path.as_str(), table.own_files[1].size), ("/srv/app/run.sh", Some(14)));
    }

    #[test]
    fn a_size_that_no_document_says_is_not_known() {
        let mut inventory = sample::inventory();
        let own = inventory.own_files().nth(1).unwrap().path.clone();
        let size = |inventory: &Inventory| check(inventory).own_files[1].size;
        let file = |inventory: &mut Inventory, digests: Digests| {
            let file = inventory.files.iter_mut().find(|file| file.path == own).unwrap();
            (file.size, file.digests) = (0, digests);
        };
        file(&mut inventory, Digests::of(b"something"));
        assert_eq!(size(&inventory), None);
        file(&mut inventory, Digests::of(b""));
        assert_eq!(size(&inventory), Some(0));
    }

    #[test]
    fn frequent_licences_come_first_and_unknown_ones_last() {
        let mut inventory = sample::inventory();
        inventory.packages[3].licences.concluded = Some("Apache-2.0".into());
        let twice = [2, 2].map(|number| inventory.packages[number].clone());
        inventory.packages.extend(twice);
        let licences = check(&inventory).licences;
        let counts: Vec<(Option<&str>, usize)> =
            licences.iter().map(|row| (row.expression.as_deref(), row.packages)).collect();
        assert_eq!(counts[0], (Some("Apache-2.0"), 2));
        assert_eq!((counts[1].1, counts[2]), (1, (None, 3)));
    }

    #[test]
    fn hostile_texts_steer_no_terminal() {
        let table = check(&sample::hostile());
        assert!(table.own_files.iter().any(|row| row.path == r"/srv/caf\xe9.txt"));
    }
}
