//! From the text of a `Packages` file to an index.

use std::collections::BTreeMap;
use std::io::Read;

use distil_debunpack::deb822::{Comments, Field, Limits, Paragraph, Paragraphs};
use distil_debunpack::{Architecture, MultiArch, PackageName, RelationField, Version};

use super::mentions::Mentions;
use super::{Index, IndexError, NO_SIZE, PRIORITIES, Provided, Record, StanzaError, TEXTS, Text};

/// Bytes of one index. That of Debian's unstable suite has 60 MB.
const MAX_DOCUMENT: usize = 512 << 20;
/// Bytes of one field. The largest real ones are Provides with some 60 KB.
const MAX_FIELD: usize = 1 << 20;
/// Stanzas of one index. Debian's suites have fewer than 80,000.
const MAX_STANZAS: usize = 1_000_000;
/// Characters of a path. File systems and servers take no more.
const MAX_PATH: usize = 4096;

impl Index {
    /// Reads a `Packages` file that is not compressed. Where the bytes come from, and whether they are the signed ones,
    /// is the caller's concern.
    ///
    /// # Errors
    /// [`IndexError`] for what cannot be read, is too large, or is wrong in any stanza.
    pub fn parse(reader: impl Read) -> Result<Self, IndexError> {
        let mut document = Vec::new();
        let limit = u64::try_from(MAX_DOCUMENT).unwrap_or(u64::MAX);
        reader.take(limit + 1).read_to_end(&mut document).map_err(IndexError::Read)?;
        if document.len() > MAX_DOCUMENT {
            return Err(IndexError::TooLarge { limit: MAX_DOCUMENT });
        }
        let limits = Limits { document: MAX_DOCUMENT, field: MAX_FIELD };
        let mentions = Mentions::for_document(document.len());
        let mut building = Building { text: String::new(), records: Vec::new(), lines: Vec::new(), mentions };
        for paragraph in Paragraphs::new(&document, Comments::Refused, limits) {
            building.add(&paragraph?)?;
        }
        building.finish()
    }
}

struct Building<'a> {
    text: String,
    records: Vec<Record>,
    /// The first line of each record's stanza.
    lines: Vec<usize>,
    mentions: Mentions<'a>,
}

impl<'a> Building<'a> {
    fn add(&mut self, paragraph: &Paragraph<'a>) -> Result<(), IndexError> {
        if self.records.len() >= MAX_STANZAS {
            return Err(IndexError::TooMany { limit: MAX_STANZAS });
        }
        let package = paragraph.field("Package").map_or(&[][..], Field::value);
        let line = paragraph.line();
        let record =
            self.read(paragraph).map_err(|source| IndexError::Stanza { package: start(package), line, source })?;
        self.mentions.read(package, paragraph);
        self.records.push(record);
        self.lines.push(line);
        Ok(())
    }

    fn read(&mut self, paragraph: &Paragraph<'_>) -> Result<Record, StanzaError> {
        let fields = Fields(paragraph);
        let name = fields.required("Package")?;
        name.parse::<PackageName>()?;
        let version = fields.required("Version")?;
        version.parse::<Version>()?;
        let architecture = fields.required("Architecture")?;
        if architecture.parse::<Architecture>()?.is_wildcard() {
            return Err(value("Architecture", architecture));
        }
        let (source_name, source_version) = fields.source()?;
        let sha256 = fields.sha256()?;
        let sha512 = fields.sha512()?;
        let size = fields.required("Size")?;
        let size = decimal(size).ok_or_else(|| value("Size", size))?;
        let path = plain_path(fields.required("Filename")?)?;
        let installed_size = match fields.optional("Installed-Size")? {
            None => NO_SIZE,
            Some(digits) => decimal(digits).ok_or_else(|| value("Installed-Size", digits))?,
        };
        let relation = |field: RelationField| fields.optional(field.name()).map(Option::unwrap_or_default);
        let texts: [(Text, &str); TEXTS] = [
            (Text::Name, name),
            (Text::Version, version),
            (Text::Architecture, architecture),
            (Text::SourceName, if source_name == name { "" } else { source_name }),
            (Text::SourceVersion, if source_version == version { "" } else { source_version }),
            (Text::Filename, path),
            (Text::Sha512, sha512),
            (Text::PreDepends, relation(RelationField::PreDepends)?),
            (Text::Depends, relation(RelationField::Depends)?),
            (Text::Recommends, relation(RelationField::Recommends)?),
            (Text::Conflicts, relation(RelationField::Conflicts)?),
            (Text::Breaks, relation(RelationField::Breaks)?),
            (Text::Replaces, relation(RelationField::Replaces)?),
            (Text::Provides, relation(RelationField::Provides)?),
        ];
        let (start, ends) = self.keep(&texts)?;
        Ok(Record {
            start,
            ends,
            size,
            installed_size,
            sha256,
            mention: 0,
            priority: priority(fields.optional("Priority")?),
            multi_arch: fields.multi_arch()?,
            essential: fields.essential()?,
        })
    }

