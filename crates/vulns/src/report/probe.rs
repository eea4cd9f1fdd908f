//! Which kind a report is of.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{ReportError, ReportKind};

/// The kind that the members of a document tell of, be they null. Of two that tell of different kinds the first here counts.
struct Told(Option<ReportKind>);

const MEMBERS: [(&str, ReportKind); 8] = [
    ("runs", ReportKind::Sarif),
    ("matches", ReportKind::Grype),
    ("SchemaVersion", ReportKind::Trivy),
    ("ArtifactName", ReportKind::Trivy),
    ("Results", ReportKind::Trivy),
    ("Resources", ReportKind::Trivy),
    ("ClusterName", ReportKind::Trivy),
    ("results", ReportKind::OsvScanner),
];

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Told;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
                let mut first = MEMBERS.len();
                while let Some(name) = map.next_key::<String>()? {
                    map.next_value::<IgnoredAny>()?;
                    let place = MEMBERS.iter().position(|(member, _)| *member == name);
                    first = first.min(place.unwrap_or(first));
                }
                Ok(Told(MEMBERS.get(first).map(|(_, kind)| *kind)))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

pub(super) fn kind(bytes: &[u8]) -> Result<ReportKind, ReportError> {
    // Trivy's oldest form is a list, and null where there is nothing to list.
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first == Some(&b'[') || bytes.trim_ascii() == b"null" {
        return Ok(ReportKind::Trivy);
    }
    let told: Told =
        serde_json::from_slice(bytes).map_err(|source| ReportError::Json { kind: "any scanner", source })?;
    told.0.ok_or(ReportError::Unknown)
}
