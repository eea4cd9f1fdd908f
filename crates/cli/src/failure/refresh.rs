//! How to get out of what keeps a trusted root away.

use distil_pipeline::signing::RefreshError;

pub(super) fn advice(error: &RefreshError) -> Option<String> {
    match error {
        RefreshError::Url { .. } => Some("name it as in https://tuf.example.org".to_owned()),
        RefreshError::Offline { .. } => Some("run it once without --offline".to_owned()),
        RefreshError::Root { path: Some(_), .. } => {
            Some("--root takes the root.json of the repository, as whoever runs it hands it out".to_owned())
        }
        RefreshError::Repository { .. } => {
            Some("the file is as it was; ask again later, or another --mirror of the repository".to_owned())
        }
        _ => None,
    }
}
