//! Asks for a password at the terminal, which shows nothing of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};

use distil_pipeline::signing::{PasswordError, Zeroizing};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::signals::Before;

/// The terminal that the command was started from, wherever its input and output go.
const TERMINAL: &str = "/dev/tty";

/// Bytes of a line that terminals keep until its end.
const MAX_LINE: usize = 4096;

/// Asks each question, and gives the answer, which has to be the same to all of them.
pub(super) fn ask(questions: &[&str]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open(TERMINAL) else {
        return Err(PasswordError::Missing);
    };
    let failed = |source| PasswordError::Read { from: "the terminal".to_owned(), source };
    let silent = Silent::new(terminal.try_clone().map_err(failed)?).map_err(failed)?;
    let mut answer = None;
    for question in questions {
        terminal.write_all(question.as_bytes()).map_err(failed)?;
        let line = silent.line(&terminal).map_err(failed);
        // What ended the line was not shown either.
        terminal.write_all(b"\n").map_err(failed)?;
        let line = line?.ok_or(PasswordError::Interrupted)?;
        if answer.as_ref().is_some_and(|answer| *answer != line) {
            return Err(PasswordError::Different);
        }
        answer = Some(line);
    }
    answer.ok_or(PasswordError::Missing)
}

/// A terminal that shows nothing of what is typed, until this is dropped or a signal ends the process.
///
/// The keys that send signals end the line instead, so that nothing is asked again after them.
struct Silent {
    terminal: File,
    before: Termios,
    interrupts: [u8; 2],
    /// A process that a signal ends leaves the terminal as it is then, and whoever sits there would go on in the dark.
    _before_signals: Before,
}

impl Silent {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let interrupts = [SpecialCodeIndex::VINTR, SpecialCodeIndex::VQUIT].map(|key| before.special_codes[key]);
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        modes.local_modes.insert(LocalModes::ICANON);
        modes.special_codes[SpecialCodeIndex::VEOL] = interrupts[0];
        modes.special_codes[SpecialCodeIndex::VEOL2] = interrupts[1];
        let (restored, seen) = (before.clone(), terminal.try_clone()?);
        let before_signals = Before::ending(move || {
            let _ = tcsetattr(&seen, OptionalActions::Now, &restored);
        })?;
        // What was typed before was shown, and is no answer.
        tcsetattr(&terminal, OptionalActions::Flush, &modes)?;
        Ok(Self { terminal, before, interrupts, _before_signals: before_signals })
    }

    /// A line without its end; nothing where somebody interrupted it.
    fn line(&self, mut terminal: &File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
        let mut byte = Zeroizing::new([0]);
        loop {
            let read = match terminal.read(byte.as_mut_slice()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let [typed] = *byte;
            match typed {
                // The end of the input, and of the line as well.
                _ if read == 0 => return Ok((!line.is_empty()).then_some(line)),
                b'\n' => return Ok(Some(line)),
                other if self.interrupts.contains(&other) => return Ok(None),
                _ if line.len() == MAX_LINE => return Err(io::ErrorKind::InvalidData.into()),
                other => line.push(other),
            }
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to put back.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
