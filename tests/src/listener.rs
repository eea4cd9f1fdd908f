//! What the servers of this kit stand on: a free loopback port, a thread for each connection, and an end of all of them.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};

/// Connections that may be open at once; one more is closed unanswered.
const MOST_CONNECTIONS: usize = 256;

/// Listens until it is dropped, which ends all its connections too.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Serves each connection by this function, several at once. Where it ends, so does the connection.
    pub(crate) fn start(serve: impl Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, ended) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&ended);
        let thread = thread::spawn(move || listen(&listener, &seen, &Arc::new(serve)));
        Self { address, ended, thread: Some(thread) }
    }

    /// The port, on `127.0.0.1`.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Address and port.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, which then sees that it is over.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn listen<S>(listener: &TcpListener, ended: &AtomicBool, serve: &Arc<S>)
where
    S: Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static,
{
    // What is here keeps no connection open that its thread is done with.
    let mut open: Vec<(Weak<TcpStream>, JoinHandle<()>)> = Vec::new();
    for stream in listener.incoming() {
        if ended.load(Ordering::SeqCst) {
            break;
        }
        open.retain(|(_, thread)| !thread.is_finished());
        let Ok(stream) = stream.map(Arc::new) else { continue };
        if open.len() < MOST_CONNECTIONS {
            let (serve, known) = (Arc::clone(serve), Arc::downgrade(&stream));
            let thread = thread::spawn(move || {
                // The other side went away, which is its right.
                let _: io::Result<()> = serve(&stream);
            });
            open.push((known, thread));
        }
    }
    for (stream, thread) in open {
        let _: Option<io::Result<()>> = stream.upgrade().map(|stream| stream.shutdown(Shutdown::Both));
        let _ended = thread.join();
    }
}

/// A test that fails while it holds a lock has said already what is wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
