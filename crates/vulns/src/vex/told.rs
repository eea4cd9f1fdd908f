//! What distributions say of an image's packages, as statements.

use std::collections::BTreeSet;
use std::sync::Arc;

use distil_imgcore::Escaped;

use super::{Identifier, Product, Statement, Subject, VexStatus};
use crate::finding::{Finding, Status};
use crate::severity::{Level, Rater};

/// A statement for each finding, in their order, about this image. They say what the advisories say, and no more: none of
/// them has a justification, since nobody has looked at the image.
#[must_use]
pub fn statements(findings: &[Finding], subject: &Subject) -> Vec<Statement> {
    findings.iter().map(|finding| statement(finding, subject)).collect()
}

fn statement(finding: &Finding, subject: &Subject) -> Statement {
    let ids: BTreeSet<String> = std::iter::once(&finding.id).chain(&finding.aliases).cloned().collect();
    let (status, words) = position(finding);
    let is_about_impact = status == VexStatus::NotAffected;
    Statement {
        ids,
        products: vec![Arc::new(product(finding, subject))],
        status,
        justification: None,
        impact: is_about_impact.then(|| words.clone()),
        action: (status == VexStatus::Affected).then_some(words),
        timestamp: None,
    }
}

/// Where a finding stands, with words for it.
fn position(finding: &Finding) -> (VexStatus, String) {
    let source = Escaped(finding.source.as_bytes());
    let release = finding.release.as_deref().unwrap_or("this release");
    let release = Escaped(release.as_bytes());
    let is_unimportant = finding
        .ratings
        .iter()
        .any(|rating| rating.rater == Rater::DebianUrgency && rating.level == Some(Level::Negligible));
    match finding.status {
        Status::NotAffected => (
            VexStatus::NotAffected,
            format!("The Debian security tracker says that no version of {source} in {release} is affected."),
        ),
        Status::Resolved => (VexStatus::Fixed, String::new()),
        Status::UnderInvestigation | Status::Unknown => (VexStatus::UnderInvestigation, String::new()),
        Status::EndOfLife => {
            (VexStatus::Affected, format!("{source} is not supported any more in {release}: move to a newer release."))
        }
        _ if is_unimportant => (
            // The word is also for what is outside of security support, so that it does not say that nothing is affected.
            VexStatus::Affected,
            format!(
                "The Debian security tracker calls it unimportant for {source} in {release}: it does not concern the built \
                 packages, has no practical effect, or is outside of security support."
            ),
        ),
        Status::Fixed => match &finding.fixed {
            Some(version) => {
                (VexStatus::Affected, format!("Update {source} to {} or newer.", Escaped(version.as_bytes())))
            }
            None => (VexStatus::Affected, format!("Update {source}.")),
        },
        Status::Affected => (VexStatus::Affected, format!("No version of {source} in {release} repairs it yet.")),
        Status::NoDsa => (
            VexStatus::Affected,
            format!("No advisory of its own: the Debian security team calls it minor for {source} in {release}."),
        ),
        Status::FixDeferred => (
            VexStatus::Affected,
            format!("{source} in {release} is to be repaired with its next update, by the Debian security tracker."),
        ),
        Status::WillNotFix => (
            VexStatus::Affected,
            format!("{source} in {release} is not going to be repaired, by the Debian security tracker."),
        ),
    }
}

/// The image with the packages in it; of an image without any name the packages themselves. Qualifiers are left out, but for
/// what a source package is known by: scanners differ in which they know, and what is not there holds for any.
#[must_use]
pub fn product(finding: &Finding, subject: &Subject) -> Product {
    let vendor = subject.distro.as_deref().and_then(|distro| distro.split_once('-')).map_or("debian", |(id, _)| id);
    let url = |name: &str, version: &str| {
        let name = percent(name);
        let version = percent(version);
        Identifier::of(&format!("pkg:deb/{}/{name}@{version}", percent(vendor)))
    };
    let source = Identifier::of(&format!(
        "pkg:deb/{}/{}@{}?arch=source",
        percent(vendor),
        percent(&finding.source),
        percent(&finding.source_version)
    ));
    let binaries = finding.packages.iter().map(|(name, version)| url(name, version));
    let packages: Vec<Identifier> = binaries.chain([source]).collect();
    let images = images(subject);
    if images.is_empty() {
        return Product { identifiers: packages, subcomponents: Vec::new() };
    }
    Product { identifiers: images, subcomponents: packages.into_iter().map(|package| vec![package]).collect() }
}

/// The image by each of its digests, under the name that it has.
fn images(subject: &Subject) -> Vec<Identifier> {
    let by_reference = subject.references.first().map(|reference| {
        let end = reference.find('@').unwrap_or(reference.len());
        let last = reference.get(..end).unwrap_or(reference).rsplit('/').next().unwrap_or_default();
        last.split(':').next().unwrap_or_default().to_owned()
    });
    let name = by_reference.filter(|name| !name.is_empty()).or_else(|| subject.name.clone());
    let name = name.filter(|name| !name.is_empty());
    let Some(name) = name else { return Vec::new() };
    let digests = subject
        .digests
        .iter()
        .map(|digest| Identifier::of(&format!("pkg:oci/{}@{}", percent(&name.to_lowercase()), percent(digest))));
    digests.collect()
}

fn percent(text: &str) -> percent_encoding::PercentEncode<'_> {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}
