//! What several targets share: containers and archives around the bytes that are fuzzed, and a reader that gives them
//! in small pieces.

use std::io::{self, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Gives at most `step` bytes at a time: no parser may depend on how its input is cut.
#[derive(Debug)]
pub struct Chopped<'a> {
    /// What is still to come.
    pub rest: &'a [u8],
    /// Bytes of one read.
    pub step: usize,
}

impl Read for Chopped<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = self.step.max(1).min(buf.len());
        self.rest.read(&mut buf[..length])
    }
}

/// A PEM block of these bytes, its base64 in one line.
pub fn pem(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(bytes))
}

/// An ar file of these members.
pub fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, content) in members {
        file.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).bytes());
        file.extend_from_slice(content);
        if content.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

/// A tar archive of one regular file.
pub fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = [&header(name, content.len(), b"ustar  \0")[..], content].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

/// An archive whose blocks are the headers of sound empty files, changed by the bits of `input`, with right checksums.
/// So each changed bit changes one field, where plain bytes would hardly ever be a header at all.
pub fn changed_tar(input: &[u8]) -> Vec<u8> {
    let magic = if input.len() % 2 == 0 { b"ustar  \0" } else { b"ustar\x0000" };
    let mut archive = Vec::new();
    for (index, changes) in input.chunks(512).enumerate() {
        let mut block = header(&format!("n{index}"), 0, magic);
        for (byte, change) in block.iter_mut().zip(changes) {
            *byte ^= change;
        }
        seal(&mut block);
        archive.extend_from_slice(&block);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn header(name: &str, size: usize, magic: &[u8; 8]) -> [u8; 512] {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    let numbers = format!("{:07o}\0{:07o}\0{:07o}\0{size:011o}\0{:011o}\0        0", 0o644, 0, 0, 0);
    header[100..157].copy_from_slice(numbers.as_bytes());
    header[257..265].copy_from_slice(magic);
    seal(&mut header);
    header
}

fn seal(header: &mut [u8; 512]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
