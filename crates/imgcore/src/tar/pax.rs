//! Pax extended headers: `LENGTH KEYWORD=VALUE\n` records.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;

/// What the pax records before an entry say of it.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<i64>,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

const XATTR: &[u8] = b"SCHILY.xattr.";
/// What names may be written in: both mean the bytes as they are.
const CHARSETS: [&[u8]; 2] = [b"BINARY", b"ISO-IR 10646 2000 UTF-8"];

impl Pax {
    /// Reads the records that hold for the next entry.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut pax = Self::default();
        let mut seen = BTreeSet::new();
        for record in Records(bytes) {
            let (key, value) = record?;
            if !seen.insert(key) {
                return Err(Fault::Pax("a keyword twice"));
            }
            if !key.starts_with(XATTR) && value.contains(&0) {
                return Err(Fault::Pax("a NUL in a value"));
            }
            match key {
                b"path" => pax.path = Some(not_empty(value)?),
                b"linkpath" => pax.link = Some(not_empty(value)?),
                b"size" => pax.size = Some(decimal("size", value)?),
                b"uid" => pax.uid = Some(id("uid", value)?),
                b"gid" => pax.gid = Some(id("gid", value)?),
                b"mtime" => pax.mtime = Some(seconds("mtime", value)?),
                // A sparse file's content is not what follows its header.
                b"SCHILY.realsize" | b"SUN.holesdata" => return Err(Fault::PaxKey(key.to_vec())),
                _ if key.starts_with(b"GNU.sparse.") => return Err(Fault::PaxKey(key.to_vec())),
                b"hdrcharset" if !CHARSETS.contains(&value) => return Err(Fault::PaxKey(key.to_vec())),
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR) {
                        pax.xattrs.insert(not_empty(name)?, value.to_vec());
                    }
                }
            }
        }
        Ok(pax)
    }

    /// Looks at the records that hold for all that follows. Only what changes nothing is let through, such as the
    /// commit that `git archive` notes as a comment.
    pub(super) fn check_global(bytes: &[u8]) -> Result<(), Fault> {
        for record in Records(bytes) {
            let (key, _) = record?;
            if key != b"comment" {
                return Err(Fault::PaxKey(key.to_vec()));
            }
        }
        Ok(())
    }
}

/// Cuts the records apart.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = self.cut();
        if record.is_err() {
            self.0 = b"";
        }
        Some(record)
    }
}

impl<'a> Records<'a> {
    fn cut(&mut self) -> Result<(&'a [u8], &'a [u8]), Fault> {
        let space = self.0.iter().position(|b| *b == b' ').ok_or(Fault::Pax("no length"))?;
        let digits = self.0.get(..space).unwrap_or_default();
        let length = decimal("pax record length", digits)?;
        let length = usize::try_from(length).map_err(|_| Fault::Pax("the length is past the end"))?;
        let (record, rest) = self.0.split_at_checked(length).ok_or(Fault::Pax("the length is past the end"))?;
        let body = record.get(space + 1..).ok_or(Fault::Pax("the length is too short"))?;
        let body = body.strip_suffix(b"\n").ok_or(Fault::Pax("no line break at the end"))?;
        let equals = body.iter().position(|b| *b == b'=').ok_or(Fault::Pax("no equals sign"))?;
        let (key, value) = body.split_at(equals);
        if key.is_empty() || key.contains(&0) {
            return Err(Fault::Pax("bad keyword"));
        }
        self.0 = rest;
        Ok((key, value.get(1..).unwrap_or_default()))
    }
}

fn not_empty(value: &[u8]) -> Result<Vec<u8>, Fault> {
    if value.is_empty() { Err(Fault::Pax("an empty value")) } else { Ok(value.to_vec()) }
}

fn decimal(field: &'static str, value: &[u8]) -> Result<u64, Fault> {
    let bad = || Fault::Number { field, value: value.to_vec() };
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(bad());
    }
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or_else(bad)
}

fn id(field: &'static str, value: &[u8]) -> Result<u32, Fault> {
    let bad = || Fault::Number { field, value: value.to_vec() };
    let id = u32::try_from(decimal(field, value)?).map_err(|_| bad())?;
    if id == u32::MAX { Err(bad()) } else { Ok(id) }
}

/// Seconds with an optional sign and fraction, rounded down to whole ones.
fn seconds(field: &'static str, value: &[u8]) -> Result<i64, Fault> {
    let bad = || Fault::Number { field, value: value.to_vec() };
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut halves = digits.splitn(2, |b| *b == b'.');
    let whole = i64::try_from(decimal(field, halves.next().unwrap_or_default())?).map_err(|_| bad())?;
    let fraction = halves.next().unwrap_or(b"0");
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return Err(bad());
    }
    let has_fraction = fraction.iter().any(|b| *b != b'0');
    Ok(if negative { -whole - i64::from(has_fraction) } else { whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let pax = Pax::parse(b"14 path=a/b/c\n19 mtime=-1.500000\n21 SCHILY.xattr.a=\0\n\n").unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"a/b/c"[..]));
        assert_eq!(pax.mtime, Some(-2));
        assert_eq!(pax.xattrs.get(&b"a"[..]).unwrap(), b"\0\n");
    }

    #[test]
    fn malformed_records_are_refused() {
        for bad in [
            &b"14 path=a/b/c"[..],
            b"0 path=a/b/c\n",
            b"99 path=a/b/c\n",
            b"3 a\n",
            b"4 =\n\n",
            b"+8 a=b\n\n",
            b"11 path=a\0b\n",
            b"8 path=\n",
            b"10 size=-1\n",
            b"18 uid=4294967295\n",
            b"9 path=a\n9 path=b\n",
            b"26 GNU.sparse.size=1000000\n",
        ] {
            assert!(Pax::parse(bad).is_err(), "{}", crate::Escaped(bad));
        }
    }
}
