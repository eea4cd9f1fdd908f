//! Debian packages, made by hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ar::{self, Member};
use crate::program::Program;
use crate::tar::{self, Entry};

/// A package to be. Every part may be replaced by one that is wrong.
#[derive(Debug, Clone)]
pub struct Deb {
    /// The name, which the file name starts with, too.
    pub name: String,
    /// The control file.
    pub control: String,
    /// What else lies in the control archive, by name.
    pub control_files: Vec<(String, String)>,
    /// The data archive's entries.
    pub data: Vec<Entry>,
    /// The suffix of the two archives, and so the program that compresses them: empty, `gz`, `xz` or `zst`.
    pub compression: &'static str,
}

impl Deb {
    /// A package of the name, version 1.0, for all architectures, with nothing in it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let control = format!(
            "Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: A Tester <tester@example.org>\n\
             Description: made by hand\n"
        );
        Self {
            name: name.to_owned(),
            control,
            control_files: Vec::new(),
            data: vec![Entry::directory("./")],
            compression: "",
        }
    }

    /// The same with another line in the control file.
    #[must_use]
    pub fn field(mut self, line: &str) -> Self {
        self.control = format!("{line}\n{}", self.control);
        self
    }

    /// The same with another value of a field that is there.
    #[must_use]
    pub fn with(mut self, field: &str, value: &str) -> Self {
        let line = format!("{field}: {}\n", self.value(field));
        self.control = self.control.replacen(&line, &format!("{field}: {value}\n"), 1);
        self
    }

    /// The value of a field of one line.
    #[must_use]
    pub fn value(&self, field: &str) -> String {
        let value = self.control.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("no {field} in {}", self.control)).to_owned()
    }

    /// The same with a file, and the directories above it.
    #[must_use]
    pub fn file(self, path: &str, content: &str) -> Self {
        self.entry(Entry::file(&format!(".{path}"), content))
    }

    /// The same with an entry, and the directories above it that are not there yet.
    #[must_use]
    pub fn entry(mut self, entry: Entry) -> Self {
        let name = String::from_utf8(entry.name.clone()).unwrap();
        for (slash, _) in name.trim_end_matches('/').match_indices('/').skip(1) {
            let above = name.split_at(slash).0;
            if self.data.iter().all(|entry| entry.name.strip_suffix(b"/").unwrap_or(&entry.name) != above.as_bytes()) {
                self.data.push(Entry::directory(&format!("{above}/")));
            }
        }
        self.data.push(entry);
        self
    }

    /// The same with its archives compressed: `gz`, `xz` or `zst`.
    #[must_use]
    pub fn compressed(self, compression: &'static str) -> Self {
        Self { compression, ..self }
    }

    /// The three members of the package.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let mut control = vec![Entry::directory("./"), Entry::file("./control", self.control.as_bytes())];
        control
            .extend(self.control_files.iter().map(|(name, text)| Entry::file(&format!("./{name}"), text.as_bytes())));
        let member = |stem: &str, entries: &[Entry]| {
            let plain = tar::archive(entries);
            match self.compression {
                "" => Member::new(stem, plain),
                suffix => Member::new(&format!("{stem}.{suffix}"), compress(plain, suffix)),
            }
        };
        vec![Member::new("debian-binary", "2.0\n"), member("control.tar", &control), member("data.tar", &self.data)]
    }

    /// The bytes of the package.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        ar::archive(&self.members())
    }

    /// Writes the package into a folder and gives its path.
    #[must_use]
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}_1.0_all.deb", self.name));
        fs::write(&path, self.bytes()).unwrap();
        path
    }
}

/// Compresses with the program of a suffix: `gz`, `xz` or `zst`.
pub(crate) fn compress(plain: Vec<u8>, suffix: &str) -> Vec<u8> {
    let program = match suffix {
        "gz" => "gzip",
        "xz" => "xz",
        "zst" => "zstd",
        other => panic!("no program makes .{other}"),
    };
    Program::new(program).arg("-c").input(plain).run().success().stdout
}
