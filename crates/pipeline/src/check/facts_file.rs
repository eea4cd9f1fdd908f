//! Facts in a file, to be judged again later.

use std::path::Path;

use distil_policy::Facts;
use distil_policy::facts::FACTS;

use super::CheckError;
use crate::regular_file;
use crate::whole_file;

/// Bytes of a file of facts that is read.
pub const MAX_FACTS: usize = 256 << 20;

/// Reads facts that were kept.
///
/// # Errors
/// [`CheckError`] where the file cannot be read, or holds something else.
pub fn read_facts(path: &Path) -> Result<Facts, CheckError> {
    let failed = |source| CheckError::File { action: "read", path: path.to_owned(), source };
    let bytes = regular_file::read_up_to(path, MAX_FACTS).map_err(failed)?;
    let facts: Facts =
        serde_json::from_slice(&bytes).map_err(|source| CheckError::Facts { path: path.to_owned(), source })?;
    if facts.schema != FACTS {
        return Err(CheckError::Schema { path: path.to_owned(), found: facts.schema });
    }
    Ok(facts)
}

/// Keeps facts, with the ledger that they were judged with.
///
/// # Errors
/// [`CheckError::File`]
pub fn write_facts(path: &Path, facts: &Facts) -> Result<(), CheckError> {
    let failed = |source| CheckError::File { action: "write", path: path.to_owned(), source };
    let mut text = serde_json::to_vec_pretty(facts).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    whole_file::deliver(path, &text).map_err(failed)
}
