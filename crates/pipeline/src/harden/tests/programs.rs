//! What breaks each rule about compilation: programs that the compiler makes with one flag turned.

use std::fs;
use std::process::Command;

use distil_tests::tar::Entry;

use super::cases::{Case, case};

const SOURCE: &str = r#"
#include <stdio.h>
#include <string.h>
char *(*volatile copy)(char *, const char *) = strcpy;
int main(int argc, char **argv) { char b[64]; copy(b, argv[0]); return printf("%s %d\n", b, argc); }
"#;

/// What is right, in an order in which later flags win.
const RIGHT: &[&str] = &[
    "-O2",
    "-fPIE",
    "-pie",
    "-s",
    "-fstack-protector-all",
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
    "-Wl,-z,relro",
    "-Wl,-z,now",
    "-Wl,-z,noexecstack",
];

pub(super) fn all() -> Vec<Case> {
    let turned = |rule, says, flags: &'static [&'static str]| on_file(rule, says, compiled(SOURCE, flags));
    let mut all = vec![
        turned("DSTL-ELF-001", "not position-independent", &["-no-pie", "-fno-pie"]),
        turned("DSTL-ELF-002", "no RELRO", &["-Wl,-z,norelro"]),
        turned("DSTL-ELF-003", "partial RELRO", &["-Wl,-z,lazy"]),
        turned("DSTL-ELF-004", "marked executable", &["-Wl,-z,execstack"]),
        turned("DSTL-ELF-006", "the run path /tmp/lib", &["-Wl,-rpath,$ORIGIN/../lib:/tmp/lib"]),
        turned("DSTL-ELF-008", "never checks its stack", &["-fno-stack-protector"]),
        turned("DSTL-ELF-009", "no checked functions", &["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=0"]),
        turned("DSTL-ELF-012", "instrumented", &["-pg"]),
        // Which turns `-s` off by what it links of it.
        on_file(
            "DSTL-ELF-005",
            "text relocations",
            compiled(&format!("{SOURCE}\nasm(\".text\\n.quad main\\n\");"), &["-Wl,-z,notext"]),
        ),
        on_file("DSTL-ELF-010", "debugging information", with_debugging()),
    ];
    let right = compiled(SOURCE, &[]);
    let mut writable = right.clone();
    let flags = segment(&right, 1, 1).expect("a segment with code");
    writable[flags] |= 2;
    all.push(on_file("DSTL-ELF-007", "written and run", writable));
    let mut packed = right;
    packed[9..13].copy_from_slice(b"UPX!");
    all.push(on_file("DSTL-ELF-011", "packed with UPX", packed));
    // A shell under another name, and a core dump, are told by what they are.
    let shell = SOURCE.replace("%s %d", "BusyBox v1.35.0 %s %d");
    all.push(on_file("DSTL-FS-004", "a program that says it is busybox", compiled(&shell, &[])));
    let mut core = compiled(SOURCE, &[]);
    core[16] = 4;
    all.push(on_file("DSTL-FS-012", "a core dump", core));
    all
}

fn on_file(rule: &'static str, says: &'static str, program: Vec<u8>) -> Case {
    case(rule, says, move |draft| draft.layers.push(vec![Entry::file("app/tool", program.clone()).mode(0o755)]))
}

/// Where the flags of the first segment of a type with these bits are in a 64-bit program.
fn segment(program: &[u8], kind: u32, bits: u8) -> Option<usize> {
    let at = usize::try_from(u64::from_le_bytes(program[32..40].try_into().unwrap())).unwrap();
    let count = usize::from(u16::from_le_bytes([program[56], program[57]]));
    let mut headers = (0..count).map(|number| at + number * 56);
    let found = headers.find(|at| program[*at..at + 4] == kind.to_le_bytes() && program[at + 4] & bits != 0);
    found.map(|at| at + 4)
}

#[test]
fn what_is_compiled_as_it_should_be_has_nothing_against_it() {
    let mut draft = super::Draft::new();
    draft.layers.push(vec![Entry::file("app/tool", compiled(SOURCE, &[])).mode(0o755)]);
    assert_eq!(draft.fired(), []);
}

fn with_debugging() -> Vec<u8> {
    let right: Vec<&str> = RIGHT.iter().copied().filter(|flag| *flag != "-s").chain(["-g"]).collect();
    run(SOURCE, &right)
}

fn compiled(source: &str, flags: &[&str]) -> Vec<u8> {
    let flags: Vec<&str> = RIGHT.iter().chain(flags).copied().collect();
    run(source, &flags)
}

fn run(source: &str, flags: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("a.c"), dir.path().join("a"));
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(&from, source).unwrap();
    let ran = Command::new("gcc").arg(&from).args(flags).arg("-o").arg(&to).output();
    let ran = ran.expect("gcc is there: apt-get install gcc libc6-dev");
    assert!(ran.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&ran.stderr));
    fs::read(&to).unwrap()
}
