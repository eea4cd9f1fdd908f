//! Shows how far a long operation is: bars on a terminal, a line now and then elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use distil_pipeline::{Digest, Escaped, Phase, Progress, Reference, Silent};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::{Global, ProgressChoice};
use crate::environment::Environment;
use crate::printer::Printer;
use crate::size::Size;

/// What shows the progress of an operation, as the user and the terminal want it.
pub(crate) fn of(global: &Global, environment: &Environment, printer: &Printer) -> Box<dyn Progress> {
    let bars = environment.stderr_is_terminal && environment.is_capable();
    match global.progress {
        _ if global.quiet => Box::new(Silent),
        ProgressChoice::None => Box::new(Notes(printer.clone())),
        ProgressChoice::Auto if bars => Box::new(Bars::new(printer.clone())),
        ProgressChoice::Auto | ProgressChoice::Plain => Box::new(Lines::new(printer.clone())),
    }
}

/// What a phase does, what its items are called, how many there are and how many bytes they have, where that is known.
fn described(phase: Phase) -> (&'static str, &'static str, Option<u64>, Option<u64>) {
    let count = |n: usize| Some(n as u64);
    match phase {
        Phase::Acquire { repositories } => ("Acquiring", "repositories", count(repositories), None),
        Phase::Resolve => ("Resolving", "packages", None, None),
        Phase::Fetch { packages, bytes } => ("Fetching", "packages", count(packages), Some(bytes)),
        Phase::Convert { packages, bytes } => ("Converting", "packages", count(packages), Some(bytes)),
        Phase::Write { layers, bytes } => ("Writing", "layers", count(layers), bytes),
        Phase::Copy => ("Copying", "blobs", None, None),
        Phase::Read { layers, bytes } => ("Reading", "layers", count(layers), Some(bytes)),
        Phase::Check => ("Checking", "blobs", None, None),
        Phase::Import { files, bytes } => ("Importing", "files", count(files), Some(bytes)),
        _ => ("Working", "items", None, None),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves at worst a wrong number on the terminal.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two bars, of items and of bytes, which go away when the operation is over.
#[derive(Debug)]
struct Bars {
    items: ProgressBar,
    bytes: ProgressBar,
    running: Mutex<Vec<String>>,
    printer: Printer,
}

impl Bars {
    fn new(printer: Printer) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = || ProgressBar::new_spinner();
        let bars = Self { items: all.add(bar()), bytes: all.add(bar()), running: Mutex::default(), printer };
        bars.items.enable_steady_tick(Duration::from_millis(200));
        bars
    }

    /// Shows the item that runs for the longest time, since that is the one that people wait for.
    fn show(&self, running: &[String]) {
        self.bytes.set_message(running.first().cloned().unwrap_or_default());
    }
}

impl Progress for Bars {
    fn phase(&self, phase: Phase) {
        let (verb, items, count, bytes) = described(phase);
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
        };
        let counted = if count.is_some() { "{bar:30} {pos}/{len}" } else { "{spinner} {pos}" };
        let measured = if bytes.is_some() { "{bar:30} {bytes}/{total_bytes}" } else { "{bytes}" };
        self.items.set_style(style(&format!("{verb:>12} {counted} {items}")));
        self.bytes.set_style(style(&format!("{:>12} {measured} {{wide_msg}}", "")));
        for (bar, length) in [(&self.items, count), (&self.bytes, bytes)] {
            bar.reset();
            length.map_or_else(|| bar.unset_length(), |n| bar.set_length(n));
        }
        locked(&self.running).clear();
    }

    fn started(&self, name: &str) {
        let mut running = locked(&self.running);
        running.push(Escaped(name.as_bytes()).to_string());
        self.show(&running);
    }

    fn advanced(&self, _: &str, bytes: u64) {
        self.bytes.inc(bytes);
    }

    fn finished(&self, name: &str) {
        let name = Escaped(name.as_bytes()).to_string();
        let mut running = locked(&self.running);
        if let Some(at) = running.iter().position(|other| *other == name) {
            running.remove(at);
        }
        self.items.inc(1);
        self.show(&running);
    }

    fn resolved(&self, reference: &Reference, digest: &Digest) {
        self.items.suspend(|| tell(&self.printer, reference, digest));
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bytes.finish_and_clear();
        self.items.finish_and_clear();
    }
}

