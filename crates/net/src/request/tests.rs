//! What goes over the line, and what comes back.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use url::Url;

use super::*;
use crate::{ClientOptions, Retry, Timeouts, Unwatched};

/// A server of one connection.
pub(crate) struct Peer {
    pub(crate) url: Url,
    thread: JoinHandle<io::Result<()>>,
}

impl Peer {
    /// Waits until the server is through.
    pub(crate) fn end(self) -> io::Result<()> {
        self.thread.join().unwrap()
    }
}

/// Plays a server, which gets the stream with nothing read from it.
pub(crate) fn peer(play: impl FnOnce(BufReader<TcpStream>) -> io::Result<()> + Send + 'static) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/v2/", listener.local_addr().unwrap())).unwrap();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_write_timeout(Some(Duration::from_secs(20)))?;
        play(BufReader::new(stream))
    });
    Peer { url, thread }
}

/// The head of a request, its lines.
pub(crate) fn head(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end() {
            "" => return Ok(lines),
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}

/// Settings that only a test that hangs comes to the end of.
pub(crate) fn options() -> ClientOptions {
    let long = Duration::from_mins(1);
    ClientOptions {
        timeouts: Timeouts { connect: long, idle: long, whole: 10 * long },
        retry: Retry { attempts: 4, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(50) },
        ..ClientOptions::default()
    }
}

pub(crate) fn client() -> Arc<Client> {
    Arc::new(Client::new(options()).unwrap())
}

/// Settings for servers that are waited for in vain.
pub(crate) fn hasty() -> ClientOptions {
    let short = Duration::from_millis(500);
    ClientOptions { timeouts: Timeouts { connect: short, idle: short, whole: 60 * short }, ..options() }
}

fn hasty_client() -> Arc<Client> {
    Arc::new(Client::new(hasty()).unwrap())
}

pub(crate) fn unwatched() -> Arc<dyn Watch + Send> {
    Arc::new(Unwatched)
}

pub(crate) fn request<'a>(method: Method, url: &Url, body: Body<'a>) -> Request<'a> {
    Request { method, url: url.clone(), headers: Vec::new(), body, reach: Reach::Anywhere }
}

#[test]
fn an_upload_arrives_and_is_answered() {
    for size in [0_usize, 1, 255 << 10, 256 << 10, (256 << 10) + 1, 5_000_000] {
        let content: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let expected = content.clone();
        let peer = peer(move |mut stream| {
            let head = head(&mut stream)?;
            assert_eq!(head[0], "put /v2/ http/1.1");
            for field in [&format!("content-length: {size}"), "accept-encoding: identity", "x-test: a b"] {
                assert_eq!(head.iter().filter(|line| *line == field).count(), 1, "{field} {head:?}");
            }
            let mut found = vec![0; size];
            stream.read_exact(&mut found)?;
            assert!(found == expected, "other bytes");
            stream.get_mut().write_all(b"HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok")
        });
        let mut content = &content[..];
        let body = Body::Stream { content: &mut content, size: size as u64 };
        let mut request = request(Method::Put, &peer.url, body);
        request.headers.push(("x-test", "a b".to_owned()));
        let answer = client().send(request, &unwatched()).unwrap();
        assert_eq!((answer.status(), answer.header("location")), (201, Some("/x")));
        assert_eq!(answer.bytes(2).unwrap(), b"ok");
        peer.end().unwrap();
    }
}

#[test]
fn a_body_is_read_as_it_comes() {
    let sent: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let content = sent.clone();
    let peer = peer(move |mut stream| {
        head(&mut stream)?;
        write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len())?;
        stream.get_mut().write_all(&content)
    });
    let answer = client().send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap();
    let mut found = Vec::new();
    answer.into_reader().read_to_end(&mut found).unwrap();
    assert!(found == sent, "other bytes");
    peer.end().unwrap();
}

