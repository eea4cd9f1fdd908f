//! A network that breaks: whatever goes through it is cut where the test says.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::listener::{Listener, lock};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// Passes connections on to a server on loopback, and cuts them. Ends when it is dropped.
#[derive(Debug)]
pub struct Breaking {
    listener: Listener,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    server: String,
    /// The cuts to come, in their order: the way, and the bytes that still go there before.
    cuts: Mutex<Vec<(Way, u64)>>,
    made: AtomicU64,
    /// Bytes that went each way.
    up: AtomicU64,
    down: AtomicU64,
}

impl Breaking {
    /// Stands before a server, `127.0.0.1:PORT`, and lets everything through at first.
    #[must_use]
    pub fn before(server: &str) -> Self {
        let state = Arc::new(State { server: server.to_owned(), ..State::default() });
        let shared = Arc::clone(&state);
        Self { listener: Listener::start(move |client| pass_on(client, &shared)), state }
    }

    /// Where it listens: address and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// Lets so many more bytes through one way, on whatever connections, and cuts the one that brings the next, both ways.
    /// Cuts are made one after the other, each counting from the one before.
    pub fn cut(&self, way: Way, after: u64) {
        lock(&self.state.cuts).push((way, after));
    }

    /// Makes no more cuts.
    pub fn hold(&self) {
        lock(&self.state.cuts).clear();
    }

    /// How many connections were cut so far.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.state.made.load(Ordering::SeqCst)
    }

    /// How many bytes went through so far.
    #[must_use]
    pub fn passed(&self, way: Way) -> u64 {
        self.state.passed(way).load(Ordering::SeqCst)
    }
}

impl State {
    fn passed(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }

    /// How many of these bytes go through before the connection is cut, if it is.
    fn allowed(&self, way: Way, bytes: usize) -> Option<usize> {
        let mut cuts = lock(&self.cuts);
        match cuts.first_mut() {
            Some((cut, left)) if *cut == way => {
                if bytes as u64 > *left {
                    let allowed = usize::try_from(*left).unwrap();
                    cuts.remove(0);
                    return Some(allowed);
                }
                *left -= bytes as u64;
                None
            }
            _ => None,
        }
    }
}

fn pass_on(client: &TcpStream, state: &State) -> io::Result<()> {
    let server = TcpStream::connect(&state.server)?;
    let is_cut = AtomicBool::new(false);
    thread::scope(|scope| {
        for (way, from, to) in [(Way::Up, client, &server), (Way::Down, &server, client)] {
            let is_cut = &is_cut;
            scope.spawn(move || {
                // Either side went away, which is its right.
                let _: io::Result<()> = carry(way, from, to, state, is_cut);
                if way == Way::Up || !is_cut.load(Ordering::SeqCst) {
                    let _: io::Result<()> = to.shutdown(Shutdown::Write);
                }
            });
        }
    });
    // The server has seen the end of it by now: who asks it at once what it has gets one answer, whatever else there is to do.
    let _: io::Result<()> = client.shutdown(Shutdown::Both);
    Ok(())
}

/// How long a server may take to close what was cut.
const CLOSING: Duration = Duration::from_secs(20);

fn carry(way: Way, mut from: &TcpStream, mut to: &TcpStream, state: &State, is_cut: &AtomicBool) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        // What a server says to half a request is not heard.
        if is_cut.load(Ordering::SeqCst) {
            continue;
        }
        let allowed = state.allowed(way, n);
        let passing = &buffer[..allowed.unwrap_or(n)];
        // Whoever has got an answer finds that all of both was counted.
        state.passed(way).fetch_add(passing.len() as u64, Ordering::SeqCst);
        to.write_all(passing)?;
        if allowed.is_some() {
            state.made.fetch_add(1, Ordering::SeqCst);
            is_cut.store(true, Ordering::SeqCst);
            if way == Way::Up {
                to.set_read_timeout(Some(CLOSING))?;
                return to.shutdown(Shutdown::Write);
            }
            from.shutdown(Shutdown::Both)?;
            return to.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Sends back what it gets.
    fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming().take(3).flatten() {
                let _: io::Result<u64> = io::copy(&mut &stream, &mut &stream);
            }
        });
        address
    }

    fn said(breaking: &Breaking) -> Vec<u8> {
        let mut stream = TcpStream::connect(breaking.host()).unwrap();
        stream.write_all(b"0123456789").unwrap();
        let _: io::Result<()> = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        // A cut may also be seen as a reset.
        let _: io::Result<usize> = stream.read_to_end(&mut answer);
        answer
    }

    #[test]
    fn cuts_are_made_where_they_were_ordered() {
        let breaking = Breaking::before(&echo());
        assert_eq!(said(&breaking), b"0123456789");
        breaking.cut(Way::Down, 13);
        assert_eq!(said(&breaking), b"0123456789");
        assert_eq!(said(&breaking), b"012");
        assert_eq!((breaking.made(), breaking.passed(Way::Up), breaking.passed(Way::Down)), (1, 30, 23));
    }
}
