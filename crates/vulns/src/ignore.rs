//! Ignore files of scanners: what somebody has already decided to leave out, with what was asked of that then.
//!
//! Read are `.trivyignore` and `.trivyignore.yaml` of Trivy, `osv-scanner.toml` and `.grype.yaml`. An entry is never taken for
//! more than it says: what cannot be told of a finding in the same words is left out, with the reason. The days on which
//! entries end begin at 00:00 UTC, and on them an entry does not count any more; a time of day is left out, so that an entry
//! ends a little early rather than late.

mod grype;
mod osv;
mod text;
mod trivy;
mod yaml;

use distil_sbom::purl::Purl;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Bytes of a file.
pub const MAX_BYTES: usize = 1 << 20;
/// Entries of a file.
pub const MAX_ENTRIES: usize = 10_000;

/// A vulnerability that is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignore {
    /// The vulnerability, by any of its identifiers.
    pub id: String,
    /// A pattern of the packages in which it is left out; none for all.
    pub package: Option<String>,
    /// Whether the pattern is one of source packages, with all that was built from them, and not of binary ones.
    pub is_source: bool,
    /// The version of that package for which alone it is left out.
    pub version: Option<String>,
    /// From the start of this day (UTC) on it counts again; none where the file does not say.
    pub expires: Option<Date>,
    /// Why.
    pub reason: Option<String>,
    /// The file, without folders.
    pub origin: String,
    /// The line in it, from 1.
    pub line: usize,
}

/// An entry that is not taken over, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Its line, from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// What an ignore file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IgnoreFile {
    /// What it leaves out.
    pub entries: Vec<Ignore>,
    /// What it says that is not taken over.
    pub left_out: Vec<LeftOut>,
}

/// Why an ignore file is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// More bytes than [`MAX_BYTES`].
    #[error("{found} bytes where at most {MAX_BYTES} may be")]
    TooLarge {
        /// The size.
        found: usize,
    },
    /// More entries than [`MAX_ENTRIES`].
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
    /// Not UTF-8.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not in its format.
    #[error("line {line}, column {column}: {}", distil_imgcore::Escaped(.problem.as_bytes()))]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A date that is none. To go on without it would leave something out for ever.
    #[error("line {line}: {} is no date", distil_imgcore::Escaped(.text.as_bytes()))]
    Date {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// YAML that has the keys of no scanner.
    #[error("it has neither vulnerabilities, as Trivy has, nor ignore, as Grype has")]
    Unknown,
}

/// Reads an ignore file. What it is shows in the end of its `name`: `.toml` is osv-scanner's, `.yaml` or `.yml` Trivy's or
/// Grype's, by its keys, and anything else a list of identifiers.
///
/// # Errors
/// [`IgnoreError`]
pub fn read(bytes: &[u8], name: &str) -> Result<IgnoreFile, IgnoreError> {
    if bytes.len() > MAX_BYTES {
        return Err(IgnoreError::TooLarge { found: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| IgnoreError::NotUtf8 { at: e.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut list = List { origin: name.rsplit('/').next().unwrap_or(name), file: IgnoreFile::default() };
    let suffix = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match suffix.as_str() {
        "toml" => osv::read(text, &mut list)?,
        "yaml" | "yml" => yaml::read(text, &mut list)?,
        _ => text::read(text, &mut list)?,
    }
    Ok(list.file)
}

/// A file that is being read.
struct List<'a> {
    origin: &'a str,
    file: IgnoreFile,
}

/// What an entry says beside the vulnerability.
#[derive(Default, Clone)]
struct Terms {
    package: Option<String>,
    is_source: bool,
    version: Option<String>,
    expires: Option<Date>,
    reason: Option<String>,
}

impl List<'_> {
    fn add(&mut self, line: usize, id: &str, terms: Terms) -> Result<(), IgnoreError> {
        let id = id.trim();
        if id.is_empty() || id.len() > 200 || id.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return self.leave_out(line, "it names no vulnerability");
        }
        self.count()?;
        let Terms { package, is_source, version, expires, reason } = terms;
        let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        let origin = self.origin.to_owned();
        let id = id.to_owned();
        self.file.entries.push(Ignore { id, package, is_source, version, expires, reason, origin, line });
        Ok(())
    }

    fn leave_out(&mut self, line: usize, reason: &str) -> Result<(), IgnoreError> {
        self.count()?;
        self.file.left_out.push(LeftOut { line, reason: reason.to_owned() });
        Ok(())
    }

    fn count(&self) -> Result<(), IgnoreError> {
        if self.file.entries.len() + self.file.left_out.len() < MAX_ENTRIES {
            Ok(())
        } else {
            Err(IgnoreError::TooMany)
        }
    }
}

/// The day of a date or a time, which is that of UTC.
fn day(text: &str, line: usize) -> Result<Date, IgnoreError> {
    let text = text.trim();
    let by_date = || match text.get(10..) {
        // A parser of dates alone would leave out what follows them.
        Some("") => text.parse().ok(),
        _ => None,
    };
    let by_time = || text.parse::<Timestamp>().ok().map(|time| time.to_zoned(TimeZone::UTC).date());
    by_date().or_else(by_time).ok_or_else(|| IgnoreError::Date { line, text: text.chars().take(100).collect() })
}

/// A name as a pattern that stands for nothing but it.
fn literal(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// A URL of a Debian package.
struct DebianPackage {
    pattern: String,
    version: Option<String>,
    is_source: bool,
}

impl DebianPackage {
    /// None for any other URL, or one that says more.
    fn of(url: &str) -> Option<Self> {
        let purl: Purl = url.parse().ok()?;
        let is_debian =
            purl.kind() == "deb" && purl.namespace().is_none_or(|vendor| vendor.eq_ignore_ascii_case("debian"));
        let is_source = purl.qualifier("arch") == Some("source");
        let says_more = purl.qualifier("arch").is_some() && !is_source
            || ["distro", "upstream"].iter().any(|key| purl.qualifier(key).is_some());
        let version = purl.version().map(str::to_owned);
        (is_debian && !says_more).then(|| Self { pattern: literal(purl.name()), version, is_source })
    }
}

#[cfg(test)]
mod tests;
