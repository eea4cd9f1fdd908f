//! The exit statuses, which are the same for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Done; the answer is yes.
    Yes,
    /// The answer is no.
    No,
    /// The command line or a recipe is wrong, or asks for what cannot be.
    Mistake,
    /// Nothing can be said: what is known is missing or too old.
    Undecided,
    /// Something failed: the disk, an unreadable file, broken or hostile input.
    Failed,
    /// The signal with this number ended it.
    Signal(u8),
}

impl Status {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Mistake => 2,
            Self::Undecided => 3,
            Self::Failed => 4,
            // What a shell reports for a program that a signal ended.
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}
