//! A blob on its way, over as many connections as it takes.

use std::io::{self, Read};
use std::sync::Arc;

use distil_net::{Attempts, Method, NetError};

use super::answer::{self, AnswerError};
use super::remote::{Break, Remote};
use crate::error::RegistryError;

/// The bytes of a blob, as many as the registry gives: whether they are the right ones is for whoever reads to find out.
pub(super) struct Download {
    /// Those of the whole blob: it may take many connections, and each of them several requests.
    attempts: Attempts,
    parts: Parts,
}

/// One connection after the other.
struct Parts {
    remote: Arc<Remote>,
    path: String,
    size: u64,
    /// Bytes that were given on.
    given: u64,
    body: Option<Box<dyn Read + Send>>,
    /// Connections that broke before they brought a good part.
    breaks: u32,
    /// What was given on when the last one broke.
    given_then: u64,
}

/// What a connection has to bring for its break not to count.
const GOOD_PART: u64 = 1 << 20;
/// Connections that may bring less.
const MOST_BREAKS: u32 = 10;
/// Bytes that are read and thrown away at once, of a registry that begins anew.
const SKIP: usize = 64 << 10;

impl Download {
    /// Goes on with what has begun to come. `attempts` are those that it took until then.
    pub(super) fn new(
        remote: Arc<Remote>,
        path: String,
        size: u64,
        body: Box<dyn Read + Send>,
        attempts: Attempts,
    ) -> Self {
        Self { attempts, parts: Parts { remote, path, size, given: 0, body: Some(body), breaks: 0, given_then: 0 } }
    }
}

impl Parts {
    fn piece(&mut self, attempts: &mut Attempts, buf: &mut [u8]) -> Result<usize, Break> {
        let mut body = match self.body.take() {
            Some(body) => body,
            None => match self.resume(attempts)? {
                Some(body) => body,
                None => return Ok(0),
            },
        };
        match body.read(buf) {
            // A body without an announced length may end in the middle without anybody noticing.
            Ok(0) if self.given < self.size => Err(self.broke(attempts, io::ErrorKind::UnexpectedEof.into())),
            Ok(n) => {
                self.given += n as u64;
                self.body = Some(body);
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.body = Some(body);
                Err(Break::Passing(Box::new(self.interrupted(error))))
            }
            Err(error) => Err(self.broke(attempts, error)),
        }
    }

    fn broke(&mut self, attempts: &mut Attempts, error: io::Error) -> Break {
        if self.given - self.given_then < GOOD_PART {
            self.breaks += 1;
        } else {
            attempts.advanced();
        }
        self.given_then = self.given;
        let passing = match error.get_ref().and_then(|inner| inner.downcast_ref::<NetError>()) {
            Some(error) => error.may_retry(),
            None => true,
        };
        let error = Box::new(self.interrupted(error));
        if passing && self.breaks <= MOST_BREAKS { Break::Passing(error) } else { Break::Final(error) }
    }

    fn interrupted(&self, error: io::Error) -> RegistryError {
        let error = match error.downcast::<NetError>() {
            Ok(error) => error,
            Err(error) => {
                NetError::Interrupted { url: self.path.clone(), received: self.given, source: Box::new(error) }
            }
        };
        error.into()
    }

    /// Asks for the rest. None where the registry says that there is nothing behind what came.
    fn resume(&mut self, attempts: &mut Attempts) -> Result<Option<Box<dyn Read + Send>>, Break> {
        let from = self.given;
        let headers = vec![("range", format!("bytes={from}-"))];
        let answer = self.remote.ask_for_blob(attempts, Method::Get, &self.path, headers).map_err(Break::last)?;
        match answer.status() {
            206 => {
                answer::check_encoding(&answer).map_err(Break::last)?;
                let stated = answer.header("content-range").unwrap_or_default();
                if !is_rest(stated, from, self.size) {
                    let stated = answer::shortened(stated);
                    return Err(Break::last(AnswerError::Range { from, stated }));
                }
                Ok(Some(answer.into_reader()))
            }
            200 => {
                answer::check_encoding(&answer).map_err(Break::last)?;
                let mut body = answer.into_reader();
                self.skip(attempts, &mut body, from)?;
                Ok(Some(body))
            }
            416 => Ok(None),
            _ => Err(Break::last(self.remote.refused("read a blob", answer))),
        }
    }

    /// Throws away what was given on already. That it is the same is seen at the end, from the digest.
    fn skip(&mut self, attempts: &mut Attempts, body: &mut dyn Read, mut left: u64) -> Result<(), Break> {
        let mut buf = vec![0; SKIP];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(SKIP).min(SKIP);
            match body.read(buf.get_mut(..most).unwrap_or_default()) {
                Ok(0) => return Err(self.broke(attempts, io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => left -= n as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broke(attempts, error)),
            }
        }
        Ok(())
    }
}

/// Whether a `Content-Range` is the rest of a blob from some byte on.
fn is_rest(stated: &str, from: u64, size: u64) -> bool {
    let parts = || {
        let (first, rest) = stated.trim().strip_prefix("bytes")?.trim_start().split_once('-')?;
        let (last, total) = rest.split_once('/')?;
        let total = if total == "*" { size } else { answer::number(total)? };
        Some((answer::number(first)?, answer::number(last)?, total))
    };
    parts().is_some_and(|(first, last, total)| first == from && total == size && last.checked_add(1) == Some(size))
}

impl Read for Download {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let Self { attempts, parts } = self;
        let remote = Arc::clone(&parts.remote);
        let read = remote.persist(attempts, &mut |attempts, _| parts.piece(attempts, buf));
        read.map_err(|setback| io::Error::other(setback.into_error()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_rest_of_the_blob_is_one() {
        for stated in ["bytes 4-9/10", "bytes 4-9/*", " bytes  4-9/10 "] {
            assert!(is_rest(stated, 4, 10), "{stated}");
        }
        let others =
            ["", "bytes */10", "bytes 0-9/10", "bytes 4-8/10", "bytes 4-9/11", "4-9/10", "bytes 4-9", "bytes +4-9/10"];
        for stated in others {
            assert!(!is_rest(stated, 4, 10), "{stated}");
        }
        assert!(!is_rest(&format!("bytes 0-{}/0", u64::MAX), 0, 0));
    }

    proptest! {
        #[test]
        fn a_range_is_the_rest_where_it_begins_and_ends_right(
            first in 0_u64..20, last in 0_u64..20, total in 0_u64..20, from in 0_u64..20, size in 1_u64..20,
        ) {
            let right = first == from && last == size - 1 && total == size;
            prop_assert_eq!(is_rest(&format!("bytes {first}-{last}/{total}"), from, size), right);
        }
    }
}
