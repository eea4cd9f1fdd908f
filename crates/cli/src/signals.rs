//! What SIGINT and SIGTERM do.

use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level::{emulate_default_handler, pipe};
use signal_hook::{SigId, flag, low_level};

use crate::status::Status;

/// Whether they end the process on the spot: one for all that watch for them, as a process has each signal once.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// The signals that ask a program to end.
///
/// Until [`Signals::cancel`] they end it on the spot, with the status that a shell would report: commands that only read
/// leave nothing behind. From then on they only raise a flag, so that the work ends at its next step and removes its
/// temporary files on the way out.
#[derive(Debug)]
pub(crate) struct Signals {
    cancelled: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        let signals = Self { cancelled: Arc::new(AtomicBool::new(false)), received: Arc::new(AtomicUsize::new(0)) };
        for (signal, number) in [(SIGINT, 2_u8), (SIGTERM, 15)] {
            let code = i32::from(Status::Signal(number).code());
            flag::register_conditional_shutdown(signal, code, Arc::clone(&AT_ONCE))?;
            flag::register_usize(signal, Arc::clone(&signals.received), usize::from(number))?;
            flag::register(signal, Arc::clone(&signals.cancelled))?;
        }
        // With a handler a write past the limit on the size of files is an error like a full disk, and is cleaned up after.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// From now on signals only raise the flag that this gives.
    pub(crate) fn cancel(&self) -> Arc<AtomicBool> {
        AT_ONCE.store(false, Ordering::SeqCst);
        Arc::clone(&self.cancelled)
    }

    /// The status to end with, where a signal came.
    pub(crate) fn status(&self) -> Option<Status> {
        let number = u8::try_from(self.received.load(Ordering::SeqCst)).unwrap_or_default();
        (number != 0).then_some(Status::Signal(number))
    }
}

/// Something to be done before one of these signals ends the process, for as long as this is there; it ends as by the signal
/// alone. Afterwards they end it on the spot again.
#[derive(Debug)]
pub(crate) struct Before {
    actions: Vec<SigId>,
    /// Where the one who waits for them is told that there is nothing to wait for any more.
    end: UnixStream,
    waiting: Option<JoinHandle<()>>,
}

impl Before {
    pub(crate) fn ending(work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let received = Arc::new(AtomicUsize::new(0));
        let (mut told, end) = UnixStream::pair()?;
        let mut actions = Vec::new();
        for (signal, number) in [(SIGINT, 2), (SIGTERM, 15)] {
            // Nothing of what is registered here goes away as if it had never been: without this one, nobody would heed the
            // signal afterwards.
            flag::register_conditional_default(signal, Arc::clone(&AT_ONCE))?;
            actions.push(flag::register_usize(signal, Arc::clone(&received), number)?);
            actions.push(pipe::register(signal, end.try_clone()?)?);
        }
        let waiting = thread::Builder::new().spawn(move || {
            // What is read says only that it is time to look.
            let _ = told.read(&mut [0]);
            let received = received.load(Ordering::SeqCst);
            if let Some(signal) = [SIGINT, SIGTERM].into_iter().find(|signal| usize::try_from(*signal) == Ok(received))
            {
                work();
                let _ = emulate_default_handler(signal);
            }
        })?;
        AT_ONCE.store(false, Ordering::SeqCst);
        Ok(Self { actions, end, waiting: Some(waiting) })
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        AT_ONCE.store(true, Ordering::SeqCst);
        for action in self.actions.drain(..) {
            low_level::unregister(action);
        }
        let _ = self.end.shutdown(Shutdown::Both);
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.join();
        }
    }
}
