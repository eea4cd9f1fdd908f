//! Real registries, on free loopback ports, with their storage in temporary directories.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::authority::Authority;
use crate::place;
use crate::program::{self, Program};
use crate::token_server::{SERVICE, TokenServer};

/// How long a registry may take until it listens.
const PATIENCE: Duration = Duration::from_mins(2);

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    process: Child,
    storage: PathBuf,
    _guard: tempfile::TempDir,
}

/// How a registry is run. By default it speaks plain HTTP and lets everybody do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup<'a> {
    /// Users and their passwords, one of which has to be sent with each request.
    pub users: &'a [(&'a str, &'a str)],
    /// Where tokens come from that have to be sent with each request.
    pub tokens: Option<&'a TokenServer>,
    /// Who certifies the registry, which speaks TLS then.
    pub authority: Option<&'a Authority>,
    /// Whether the same authority has to have certified who asks.
    pub clients_certified: bool,
}

impl Registry {
    /// Starts `docker-registry` and waits until it listens. It has no referrers API.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&Setup::default())
    }

    /// The same in another setup.
    #[must_use]
    pub fn with(setup: &Setup<'_>) -> Self {
        let (guard, folder) = program::folder();
        let (configuration, storage, log) = (folder.join("config.yml"), folder.join("data"), folder.join("log"));
        fs::write(&configuration, setup.configuration(&folder, &storage)).unwrap();
        let mut command = Command::new(place::peer("docker-registry"));
        command.arg("serve").arg(configuration).stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        let mut registry = Self { port: 0, process, storage, _guard: guard };
        let start = Instant::now();
        // It takes a free port itself: one that were found for it could be somebody else's by then.
        while start.elapsed() < PATIENCE && registry.process.try_wait().unwrap().is_none() {
            if let Some(port) = port_in(&fs::read_to_string(&log).unwrap()) {
                registry.port = port;
                return registry;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("docker-registry does not listen: {}", fs::read_to_string(&log).unwrap());
    }

    /// Starts the registry of go-containerregistry, which has the referrers API and keeps everything in memory.
    #[must_use]
    pub fn start_with_referrers() -> Self {
        let (guard, storage) = program::folder();
        let mut command = Command::new(place::peer("referrers-registry"));
        // It ends when its standard input does, so also where this process is killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let _read = BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("referrers-registry said {line:?}"));
        Self { port, process, storage, _guard: guard }
    }

    /// The name of a repository in it.
    #[must_use]
    pub fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// Address and port.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of what is stored.
    #[must_use]
    pub fn storage(&self) -> &Path {
        &self.storage
    }
}

/// The port that `docker-registry` says it listens on, once it has said all of it.
fn port_in(log: &str) -> Option<u16> {
    let (_, said) = log.split_once("listening on 127.0.0.1:")?;
    said.split_once(|c: char| !c.is_ascii_digit())?.0.parse().ok()
}

impl Setup<'_> {
    fn configuration(&self, folder: &Path, storage: &Path) -> String {
        let mut text = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             http:\n  addr: \"127.0.0.1:0\"\n",
            storage.display()
        );
        if let Some(authority) = self.authority {
            let server = authority.server();
            let (certificate, key) = (server.certificate.display(), server.key.display());
            let _ = write!(text, "  tls:\n    certificate: {certificate}\n    key: {key}\n");
            if self.clients_certified {
                let _ = writeln!(text, "    clientcas: [{}]", authority.certificate().display());
            }
        }
        if !self.users.is_empty() {
            let file = folder.join("htpasswd");
            fs::write(&file, htpasswd(self.users)).unwrap();
            let _ = write!(text, "auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display());
        }
        if let Some(tokens) = self.tokens {
            let (realm, certificate) = (tokens.realm(), tokens.certificate().display());
            let _ = write!(
                text,
                "auth:\n  token:\n    realm: {realm}\n    service: {SERVICE}\n    issuer: {SERVICE}\n    \
                 rootcertbundle: {certificate}\n"
            );
        }
        text
    }
}

/// Lines of names and passwords under bcrypt, as the C library of Debian hashes them.
fn htpasswd(users: &[(&str, &str)]) -> String {
    let line = |(user, password): &(&str, &str)| {
        let script = "print crypt($ARGV[0], '$2y$05$ThisSaltIsForTests1234')";
        let hashed = Program::new("perl").args(["-e", script, password]).run().success().text();
        assert!(hashed.starts_with("$2y$"), "the C library hashes no passwords under bcrypt: {hashed}");
        format!("{user}:{hashed}\n")
    };
    users.iter().map(line).collect()
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}
