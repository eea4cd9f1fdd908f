//! Sending what a reader gives, at the pace of the server.

use std::future::poll_fn;
use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use crate::client::Client;
use crate::error::NetError;
use crate::exchange::{Ended, Patience, explain};

/// What is read at once: little enough that the allocator gives the same memory again, and does not ask for new pages.
pub(crate) const CHUNK: u64 = 64 << 10;
/// Pieces that are read but not yet on their way.
const AHEAD: usize = 8;
/// What is handed to the connection at once: little, since an upload that moves shows by it.
const FRAME: usize = 32 << 10;

/// A reader that has not the size that was said.
#[derive(Debug, thiserror::Error)]
enum WrongSize {
    #[error("expected {expected} bytes, found {found}")]
    Short { expected: u64, found: u64 },
    #[error("more than {expected} bytes")]
    Long { expected: u64 },
}

/// Holds a connection whose request is not whole. Dropped, it ends it.
pub(crate) struct Rest {
    _chunks: mpsc::Sender<Bytes>,
}

/// What both sides know of an upload.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes that the connection has taken.
    taken: AtomicU64,
    /// Set once the server has answered: it wants no more.
    answered: AtomicBool,
}

/// An upload under way, as the thread that reads sees it.
pub(crate) struct Upload<'a> {
    pub(crate) client: &'a Client,
    pub(crate) patience: Patience<'a>,
    /// The URL as messages show it.
    pub(crate) name: &'a str,
    pub(crate) size: u64,
}

/// What a wait ends with.
enum Event<'s> {
    /// The next piece may be sent.
    Room(mpsc::Permit<'s, Bytes>),
    /// The connection takes no more, and is about to say why.
    Closed,
    Answer(Result<reqwest::Response, NetError>),
}

impl Upload<'_> {
    /// Sends the request with the content as its body, and waits for the head of the answer.
    pub(crate) fn run(
        self,
        http: &reqwest::Client,
        mut request: reqwest::Request,
        content: &mut dyn Read,
    ) -> Result<(reqwest::Response, Rest), NetError> {
        // What can be found wrong before anything is sent, is.
        let mut read = 0;
        let mut chunk = self.next(content, &mut read)?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let progress = Arc::new(Progress::default());
        let body =
            Outgoing { chunks: receiver, current: Bytes::new(), left: self.size, progress: Arc::clone(&progress) };
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let mut sending = Sending(self.client.spawn(http.execute(request), self.name)?);
        loop {
            // Without a next piece, what is left to wait for is the answer.
            let room = (!chunk.is_empty()).then(|| sender.reserve());
            match self.wait(&progress, &mut sending, room)? {
                Event::Room(permit) => {
                    permit.send(std::mem::take(&mut chunk));
                    if read < self.size {
                        chunk = self.next(content, &mut read)?;
                    }
                }
                Event::Closed => chunk.clear(),
                Event::Answer(answer) => {
                    progress.answered.store(true, Ordering::Relaxed);
                    return Ok((answer?, Rest { _chunks: sender.clone() }));
                }
            }
        }
    }

    /// The next piece of the content. The last one is given out once the content has been seen to end with it, so that a
    /// longer one is never sent as if it were whole.
    fn next(&self, content: &mut dyn Read, read: &mut u64) -> Result<Bytes, NetError> {
        let failed = |source| NetError::Source { url: self.name.to_owned(), source };
        let wanted = (self.size - *read).min(CHUNK);
        let mut chunk = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let found = content.take(wanted).read_to_end(&mut chunk).map_err(failed)? as u64;
        *read += found;
        if found < wanted {
            let wrong = WrongSize::Short { expected: self.size, found: *read };
            return Err(failed(io::Error::new(io::ErrorKind::UnexpectedEof, wrong)));
        }
        if *read == self.size && content.take(1).read_to_end(&mut Vec::new()).map_err(failed)? > 0 {
            let wrong = WrongSize::Long { expected: self.size };
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, wrong)));
        }
        Ok(chunk.into())
    }

    /// Waits until there is room for the next piece or an answer, as long as the server takes what it is sent.
    fn wait<'s>(
        &self,
        progress: &Progress,
        sending: &mut Sending,
        room: Option<impl Future<Output = Result<mpsc::Permit<'s, Bytes>, mpsc::error::SendError<()>>>>,
    ) -> Result<Event<'s>, NetError> {
        let taken = || progress.taken.load(Ordering::Relaxed);
        let idle = || match taken() {
            taken if taken >= self.size => self.client.patience_to_store(),
            0 => self.client.patience_to_answer(),
            _ => self.client.timeouts.idle,
        };
        let event = async {
            let mut room = pin!(room);
            poll_fn(|cx| {
                if let Poll::Ready(answer) = Pin::new(&mut sending.0).poll(cx) {
                    return Poll::Ready(Event::Answer(self.answer(answer)));
                }
                let Some(room) = room.as_mut().as_pin_mut() else { return Poll::Pending };
                room.poll(cx).map(|room| room.map_or(Event::Closed, Event::Room))
            })
            .await
        };
        let waited = self.client.block_on(self.patience.wait_while(idle, taken, event), self.name)?;
        waited.map_err(|ended| match ended {
            Ended::Idle(waited) if (1..self.size).contains(&taken()) => {
                NetError::NotTaken { url: self.name.to_owned(), sent: taken(), waited }
            }
            ended => ended.explain(self.client, self.name, 0),
        })
    }

    fn answer(
        &self,
        answer: Result<Result<reqwest::Response, reqwest::Error>, JoinError>,
    ) -> Result<reqwest::Response, NetError> {
        match answer {
            Ok(answer) => answer.map_err(|error| explain(error, self.name, 0)),
            Err(error) => {
                Err(NetError::Interrupted { url: self.name.to_owned(), received: 0, source: Box::new(error) })
            }
        }
    }
}

/// A request on its way. Dropped, it is no longer waited for, and its connection ends.
struct Sending(JoinHandle<Result<reqwest::Response, reqwest::Error>>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body, as the connection sees it. It never ends before it is whole: it fails.
struct Outgoing {
    chunks: mpsc::Receiver<Bytes>,
    current: Bytes,
    left: u64,
    progress: Arc<Progress>,
}

/// The thread that reads has given up.
#[derive(Debug, thiserror::Error)]
#[error("the request was given up with {left} bytes to go")]
struct GivenUp {
    left: u64,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        while this.current.is_empty() || this.progress.answered.load(Ordering::Relaxed) {
            match ready!(this.chunks.poll_recv(cx)) {
                Some(chunk) => this.current = chunk,
                None => return Poll::Ready(Some(Err(GivenUp { left: this.left }))),
            }
        }
        let frame = this.current.split_to(this.current.len().min(FRAME));
        this.left = this.left.saturating_sub(frame.len() as u64);
        this.progress.taken.fetch_add(frame.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests;
