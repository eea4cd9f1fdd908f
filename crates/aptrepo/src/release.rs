//! Release files: what a repository signs, checked before anything else of it is read.
//!
//! One file names all others with their sizes and sums, so that one signature stands for the whole repository. It is
//! written as apt's documents [describe it], and judged more strictly than apt does: apt only warns when it gets another
//! suite than it asked for.
//!
//! [describe it]: https://wiki.debian.org/DebianRepository/Format

mod error;
mod files;

use std::collections::BTreeMap;

use distil_debunpack::Architecture;
use distil_debunpack::deb822::{Comments, Limits, Paragraph, Paragraphs};

pub use error::ReleaseError;
pub use files::ReleaseFile;
use files::read_files;

use crate::clearsign::{ClearSigned, check_text, detached_signatures};
use crate::keyring::{CLOCK_SKEW, Keyring, Signer, VerifyError};
use crate::time::Timestamp;

/// Largest text of a Release file, and of its lists of files.
const MAX_TEXT: usize = 64 << 20;

const YEAR: i64 = 366 * 86_400;

/// A signed file as it was fetched.
#[derive(Debug, Clone, Copy)]
pub enum Signed<'a> {
    /// `InRelease`: text and signatures in one.
    Inline(&'a [u8]),
    /// `Release`, with the signatures beside it.
    Detached {
        /// The file `Release`.
        release: &'a [u8],
        /// The file `Release.gpg`.
        signature: &'a [u8],
    },
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The suite or codename; one that ends with a slash is the path of a flat repository, which has no suite.
    pub suite: &'a str,
    /// As of when everything is judged: now, or the time of the snapshot.
    pub at: Timestamp,
    /// Whether a snapshot was asked for.
    pub pinned: bool,
}

/// A Release file whose signature was checked, and which is the one that was asked for. Only [`Release::verify`] makes
/// one.
#[derive(Debug, Clone)]
pub struct Release {
    signer: Signer,
    date: Timestamp,
    valid_until: Option<Timestamp>,
    texts: Texts,
    components: Vec<String>,
    architectures: Vec<Architecture>,
    by_hash: bool,
    lists_all_apart: bool,
    files: BTreeMap<String, ReleaseFile>,
}

/// What a repository says of itself in words.
#[derive(Debug, Clone)]
struct Texts {
    suite: Option<String>,
    codename: Option<String>,
    origin: Option<String>,
    label: Option<String>,
    version: Option<String>,
}

impl Release {
    /// Checks signature, fields, suite and dates, in this order, and reads only what was signed.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] for the first of them that is wrong.
    pub fn verify(signed: Signed<'_>, keyring: &Keyring, expected: &Expected<'_>) -> Result<Self, ReleaseError> {
        let at = expected.at;
        let judge = |error| judge_clock(error, expected);
        let (by, text) = match signed {
            Signed::Inline(file) => {
                let message = ClearSigned::split(file)?;
                let by = keyring.verify(&message.signatures, &message.canonical, at).map_err(judge)?;
                (by, message.text())
            }
            Signed::Detached { release, signature } => {
                check_text(release)?;
                let signatures = detached_signatures(signature)?;
                (keyring.verify(&signatures, release, at).map_err(judge)?, release.to_vec())
            }
        };
        let mut paragraphs =
            Paragraphs::new(&text, Comments::Refused, Limits { document: MAX_TEXT + 1, field: MAX_TEXT });
        let paragraph = paragraphs.next().ok_or(ReleaseError::Paragraphs { found: 0 })??;
        if paragraphs.next().transpose()?.is_some() {
            return Err(ReleaseError::Paragraphs { found: 2 });
        }
        let release = Self::read(&paragraph, by)?;
        release.check_suite(expected.suite)?;
        release.check_dates(expected)?;
        Ok(release)
    }

    /// Who signed it: the first of its signatures that is valid.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// When it was made.
    #[must_use]
    pub fn date(&self) -> Timestamp {
        self.date
    }

    /// Until when it may be used. Debian's stable releases have no limit.
    #[must_use]
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// `stable`, `oldstable-security`: names that move from release to release.
    #[must_use]
    pub fn suite(&self) -> Option<&str> {
        self.texts.suite.as_deref()
    }

    /// `bookworm`: the name that stays.
    #[must_use]
    pub fn codename(&self) -> Option<&str> {
        self.texts.codename.as_deref()
    }