#[test]
fn a_body_has_a_bound() {
    for (max, fits) in [(5, true), (6, true), (4, false), (0, false)] {
        let peer = peer(|mut stream| {
            head(&mut stream)?;
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        });
        let answer = client().send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap();
        match answer.bytes(max) {
            Ok(bytes) => assert!(fits && bytes == b"hello"),
            Err(NetError::TooLong { limit, .. }) => assert!(!fits && limit == max),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Reads an answer to its end, in both ways.
fn body(play: fn(&mut TcpStream) -> io::Result<()>) -> NetError {
    let answer = |url: &Url| hasty_client().send(request(Method::Get, url, Body::Empty), &unwatched()).unwrap();
    let server = || {
        peer(move |mut stream| {
            head(&mut stream)?;
            play(stream.get_mut())
        })
    };
    let mut reader = answer(&server().url).into_reader();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let again = reader.read(&mut [0; 8]).unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    let first = error.downcast::<NetError>().unwrap();
    let second = answer(&server().url).bytes(1 << 30).unwrap_err();
    assert_eq!(std::mem::discriminant(&first), std::mem::discriminant(&second));
    first
}

#[test]
fn a_body_that_ends_early_or_stalls_is_an_error() {
    let cut = body(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"));
    assert!(matches!(cut, NetError::Interrupted { received: 3, .. }), "{cut:?}");
    let chunked = body(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n"));
    assert!(matches!(chunked, NetError::Interrupted { received: 3, .. }), "{chunked:?}");
    let stalled = body(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    assert!(matches!(stalled, NetError::Stalled { received: 3, .. }), "{stalled:?}");
    let trickle = body(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")?;
        for _ in 0..500 {
            stream.write_all(b"x")?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    });
    assert!(matches!(trickle, NetError::Trickle { .. }), "{trickle:?}");
}

#[test]
fn who_reads_slowly_is_not_the_server() {
    let (go_on, wait) = mpsc::channel();
    let peer = peer(move |mut stream| {
        head(&mut stream)?;
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")?;
        for byte in b"abc" {
            stream.get_mut().write_all(&[*byte])?;
            wait.recv().unwrap();
        }
        Ok(())
    });
    let answer = hasty_client().send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap();
    let (mut reader, mut byte) = (answer.into_reader(), [0]);
    for expected in b"abc" {
        assert_eq!(reader.read(&mut byte).unwrap(), 1);
        assert_eq!(byte[0], *expected);
        thread::sleep(Duration::from_millis(600));
        go_on.send(()).unwrap();
    }
    assert_eq!(reader.read(&mut byte).unwrap(), 0);
    peer.end().unwrap();
}

#[test]
fn a_head_is_bounded_in_every_way() {
    let floods: [fn(&mut TcpStream) -> io::Result<()>; 5] = [
        |stream| {
            let fields = "x: y\r\n".repeat(200);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{fields}\r\n")
        },
        |stream| {
            let long = "y".repeat(1 << 20);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx: {long}\r\n\r\n")
        },
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            (0..).try_for_each(|n: u64| write!(stream, "x-{n}: {n:0>1000}\r\n"))
        },
        |stream| (0..).try_for_each(|_: u64| stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")),
        |stream| stream.write_all(b"\0\xff no HTTP\r\n\r\n"),
    ];
    for flood in floods {
        let peer = peer(move |mut stream| {
            head(&mut stream)?;
            flood(stream.get_mut())
        });
        let error = hasty_client().send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap_err();
        assert!(matches!(error, NetError::Interrupted { .. } | NetError::Stalled { .. }), "{error:?}");
    }
}

#[test]
fn redirects_are_answers() {
    let peer = peer(|mut stream| {
        head(&mut stream)?;
        stream.get_mut().write_all(b"HTTP/1.1 307 To\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
    });
    let answer = client().send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap();
    assert_eq!((answer.status(), answer.header("LOCATION")), (307, Some("/a")));
    assert_eq!(answer.headers("location").collect::<Vec<_>>(), ["/a", "/b"]);
    assert_eq!(answer.headers("link").count(), 0);
}

#[test]
fn what_cannot_be_asked_is_not() {
    let client = client();
    let ask = |url: &str, value: &str| {
        let mut request = request(Method::Get, &Url::parse(url).unwrap(), Body::Empty);
        request.headers.push(("authorization", value.to_owned()));
        client.send(request, &unwatched()).unwrap_err()
    };
    assert!(matches!(ask("http://user@127.0.0.1:9/", "x"), NetError::Credentials { .. }));
    assert!(matches!(ask("http://:word@127.0.0.1:9/", "x"), NetError::Credentials { url } if !url.contains("word")));
    assert!(matches!(ask("https://127.0.0.1:9/", "x"), NetError::NoRoots { .. }));
    assert!(matches!(ask("file:///etc/passwd", "x"), NetError::Scheme { .. }));
    for value in ["secret\n", "secret\r\nx: y", "secret\0"] {
        let error = ask("http://127.0.0.1:9/", value);
        assert!(matches!(&error, NetError::Header { header, .. } if header == "authorization"), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
    }
}

#[test]
fn requests_do_not_show_what_is_in_them() {
    let mut request = request(Method::Put, &Url::parse("http://a.example/").unwrap(), Body::Bytes(b"secret"));
    request.headers.push(("authorization", "secret".to_owned()));
    assert!(!format!("{request:?}").contains("secret"), "{request:?}");
}

/// Ends all after it has been asked so often.
struct After(AtomicU32);

impl Watch for After {
    fn advanced(&self, _what: &str, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

pub(crate) fn after(asked: u32) -> Arc<dyn Watch + Send> {
    Arc::new(After(AtomicU32::new(asked)))
}

#[test]
fn waits_are_cancelled() {
    let peer = peer(|mut stream| stream.read_to_end(&mut Vec::new()).map(|_| ()));
    let error = client().send(request(Method::Get, &peer.url, Body::Empty), &after(3)).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
    peer.end().unwrap();
    let peer = self::peer(|mut stream| {
        head(&mut stream)?;
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let answer = client().send(request(Method::Get, &peer.url, Body::Empty), &after(8)).unwrap();
    let error = answer.into_reader().read_to_end(&mut Vec::new()).unwrap_err().downcast::<NetError>().unwrap();
    assert!(error.is_cancelled(), "{error:?}");
    peer.end().unwrap();
}

#[test]
fn a_body_that_is_dropped_ends_its_connection() {
    let peer = peer(|mut stream| {
        head(&mut stream)?;
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")?;
        while stream.get_mut().write_all(&[0; 4096]).is_ok() {}
        Ok(())
    });
    let client = client();
    let mut reader = client.send(request(Method::Get, &peer.url, Body::Empty), &unwatched()).unwrap().into_reader();
    reader.read_exact(&mut [0; 10]).unwrap();
    drop(reader);
    peer.end().unwrap();
}

/// A connection goes back to the others a moment after its answer was read, so that the next request may be too early for it:
/// most of them find it, and not each.
#[test]
fn connections_are_used_again() {
    const ROUNDS: u32 = 10;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/v2/", listener.local_addr().unwrap())).unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counted = connections.clone();
    // Ends with the process: it is never known whether another connection comes.
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || answer_all(BufReader::new(stream?)));
        }
        io::Result::Ok(())
    });
    let client = client();
    for _ in 0..ROUNDS {
        let mut content = io::repeat(1).take(1 << 20);
        let bodies = [
            (Method::Post, Body::Empty),
            (Method::Put, Body::Stream { content: &mut content, size: 1 << 20 }),
            (Method::Get, Body::Empty),
        ];
        for (method, body) in bodies {
            assert_eq!(client.send(request(method, &url, body), &unwatched()).unwrap().bytes(2).unwrap(), b"ok");
        }
    }
    let connections = connections.load(Ordering::SeqCst);
    assert!((1..=ROUNDS).contains(&connections), "{connections} connections for {} requests", 3 * ROUNDS);
}

/// Answers the requests of a connection until it ends.
fn answer_all(mut stream: BufReader<TcpStream>) -> io::Result<()> {
    while !stream.fill_buf()?.is_empty() {
        let head = head(&mut stream)?;
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        stream.read_exact(&mut vec![0; length])?;
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    }
    Ok(())
}

#[test]
fn clients_do_not_show_their_secrets() {
    let http = Some("http://user:secret@proxy.example:3128".to_owned());
    let proxies = crate::Proxies { http: http.clone(), https: http, no_proxy: None };
    let client = Client::new(ClientOptions { proxies, ..options() }).unwrap();
    assert!(!format!("{client:?}").contains("secret"), "{client:?}");
}
