//! What the log of promotions says of the tag that is judged.

use std::path::Path;

use distil_imgcore::{Digest, Reference, RegistryName};
use distil_policy::facts::RecordedFacts;

use super::CheckError;
use crate::regular_file;
use crate::signing::LogEntry;

/// Bytes of a log that is read: some hundred thousand promotions.
const MAX_RECORD: usize = 256 << 20;
/// The tag where none is given, as for all other tools.
const LATEST: &str = "latest";

/// The last line about a tag of a registry, which stands for `present`; none for what has no tag. Also how many lines are none of
/// a log: one that a crash tore is left in it.
pub(super) fn read(
    path: &Path,
    reference: &Reference,
    present: &Digest,
) -> Result<(Option<RecordedFacts>, usize), CheckError> {
    let failed = |source| CheckError::File { action: "read", path: path.to_owned(), source };
    let bytes = regular_file::read_up_to(path, MAX_RECORD).map_err(failed)?;
    let Reference::Registry(name) = reference else { return Ok((None, 0)) };
    let (mut found, mut broken) = (None, 0);
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let Ok(entry) = serde_json::from_slice::<LogEntry>(line) else {
            broken += 1;
            continue;
        };
        if matches!(entry.to.parse(), Ok(Reference::Registry(to)) if tag(&to).is_some() && tag(&to) == tag(name)) {
            found = Some(entry);
        }
    }
    let recorded = |entry: LogEntry| RecordedFacts {
        digest: entry.digest,
        when: entry.promotion.when,
        present: present.to_string(),
    };
    Ok((found.map(recorded), broken))
}

/// Registry, repository and tag; none for a name by digest alone.
fn tag(name: &RegistryName) -> Option<(&str, &str, String)> {
    let tag = match (name.tag(), name.digest()) {
        (Some(tag), _) => tag.to_string(),
        (None, None) => LATEST.to_owned(),
        (None, Some(_)) => return None,
    };
    Some((name.host(), name.repository(), tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whole_file;

    const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

    fn line(to: &str, digest: &str, when: &str) -> String {
        format!(
            r#"{{"schema":"distil.promotion/v1","digest":"{digest}","to":"{to}","record":"sha256:00","by":{{"key":"k"}},"from":"registry","verdict":{{"threshold":1,"signers":[],"policy":"none"}},"when":"{when}"}}"#
        )
    }

    #[test]
    fn the_last_line_about_the_very_tag_counts() {
        let lines = [
            line("docker://registry.example.org/app:1.4", ONE, "2026-01-01T00:00:00Z"),
            line("docker://registry.example.org/app:1.5", TWO, "2026-01-02T00:00:00Z"),
            line("docker://registry.example.org/app", TWO, "2026-01-03T00:00:00Z"),
            line("docker://registry.example.org:5000/app:1.4", TWO, "2026-01-04T00:00:00Z"),
            format!("docker://registry.example.org/app@{ONE}"),
            line(&format!("docker://registry.example.org/app@{ONE}"), TWO, "2026-01-05T00:00:00Z"),
            line("oci:app:1.4", TWO, "2026-01-06T00:00:00Z"),
            r#"{"schema":"distil.promo"#.to_owned(),
        ];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        whole_file::replace(&path, lines.join("\n").as_bytes()).unwrap();
        let check = |reference: &str, expected: Option<(&str, &str)>| {
            let (found, broken) = read(&path, &reference.parse().unwrap(), &TWO.parse().unwrap()).unwrap();
            let is_registry = reference.starts_with("docker:");
            assert_eq!(broken, if is_registry { 2 } else { 0 }, "{reference}");
            let found = found.map(|found| {
                assert_eq!(found.present, TWO);
                (found.digest, found.when)
            });
            assert_eq!(found, expected.map(|(digest, when)| (digest.to_owned(), when.to_owned())), "{reference}");
        };
        check("docker://registry.example.org/app:1.4", Some((ONE, "2026-01-01T00:00:00Z")));
        check(&format!("docker://registry.example.org/app:1.4@{TWO}"), Some((ONE, "2026-01-01T00:00:00Z")));
        check("docker://registry.example.org/app:latest", Some((TWO, "2026-01-03T00:00:00Z")));
        check("docker://registry.example.org/app:1.6", None);
        check(&format!("docker://registry.example.org/app@{ONE}"), None);
        check("oci:app:1.4", None);
        assert!(read(&dir.path().join("none"), &"oci:app".parse().unwrap(), &TWO.parse().unwrap()).is_err());
    }
}
