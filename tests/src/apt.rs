//! Signed apt repositories, made of packages by hand and signed by a real gpg.
//!
//! [`Repository`] says what is published; [`Repository::publish`] writes it into a folder, as `file:` sources and web
//! servers offer it. What is wrong with a repository is said by rewriting one text before it is summed or signed; what is
//! wrong with a mirror is done to the files afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::deb::{Deb, compress};
use crate::program::{self, Program};

/// The first second of 2026: the time of keys, repositories and signatures that say no other.
pub const TIME: i64 = 1_767_225_600;
/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// A key pair, in a gpg home that goes away with it.
#[derive(Debug)]
pub struct Signer {
    home: PathBuf,
    fingerprint: String,
    _guard: tempfile::TempDir,
}

impl Signer {
    /// A new Ed25519 key without an end, as old as [`TIME`].
    #[must_use]
    pub fn new() -> Self {
        Self::with("ed25519", "never")
    }

    /// A new key, as old as [`TIME`], of an algorithm and with an expiry as gpg understands them.
    #[must_use]
    pub fn with(algorithm: &str, expiry: &str) -> Self {
        let (guard, home) = program::folder();
        let mut signer = Self { home, fingerprint: String::new(), _guard: guard };
        let name = "Repository of a test <tester@example.org>";
        let ran = signer.gpg(TIME).args(["--status-fd", "1", "--quick-generate-key", name, algorithm, "sign", expiry]);
        let status = ran.run().success().text();
        let created = status.lines().find_map(|line| line.strip_prefix("[GNUPG:] KEY_CREATED P "));
        created.unwrap_or_else(|| panic!("no key in {status}")).clone_into(&mut signer.fingerprint);
        signer
    }

    /// The fingerprint, 40 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The public key, as `Signed-By` files hold it.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        self.gpg(TIME).args(["--export", &self.fingerprint]).run().success().stdout
    }

    /// Writes the public key into a folder and gives its path.
    #[must_use]
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("keyring.gpg");
        fs::write(&path, self.public_key()).unwrap();
        path
    }

    /// A text with its signature around it.
    #[must_use]
    pub fn sign_inline(&self, text: &str, time: i64) -> Vec<u8> {
        self.gpg(time).arg("--clearsign").input(text.into()).run().success().stdout
    }

    /// The armoured signature of a text.
    #[must_use]
    pub fn sign_detached(&self, text: &str, time: i64) -> Vec<u8> {
        self.gpg(time).args(["--armor", "--detach-sign"]).input(text.into()).run().success().stdout
    }

    fn gpg(&self, time: i64) -> Program {
        let gpg = Program::new("gpg").env("GNUPGHOME", &self.home);
        let gpg = gpg.args(["--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]);
        // The mark stops the clock: it would run on, and a key that took a second to make would be newer than its signature.
        gpg.args(["--digest-algo", "SHA512", "--faked-system-time", &format!("{time}!")])
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // The agent that gpg started would notice by itself that its home is gone, but only after a minute.
        let _ended = Program::new("gpgconf").env("GNUPGHOME", &self.home).args(["--kill", "all"]).run();
    }
}

/// Where the signature of a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// In `InRelease`.
    Inline,
    /// In `Release.gpg`, beside `Release`.
    Detached,
    /// Nowhere: `Release` alone.
    Missing,
}

/// A text, and what it becomes.
pub type Rewriting = (String, String);

/// A repository of one suite, to be published.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The suite, and its codename. One that ends in a slash is a flat repository's folder.
    pub suite: String,
    /// The architectures that have an index.
    pub architectures: Vec<&'static str>,
    /// Whether packages for all architectures have an index of their own, or stand in every other.
    pub all_apart: bool,
    /// The forms of an index that are there: empty for plain, `gz`, `xz`. The release lists the plain one in any case.
    pub forms: Vec<&'static str>,
    /// Whether indices can also be had by their digest.
    pub by_hash: bool,
    /// `Date` and the time of the signature, in seconds since 1970.
    pub date: i64,
    /// `Valid-Until`, in seconds since 1970.
    pub valid_until: Option<i64>,
    /// How it is signed.
    pub signature: Signature,
    /// Packages with their components.
    pub packages: Vec<(String, Deb)>,
    /// What is replaced in the release before it is signed.
    pub rewritten_release: Vec<Rewriting>,
    /// What is replaced in every index before it is summed.
    pub rewritten_indices: Vec<Rewriting>,
}

impl Repository {
    /// An empty repository for amd64, dated [`TIME`] and signed inline.
    #[must_use]
    pub fn new(suite: &str) -> Self {
        Self {
            suite: suite.to_owned(),
            architectures: vec!["amd64"],
            all_apart: false,
            forms: vec!["", "gz", "xz"],
            by_hash: true,
            date: TIME,
            valid_until: None,
            signature: Signature::Inline,
            packages: Vec::new(),
            rewritten_release: Vec::new(),
            rewritten_indices: Vec::new(),
        }
    }

    /// The same with a package in the component `main`.
    #[must_use]
    pub fn with(self, deb: Deb) -> Self {
        self.with_in("main", deb)
    }

    /// The same with a package in a component.
    #[must_use]
    pub fn with_in(mut self, component: &str, deb: Deb) -> Self {
        self.packages.push((component.to_owned(), deb));
        self
    }

    /// The same with another date.
    #[must_use]
    pub fn dated(self, date: i64) -> Self {
        Self { date, ..self }
    }

    /// The same with a text in the release replaced before it is signed.
    #[must_use]
    pub fn release_rewritten(mut self, from: &str, to: &str) -> Self {
        self.rewritten_release.push((from.to_owned(), to.to_owned()));
        self
    }

