//! The control file of a binary package.

use std::borrow::Cow;
use std::str::FromStr;

use distil_imgcore::Escaped;

use crate::deb822::{Comments, Deb822Error, Field, Limits, Paragraph, Paragraphs};
use crate::{Architecture, PackageName, RelationError, Relations, Version};

/// What a binary package says of itself: [deb-control(5)]. The exact bytes stay beside the parsed fields, since they
/// become the package's record in an image.
///
/// ```
/// use distil_debunpack::Control;
/// let control = Control::parse(b"Package: hello\nVersion: 2.10-3+b1\nArchitecture: amd64\nSource: hi (2.10-3)\n")?;
/// assert_eq!(control.package().as_str(), "hello");
/// assert_eq!(control.source().version.as_str(), "2.10-3");
/// # Ok::<(), distil_debunpack::ControlError>(())
/// ```
///
/// [deb-control(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html
#[derive(Debug, Clone)]
pub struct Control {
    bytes: Box<[u8]>,
    fields: Vec<(String, Vec<u8>)>,
    package: PackageName,
    version: Version,
    architecture: Architecture,
    source: Source,
    multi_arch: MultiArch,
    essential: bool,
    installed_size: Option<u64>,
}

/// The source package that a binary package was built from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its name; that of the binary package where the control file names none.
    pub name: PackageName,
    /// Its version; that of the binary package where the control file names none.
    pub version: Version,
}

/// How packages of one name and several architectures live together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultiArch {
    /// Only one may be installed, and it serves its own architecture.
    #[default]
    No,
    /// Several may be installed.
    Same,
    /// One serves all architectures.
    Foreign,
    /// A relation with `:any` is served by any.
    Allowed,
}

/// The fields that hold relations to other packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelationField {
    /// Must be configured before.
    PreDepends,
    /// Must be there.
    Depends,
    /// Is there in all but unusual installations.
    Recommends,
    /// Makes the package more useful.
    Suggests,
    /// Is made more useful by the package.
    Enhances,
    /// Stops working with the package.
    Breaks,
    /// Cannot be there with the package.
    Conflicts,
    /// May lose files to the package.
    Replaces,
    /// Virtual packages that the package stands for.
    Provides,
    /// Source packages of which parts are in the package, other than its own.
    BuiltUsing,
    /// The same for what was linked statically.
    StaticBuiltUsing,
}

impl RelationField {
    /// The name of the field.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreDepends => "Pre-Depends",
            Self::Depends => "Depends",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Enhances => "Enhances",
            Self::Breaks => "Breaks",
            Self::Conflicts => "Conflicts",
            Self::Replaces => "Replaces",
            Self::Provides => "Provides",
            Self::BuiltUsing => "Built-Using",
            Self::StaticBuiltUsing => "Static-Built-Using",
        }
    }
}

/// Why bytes are not the control file of a binary package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No paragraph of fields.
    #[error(transparent)]
    Syntax(#[from] Deb822Error),
    /// No paragraph at all.
    #[error("there is no paragraph")]
    Empty,
    /// More than one paragraph. The second would become a record of its own in a database.
    #[error("a second paragraph starts on line {line}")]
    SecondParagraph {
        /// Its first line, from 1.
        line: usize,
    },
    /// A field that every package has.
    #[error("field {field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field whose value is not what it must be.
    #[error("field {field} on line {line} holds \"{}\"", Escaped(.value))]
    Value {
        /// The field.
        field: &'static str,
        /// Its line, from 1.
        line: usize,
        /// Its value, at most the first 128 bytes.
        value: Vec<u8>,
        /// What its type says of it, where it says more.
        source: Option<ValueError>,
    },
    /// A field that only a database of installed packages has. dpkg refuses it, too.
    #[error("field {field} on line {line} is not for packages")]
    NotForPackages {
        /// The field.
        field: &'static str,
        /// Its line, from 1.
        line: usize,
    },
}

