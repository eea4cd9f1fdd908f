//! How a program or library was compiled, from its headers.

use std::collections::BTreeSet;

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _, Sym as _};

use super::Sight;

pub(super) const MAGIC: &[u8] = b"\x7fELF";

/// Whether bytes begin as a program or library does.
pub(super) fn is_elf(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Whether bytes begin as a Java key store whose first entry is a private key.
pub(super) fn is_key_store(head: &[u8]) -> bool {
    let is_one = head.starts_with(b"\xfe\xed\xfe\xed") || head.starts_with(b"\xce\xce\xce\xce");
    is_one && head.get(8..12) != Some(&[0; 4]) && head.get(12..16) == Some(&[0, 0, 0, 1])
}

/// What a program or library lacks. Of one whose headers make no sense nothing is told: nothing can load it.
pub(super) fn look(path: &str, bytes: &[u8]) -> Vec<Sight> {
    let seen = match bytes.get(4).map(|class| elf::FileClass(*class)) {
        Some(elf::ELFCLASS32) => read::<elf::FileHeader32<Endianness>>(bytes),
        Some(elf::ELFCLASS64) => read::<elf::FileHeader64<Endianness>>(bytes),
        _ => None,
    };
    // Debugging information that lies apart is never loaded.
    let is_apart =
        path.starts_with("usr/lib/debug/") || path.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "debug");
    seen.filter(|_| !is_apart).map(|seen| seen.judge(bytes)).unwrap_or_default()
}

/// What the headers say.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Seen {
    kind: elf::FileType,
    machine: elf::Machine,
    stack: Option<elf::ProgramFlags>,
    loads: Vec<elf::ProgramFlags>,
    is_dynamic: bool,
    has_relro: bool,
    binds_now: bool,
    has_plt: bool,
    has_text_relocations: bool,
    run_paths: Vec<String>,
    /// Names of functions that come from elsewhere.
    imports: BTreeSet<String>,
    has_debugging: bool,
    is_go: bool,
}

/// Names that are read at most: the largest real libraries import some ten thousand.
const MAX_NAMES: usize = 100_000;
const MAX_DYNAMIC: usize = 4096;

