//! One look through the bytes of a file, with bounded memory.

use std::collections::BTreeSet;

use distil_imgcore::{Entry, EntryKind};
use serde::{Deserialize, Serialize};

use super::{Sight, accounts, credentials, elf, secrets, switches, tools};

/// Bytes of a file that is understood as text.
pub(super) const MAX_TEXT: usize = 64 << 10;
/// Bytes of a program or library that is looked at whole. Of a larger one only the beginning is, which tells of its address,
/// its stack and its segments, and nothing of the libraries that it needs.
pub const MAX_ELF: usize = 48 << 20;
/// Bytes that are gathered before they are searched for secrets.
const AT_ONCE: usize = 64 << 10;
/// What is told of one file at most.
const MAX_SIGHTS: usize = 32;

/// Looks at the bytes of one regular file, in pieces of any size.
#[derive(Debug)]
pub struct Looker {
    path: String,
    is_text_wanted: bool,
    is_executable: bool,
    /// The first bytes: enough to tell what the file is, all of it for a program.
    head: Vec<u8>,
    room: usize,
    /// What has not been searched yet.
    window: Vec<u8>,
    /// Whether the window begins where the file does not.
    has_before: bool,
    sights: Vec<Sight>,
    shells: BTreeSet<&'static str>,
}

/// What the bytes of a file told. It may be kept, and holds no secret: of those it says as much as an observation does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Looked {
    /// What a rule may be about, in the order of rules.
    pub(super) sights: Vec<Sight>,
    /// Names and uids, where it is the file of accounts.
    pub(super) accounts: Option<String>,
    /// Whether it is a program or library.
    pub(super) is_elf: bool,
}

impl Looked {
    /// Whether it told nothing, so that it need not be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Looker {
    /// For the file of an entry.
    #[must_use]
    pub fn new(entry: &Entry) -> Self {
        let path = String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
        let is_text_wanted = accounts::is_wanted(&path)
            || credentials::is_wanted(&path)
            || switches::is_wanted(&path)
            || path == PRELOAD;
        let is_executable = matches!(entry.kind, EntryKind::File { .. }) && entry.meta.mode & 0o111 != 0;
        Self {
            path,
            is_text_wanted,
            is_executable,
            head: Vec::new(),
            // So that nothing is lost before the first bytes have told what the file is.
            room: MAX_TEXT + AT_ONCE,
            window: Vec::new(),
            has_before: false,
            sights: Vec::new(),
            shells: BTreeSet::new(),
        }
    }

    /// Looks at the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(AT_ONCE));
            bytes = rest;
            let missing = self.room.saturating_sub(self.head.len());
            let was_known = self.head.len() >= elf::MAGIC.len();
            self.head.extend_from_slice(piece.get(..missing).unwrap_or(piece));
            if !was_known && self.head.len() >= elf::MAGIC.len() {
                self.room = if elf::is_elf(&self.head) { MAX_ELF } else { MAX_TEXT };
            }
            self.window.extend_from_slice(piece);
            if self.window.len() >= AT_ONCE + secrets::REACH {
                self.search(self.window.len() - secrets::REACH);
            }
        }
    }

    /// Searches what starts in the first bytes of the window, and lets go of them but for one, which tells whether the next
    /// word stands alone.
    fn search(&mut self, until: usize) {
        if self.sights.len() < MAX_SIGHTS {
            secrets::find(&self.window, usize::from(self.has_before)..until, &mut self.sights);
        }
        if self.is_executable && elf::is_elf(&self.head) {
            self.shells.extend(tools::shells(&self.window));
        }
        self.has_before = true;
        self.window.drain(..until.saturating_sub(1));
    }

    /// What it all told.
    #[must_use]
    pub fn finish(mut self) -> Looked {
        self.search(self.window.len());
        let mut looked = Looked { sights: self.sights, accounts: None, is_elf: elf::is_elf(&self.head) };
        looked.sights.truncate(MAX_SIGHTS);
        for name in self.shells {
            looked.sights.push(Sight { rule: "DSTL-FS-004", seen: format!("a program that says it is {name}") });
        }
        if looked.is_elf {
            looked.sights.extend(elf::look(&self.path, &self.head));
        } else if elf::is_key_store(&self.head) {
            looked.sights.push(Sight::new("DSTL-FS-018", "a Java key store with a private key"));
        }
        if self.is_text_wanted {
            let text = String::from_utf8_lossy(&self.head).into_owned();
            if accounts::is_wanted(&self.path) {
                looked.sights.extend(accounts::look(&self.path, &text));
            }
            looked.sights.extend(switches::look(&self.path, &text));
            if let Some(login) = credentials::look(&self.path, &text) {
                // What is inside of a login is that login.
                looked.sights.retain(|sight| !SECRETS.contains(&sight.rule));
                looked.sights.push(login);
            }
            if self.path == PRELOAD && text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) {
                looked.sights.push(Sight::new("DSTL-FS-025", "it names a library"));
            }
            looked.accounts = (self.path == accounts::PASSWD).then(|| accounts::uids(&text));
        }
        looked.sights.sort();
        looked
    }
}

/// Rules about secrets in what a file holds.
pub(super) const SECRETS: &[&str] = &["DSTL-FS-008", "DSTL-FS-009", "DSTL-FS-010", "DSTL-FS-018", "DSTL-FS-024"];

const PRELOAD: &str = "etc/ld.so.preload";
