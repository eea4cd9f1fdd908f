//! Copyright files of packages, read tolerantly: what their authors wrote by hand is information, not a contract.
//!
//! The machine-readable form is [copyright-format 1.0], also known as DEP-5. Real files break it in many small ways, and none of
//! them is an error here: what cannot be understood as stanzas is [`Copyright::FreeForm`].
//!
//! [copyright-format 1.0]: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

use std::borrow::Cow;

/// Bytes of a file that are read. The largest in the archive has some 2 MiB.
pub const MAX_BYTES: usize = 16 << 20;
/// Stanzas that are read. The longest file in the archive has some thousands.
pub const MAX_STANZAS: usize = 1 << 16;
/// Fields of one stanza that are read. The format knows eleven.
const MAX_FIELDS: usize = 256;

/// The text of a copyright file: up to [`MAX_BYTES`], without a byte order mark. What is not UTF-8 is read as Latin-1, which is
/// what old files are in.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.get(..MAX_BYTES).unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    Cow::Owned(text)
}

/// What a copyright file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copyright<'a> {
    /// Stanzas, in the order of the file.
    MachineReadable(Vec<Stanza<'a>>),
    /// Prose.
    FreeForm,
}

/// Fields up to the next empty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza<'a> {
    kind: StanzaKind,
    fields: Vec<(&'a str, &'a str)>,
    text: &'a str,
}

/// What a stanza is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StanzaKind {
    /// The whole file: it has a `Format`.
    Header,
    /// Some files of the source: it has `Files`.
    Files,
    /// A licence that other stanzas name: it has a `License` and no `Files`.
    License,
    /// None of these, which the format does not know.
    Other,
}

/// The field `License`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseField<'a> {
    /// Its first line: short names of licences, joined by `and`, `or`, commas.
    pub synopsis: &'a str,
    /// The lines after it, as they are written. May be empty.
    pub body: &'a str,
}

impl<'a> Copyright<'a> {
    /// Reads the text of a copyright file.
    ///
    /// It is machine-readable where a stanza without `Files` has a `Format` or a `Format-Specification`, whatever its value, and
    /// another one says something of files or licences. Some files lack the header; one that starts
    /// with a field and has a stanza with `Files`, `Copyright` and `License` is as good. A file of more than [`MAX_STANZAS`] is free-form.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let Some(stanzas) = Splitter::new(text).stanzas() else { return Self::FreeForm };
        // After an introduction in prose the rest may be prose, too.
        let starts_so = text.trim_start().lines().next().is_some_and(|line| field(line).is_some());
        let is_of_format = |stanza: &Stanza<'_>| match stanza.kind {
            StanzaKind::Header => true,
            StanzaKind::Files => starts_so && stanza.field("Copyright").is_some() && stanza.licence().is_some(),
            StanzaKind::License | StanzaKind::Other => false,
        };
        let is_machine_readable = stanzas.iter().any(is_of_format);
        let has_licence = stanzas.iter().any(|stanza| stanza.licence().is_some());
        if is_machine_readable && has_licence { Self::MachineReadable(stanzas) } else { Self::FreeForm }
    }
}

impl<'a> Stanza<'a> {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> StanzaKind {
        self.kind
    }

    /// The value of a field, whatever the case of its name: as it is written, without white space around it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The patterns of `Files`.
    pub fn files(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let value = self.field("Files").unwrap_or_default();
        // Commas separated patterns in the drafts of the format.
        value.split(|c: char| c.is_whitespace() || c == ',').filter(|pattern| !pattern.is_empty())
    }

    /// The lines of `Copyright` that are not empty.
    pub fn copyright(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.field("Copyright").unwrap_or_default().lines().map(str::trim).filter(|l| !matches!(*l, "" | "."))
    }

    /// The field `License`.
    #[must_use]
    pub fn licence(&self) -> Option<LicenseField<'a>> {
        let value = self.field("License").or_else(|| self.field("Licence"))?;
        let (synopsis, body) = value.split_once('\n').unwrap_or((value, ""));
        Some(LicenseField { synopsis: synopsis.trim(), body })
    }

    /// The whole stanza as it is written.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }
}

