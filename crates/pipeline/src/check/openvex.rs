//! A judged image as VEX.

use distil_policy::output::{self, Described};
use distil_vulns::vex::Subject;

use super::Checked;

/// What the advisories say of the image's vulnerabilities, and what the policy lets pass of them, as `OpenVEX` by this author
/// at the moment for which the image was judged.
#[must_use]
pub fn openvex(checked: &Checked, author: &str) -> String {
    let facts = &checked.facts;
    // What holds for one platform is no statement about an index of several.
    let whole = (facts.platforms.len() == 1).then(|| facts.digest.clone());
    let subjects: Vec<Subject> = facts
        .platforms
        .values()
        .map(|platform| Subject {
            digests: std::iter::once(platform.digest.clone()).chain(whole.clone()).collect(),
            name: title(&facts.reference),
            distro: platform.system.as_ref().map(|system| format!("{system}-")),
            ..Subject::default()
        })
        .collect();
    let images: Vec<_> = facts
        .platforms
        .values()
        .zip(&subjects)
        .map(|(platform, subject)| Described { findings: &platform.findings, subject })
        .collect();
    output::openvex(&images, &checked.verdict.suppressed, author, checked.verdict.now)
}

/// The last part of a reference, without tag and digest.
pub(super) fn title(reference: &str) -> Option<String> {
    let name = reference.split('@').next()?;
    let last = name.trim_end_matches('/').rsplit('/').next()?;
    let last = last.rsplit_once(':').map_or(last, |(name, _)| name);
    // A directory in the working directory is still behind its transport.
    let last = last.rsplit(':').next()?;
    Some(last.to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_last_part_of_its_name() {
        for (reference, name) in [
            ("registry.example.org:5000/team/app:1.4", "app"),
            ("docker://registry.example.org/team/app@sha256:00", "app"),
            ("oci:dir/image:v1", "image"),
            ("oci:image:v1", "image"),
        ] {
            assert_eq!(title(reference).as_deref(), Some(name), "{reference}");
        }
        assert_eq!(title(""), None);
    }
}
