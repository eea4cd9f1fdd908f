//! The identifiers under which findings are grouped.

/// The CVE of an identifier that is one, in the form of its authority: `CVE-2024-0001` of `cve-2024-0001` and of
/// `DEBIAN-CVE-2024-0001`.
#[must_use]
pub fn cve_of(id: &str) -> Option<String> {
    let upper = id.trim().to_ascii_uppercase();
    let cve = upper.strip_prefix("DEBIAN-").unwrap_or(&upper);
    let (year, number) = cve.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |text: &str, least: usize| text.len() >= least && text.bytes().all(|b| b.is_ascii_digit());
    (digits(year, 4) && year.len() == 4 && digits(number, 4) && number.len() <= MAX_NUMBER).then(|| cve.to_owned())
}

/// The vulnerabilities that something with these identifiers is about, sorted: its own CVE, else those among its aliases, else
/// itself.
#[must_use]
pub fn canonical_ids<'a>(id: &str, aliases: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    if let Some(cve) = cve_of(id) {
        return vec![cve];
    }
    let mut cves: Vec<String> = aliases.into_iter().filter_map(cve_of).collect();
    cves.sort();
    cves.dedup();
    if cves.is_empty() { vec![id.trim().to_owned()] } else { cves }
}

/// Digits behind the year; real ones have up to seven.
const MAX_NUMBER: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vulnerability_has_one_name() {
        for (id, aliases, expected) in [
            ("CVE-2024-0001", &[][..], &["CVE-2024-0001"][..]),
            ("DEBIAN-CVE-2024-0001", &["CVE-2024-9999"], &["CVE-2024-0001"]),
            ("debian-cve-2024-0001", &[], &["CVE-2024-0001"]),
            (
                "DSA-1-1",
                &["DEBIAN-CVE-2024-0002", "CVE-2024-0002", "CVE-2024-0001"],
                &["CVE-2024-0001", "CVE-2024-0002"],
            ),
            ("GHSA-x", &["CVE-2024-0001"], &["CVE-2024-0001"]),
            ("DSA-903-2", &[], &["DSA-903-2"]),
            ("TEMP-0000001-ABCDEF", &[], &["TEMP-0000001-ABCDEF"]),
            ("CVE-2024-XXXX", &[], &["CVE-2024-XXXX"]),
            ("CVE-24-0001", &["CVE-2024-1"], &["CVE-24-0001"]),
        ] {
            assert_eq!(canonical_ids(id, aliases.iter().copied()), expected, "{id}");
        }
    }
}
