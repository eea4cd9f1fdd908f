//! The 512 bytes before each entry.

use super::{BLOCK, Fault};

/// A header with its checksum checked and its fields cut out; numbers are read when asked for.
pub(super) struct Header {
    bytes: Box<[u8; BLOCK]>,
    pub(super) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Without magic, as Unix V7 wrote it.
    V7,
    /// POSIX, with a prefix field.
    Ustar,
    /// GNU tar's, which uses the bytes of the prefix field for times.
    Gnu,
}

/// Offset and length of a field.
type Field = (&'static str, usize, usize);

const NAME: Field = ("name", 0, 100);
const MODE: Field = ("mode", 100, 8);
const UID: Field = ("uid", 108, 8);
const GID: Field = ("gid", 116, 8);
const SIZE: Field = ("size", 124, 12);
const MTIME: Field = ("mtime", 136, 12);
const CHECKSUM: Field = ("checksum", 148, 8);
const TYPE: usize = 156;
const LINK: Field = ("linkname", 157, 100);
const MAGIC: Field = ("magic", 257, 8);
const MAJOR: Field = ("devmajor", 329, 8);
const MINOR: Field = ("devminor", 337, 8);
const PREFIX: Field = ("prefix", 345, 155);
/// GNU tar's, in the place of the prefix.
const ATIME: Field = ("atime", 345, 12);
const CTIME: Field = ("ctime", 357, 12);
const AFTER_TIMES: Field = ("prefix", 369, 131);

impl Header {
    pub(super) fn parse(bytes: Box<[u8; BLOCK]>) -> Result<Self, Fault> {
        let mut header = Self { bytes, format: Format::V7 };
        // The field itself counts as spaces. Only the unsigned sum is taken: the signed one of some old tars differs
        // just for names outside ASCII, and a header that is right by both readings is what is wanted.
        let total = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
        let sum = total(header.bytes.as_slice()) - total(header.field(CHECKSUM)) + total(&[b' '; CHECKSUM.2]);
        if header.number(CHECKSUM).map_err(|_| Fault::Checksum)? != i128::from(sum) {
            return Err(Fault::Checksum);
        }
        header.format = match header.field(MAGIC) {
            // Every reader passes over the version, which old writers left blank.
            b"ustar\x0000" | b"ustar\0\0\0" | b"ustar\0  " => Format::Ustar,
            b"ustar  \0" => Format::Gnu,
            [0, 0, 0, 0, 0, 0, 0, 0] => Format::V7,
            other => return Err(Fault::Magic(other.to_vec())),
        };
        Ok(header)
    }

    pub(super) fn type_flag(&self) -> u8 {
        self.bytes.get(TYPE).copied().unwrap_or(0)
    }

    /// The name, with ustar's prefix before it.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = until_nul(self.field(NAME));
        let prefix = if self.format == Format::Ustar { until_nul(self.field(PREFIX)) } else { b"" };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    /// Only ustar has a prefix before the name, but Python's reader takes it from every header. Where others keep something
    /// in its place it is times, which GNU tar and Go's writer put there.
    pub(super) fn check_prefix(&self) -> Result<(), Fault> {
        let stray = match self.format {
            Format::Ustar => return Ok(()),
            Format::V7 => PREFIX,
            Format::Gnu => {
                self.number(ATIME)?;
                self.number(CTIME)?;
                AFTER_TIMES
            }
        };
        if self.field(stray).iter().all(|b| *b == 0) { Ok(()) } else { Err(self.bad(PREFIX)) }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        until_nul(self.field(LINK)).to_vec()
    }

    pub(super) fn size(&self) -> Result<u64, Fault> {
        self.number(SIZE).and_then(|n| fit(SIZE, self, u64::try_from(n)))
    }

    /// Permission bits. Some writers put the file type above them, which the type flag says better.
    pub(super) fn mode(&self) -> Result<u32, Fault> {
        let mode = self.number(MODE).and_then(|n| fit(MODE, self, u32::try_from(n)))?;
        if mode > 0o177_777 { Err(self.bad(MODE)) } else { Ok(mode & 0o7777) }
    }

    pub(super) fn uid(&self) -> Result<u32, Fault> {
        self.id(UID)
    }

    pub(super) fn gid(&self) -> Result<u32, Fault> {
        self.id(GID)
    }

    /// An owner. The largest number is refused too: chown(2) reads it as "leave as it is".
    fn id(&self, field: Field) -> Result<u32, Fault> {
        let id = self.number(field).and_then(|n| fit(field, self, u32::try_from(n)))?;
        if id == u32::MAX { Err(self.bad(field)) } else { Ok(id) }
    }

    pub(super) fn mtime(&self) -> Result<i64, Fault> {
        self.number(MTIME).and_then(|n| fit(MTIME, self, i64::try_from(n)))
    }

    pub(super) fn device(&self) -> Result<(u32, u32), Fault> {
        let major = self.number(MAJOR).and_then(|n| fit(MAJOR, self, u32::try_from(n)))?;
        let minor = self.number(MINOR).and_then(|n| fit(MINOR, self, u32::try_from(n)))?;
        Ok((major, minor))
    }

    fn field(&self, (_, start, len): Field) -> &[u8] {
        self.bytes.get(start..start + len).unwrap_or_default()
    }

    fn bad(&self, field: Field) -> Fault {
        Fault::Number { field: field.0, value: self.field(field).to_vec() }
    }

    /// Octal digits between spaces or NULs, or base-256 in two's complement where the first byte is 0x80 or 0xff. An
    /// empty field is 0.
    fn number(&self, field: Field) -> Result<i128, Fault> {
        let bytes = self.field(field);
        match bytes {
            [0x80, rest @ ..] => Ok(rest.iter().fold(0, |n, b| (n << 8) | i128::from(*b))),
            [0xff, rest @ ..] => Ok(rest.iter().fold(-1, |n, b| (n << 8) | i128::from(*b))),
            _ => {
                let padding = |b: &u8| *b == b' ' || *b == 0;
                let text = bytes.trim_ascii_start();
                let digits = text.split(padding).next().unwrap_or_default();
                let rest = text.get(digits.len()..).unwrap_or_default();
                if !rest.iter().all(padding) || !digits.iter().all(|b| (b'0'..=b'7').contains(b)) {
                    return Err(self.bad(field));
                }
                Ok(digits.iter().fold(0, |n, b| n * 8 + i128::from(*b - b'0')))
            }
        }
    }
}

fn fit<T, E>(field: Field, header: &Header, value: Result<T, E>) -> Result<T, Fault> {
    value.map_err(|_| header.bad(field))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}
