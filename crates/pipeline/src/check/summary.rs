//! A verdict as the summary of a verification, to be attested.

use distil_imgcore::Reference;
use distil_policy::output;
use distil_sbom::ImageFacts;
use distil_sbom::purl::Purl;

use super::Checked;
use super::openvex::title;
use crate::signing::name;

/// The verdict as the predicate of a statement of the type `vsa`, for the image under the name that it was judged by.
#[must_use]
pub fn summary(checked: &Checked) -> String {
    let reference: Option<Reference> = checked.facts.reference.parse().ok();
    let name = reference.and_then(|reference| name::of_image(&reference, None).ok().flatten());
    summary_for(checked, name.as_deref())
}

/// The same for the image in a repository: `HOST/REPOSITORY`.
pub(crate) fn summary_for(checked: &Checked, repository: Option<&str>) -> String {
    let facts = &checked.facts;
    let name = repository.map(str::to_owned).or_else(|| title(&facts.reference)).unwrap_or_else(|| "image".to_owned());
    let image = ImageFacts { name, digest: checked.verdict.digest.parse().ok(), ..ImageFacts::default() };
    let resource = Purl::of_image(&image).with_qualifier("repository_url", repository.unwrap_or_default());
    output::vsa(&checked.verdict, facts, &resource.to_string())
}
