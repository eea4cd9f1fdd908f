//! Packages that an image should not have.

use std::collections::{BTreeMap, BTreeSet};

use super::Against;
use super::configuration::shown;
use crate::document::Hardening;
use crate::facts::{PackageFacts, PlatformFacts};

pub(super) fn look(facts: &PlatformFacts, hardening: &Hardening, against: &mut Vec<Against>) {
    let debs = || facts.packages.iter().filter(|package| package.kind == "deb");
    let on_base = facts.built.as_ref().is_some_and(|built| built.on_base);
    let says_repositories = on_base || debs().any(|package| package.repository.is_some());
    let may_be_local = |name: &str| hardening.allow.local_packages.iter().any(|pattern| pattern.matches(name));
    let mut versions: BTreeMap<(&str, Option<&str>), BTreeSet<&str>> = BTreeMap::new();
    for package in debs() {
        let name = shown(&package.name);
        let mut tell = |rule, evidence: &str| against.push(Against::new(rule, &*name, evidence));
        if says_repositories && package.repository.is_none() && !may_be_local(&package.name) {
            if package.is_local {
                tell("DSTL-PKG-001", "the build had it as a file of its own, from no repository");
            } else if !on_base {
                // A base has its own statement, and its packages are not in this one.
                tell("DSTL-PKG-001", "the build names no repository for it");
            }
        }
        if package.is_partial {
            tell("DSTL-PKG-008", &format!("{} is not wholly installed", shown(&package.version)));
        }
        if FORBIDDEN.contains(&package.name.as_str()) {
            tell("DSTL-PKG-002", "it sends passwords in clear, or lets in whoever asks");
        }
        if let Some(what) = for_development(&package.name) {
            tell("DSTL-PKG-003", what);
        }
        if FOR_MACHINES.contains(&package.name.as_str()) || package.name.starts_with("linux-image-") {
            tell("DSTL-PKG-007", "it serves a machine");
        }
        if let Some(advisory) = back_door(package) {
            against.push(Against::new(
                "DSTL-PKG-006",
                &*name,
                format!("{} {}: {advisory}", name, shown(&package.version)),
            ));
        }
        versions.entry((&package.name, package.architecture.as_deref())).or_default().insert(&package.version);
    }
    for ((name, _), versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let all: Vec<String> = versions.iter().map(|version| shown(version)).collect();
        against.push(Against::new("DSTL-PKG-005", shown(name), format!("its versions are {}", all.join(", "))));
    }
    for record in &facts.unreadable {
        against.push(Against::new("DSTL-PKG-004", shown(record), "the record cannot be read"));
    }
}

/// Servers and clients of protocols that know no secrets.
const FORBIDDEN: &[&str] = &[
    "atftpd",
    "ftpd",
    "inetutils-ftpd",
    "inetutils-telnetd",
    "nis",
    "openbsd-inetd",
    "rsh-client",
    "rsh-redone-server",
    "rsh-server",
    "rwho",
    "rwhod",
    "talkd",
    "telnetd",
    "telnetd-ssl",
    "tftpd",
    "tftpd-hpa",
    "vsftpd",
    "xinetd",
    "ypserv",
];

/// What a machine needs, and a container has from outside.
const FOR_MACHINES: &[&str] = &[
    "anacron",
    "at",
    "busybox-syslogd",
    "cron",
    "dbus",
    "exim4",
    "exim4-daemon-light",
    "grub-common",
    "grub-efi-amd64",
    "grub-pc",
    "ifupdown",
    "initramfs-tools",
    "isc-dhcp-client",
    "logrotate",
    "postfix",
    "rsyslog",
    "sendmail-bin",
    "systemd",
    "systemd-sysv",
    "sysvinit-core",
    "udev",
];

/// What a package for building or reading is, by Debian's conventions of names.
fn for_development(name: &str) -> Option<&'static str> {
    const TOOLS: &[&str] =
        &["binutils", "build-essential", "cmake", "dpkg-dev", "gdb", "git", "make", "strace", "valgrind"];
    const MANUALS: &[&str] = &["info", "install-info", "man-db", "manpages"];
    // Headers of the kernel come with every -dev package, so they are told with it.
    if ["-dbg", "-dbgsym"].iter().any(|end| name.ends_with(end)) {
        Some("debugging symbols")
    } else if name.ends_with("-dev") {
        Some("header files")
    } else if name.ends_with("-doc") || MANUALS.contains(&name) {
        Some("documentation")
    } else {
        let is_compiler = ["gcc-", "g++-", "clang-", "cpp-"].iter().any(|start| {
            name.strip_prefix(start).is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        });
        (is_compiler
            || TOOLS.contains(&name)
            || matches!(name, "gcc" | "g++" | "clang" | "golang-go" | "rustc" | "cargo"))
        .then_some("a tool for building")
    }
}

/// The advisory about a version that somebody put a back door into.
fn back_door(package: &PackageFacts) -> Option<&'static str> {
    // Debian had them in testing and unstable, and went back to 5.4.5 under the number 5.6.1+really5.4.5.
    let is_bad = ["5.6.0-", "5.6.1-"].iter().any(|start| package.source_version.starts_with(start));
    (package.source == "xz-utils" && is_bad).then_some("CVE-2024-3094")
}
