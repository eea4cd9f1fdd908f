//! Sources in one-line form: `deb [arch=amd64 signed-by=/a/key.gpg] https://example.org/debian bookworm main`.

use super::error::{HostSourceError, HostSourceErrorKind as Kind};
use super::options::{Change, Options, check_address, check_components, short};
use super::{HostSource, MAX_FILE, MAX_SOURCES};

/// Reads a file of the form of `sources.list`. `name` stands in messages. Sources of source packages and those that
/// are not enabled are left out.
///
/// # Errors
///
/// [`HostSourceError`] for the first entry that cannot be used.
pub fn parse_one_line(name: &str, bytes: &[u8]) -> Result<Vec<HostSource>, HostSourceError> {
    let fail = |line, kind| HostSourceError { file: name.to_owned(), line, kind };
    if bytes.len() > MAX_FILE {
        return Err(fail(1, Kind::TooLarge { size: bytes.len(), limit: MAX_FILE }));
    }
    let mut sources = Vec::new();
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = index + 1;
        let text = str::from_utf8(line).ok().map(str::trim_end);
        let text = text.filter(|text| text.chars().all(|c| c == '\t' || !c.is_control()));
        let text = text.ok_or_else(|| fail(number, Kind::NotText))?;
        let entry = read_entry(without_comment(text)).map_err(|kind| fail(number, kind))?;
        sources.extend(entry.map(|entry| HostSource { place: format!("{name}:{number}"), ..entry }));
        if sources.len() > MAX_SOURCES {
            return Err(fail(number, Kind::TooMany { limit: MAX_SOURCES }));
        }
    }
    Ok(sources)
}

/// A comment may start anywhere but inside of brackets.
fn without_comment(line: &str) -> &str {
    let mut inside = false;
    let start = line.find(|c| {
        inside = match c {
            '[' => true,
            ']' => false,
            _ => inside,
        };
        c == '#' && !inside
    });
    start.and_then(|start| line.get(..start)).unwrap_or(line).trim()
}

fn read_entry(entry: &str) -> Result<Option<HostSource>, Kind> {
    let (kind, rest) = entry.split_once([' ', '\t']).unwrap_or((entry, ""));
    match kind {
        "" | "deb-src" => return Ok(None),
        "deb" => {}
        found => return Err(Kind::Type { found: short(found) }),
    }
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(Kind::Bracket)?,
        None => ("", rest),
    };
    let options = read_options(options)?;
    let mut words = rest.split_ascii_whitespace();
    let uri = check_address(words.next().ok_or(Kind::Missing { part: "address" })?)?;
    let suite = words.next().ok_or(Kind::Missing { part: "suite" })?.to_owned();
    let components: Vec<String> = words.map(str::to_owned).collect();
    check_components(std::slice::from_ref(&suite), &components)?;
    let Options { architectures, signed_by, snapshot, enabled } = options;
    if !enabled {
        return Ok(None);
    }
    let (place, uris, suites) = (String::new(), vec![uri], vec![suite]);
    Ok(Some(HostSource { place, uris, suites, components, architectures, signed_by, snapshot, enabled }))
}

fn read_options(text: &str) -> Result<Options, Kind> {
    let mut options = Options::default();
    for option in text.split_ascii_whitespace() {
        let bad = || Kind::Option { found: short(option) };
        let (name, value) = option.split_once('=').ok_or_else(bad)?;
        let (name, change) = match (name.strip_suffix('+'), name.strip_suffix('-')) {
            (Some(name), _) => (name, Change::Add),
            (_, Some(name)) => (name, Change::Remove),
            _ => (name, Change::Set),
        };
        if name.is_empty() || option.contains('"') {
            return Err(bad());
        }
        options.set(&name.to_ascii_lowercase(), change, value)?;
    }
    Ok(options)
}
