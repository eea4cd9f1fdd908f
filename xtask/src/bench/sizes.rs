//! How large a layer is, made of independent parts, beside the same layer compressed as a whole.

use std::path::Path;
use std::process::Command;

use super::Bench;
use super::prepare::{Ready, copy, largest_blob, recipe};
use super::task::{Packing, Strategy};
use crate::error::{Error, Result};
use crate::process;

/// A layer of all packages, in two forms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) packing: Packing,
    /// Bytes of ours.
    pub(super) ours: u64,
    /// Bytes that the program makes of the same tar, in one go.
    pub(super) whole: u64,
}

impl Size {
    pub(super) fn ratio(self) -> f64 {
        as_float(self.ours) / as_float(self.whole)
    }
}

impl Bench {
    /// Sizes of the single layer in each compression.
    pub(super) fn sizes(&self, ready: &Ready) -> Result<Vec<Size>> {
        Packing::ALL.into_iter().map(|packing| self.size(ready, packing)).collect()
    }

    fn size(&self, ready: &Ready, packing: Packing) -> Result<Size> {
        copy(&ready.folder, "warm", "cache")?;
        self.build(&ready.folder, "cache", &recipe(Strategy::Single, packing), "out")?;
        let (blob, ours) = largest_blob(&ready.folder.join("out"))?;
        let whole = count(&format!("{} | {} -c", unpacking(&blob, packing), packing.program()))?;
        Ok(Size { packing, ours, whole })
    }
}

/// Writes the uncompressed layer of all packages in `out` to `layer.tar`, and gives its size.
pub(super) fn unpack(folder: &Path, packing: Packing) -> Result<u64> {
    let (blob, _) = largest_blob(&folder.join("out"))?;
    let tar = folder.join("layer.tar");
    count(&format!("{} | tee '{}'", unpacking(&blob, packing), tar.display()))
}

fn unpacking(blob: &Path, packing: Packing) -> String {
    let program = packing.program().split(' ').next().unwrap_or_default();
    format!("{program} -dc <'{}'", blob.display())
}

/// How many bytes a command writes.
fn count(command: &str) -> Result<u64> {
    let printed = process::read(Command::new("sh").args(["-c", &format!("{command} | wc -c")]))?;
    printed.trim().parse().map_err(|_| Error::Output { program: "wc", line: printed.clone() })
}

/// Bytes as a number to reckon with; sizes here are far below what a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "no size of a layer comes near 2^53")]
pub(super) fn as_float(bytes: u64) -> f64 {
    bytes as f64
}