/// What a type says of a value that is none of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// No name of a package.
    #[error(transparent)]
    Package(#[from] crate::PackageNameError),
    /// No version.
    #[error(transparent)]
    Version(#[from] crate::VersionError),
    /// No architecture.
    #[error(transparent)]
    Architecture(#[from] crate::ArchitectureError),
}

impl Control {
    /// Reads the control file of a package: exactly one paragraph.
    ///
    /// # Errors
    /// [`ControlError`]; relations are looked at only by [`Control::relations`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ControlError> {
        let mut paragraphs = Paragraphs::new(bytes, Comments::Refused, Limits::default());
        let paragraph = paragraphs.next().ok_or(ControlError::Empty)??;
        if let Some(second) = paragraphs.next() {
            return Err(ControlError::SecondParagraph { line: second?.line() });
        }
        for field in ["Status", "Config-Version"] {
            if let Some(found) = paragraph.field(field) {
                return Err(ControlError::NotForPackages { field, line: found.line() });
            }
        }
        Ok(Self { bytes: bytes.into(), ..Self::from_paragraph(&paragraph)? })
    }

    /// Reads a stanza of an index or a record of a database, which may have more fields than a control file.
    ///
    /// # Errors
    /// [`ControlError`] where a field is missing or wrong.
    pub fn from_paragraph(paragraph: &Paragraph<'_>) -> Result<Self, ControlError> {
        let package: PackageName = parse_required(paragraph, "Package")?;
        let version: Version = parse_required(paragraph, "Version")?;
        let architecture: Architecture = parse_required(paragraph, "Architecture")?;
        if architecture.is_wildcard() {
            return Err(wrong(paragraph, "Architecture"));
        }
        let source = match text(paragraph, "Source")? {
            None => Source { name: package.clone(), version: version.clone() },
            Some(text) => parse_source(text, &version).map_err(|e| wrong_because(paragraph, "Source", e))?,
        };
        let multi_arch = match text(paragraph, "Multi-Arch")? {
            None | Some("no") => MultiArch::No,
            Some("same") => MultiArch::Same,
            Some("foreign") => MultiArch::Foreign,
            Some("allowed") => MultiArch::Allowed,
            Some(_) => return Err(wrong(paragraph, "Multi-Arch")),
        };
        let essential = match text(paragraph, "Essential")? {
            None => false,
            // dpkg and libapt read this one in any case, unlike the words of Multi-Arch.
            Some(word) if word.eq_ignore_ascii_case("no") => false,
            Some(word) if word.eq_ignore_ascii_case("yes") => true,
            Some(_) => return Err(wrong(paragraph, "Essential")),
        };
        let installed_size = match text(paragraph, "Installed-Size")? {
            None => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| wrong(paragraph, "Installed-Size"))?)
            }
            Some(_) => return Err(wrong(paragraph, "Installed-Size")),
        };
        let fields = paragraph.fields().iter().map(|f| (f.name().to_owned(), f.value().to_vec())).collect();
        let bytes = paragraph.bytes().into();
        Ok(Self { bytes, fields, package, version, architecture, source, multi_arch, essential, installed_size })
    }

    /// The exact bytes that were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the package.
    #[must_use]
    pub fn package(&self) -> &PackageName {
        &self.package
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The architecture it was built for.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The source package it was built from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// How it lives with itself on other architectures.
    #[must_use]
    pub fn multi_arch(&self) -> MultiArch {
        self.multi_arch
    }

    /// Whether a system cannot do without it.
    #[must_use]
    pub fn is_essential(&self) -> bool {
        self.essential
    }

    /// What it takes on disk, in KiB, by its own estimate.
    #[must_use]
    pub fn installed_size(&self) -> Option<u64> {
        self.installed_size
    }

    /// Who maintains it: text for people, not checked.
    #[must_use]
    pub fn maintainer(&self) -> Option<Cow<'_, str>> {
        self.text("Maintainer")
    }

    /// What it is: a line, then perhaps lines that start with a space.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.text("Description")
    }

    /// Where it belongs in the archive.
    #[must_use]
    pub fn section(&self) -> Option<Cow<'_, str>> {
        self.text("Section")
    }

    /// How important it is.
    #[must_use]
    pub fn priority(&self) -> Option<Cow<'_, str>> {
        self.text("Priority")
    }

    /// Any field as text for people: bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.field(name).map(String::from_utf8_lossy)
    }

    /// The value of any field, whatever the case of its name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Names and values of all fields, in the order of the file.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The relations in a field; none where the field is missing.
    ///
    /// They are parsed only when asked for: a package that nobody resolves may hold old forms in them.
    ///
    /// # Errors
    /// [`RelationError`] for the first that cannot be understood.
    pub fn relations(&self, field: RelationField) -> Result<Relations, RelationError> {
        self.text(field.name()).unwrap_or_default().parse()
    }
}

/// Two control files are equal where their bytes are.
impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Control {}

fn parse_source(text: &str, binary: &Version) -> Result<Source, Option<ValueError>> {
    let Some((name, rest)) = text.split_once('(') else {
        return Ok(Source { name: parse_value(text)?, version: binary.clone() });
    };
    let version = rest.strip_suffix(')').ok_or(None)?;
    Ok(Source { name: parse_value(name.trim_ascii())?, version: parse_value(version.trim_ascii())? })
}

fn parse_value<T: FromStr<Err: Into<ValueError>>>(text: &str) -> Result<T, Option<ValueError>> {
    text.parse().map_err(|e: T::Err| Some(e.into()))
}

fn parse_required<T: FromStr<Err: Into<ValueError>>>(
    paragraph: &Paragraph<'_>,
    name: &'static str,
) -> Result<T, ControlError> {
    let text = text(paragraph, name)?.ok_or(ControlError::Missing { field: name })?;
    parse_value(text).map_err(|e| wrong_because(paragraph, name, e))
}

/// The value of a field that must be ASCII. An empty one counts as missing, as for dpkg.
fn text<'a>(paragraph: &Paragraph<'a>, name: &'static str) -> Result<Option<&'a str>, ControlError> {
    let Some(value) = paragraph.field(name).map(Field::value).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    std::str::from_utf8(value).map(Some).map_err(|_| wrong(paragraph, name))
}

