//! Modules that a Go program was built from, by the build information that Go's linker leaves in it.
//!
//! It is a header of 32 bytes at an address that 16 divides, the version of Go, and lines about modules, since Go 1.18. What
//! older ones left are pointers to both, which say nothing while bytes pass; Go 1.17 had its last release in 2022.
//!
//! See the package [debug/buildinfo](https://pkg.go.dev/debug/buildinfo) for the form, and
//! [runtime/debug](https://pkg.go.dev/runtime/debug#BuildInfo) for what it means.

use std::collections::BTreeMap;

use super::found::{Found, value};
use crate::inventory::PackageKind;

/// What the header begins with.
const MAGIC: &[u8; 14] = b"\xff Go buildinf:";
/// Where headers may begin.
const ALIGNMENT: usize = 16;
/// Bytes of the header.
const HEADER: usize = 32;
/// The flag that says that what follows is inline.
const INLINE: u8 = 2;
/// Bytes of build information at most. That of Kubernetes has some 40 kB.
const MAX_INFO: usize = 1 << 20;
/// Headers that are tried, at most: a program that looks for such headers has one that is none.
const MAX_HEADERS: usize = 16;
/// Bytes around the lines about modules by which debuggers find them.
const SENTINEL: usize = 16;

/// Looks for build information in bytes as they pass, of which the first has an address that 16 divides.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The beginning of a header that the last bytes may have been.
    carry: Vec<u8>,
    /// What followed a header.
    kept: Option<Vec<u8>>,
}

