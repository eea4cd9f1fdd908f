//! A web server on a free loopback port that serves a folder, and lies where a test tells it to.
//!
//! [`Server::start`] serves honestly, with entity tags and ranges; [`Server::lie`] sets a [`Lie`] for one path, for a
//! number of requests or for good. Every request is kept for the test to look at. It also answers as a proxy: a request
//! for a whole URL gets the file of that URL's path.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::encoding::percent_decoded;
use crate::listener::lock;
use crate::loopback::{Answer, Asked, Loopback, Sent};

/// The date of every file, for `If-Range`.
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
/// The date of one that has changed.
const CHANGED: &str = "Fri, 02 Jan 2026 00:00:00 GMT";

/// What is wrong with the answers for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lie {
    /// Other bytes than those of the file, which need not be there. Ranges of them are served.
    Bytes(Vec<u8>),
    /// The first so many bytes of the file, as if they were all.
    Half(usize),
    /// The true length and the first so many bytes, then the connection ends. In a range, so many bytes of it.
    Drop(usize),
    /// The true length and the first so many bytes, then nothing more, and the connection stays open.
    Stall(usize),
    /// This length is announced instead of the true one.
    Length(u64),
    /// Zeros without end, and no length announced.
    Endless,
    /// A status without the file, and the value of `Retry-After` where there is one.
    Status(u16, Option<String>),
    /// A redirect to this `Location`.
    Redirect(String),
    /// The file for who sends exactly this `Authorization`, and status 401 for everybody else.
    Authorized(String),
    /// The file with neither entity tag nor date, and ranges are not understood.
    Plain,
    /// The file with another entity tag and date than before.
    Changed,
}

/// The server. It ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Server {
    loopback: Loopback,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    folder: PathBuf,
    lies: Mutex<BTreeMap<String, (Lie, Option<u32>)>>,
}

impl Server {
    /// Serves a folder.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let state = Arc::new(State { folder: folder.to_owned(), lies: Mutex::default() });
        let shared = Arc::clone(&state);
        Self { loopback: Loopback::start(move |asked| shared.answer(asked)), state }
    }

    /// The port, on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.loopback.port()
    }

    /// The URL of a path, which starts with a slash or is empty.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.loopback.url(path)
    }

    /// From now on lies about a path, which starts with a slash.
    pub fn lie(&self, path: &str, lie: Lie) {
        lock(&self.state.lies).insert(path.to_owned(), (lie, None));
    }

    /// The same for the next so many requests alone.
    pub fn lie_times(&self, path: &str, lie: Lie, times: u32) {
        lock(&self.state.lies).insert(path.to_owned(), (lie, Some(times)));
    }

    /// Is honest about everything again.
    pub fn tell_the_truth(&self) {
        lock(&self.state.lies).clear();
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.loopback.asked()
    }

    /// The requests for a path so far.
    #[must_use]
    pub fn requests_for(&self, path: &str) -> Vec<Asked> {
        self.requests().into_iter().filter(|request| request.path() == path).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.loopback.forget();
    }
}