fn wrong(paragraph: &Paragraph<'_>, field: &'static str) -> ControlError {
    wrong_because(paragraph, field, None)
}

fn wrong_because(paragraph: &Paragraph<'_>, field: &'static str, source: Option<ValueError>) -> ControlError {
    let found = paragraph.field(field);
    let value = found.map_or(&[][..], Field::value).iter().take(128).copied().collect();
    ControlError::Value { field, line: found.map_or(0, Field::line), value, source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "Package: hello\nVersion: 1:2.10-3+b1\nArchitecture: amd64\n";

    fn with(lines: &str) -> Result<Control, ControlError> {
        Control::parse(format!("{GOOD}{lines}").as_bytes())
    }

    #[test]
    fn fields_have_their_types() {
        let control = with(
            "Source: hi (1:2.10-3)\nMulti-Arch: foreign\nessential: Yes\nInstalled-Size: 12\nDepends: libc6 (>= 2.36), aa | bb\nDescription: short\n long\n",
        )
        .unwrap();
        assert_eq!((control.package().as_str(), control.architecture().as_str()), ("hello", "amd64"));
        assert_eq!((control.source().name.as_str(), control.source().version.as_str()), ("hi", "1:2.10-3"));
        assert_eq!((control.multi_arch(), control.is_essential()), (MultiArch::Foreign, true));
        assert_eq!(control.installed_size(), Some(12));
        assert_eq!(control.relations(RelationField::Depends).unwrap().groups().len(), 2);
        assert!(control.relations(RelationField::Breaks).unwrap().groups().is_empty());
        assert_eq!(control.description().unwrap(), "short\n long");
        assert_eq!(control.maintainer(), None);
    }

    #[test]
    fn a_package_is_its_own_source_unless_it_says_otherwise() {
        let source = |line: &str| with(line).map(|c| c.source().clone());
        let own = source("").unwrap();
        assert_eq!((own.name.as_str(), own.version.as_str()), ("hello", "1:2.10-3+b1"));
        assert_eq!(source("Source: hi\n").unwrap().version.as_str(), "1:2.10-3+b1");
        for bad in ["hi (1", "hi (1) x", "(1)", "hi ()", "../hi", "hi 1"] {
            let found = source(&format!("Source: {bad}\n"));
            assert!(matches!(found, Err(ControlError::Value { field: "Source", line: 4, .. })), "{bad}: {found:?}");
        }
    }

    #[test]
    fn what_a_package_must_have_is_asked_for() {
        for field in ["Package", "Version", "Architecture"] {
            let rest: String = GOOD.lines().filter(|l| !l.starts_with(field)).flat_map(|l| [l, "\n"]).collect();
            assert_eq!(Control::parse(rest.as_bytes()), Err(ControlError::Missing { field }));
        }
        assert_eq!(Control::parse(b""), Err(ControlError::Empty));
        assert_eq!(with("\nPackage: evil\n"), Err(ControlError::SecondParagraph { line: 5 }));
    }

    #[test]
    fn wrong_values_are_refused() {
        for (line, field) in [
            ("Installed-Size: -1\n", "Installed-Size"),
            ("Installed-Size: +1\n", "Installed-Size"),
            ("Installed-Size: 99999999999999999999\n", "Installed-Size"),
            ("Multi-Arch: maybe\n", "Multi-Arch"),
            ("Essential: true\n", "Essential"),
        ] {
            let found = with(line);
            assert!(matches!(&found, Err(ControlError::Value { field: f, .. }) if *f == field), "{line}: {found:?}");
        }
        for (good, bad) in [("hello", "../hello"), ("1:2.10-3+b1", "1/../2"), ("amd64", "any")] {
            let found = Control::parse(GOOD.replace(good, bad).as_bytes());
            assert!(matches!(found, Err(ControlError::Value { .. })), "{bad}: {found:?}");
        }
        for field in ["Status", "Config-Version"] {
            let found = with(&format!("{field}: install ok installed\n"));
            assert_eq!(found, Err(ControlError::NotForPackages { field, line: 4 }));
        }
    }

    #[test]
    fn the_bytes_are_kept() {
        let text = format!("\n{GOOD}Maintainer: \u{e9} <a@b>\n\n");
        let control = Control::parse(text.as_bytes()).unwrap();
        assert_eq!(control.bytes(), text.as_bytes());
        let latin = [GOOD.as_bytes(), b"Maintainer: \xe9\n"].concat();
        assert_eq!(Control::parse(&latin).unwrap().maintainer().unwrap(), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in "((Package|Version|Architecture|Source|Depends): [a1(.)]{1,4}\\n){0,6}") {
            if let Ok(control) = Control::parse(text.as_bytes()) {
                prop_assert_eq!(control.fields().count(), text.lines().count());
                let _ = control.relations(RelationField::Depends);
            }
        }
    }
}
