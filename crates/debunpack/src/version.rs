//! Version numbers of packages, in dpkg's order.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use distil_imgcore::Escaped;

/// A version as [deb-version(7)] has it: `[EPOCH:]UPSTREAM[-REVISION]`.
///
/// It is compared exactly as dpkg compares, where `~` sorts before the end, letters before other characters, and digits
/// by their value. So `1.0`, `1.00`, `0:1.0` and `1.0-0` are equal; each still shows as it was written.
///
/// ```
/// use distil_debunpack::Version;
/// let fixed: Version = "1:2.36-9+deb12u4".parse()?;
/// assert!("1:2.36-9~bpo1".parse::<Version>()? < fixed);
/// assert_eq!((fixed.epoch(), fixed.upstream(), fixed.revision()), (1, "2.36", Some("9+deb12u4")));
/// # Ok::<(), distil_debunpack::VersionError>(())
/// ```
///
/// [deb-version(7)]: https://manpages.debian.org/bookworm/dpkg-dev/deb-version.7.en.html
#[derive(Debug, Clone)]
pub struct Version {
    text: Box<str>,
    epoch: u32,
    /// Length of the epoch with its colon.
    upstream: usize,
    /// Where the hyphen before the revision stands; the end of the text where there is none.
    hyphen: usize,
}

/// Why text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a version: {kind}", Escaped(.text.as_bytes()))]
pub struct VersionError {
    /// The text, at most its first 128 characters.
    pub text: String,
    /// What is wrong with it.
    pub kind: VersionErrorKind,
}

/// What is wrong with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionErrorKind {
    /// No text.
    #[error("it is empty")]
    Empty,
    /// What stands before the first colon is no number, or one over 2147483647.
    #[error("its epoch is not a number up to {}", i32::MAX)]
    Epoch,
    /// The upstream part is empty or does not start with a digit.
    #[error("its upstream part does not start with a digit")]
    Start,
    /// The upstream part holds something else than `A-Za-z0-9.+-~`, or a colon after an epoch.
    #[error("its upstream part has a character that is not allowed")]
    Upstream,
    /// The revision, which follows the last hyphen, is empty or holds something else than `A-Za-z0-9.+~`.
    #[error("its revision is empty or has a character that is not allowed")]
    Revision,
}

impl Version {
    /// The version as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The epoch; 0 where none is written.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What stands between the epoch and the revision.
    #[must_use]
    pub fn upstream(&self) -> &str {
        self.text.get(self.upstream..self.hyphen).unwrap_or_default()
    }

    /// What stands behind the last hyphen; `None` for a native package.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.text.get(self.hyphen..)?.strip_prefix('-')
    }

    /// The version without its epoch, as file names have it.
    #[must_use]
    pub fn without_epoch(&self) -> &str {
        self.text.get(self.upstream..).unwrap_or_default()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = |kind| VersionError { text: text.chars().take(128).collect(), kind };
        if text.is_empty() {
            return Err(error(VersionErrorKind::Empty));
        }
        let (epoch, rest) = match text.split_once(':') {
            None => (0, text),
            Some((digits, rest)) => {
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                let number = digits.parse().ok().filter(|n| plain && i32::try_from(*n).is_ok());
                (number.ok_or_else(|| error(VersionErrorKind::Epoch))?, rest)
            }
        };
        let upstream = text.len() - rest.len();
        let (upstream_text, revision) = rest.rsplit_once('-').map_or((rest, None), |(u, r)| (u, Some(r)));
        if !upstream_text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error(VersionErrorKind::Start));
        }
        let common = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'~');
        // A colon here can only follow an epoch, since the first one ends the epoch.
        if !upstream_text.bytes().all(|b| common(b) || matches!(b, b'-' | b':')) {
            return Err(error(VersionErrorKind::Upstream));
        }
        if revision.is_some_and(|r| r.is_empty() || !r.bytes().all(common)) {
            return Err(error(VersionErrorKind::Revision));
        }
        Ok(Self { text: text.into(), epoch, upstream, hyphen: upstream + upstream_text.len() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_parts(self.upstream(), other.upstream()))
            .then_with(|| compare_parts(self.revision().unwrap_or("0"), other.revision().unwrap_or("0")))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Equal versions have equal hashes, however they are written.
impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
        for part in [self.upstream(), self.revision().unwrap_or("0")] {
            for piece in Pieces(part.as_bytes()) {
                piece.text.hash(state);
                piece.digits.hash(state);
            }
        }
    }
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Pieces(a.as_bytes()), Pieces(b.as_bytes()));
    loop {
        // Where one part has ended the other goes on against nothing, which is more than a tilde.
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => a.unwrap_or_default().cmp(&b.unwrap_or_default()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Splits a part of a version into pieces: characters that are no digits, and the number behind them.
struct Pieces<'a>(&'a [u8]);

#[derive(Default, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a [u8],
    /// Without leading zeros: empty for 0, and where no digits are.
    digits: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let (text, rest) = split_where(self.0, u8::is_ascii_digit);
        let (digits, rest) = split_where(rest, |b| !b.is_ascii_digit());
        self.0 = rest;
        let (_, digits) = split_where(digits, |b| *b != b'0');
        Some(Piece { text, digits })
    }
}

