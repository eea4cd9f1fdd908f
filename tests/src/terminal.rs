//! A terminal with somebody at it.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::place;

/// A program in a terminal of its own, with a minute of time.
#[derive(Debug)]
pub struct Terminal {
    here: File,
    there: OwnedFd,
    process: Child,
    shown: String,
}

impl Terminal {
    /// Starts a program in a folder. All three streams are the terminal.
    #[must_use]
    pub fn start(program: &Path, arguments: &[&str], folder: &Path) -> Self {
        let here = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&here).unwrap();
        unlockpt(&here).unwrap();
        fcntl_setfl(&here, OFlags::NONBLOCK).unwrap();
        let there = ioctl_tiocgptpeer(&here, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let stream = || Stdio::from(there.try_clone().unwrap());
        // Another program makes it the terminal that the session is controlled from.
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "60"]).arg(place::peer("setsid")).args(["--ctty", "--wait"]).arg(program);
        command.args(arguments).current_dir(folder).env_remove("COSIGN_PASSWORD");
        let process = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        Self { here: File::from(here), there, process, shown: String::new() }
    }

    /// Waits until this is shown.
    pub fn wait_for(&mut self, text: &str) {
        while !self.shown.ends_with(text) {
            let ended = self.process.try_wait().unwrap();
            if !self.read() {
                assert!(ended.is_none(), "{ended:?} after {:?}", self.shown);
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Reads a byte of what is shown, where there is one by now.
    fn read(&mut self) -> bool {
        let mut byte = [0];
        match self.here.read(&mut byte) {
            Ok(0) => false,
            Ok(_) => {
                self.shown.push(char::from(byte[0]));
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error} after {:?}", self.shown);
                false
            }
        }
    }

    /// Types this.
    pub fn types(&mut self, text: &str) {
        self.here.write_all(text.as_bytes()).unwrap();
    }

    /// Sends the program a signal, as in `TERM`, from elsewhere than the terminal.
    pub fn signal(&self, name: &str) {
        // Those who only start it wait for one other process each.
        let child = |of: &String| {
            let all = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
            all.split_whitespace().next().map(str::to_owned)
        };
        let last = std::iter::successors(Some(self.process.id().to_string()), child).last().unwrap();
        let _sent = crate::Program::new("kill").args([format!("-{name}"), last]).run().success();
    }

    /// Whether what is typed is shown.
    #[must_use]
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.there).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end, and gives it with everything that was shown and whether the terminal echoes again.
    #[must_use]
    pub fn end(mut self) -> (ExitStatus, String, bool) {
        // Whoever writes to a terminal waits for those who look at it.
        let status = loop {
            let ended = self.process.try_wait().unwrap();
            if self.read() {
                continue;
            }
            match ended {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let echoes = self.echoes();
        // What is still on its way comes before the end, which comes when nobody is at the other side.
        drop(self.there);
        let mut rest = Vec::new();
        while self.here.read_to_end(&mut rest).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            thread::sleep(Duration::from_millis(5));
        }
        (status, self.shown + &String::from_utf8_lossy(&rest), echoes)
    }
}
