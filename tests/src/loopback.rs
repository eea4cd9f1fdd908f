//! A web server on a free loopback port whose answers are a function of what is asked, good or bad HTTP alike.
//!
//! Where [`crate::http`] serves the files of a folder, this is what token servers and registries are made of. Every request is
//! kept for the test to look at, with its body.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Connections that may be open at once; one more is closed unanswered.
const MOST_CONNECTIONS: usize = 256;
/// The longest head of a request.
const LONGEST_HEAD: u64 = 64 << 10;
/// The longest body of a request.
const LONGEST_BODY: u64 = 256 << 20;
/// How long a connection may be silent, and a slow or endless answer go on.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request that came in.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `GET` or another method.
    pub method: String,
    /// The path with its query, as it was sent.
    pub target: String,
    /// The header fields, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// All values of a name in the query, decoded, in their order.
    #[must_use]
    pub fn query(&self, name: &str) -> Vec<String> {
        fields(self.target.split_once('?').map_or("", |(_, query)| query), name)
    }

    /// All values of a name in a form that was posted, decoded, in their order.
    #[must_use]
    pub fn form(&self, name: &str) -> Vec<String> {
        fields(&String::from_utf8_lossy(&self.body), name)
    }

    /// The `Authorization` that was sent.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization").map(String::as_str)
    }
}

fn fields(text: &str, name: &str) -> Vec<String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(value)).collect()
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().replace('+', " ").into_bytes();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or(("3f", part));
        bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
        bytes.extend(rest.replace('+', " ").bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How a body is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Whole.
    Whole,
    /// The first so many bytes, then the connection ends.
    First(usize),
    /// This length is announced instead of the true one, and what there is of it is sent.
    Length(u64),
    /// Over and over again without end, and no length announced.
    Endless,
    /// A byte each second.
    Slowly,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields, without those of the body's length and of the connection.
    pub headers: Vec<(String, String)>,
    /// The body, which `HEAD` leaves out.
    pub body: Vec<u8>,
    /// How it is sent.
    pub sent: Sent,
}

impl Answer {
    /// A status, and nothing with it.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), sent: Sent::Whole }
    }

    /// A body of a media type.
    #[must_use]
    pub fn body(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }.with("Content-Type", media_type)
    }

    /// With this header field in place of others of its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What answers.
type Handler = dyn Fn(&Asked) -> Answer + Send + Sync;

/// The server. It ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Loopback {
    port: u16,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

struct State {
    ended: AtomicBool,
    asked: Mutex<Vec<Asked>>,
    handler: Box<Handler>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Loopback {
    /// Starts a server whose answers come from this function, several at once.
    #[must_use]
    pub fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1", handler)
    }

    /// The same on another address of loopback.
    #[must_use]
    pub fn start_on(address: &str, handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let handler = Box::new(handler);
        let state = Arc::new(State { ended: AtomicBool::new(false), asked: Mutex::default(), handler });
        let shared = Arc::clone(&state);
        let listener = thread::spawn(move || listen(&listener, &shared));
        Self { port, state, listener: Some(listener) }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path, which starts with a slash or is empty, on `127.0.0.1`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.state.asked).clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.state.asked).clear();
    }
}

impl Drop for Loopback {
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
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
                let _: io::Result<()> = answer(&stream, &state);
            }));
        }
    }
    for connection in open {
        let _ended = connection.join();
    }
}

/// One request and its answer; then the connection ends.
fn answer(stream: &TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    let Some(asked) = read(stream)? else { return Ok(()) };
    lock(&state.asked).push(asked.clone());
    let answer = (state.handler)(&asked);
    write(stream, &asked, &answer, state)
}

fn read(stream: &TcpStream) -> io::Result<Option<Asked>> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let left = LONGEST_HEAD.saturating_sub(head.len() as u64);
        if left == 0 || (&mut reader).take(left).read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let fields = lines.filter_map(|line| line.split_once(':'));
    let headers: BTreeMap<_, _> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut writer = stream;
    if headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = match headers.get("content-length") {
        Some(length) => {
            let length = length.parse().unwrap_or(0).min(LONGEST_BODY);
            let mut body = Vec::new();
            (&mut reader).take(length).read_to_end(&mut body)?;
            body
        }
        None if headers.get("transfer-encoding").is_some_and(|value| value.contains("chunked")) => chunks(&mut reader)?,
        None => Vec::new(),
    };
    Ok(Some(Asked { method, target, headers, body }))
}

fn chunks(reader: &mut BufReader<&TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.take(100).read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16).unwrap_or(0);
        let start = body.len() as u64;
        reader.take(size.min(LONGEST_BODY)).read_to_end(&mut body)?;
        reader.take(2).read_to_end(&mut Vec::new())?;
        if size == 0 || body.len() as u64 > LONGEST_BODY || body.len() as u64 - start < size {
            return Ok(body);
        }
    }
}

fn write(mut stream: &TcpStream, asked: &Asked, answer: &Answer, state: &State) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Test\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let sized = answer.status != 204 && answer.sent != Sent::Endless;
    let stated = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if sized && !stated {
        let length = if let Sent::Length(length) = answer.sent { length } else { answer.body.len() as u64 };
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if asked.method == "HEAD" {
        return Ok(());
    }
    let start = Instant::now();
    let over = || start.elapsed() > PATIENCE || state.ended.load(Ordering::SeqCst);
    match answer.sent {
        Sent::Whole | Sent::Length(_) => stream.write_all(&answer.body),
        Sent::First(bytes) => stream.write_all(&answer.body[..bytes.min(answer.body.len())]),
        Sent::Endless => {
            while !over() {
                stream.write_all(&answer.body)?;
            }
            Ok(())
        }
        Sent::Slowly => {
            for byte in &answer.body {
                stream.write_all(&[*byte])?;
                let second = Instant::now();
                while second.elapsed() < Duration::from_secs(1) {
                    if over() {
                        return Ok(());
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn bodies_and_queries_are_kept() {
        let server = Loopback::start(|asked| Answer::body("text/plain", asked.body.clone()).with("X", "y"));
        let plain = ask(server.port(), "POST /a?b=c%2Fd&b=+e HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz");
        assert!(plain.contains("\r\nX: y\r\n") && plain.ends_with("\r\n\r\nxyz"), "{plain}");
        let chunked = "PATCH / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert!(ask(server.port(), chunked).ends_with("\r\n\r\nabc"));
        assert!(ask(server.port(), "HEAD / HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
        let asked = server.asked();
        assert_eq!(asked[0].query("b"), ["c/d", " e"]);
        assert_eq!((asked[0].path(), asked[1].method.as_str(), asked.len()), ("/a", "PATCH", 3));
    }

    #[test]
    fn bodies_can_be_cut_and_lengths_be_wrong() {
        let server = Loopback::start(|asked| Answer {
            sent: if asked.path() == "/cut" { Sent::First(2) } else { Sent::Length(9) },
            ..Answer::body("text/plain", "four")
        });
        let cut = ask(server.port(), "GET /cut HTTP/1.1\r\n\r\n");
        assert!(cut.contains("Content-Length: 4\r\n") && cut.ends_with("\r\n\r\nfo"), "{cut}");
        let long = ask(server.port(), "GET / HTTP/1.1\r\n\r\n");
        assert!(long.contains("Content-Length: 9\r\n") && long.ends_with("\r\n\r\nfour"), "{long}");
    }
}
