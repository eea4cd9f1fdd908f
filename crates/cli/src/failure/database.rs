//! How to get out of what keeps advisories away.

use distil_pipeline::advisories::DatabaseError;

pub(super) fn advice(error: &DatabaseError) -> Option<String> {
    match error {
        DatabaseError::Missing { .. } => {
            Some("make one with `distil db import FILE…`, or name another with --database".to_owned())
        }
        DatabaseError::Format { .. } | DatabaseError::Damaged { .. } => {
            Some("import again, all feeds at once: `distil db import FILE…`".to_owned())
        }
        DatabaseError::Foreign { .. } => Some(
            "it was left as it is; name another file with --database, or remove it and run `distil db import`"
                .to_owned(),
        ),
        DatabaseError::Unknown { .. } | DatabaseError::Nothing { .. } => Some(
            "feeds are the tracker's JSON, OSV records, DSA and DLA lists, KEV, EPSS, NVD 2.0, debian.csv and the lists of \
             debian-security-support"
                .to_owned(),
        ),
        DatabaseError::NoRelease { .. } => Some(
            "its name must end in .deb12, or the number of another release, as in the package debian-security-support"
                .to_owned(),
        ),
        DatabaseError::Empty { .. } => {
            Some("the database is as it was; OSV's file of the ecosystem Debian is meant".to_owned())
        }
        DatabaseError::Feed { .. } => Some("the database is as it was; get the file once more".to_owned()),
        _ => None,
    }
}
