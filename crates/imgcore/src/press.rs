//! Parts that are compressed by whichever thread has time.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::compression::{Compression, Encoder, Part};

/// A place where threads that read packages leave parts for others to compress, so that the stages of one large package
/// overlap. It has no threads of its own: whoever has nothing else to do calls [`Press::help`].
///
/// Who compresses a part has no influence on its bytes. No more parts wait than there is room for; a writer that finds no
/// room compresses its part itself, and one that needs a part nobody has taken takes it back.
pub struct Press {
    compression: Compression,
    room: usize,
    waiting: Mutex<VecDeque<Job>>,
    /// Told of every part that comes in.
    came: Condvar,
    encoders: Mutex<Vec<Encoder>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

struct Job {
    plain: Vec<u8>,
    ticket: Arc<Ticket>,
}

/// A compressed part.
pub(crate) type Packed = (Part, Vec<u8>);

/// What a writer gets for a part that it left.
#[derive(Default)]
pub(crate) struct Ticket {
    packed: Mutex<Option<io::Result<Packed>>>,
    done: Condvar,
}

impl Press {
    /// A press for parts of one compression. `room` is how many parts may wait; each takes up to 4 MiB.
    #[must_use]
    pub fn new(compression: Compression, room: usize) -> Self {
        Self {
            compression,
            room,
            waiting: Mutex::default(),
            came: Condvar::new(),
            encoders: Mutex::default(),
            buffers: Mutex::default(),
        }
    }

    /// Compresses the part that has waited longest. False where none waits.
    pub fn help(&self) -> bool {
        let Some(job) = lock(&self.waiting).pop_front() else { return false };
        self.run(job);
        true
    }

    /// Waits until a part comes in, as long as `goes_on`. That is asked before each wait, and again after each
    /// [`Press::wake`].
    ///
    /// There is no time limit: where somebody gives programs another clock, waits with one may never end.
    pub fn wait_while(&self, goes_on: &dyn Fn() -> bool) {
        let mut waiting = lock(&self.waiting);
        while waiting.is_empty() && goes_on() {
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has those who wait look again whether that goes on.
    pub fn wake(&self) {
        // Whoever has seen that it goes on waits before this has the lock, or has not asked yet.
        let _waiting = lock(&self.waiting);
        self.came.notify_all();
    }

    /// Gives up the memory that is kept for the next part. The next one takes its own again.
    pub fn rest(&self) {
        lock(&self.buffers).clear();
        lock(&self.encoders).clear();
    }

    /// Leaves a part to be compressed, or gives it back where there is no room.
    pub(crate) fn offer(&self, plain: Vec<u8>) -> Result<Arc<Ticket>, Vec<u8>> {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= self.room {
            return Err(plain);
        }
        let ticket = Arc::new(Ticket::default());
        waiting.push_back(Job { plain, ticket: Arc::clone(&ticket) });
        drop(waiting);
        self.came.notify_one();
        Ok(ticket)
    }

    /// The part of a ticket. Until it is done, the caller works on what waits.
    pub(crate) fn take(&self, ticket: &Ticket) -> io::Result<Packed> {
        loop {
            if let Some(packed) = lock(&ticket.packed).take() {
                return packed;
            }
            if self.help() {
                continue;
            }
            // Nothing waits, so another thread has it.
            let mut packed = lock(&ticket.packed);
            while packed.is_none() {
                packed = ticket.done.wait(packed).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// An empty buffer, one that was used before if there is any: fresh memory costs about as much as hashing it.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        lock(&self.buffers).pop().unwrap_or_default()
    }

    /// Gives a buffer to whoever needs one next.
    pub(crate) fn recycle(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = lock(&self.buffers);
        if buffers.len() <= self.room {
            buffers.push(buffer);
        }
    }

    /// An encoder, to be given back: there are as many as threads that compress at the same time.
    pub(crate) fn encoder(&self) -> io::Result<Encoder> {
        let kept = lock(&self.encoders).pop();
        kept.map_or_else(|| Encoder::new(self.compression), Ok)
    }

    /// Takes an encoder back.
    pub(crate) fn keep(&self, encoder: Encoder) {
        lock(&self.encoders).push(encoder);
    }

    fn run(&self, job: Job) {
        let packed = self.encode(&job.plain);
        self.recycle(job.plain);
        *lock(&job.ticket.packed) = Some(packed);
        job.ticket.done.notify_all();
    }

    fn encode(&self, plain: &[u8]) -> io::Result<Packed> {
        let mut encoder = self.encoder()?;
        let (part, packed) = encoder.encode(plain)?;
        let mut out = self.buffer();
        out.extend_from_slice(packed);
        self.keep(encoder);
        Ok((part, out))
    }
}

impl Ticket {
    /// The part, if it is done.
    pub(crate) fn poll(&self) -> Option<io::Result<Packed>> {
        lock(&self.packed).take()
    }
}

/// A thread that panicked takes the whole build down; until then the others may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Press")
            .field("compression", &self.compression)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
