//! The security tracker's lists of advisories, `data/DSA/list`, `data/DLA/list` and `data/DTSA/list`.
//!
//! An advisory starts with a line like `[29 Mar 2023] DSA-5380-1 xorg-server - security update`; the lines below it are set
//! in, and hold its CVEs in braces, the version that repairs each release, and notes. A later one of the same number
//! (`-2`) that states no CVEs is about those of the first. Lists do not tell of what point releases repair.

use std::collections::BTreeMap;
use std::io::BufRead;

use jiff::civil::Date;

use super::text::{is_word, start_of, title};
use super::{FeedError, Summary, line};
use crate::advisory::{Advisory, Feed, Item, NoDsa, State};

/// A longer line is none: the CVEs of a kernel advisory have some kilobytes.
const MAX_LINE: u64 = 1 << 16;

/// A longer list is none, in advisories.
const MAX_ADVISORIES: usize = 200_000;

struct Entry {
    date: Date,
    id: String,
    feed: Feed,
    title: String,
    cves: Vec<String>,
    packages: Vec<Package>,
}

struct Package {
    release: String,
    source: String,
    state: State,
    no_dsa: Option<NoDsa>,
}

pub(super) fn read(reader: &mut dyn BufRead, each: &mut dyn FnMut(Item)) -> Result<Summary, FeedError> {
    let entries = entries(reader)?;
    // The first of a number has the CVEs that later ones are about.
    let mut first: BTreeMap<&str, (u32, &[String])> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.cves.is_empty()) {
        let Some((base, revision)) = revision(&entry.id) else { continue };
        let known = first.entry(base).or_insert((revision, &entry.cves));
        if revision < known.0 {
            *known = (revision, &entry.cves);
        }
    }
    let mut summary = Summary::default();
    for entry in &entries {
        summary.count()?;
        summary.saw(start_of(entry.date));
        let inherited = || revision(&entry.id).and_then(|(base, _)| Some(first.get(base)?.1)).unwrap_or_default();
        let mut aliases = if entry.cves.is_empty() { inherited().to_vec() } else { entry.cves.clone() };
        aliases.sort();
        aliases.dedup();
        for package in &entry.packages {
            each(Item::Advisory(Advisory {
                id: entry.id.clone(),
                aliases: aliases.clone(),
                feed: entry.feed,
                release: package.release.clone(),
                source: package.source.clone(),
                state: package.state.clone(),
                urgency: None,
                no_dsa: package.no_dsa,
                archive: None,
                published: Some(entry.date),
                title: title(&entry.title),
            }));
        }
    }
    Ok(summary)
}

fn entries(reader: &mut dyn BufRead) -> Result<Vec<Entry>, FeedError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut number = 0;
    while let Some(text) = line(reader, MAX_LINE, number + 1)? {
        number += 1;
        let wrong = |expected| FeedError::Line { line: number, expected };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            continue;
        }
        if !text.starts_with([' ', '\t']) {
            entries.push(head(trimmed).ok_or(wrong("a date, an advisory and a package"))?);
            if entries.len() > MAX_ADVISORIES {
                return Err(FeedError::TooMany);
            }
            continue;
        }
        let entry = entries.last_mut().ok_or(wrong("below an advisory"))?;
        if let Some(cves) = trimmed.strip_prefix('{') {
            let cves = cves.strip_suffix('}').ok_or(wrong("CVEs in braces"))?.split_whitespace().map(str::to_owned);
            entry.cves.extend(cves);
            if !entry.cves.iter().all(|cve| is_word(cve)) {
                return Err(wrong("CVEs in braces"));
            }
        } else if trimmed.starts_with('[') {
            entry.packages.extend(package(trimmed).map_err(|NoPackage| wrong("a release, a package and a version"))?);
        } else if !["NOTE:", "TODO:"].iter().any(|word| trimmed.starts_with(word)) {
            return Err(wrong("CVEs, a release or a note"));
        }
    }
    Ok(entries)
}

/// Whose list it is that starts with this line.
pub(super) fn head_of(text: &str) -> Option<Feed> {
    head(text).map(|entry| entry.feed)
}

/// `[29 Mar 2023] DSA-5380-1 xorg-server - security update`.
fn head(text: &str) -> Option<Entry> {
    let (date, rest) = text.strip_prefix('[')?.split_once(']')?;
    let date = date_of(date)?;
    let (id, title) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
    let feed = if id.starts_with("DLA-") {
        Feed::Dla
    } else if id.starts_with("DSA-") || id.starts_with("DTSA-") {
        Feed::Dsa
    } else {
        return None;
    };
    let title = title.trim().to_owned();
    is_word(id).then(|| Entry { date, id: id.to_owned(), feed, title, cves: Vec::new(), packages: Vec::new() })
}

/// `29 Mar 2023`.
fn date_of(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| month.starts_with(name))? + 1;
    let date = Date::new(year.parse().ok()?, i8::try_from(month).ok()?, day.parse().ok()?).ok()?;
    words.next().is_none().then_some(date)
}

/// A line that is about no package.
struct NoPackage;

/// `[bullseye] - xorg-server 2:1.20.11-1+deb11u6 (what nobody reads)`; what has left the archive is told of by nothing.
fn package(text: &str) -> Result<Option<Package>, NoPackage> {
    let (release, rest) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(NoPackage)?;
    let mut words = rest.trim_start().strip_prefix('-').ok_or(NoPackage)?.split_whitespace();
    let (source, version) = (words.next().ok_or(NoPackage)?, words.next().ok_or(NoPackage)?);
    let (state, no_dsa) = match version {
        "<not-affected>" => (State::NotAffected, None),
        "<unfixed>" => (State::Open, None),
        "<no-dsa>" => (State::Open, Some(NoDsa::Minor)),
        "<ignored>" => (State::Open, Some(NoDsa::Ignored)),
        "<postponed>" => (State::Open, Some(NoDsa::Postponed)),
        "<end-of-life>" => (State::EndOfLife, None),
        "<undetermined>" => (State::Undetermined, None),
        "<removed>" | "<itp>" => return Ok(None),
        _ if version.starts_with('<') => return Err(NoPackage),
        _ => (State::Fixed(version.to_owned()), None),
    };
    if ![release, source, version].iter().all(|word| is_word(word)) {
        return Err(NoPackage);
    }
    Ok(Some(Package { release: release.to_owned(), source: source.to_owned(), state, no_dsa }))
}

/// The number of an advisory, as in `DSA-5356`, and which one of that number it is.
fn revision(id: &str) -> Option<(&str, u32)> {
    let (base, revision) = id.rsplit_once('-')?;
    Some((base, revision.parse().ok()?))
}
