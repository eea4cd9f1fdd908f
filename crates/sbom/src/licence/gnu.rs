//! The licences of the GNU project, whose names carry their versions.

use super::names::Resolved;
use super::tables;
use super::text::{self, Version};

/// How a family writes itself.
struct Family {
    /// The start of a short name, in lower case.
    short: &'static str,
    /// The start of an SPDX id.
    id: &'static str,
    /// The lowest version that SPDX has.
    lowest: &'static str,
    /// What texts call it, folded.
    names: &'static [&'static str],
    /// The file in `/usr/share/common-licenses`, folded, without a version.
    file: &'static str,
}

const FAMILIES: [Family; 4] = [
    Family {
        short: "agpl",
        id: "AGPL-",
        lowest: "1.0",
        names: &[" affero general public license "],
        file: " common licenses agpl ",
    },
    Family {
        short: "lgpl",
        id: "LGPL-",
        lowest: "2.0",
        names: &[
            " gnu lesser general public license ",
            " gnu library general public license ",
            " gnu lesser public license ",
            " lesser gnu public license ",
            " gnu lgpl ",
        ],
        file: " common licenses lgpl ",
    },
    Family {
        short: "gfdl",
        id: "GFDL-",
        lowest: "1.1",
        names: &[" gnu free documentation license "],
        file: " common licenses gfdl ",
    },
    Family {
        short: "gpl",
        id: "GPL-",
        lowest: "1.0",
        names: &[" gnu general public license ", " gnu public license ", " gnu gpl "],
        file: " common licenses gpl ",
    },
];

/// What stands behind the version.
#[derive(Clone, Copy, PartialEq)]
enum Suffix {
    None,
    Only,
    OrLater,
}

/// The meaning of a short name in lower case. None where it is of another family, and where SPDX has no such version.
pub(super) fn licence<'a>(name: &str, text: impl FnOnce() -> Option<&'a str>) -> Option<Resolved> {
    let plain = name.strip_prefix("gnu-").unwrap_or(name);
    let (family, rest) = FAMILIES.iter().find_map(|family| Some((family, plain.strip_prefix(family.short)?)))?;
    let (rest, mut no_invariants) = match rest.strip_prefix("-niv") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let rest = rest.trim_start_matches('-');
    let rest =
        rest.strip_prefix("version").or_else(|| rest.strip_prefix('v')).unwrap_or(rest).trim_start_matches(['-', '.']);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    let (rest, suffix) = suffix(rest);
    let rest = match rest.strip_prefix("-no-invariants") {
        Some(rest) => {
            no_invariants = true;
            rest
        }
        None => rest,
    };
    let (rest, suffix) = if suffix == Suffix::None { self::suffix(rest) } else { (rest, suffix) };
    if !rest.is_empty() {
        return None;
    }
    if number.is_empty() {
        return match suffix {
            Suffix::OrLater => {
                let id = id(family, no_invariants, family.lowest, true)?;
                Some(Resolved::guess(name, id, "no version, so the lowest"))
            }
            _ => unversioned(name, family, no_invariants, text()),
        };
    }
    let number = if number.contains('.') { number.to_owned() } else { format!("{number}.0") };
    id(family, no_invariants, &number, suffix == Suffix::OrLater).map(Resolved::sure)
}

fn suffix(rest: &str) -> (&str, Suffix) {
    for (end, suffix) in [
        ("+", Suffix::OrLater),
        ("-or-later", Suffix::OrLater),
        ("-or-newer", Suffix::OrLater),
        ("-plus", Suffix::OrLater),
        ("-only", Suffix::Only),
    ] {
        if let Some(rest) = rest.strip_prefix(end) {
            return (rest, suffix);
        }
    }
    (rest, Suffix::None)
}

fn id(family: &Family, no_invariants: bool, number: &str, or_later: bool) -> Option<&'static str> {
    let niv = if no_invariants { "no-invariants-" } else { "" };
    let end = if or_later { "or-later" } else { "only" };
    tables::licence_id(&format!("{}{number}-{niv}{end}", family.id))
}

/// A name without a version: the grant in the text has one, or else the format says that the lowest is meant.
fn unversioned(name: &str, family: &Family, no_invariants: bool, text: Option<&str>) -> Option<Resolved> {
    let lowest = |why| Some(Resolved::guess(name, id(family, no_invariants, family.lowest, false)?, why));
    let Some(text) = text else { return lowest("no version, so the lowest") };
    let mut found: Vec<Version> = Vec::new();
    for version in family.names.iter().flat_map(|words| text::versions(text, words)) {
        if !found.iter().any(|v| v.number == version.number) {
            found.push(version);
        }
    }
    match found.as_slice() {
        [version] => {
            let id = id(family, no_invariants, &version.number, version.or_later)?;
            Some(Resolved::guess(name, id, "by the version in its text"))
        }
        [] => {
            if let [version] = text::versions(text, family.file).as_slice() {
                let id = id(family, no_invariants, &version.number, version.or_later)?;
                return Some(Resolved::guess(name, id, "by the text that it points to"));
            }
            // The licences themselves say so.
            let id = id(family, no_invariants, family.lowest, true)?;
            Some(Resolved::guess(name, id, "its text names no version, so any"))
        }
        _ => None,
    }
}

/// The licences whose texts a text in prose points to in `/usr/share/common-licenses`, each by what is granted before.
pub(super) fn pointed_to(text: &str) -> Vec<Resolved> {
    let pointers = FAMILIES.iter().flat_map(|family| text.match_indices(family.file).map(move |(at, _)| (family, at)));
    pointers.filter_map(|(family, at)| pointer(text, family, at)).collect()
}

/// Bytes before a pointer to a text within which its grant stands.
const LOOK_BACK: usize = 1500;

fn pointer(text: &str, family: &Family, at: usize) -> Option<Resolved> {
    let before = (at.saturating_sub(LOOK_BACK)..=at).find_map(|start| text.get(start..at))?;
    let mut words = text.get(at + family.file.len()..)?.split(' ');
    let is_number = |word: &&str| word.len() == 1 && word.starts_with(|c: char| c.is_ascii_digit());
    let Some(major) = words.next().filter(is_number) else {
        // The file without a version is the newest; the grant has to say which one is meant.
        let found = family.names.iter().flat_map(|words| text::versions(before, words)).last()?;
        let id = id(family, false, &found.number, found.or_later)?;
        return Some(Resolved::guess(family.short, id, "by the version before the pointer to its text"));
    };
    // `LGPL-2` is followed by the next sentence, `LGPL-2.1` by its number, and GFDL always has one.
    let minor = words.next().filter(is_number).unwrap_or("0");
    let or_later = [" any later version ", " or later "].iter().any(|later| before.contains(later));
    let exact = id(family, false, &format!("{major}.{minor}"), or_later);
    exact.or_else(|| id(family, false, &format!("{major}.0"), or_later)).map(Resolved::sure)
}
