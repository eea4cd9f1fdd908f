//! How to get something signed, beside an image.

use distil_pipeline::signing::SignError;

/// How to get something signed after all.
pub(super) fn advice(error: &SignError) -> Option<String> {
    match error {
        SignError::Read { source, .. } => super::advice::of_read(source),
        SignError::Open(error) => super::advice::of_store(error),
        SignError::NoName { .. } => Some(
            "say where it will be with --reference, as in registry.example.org/team/app; of all that is signed, only a \
             signature that `distil sign --format bundle` makes needs no name"
                .to_owned(),
        ),
        SignError::Name { .. } => Some("it is HOST[:PORT]/REPOSITORY, as in registry.example.org/team/app".to_owned()),
        SignError::DockerArchive { .. } => {
            Some("copy it to an oci-archive or a layout: `distil copy docker-archive:FILE oci-archive:FILE:TAG`".to_owned())
        }
        SignError::Vouch { .. } => Some("nothing was written of this signature; the log may have an entry of it".to_owned()),
        SignError::NoType { .. } => Some("--type says it".to_owned()),
        SignError::IsSignature { .. } => Some("`distil sign` makes signatures".to_owned()),
        SignError::NothingAttached { .. } => {
            Some("`distil build` attaches SBOMs and provenance; --predicate names a file".to_owned())
        }
        SignError::Contended { .. } | SignError::Replaced { .. } => {
            Some("run it again when they are done: what it wrote stays, and nothing is signed twice".to_owned())
        }
        _ => None,
    }
}