impl Search {
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        if self.kept.is_none() && !self.carry.is_empty() {
            let (first, rest) = bytes.split_at_checked(ALIGNMENT - self.carry.len()).unwrap_or((bytes, &[]));
            self.carry.extend_from_slice(first);
            bytes = rest;
            if self.carry.len() < ALIGNMENT {
                return;
            }
            let block = std::mem::take(&mut self.carry);
            if block.starts_with(MAGIC) {
                self.kept = Some(block);
            }
        }
        if self.kept.is_none() {
            let (blocks, rest) = bytes.as_chunks::<ALIGNMENT>();
            match blocks.iter().position(|block| block.starts_with(MAGIC)) {
                Some(number) => {
                    self.kept = Some(Vec::new());
                    bytes = bytes.get(number * ALIGNMENT..).unwrap_or_default();
                }
                None => self.carry.extend_from_slice(rest),
            }
        }
        if let Some(kept) = &mut self.kept {
            let room = MAX_INFO - kept.len();
            kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// The modules that the first header with something to read behind it tells of.
    pub(super) fn finish(self) -> Vec<Found> {
        let kept = self.kept.unwrap_or_default();
        let (blocks, _) = kept.as_chunks::<ALIGNMENT>();
        let starts = blocks.iter().enumerate().filter(|(_, block)| block.starts_with(MAGIC));
        let infos = starts.filter_map(|(number, _)| kept.get(number * ALIGNMENT..));
        infos.take(MAX_HEADERS).find_map(inline).map(|(go, lines)| modules(go, lines)).unwrap_or_default()
    }
}

/// The version of Go and the lines about modules that follow a header.
fn inline(info: &[u8]) -> Option<(&str, &str)> {
    let (header, rest) = info.split_at_checked(HEADER)?;
    if header.get(MAGIC.len() + 1)? & INLINE == 0 {
        return None;
    }
    let (go, rest) = string(rest)?;
    let (lines, _) = string(rest)?;
    let go = std::str::from_utf8(go).ok().filter(|go| go.contains("go1"))?;
    // A program that was built without modules has none.
    let lines = match lines.len().checked_sub(SENTINEL) {
        Some(end) if lines.get(..end)?.ends_with(b"\n") => lines.get(SENTINEL..end).unwrap_or_default(),
        _ => &[],
    };
    Some((go, std::str::from_utf8(lines).ok()?))
}

/// Bytes after their length, which has seven bits in each byte, the lowest first.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (number, byte) in bytes.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << (7 * number);
        if byte & 0x80 == 0 {
            return bytes.get(number + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// One module, as a line has it.
#[derive(Debug, Clone, Copy)]
struct Module<'a> {
    path: &'a str,
    version: Option<&'a str>,
}

/// The modules of a program, the main one and the standard library among them.
///
/// The program's own version is the one that it was built with, as far as anything tells: that of its module, that which
/// the linker was told to put into a variable, or the commit.
fn modules(go: &str, lines: &str) -> Vec<Found> {
    let mut program = None;
    let mut main: Option<Module<'_>> = None;
    let mut needed: Vec<Module<'_>> = Vec::new();
    let mut settings = BTreeMap::new();
    let mut last_is_main = false;
    for line in lines.lines() {
        let Some((word, rest)) = line.split_once('\t') else { continue };
        match word {
            "path" => program = Some(rest),
            "mod" => {
                main = Some(Module::parse(rest));
                last_is_main = true;
            }
            "dep" => {
                needed.push(Module::parse(rest));
                last_is_main = false;
            }
            "=>" => {
                let replaced = if last_is_main { main.as_mut() } else { needed.last_mut() };
                let replacement = Module::parse(rest);
                // A folder of the building machine has no version, and its name means nothing elsewhere.
                if let Some(module) = replaced.filter(|_| replacement.version.is_some()) {
                    *module = replacement;
                }
            }
            "build" => settings.extend(rest.split_once('=')),
            _ => {}
        }
    }
    // Files that were named on the command line are no package.
    let program = program.filter(|path| *path != "command-line-arguments");
    let main = main.or(program.map(|path| Module { path, version: None }));
    let mut found = Vec::with_capacity(needed.len() + 2);
    if let Some(module) = main {
        let version = module.version.map(str::to_owned);
        let version = version.or_else(|| linked_version(&settings, module.path)).or_else(|| revision(&settings));
        found.extend(Module { version: version.as_deref(), ..module }.found());
    }
    found.extend(needed.into_iter().filter_map(Module::found));
    let release = go.split(' ').find(|word| word.starts_with("go1"));
    if let Some(mut library) = Found::new(&PackageKind::Golang, "stdlib", release) {
        library.licence = Some("BSD-3-Clause".to_owned());
        library.homepage = Some("https://go.dev/".to_owned());
        found.push(library);
    }
    found
}

impl<'a> Module<'a> {
    fn parse(line: &'a str) -> Self {
        let mut words = line.split('\t');
        let path = words.next().unwrap_or_default();
        Self { path, version: words.next().filter(|version| !matches!(*version, "" | "(devel)")) }
    }

    fn found(self) -> Option<Found> {
        let (namespace, name) = match self.path.rsplit_once('/') {
            Some((namespace, name)) => (value(namespace), name),
            None => (None, self.path),
        };
        let found = Found::new(&PackageKind::Golang, name, self.version)?;
        Some(Found { namespace, ..found })
    }
}

/// The version that the linker put into a variable of the program: `-ldflags=-X main.version=1.2.3`. Variables of other
/// modules are not asked, which may hold their own.
fn linked_version(settings: &BTreeMap<&str, &str>, module: &str) -> Option<String> {
    let flags = settings.get("-ldflags")?;
    // A value with blanks is quoted as a whole, and what is quoted in it has a backslash before.
    let flags = flags.trim_matches('"').replace(['\\', '\'', '"'], "");
    let mut words = flags.split_ascii_whitespace();
    let mut version = None;
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-X") {
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.trim_start_matches('='),
            None => continue,
        };
        let Some((variable, text)) = assignment.split_once('=') else { continue };
        let Some((package, name)) = variable.rsplit_once('.') else { continue };
        let is_own = package == "main"
            || package.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_version = ["version", "gitversion", "buildversion"].iter().any(|known| name.eq_ignore_ascii_case(known));
        let digits = text.strip_prefix('v').unwrap_or(text);
        if is_own && is_version && digits.contains('.') && digits.starts_with(|c: char| c.is_ascii_digit()) {
            // As tags of modules begin.
            version = value(digits).map(|digits| format!("v{digits}"));
        }
    }
    version
}

/// The commit as Go writes one where a version is wanted: `v0.0.0-20240102030405-0123456789ab`.
fn revision(settings: &BTreeMap<&str, &str>) -> Option<String> {
    let commit: String = settings.get("vcs.revision")?.chars().take(12).collect();
    let time: String = settings.get("vcs.time")?.chars().filter(char::is_ascii_digit).take(14).collect();
    (commit.len() == 12 && time.len() == 14).then(|| format!("v0.0.0-{time}-{commit}"))
}
