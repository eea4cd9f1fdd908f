//! A `Packages` index, condensed to what choosing and fetching packages needs.

mod error;
mod mentions;
mod parse;
mod stored;

use std::fmt;
use std::ops::Range;

use distil_debunpack::{Architecture, MultiArch, PackageName, RelationField, Source, Version};
use distil_imgcore::Digest;

pub use error::{IndexError, StanzaError, StoredIndexError};

/// The packages of one `Packages` file: one text, a table of stanzas sorted by name, and a table of what they provide.
///
/// A stanza whose fields cannot be trusted makes the whole index an error. Relations are the exception: they stay text
/// until a resolver asks for them, since some of the 60,000 stanzas of a suite may hold old forms that nobody visits.
///
/// ```
/// use distil_aptrepo::Index;
/// let text = format!("Package: hello\nVersion: 2.10-3\nArchitecture: amd64\nSize: 52832\nSHA256: {}\n\
///     Filename: pool/main/h/hello/hello_2.10-3_amd64.deb\n", "0a".repeat(32));
/// let index = Index::parse(text.as_bytes())?;
/// let hello = index.named("hello").next().unwrap();
/// assert_eq!((hello.version(), hello.size()), ("2.10-3", 52832));
/// assert_eq!(Index::from_bytes(&index.to_bytes())?, index);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Index {
    /// All values, one after the other. ASCII, so that every position is the border of a character.
    text: String,
    /// Sorted by name; those of one name as the file has them.
    records: Vec<Record>,
    /// Sorted by name, then by record.
    provided: Vec<Provided>,
}

/// A package that can be installed: where it is, and how to know it when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its architecture.
    pub architecture: Architecture,
    /// The source package it was built from.
    pub source: Source,
    /// Bytes of the .deb.
    pub size: u64,
    /// The SHA-256 of the .deb.
    pub sha256: Digest,
    /// The SHA-512 of the .deb, where the index has it.
    pub sha512: Option<Digest>,
    /// Where the .deb lies below the address of the repository: plain components, no `..`.
    pub path: String,
    /// What it takes on disk, in KiB, by its own estimate.
    pub installed_size: Option<u64>,
}

/// One stanza of an [`Index`].
#[derive(Clone, Copy)]
pub struct Stanza<'a> {
    index: &'a Index,
    record: &'a Record,
    position: usize,
}

/// The values of a stanza that are kept as text, in the order in which they lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Name,
    Version,
    Architecture,
    SourceName,
    SourceVersion,
    Filename,
    Sha512,
    PreDepends,
    Depends,
    Recommends,
    Conflicts,
    Breaks,
    Replaces,
    Provides,
}

const TEXTS: usize = 14;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// Where its values start in the text.
    start: u32,
    /// Where each of them ends, counted from the start.
    ends: [u32; TEXTS],
    size: u64,
    /// In KiB; [`NO_SIZE`] where the stanza has none.
    installed_size: u64,
    sha256: [u8; 32],
    /// The place of its name among all names of the file, by where each is first mentioned.
    mention: u32,
    /// The place of its priority in [`PRIORITIES`].
    priority: u8,
    multi_arch: MultiArch,
    essential: bool,
}

const NO_SIZE: u64 = u64::MAX;

/// Priorities as libapt orders them. A package without one comes before all.
const PRIORITIES: [&str; 6] = ["", "required", "important", "standard", "optional", "extra"];

/// A name in a `Provides` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Provided {
    /// Where the name starts in the text, and how long it is.
    name: (u32, u32),
    /// The place of the stanza in the table.
    record: u32,
}

impl Index {
    /// How many stanzas it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All stanzas, sorted by name.
    pub fn stanzas(&self) -> impl Iterator<Item = Stanza<'_>> {
        self.records.iter().enumerate().map(|(position, record)| Stanza { index: self, record, position })
    }

    /// The stanza at a place of the table.
    #[must_use]
    pub fn stanza(&self, position: usize) -> Option<Stanza<'_>> {
        self.records.get(position).map(|record| Stanza { index: self, record, position })
    }

    /// The stanzas of one name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Stanza<'_>> {
        let first = self.records.partition_point(|record| self.text_of(record, Text::Name) < name);
        let found = (first..).map_while(|position| self.stanza(position));
        found.take_while(move |stanza| stanza.name() == name)
    }

    /// The stanzas whose `Provides` names this. Whether a version stands there is for the reader of the field.
    pub fn providers(&self, name: &str) -> impl Iterator<Item = Stanza<'_>> {
        let first = self.provided.partition_point(|provided| self.provided_name(provided) < name);
        let rest = self.provided.get(first..).unwrap_or_default().iter();
        let found = rest.take_while(move |provided| self.provided_name(provided) == name);
        found.filter_map(|provided| self.stanza(usize::try_from(provided.record).ok()?))
    }

    /// Every name that some stanza has or provides, in no order, perhaps more than once.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let real = self.records.iter().map(|record| self.text_of(record, Text::Name));
        real.chain(self.provided.iter().map(|provided| self.provided_name(provided)))
    }

    fn text_of(&self, record: &Record, text: Text) -> &str {
        self.text.get(record.range(text)).unwrap_or_default()
    }

    fn provided_name(&self, provided: &Provided) -> &str {
        let (start, length) = provided.name;
        let range = start as usize..start as usize + length as usize;
        self.text.get(range).unwrap_or_default()
    }
}