    /// Appends values to the text; gives where they start and where each ends.
    fn keep(&mut self, texts: &[(Text, &str); TEXTS]) -> Result<(u32, [u32; TEXTS]), StanzaError> {
        // The document is bounded, so neither can fail but for a mistake in the bounds.
        let too_long = |_| value("Package", "");
        let start = self.text.len();
        let mut ends = [0; TEXTS];
        for ((text, value), end) in texts.iter().zip(&mut ends) {
            debug_assert!(!value.is_empty() || !matches!(text, Text::Name | Text::Version | Text::Filename));
            self.text.push_str(value);
            *end = u32::try_from(self.text.len() - start).map_err(too_long)?;
        }
        Ok((u32::try_from(start).map_err(too_long)?, ends))
    }

    fn finish(mut self) -> Result<Index, IndexError> {
        let mut numbered: Vec<(Record, usize)> = self.records.into_iter().zip(self.lines).collect();
        let text = std::mem::take(&mut self.text);
        let of = |record: &Record, which: Text| text.get(record.range(which)).unwrap_or_default();
        for (record, _) in &mut numbered {
            record.mention = self.mentions.number(of(record, Text::Name).as_bytes());
        }
        numbered.sort_by(|(a, _), (b, _)| of(a, Text::Name).cmp(of(b, Text::Name)));
        let mut records: Vec<Record> = Vec::with_capacity(numbered.len());
        for namesakes in numbered.chunk_by(|(a, _), (b, _)| of(a, Text::Name) == of(b, Text::Name)) {
            // Most names are there once, and versions are what it costs time to compare.
            if let [(record, _)] = namesakes {
                records.push(record.clone());
                continue;
            }
            let mut seen: BTreeMap<(&str, Version), &Record> = BTreeMap::new();
            for (record, line) in namesakes {
                let wrong = |source| {
                    let package = start(of(record, Text::Name).as_bytes());
                    IndexError::Stanza { package, line: *line, source }
                };
                let (architecture, version) = (of(record, Text::Architecture), of(record, Text::Version));
                let parsed = version.parse::<Version>().map_err(|error| wrong(error.into()))?;
                match seen.insert((architecture, parsed), record) {
                    None => records.push(record.clone()),
                    Some(twin) if twin.sha256 == record.sha256 && twin.size == record.size => {}
                    Some(_) => {
                        let (version, architecture) = (version.to_owned(), architecture.to_owned());
                        return Err(wrong(StanzaError::TwoFiles { version, architecture }));
                    }
                }
            }
        }
        let provided = provided(&text, &records);
        Ok(Index { text, records, provided })
    }
}

/// The table of names in `Provides` fields. A field that cannot be parsed is read as far as names go; whoever visits the
/// package parses it and says so.
fn provided(text: &str, records: &[Record]) -> Vec<Provided> {
    let mut table = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let range = record.range(Text::Provides);
        let Some(field) = text.get(range.clone()).filter(|field| !field.is_empty()) else { continue };
        let mut at = range.start;
        for relation in field.split(',') {
            let name = relation.trim_ascii_start();
            let begin = at + (relation.len() - name.len());
            let length = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | ':')).unwrap_or(name.len());
            at += relation.len() + 1;
            let numbers = (u32::try_from(begin), u32::try_from(length), u32::try_from(number));
            if let (Ok(begin), Ok(length @ 1..), Ok(record)) = numbers {
                table.push(Provided { name: (begin, length), record });
            }
        }
    }
    let name = |provided: &Provided| {
        let start = provided.name.0 as usize;
        text.get(start..start + provided.name.1 as usize).unwrap_or_default()
    };
    table.sort_by(|a, b| name(a).cmp(name(b)).then(a.record.cmp(&b.record)));
    table.dedup_by(|a, b| name(a) == name(b) && a.record == b.record);
    table
}