    /// Whose repository it is.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.texts.origin.as_deref()
    }

    /// Which of their repositories.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.texts.label.as_deref()
    }

    /// The number of the release: `12.11`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.texts.version.as_deref()
    }

    /// Its components, as they are written; those of Debian's security archive have `updates/` before them.
    #[must_use]
    pub fn components(&self) -> &[String] {
        &self.components
    }

    /// The architectures that it has packages for; `all` is one of them where it has an index of its own.
    #[must_use]
    pub fn architectures(&self) -> &[Architecture] {
        &self.architectures
    }

    /// Whether indices can be had under the names of their sums too, so that they fit this file whenever it was made.
    #[must_use]
    pub fn by_hash(&self) -> bool {
        self.by_hash
    }

    /// Whether packages for every architecture are in an index of their own alone. Elsewhere they are in the index of
    /// each architecture.
    #[must_use]
    pub fn lists_all_apart(&self) -> bool {
        self.lists_all_apart
    }

    /// Size and sums of a file, by its path from the folder of the Release file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&ReleaseFile> {
        self.files.get(path)
    }

    fn read(paragraph: &Paragraph<'_>, signer: Signer) -> Result<Self, ReleaseError> {
        let word = |name| text(paragraph, name).map(|value| value.filter(|value| !value.is_empty()));
        let words = |name| Ok::<_, ReleaseError>(text(paragraph, name)?.unwrap_or_default());
        let date = |field: &'static str| {
            let parse = |value: &str| Timestamp::parse_release(value);
            text(paragraph, field)?.map(parse).transpose().map_err(|source| ReleaseError::Date { field, source })
        };
        let own = |value: Option<&str>| value.map(str::to_owned);
        // An architecture that is not in our grammar cannot be asked for either.
        let architectures = words("Architectures")?.split_ascii_whitespace().filter_map(|name| name.parse().ok());
        let architectures: Vec<Architecture> = architectures.collect();
        let apart = words("No-Support-for-Architecture-all")?.split_ascii_whitespace().all(|what| what != "Packages");
        Ok(Self {
            signer,
            date: date("Date")?.ok_or(ReleaseError::Missing { field: "Date" })?,
            valid_until: date("Valid-Until")?,
            texts: Texts {
                suite: own(word("Suite")?),
                codename: own(word("Codename")?),
                origin: own(word("Origin")?),
                label: own(word("Label")?),
                version: own(word("Version")?),
            },
            components: words("Components")?.split_ascii_whitespace().map(str::to_owned).collect(),
            lists_all_apart: apart && architectures.iter().any(Architecture::is_all),
            architectures,
            by_hash: words("Acquire-By-Hash")?.eq_ignore_ascii_case("yes"),
            files: read_files(paragraph)?,
        })
    }

    /// The suite of a signed file must be the one asked for: else a mirror could give an old release for a new one.
    fn check_suite(&self, asked: &str) -> Result<(), ReleaseError> {
        if asked.ends_with('/') || [self.suite(), self.codename()].contains(&Some(asked)) {
            return Ok(());
        }
        let shown = |value: Option<&str>| value.unwrap_or("-").chars().take(200).collect();
        let asked = asked.chars().take(200).collect();
        Err(ReleaseError::Suite { asked, suite: shown(self.suite()), codename: shown(self.codename()) })
    }

    fn check_dates(&self, expected: &Expected<'_>) -> Result<(), ReleaseError> {
        let (date, at) = (self.date, expected.at);
        if expected.pinned && date > at {
            return Err(ReleaseError::AfterSnapshot { date, snapshot: at });
        }
        if !expected.pinned && is_absurd(at, date) {
            return Err(ReleaseError::Clock { at, signed: date });
        }
        if date.seconds() > at.seconds().saturating_add(CLOCK_SKEW) {
            return Err(ReleaseError::FromFuture { date, at });
        }
        match self.valid_until {
            Some(valid_until) if valid_until <= at => Err(ReleaseError::Stale { valid_until, at }),
            _ => Ok(()),
        }
    }
}

/// The text of a field.
fn text<'a>(paragraph: &Paragraph<'a>, name: &str) -> Result<Option<&'a str>, ReleaseError> {
    let value = paragraph.field(name).map(|field| str::from_utf8(field.value()));
    value.transpose().map_err(|_| ReleaseError::NotText { field: name.to_owned() })
}

/// A clock that is a year behind what was signed, or forty years ahead of it, is broken: a battery was empty, or someone
/// wants certificates to be judged at another time.
fn is_absurd(at: Timestamp, signed: Timestamp) -> bool {
    let ahead = at.seconds().saturating_sub(signed.seconds());
    !(-YEAR..=40 * YEAR).contains(&ahead)
}

/// Where every signature fails for its dates alone, and these are years from the clock, the clock is what to look at.
fn judge_clock(error: VerifyError, expected: &Expected<'_>) -> ReleaseError {
    if let VerifyError::NoneValid { faults, .. } = &error {
        let timely = faults.iter().filter(|fault| fault.reason.is_about_time());
        let absurd = timely.filter_map(|fault| fault.made).find(|made| is_absurd(expected.at, *made));
        if let Some(signed) = absurd.filter(|_| !expected.pinned) {
            return ReleaseError::Clock { at: expected.at, signed };
        }
    }
    error.into()
}

#[cfg(test)]
mod tests;
