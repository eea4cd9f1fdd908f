//! The stored form of an index, which is loaded faster than the text is parsed.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | [`MAGIC`] |
//! | 3 × 4 | how many records, how many provided names, how many bytes of text |
//! | [`RECORD`] each | the records, sorted by name |
//! | 12 each | the provided names, sorted |
//! | | the text |
//! | 4 | CRC-32 of all before |
//!
//! Numbers are little-endian. The checksum finds damage; the checks of every value make sure that not even bytes that
//! somebody made up on purpose lead anywhere that a parsed index would not.

use distil_debunpack::{Architecture, MultiArch, PackageName, Version};

use super::{Index, PRIORITIES, Provided, Record, StoredIndexError, TEXTS, Text};

const MAGIC: &[u8; 16] = b"distil index 1\r\n";
const HEAD: usize = MAGIC.len() + 3 * 4;
const RECORD: usize = 4 + TEXTS * 4 + 8 + 8 + 32 + 4 + 3;
const PROVIDED: usize = 3 * 4;
const CHECKSUM: usize = 4;

impl Index {
    /// The stored form: only for caches of the same version of this crate, which has to be part of their key.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (records, provided) = (self.records.len(), self.provided.len());
        let mut bytes = Vec::with_capacity(HEAD + records * RECORD + provided * PROVIDED + self.text.len() + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        for number in [records, provided, self.text.len()] {
            // Parsing bounds all three far below this.
            bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        for record in &self.records {
            bytes.extend_from_slice(&record.start.to_le_bytes());
            record.ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
            bytes.extend_from_slice(&record.size.to_le_bytes());
            bytes.extend_from_slice(&record.installed_size.to_le_bytes());
            bytes.extend_from_slice(&record.sha256);
            bytes.extend_from_slice(&record.mention.to_le_bytes());
            bytes.extend_from_slice(&[record.priority, record.multi_arch as u8, u8::from(record.essential)]);
        }
        for provided in &self.provided {
            for number in [provided.name.0, provided.name.1, provided.record] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend_from_slice(self.text.as_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`StoredIndexError`] for anything that [`Index::to_bytes`] did not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredIndexError> {
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(StoredIndexError::Format)?;
        let mut head = Bytes(body.get(..HEAD).ok_or(StoredIndexError::Format)?);
        if head.take::<16>()? != *MAGIC {
            return Err(StoredIndexError::Format);
        }
        let [records, names, text] = [head.number()?, head.number()?, head.number()?].map(|n| n as usize);
        // Three numbers of 32 bits times small sizes fit into 64 bits.
        if HEAD + records * RECORD + names * PROVIDED + text != body.len() {
            return Err(StoredIndexError::Length);
        }
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(StoredIndexError::Checksum);
        }
        let rest = body.get(HEAD..).ok_or(StoredIndexError::Length)?;
        let (table, rest) = rest.split_at_checked(records * RECORD).ok_or(StoredIndexError::Length)?;
        let (names, text) = rest.split_at_checked(names * PROVIDED).ok_or(StoredIndexError::Length)?;
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii()).ok_or(StoredIndexError::Value)?;
        let records = table.chunks_exact(RECORD).map(|chunk| Bytes(chunk).record()).collect::<Result<Vec<_>, _>>()?;
        let provided = names.chunks_exact(PROVIDED).map(|chunk| Bytes(chunk).provided());
        let provided = provided.collect::<Result<Vec<_>, _>>()?;
        let index = Self { text: text.to_owned(), records, provided };
        if index.is_sound() { Ok(index) } else { Err(StoredIndexError::Value) }
    }

    /// Whether every value is one that parsing lets through.
    fn is_sound(&self) -> bool {
        let length = self.text.len();
        let mut before: Option<&Record> = None;
        let records = self.records.iter().all(|record| {
            let bounded = record.ends.is_sorted() && record.range(Text::Provides).end <= length;
            let sound = bounded && self.is_sound_record(record, before);
            before = Some(record);
            sound
        });
        let end = |provided: &Provided| u64::from(provided.name.0) + u64::from(provided.name.1);
        records
            && self
                .provided
                .iter()
                .all(|provided| end(provided) <= length as u64 && (provided.record as usize) < self.records.len())
            && self.provided.is_sorted_by(|a, b| (self.provided_name(a), a.record) < (self.provided_name(b), b.record))
    }

    fn is_sound_record(&self, record: &Record, before: Option<&Record>) -> bool {
        let of = |text: Text| self.text_of(record, text);
        let above = |text: Text| before.map(|before| self.text_of(before, text));
        // Many values are those of the stanza before, which need no second look.
        let sound = |text: Text, check: &dyn Fn(&str) -> bool| above(text) == Some(of(text)) || check(of(text));
        let optional = |text: Text, check: &dyn Fn(&str) -> bool| of(text).is_empty() || sound(text, check);
        let version = |text: &str| text.parse::<Version>().is_ok();
        let name = |text: &str| text.parse::<PackageName>().is_ok();
        sound(Text::Name, &name)
            && above(Text::Name).is_none_or(|above| above <= of(Text::Name))
            && sound(Text::Version, &version)
            && sound(Text::Architecture, &|text| text.parse::<Architecture>().is_ok())
            && optional(Text::SourceName, &name)
            && optional(Text::SourceVersion, &version)
            && optional(Text::Sha512, &super::parse::is_sha512)
            && usize::from(record.priority) < PRIORITIES.len()
            && super::parse::plain_path(of(Text::Filename)).is_ok_and(|plain| plain == of(Text::Filename))
    }
}

/// Bytes that are taken off from the front.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoredIndexError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(StoredIndexError::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u32, StoredIndexError> {
        self.take().map(u32::from_le_bytes)
    }

    fn record(&mut self) -> Result<Record, StoredIndexError> {
        let start = self.number()?;
        let mut ends = [0; TEXTS];
        for end in &mut ends {
            *end = self.number()?;
        }
        let size = u64::from_le_bytes(self.take()?);
        let installed_size = u64::from_le_bytes(self.take()?);
        let sha256 = self.take()?;
        let mention = self.number()?;
        let [priority, multi_arch, essential] = self.take()?;
        let known = [MultiArch::No, MultiArch::Same, MultiArch::Foreign, MultiArch::Allowed];
        let multi_arch = known.into_iter().find(|known| *known as u8 == multi_arch).ok_or(StoredIndexError::Value)?;
        let essential = match essential {
            0 => false,
            1 => true,
            _ => return Err(StoredIndexError::Value),
        };
        Ok(Record { start, ends, size, installed_size, sha256, mention, priority, multi_arch, essential })
    }

    fn provided(&mut self) -> Result<Provided, StoredIndexError> {
        Ok(Provided { name: (self.number()?, self.number()?), record: self.number()? })
    }
}
