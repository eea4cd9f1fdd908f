//! A real registry, on a free loopback port, with its storage in a temporary directory.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::place;
use crate::program;

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    process: Child,
    _storage: tempfile::TempDir,
}

impl Registry {
    /// Starts `docker-registry` and waits until it answers, 10 seconds at most.
    #[must_use]
    pub fn start() -> Self {
        let (storage, folder) = program::folder();
        // The port is free until somebody else takes it in the moment between; then the wait below ends with a panic.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\n",
            folder.join("data").display()
        );
        fs::write(&configuration, text).unwrap();
        let mut command = Command::new(place::peer("docker-registry"));
        command.arg("serve").arg(configuration).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { port, process: command.spawn().unwrap(), _storage: storage };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("docker-registry does not answer on port {port}");
    }

    /// The name of a repository in it.
    #[must_use]
    pub fn repository(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}
