//! Containers and archives made by hand, so that tests can break one byte of them.

/// A header with the fields as given, whether they are right or not.
pub(crate) fn ar_header(name: &str, size: &str) -> Vec<u8> {
    format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).into_bytes()
}

pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(ar_header(name, &content.len().to_string()));
        bytes.extend_from_slice(content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

/// What a tar entry is, for [`tar`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'a> {
    File(&'a [u8]),
    Directory,
    Symlink(&'a str),
    Hardlink(&'a str),
}

pub(crate) fn tar(entries: &[(&str, Kind<'_>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind) in entries {
        let (flag, target, content): (u8, &str, &[u8]) = match kind {
            Kind::File(content) => (b'0', "", content),
            Kind::Directory => (b'5', "", b""),
            Kind::Symlink(target) => (b'2', target, b""),
            Kind::Hardlink(target) => (b'1', target, b""),
        };
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        let mode = if flag == b'5' { 0o755 } else { 0o644 };
        let numbers = format!("{mode:07o}\0{:07o}\0{:07o}\0{:011o}\0{:011o}\0", 0, 0, content.len(), 1_700_000_000);
        header[100..148].copy_from_slice(numbers.as_bytes());
        header[148..156].fill(b' ');
        header[156] = flag;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header[257..265].copy_from_slice(b"ustar  \0");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A control file with all that is needed.
pub(crate) const CONTROL: &[u8] = b"Package: hello\nVersion: 1.0\nArchitecture: all\n";

/// A package of uncompressed members.
pub(crate) fn deb(control: &[(&str, Kind<'_>)], data: &[(&str, Kind<'_>)]) -> Vec<u8> {
    ar(&[("debian-binary", b"2.0\n"), ("control.tar", &tar(control)), ("data.tar", &tar(data))])
}
