//! A web server on a free loopback port whose answers are a function of what is asked, good or bad HTTP alike.
//!
//! Mirrors, token servers and registries are made of it. Every request is kept for the test to look at, with its body.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::encoding::percent_decoded;
use crate::listener::{Listener, lock};

/// The longest head of a request.
const LONGEST_HEAD: u64 = 64 << 10;
/// The longest body of a request.
const LONGEST_BODY: u64 = 256 << 20;
/// How long the other side may do nothing, and a slow or endless answer go on: longer than a machine with much to do stops
/// anybody.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request that came in.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `GET` or another method.
    pub method: String,
    /// What was asked for, as it was sent: a path with its query, or to a proxy a whole URL, or `HOST:PORT` with `CONNECT`.
    pub target: String,
    /// The header fields, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The path without its query, and without the host of a request to a proxy.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        let behind_scheme = path.split_once("://").map(|(_, rest)| rest);
        behind_scheme.map_or(path, |rest| rest.find('/').map_or("/", |slash| rest.split_at(slash).1))
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
    pairs.filter(|(key, _)| *key == name).filter_map(|(_, value)| percent_decoded(&value.replace('+', " "))).collect()
}

/// How a body is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Whole.
    Whole,
    /// The first so many bytes, then the connection ends.
    First(usize),
    /// The first so many bytes, then nothing more, and the connection stays open.
    Stalled(usize),
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

    /// The rest of the body, where that is what the request's `Range` wants.
    #[must_use]
    pub fn part_for(mut self, asked: &Asked) -> Self {
        let total = self.body.len();
        let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        match range.and_then(|start| start.parse::<usize>().ok()) {
            None => self,
            Some(start) if start < total => {
                self.body.drain(..start);
                Self { status: 206, ..self }.with("Content-Range", format!("bytes {start}-{}/{total}", total - 1))
            }
            Some(_) => Self::status(416).with("Content-Range", format!("bytes */{total}")),
        }
    }

    /// With this header field in place of others of its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// The server. It ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Loopback {
    listener: Listener,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Loopback {
    /// Starts a server whose answers come from this function, several at once.
    #[must_use]
    pub fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::default());
        let kept = Arc::clone(&asked);
        Self { listener: Listener::start(move |stream| answer(stream, &kept, &handler)), asked }
    }

    /// The port, on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Address and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// The URL of a path, which starts with a slash or is empty.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host())
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.asked).clear();
    }
}

/// One request and its answer; then the connection ends.
fn answer(stream: &TcpStream, kept: &Mutex<Vec<Asked>>, handler: &dyn Fn(&Asked) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(asked) = read(stream)? else { return Ok(()) };
    lock(kept).push(asked.clone());
    write(stream, &asked, &handler(&asked))
}

fn read(stream: &TcpStream) -> io::Result<Option<Asked>> {
    let mut reader = BufReader::new(stream);
    // Whoever speaks TLS waits for an answer, and would be waited for.
    if !reader.fill_buf()?.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(None);
    }
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

fn write(mut stream: &TcpStream, asked: &Asked, answer: &Answer) -> io::Result<()> {
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
    match answer.sent {
        Sent::Whole | Sent::Length(_) => stream.write_all(&answer.body)?,
        Sent::First(bytes) => stream.write_all(&answer.body[..bytes.min(answer.body.len())])?,
        Sent::Stalled(bytes) => {
            stream.write_all(&answer.body[..bytes.min(answer.body.len())])?;
            let _gone = is_gone_within(stream, PATIENCE)?;
        }
        Sent::Endless => {
            while start.elapsed() < PATIENCE {
                stream.write_all(&answer.body)?;
            }
        }
        Sent::Slowly => {
            for byte in &answer.body {
                stream.write_all(&[*byte])?;
                if start.elapsed() > PATIENCE || is_gone_within(stream, Duration::from_secs(1))? {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Waits so long, or until the other side or the server ends, which it tells.
fn is_gone_within(mut stream: &TcpStream, wait: Duration) -> io::Result<bool> {
    stream.set_read_timeout(Some(wait))?;
    match stream.read(&mut [0]) {
        Ok(read) => Ok(read == 0),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Sends a request as it is, and gives the answer with its head.
    pub(crate) fn ask(port: u16, request: &str) -> String {
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
