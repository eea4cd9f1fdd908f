//! Files of this machine, named by URLs as mirrors are.

use std::fs::{self, File};
use std::io::{self, Read as _};

use url::Url;

use crate::download::Downloaded;
use crate::error::NetError;
use crate::limit::Limit;
use crate::shown::shown;
use crate::sink::{Sink, Watch};

const CHUNK: usize = 128 << 10;

/// Reads a regular file into a sink, within its limit.
pub(crate) fn read(url: &Url, limit: Limit, sink: &mut dyn Sink, watch: &dyn Watch) -> Result<Downloaded, NetError> {
    let name = shown(url);
    let failed = |source| NetError::File { url: name.clone(), source };
    let no_file = || NetError::NotAFile { url: name.clone() };
    // A host in it would be another machine's file.
    let path = url.to_file_path().map_err(|()| no_file())?;
    // Asked before it is opened, since opening a pipe waits for a writer; and after, since it may have been replaced.
    if !fs::metadata(&path).map_err(failed)?.is_file() {
        return Err(no_file());
    }
    let mut file = File::open(&path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(no_file());
    }
    limit.check_announced(metadata.len(), &name)?;
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        if watch.cancelled() {
            return Err(NetError::Cancelled { url: name });
        }
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        let bytes = chunk.get(..read).unwrap_or_default();
        size = limit.add(size, bytes.len(), &name)?;
        sink.write(bytes).map_err(|source| NetError::Sink { url: name.clone(), source })?;
        watch.advanced(&name, read as u64);
    }
    limit.check_end(size, &name)?;
    Ok(Downloaded { size })
}