fn read<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<Seen> {
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let mut seen = Seen { kind: header.e_type(endian), machine: header.e_machine(endian), ..Seen::default() };
    for segment in header.program_headers(endian, bytes).ok()? {
        let flags = segment.p_flags(endian);
        match segment.p_type(endian) {
            elf::PT_LOAD => seen.loads.push(flags),
            elf::PT_GNU_STACK => seen.stack = Some(flags),
            elf::PT_GNU_RELRO => seen.has_relro = true,
            elf::PT_DYNAMIC => seen.is_dynamic = true,
            _ => {}
        }
    }
    // Without its end, which a very large program is read without, the sections are not there.
    if let Ok(sections) = header.sections(endian, bytes) {
        for section in sections.iter() {
            let name = sections.section_name(endian, section).unwrap_or_default();
            seen.has_debugging |= name.starts_with(b".debug_info") || name.starts_with(b".zdebug_info");
            seen.is_go |= name == b".go.buildinfo" || name == b".gopclntab";
            if let Ok(Some((entries, strings))) = section.dynamic(endian, bytes) {
                let strings = sections.strings(endian, bytes, strings).unwrap_or_default();
                for entry in entries.iter().take(MAX_DYNAMIC) {
                    let (tag, value) = (entry.d_tag(endian), entry.d_val(endian).into());
                    seen.entry(tag, value, |at| strings.get(u32::try_from(at).ok()?).ok());
                }
            }
        }
        if let Ok(symbols) = sections.symbols(endian, bytes, elf::SHT_DYNSYM) {
            for symbol in symbols.iter().take(MAX_NAMES).filter(|symbol| symbol.is_undefined(endian)) {
                let name = symbols.symbol_name(endian, symbol).unwrap_or_default();
                seen.imports.insert(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    Some(seen)
}

impl Seen {
    fn entry<'a>(&mut self, tag: elf::DynamicTag, value: u64, string: impl Fn(u64) -> Option<&'a [u8]>) {
        const NOW: u64 = elf::DF_BIND_NOW.0;
        const NOW_1: u64 = elf::DF_1_NOW.0;
        const TEXT: u64 = elf::DF_TEXTREL.0;
        match tag {
            elf::DT_BIND_NOW => self.binds_now = true,
            elf::DT_TEXTREL => self.has_text_relocations = true,
            elf::DT_FLAGS => {
                self.binds_now |= value & NOW != 0;
                self.has_text_relocations |= value & TEXT != 0;
            }
            elf::DT_FLAGS_1 => self.binds_now |= value & NOW_1 != 0,
            elf::DT_JMPREL => self.has_plt = true,
            elf::DT_RPATH | elf::DT_RUNPATH => {
                self.run_paths.extend(string(value).map(|path| String::from_utf8_lossy(path).into_owned()));
            }
            _ => {}
        }
    }

    fn judge(&self, bytes: &[u8]) -> Vec<Sight> {
        let mut found = Vec::new();
        let mut tell = |rule: &'static str, seen: &str| found.push(Sight::new(rule, seen));
        if self.kind == elf::ET_CORE {
            tell("DSTL-FS-012", "a core dump");
        }
        // Objects and modules of the kernel are linked elsewhere.
        if !matches!(self.kind, elf::ET_EXEC | elf::ET_DYN) || self.loads.is_empty() {
            return found;
        }
        if self.kind == elf::ET_EXEC {
            tell("DSTL-ELF-001", "not position-independent");
        }
        if self.is_dynamic && !self.has_relro {
            tell("DSTL-ELF-002", "no RELRO");
        }
        if self.is_dynamic && self.has_relro && self.has_plt && !self.binds_now {
            tell("DSTL-ELF-003", "partial RELRO");
        }
        match self.stack {
            Some(flags) if flags.0 & elf::PF_X.0 != 0 => tell("DSTL-ELF-004", "the stack is marked executable"),
            None if matches!(self.machine, elf::EM_386 | elf::EM_X86_64 | elf::EM_ARM) => {
                tell("DSTL-ELF-004", "no mark says that the stack is not executable");
            }
            _ => {}
        }
        if self.has_text_relocations {
            tell("DSTL-ELF-005", "text relocations");
        }
        for path in self.run_paths.iter().flat_map(|paths| paths.split(':')).filter(|path| is_open(path)) {
            let shown = if path.is_empty() { "an empty run path".to_owned() } else { format!("the run path {path}") };
            found.push(Sight { rule: "DSTL-ELF-006", seen: shown });
        }
        let mut tell = |rule: &'static str, seen: &str| found.push(Sight::new(rule, seen));
        if self.loads.iter().any(|flags| flags.0 & elf::PF_W.0 != 0 && flags.0 & elf::PF_X.0 != 0) {
            tell("DSTL-ELF-007", "a segment that can be written and run");
        }
        let imports = |name: &str| self.imports.contains(name);
        let any = |starts: &[&str]| self.imports.iter().any(|name| starts.iter().any(|start| name.starts_with(start)));
        let is_for_tests = any(&["__asan_", "__tsan_", "__msan_", "__ubsan_", "__gcov_", "__llvm_profile_"]);
        if UNBOUNDED.iter().any(|name| imports(name)) && !self.is_go {
            if !any(&["__stack_chk_", "__intel_security_cookie"]) {
                tell("DSTL-ELF-008", "it never checks its stack");
            }
            if !self.imports.iter().any(|name| name.starts_with("__") && name.ends_with("_chk")) {
                tell("DSTL-ELF-009", "it calls no checked functions");
            }
        }
        if self.has_debugging {
            tell("DSTL-ELF-010", "debugging information");
        }
        if bytes.get(..4096).unwrap_or(bytes).windows(4).any(|window| window == b"UPX!") {
            tell("DSTL-ELF-011", "packed with UPX");
        }
        if is_for_tests || imports("mcount") || imports("_mcount") {
            tell("DSTL-ELF-012", "it is instrumented");
        }
        found
    }
}

/// Functions of the C library that write as much as they are given.
const UNBOUNDED: &[&str] = &["gets", "sprintf", "stpcpy", "strcat", "strcpy", "strncat", "vsprintf"];

/// Whether somebody else than root may put a library into a directory of a run path, or choose the directory.
fn is_open(path: &str) -> bool {
    const OPEN: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/home", "/build", "/builddir", "/builds", "/root", "/mnt"];
    let is_own = ["$ORIGIN", "${ORIGIN}"].iter().any(|origin| path.starts_with(origin));
    let is_below =
        |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !is_own && (!path.starts_with('/') || OPEN.iter().any(is_below))
}
