//! A web server on a free loopback port that serves a folder, and lies where a test tells it to.
//!
//! [`Server::start`] serves honestly, with entity tags and ranges; [`Server::lie`] sets a [`Lie`] for one path, for a
//! number of requests or for good. Every request is kept for the test to look at. It also answers as a proxy: a request
//! for a whole URL gets the file of that URL's path.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Connections that may be open at once; one more is closed unanswered.
const MOST_CONNECTIONS: usize = 64;
/// The longest head of a request.
const LONGEST_HEAD: u64 = 64 << 10;
/// The longest that a stalled connection stays open.
const STALL: Duration = Duration::from_mins(1);
/// The date of every file, for `If-Range`.
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

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

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET` or another method.
    pub method: String,
    /// What was asked for, as it was sent: a path, or to a proxy a whole URL, or `HOST:PORT` with `CONNECT`.
    pub target: String,
    /// The header fields, their names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    /// The path that is asked for, without the host of a request to a proxy.
    #[must_use]
    pub fn path(&self) -> &str {
        let behind_scheme = self.target.split_once("://").map(|(_, rest)| rest);
        behind_scheme.map_or(self.target.as_str(), |rest| rest.find('/').map_or("/", |slash| rest.split_at(slash).1))
    }
}

/// The server. It ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    folder: PathBuf,
    ended: AtomicBool,
    lies: Mutex<BTreeMap<String, (Lie, Option<u32>)>>,
    requests: Mutex<Vec<Request>>,
}

impl Server {
    /// Serves a folder.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            folder: folder.to_owned(),
            ended: AtomicBool::new(false),
            lies: Mutex::default(),
            requests: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || listen(&listener, &shared));
        Self { port, state, listener: Some(listener) }
    }

    /// The port, on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path, which starts with a slash or is empty.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
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
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state.requests).clone()
    }

    /// The requests for a path so far.
    #[must_use]
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.path() == path).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.state.requests).clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(listener) = self.listener.take() {
            let _ended = listener.join();
        }
    }
}

/// A test that fails while it holds a lock has said already what is wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn listen(listener: &TcpListener, state: &Arc<State>) {
    let mut open: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if state.ended.load(Ordering::SeqCst) {
            break;
        }
        open.retain(|connection| !connection.is_finished());
        let Ok(stream) = stream else { continue };
        if open.len() < MOST_CONNECTIONS {
            let state = Arc::clone(state);
            open.push(thread::spawn(move || {
                // The other side went away, which is its right.
                let _: io::Result<()> = answer(stream, &state);
            }));
        }
    }
    for connection in open {
        let _ended = connection.join();
    }
}

/// One request and its answer; then the connection ends.
fn answer(stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    let Some(request) = read_request(&stream)? else { return Ok(()) };
    lock(&state.requests).push(request.clone());
    let lie = state.lie_for(request.path());
    let mut connection = Connection { stream, request, state };
    connection.answer(lie)
}

fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut lines = BufReader::new(stream.take(LONGEST_HEAD)).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    Ok(Some(Request { method, target, headers }))
}

impl State {
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
        let path = decoded(path.split('?').next()?.strip_prefix('/')?)?;
        let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        fs::read(plain.then(|| self.folder.join(path))?).ok()
    }
}

fn decoded(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

struct Connection<'a> {
    stream: TcpStream,
    request: Request,
    state: &'a State,
}

impl Connection<'_> {
    fn answer(&mut self, lie: Option<Lie>) -> io::Result<()> {
        let lied = match &lie {
            Some(Lie::Bytes(bytes)) => Some(bytes.clone()),
            Some(Lie::Endless) => Some(Vec::new()),
            _ => None,
        };
        let plain = matches!(lie, Some(Lie::Plain | Lie::Endless));
        match lie {
            Some(Lie::Status(status, retry)) => {
                let retry = retry.map_or_else(String::new, |after| format!("Retry-After: {after}\r\n"));
                return self.head(status, &format!("{retry}Content-Length: 0\r\n"));
            }
            Some(Lie::Redirect(to)) => {
                return self.head(302, &format!("Location: {to}\r\nContent-Length: 0\r\n"));
            }
            Some(Lie::Authorized(ref expected)) if self.request.headers.get("authorization") != Some(expected) => {
                return self.head(401, "WWW-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n");
            }
            _ => {}
        }
        let Some(mut bytes) = lied.or_else(|| self.state.file(self.request.path())) else {
            return self.head(404, "Content-Length: 0\r\n");
        };
        if let Some(Lie::Half(length)) = lie {
            bytes.truncate(length);
        }
        let changed = lie == Some(Lie::Changed);
        let (modified, mark) = if changed { ("Fri, 02 Jan 2026 00:00:00 GMT", "c") } else { (MODIFIED, "") };
        let tag = format!("\"{mark}{:016x}\"", hash(&bytes));
        let validators = format!("ETag: {tag}\r\nLast-Modified: {modified}\r\nAccept-Ranges: bytes\r\n");
        let validators = if plain { "" } else { &validators };
        let start = if plain { None } else { self.range_start(&tag, modified) };
        let total = bytes.len();
        let (status, range) = match start {
            Some(start) if start < total => {
                bytes.drain(..start);
                (206, format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1))
            }
            Some(_) => return self.head(416, &format!("Content-Range: bytes */{total}\r\nContent-Length: 0\r\n")),
            None => (200, String::new()),
        };
        let length = match lie {
            Some(Lie::Endless) => String::new(),
            Some(Lie::Length(length)) => format!("Content-Length: {length}\r\n"),
            _ => format!("Content-Length: {}\r\n", bytes.len()),
        };
        self.head(status, &format!("{validators}{range}{length}"))?;
        if self.request.method != "HEAD" {
            self.body(&bytes, lie.as_ref())?;
        }
        Ok(())
    }

    fn body(&mut self, bytes: &[u8], lie: Option<&Lie>) -> io::Result<()> {
        match lie {
            Some(Lie::Drop(sent)) => self.stream.write_all(&bytes[..*sent.min(&bytes.len())]),
            Some(Lie::Stall(sent)) => {
                self.stream.write_all(&bytes[..*sent.min(&bytes.len())])?;
                self.wait();
                Ok(())
            }
            Some(Lie::Endless) => loop {
                self.stream.write_all(&[0; 16 << 10])?;
                if self.state.ended.load(Ordering::SeqCst) {
                    return Ok(());
                }
            },
            _ => self.stream.write_all(bytes),
        }
    }

    /// The first byte that is asked for, where the rest of a file is and the file is still the one that is meant.
    fn range_start(&self, tag: &str, modified: &str) -> Option<usize> {
        let condition = self.request.headers.get("if-range");
        let same = condition.is_none_or(|expected| expected == tag || expected == modified);
        let range = self.request.headers.get("range").filter(|_| same)?;
        range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }

    fn head(&mut self, status: u16, headers: &str) -> io::Result<()> {
        let head = format!("HTTP/1.1 {status} Test\r\nConnection: close\r\n{headers}\r\n");
        self.stream.write_all(head.as_bytes())
    }

    /// Keeps silent until the other side or the server ends.
    fn wait(&mut self) {
        let start = Instant::now();
        // Setting a time limit on an open socket does not fail.
        self.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        while start.elapsed() < STALL && !self.state.ended.load(Ordering::SeqCst) {
            if self.stream.read(&mut [0; 64]).is_ok_and(|read| read == 0) {
                return;
            }
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn files_ranges_and_lies() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a+b"), "0123456789").unwrap();
        let server = Server::start(folder.path());
        let whole = ask(&server, "GET /a%2Bb HTTP/1.1\r\n\r\n");
        assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n\r\n0123456789"), "{whole}");
        let tag = whole.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
        let rest = ask(&server, &format!("GET /a+b HTTP/1.1\r\nRange: bytes=4-\r\nIf-Range: {tag}\r\n\r\n"));
        assert!(rest.starts_with("HTTP/1.1 206 ") && rest.ends_with("\r\n\r\n456789"), "{rest}");
        let other = ask(&server, "GET /a+b HTTP/1.1\r\nRange: bytes=4-\r\nIf-Range: \"x\"\r\n\r\n");
        assert!(other.starts_with("HTTP/1.1 200 ") && other.ends_with("0123456789"), "{other}");

        assert!(ask(&server, "GET /../a+b HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        server.lie_times("/a+b", Lie::Status(503, Some("1".to_owned())), 1);
        assert!(ask(&server, "GET /a+b HTTP/1.1\r\n\r\n").contains("\r\nRetry-After: 1\r\n"));
        assert!(ask(&server, "GET http://host.invalid/a+b HTTP/1.1\r\n\r\n").ends_with("0123456789"));
        server.lie("/a+b", Lie::Drop(3));
        let cut = ask(&server, "GET /a+b HTTP/1.1\r\n\r\n");
        assert!(cut.contains("Content-Length: 10\r\n") && cut.ends_with("\r\n\r\n012"), "{cut}");
        assert_eq!(server.requests_for("/a+b").len(), 5);
    }
}
