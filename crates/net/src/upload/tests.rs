use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::{CHUNK, Read, io};
use crate::request::tests::{after, client, hasty, head, peer, request, unwatched};
use crate::{Body, Client, Method, NetError, Response};

const SIZE: u64 = 1 << 30;

/// Zeros, of which it is known how many were read.
struct Counted {
    left: u64,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        buf[..size].fill(0);
        (self.left, self.read) = (self.left - size as u64, self.read + size as u64);
        Ok(size)
    }
}

fn zeros() -> Counted {
    Counted { left: SIZE, read: 0 }
}

fn send(url: &url::Url, content: &mut dyn Read, size: u64) -> Result<Response, NetError> {
    client().send(request(Method::Put, url, Body::Stream { content, size }), &unwatched())
}

#[test]
fn an_early_answer_ends_the_upload() {
    for status in [201, 401, 413] {
        let peer = peer(move |mut stream| {
            head(&mut stream)?;
            write!(stream.get_mut(), "HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\nhello")?;
            let read = io::copy(&mut stream, &mut io::sink())?;
            assert!(read < SIZE / 4, "{read} bytes sent");
            Ok(())
        });
        let mut content = zeros();
        let client = client();
        let body = Body::Stream { content: &mut content, size: SIZE };
        let answer = client.send(request(Method::Put, &peer.url, body), &unwatched()).unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.bytes(5).unwrap(), b"hello");
        assert!(content.read < SIZE / 4, "{} bytes read", content.read);
        peer.end().unwrap();
    }
}

#[test]
fn a_server_that_answers_and_goes_is_understood_or_reported() {
    for how in [Shutdown::Both, Shutdown::Write, Shutdown::Read] {
        let peer = peer(move |mut stream| {
            head(&mut stream)?;
            stream.get_mut().write_all(b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")?;
            stream.get_mut().shutdown(how)
        });
        match send(&peer.url, &mut zeros(), SIZE) {
            Ok(answer) => assert_eq!(answer.status(), 413),
            Err(error) => assert!(matches!(error, NetError::Interrupted { .. }), "{error:?}"),
        }
    }
}

#[test]
fn a_server_that_stops_reading_is_left() {
    let (done, wait) = mpsc::channel::<()>();
    let peer = peer(move |mut stream| {
        head(&mut stream)?;
        stream.read_exact(&mut [0; 1000])?;
        // The other end is dropped once the client has given up.
        let _ended = wait.recv();
        Ok(())
    });
    let mut content = zeros();
    let body = Body::Stream { content: &mut content, size: SIZE };
    let client = Arc::new(Client::new(hasty()).unwrap());
    let error = client.send(request(Method::Put, &peer.url, body), &unwatched()).unwrap_err();
    drop(done);
    assert!(matches!(error, NetError::NotTaken { sent: 1.., .. }), "{error:?}");
    assert!(error.may_retry());
    peer.end().unwrap();
}

#[test]
fn a_server_that_goes_is_reported() {
    let peer = peer(|mut stream| {
        head(&mut stream)?;
        stream.read_exact(&mut vec![0; 100_000])
    });
    let error = send(&peer.url, &mut zeros(), SIZE).unwrap_err();
    assert!(matches!(error, NetError::Interrupted { .. }), "{error:?}");
}

/// Sends so many bytes as if they were of this size, and says what the server got behind the head.
fn sent(mut content: impl Read, size: u64) -> (NetError, u64) {
    let (tell, told) = mpsc::channel();
    let peer = peer(move |mut stream| {
        head(&mut stream)?;
        // It may be cut off or reset.
        let mut read = 0;
        let mut buffer = [0; 4096];
        while let Ok(more @ 1..) = stream.read(&mut buffer) {
            read += more as u64;
        }
        tell.send(read).unwrap();
        Ok(())
    });
    let error = send(&peer.url, &mut content, size).unwrap_err();
    // Where nothing was sent the server still waits for a connection.
    drop(TcpStream::connect(peer.url.socket_addrs(|| None).unwrap()[0]));
    peer.end().unwrap();
    (error, told.recv().unwrap())
}

#[test]
fn content_of_another_size_is_never_sent_as_whole() {
    const LARGE: u64 = 5 * CHUNK;
    for size in [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, LARGE] {
        for found in [size - 1, size + 1, size + CHUNK] {
            let (error, sent) = sent(io::repeat(0).take(found), size);
            assert!(sent < size, "{size} {found} {sent}");
            let NetError::Source { source, .. } = error else { panic!("{error:?}") };
            let short = found < size;
            let kind = if short { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
            assert_eq!(source.kind(), kind);
        }
    }
    let (error, sent) = sent(io::repeat(0).take(1), 0);
    assert!(matches!(error, NetError::Source { .. }) && sent == 0, "{error:?}");
}

#[test]
fn a_reader_that_fails_ends_the_request() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
    }
    for before in [0, 1000, CHUNK, 3 * CHUNK] {
        for size in [before + 1, before + 10 * CHUNK] {
            let (error, sent) = sent(io::repeat(0).take(before).chain(Failing), size);
            assert!(sent < size);
            let NetError::Source { source, .. } = error else { panic!("{error:?}") };
            assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
        }
    }
    // Nor is what has all its bytes whole, where the reader cannot say that it ends there.
    let (error, sent) = sent(io::repeat(0).take(CHUNK).chain(Failing), CHUNK);
    assert!(matches!(error, NetError::Source { .. }) && sent < CHUNK, "{error:?}");
}

#[test]
fn an_upload_is_cancelled() {
    let peer = peer(|mut stream| {
        head(&mut stream)?;
        let mut read = 0;
        thread::sleep(Duration::from_millis(300));
        let mut buffer = [0; 4096];
        while let Ok(more @ 1..) = stream.read(&mut buffer) {
            read += more as u64;
        }
        assert!(read < SIZE);
        Ok(())
    });
    let mut content = zeros();
    let body = Body::Stream { content: &mut content, size: SIZE };
    let error = client().send(request(Method::Put, &peer.url, body), &after(20)).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
    peer.end().unwrap();
}

#[test]
fn large_bytes_are_sent_like_a_stream() {
    let content = vec![7; 3 << 20];
    let expected = content.clone();
    let peer = peer(move |mut stream| {
        head(&mut stream)?;
        let mut found = vec![0; expected.len()];
        stream.read_exact(&mut found)?;
        assert!(found == expected, "other bytes");
        stream.get_mut().write_all(b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n")
    });
    let answer = client().send(request(Method::Patch, &peer.url, Body::Bytes(&content)), &unwatched()).unwrap();
    assert_eq!(answer.status(), 202);
    peer.end().unwrap();
}
