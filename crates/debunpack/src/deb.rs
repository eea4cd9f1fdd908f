//! The .deb as a whole: which members it has, in which order.

use std::io::{self, Read};
use std::num::NonZeroUsize;

use crate::ar::{ArError, ArReader, Member, MemberName};
use crate::control_archive::ControlArchive;
use crate::data::DataReader;
use crate::decompress::{Codec, Decoding};
use crate::error::{DebError, Place};
use crate::integrity::Integrity;

/// A Debian package, opened as far as its control archive: see [deb(5)].
///
/// The file is read once, from start to end, and never written anywhere. A package is refused wherever two of its
/// readers (dpkg, dpkg-deb, libapt) would see different content.
///
/// [deb(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
#[derive(Debug)]
pub struct Deb<R> {
    ar: ArReader<R>,
    control: ControlArchive,
    data: Member,
    codec: Codec,
    limits: Limits,
    threads: NonZeroUsize,
}

/// Bounds on what a package may hold. Reaching one is an error that names it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file of the control archive.
    pub control_file: u64,
    /// Bytes of the control archive in all, uncompressed.
    pub control_archive: u64,
    /// Bytes of the data archive, uncompressed.
    pub data_archive: u64,
    /// Entries of the data archive.
    pub data_entries: u64,
    /// Bytes that a compressed byte of the data archive may become, once it is past [`Limits::data_free`].
    pub data_ratio: u64,
    /// Bytes of the data archive to which the ratio does not apply.
    pub data_free: u64,
}

/// Above every package of Debian. The largest unpack to some 8 GiB, and hardly any are compressed to a hundredth;
/// xz could reach 1:7000, and bzip2 and zstd more.
impl Default for Limits {
    fn default() -> Self {
        Self {
            control_file: 16 << 20,
            control_archive: 32 << 20,
            data_archive: 16 << 30,
            data_entries: 1_000_000,
            data_ratio: 1000,
            data_free: 64 << 20,
        }
    }
}

const FORMAT: &str = "debian-binary";
const CONTROL: &str = "control.tar";
const DATA: &str = "data.tar";
/// The member `debian-binary` has four bytes; dpkg lets more lines follow.
const MAX_FORMAT: u64 = 4096;

impl<R: Read> Deb<R> {
    /// Reads a package up to its data archive.
    ///
    /// # Errors
    /// [`DebError`] for everything that is not in order up to there.
    pub fn open(reader: R, limits: Limits) -> Result<Self, DebError> {
        let mut ar = ArReader::new(reader).map_err(|e| match e {
            ArError::Magic { start } if start.starts_with(b"0.93") => DebError::OldFormat,
            other => other.into(),
        })?;
        let format = ar.next_member()?.ok_or(DebError::MissingMember { expected: FORMAT })?;
        if format.name.as_str() != FORMAT {
            return Err(out_of_order(FORMAT, format));
        }
        check_format(&mut ar, &format.name)?;

        let (member, codec) = expect_archive(&mut ar, CONTROL)?;
        if matches!(codec, Codec::Bzip2 | Codec::Lzma) {
            return Err(DebError::Compression { member: member.name, offset: member.offset });
        }
        let control = ControlArchive::read(&mut ar, &member.name, codec, &limits)?;

        let (data, codec) = expect_archive(&mut ar, DATA)?;
        Ok(Self { ar, control, data, codec, limits, threads: NonZeroUsize::MIN })
    }

    /// What the package says of itself.
    #[must_use]
    pub fn control_archive(&self) -> &ControlArchive {
        &self.control
    }

    /// The same package, whose files may be decoded on several threads. That takes some 42 MiB of memory for each, and is
    /// done where dpkg-deb cut the archive into blocks, which it does from 24 MiB on. What is read stays the same.
    #[must_use]
    pub fn with_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Goes on to the files of the package.
    ///
    /// # Errors
    /// Where no memory is left for the decoder, or the archive cannot be read.
    pub fn into_data(self, integrity: Integrity) -> Result<DataReader<R>, DebError> {
        let content = LastMember { ar: self.ar, ended: false };
        let decoding = Decoding { integrity, threads: self.threads, size: Some(self.data.size) };
        DataReader::new(content, self.data.name, self.codec, &self.limits, self.control, decoding)
    }
}