/// The lines of a multi-line value as they are meant: without the space that marks them, and with nothing for a full stop that
/// stands for an empty line. Comments are left out.
pub fn unfolded(body: &str) -> impl Iterator<Item = &str> {
    body.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let line = line.strip_prefix([' ', '\t']).unwrap_or(line).trim_end();
        if line.trim_start() == "." { "" } else { line }
    })
}

/// Cuts a text into stanzas.
struct Splitter<'a> {
    text: &'a str,
    stanzas: Vec<Stanza<'a>>,
    /// Fields of the stanza that is being read, by offsets: its name, where its value starts.
    fields: Vec<(&'a str, usize)>,
    /// Where this stanza starts.
    start: usize,
    /// Where the last line ends that belongs to it.
    end: usize,
    /// Whether an empty line stands between it and the line to come.
    is_over: bool,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, stanzas: Vec::new(), fields: Vec::new(), start: 0, end: 0, is_over: false }
    }

    fn stanzas(mut self) -> Option<Vec<Stanza<'a>>> {
        let mut offset = 0;
        for line in self.text.split_inclusive('\n') {
            self.line(line, offset);
            offset += line.len();
            if self.stanzas.len() > MAX_STANZAS {
                return None;
            }
        }
        self.close();
        Some(self.stanzas)
    }

    fn line(&mut self, line: &'a str, offset: usize) {
        if line.trim().is_empty() {
            self.is_over = true;
            return;
        }
        if line.starts_with('#') {
            return;
        }
        // An empty line within a text is a common mistake; what is indented after it goes on with the text. So does a line
        // that should be indented and is no field.
        if !line.starts_with([' ', '\t'])
            && (self.is_over || self.fields.len() < MAX_FIELDS)
            && let Some((name, value)) = field(line)
        {
            let is_repeated =
                is_licence_or_files(name) && self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
            if self.is_over || is_repeated {
                self.close();
            }
            if self.fields.is_empty() {
                self.start = offset;
            }
            self.fields.push((name, offset + line.len() - value.len()));
        }
        self.is_over = false;
        self.end = offset + line.len();
    }

    /// Ends the stanza that is being read.
    fn close(&mut self) {
        let fields = std::mem::take(&mut self.fields);
        if fields.is_empty() {
            return;
        }
        let ends = fields.iter().skip(1).map(|(_, value)| self.line_of(*value)).chain([self.end]);
        let values = fields.iter().zip(ends.collect::<Vec<_>>());
        let fields: Vec<(&str, &str)> =
            values.map(|((name, from), to)| (*name, self.text.get(*from..to).unwrap_or_default().trim())).collect();
        let has = |name: &str| fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let kind = if has("Files") {
            StanzaKind::Files
        } else if has("Format") || has("Format-Specification") {
            StanzaKind::Header
        } else if has("License") || has("Licence") {
            StanzaKind::License
        } else {
            StanzaKind::Other
        };
        let text = self.text.get(self.start..self.end).unwrap_or_default().trim_end();
        self.stanzas.push(Stanza { kind, fields, text });
    }

    /// Where the line starts that an offset is on.
    fn line_of(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or_default().rfind('\n').map_or(0, |newline| newline + 1)
    }
}

/// The name of a field and the rest of its line, where the line starts one.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    // A URL at the start of a line that somebody did not indent.
    let is_url = value.starts_with("//");
    (is_name && !is_url).then_some((name, value))
}

