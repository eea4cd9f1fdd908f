//! Bytes that can be read more than once, wherever they lie.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// Bytes that can be opened as often as wanted and are the same each time: memory, a part of a file, several of them
/// in a row.
///
/// Whoever writes a blob to a store opens it once for each store; threads may do so at the same time.
pub trait Content: Send + Sync + fmt::Debug {
    /// Starts reading from the first byte.
    ///
    /// # Errors
    /// What opening a file gives.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;

    /// The same bytes, where contents that compare themselves while they are read do not: for whoever compares the whole that
    /// they are a part of, as every [`Store::put`](crate::Store::put) does.
    ///
    /// # Errors
    /// Those of [`open`](Content::open).
    fn open_unchecked(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        self.open()
    }
}

impl Content for Vec<u8> {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

/// Several contents, one after the other.
#[derive(Debug, Clone)]
pub struct InRow(pub Vec<Arc<dyn Content>>);

impl Content for InRow {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(RowReader { rest: self.0.iter(), current: None, open: |content| content.open() }))
    }

    fn open_unchecked(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(RowReader { rest: self.0.iter(), current: None, open: |content| content.open_unchecked() }))
    }
}

type Opened<'a> = io::Result<Box<dyn Read + Send + 'a>>;

/// Opens each content when the one before has ended, so that a row of hundreds needs one open file.
struct RowReader<'a> {
    rest: std::slice::Iter<'a, Arc<dyn Content>>,
    current: Option<Box<dyn Read + Send + 'a>>,
    open: fn(&'a dyn Content) -> Opened<'a>,
}

impl Read for RowReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(reader) = &mut self.current {
                let n = reader.read(buf)?;
                if n > 0 {
                    return Ok(n);
                }
            }
            match self.rest.next() {
                Some(content) => self.current = Some((self.open)(content.as_ref())?),
                None => return Ok(0),
            }
        }
    }
}

/// The first bytes of a content.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    whole: Arc<dyn Content>,
    length: u64,
}

impl Prefix {
    pub(crate) fn new(whole: Arc<dyn Content>, length: u64) -> Self {
        Self { whole, length }
    }
}

impl Content for Prefix {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(PrefixReader { whole: self.whole.open()?, left: self.length }))
    }

    fn open_unchecked(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.whole.open_unchecked()?.take(self.length)))
    }
}

/// Ends only after it has read the rest as well: contents that compare themselves do so at their own end.
struct PrefixReader<'a> {
    whole: Box<dyn Read + Send + 'a>,
    left: u64,
}

impl Read for PrefixReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            io::copy(&mut self.whole, &mut io::sink())?;
            return Ok(0);
        }
        let n = self.whole.by_ref().take(self.left).read(buf)?;
        self.left -= n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails where it should end, as a content does that is damaged.
    #[derive(Debug)]
    struct Damaged;

    impl Content for Damaged {
        fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
            let end = std::iter::once(Err(io::Error::from(io::ErrorKind::InvalidData)));
            Ok(Box::new(b"whole".chain(Failing(end))))
        }
    }

    struct Failing<I>(I);

    impl<I: Iterator<Item = io::Result<usize>>> Read for Failing<I> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.next().unwrap_or(Ok(0))
        }
    }

    #[test]
    fn a_prefix_of_what_is_damaged_never_ends_well() {
        let read = |whole: Arc<dyn Content>| {
            let mut bytes = Vec::new();
            Prefix::new(whole, 2).open().unwrap().read_to_end(&mut bytes).map(|_| bytes)
        };
        assert_eq!(read(Arc::new(b"whole".to_vec())).unwrap(), b"wh");
        assert_eq!(read(Arc::new(Damaged)).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
