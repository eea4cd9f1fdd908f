//! The reader.

use std::io::{self, Read};

use super::header::{Format, Header};
use super::pax::Pax;
use super::table::{Table, check_whiteout};
use super::{BLOCK, Fault, TarError};
use crate::entry::{Entry, EntryKind, Metadata};
use crate::path::{ImagePath, MAX_PATH};

/// Which archives are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The data or control archive of a Debian package, in the subset that dpkg unpacks ([deb(5)]): no pax headers, no
    /// devices, no absolute names.
    ///
    /// [deb(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
    Debian,
    /// A layer that somebody else made. Devices, leading slashes, and hard links into lower layers are let through.
    Foreign,
    /// A tar that a user adds to an image as a layer.
    Own,
}

/// Bounds on what one archive may hold. Reaching one is an error, never an early end.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of content of all entries together.
    pub content: u64,
}

impl Default for Limits {
    /// A million entries and 64 GiB: above every real image, and bounded.
    fn default() -> Self {
        Self { entries: 1_000_000, content: 64 << 30 }
    }
}

/// Zeros allowed after the two blocks that end an archive. Writers fill up to 10 KiB, some to 1 MiB.
const MAX_PADDING: u64 = 1 << 20;
/// Bytes of pax records allowed for one entry; extended attributes are at most 64 KiB each.
const MAX_PAX: u64 = 1 << 20;
/// Bytes of a symbolic link's target, as Linux allows them.
const MAX_TARGET: usize = MAX_PATH;

/// Reads an archive as a stream: an entry, then its content through [`Read`], then the next entry.
#[derive(Debug)]
pub struct TarReader<R> {
    inner: R,
    dialect: Dialect,
    limits: Limits,
    table: Table,
    entries: u64,
    content: u64,
    /// Bytes read of the archive.
    position: u64,
    /// Bytes of content of the current entry that were not read.
    left: u64,
    /// Zeros between the content and the next header.
    padding: u64,
    /// Offset and name of the current entry, for messages.
    at: u64,
    name: Option<Vec<u8>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The end of the archive was seen, and nothing behind it.
    Ended,
    /// What follows is of no meaning.
    Failed,
}

/// Extension headers that wait for their entry.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Pax>,
}

impl<R: Read> TarReader<R> {
    /// Reads from `inner`, which must end where the archive ends.
    pub fn new(inner: R, dialect: Dialect, limits: Limits) -> Self {
        Self {
            inner,
            dialect,
            limits,
            table: Table::default(),
            entries: 0,
            content: 0,
            position: 0,
            left: 0,
            padding: 0,
            at: 0,
            name: None,
            state: State::Open,
        }
    }