impl Record {
    fn range(&self, text: Text) -> Range<usize> {
        let at = text as usize;
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = self.start as usize;
        start + at.checked_sub(1).map_or(0, end)..start + end(at)
    }
}

impl<'a> Stanza<'a> {
    /// The name of the package.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.text(Text::Name)
    }

    /// Its version, as it is written.
    #[must_use]
    pub fn version(self) -> &'a str {
        self.text(Text::Version)
    }

    /// Its architecture.
    #[must_use]
    pub fn architecture(self) -> &'a str {
        self.text(Text::Architecture)
    }

    /// The name of its source package.
    #[must_use]
    pub fn source_name(self) -> &'a str {
        let name = self.text(Text::SourceName);
        if name.is_empty() { self.name() } else { name }
    }

    /// The version of its source package.
    #[must_use]
    pub fn source_version(self) -> &'a str {
        let version = self.text(Text::SourceVersion);
        if version.is_empty() { self.version() } else { version }
    }

    /// Bytes of the .deb.
    #[must_use]
    pub fn size(self) -> u64 {
        self.record.size
    }

    /// Where the .deb lies below the address of the repository.
    #[must_use]
    pub fn path(self) -> &'a str {
        self.text(Text::Filename)
    }

    /// The SHA-256 of the .deb.
    #[must_use]
    pub fn sha256(self) -> Digest {
        Digest::from_sha256(self.record.sha256)
    }

    /// How it lives with itself on other architectures.
    #[must_use]
    pub fn multi_arch(self) -> MultiArch {
        self.record.multi_arch
    }

    /// Whether a system cannot do without it.
    #[must_use]
    pub fn is_essential(self) -> bool {
        self.record.essential
    }

    /// The text of a relation field; empty where the stanza has none, and for those that nothing is chosen by, which are not
    /// kept.
    #[must_use]
    pub fn relations(self, field: RelationField) -> &'a str {
        let text = match field {
            RelationField::PreDepends => Text::PreDepends,
            RelationField::Depends => Text::Depends,
            RelationField::Recommends => Text::Recommends,
            RelationField::Conflicts => Text::Conflicts,
            RelationField::Breaks => Text::Breaks,
            RelationField::Replaces => Text::Replaces,
            RelationField::Provides => Text::Provides,
            RelationField::Suggests
            | RelationField::Enhances
            | RelationField::BuiltUsing
            | RelationField::StaticBuiltUsing => return "",
        };
        self.text(text)
    }

    /// All that fetching it and writing it down needs. `None` cannot happen for an index that was parsed or loaded: both
    /// check every value.
    #[must_use]
    pub fn candidate(self) -> Option<Candidate> {
        let sha512 = Some(self.text(Text::Sha512)).filter(|digits| !digits.is_empty());
        let sha512 = sha512.and_then(|digits| format!("sha512:{digits}").parse().ok());
        Some(Candidate {
            name: self.name().parse().ok()?,
            version: self.version().parse().ok()?,
            architecture: self.architecture().parse().ok()?,
            source: Source { name: self.source_name().parse().ok()?, version: self.source_version().parse().ok()? },
            size: self.size(),
            sha256: self.sha256(),
            sha512,
            path: self.path().to_owned(),
            installed_size: Some(self.record.installed_size).filter(|size| *size != NO_SIZE),
        })
    }

    /// Its place in the table.
    pub(crate) fn position(self) -> usize {
        self.position
    }

    /// How libapt prefers it among packages that provide the same: the lower the better.
    pub(crate) fn priority(self) -> u8 {
        self.record.priority
    }

    /// The place of its name among the names that the file mentions.
    pub(crate) fn mention(self) -> u32 {
        self.record.mention
    }

    fn text(self, text: Text) -> &'a str {
        self.index.text_of(self.record, text)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("stanzas", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stanza<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stanza({} {} {})", self.name(), self.version(), self.architecture())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "SHA256: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

    fn hello(more: &str) -> String {
        format!(
            "Package: hello\nVersion: 1:2.10-3+b1\nArchitecture: amd64\nSize: 52832\nFilename: pool/h/hello.deb\n{more}\n"
        )
    }

    fn fault(text: &str) -> StanzaError {
        match Index::parse(text.as_bytes()) {
            Err(IndexError::Stanza { source, .. }) => source,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn stanzas_become_candidates() {
        let more = "Source: hi (1:2.10-3)\nMulti-Arch: allowed\nEssential: yes\nPriority: required\nInstalled-Size: 280\n\
            Pre-Depends: aa\nDepends: libc6 (>= 2.34),\n bb\nRecommends: cc\nSuggests: dd\nConflicts: ee\nBreaks: ff\n\
            Replaces: gg\nProvides: hi-there (= 2), hi:any\n";
        let index = Index::parse(hello(&format!("{more}{SUM}")).as_bytes()).unwrap();
        let found = index.named("hello").next().unwrap();
        let fields = [RelationField::PreDepends, RelationField::Depends, RelationField::Recommends];
        assert_eq!(fields.map(|field| found.relations(field)), ["aa", "libc6 (>= 2.34),\n bb", "cc"]);
        assert_eq!((found.multi_arch(), found.is_essential(), found.priority()), (MultiArch::Allowed, true, 1));
        let candidate = found.candidate().unwrap();
        assert_eq!((candidate.source.name.as_str(), candidate.source.version.as_str()), ("hi", "1:2.10-3"));
        assert_eq!(
            (candidate.path.as_str(), candidate.size, candidate.installed_size),
            ("pool/h/hello.deb", 52832, Some(280))
        );
        assert_eq!(candidate.sha256.to_string(), format!("sha256:{}", SUM.trim().trim_start_matches("SHA256: ")));
        for name in ["hi", "hi-there"] {
            assert_eq!(index.providers(name).map(Stanza::name).collect::<Vec<_>>(), ["hello"]);
        }
        assert_eq!(index.providers("hello").count() + index.named("hell").count() + index.named("hello2").count(), 0);
    }

    #[test]
    fn names_are_counted_as_libapt_does() {
        let stanza = |name: &str, more: &str| {
            format!("Package: {name}\nVersion: 1\nArchitecture: all\nSize: 1\nFilename: a\n{SUM}{more}\n")
        };
        // The fields have their order, whatever that of the stanza.
        let text = stanza("aa", "Suggests: cc\nDepends: bb (>= 1) | dd\n")
            + &stanza("bb", "")
            + &stanza("cc", "")
            + &stanza("dd", "");
        let index = Index::parse(text.as_bytes()).unwrap();
        assert_eq!(index.stanzas().map(Stanza::mention).collect::<Vec<_>>(), [0, 1, 3, 2]);
    }

    #[test]
    fn each_wrong_value_is_refused_for_its_own_reason() {
        let with = |from: &str, to: &str| hello(SUM).replacen(from, to, 1);
        assert!(matches!(fault(&hello("")), StanzaError::Missing { field: "SHA256" }));
        assert!(matches!(fault(&hello("MD5sum: 00\n")), StanzaError::WeakSums));
        for (field, line) in [
            ("Version", "Version: 1:2.10-3+b1\n"),
            ("Size", "Size: 52832\n"),
            ("Filename", "Filename: pool/h/hello.deb\n"),
            ("Package", "Package: hello\n"),
        ] {
            assert!(
                matches!(fault(&with(line, "")), StanzaError::Missing { field: found } if found == field),
                "{field}"
            );
        }
        for name in ["../hello", "he/llo", "Hello", "h", "héllo"] {
            let found = fault(&with("Package: hello", &format!("Package: {name}")));
            assert!(matches!(found, StanzaError::Name(_) | StanzaError::Value { field: "Package", .. }), "{name}");
        }
        for path in ["/etc/passwd", "../a", "a/../b", "a//b", "a/", ".", "a/./b", "a b", "a\tb", "a\\b", "a\n b", "./"]
        {
            assert!(matches!(fault(&with("pool/h/hello.deb", path)), StanzaError::Path { .. }), "{path:?}");
        }
        for (from, to) in [
            ("52832", "-1"),
            ("52832", "0x1"),
            ("52832", "99999999999999999999"),
            ("001122", "zz1122"),
            ("001122", "AA1122"),
            ("0011", "001"),
        ] {
            assert!(matches!(fault(&with(from, to)), StanzaError::Value { .. }), "{to}");
        }
        for line in ["Multi-Arch: maybe", "Essential: perhaps", "Installed-Size: 1k", "SHA512: 00", "Source: hi (1"] {
            assert!(matches!(fault(&hello(&format!("{line}\n{SUM}"))), StanzaError::Value { .. }), "{line}");
        }
        assert!(matches!(fault(&with("amd64", "linux-any")), StanzaError::Value { field: "Architecture", .. }));
        assert!(matches!(fault(&with("1:2.10-3+b1", "x")), StanzaError::Version(_)));
        assert!(matches!(
            Index::parse(format!("{}\nSize: 1\n", hello(SUM).trim_end()).as_bytes()),
            Err(IndexError::Syntax(_))
        ));
        assert!(matches!(Index::parse(hello(&format!("{SUM}size: 1\n")).as_bytes()), Err(IndexError::Syntax(_))));
    }

    #[test]
    fn errors_name_package_and_line() {
        let text = hello(SUM) + &hello(SUM).replace("hello\n", "other\n").replace("52832", "many");
        let error = Index::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "package \"other\" on line 8 of the package index");
    }

    #[test]
    fn the_same_package_twice_is_one_file() {
        let twice = |second: String| Index::parse((hello(SUM) + &second).as_bytes());
        assert_eq!(twice(hello(SUM)).unwrap().len(), 1);
        assert_eq!(twice(hello(SUM).replace("1:2.10", "2:2.10")).unwrap().len(), 2);
        for other in [
            hello(SUM).replace("001122", "991122"),
            hello(SUM).replace("52832", "1"),
            hello(SUM).replace("1:2.10-3+b1", "1:2.010-3+b1").replace("001122", "991122"),
        ] {
            assert!(matches!(twice(other), Err(IndexError::Stanza { source: StanzaError::TwoFiles { .. }, .. })));
        }
    }

    /// Were each compared with each, this would take minutes.
    #[test]
    fn many_versions_of_one_package_take_no_longer_than_many_packages() {
        let stanza = |number: u32| hello(SUM).replace("1:2.10", &format!("{number}:2.10"));
        let text: String = (0..40_000).map(stanza).collect();
        let begun = std::time::Instant::now();
        assert_eq!(Index::parse(text.as_bytes()).unwrap().len(), 40_000);
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }

    #[test]
    fn flat_repositories_have_a_dot_before_the_path() {
        let index = Index::parse(hello(SUM).replace("pool/h/", "./").as_bytes()).unwrap();
        assert_eq!(index.named("hello").next().unwrap().path(), "hello.deb");
    }

    #[test]
    fn nothing_is_an_index_of_nothing() {
        let index = Index::parse(&b""[..]).unwrap();
        assert!(index.is_empty());
        assert_eq!(Index::from_bytes(&index.to_bytes()).unwrap(), index);
    }

    fn sample() -> Index {
        let other = hello(SUM).replace("hello\n", "world\n").replace("001122", "881122");
        Index::parse((hello(&format!("Provides: xx, yy\n{SUM}")) + &other).as_bytes()).unwrap()
    }

    #[test]
    fn every_damaged_byte_is_found() {
        let bytes = sample().to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(Index::from_bytes(&damaged).is_err(), "byte {at}");
            assert!(Index::from_bytes(&bytes[..at]).is_err(), "{at} bytes");
        }
    }

    proptest! {
        /// Whoever can write the stored form can also write its checksum.
        #[test]
        fn made_up_bytes_never_lead_astray(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let mut bytes = sample().to_bytes();
            let body = bytes.len() - 4;
            for (at, value) in changes {
                bytes[at.index(body)] = value;
            }
            let checksum = crc32fast::hash(&bytes[..body]);
            bytes[body..].copy_from_slice(&checksum.to_le_bytes());
            if let Ok(index) = Index::from_bytes(&bytes) {
                prop_assert!(index.stanzas().all(|stanza| stanza.candidate().is_some_and(|found| found.path == stanza.path())));
                prop_assert!(index.names().all(|name| index.named(name).count() + index.providers(name).count() > 0));
                prop_assert_eq!(index.to_bytes(), bytes);
            }
        }

        #[test]
        fn any_text_is_an_index_or_an_error(text in "((Package|Version|Architecture|Size|SHA256|Filename|Depends|Provides): ?[a-z0-9:/.,() ]{0,12}\n{1,2}| x\n|\n|\\PC{0,8}){0,12}") {
            if let Ok(index) = Index::parse(text.as_bytes()) {
                prop_assert_eq!(Index::from_bytes(&index.to_bytes()).unwrap(), index);
            }
        }

        #[test]
        fn what_is_parsed_is_stored(names in prop::collection::btree_set("[a-z]{2,4}", 0..12)) {
            let text: String = names.iter().map(|name| hello(&format!("Provides: {name}x, x\n{SUM}")).replace("Package: hello", &format!("Package: {name}"))).collect();
            let index = Index::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(index.len(), names.len());
            prop_assert!(index.stanzas().map(Stanza::name).eq(names.iter().map(String::as_str)));
            prop_assert_eq!(index.providers("x").count(), names.len());
            prop_assert_eq!(Index::from_bytes(&index.to_bytes()).unwrap(), index);
        }
    }
}
