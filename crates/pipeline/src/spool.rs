//! Spools of the cache as content of layers.

use std::io::{self, Read, Write};
use std::sync::Arc;

use distil_cache::{Spool, SpoolWriter};
use distil_imgcore::Content;

#[derive(Debug)]
struct Spooled(Spool);

impl Content for Spooled {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.0.open()?))
    }
}

/// Ends a spool and gives it to those who read contents. It is removed with its last reader.
pub(crate) fn content(writer: SpoolWriter) -> io::Result<Arc<dyn Content>> {
    Ok(Arc::new(Spooled(writer.finish()?)))
}

/// Keeps small bytes in memory and moves to a spool when they grow.
pub(crate) struct MaybeSpool<'a> {
    session: &'a distil_cache::Session,
    memory: Vec<u8>,
    spool: Option<SpoolWriter>,
}

/// Below this a file costs more than the memory.
const IN_MEMORY: usize = 64 << 10;

impl<'a> MaybeSpool<'a> {
    pub(crate) fn new(session: &'a distil_cache::Session) -> Self {
        Self { session, memory: Vec::new(), spool: None }
    }

    pub(crate) fn content(self) -> io::Result<Arc<dyn Content>> {
        match self.spool {
            Some(spool) => content(spool),
            None => Ok(Arc::new(self.memory)),
        }
    }
}

impl Write for MaybeSpool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(spool) = &mut self.spool {
            return spool.write(bytes);
        }
        if self.memory.len() + bytes.len() <= IN_MEMORY {
            return self.memory.write(bytes);
        }
        let mut spool = self.session.spool()?;
        spool.write_all(&std::mem::take(&mut self.memory))?;
        self.spool.insert(spool).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.as_mut().map_or(Ok(()), Write::flush)
    }
}
