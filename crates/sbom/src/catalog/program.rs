//! What a program was linked from, found while its bytes pass.
//!
//! A program that tells nothing costs next to nothing: its outline says where Go's build information could be, which is in
//! a small part of it, and where the sections are that nothing loads, of which a stripped program has a few hundred bytes.

use std::ops::Range;

use super::elf::{MAGIC, Outline, Parts};
use super::found::Found;
use super::{cargo, golang};

/// Bytes at the beginning that must hold the table of segments. Programs have about a dozen of 56 bytes.
const HEAD: usize = 4096;
/// Bytes at the end that are kept, at most: a program with names for debuggers has them behind the section of
/// cargo-auditable.
const TAIL: u64 = 16 << 20;

/// Looks at the bytes of a program as they come.
#[derive(Debug)]
pub(super) struct Program {
    size: u64,
    /// How many bytes came.
    position: u64,
    head: Vec<u8>,
    state: State,
    /// Where Go's build information may be, in order.
    writable: Vec<Range<u64>>,
    go: golang::Search,
    tail: Vec<u8>,
    /// Where the bytes begin that are kept.
    behind: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body,
    NoProgram,
}

impl Program {
    pub(super) fn new(size: u64) -> Self {
        Self {
            size,
            position: 0,
            head: Vec::new(),
            state: State::Head,
            writable: Vec::new(),
            go: golang::Search::default(),
            tail: Vec::new(),
            behind: size,
        }
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        if self.state == State::Head {
            let (first, rest) = bytes.split_at_checked(HEAD - self.head.len()).unwrap_or((bytes, &[]));
            self.head.extend_from_slice(first);
            bytes = rest;
            if self.head.len() >= MAGIC.len() && !self.head.starts_with(MAGIC) {
                self.state = State::NoProgram;
            } else if self.head.len() == HEAD || self.head.len() as u64 >= self.size {
                self.begin();
            }
        }
        if self.state == State::Body {
            self.pass(bytes);
        }
    }

    /// What the program tells. Bytes that are missing, or that are more than was said, make it tell less.
    pub(super) fn finish(mut self) -> Vec<Found> {
        if self.state == State::Head {
            self.begin();
        }
        if self.state != State::Body {
            return Vec::new();
        }
        let mut found = self.go.finish();
        if self.position == self.size {
            let parts = Parts { size: self.size, head: &self.head, tail: &self.tail };
            found.extend(parts.section(cargo::SECTION).map(cargo::find).unwrap_or_default());
        }
        found
    }

    fn begin(&mut self) {
        let Some(outline) = Outline::of(&self.head) else {
            self.state = State::NoProgram;
            return;
        };
        self.state = State::Body;
        self.writable = outline.writable;
        // Go's own linker puts the table first, and then nothing of cargo-auditable's is behind.
        let behind = outline.loaded.max(self.size.saturating_sub(TAIL));
        if outline.sections >= behind && outline.sections < self.size {
            self.behind = behind;
        }
        let head = std::mem::take(&mut self.head);
        self.pass(&head);
        self.head = head;
    }

    fn pass(&mut self, bytes: &[u8]) {
        let start = self.position;
        self.position = start.saturating_add(bytes.len() as u64);
        for range in &self.writable {
            if let Some(part) = overlap(bytes, start, range.clone()) {
                self.go.update(part);
            }
        }
        if let Some(part) = overlap(bytes, start, self.behind..self.size) {
            self.tail.extend_from_slice(part);
        }
    }
}

/// The part of some bytes, which begin at a place in the file, that lies in a range of it.
fn overlap(bytes: &[u8], start: u64, range: Range<u64>) -> Option<&[u8]> {
    let from = usize::try_from(range.start.saturating_sub(start)).ok()?;
    let to = usize::try_from(range.end.saturating_sub(start)).ok()?.min(bytes.len());
    bytes.get(from..to).filter(|part| !part.is_empty())
}