    /// The same with a text in every index replaced before it is summed.
    #[must_use]
    pub fn indices_rewritten(mut self, from: &str, to: &str) -> Self {
        self.rewritten_indices.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Writes the repository into a folder, over one that is there: packages stay, indices and signatures are replaced.
    pub fn publish(&self, folder: &Path, signer: &Signer) {
        let stanzas = self.publish_packages(folder);
        let dist = self.dist(folder);
        if dist.exists() {
            fs::remove_dir_all(&dist).unwrap();
        }
        fs::create_dir_all(&dist).unwrap();
        let indices = self.indices(&stanzas);
        for (path, bytes) in indices.iter().filter(|(path, _)| self.offers(path)) {
            write(&dist.join(path), bytes);
            if self.by_hash {
                write(&dist.join(path).with_file_name("by-hash").join("SHA256").join(sha256(bytes)), bytes);
            }
        }
        let release = self.release(&indices);
        match self.signature {
            Signature::Inline => write(&dist.join("InRelease"), &signer.sign_inline(&release, self.date)),
            Signature::Detached => write(&dist.join("Release.gpg"), &signer.sign_detached(&release, self.date)),
            Signature::Missing => {}
        }
        if self.signature != Signature::Inline {
            write(&dist.join("Release"), release.as_bytes());
        }
    }

    /// The folder that the release lies in.
    #[must_use]
    pub fn dist(&self, folder: &Path) -> PathBuf {
        if self.is_flat() { folder.join(&self.suite) } else { folder.join("dists").join(&self.suite) }
    }

    fn is_flat(&self) -> bool {
        self.suite.ends_with('/')
    }

    /// Writes the packages and gives their stanzas with component and architecture.
    fn publish_packages(&self, folder: &Path) -> Vec<(String, String, String)> {
        let mut stanzas = Vec::new();
        for (component, deb) in &self.packages {
            let (name, version, architecture) = (deb.value("Package"), deb.value("Version"), deb.value("Architecture"));
            let file = format!("{name}_{version}_{architecture}.deb");
            let path = if self.is_flat() { file } else { format!("pool/{component}/{name}/{file}") };
            let bytes = deb.bytes();
            let mut stanza = deb.control.clone();
            let _ = writeln!(stanza, "Filename: {path}\nSize: {}\nSHA256: {}", bytes.len(), sha256(&bytes));
            write(&folder.join(&path), &bytes);
            stanzas.push((component.clone(), architecture, stanza));
        }
        stanzas
    }

    /// Every index in every form, by its path.
    fn indices(&self, stanzas: &[(String, String, String)]) -> BTreeMap<String, Vec<u8>> {
        let apart = self.all_apart.then_some("all");
        let mut indices = BTreeMap::new();
        for component in self.components() {
            for architecture in self.architectures.iter().copied().chain(apart) {
                let belongs = |of: &str| of == architecture || (of == "all" && !self.all_apart);
                let of_index = stanzas.iter().filter(|(c, a, _)| *c == component && belongs(a));
                let text = of_index.map(|(_, _, stanza)| stanza.as_str()).collect::<Vec<_>>().join("\n");
                let text = rewrite(text, &self.rewritten_indices);
                let stem = if self.is_flat() {
                    "Packages".to_owned()
                } else {
                    format!("{component}/binary-{architecture}/Packages")
                };
                for suffix in self.forms.iter().filter(|suffix| !suffix.is_empty()) {
                    indices.insert(format!("{stem}.{suffix}"), compress(text.clone().into_bytes(), suffix));
                }
                indices.insert(stem, text.into_bytes());
            }
        }
        indices
    }

    /// Whether an index can be had, beside being listed.
    fn offers(&self, path: &str) -> bool {
        !path.ends_with("Packages") || self.forms.contains(&"")
    }

    fn components(&self) -> Vec<String> {
        let mut components: Vec<String> = self.packages.iter().map(|(component, _)| component.clone()).collect();
        components.push("main".to_owned());
        components.sort();
        components.dedup();
        components
    }

    /// The text of the release.
    fn release(&self, indices: &BTreeMap<String, Vec<u8>>) -> String {
        let mut text = format!("Origin: Test\nLabel: Test\nSuite: {0}\nCodename: {0}\n", self.suite);
        let _ = writeln!(text, "Date: {}", rfc_1123(self.date));
        if let Some(end) = self.valid_until {
            let _ = writeln!(text, "Valid-Until: {}", rfc_1123(end));
        }
        let all = if self.all_apart { " all" } else { "" };
        let _ = writeln!(text, "Architectures: {}{all}", self.architectures.join(" "));
        let _ = writeln!(text, "Components: {}", self.components().join(" "));
        if self.by_hash {
            text.push_str("Acquire-By-Hash: yes\n");
        }
        text.push_str("SHA256:\n");
        for (path, bytes) in indices {
            let _ = writeln!(text, " {} {} {path}", sha256(bytes), bytes.len());
        }
        rewrite(text, &self.rewritten_release)
    }
}

fn rewrite(mut text: String, rewritings: &[Rewriting]) -> String {
    for (from, to) in rewritings {
        assert!(text.contains(from), "nothing to rewrite: {from:?} is not in: {text}");
        text = text.replace(from, to);
    }
    text
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The time as releases state it.
#[must_use]
pub fn rfc_1123(seconds: i64) -> String {
    let date = Program::new("date").env("LC_ALL", "C").args(["-u", "-d", &format!("@{seconds}")]);
    date.arg("+%a, %d %b %Y %H:%M:%S UTC").run().success().text().trim().to_owned()
}

/// The SHA-256 of bytes in hexadecimal, as `sha256sum` gives it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let text = Program::new("sha256sum").input(bytes.to_vec()).run().success().text();
    text.split(' ').next().unwrap().to_owned()
}