/// The fields of a stanza as text. All that is kept is ASCII.
struct Fields<'p, 'a>(&'p Paragraph<'a>);

impl<'a> Fields<'_, 'a> {
    /// The value of a field; an empty one counts as missing, as for apt.
    fn optional(&self, name: &'static str) -> Result<Option<&'a str>, StanzaError> {
        let Some(bytes) = self.0.field(name).map(Field::value).filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
        text.map(Some).ok_or_else(|| StanzaError::Value { field: name, value: start(bytes) })
    }

    fn required(&self, name: &'static str) -> Result<&'a str, StanzaError> {
        self.optional(name)?.ok_or(StanzaError::Missing { field: name })
    }

    /// The source package; empty texts where it has the binary package's name or version.
    fn source(&self) -> Result<(&'a str, &'a str), StanzaError> {
        let Some(text) = self.optional("Source")? else { return Ok(("", "")) };
        let (name, version) = match text.split_once('(') {
            None => (text, ""),
            Some((name, rest)) => {
                let version = rest.strip_suffix(')').ok_or_else(|| value("Source", text))?.trim_ascii();
                version.parse::<Version>()?;
                (name.trim_ascii(), version)
            }
        };
        name.parse::<PackageName>()?;
        Ok((name, version))
    }

    fn sha256(&self) -> Result<[u8; 32], StanzaError> {
        match self.optional("SHA256")? {
            Some(digits) => bytes_of(digits).ok_or_else(|| value("SHA256", digits)),
            None if self.optional("MD5sum")?.is_some() || self.optional("SHA1")?.is_some() => {
                Err(StanzaError::WeakSums)
            }
            None => Err(StanzaError::Missing { field: "SHA256" }),
        }
    }

    fn sha512(&self) -> Result<&'a str, StanzaError> {
        let Some(digits) = self.optional("SHA512")? else { return Ok("") };
        if is_sha512(digits) { Ok(digits) } else { Err(value("SHA512", digits)) }
    }

    fn multi_arch(&self) -> Result<MultiArch, StanzaError> {
        match self.optional("Multi-Arch")? {
            None | Some("no") => Ok(MultiArch::No),
            Some("same") => Ok(MultiArch::Same),
            Some("foreign") => Ok(MultiArch::Foreign),
            Some("allowed") => Ok(MultiArch::Allowed),
            Some(other) => Err(value("Multi-Arch", other)),
        }
    }

    fn essential(&self) -> Result<bool, StanzaError> {
        match self.optional("Essential")? {
            None => Ok(false),
            Some(word) if word.eq_ignore_ascii_case("no") => Ok(false),
            Some(word) if word.eq_ignore_ascii_case("yes") => Ok(true),
            Some(other) => Err(value("Essential", other)),
        }
    }
}

fn value(field: &'static str, text: &str) -> StanzaError {
    StanzaError::Value { field, value: start(text.as_bytes()) }
}

fn start(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().take(128).copied().collect()
}

fn decimal(digits: &str) -> Option<u64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten().filter(|n| *n < NO_SIZE)
}

/// The place of a priority; an unknown word counts as `extra`, as for libapt.
fn priority(word: Option<&str>) -> u8 {
    let known = PRIORITIES.iter().position(|known| *known == word.unwrap_or_default());
    u8::try_from(known.unwrap_or(PRIORITIES.len() - 1)).unwrap_or(u8::MAX)
}

/// The bytes of a SHA-256 in lower-case hexadecimal digits.
fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

pub(super) fn is_sha512(digits: &str) -> bool {
    digits.len() == 128 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A path of plain components. The leading `./` that flat repositories write is taken off.
pub(super) fn plain_path(path: &str) -> Result<&str, StanzaError> {
    let plain = path.strip_prefix("./").unwrap_or(path);
    let allowed = plain.len() <= MAX_PATH
        && plain.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && plain.split('/').all(|component| !matches!(component, "" | "." | ".."));
    if allowed { Ok(plain) } else { Err(StanzaError::Path { path: start(path.as_bytes()) }) }
}