/// The content of the data member. Its end is reported only after the rest of the file was seen to be in order, so that
/// whoever reads to the end has checked the whole file.
#[derive(Debug)]
pub(crate) struct LastMember<R> {
    ar: ArReader<R>,
    ended: bool,
}

impl<R: Read> LastMember<R> {
    /// Members behind the data archive are ignored, as by dpkg, signatures (`_gpgorigin`) among them. But libapt would
    /// take a second control or data archive for the first.
    fn check_rest(&mut self) -> Result<(), DebError> {
        while let Some(Member { name, offset, .. }) = self.ar.next_member()? {
            let text = name.as_str();
            if text == FORMAT || text.starts_with(CONTROL) || text.starts_with(DATA) {
                return Err(DebError::RepeatedMember { member: name, offset });
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for LastMember<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ended || buf.is_empty() {
            return Ok(0);
        }
        let length = self.ar.read(buf)?;
        if length == 0 {
            self.check_rest().map_err(io::Error::other)?;
            self.ended = true;
        }
        Ok(length)
    }
}

/// The first line is the version of the format. A higher minor version changes nothing for us, and more lines are for
/// later versions.
fn check_format<R: Read>(ar: &mut ArReader<R>, member: &MemberName) -> Result<(), DebError> {
    let mut content = Vec::new();
    let read = ar.by_ref().take(MAX_FORMAT).read_to_end(&mut content);
    read.map_err(|e| Place { member, entry: None, offset: 0 }.explain(e))?;
    let known = || {
        let line = content.split_inclusive(|b| *b == b'\n').next()?.strip_suffix(b"\n")?;
        let minor = line.strip_prefix(b"2.")?;
        (!minor.is_empty() && minor.iter().all(u8::is_ascii_digit)).then_some(())
    };
    known().ok_or_else(|| DebError::Format { start: content.iter().take(64).copied().collect() })
}

/// The next member but those that start with `_`, which are no part of the package. It must be the archive `expected`.
fn expect_archive<R: Read>(ar: &mut ArReader<R>, expected: &'static str) -> Result<(Member, Codec), DebError> {
    let member = loop {
        let next = ar.next_member()?.ok_or(DebError::MissingMember { expected })?;
        if !next.name.as_str().starts_with('_') {
            break next;
        }
    };
    let Some(suffix) = member.name.as_str().strip_prefix(expected) else {
        return Err(out_of_order(expected, member));
    };
    match Codec::from_suffix(suffix) {
        Some(codec) => Ok((member, codec)),
        None => Err(DebError::Compression { member: member.name, offset: member.offset }),
    }
}

fn out_of_order(expected: &'static str, found: Member) -> DebError {
    DebError::MemberOrder { expected, found: found.name, offset: found.offset }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testdeb::{CONTROL as CONTROL_FILE, Kind, ar, tar};

    /// Reads a package to its end.
    fn read(bytes: &[u8]) -> Result<(), DebError> {
        Deb::open(bytes, Limits::default())?.into_data(Integrity::Unverified)?.finish().map(|_| ())
    }

    /// A sound package, its members changed by `change`.
    fn with(change: impl FnOnce(&mut Vec<(&'static str, Vec<u8>)>)) -> Result<(), DebError> {
        let mut members = vec![
            (FORMAT, b"2.0\n".to_vec()),
            (CONTROL, tar(&[("./control", Kind::File(CONTROL_FILE))])),
            (DATA, tar(&[("./", Kind::Directory), ("./a", Kind::File(b"a"))])),
        ];
        change(&mut members);
        let members: Vec<_> = members.iter().map(|(name, content)| (*name, content.as_slice())).collect();
        read(&ar(&members))
    }

    fn named(member: &'static str) -> (&'static str, Vec<u8>) {
        (member, b"x".to_vec())
    }

    #[test]
    fn members_that_are_no_part_of_the_package_are_skipped() {
        assert!(with(|_| {}).is_ok());
        assert!(with(|m| m.insert(1, named("_before"))).is_ok());
        assert!(with(|m| m.insert(2, named("_between"))).is_ok());
        assert!(with(|m| m.extend([named("_gpgorigin"), named("unknown")])).is_ok());
    }

    #[test]
    fn members_are_there_once_and_in_order() {
        let order = |result| match result {
            Err(DebError::MemberOrder { expected, found, .. }) => (expected, found.to_string()),
            other => panic!("{other:?}"),
        };
        assert_eq!(order(with(|m| m.swap(1, 2))), (CONTROL, DATA.into()));
        assert_eq!(order(with(|m| m.insert(2, named("unknown")))), (DATA, "unknown".into()));
        assert_eq!(order(with(|m| m.insert(2, named("control.tar.xz")))), (DATA, "control.tar.xz".into()));
        assert_eq!(order(with(|m| m.insert(0, named("_first")))), (FORMAT, "_first".into()));
        for (kept, expected) in [(0, FORMAT), (1, CONTROL), (2, DATA)] {
            let found = with(|m| m.truncate(kept));
            assert!(matches!(found, Err(DebError::MissingMember { expected: e }) if e == expected), "{found:?}");
        }
        for again in ["data.tar.gz", "data.tar", "control.tar.xz", "control.tarball", FORMAT] {
            let found = with(|m| m.push(named(again)));
            assert!(matches!(found, Err(DebError::RepeatedMember { .. })), "{again}: {found:?}");
        }
    }

    #[test]
    fn the_compression_follows_from_the_name() {
        for name in ["data.tar.br", "data.targz", "data.tar.gz.gz"] {
            let found = with(|m| m[2].0 = name);
            assert!(matches!(found, Err(DebError::Compression { .. })), "{name}: {found:?}");
        }
        for name in ["control.tar.bz2", "control.tar.lzma"] {
            let found = with(|m| m[1].0 = name);
            assert!(matches!(found, Err(DebError::Compression { .. })), "{name}: {found:?}");
        }
        let found = with(|m| m[2].0 = "data.tar.xz");
        assert!(matches!(found, Err(DebError::Decode { .. })), "{found:?}");
    }

    #[test]
    fn the_format_is_2() {
        for good in ["2.0\n", "2.999\nmore\n", "2.1\n\n"] {
            assert!(with(|m| m[0].1 = good.into()).is_ok(), "{good:?}");
        }
        for bad in ["", "2.0", "3.0\n", "2\n", "2.\n", "2.x\n", " 2.0\n", "20.0\n", "2.0\r\n"] {
            let found = with(|m| m[0].1 = bad.into());
            assert!(matches!(found, Err(DebError::Format { .. })), "{bad:?}: {found:?}");
        }
        assert!(matches!(read(b"0.939000\n1\n"), Err(DebError::OldFormat)));
        assert!(matches!(read(b""), Err(DebError::Ar(ArError::Magic { .. }))));
    }

    #[test]
    fn the_end_of_the_file_is_seen_before_the_end_of_the_entries() {
        let bytes = crate::testdeb::deb(&[("control", Kind::File(CONTROL_FILE))], &[("a", Kind::File(b""))]);
        for (tail, truncated) in [(&b"\n"[..], true), (&[b'x'; 60], false)] {
            let found = read(&[bytes.as_slice(), tail].concat());
            match found {
                Err(DebError::Ar(ArError::Truncated { .. })) => assert!(truncated),
                Err(DebError::Ar(ArError::Header { .. })) => assert!(!truncated),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_the_reader_says_at_the_end_of_the_file_comes_before_the_end_of_the_entries() {
        struct Changed;
        impl Read for Changed {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::InvalidData))
            }
        }
        let whole = include_bytes!("../testdata/hello.deb");
        for buffer in [1, 100, 1 << 20] {
            let reader = io::BufReader::with_capacity(buffer, whole.chain(Changed));
            let mut data = Deb::open(reader, Limits::default()).unwrap().into_data(Integrity::Verified).unwrap();
            let end = loop {
                match data.next_entry() {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            assert!(matches!(end, Err(DebError::Io { .. } | DebError::Ar(ArError::Io { .. }))), "{buffer}: {end:?}");
            assert!(data.finish().is_err());
        }
    }

    #[test]
    fn a_package_cut_anywhere_is_an_error() {
        let whole = include_bytes!("../testdata/hello.deb");
        read(whole).unwrap();
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_err(), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_ends_in_an_answer(at in 0..936_usize, byte in any::<u8>()) {
            let mut bytes = include_bytes!("../testdata/hello.deb").to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
