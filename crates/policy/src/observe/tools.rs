//! Programs that have no place in an image that runs, by their names.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// The rule about a program of this name, and what it is.
pub(super) fn of_name(name: &str) -> Option<(&'static str, &'static str)> {
    let plain = without_version(name);
    let list = |names: &[&str]| names.contains(&plain) || names.contains(&name);
    if list(SHELLS) {
        Some(("DSTL-FS-004", "a shell"))
    } else if list(PACKAGE_MANAGERS) || PACKAGE_MANAGERS.contains(&without_number(name)) {
        Some(("DSTL-FS-005", "a package manager"))
    } else if list(LOGINS) {
        Some(("DSTL-FS-006", REMOTE_LOGINS))
    } else if list(NETWORK) {
        Some(("DSTL-FS-006", "a tool for networks"))
    } else if list(PRIVILEGE) {
        Some(("DSTL-FS-006", "a tool to change who one is"))
    } else if list(BUILDING) || BUILDING.iter().any(|tool| is_for_target(plain, tool)) {
        Some(("DSTL-FS-007", "a tool for building or debugging"))
    } else {
        None
    }
}

/// The shells that an executable says it is, wherever it lies and whatever its name is.
pub(super) fn shells(bytes: &[u8]) -> impl Iterator<Item = &'static str> {
    let hits = MARKS.as_ref().map(|marks| marks.find_iter(bytes));
    hits.into_iter().flatten().filter_map(|hit| SHELL_MARKS.get(hit.pattern().as_usize())).map(|(_, name)| *name)
}

static MARKS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(SHELL_MARKS.iter().map(|(mark, _)| mark)).ok());

const SHELL_MARKS: &[(&str, &str)] = &[
    ("BusyBox v1.", "busybox"),
    ("@(#)Bash version ", "bash"),
    ("GNU bash, version %s-(%s)", "bash"),
    ("toybox 0.", "toybox"),
    ("@(#)MIRBSD KSH", "mksh"),
    ("@(#)$Id: dash", "dash"),
    ("@(#)Version AJM 93u", "ksh"),
];

/// `x86_64-linux-gnu-gcc`.
fn is_for_target(name: &str, tool: &str) -> bool {
    name.strip_suffix(tool).is_some_and(|target| target.ends_with("-gnu-") || target.ends_with("-musl-"))
}

/// `gcc-12` and `python3.11` without what comes behind the name.
fn without_version(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((plain, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => plain,
        _ => name,
    }
}

/// `pip3.11` and `gem3.1` without the number.
fn without_number(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

/// What is told of a server that lets others log in, which is worse than a tool.
pub(crate) const REMOTE_LOGINS: &str = "a server for remote logins";

const LOGINS: &[&str] = &["dropbear", "in.rlogind", "in.rshd", "in.telnetd", "sshd", "telnetd"];

const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "bash-static",
    "busybox",
    "csh",
    "dash",
    "elvish",
    "fish",
    "ksh",
    "ksh93",
    "lksh",
    "mksh",
    "nu",
    "oksh",
    "posh",
    "pwsh",
    "rbash",
    "rc",
    "rzsh",
    "sash",
    "sh",
    "static-sh",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
    "zsh",
    "zsh5",
];

const PACKAGE_MANAGERS: &[&str] = &[
    "alien",
    "apk",
    "apt",
    "apt-cache",
    "apt-get",
    "apt-key",
    "apt-mark",
    "aptitude",
    "conda",
    "dnf",
    "dpkg",
    "dpkg-deb",
    "dpkg-query",
    "dselect",
    "easy_install",
    "flatpak",
    "gem",
    "mamba",
    "microdnf",
    "npm",
    "npx",
    "pacman",
    "pip",
    "pip3",
    "pipx",
    "pnpm",
    "poetry",
    "rpm",
    "snap",
    "tdnf",
    "uv",
    "uvx",
    "yarn",
    "yum",
    "zypper",
];

const NETWORK: &[&str] = &[
    "aria2c",
    "curl",
    "ftp",
    "lftp",
    "masscan",
    "nc",
    "nc.openbsd",
    "nc.traditional",
    "ncat",
    "netcat",
    "nmap",
    "rcp",
    "rlogin",
    "rsh",
    "rsync",
    "scp",
    "sftp",
    "socat",
    "ssh",
    "tcpdump",
    "telnet",
    "tftp",
    "tshark",
    "wget",
    "wget2",
];

const PRIVILEGE: &[&str] = &[
    "chfn", "chroot", "chsh", "capsh", "doas", "gosu", "newgrp", "nsenter", "pkexec", "runuser", "setcap", "setpriv",
    "sg", "su", "su-exec", "sudo", "sudoedit", "unshare",
];

const BUILDING: &[&str] = &[
    "as",
    "c++",
    "c89",
    "c99",
    "cargo",
    "cc",
    "clang",
    "clang++",
    "cmake",
    "cpp",
    "g++",
    "gcc",
    "gcore",
    "gdb",
    "gdbserver",
    "gfortran",
    "go",
    "gofmt",
    "javac",
    "jdb",
    "ld",
    "ld.bfd",
    "ld.gold",
    "ld.lld",
    "lldb",
    "lldb-server",
    "ltrace",
    "make",
    "gmake",
    "nasm",
    "ninja",
    "objdump",
    "perf",
    "rustc",
    "strace",
    "tcc",
    "valgrind",
    "yasm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_versions_and_targets_are_known() {
        for (name, rule) in [
            ("sh", "DSTL-FS-004"),
            ("apt-get", "DSTL-FS-005"),
            ("pip3", "DSTL-FS-005"),
            ("pip3.11", "DSTL-FS-005"),
            ("gem3.1", "DSTL-FS-005"),
            ("sshd", "DSTL-FS-006"),
            ("curl", "DSTL-FS-006"),
            ("sudo", "DSTL-FS-006"),
            ("gcc-12", "DSTL-FS-007"),
            ("x86_64-linux-gnu-gcc-12", "DSTL-FS-007"),
            ("aarch64-linux-gnu-ld", "DSTL-FS-007"),
        ] {
            assert_eq!(of_name(name).map(|(rule, _)| rule), Some(rule), "{name}");
        }
        for name in ["python3.11", "java", "shasum", "date", "lsb_release", "gold", "s-sh", "sh.txt"] {
            assert_eq!(of_name(name), None, "{name}");
        }
    }
}
