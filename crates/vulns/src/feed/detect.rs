//! What a file is, by how it starts.

use super::FeedKind;
use super::lists::head_of;
use super::support;
use crate::advisory::Feed;

/// So many bytes of its start tell what a file is.
pub const HEAD: usize = 1 << 16;

/// Deeper than this no kind differs from another.
const DEPTH: usize = 3;

/// The kind of a feed that starts like this, [`HEAD`] bytes or all of it; none for anything else. What gzip packed is to be
/// unpacked before, see [`is_gzip`]. A zip file is one of OSV records.
#[must_use]
pub fn detect(head: &[u8]) -> Option<FeedKind> {
    if head.starts_with(b"PK\x03\x04") {
        return Some(FeedKind::Osv);
    }
    let text = head.utf8_chunks().next()?.valid();
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    if first.starts_with("#model_version:") || first.trim() == "cve,epss,percentile" {
        return Some(FeedKind::Epss);
    }
    if first.starts_with("version,codename,series,") {
        return Some(FeedKind::DistroInfo);
    }
    match head_of(first.trim()) {
        Some(Feed::Dla) => return Some(FeedKind::Dla),
        Some(_) => return Some(FeedKind::Dsa),
        None => {}
    }
    if text.trim_start().starts_with('{') {
        return of_json(text);
    }
    support::detect(text)
}

/// Whether gzip packed it.
#[must_use]
pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

fn of_json(text: &str) -> Option<FeedKind> {
    let keys = keys(text);
    let at = |depth: usize, wanted: &str| keys.iter().any(|(found, key)| *found == depth && *key == wanted);
    let is_issue = |key: &str| key.starts_with("CVE-") || key.starts_with("TEMP-");
    // The tracker has names of packages first, and those can be any word.
    if keys.iter().find(|(depth, _)| *depth == 2).is_some_and(|(_, key)| is_issue(key)) {
        return Some(FeedKind::Tracker);
    }
    if at(1, "vulnerabilities") && (at(1, "catalogVersion") || at(2, "cveID")) {
        return Some(FeedKind::Kev);
    }
    if at(1, "cve") || at(2, "cve") && (at(1, "vulnerabilities") || at(1, "item")) {
        return Some(FeedKind::Nvd);
    }
    let is_osv = at(1, "id") && ["affected", "modified", "schema_version", "details"].iter().any(|key| at(1, key));
    is_osv.then_some(FeedKind::Osv)
}

/// The keys of the first objects with their depth, as far as the text goes. It may end anywhere.
fn keys(text: &str) -> Vec<(usize, &str)> {
    let mut keys = Vec::new();
    // Of each level whether it is an object.
    let mut levels: Vec<bool> = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}', '[', ']', '"']) {
        let (found, behind) = rest.split_at(place).1.split_at(1);
        rest = behind;
        match found {
            "{" | "[" => levels.push(found == "{"),
            "}" | "]" => drop(levels.pop()),
            _ => {
                let Some((string, behind)) = string(rest) else { break };
                rest = behind;
                let depth = levels.iter().filter(|is_object| **is_object).count();
                if levels.last() == Some(&true) && depth <= DEPTH && rest.trim_start().starts_with(':') {
                    keys.push((depth, string));
                }
            }
        }
        // What follows a first value tells nothing more: another record, or rubbish.
        if levels.is_empty() || levels.len() > 128 {
            break;
        }
    }
    keys
}

/// A string without its escapes undone, and what comes behind it.
fn string(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let place = from + text.get(from..)?.find(['"', '\\'])?;
        if text.get(place..)?.starts_with('"') {
            return Some((text.get(..place)?, text.get(place + 1..)?));
        }
        // A backslash, and the character behind it, whatever its length.
        from = place + 1 + text.get(place + 1..)?.chars().next()?.len_utf8();
    }
}