    /// The next entry; what is left of the content of the one before is skipped. `None` comes only when the end of the
    /// archive and of the stream were seen, with nothing but zeros between them.
    ///
    /// # Errors
    /// [`TarError`] for everything that two readers could understand differently. After an error every call fails.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        match self.state {
            State::Open => {}
            State::Ended => return Ok(None),
            State::Failed => return Err(self.error(Fault::AfterError)),
        }
        let entry = self.advance();
        self.state = match &entry {
            Ok(Some(_)) => State::Open,
            Ok(None) => State::Ended,
            Err(_) => State::Failed,
        };
        entry.map_err(|fault| self.error(fault))
    }

    /// Bytes of content of the current entry that were not read yet.
    pub fn content_left(&self) -> u64 {
        self.left
    }

    /// Offset in the archive of the next byte that will be read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The stream below.
    pub fn into_inner(self) -> R {
        self.inner
    }

    fn error(&self, fault: Fault) -> TarError {
        TarError { offset: self.at, name: self.name.clone(), fault }
    }

    fn advance(&mut self) -> Result<Option<Entry>, Fault> {
        self.skip_content()?;
        self.skip_padding()?;
        self.name = None;
        let mut pending = Pending::default();
        loop {
            self.at = self.position;
            let Some(header) = self.read_header()? else {
                if pending.name.is_some() || pending.link.is_some() || pending.pax.is_some() {
                    return Err(Fault::Dangling);
                }
                return Ok(None);
            };
            match header.type_flag() {
                b'L' => set_once(&mut pending.name, self.read_long(&header)?, "a long name")?,
                b'K' => set_once(&mut pending.link, self.read_long(&header)?, "a long link target")?,
                flag @ (b'x' | b'g') if self.dialect == Dialect::Debian => return Err(Fault::Type(flag)),
                b'x' => {
                    let records = self.read_extension(&header, MAX_PAX)?;
                    set_once(&mut pending.pax, Pax::parse(&records)?, "a pax header")?;
                }
                b'g' => Pax::check_global(&self.read_extension(&header, MAX_PAX)?)?,
                _ => return self.entry(&header, pending).map(Some),
            }
        }
    }

    fn entry(&mut self, header: &Header, pending: Pending) -> Result<Entry, Fault> {
        let pax = pending.pax.unwrap_or_default();
        let name = choose(header.name(), pending.name, pax.path, "a name")?;
        let link = choose(header.link(), pending.link, pax.link, "a link target")?;
        self.name = Some(name.clone());
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Fault::TooManyEntries(self.limits.entries));
        }
        let size = entry_size(header, pax.size)?;
        let entry = Entry {
            path: self.path(&name).map_err(Fault::Path)?,
            kind: self.kind(header, &name, link, size)?,
            meta: Metadata {
                mode: header.mode()?,
                uid: pax.uid.map_or_else(|| header.uid(), Ok)?,
                gid: pax.gid.map_or_else(|| header.gid(), Ok)?,
                mtime: pax.mtime.map_or_else(|| header.mtime(), Ok)?,
                xattrs: pax.xattrs,
            },
        };
        // Behind the type, since GNU tar keeps the map of a sparse file there.
        header.check_prefix()?;
        if size > 0 && entry.kind.size() == 0 {
            return Err(Fault::SizeOn { kind: entry.kind.noun(), size });
        }
        if entry.path.is_root() && !entry.kind.is_dir() {
            return Err(Fault::Duplicate);
        }
        if self.dialect != Dialect::Foreign && entry.path.as_bytes().contains(&b'\n') {
            return Err(Fault::LineBreak);
        }
        if (name.ends_with(b"/") || name.ends_with(b"/.")) && !entry.kind.is_dir() {
            return Err(Fault::DirectoryName(entry.kind.noun()));
        }
        if self.dialect != Dialect::Debian {
            check_whiteout(&entry)?;
        }
        self.table.add(&entry, self.dialect)?;
        self.content = self.content.saturating_add(size);
        if self.content > self.limits.content {
            return Err(Fault::TooMuchContent(self.limits.content));
        }
        self.left = size;
        self.padding = padding(size);
        Ok(entry)
    }

    fn path(&self, name: &[u8]) -> Result<ImagePath, crate::PathError> {
        match self.dialect {
            Dialect::Foreign => ImagePath::from_foreign(name),
            Dialect::Debian | Dialect::Own => ImagePath::from_archive(name),
        }
    }

    fn kind(&self, header: &Header, name: &[u8], link: Vec<u8>, size: u64) -> Result<EntryKind, Fault> {
        let flag = header.type_flag();
        let foreign = self.dialect == Dialect::Foreign;
        Ok(match flag {
            // V7 had no type for directories; every reader still takes a slash at the end for one, but only some do where
            // the type says that it is a file.
            0 if name.ends_with(b"/") => EntryKind::Directory,
            b'0' | 0 => EntryKind::File { size },
            b'1' => EntryKind::Hardlink { target: self.path(&link).map_err(Fault::LinkPath)? },
            b'2' if link.is_empty() || link.len() > MAX_TARGET => return Err(Fault::Target(link)),
            b'2' => EntryKind::Symlink { target: link },
            b'3' if foreign => {
                let (major, minor) = header.device()?;
                EntryKind::CharDevice { major, minor }
            }
            b'4' if foreign => {
                let (major, minor) = header.device()?;
                EntryKind::BlockDevice { major, minor }
            }
            b'5' => EntryKind::Directory,
            b'6' if foreign => EntryKind::Fifo,
            _ => return Err(Fault::Type(flag)),
        })
    }

    /// The next header, or `None` at the end of the archive.
    fn read_header(&mut self) -> Result<Option<Header>, Fault> {
        let mut block = [0; BLOCK];
        match self.fill(&mut block)? {
            0 => return Err(Fault::NoEnd),
            BLOCK => {}
            _ => return Err(Fault::TruncatedHeader),
        }
        if block.iter().any(|b| *b != 0) {
            return Header::parse(Box::new(block)).map(Some);
        }
        match self.fill(&mut block)? {
            0 => return Err(Fault::NoEnd),
            BLOCK if block.iter().all(|b| *b == 0) => {}
            _ => return Err(Fault::AfterEnd),
        }
        let mut rest = [0; 8192];
        let mut zeros = 0;
        loop {
            let n = self.fill(&mut rest)?;
            if rest.iter().take(n).any(|b| *b != 0) {
                return Err(Fault::AfterEnd);
            }
            zeros += n as u64;
            if zeros > MAX_PADDING {
                return Err(Fault::LongEnd { limit: MAX_PADDING });
            }
            if n < rest.len() {
                return Ok(None);
            }
        }
    }

    /// The content of GNU tar's headers for names over 100 bytes: the name and a NUL.
    fn read_long(&mut self, header: &Header) -> Result<Vec<u8>, Fault> {
        if header.format == Format::V7 {
            return Err(Fault::Type(header.type_flag()));
        }
        let mut name = self.read_extension(header, MAX_PATH as u64 + 512)?;
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        if name.iter().skip(end).any(|b| *b != 0) || end == 0 {
            return Err(Fault::Target(name));
        }
        name.truncate(end);
        Ok(name)
    }

    fn read_extension(&mut self, header: &Header, limit: u64) -> Result<Vec<u8>, Fault> {
        let size = header.size()?;
        if size > limit {
            return Err(Fault::LongExtension(size));
        }
        let mut content = Vec::new();
        let read = self.inner.by_ref().take(size).read_to_end(&mut content).map_err(Fault::Io)?;
        self.position += read as u64;
        if (read as u64) < size {
            return Err(Fault::TruncatedContent { missing: size - read as u64 });
        }
        self.padding = padding(size);
        self.skip_padding()?;
        Ok(content)
    }

    fn skip_content(&mut self) -> Result<(), Fault> {
        if self.left > 0 {
            // Cleared only where it is used: most readers take all the content there is.
            let mut scratch = [0; 8192];
            while self.left > 0 {
                self.read_content(&mut scratch)?;
            }
        }
        Ok(())
    }

    fn skip_padding(&mut self) -> Result<(), Fault> {
        let wanted = usize::try_from(self.padding).unwrap_or(0);
        let mut block = [0; BLOCK];
        let n = self.fill(block.get_mut(..wanted).unwrap_or_default())?;
        if n < wanted {
            return Err(Fault::TruncatedContent { missing: (wanted - n) as u64 });
        }
        self.padding = 0;
        Ok(())
    }

    fn read_content(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        if wanted == 0 {
            return Ok(0);
        }
        let n = loop {
            match self.inner.read(buf.get_mut(..wanted).unwrap_or_default()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(Fault::Io)?,
            }
        };
        if n == 0 {
            return Err(Fault::TruncatedContent { missing: self.left + self.padding });
        }
        self.left -= n as u64;
        self.position += n as u64;
        Ok(n)
    }

    /// Reads until the buffer is full or the stream ends.
    fn fill(&mut self, buf: &mut [u8]) -> Result<usize, Fault> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Fault::Io(e)),
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }
}

/// The content of the entry that was given last.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let result = self.read_content(buf);
        result.map_err(|fault| {
            self.state = State::Failed;
            self.error(fault).into()
        })
    }
}

fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

fn set_once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::Twice(what)),
    }
}

/// The one value among a header's field, GNU's long form and the pax record.
fn choose(plain: Vec<u8>, long: Option<Vec<u8>>, pax: Option<Vec<u8>>, what: &'static str) -> Result<Vec<u8>, Fault> {
    match (long, pax) {
        (Some(_), Some(_)) => Err(Fault::Twice(what)),
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (None, None) => Ok(plain),
    }
}

/// The size that every reader sees. A pax record may say another one than the header only where the header cannot say
/// it: otherwise one reader takes for content what another takes for headers.
fn entry_size(header: &Header, pax: Option<u64>) -> Result<u64, Fault> {
    const OCTAL_MAX: u64 = 0o77_777_777_777;
    let plain = header.size()?;
    match pax {
        Some(pax) if pax != plain && !(pax > OCTAL_MAX && plain == 0) => {
            Err(Fault::SizeConflict { header: plain, pax })
        }
        Some(pax) => Ok(pax),
        None => Ok(plain),
    }
}
