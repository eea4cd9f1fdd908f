//! Rules about how programs and libraries were compiled.

use super::{E, N, OFF, Rule, W};

pub(super) const RULES: &[Rule] = &[
    Rule::hardening(
        "DSTL-ELF-001",
        "a program at a fixed address",
        [W, N, W],
        "It is no position-independent executable, so that it lies at the same place in every process: what breaks in \
         knows where to jump.",
        "compile with -fPIE and link with -pie; for Go, -buildmode=pie",
        &["CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-ELF-002",
        "no part of the program is read-only after relocation",
        [W, N, W],
        "Without RELRO the tables through which functions of libraries are called can be overwritten.",
        "link with -Wl,-z,relro,-z,now",
        &["CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-ELF-003",
        "the table of functions stays writable",
        [N, OFF, N],
        "With partial RELRO functions are looked up when they are first called, and their addresses can be overwritten \
         until the program ends. Debian compiles most packages so.",
        "link with -Wl,-z,now",
        &["CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-ELF-004",
        "the stack is executable",
        [E, E, E],
        "What is written to the stack can be run at once. A marker that is missing means the same.",
        "link with -Wl,-z,noexecstack, and mark assembly with .note.GNU-stack",
        &["CCI-002824"],
    ),
    Rule::hardening(
        "DSTL-ELF-005",
        "relocations in code",
        [W, N, W],
        "Text relocations make the loader write into code, so that its pages are writable for a while, and shared with \
         nobody.",
        "compile all of it with -fPIC",
        &["CCI-002824"],
    ),
    Rule::hardening(
        "DSTL-ELF-006",
        "libraries are searched where others may write",
        [E, E, E],
        "A run path that is empty, relative, or below /tmp, /var/tmp, /home or a build's directory loads what somebody \
         puts there. Paths from $ORIGIN are in order.",
        "link without -rpath, or with a directory of the system",
        &["CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-ELF-007",
        "memory that can be written and run",
        [E, E, E],
        "A segment with both permissions lets whoever can write to it run what was written.",
        "link with -Wl,-z,separate-code, and without -N and --omagic",
        &["CCI-002824"],
    ),
    Rule::hardening(
        "DSTL-ELF-008",
        "no stack protector",
        [N, OFF, N],
        "No function looks whether its frame was overwritten before it returns. Programs without arrays on the stack, \
         and those of languages that check bounds, need none, so it is a hint.",
        "compile with -fstack-protector-strong",
        &["CCI-002824"],
    ),
    Rule::hardening(
        "DSTL-ELF-009",
        "no checked functions of the C library",
        [N, OFF, N],
        "It calls functions such as strcpy and sprintf and none of their variants that know the size of the target.",
        "compile with -O2 -D_FORTIFY_SOURCE=2",
        &["CCI-002824"],
    ),
    Rule::hardening(
        "DSTL-ELF-010",
        "debugging information in a program",
        [N, N, N],
        "It makes files large, and says how the program is built inside.",
        "strip it, and keep the information elsewhere",
        &["CCI-002617"],
    ),
    Rule::hardening(
        "DSTL-ELF-011",
        "a packed program",
        [W, W, W],
        "What is packed with UPX cannot be looked into by a scanner, and is memory that is written and then run.",
        "ship the program as it was compiled",
        &["CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-ELF-012",
        "a program that was compiled for tests",
        [W, W, W],
        "Sanitizers, coverage and profiling write files where the environment says, and are not made for programs that \
         others can reach.",
        "compile it for release",
        &["CCI-000381"],
    ),
];
