//! Small universes for tests.

use distil_debunpack::Control;

use super::{Offered, Universe};
use crate::Index;

/// An index from lines of the form `NAME VERSION [; FIELD: VALUE …]`.
pub(super) fn index(lines: &[&str]) -> Index {
    let text: String = lines.iter().map(|line| stanza(line)).collect();
    Index::parse(text.as_bytes()).unwrap()
}

/// Control files from lines of the same form.
pub(super) fn controls(lines: &[&str]) -> Vec<Control> {
    lines.iter().map(|line| Control::parse(stanza(line).as_bytes()).unwrap()).collect()
}

pub(super) fn universe<'a>(offered: &'a [Offered<'a>]) -> Universe<'a> {
    Universe { architecture: "amd64".parse().unwrap(), indices: offered, local: &[], base: &[] }
}

pub(super) fn offered<'a>(suite: &'a str, index: &'a Index) -> Offered<'a> {
    Offered { suite, codename: None, index }
}

fn stanza(line: &str) -> String {
    let (head, fields) = line.split_once(';').unwrap_or((line, ""));
    let (name, version) = head.trim().split_once(' ').unwrap();
    let fields: Vec<&str> = fields.split(" ; ").map(str::trim).filter(|field| !field.is_empty()).collect();
    let architecture = if fields.iter().any(|f| f.starts_with("Architecture:")) { "" } else { "Architecture: amd64\n" };
    // The sum stands for the content: the same line is the same file.
    let sum = line.bytes().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    let fields = fields.join("\n");
    let end = if fields.is_empty() { "\n" } else { "\n\n" };
    format!(
        "Package: {name}\nVersion: {version}\n{architecture}Size: 1\nSHA256: {sum:064x}\nFilename: pool/{name}.deb\n{fields}{end}"
    )
}
