//! On what was measured, and which versions.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::error::{Result, at};
use crate::process;

/// The processor, its memory, and a list of versions.
pub(super) fn describe(cores: usize) -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").map_err(at("/proc/cpuinfo"))?;
    let value = |line: &str| Some(line.split_once(':')?.1.trim().to_owned());
    let model = cpu.lines().find(|line| line.starts_with("model name")).and_then(value).unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").map_err(at("/proc/meminfo"))?;
    let kib = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)).and_then(|n| n.parse::<u64>().ok());
    let gib = kib.unwrap_or(0) / (1 << 20);
    let mut out = format!("Machine: {cores} cores, {model}, {gib} GiB of memory\n\n");
    for (program, argument) in [
        ("rustc", "-V"),
        ("hyperfine", "--version"),
        ("dpkg-deb", "--version"),
        ("tar", "--version"),
        ("zstd", "--version"),
        ("gzip", "--version"),
        ("pigz", "--version"),
        ("openssl", "version"),
        ("buildah", "--version"),
    ] {
        let printed = process::read(Command::new(program).arg(argument))?;
        let _ = writeln!(out, "- {}", printed.lines().next().unwrap_or(program).trim());
    }
    out.push('\n');
    Ok(out)
}
