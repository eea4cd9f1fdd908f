//! `ar` archives, byte by byte, as [deb(5)] has them.
//!
//! [deb(5)]: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html

/// The line that every archive starts with.
pub const MAGIC: &[u8] = b"!<arch>\n";

/// A member: the text of its header fields, as they stand in the file, and its content.
#[derive(Debug, Clone)]
pub struct Member {
    /// The name, without padding.
    pub name: String,
    /// The size in decimal; `None` for the content's own.
    pub size: Option<String>,
    /// The two bytes that end a header.
    pub end: [u8; 2],
    /// What follows the header.
    pub content: Vec<u8>,
    /// Whether an odd content is followed by a padding byte.
    pub padded: bool,
}

impl Member {
    /// A well-formed member.
    #[must_use]
    pub fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), size: None, end: *b"`\n", content: content.into(), padded: true }
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        let size = self.size.clone().unwrap_or_else(|| self.content.len().to_string());
        let header = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}", self.name, 0, 0, 0, "100644");
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&self.end);
        out.extend_from_slice(&self.content);
        if self.padded && self.content.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
}

/// The whole archive.
#[must_use]
pub fn archive(members: &[Member]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for member in members {
        member.append_to(&mut out);
    }
    out
}
