//! How to get on where an image was not promoted.

use distil_pipeline::Escaped;
use distil_pipeline::signing::{PromoteError, Trace};

use super::{advice::MOST, advice::of_copy, advice::of_read, beside, signing};

/// Each blob that tells where the image comes from, or each signature that is not good; of very many the first.
pub(super) fn details(error: &PromoteError) -> Vec<String> {
    match error {
        PromoteError::NotVerified { found, .. } | PromoteError::Unverified { found, .. } => signing::refused(found),
        PromoteError::Traces { traces } => {
            let mut lines: Vec<String> = traces.iter().take(MOST).map(line).collect();
            if let Some(more) = traces.len().checked_sub(MOST).filter(|more| *more > 0) {
                lines.push(format!("and {more} more"));
            }
            lines
        }
        _ => Vec::new(),
    }
}

fn line(trace: &Trace) -> String {
    let (media_type, name) = (trace.media_type.as_str(), Escaped(trace.name.as_bytes()));
    let path = trace.path.as_ref().map(|path| format!(" in {path}")).unwrap_or_default();
    format!("{} ({media_type}) has {name}{path}", trace.digest)
}

pub(super) fn advice(error: &PromoteError) -> Option<String> {
    match error {
        PromoteError::Source { source, .. } => of_read(source),
        PromoteError::Copy(error) => of_copy(error),
        PromoteError::Sign(error) => beside::advice(error),
        PromoteError::NotVerified { found, .. } => Some(signing::not_verified_advice(found)),
        PromoteError::Traces { .. } => Some(
            "build it without that; where the name is public, promote a copy in a layout, of which only names of \
             --internal-name are looked for"
                .to_owned(),
        ),
        PromoteError::SamePlace { .. } => {
            Some("promote into another repository; `distil sign` signs where an image is".to_owned())
        }
        PromoteError::NoSignatures { .. } => {
            Some("promote into a layout or an OCI archive, and copy the image from there".to_owned())
        }
        PromoteError::Log(_) => Some("name another file with --log".to_owned()),
        PromoteError::Unrecorded { .. } | PromoteError::Unverified { .. } => {
            Some("somebody else may be writing there: run it once more, which finishes what is missing".to_owned())
        }
        _ => None,
    }
}