impl State {
    fn answer(&self, asked: &Asked) -> Answer {
        let lie = self.lie_for(asked.path());
        let file = |bytes: Vec<u8>| part(asked, bytes, "", MODIFIED);
        let found = || self.file(asked.path());
        let answer = match lie {
            Some(Lie::Bytes(bytes)) => Some(file(bytes)),
            Some(Lie::Half(length)) => found().map(|bytes| file(bytes[..length.min(bytes.len())].to_vec())),
            Some(Lie::Drop(bytes)) => found().map(|all| Answer { sent: Sent::First(bytes), ..file(all) }),
            Some(Lie::Stall(bytes)) => found().map(|all| Answer { sent: Sent::Stalled(bytes), ..file(all) }),
            Some(Lie::Length(length)) => found().map(|all| Answer { sent: Sent::Length(length), ..file(all) }),
            Some(Lie::Endless) => Some(Answer { body: vec![0; 16 << 10], sent: Sent::Endless, ..Answer::status(200) }),
            Some(Lie::Status(status, None)) => Some(Answer::status(status)),
            Some(Lie::Status(status, Some(after))) => Some(Answer::status(status).with("Retry-After", after)),
            Some(Lie::Redirect(to)) => Some(Answer::status(302).with("Location", to)),
            Some(Lie::Authorized(expected)) if asked.authorization() != Some(&expected) => {
                Some(Answer::status(401).with("WWW-Authenticate", "Basic realm=\"test\""))
            }
            None | Some(Lie::Authorized(_)) => found().map(file),
            Some(Lie::Plain) => found().map(|body| Answer { body, ..Answer::status(200) }),
            Some(Lie::Changed) => found().map(|bytes| part(asked, bytes, "c", CHANGED)),
        };
        answer.unwrap_or_else(|| Answer::status(404))
    }

    /// The lie about a path, if one is left.
    fn lie_for(&self, path: &str) -> Option<Lie> {
        let mut lies = lock(&self.lies);
        let (lie, times) = lies.get_mut(path)?;
        match times {
            None => {}
            Some(0) => return None,
            Some(left) => *left -= 1,
        }
        Some(lie.clone())
    }

    /// The bytes of a file below the folder.
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let path = percent_decoded(path.strip_prefix('/')?)?;
        let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        fs::read(plain.then(|| self.folder.join(path))?).ok()
    }
}

/// What is asked for of a file, which has this mark in its entity tag, and this date: the rest alone where that is asked for,
/// and the file is still the one that is meant.
fn part(asked: &Asked, bytes: Vec<u8>, mark: &str, modified: &str) -> Answer {
    let tag = format!("\"{mark}{:016x}\"", hash(&bytes));
    let condition = asked.headers.get("if-range");
    let same = condition.is_none_or(|expected| *expected == tag || expected == modified);
    let whole = Answer { body: bytes, ..Answer::status(200) };
    let whole = whole.with("ETag", tag).with("Last-Modified", modified).with("Accept-Ranges", "bytes");
    if same { whole.part_for(asked) } else { whole }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::tests::ask;

    #[test]
    fn files_ranges_and_lies() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a+b"), "0123456789").unwrap();
        let server = Server::start(folder.path());
        let whole = ask(server.port(), "GET /a%2Bb HTTP/1.1\r\n\r\n");
        assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n\r\n0123456789"), "{whole}");
        let tag = whole.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let rest = ask(server.port(), &format!("GET /a+b HTTP/1.1\r\nRange: bytes=4-\r\nIf-Range: {tag}\r\n\r\n"));
        assert!(rest.starts_with("HTTP/1.1 206 ") && rest.ends_with("\r\n\r\n456789"), "{rest}");
        let other = ask(server.port(), "GET /a+b HTTP/1.1\r\nRange: bytes=4-\r\nIf-Range: \"x\"\r\n\r\n");
        assert!(other.starts_with("HTTP/1.1 200 ") && other.ends_with("0123456789"), "{other}");

        assert!(ask(server.port(), "GET /../a+b HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        server.lie_times("/a+b", Lie::Status(503, Some("1".to_owned())), 1);
        assert!(ask(server.port(), "GET /a+b HTTP/1.1\r\n\r\n").contains("\r\nRetry-After: 1\r\n"));
        assert!(ask(server.port(), "GET http://host.invalid/a+b HTTP/1.1\r\n\r\n").ends_with("0123456789"));
        server.lie("/a+b", Lie::Drop(3));
        let cut = ask(server.port(), "GET /a+b HTTP/1.1\r\n\r\n");
        assert!(cut.contains("Content-Length: 10\r\n") && cut.ends_with("\r\n\r\n012"), "{cut}");
        assert_eq!(server.requests_for("/a+b").len(), 5);
    }
}
