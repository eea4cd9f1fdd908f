//! Archives that break one thing each, and what real writers make that must not be taken for broken.

use super::{BLOCK, Dialect, Fault, Limits, TarReader};

/// A header to change, and what follows it.
#[derive(Clone)]
struct Raw {
    header: [u8; BLOCK],
    content: Vec<u8>,
}

impl Raw {
    fn new(flag: u8, name: &[u8]) -> Self {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name);
        let raw = Self { header, content: Vec::new() };
        let numbers = b"0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00";
        raw.put(100, numbers).put(156, &[flag]).put(257, b"ustar\x0000")
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn link(self, target: &[u8]) -> Self {
        self.put(157, target)
    }

    fn gnu(self) -> Self {
        self.put(257, b"ustar  \0")
    }

    fn v7(self) -> Self {
        self.put(257, &[0; 8])
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.content = content.to_vec();
        let size = format!("{:011o}\0", content.len());
        self.put(124, size.as_bytes())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut header = self.header;
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
}

fn file(name: &str) -> Raw {
    Raw::new(b'0', name.as_bytes()).content(b"x")
}

fn empty(name: &str) -> Raw {
    Raw::new(b'0', name.as_bytes())
}

fn dir(name: &str) -> Raw {
    Raw::new(b'5', name.as_bytes())
}

fn symlink(name: &str, target: &str) -> Raw {
    Raw::new(b'2', name.as_bytes()).link(target.as_bytes())
}

fn hardlink(name: &str, target: &str) -> Raw {
    Raw::new(b'1', name.as_bytes()).link(target.as_bytes())
}

fn pax(keyword: &str, value: &str) -> Raw {
    let body = keyword.len() + value.len() + 3;
    let length = (body + 1..body + 10).find(|length| length.to_string().len() + body == *length).unwrap();
    Raw::new(b'x', b"pax").content(format!("{length} {keyword}={value}\n").as_bytes())
}

fn read(dialect: Dialect, entries: &[Raw]) -> Result<usize, Fault> {
    let mut bytes = Vec::new();
    for entry in entries {
        entry.write(&mut bytes);
    }
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    let mut reader = TarReader::new(&bytes[..], dialect, Limits::default());
    let mut count = 0;
    while reader.next_entry().map_err(|e| e.fault)?.is_some() {
        count += 1;
    }
    Ok(count)
}

const OURS: [Dialect; 2] = [Dialect::Debian, Dialect::Own];
const LAYERS: [Dialect; 2] = [Dialect::Own, Dialect::Foreign];
const ALL: [Dialect; 3] = [Dialect::Debian, Dialect::Own, Dialect::Foreign];

#[track_caller]
fn accepted(dialects: &[Dialect], entries: &[Raw]) {
    for dialect in dialects {
        assert!(read(*dialect, entries).is_ok(), "{dialect:?}: {:?}", read(*dialect, entries));
    }
}

macro_rules! refused {
    ($dialects:expr, $entries:expr, $fault:pat) => {
        for dialect in $dialects {
            let found = read(dialect, &$entries);
            assert!(matches!(found, Err($fault)), "{dialect:?}: {found:?}");
        }
    };
}

#[test]
fn the_version_of_ustar_may_be_blank_and_the_magic_may_not() {
    for version in [b"00", b"\0\0", b"  "] {
        accepted(&ALL, &[file("f").put(263, version)]);
    }
    refused!(ALL, [file("f").put(257, b"ustaR")], Fault::Magic(_));
}

/// Python takes the prefix from a header of any format.
#[test]
fn only_ustar_has_a_prefix() {
    accepted(&ALL, &[file("f").put(345, b"usr/share")]);
    refused!(ALL, [file("f").gnu().put(345, b"usr/share")], Fault::Number { field: "atime", .. });
    refused!(ALL, [file("f").gnu().put(400, b"x")], Fault::Number { field: "prefix", .. });
    refused!(ALL, [file("f").v7().put(345, b"usr/share")], Fault::Number { field: "prefix", .. });
    // GNU tar and Go's writer put times there.
    accepted(&ALL, &[file("f").gnu().put(345, b"14717373734\x0014717373734\x00")]);
}

/// GNU tar and dpkg make a directory of what Go and Python take for a file.
#[test]
fn a_slash_at_the_end_is_for_directories() {
    accepted(&ALL, &[dir("d/"), dir("e")]);
    accepted(&ALL, &[Raw::new(0, b"d/").v7()]);
    for name in ["d/", "d/."] {
        refused!(ALL, [empty(name)], Fault::DirectoryName("file"));
        refused!(ALL, [symlink(name, "x")], Fault::DirectoryName("symbolic link"));
    }
}

#[test]
fn hard_links_lead_to_earlier_files() {
    let to = |entry: Raw| [entry, hardlink("b", "a")];
    accepted(&ALL, &to(file("a")));
    refused!(ALL, to(dir("a")), Fault::LinkTarget(_));
    refused!(ALL, [hardlink("a", "a")], Fault::LinkTarget(_));
    refused!(ALL, [file("d/x"), hardlink("b", "d")], Fault::LinkTarget(_));
    // A layer may link to a file of one below it, and builders keep every name of a symbolic link.
    refused!(OURS, [hardlink("b", "a")], Fault::LinkTarget(_));
    refused!(OURS, to(symlink("a", "/etc/passwd")), Fault::LinkTarget(_));
    accepted(&[Dialect::Foreign], &[hardlink("b", "a")]);
    accepted(&[Dialect::Foreign], &to(symlink("a", "/etc/passwd")));
}

#[test]
fn hard_links_do_not_lead_through_links() {
    let through = |entry: Raw| [entry, hardlink("b", "a/passwd")];
    refused!(ALL, through(symlink("a", "/etc")), Fault::LinkTarget(_));
    refused!(ALL, through(file("a")), Fault::LinkTarget(_));
}

#[test]
fn whiteouts_are_empty_files() {
    for name in ["d/.wh.a", "d/.wh..wh..opq"] {
        accepted(&LAYERS, &[empty(name)]);
        refused!(LAYERS, [file(name)], Fault::WhiteoutContent);
        refused!(LAYERS, [dir(name)], Fault::WhiteoutContent);
        refused!(LAYERS, [symlink(name, "x")], Fault::WhiteoutContent);
        refused!([Dialect::Foreign], [Raw::new(b'3', name.as_bytes())], Fault::WhiteoutContent);
    }
    refused!(LAYERS, [empty(".wh..")], Fault::Whiteout(_));
    // Docker linked the whiteouts of a layer to each other.
    accepted(&LAYERS, &[empty(".wh.a"), hardlink(".wh.b", ".wh.a")]);
    refused!(LAYERS, [file("a"), hardlink(".wh.b", "a")], Fault::WhiteoutContent);
    refused!(LAYERS, [empty(".wh.a"), hardlink("b", ".wh.a")], Fault::LinkTarget(_));
}

#[test]
fn sparse_files_are_refused_however_they_are_written() {
    for (keyword, value) in [("GNU.sparse.major", "1"), ("SCHILY.realsize", "9"), ("SUN.holesdata", " 0 9")] {
        refused!(LAYERS, [pax(keyword, value), file("f")], Fault::PaxKey(_));
    }
    refused!(ALL, [file("f").gnu().put(156, b"S").put(386, b"0000750")], Fault::Type(b'S'));
}

#[test]
fn names_in_pax_records_are_bytes() {
    for charset in ["BINARY", "ISO-IR 10646 2000 UTF-8"] {
        accepted(&LAYERS, &[pax("hdrcharset", charset), file("f")]);
    }
    refused!(LAYERS, [pax("hdrcharset", "EBCDIC"), file("f")], Fault::PaxKey(_));
}

#[test]
fn what_pax_writers_add_is_passed_over() {
    for (keyword, value) in [
        ("atime", "1.123456789"),
        ("uname", "rööt"),
        ("SCHILY.acl.access", "user::rw-"),
        ("LIBARCHIVE.creationtime", "3"),
        ("RHT.security.selinux", "a:b:c"),
    ] {
        accepted(&LAYERS, &[pax(keyword, value), file("f")]);
    }
}
