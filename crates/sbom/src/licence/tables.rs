//! The tables of `data/`, and the SPDX licence list.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What a short name of Debian's stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This expression: the format says so, or nothing else is ever meant.
    Fixed(&'static str),
    /// This expression, unless the text is known to be another licence.
    Checked(&'static str),
    /// A family whose version the text has to tell. Without a text it is this, the lowest.
    Family(&'static str),
    /// Nothing by itself: many licences are called so.
    Nothing,
}

/// What an exception's keyword stands for. There may be several rows for one, with different probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keyword {
    /// The keyword in lower case. `*` where the probe is enough.
    pub(super) name: &'static str,
    /// SPDX's name. None where it has none.
    pub(super) exception: Option<&'static str>,
    /// What the text must have, folded at the time of use. None where the keyword is enough.
    pub(super) probe: Option<&'static str>,
}

/// The meaning of a short name in lower case.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    static TABLE: OnceLock<BTreeMap<&str, Meaning>> = OnceLock::new();
    let read = || {
        let rows = rows(include_str!("../../data/deb-license-map.tsv"));
        rows.filter_map(|row| {
            let mut columns = row.split('\t');
            let (name, spdx, kind) = (columns.next()?, columns.next()?, columns.next()?);
            let meaning = match kind {
                "S" | "A" => Meaning::Fixed(spdx),
                "C" => Meaning::Checked(spdx),
                "U" => Meaning::Family(spdx),
                _ => Meaning::Nothing,
            };
            Some((name, meaning))
        })
        .collect()
    };
    TABLE.get_or_init(read).get(name).copied()
}

/// The keywords of exceptions, in the order of the table.
pub(super) fn keywords() -> &'static [Keyword] {
    static TABLE: OnceLock<Vec<Keyword>> = OnceLock::new();
    let read = || {
        let rows = rows(include_str!("../../data/deb-exception-map.tsv"));
        rows.filter_map(|row| {
            let mut columns = row.split('\t');
            let mut column = || columns.next().map(|value| Some(value).filter(|value| *value != "-"));
            let (name, exception, probe) = (column()??, column()?, column()?);
            Some(Keyword { name, exception, probe })
        })
        .collect()
    };
    TABLE.get_or_init(read)
}

/// The rows of a table: no comments, no empty lines.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The SPDX id of a licence, whatever its case. Deprecated ones are none.
pub(super) fn licence_id(name: &str) -> Option<&'static str> {
    static IDS: OnceLock<BTreeMap<String, &str>> = OnceLock::new();
    let read = || {
        let current = spdx::identifiers::LICENSES.iter().filter(|l| l.flags & spdx::flags::IS_DEPRECATED == 0);
        // The list also has NONE and NOASSERTION, which are no licences.
        let licences = current.map(|licence| licence.name).filter(|name| !matches!(*name, "NONE" | "NOASSERTION"));
        licences.map(|name| (name.to_ascii_lowercase(), name)).collect()
    };
    IDS.get_or_init(read).get(&name.to_ascii_lowercase()).copied()
}

/// The SPDX id of an exception, whatever its case. Deprecated ones are none.
pub(super) fn exception_id(name: &str) -> Option<&'static str> {
    let current = spdx::identifiers::EXCEPTIONS.iter().filter(|e| e.flags & spdx::flags::IS_DEPRECATED == 0);
    current.map(|exception| exception.name).find(|id| id.eq_ignore_ascii_case(name))
}

/// Licences of the list from this version of a family on, as `MPL-1.1` is followed by `MPL-2.0`. Those with more after the
/// version, as `CC-BY-3.0-DE`, are licences of their own.
pub(super) fn from_version_on(id: &str) -> Vec<&'static str> {
    let Some((base, from)) = versioned(id) else { return Vec::new() };
    let mut found: Vec<(_, &'static str)> = spdx::identifiers::LICENSES
        .iter()
        .filter(|licence| licence.flags & spdx::flags::IS_DEPRECATED == 0)
        .filter_map(|licence| {
            let (other, version) = versioned(licence.name)?;
            (other == base && version >= from).then_some((version, licence.name))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

/// An id taken apart: `LPPL-1.3c` is `LPPL`, and 1, 3, `c`.
fn versioned(id: &str) -> Option<(&str, (u32, u32, &str))> {
    let (base, version) = id.rsplit_once('-')?;
    let (major, rest) = version.split_once('.').unwrap_or((version, "0"));
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (minor, letter) = rest.split_at(end);
    let is_plain = letter.bytes().all(|byte| byte.is_ascii_lowercase()) && letter.len() < 2;
    is_plain.then_some((base, (major.parse().ok()?, minor.parse().ok()?, letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_what_spdx_has() {
        for row in rows(include_str!("../../data/deb-license-map.tsv")) {
            let name = row.split('\t').next().unwrap();
            match meaning(name).unwrap() {
                Meaning::Nothing => {}
                Meaning::Fixed(spdx) | Meaning::Checked(spdx) | Meaning::Family(spdx) => {
                    assert!(spdx::Expression::parse(spdx).is_ok(), "{row}");
                }
            }
            assert_eq!((name.to_ascii_lowercase().as_str(), name.ends_with('+')), (name, false));
        }
        let rows = rows(include_str!("../../data/deb-exception-map.tsv"));
        assert_eq!(rows.count(), keywords().len());
        for row in keywords() {
            if let Some(exception) = row.exception {
                assert!(spdx::exception_id(exception).is_some_and(|id| !id.is_deprecated()), "{row:?}");
            }
            assert!(row.name != "*" || row.probe.is_some(), "{row:?}");
        }
    }

    #[test]
    fn later_versions_are_those_of_the_same_licence() {
        for (id, expected) in [
            ("MPL-1.1", "MPL-1.1 MPL-2.0"),
            ("Apache-2.0", "Apache-2.0"),
            ("CC-BY-SA-3.0", "CC-BY-SA-3.0 CC-BY-SA-4.0"),
            ("LPPL-1.2", "LPPL-1.2 LPPL-1.3a LPPL-1.3c"),
            ("Zlib", ""),
        ] {
            assert_eq!(from_version_on(id).join(" "), expected);
        }
    }

    #[test]
    fn deprecated_ids_are_not_known() {
        assert_eq!(licence_id("gpl-2.0-ONLY"), Some("GPL-2.0-only"));
        for id in ["GPL-2.0", "GPL-2.0+", "NONE", "eCos-2.0", "no-such"] {
            assert_eq!(licence_id(id), None, "{id}");
        }
        assert_eq!(exception_id("bison-exception-2.2"), Some("Bison-exception-2.2"));
        assert_eq!(exception_id("Nokia-Qt-exception-1.1"), None);
    }
}
