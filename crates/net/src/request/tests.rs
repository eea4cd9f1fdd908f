//! What goes over the line, and what comes back.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use url::Url;

use super::*;
use crate::{ClientOptions, Retry, Timeouts, Unwatched};

/// Plays the server of one connection: it gets the stream with nothing read from it.
struct Peer {
    url: Url,
    thread: JoinHandle<io::Result<()>>,
}

fn peer(play: impl FnOnce(BufReader<TcpStream>) -> io::Result<()> + Send + 'static) -> Peer {
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
fn head(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<String>> {
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

fn options() -> ClientOptions {
    ClientOptions {
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            idle: Duration::from_millis(300),
            whole: Duration::from_secs(20),
        },
        retry: Retry { attempts: 4, first_wait: Duration::from_millis(1), longest_wait: Duration::from_millis(50) },
        ..ClientOptions::default()
    }
}

fn client() -> Arc<Client> {
    Arc::new(Client::new(options()).unwrap())
}

fn unwatched() -> Arc<dyn Watch + Send> {
    Arc::new(Unwatched)
}

fn request<'a>(method: Method, url: &Url, body: Body<'a>) -> Request<'a> {
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
        peer.thread.join().unwrap().unwrap();
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
    peer.thread.join().unwrap().unwrap();
}
