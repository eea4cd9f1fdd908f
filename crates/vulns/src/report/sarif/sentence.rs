//! The one sentence that osv-scanner writes of a finding.

/// A sentence, as in `Package 'glibc@2.36-9' is vulnerable to 'CVE-2024-0001' (also known as 'DEBIAN-CVE-2024-0001').`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    pub(super) id: &'a str,
    /// Other identifiers of the same.
    pub(super) others: Vec<&'a str>,
}

impl<'a> Sentence<'a> {
    /// Nothing where the text is not that sentence.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (package, text) = text.strip_prefix("Package '")?.split_once("' is vulnerable to '")?;
        let (package, version) = package.rsplit_once('@')?;
        let (id, text) = text.split_once('\'')?;
        let others = text.strip_prefix(" (also known as '").and_then(|text| text.strip_suffix("')."));
        if text != "." && others.is_none() || package.is_empty() || id.is_empty() {
            return None;
        }
        Some(Self { package, version, id, others: others.into_iter().flat_map(|ids| ids.split("', '")).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_and_nothing_else_is_read() {
        let read = |text| Sentence::read(text).map(|s| (s.package, s.version, s.id, s.others));
        assert_eq!(
            read("Package '@a/b@1:2.3-4' is vulnerable to 'DSA-1-1' (also known as 'CVE-2024-0001', 'CVE-2024-0002')."),
            Some(("@a/b", "1:2.3-4", "DSA-1-1", vec!["CVE-2024-0001", "CVE-2024-0002"]))
        );
        assert_eq!(
            read("Package 'zlib@' is vulnerable to 'DEBIAN-CVE-2024-0001'."),
            Some(("zlib", "", "DEBIAN-CVE-2024-0001", vec![]))
        );
        for other in [
            "",
            "Package 'zlib' is vulnerable to 'CVE-2024-0001'.",
            "Package '@1' is vulnerable to 'CVE-2024-0001'.",
            "Package 'zlib@1' is vulnerable to 'CVE-2024-0001",
            "Package 'zlib@1' is vulnerable to ''.",
            "Package 'zlib@1' is vulnerable to 'CVE-2024-0001' (also known as 'CVE-2024-0002",
            "Package: zlib\nInstalled Version: 1",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
