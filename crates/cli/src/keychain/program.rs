//! Credential helpers: programs `docker-credential-NAME` that are asked for logins, see their [protocol].
//!
//! [protocol]: https://github.com/docker/docker-credential-helpers#development

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use distil_pipeline::{Escaped, HelperFault, Login, read_helper_answer};

/// The programs in a search path.
#[derive(Debug)]
pub(super) struct Helpers {
    /// `PATH`.
    path: Option<OsString>,
    /// How long one may take to answer. It may ask the user something.
    patience: Duration,
}

/// Why a helper gives no login.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelperError {
    #[error("cannot run {program}")]
    Start { program: String, source: io::Error },
    #[error("{program} has not answered after {} seconds", .after.as_secs())]
    Silent { program: String, after: Duration },
    #[error("{program} writes more than {MOST} bytes")]
    TooLong { program: String },
    #[error("{program} gives no login{}", said(.stderr))]
    Answer { program: String, stderr: Vec<u8>, source: HelperFault },
}

/// Bytes that a helper may write to each of its outputs. Tokens have some KiB.
const MOST: u64 = 64 << 10;
/// How long a helper may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether a helper has ended.
const LOOK: Duration = Duration::from_millis(10);
/// Bytes of what a helper says beside its answer that are shown.
const SHOWN: usize = 400;

impl Helpers {
    /// The helpers that are found in a `PATH`.
    pub(super) fn in_path(path: Option<OsString>) -> Self {
        Self { path, patience: PATIENCE }
    }

    /// The login that a helper has for a server; none where it knows none.
    ///
    /// # Errors
    /// [`HelperError`]. No part of the answer is in it.
    pub(super) fn login(&self, name: &str, server: &str) -> Result<Option<Login>, HelperError> {
        let program = format!("docker-credential-{name}");
        let mut command = Command::new(&program);
        command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let failed = |source| HelperError::Start { program: program.clone(), source };
        let mut child = Ended(command.spawn().map_err(failed)?);
        let (stdout, stderr) = (read(child.0.stdout.take()), read(child.0.stderr.take()));
        if let Some(mut stdin) = child.0.stdin.take() {
            // One that does not read what it is asked says so by its answer.
            let _ = writeln!(stdin, "{server}");
        }
        let end = Instant::now() + self.patience;
        // Outputs end before the program does, or go on after it where it left another one behind.
        let left = || end.saturating_duration_since(Instant::now());
        let silent = || HelperError::Silent { program: program.clone(), after: self.patience };
        let stdout = stdout.recv_timeout(left()).map_err(|_| silent())?;
        let stderr = stderr.recv_timeout(left()).map_err(|_| silent())?;
        if [&stdout, &stderr].iter().any(|output| output.len() as u64 > MOST) {
            return Err(HelperError::TooLong { program });
        }
        let status = loop {
            match child.0.try_wait().map_err(failed)? {
                Some(status) => break status,
                None if left().is_zero() => return Err(silent()),
                None => thread::sleep(LOOK),
            }
        };
        read_helper_answer(status.success(), &stdout).map_err(|source| HelperError::Answer {
            program: program.clone(),
            stderr,
            source,
        })
    }

    /// The one that lies beside this file.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let mut path = OsString::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/keychain/testdata:"));
        path.push("/usr/bin:/bin");
        Self::in_path(Some(path))
    }
}

/// A program that does not outlive us.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has ended already where all went well; both fail then, which is no matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads an output in a thread of its own, so that a program that fills the other one is not held up. The thread ends when
/// the output does, or after as many bytes as are of use.
fn read(output: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(output) = output {
            // What was read before an error is judged like any other answer.
            let _ = output.take(MOST + 1).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn said(stderr: &[u8]) -> String {
    let stderr = stderr.trim_ascii();
    let shown = stderr.get(..SHOWN).unwrap_or(stderr);
    if shown.is_empty() { String::new() } else { format!(" and says: {}", Escaped(shown)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &str) -> Result<Option<Login>, HelperError> {
        Helpers::for_tests().login("test", server)
    }

    #[test]
    fn a_helper_is_told_the_server_and_gives_the_login() {
        let Ok(Some(Login::Password { user, password })) = ask("password.example.org") else { panic!() };
        assert_eq!((user.as_str(), password.reveal()), ("me", "word"));
        assert_eq!(ask("none.example.org").unwrap(), None);
    }

    #[test]
    fn what_a_helper_says_beside_its_answer_is_shown_escaped() {
        let error = ask("locked.example.org").unwrap_err();
        assert!(matches!(&error, HelperError::Answer { source: HelperFault::Failed { .. }, .. }), "{error:?}");
        assert!(error.to_string().ends_with(r"says: the keychain is \x1b[1mlocked"), "{error}");
    }

    #[test]
    fn a_helper_that_does_not_end_is_ended() {
        assert!(matches!(ask("endless.example.org"), Err(HelperError::TooLong { .. })));
        let helpers = Helpers { patience: Duration::from_millis(100), ..Helpers::for_tests() };
        assert!(matches!(helpers.login("test", "silent.example.org"), Err(HelperError::Silent { .. })));
    }

    #[test]
    fn a_helper_that_is_not_there_is_named() {
        let error = Helpers::for_tests().login("no-such", "x").unwrap_err();
        assert!(matches!(error, HelperError::Start { program, .. } if program == "docker-credential-no-such"));
    }
}