/// A line every few seconds, so that somebody who reads a log sees that something happens. What takes less time is not
/// mentioned.
struct Lines {
    printer: Printer,
    state: Mutex<State>,
}

struct State {
    phase: Option<Phase>,
    items: u64,
    bytes: u64,
    last: Instant,
}

const EVERY: Duration = Duration::from_secs(5);

impl Lines {
    fn new(printer: Printer) -> Self {
        Self { printer, state: Mutex::new(State { phase: None, items: 0, bytes: 0, last: Instant::now() }) }
    }

    fn count(&self, items: u64, bytes: u64) {
        let mut state = locked(&self.state);
        state.items += items;
        state.bytes += bytes;
        if state.last.elapsed() >= EVERY {
            state.last = Instant::now();
            self.printer.note(&state.line());
        }
    }
}

impl State {
    fn line(&self) -> String {
        let Some(phase) = self.phase else { return "Working".to_owned() };
        let (verb, items, count, bytes) = described(phase);
        let of = |total: Option<String>| total.map(|total| format!(" of {total}")).unwrap_or_default();
        format!(
            "{verb}: {}{} {items}, {}{}",
            self.items,
            of(count.map(|n| n.to_string())),
            Size(self.bytes),
            of(bytes.map(|n| Size(n).to_string()))
        )
    }
}

impl Progress for Lines {
    fn phase(&self, phase: Phase) {
        let mut state = locked(&self.state);
        *state = State { phase: Some(phase), items: 0, bytes: 0, last: state.last };
    }

    fn started(&self, _: &str) {}

    fn advanced(&self, _: &str, bytes: u64) {
        self.count(0, bytes);
    }

    fn finished(&self, _: &str) {
        self.count(1, 0);
    }

    fn resolved(&self, reference: &Reference, digest: &Digest) {
        tell(&self.printer, reference, digest);
    }
}

/// Says what has to be said once, and nothing of how far it is.
struct Notes(Printer);

impl Progress for Notes {
    fn phase(&self, _: Phase) {}
    fn started(&self, _: &str) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}

    fn resolved(&self, reference: &Reference, digest: &Digest) {
        tell(&self.0, reference, digest);
    }
}

fn tell(printer: &Printer, reference: &Reference, digest: &Digest) {
    printer.note(&format!("{reference} is {digest}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_is_done() {
        let phase = Some(Phase::Convert { packages: 40, bytes: 4 << 20 });
        let state = State { phase, items: 7, bytes: 1 << 20, last: Instant::now() };
        assert_eq!(state.line(), "Converting: 7 of 40 packages, 1.0 MiB of 4.0 MiB");
        let state = State { phase: Some(Phase::Check), items: 7, bytes: 1 << 20, last: Instant::now() };
        assert_eq!(state.line(), "Checking: 7 blobs, 1.0 MiB");
    }

    #[test]
    fn bars_take_every_report() {
        let bars = Bars::new(Printer::plain());
        bars.items.set_draw_target(ProgressDrawTarget::hidden());
        bars.bytes.set_draw_target(ProgressDrawTarget::hidden());
        for phase in [Phase::Convert { packages: 2, bytes: 10 }, Phase::Write { layers: 1, bytes: None }, Phase::Check]
        {
            bars.phase(phase);
            bars.started("a");
            bars.started("b");
            bars.advanced("a", 10);
            bars.finished("a");
            assert_eq!((bars.items.position(), bars.bytes.position()), (1, 10));
            assert_eq!(*locked(&bars.running), ["b"]);
        }
    }
}
