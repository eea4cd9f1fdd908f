//! What SIGINT and SIGTERM do.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::status::Status;

/// The signals that ask a program to end.
///
/// Until [`Signals::cancel`] they end it on the spot, with the status that a shell would report: commands that only read
/// leave nothing behind. From then on they only raise a flag, so that the work ends at its next step and removes its
/// temporary files on the way out.
#[derive(Debug)]
pub(crate) struct Signals {
    at_once: Arc<AtomicBool>,
    cancelled: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        let signals = Self {
            at_once: Arc::new(AtomicBool::new(true)),
            cancelled: Arc::new(AtomicBool::new(false)),
            received: Arc::new(AtomicUsize::new(0)),
        };
        for (signal, number) in [(SIGINT, 2_u8), (SIGTERM, 15)] {
            let code = i32::from(Status::Signal(number).code());
            flag::register_conditional_shutdown(signal, code, Arc::clone(&signals.at_once))?;
            flag::register_usize(signal, Arc::clone(&signals.received), usize::from(number))?;
            flag::register(signal, Arc::clone(&signals.cancelled))?;
        }
        // With a handler a write past the limit on the size of files is an error like a full disk, and is cleaned up after.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// From now on signals only raise the flag that this gives.
    pub(crate) fn cancel(&self) -> Arc<AtomicBool> {
        self.at_once.store(false, Ordering::SeqCst);
        Arc::clone(&self.cancelled)
    }

    /// The status to end with, where a signal came.
    pub(crate) fn status(&self) -> Option<Status> {
        let number = u8::try_from(self.received.load(Ordering::SeqCst)).unwrap_or_default();
        (number != 0).then_some(Status::Signal(number))
    }
}