/// Whether a second field of this name shows that the empty line before a new stanza is missing.
fn is_licence_or_files(name: &str) -> bool {
    ["Files", "License", "Licence"].iter().any(|n| n.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n\n\
                         Files: *\nCopyright: 2001 A\n 2002 B\nLicense: GPL-2+ or Expat\n\n\
                         Files: debian/* po/de.po\nCopyright: C\nLicense: Expat\n\nLicense: Expat\n Do what\n .\n you  like.\n";

    fn stanzas(text: &str) -> Vec<Stanza<'_>> {
        match Copyright::parse(text) {
            Copyright::MachineReadable(stanzas) => stanzas,
            Copyright::FreeForm => panic!("free-form: {text}"),
        }
    }

    #[test]
    fn stanzas_are_of_three_kinds() {
        let all = stanzas(SMALL);
        let kinds: Vec<_> = all.iter().map(Stanza::kind).collect();
        assert_eq!(kinds, [StanzaKind::Header, StanzaKind::Files, StanzaKind::Files, StanzaKind::License]);
        assert_eq!(all[1].copyright().collect::<Vec<_>>(), ["2001 A", "2002 B"]);
        assert_eq!(all[1].licence().unwrap().synopsis, "GPL-2+ or Expat");
        assert_eq!(all[2].files().collect::<Vec<_>>(), ["debian/*", "po/de.po"]);
        let licence = all[3].licence().unwrap();
        assert_eq!(unfolded(licence.body).collect::<Vec<_>>(), ["Do what", "", "you  like."]);
        assert_eq!(all[2].text(), "Files: debian/* po/de.po\nCopyright: C\nLicense: Expat");
    }

    #[test]
    fn files_written_by_hand_are_understood() {
        // What, which part of SMALL becomes what, and the number of stanzas.
        for (what, from, to, count) in [
            ("line ends of another system", "\n", "\r\n", 4),
            ("a byte order mark", "Format:", "\u{feff}Format:", 4),
            ("no empty line between stanzas", "\n\nFiles: debian", "\nFiles: debian", 4),
            ("an empty line within a text", "what\n .\n you", "what\n\n you", 4),
            ("a line that is not indented", " you  like.", "you  like.", 4),
            ("lower case", "License: Expat\n Do", "license: Expat\n Do", 4),
            ("comments", "\n\nLicense", "\n# of the authors\n\n# of all\nLicense", 4),
            ("spaces between stanzas", "\n\nLicense", "\n \t\nLicense", 4),
            ("an old field", "Format:", "Format-Specification:", 4),
            ("an introduction", "Format:", "This is a file.\n\nFormat:", 4),
            ("no header", "Format: ", "Formatted: ", 4),
            ("the header at the end", "Files: *", "Comment: x\n\nFiles: *", 5),
        ] {
            let text = SMALL.replace(from, to);
            let decoded = decode(text.as_bytes());
            let found = stanzas(&decoded);
            assert_eq!(found.len(), count, "{what}: {found:#?}");
            let last = found.last().and_then(Stanza::licence).unwrap();
            let words: Vec<_> = unfolded(last.body).flat_map(str::split_whitespace).collect();
            assert_eq!((last.synopsis, words.join(" ").as_str()), ("Expat", "Do what you like."), "{what}");
        }
    }

    #[test]
    fn prose_is_free_form() {
        for text in [
            "",
            "This package is free.\n",
            "Prose.\n\nFiles: *\nCopyright: x\nLicense: y\n",
            "License: GPL\n",
            "Format: x\n\nUpstream-Name: y\n",
        ] {
            assert_eq!(Copyright::parse(text), Copyright::FreeForm, "{text}");
        }
    }

    #[test]
    fn bytes_of_an_old_file_are_latin_1() {
        assert_eq!(decode(b"J\xf6rg \xc3\xb6"), "J\u{f6}rg \u{f6}");
        assert!(matches!(decode("\u{f6}".as_bytes()), Cow::Borrowed("\u{f6}")));
    }

    #[test]
    fn there_are_limits() {
        assert_eq!(decode(&vec![b'a'; MAX_BYTES + 1]).len(), MAX_BYTES);
        let many = format!("{SMALL}{}", "\nLicense: a\n".repeat(MAX_STANZAS));
        assert_eq!(Copyright::parse(&many), Copyright::FreeForm);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Copyright::parse(&decode(&bytes));
        }

        #[test]
        fn what_a_stanza_says_stands_in_the_file(
            text in "(Format: 1\n|License: a\n|Files: b c\n|Copyright: d\n|Licence:|:\n|#e\r\n| f\n|g\n|\n|\\PC{1,3}){0,20}",
        ) {
            if let Copyright::MachineReadable(stanzas) = Copyright::parse(&text) {
                for stanza in stanzas {
                    prop_assert!(text.contains(stanza.text()));
                    prop_assert!(stanza.copyright().chain(stanza.files()).all(|part| stanza.text().contains(part)));
                    if let Some(licence) = stanza.licence() {
                        prop_assert!(stanza.text().contains(licence.synopsis) && stanza.text().contains(licence.body));
                    }
                }
            }
        }
    }
}