fn split_where(bytes: &[u8], stop: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(stop).unwrap_or(bytes.len()))
}

impl Ord for Piece<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The end of the text weighs as much as a digit, less than every character but the tilde.
        let weigh = |text: &[u8], at: usize| text.get(at).map_or(0, |b| weight(*b));
        let longest = self.text.len().max(other.text.len());
        (0..longest)
            .map(|at| weigh(self.text, at).cmp(&weigh(other.text, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
            .then_with(|| self.digits.len().cmp(&other.digits.len()))
            .then_with(|| self.digits.cmp(other.digits))
    }
}

impl PartialOrd for Piece<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn weight(byte: u8) -> i16 {
    match byte {
        b'~' => -1,
        b if b.is_ascii_alphabetic() => i16::from(b),
        b => i16::from(b) + 256,
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn hash(version: &Version) -> u64 {
        let mut hasher = DefaultHasher::new();
        version.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn order_is_dpkgs() {
        // Each line ascends.
        for line in [
            "1.0~~ 1.0~~a 1.0~ 1.0 1.0a 1.0+b1 1.0.1 1.1 1.10 10 1:0.1 2:0",
            "0~ 0 0a 0aa0a 0b 0+ 0. 00001",
            "1-0~ 1-0 1-0.1~bpo1+1 1-0.1 1-0.1+b1 1-1 1-1+deb12u1 1-1.1 1-2 1-10 1-a",
            "1.2-1 1.2-1-1 1.2.3-1 1.2.3-1.1",
            "5.2.15-2+b13 5.2.15-2+b14 5.2.15-3 5.2.21-1 5.3~rc1-2 5.3-1",
            "1.18446744073709551615 1.18446744073709551616 1.99999999999999999999999999999",
            "0.0A 0.0B 0.0Z 0.0a 0.0z",
            "1:1 1:1:0 1:1:1 2147483647:1",
        ] {
            let versions: Vec<_> = line.split(' ').collect();
            for pair in versions.windows(2) {
                let (a, b) = (version(pair[0]), version(pair[1]));
                assert_eq!((a.cmp(&b), b.cmp(&a)), (Ordering::Less, Ordering::Greater), "{pair:?}");
            }
        }
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for group in ["1.0 1.00 0:1.0 1.0-0 00:1.000-00 1. 01.", "1~ 1~0 1~-0", "0 00 0:0-0", "1a 1a0 01a00"] {
            let versions: Vec<_> = group.split(' ').map(version).collect();
            for other in &versions {
                assert_eq!((&versions[0], hash(&versions[0])), (other, hash(other)));
            }
        }
        assert_eq!(version("0:1.00-0").to_string(), "0:1.00-0");
    }

    #[test]
    fn parts_are_told_apart() {
        let parts = |text| {
            let v = version(text);
            (v.epoch(), v.upstream().to_owned(), v.revision().map(ToOwned::to_owned), v.without_epoch().to_owned())
        };
        assert_eq!(parts("2:1-2-3"), (2, "1-2".into(), Some("3".into()), "1-2-3".into()));
        assert_eq!(parts("0:1:2~a+b"), (0, "1:2~a+b".into(), None, "1:2~a+b".into()));
        assert_eq!(parts("1"), (0, "1".into(), None, "1".into()));
    }

    #[test]
    fn bad_versions_say_what_is_wrong() {
        use VersionErrorKind::{Empty, Epoch, Revision, Start, Upstream};
        for (text, kind) in [
            ("", Empty),
            (":1", Epoch),
            ("a:1", Epoch),
            ("-1:1", Epoch),
            ("+1:1", Epoch),
            ("2147483648:1", Epoch),
            ("99999999999999999999:1", Epoch),
            ("1:", Start),
            ("a1", Start),
            ("-1", Start),
            (" 1", Start),
            ("1 ", Upstream),
            ("1/2", Upstream),
            ("1_2", Upstream),
            ("1\u{e9}", Upstream),
            ("1-", Revision),
            ("1-a:b", Epoch),
            ("0:1-a:b", Revision),
            ("1-a/b", Revision),
        ] {
            assert_eq!(text.parse::<Version>().map_err(|e| e.kind).err(), Some(kind), "{text:?}");
        }
    }

    /// dpkg's comparison, written down again from its description as a walk over two strings: a second opinion.
    fn reference(a: &str, b: &str) -> Ordering {
        let weigh = |byte: Option<&u8>| match byte {
            Some(b) if !b.is_ascii_digit() => weight(*b),
            _ => 0,
        };
        let (a, b, mut i, mut j) = (a.as_bytes(), b.as_bytes(), 0, 0);
        while i < a.len() || j < b.len() {
            while a.get(i).is_some_and(|b| !b.is_ascii_digit()) || b.get(j).is_some_and(|b| !b.is_ascii_digit()) {
                let order = weigh(a.get(i)).cmp(&weigh(b.get(j)));
                if order.is_ne() {
                    return order;
                }
                (i, j) = (i + 1, j + 1);
            }
            let number = |text: &[u8], at: &mut usize| {
                let mut value = 0_u128;
                while let Some(digit) = text.get(*at).filter(|b| b.is_ascii_digit()) {
                    value = value * 10 + u128::from(digit - b'0');
                    *at += 1;
                }
                value
            };
            let order = number(a, &mut i).cmp(&number(b, &mut j));
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in ".{0,20}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }

        #[test]
        fn the_order_is_total(a in "(0:|1:)?[01][01a.+~-]{0,4}(-[01a.~]{1,3})?", b in "(0:)?[01][01a.+~-]{0,4}(-[01a.~]{1,3})?", c in "[01][01a.+~]{0,4}(-[01])?") {
            if let (Ok(a), Ok(b), Ok(c)) = (a.parse::<Version>(), b.parse::<Version>(), c.parse::<Version>()) {
                prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                prop_assert_eq!(a.cmp(&a), Ordering::Equal);
                if a <= b && b <= c {
                    prop_assert!(a <= c);
                }
                if a == b {
                    prop_assert_eq!(hash(&a), hash(&b));
                    prop_assert_eq!(a.cmp(&c), b.cmp(&c));
                }
            }
        }

        #[test]
        fn two_ways_to_compare_agree(a in "[0-2][0-2ab.+~]{0,6}", b in "[0-2][0-2ab.+~]{0,6}") {
            prop_assert_eq!(version(&a).cmp(&version(&b)), reference(&a, &b));
        }
    }
}
