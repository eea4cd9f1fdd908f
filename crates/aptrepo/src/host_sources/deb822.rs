//! Sources as paragraphs of fields, one for each repository.

use distil_debunpack::deb822::{Comments, Field, Limits, Paragraph, Paragraphs};

use super::error::{HostSourceError, HostSourceErrorKind as Kind};
use super::options::{Change, Options, check_address, check_components, short};
use super::{HostSource, MAX_FILE, MAX_SOURCES};

/// Fields, and the options they stand for.
const OPTIONS: [(&str, &str, Change); 12] = [
    ("Enabled", "enabled", Change::Set),
    ("Architectures", "arch", Change::Set),
    ("Architectures-Add", "arch", Change::Add),
    ("Architectures-Remove", "arch", Change::Remove),
    ("Signed-By", "signed-by", Change::Set),
    ("Snapshot", "snapshot", Change::Set),
    ("Trusted", "trusted", Change::Set),
    ("Allow-Insecure", "allow-insecure", Change::Set),
    ("Allow-Weak", "allow-weak", Change::Set),
    ("Allow-Downgrade-To-Insecure", "allow-downgrade-to-insecure", Change::Set),
    ("Check-Valid-Until", "check-valid-until", Change::Set),
    ("Check-Date", "check-date", Change::Set),
];

/// Reads a file of the form of `debian.sources`. `name` stands in messages. Sources of source packages and those that
/// are not enabled are left out.
///
/// # Errors
///
/// [`HostSourceError`] for the first paragraph that cannot be used.
pub fn parse_deb822(name: &str, bytes: &[u8]) -> Result<Vec<HostSource>, HostSourceError> {
    let fail = |line, kind| HostSourceError { file: name.to_owned(), line, kind };
    if bytes.len() > MAX_FILE {
        return Err(fail(1, Kind::TooLarge { size: bytes.len(), limit: MAX_FILE }));
    }
    // Files that people write may lack the last newline.
    let mut document = bytes.to_vec();
    if !document.is_empty() && !document.ends_with(b"\n") {
        document.push(b'\n');
    }
    let mut sources = Vec::new();
    for paragraph in Paragraphs::new(&document, Comments::Skipped, Limits::default()) {
        let paragraph = paragraph.map_err(|error| fail(error.line, Kind::Format(error.kind)))?;
        let source = read_source(&paragraph).map_err(|(line, kind)| fail(line, kind))?;
        sources.extend(source.map(|source| HostSource { place: format!("{name}:{}", paragraph.line()), ..source }));
        if sources.len() > MAX_SOURCES {
            return Err(fail(paragraph.line(), Kind::TooMany { limit: MAX_SOURCES }));
        }
    }
    Ok(sources)
}

fn read_source(paragraph: &Paragraph<'_>) -> Result<Option<HostSource>, (usize, Kind)> {
    let needed = |name, part| {
        let field = paragraph.field(name).ok_or((paragraph.line(), Kind::Missing { part }))?;
        let words = words(field)?;
        if words.is_empty() { Err((field.line(), Kind::Missing { part })) } else { Ok((field.line(), words)) }
    };
    // What is switched off may be unfinished, and is not looked at further.
    let mut options = Options::default();
    for (name, option, change) in OPTIONS {
        let Some(field) = paragraph.field(name) else { continue };
        let value = joined(field)?;
        options.set(option, change, value.trim()).map_err(|kind| match kind {
            Kind::Weakens { .. } => (field.line(), Kind::Weakens { option: name.to_owned() }),
            Kind::NotABoolean { .. } => (field.line(), Kind::NotABoolean { option: name.to_owned() }),
            kind => (field.line(), kind),
        })?;
        if !options.enabled {
            return Ok(None);
        }
    }
    let (line, types) = needed("Types", "type")?;
    if let Some(found) = types.iter().find(|kind| !matches!(kind.as_str(), "deb" | "deb-src")) {
        return Err((line, Kind::Type { found: short(found) }));
    }
    if !types.iter().any(|kind| kind == "deb") {
        return Ok(None);
    }
    let (line, uris) = needed("URIs", "address")?;
    let uris = uris.iter().map(|uri| check_address(uri)).collect::<Result<_, _>>().map_err(|kind| (line, kind))?;
    let (line, suites) = needed("Suites", "suite")?;
    let components = paragraph.field("Components").map(words).transpose()?.unwrap_or_default();
    check_components(&suites, &components).map_err(|kind| (line, kind))?;
    let Options { architectures, signed_by, snapshot, enabled } = options;
    let place = String::new();
    Ok(Some(HostSource { place, uris, suites, components, architectures, signed_by, snapshot, enabled }))
}

fn words(field: &Field<'_>) -> Result<Vec<String>, (usize, Kind)> {
    Ok(joined(field)?.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The lines of a value without the space before them; a dot alone stands for an empty line, as keys that stand in a
/// field have it after their first line.
fn joined(field: &Field<'_>) -> Result<String, (usize, Kind)> {
    let mut text = String::new();
    for line in field.lines() {
        let line = str::from_utf8(line).ok().filter(|line| line.chars().all(|c| c == '\t' || !c.is_control()));
        let line = line.ok_or((field.line(), Kind::NotText))?;
        text.push_str(if line.trim() == "." { "" } else { line });
        text.push('\n');
    }
    Ok(text)
}
