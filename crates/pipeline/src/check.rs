//! `check`: may an image go out?
//!
//! 1. Facts are gathered: what the image is, what is known of its packages, who signed it, what is attached to it. From then on
//!    nothing is read but the ledger.
//! 2. The ledger says what was seen first when. It is read, judged with and written while nobody else does the same.
//! 3. The facts are judged by the policy. Facts that were kept are judged again in the same way, without the image.

mod error;
mod facts_file;
mod image;
mod inventory;
mod ledger_file;
mod signed;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use distil_imgcore::{Descriptor, Image, Platform, Reference};
use distil_policy::facts::{DataFacts, FACTS, SignatureFacts, SupportFacts};
use distil_policy::{Facts, Ledger, Policy, Verdict, evaluate};
use distil_signing::predicate::PredicateType;
use distil_vulns::release::Releases;
use jiff::Timestamp;

use self::signed::Authorities;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};

pub(crate) use self::image::documents;
pub(crate) use self::inventory::package;

pub use self::error::CheckError;
pub use self::facts_file::{MAX_FACTS, read_facts, write_facts};
pub use self::ledger_file::LedgerFileError;

/// What is to be judged, and with what.
#[derive(Debug)]
pub struct CheckRequest<'a> {
    /// The image.
    pub reference: &'a Reference,
    /// The one platform that is judged; all where none is given.
    pub platform: Option<&'a Platform>,
    /// What it is judged by.
    pub policy: &'a Policy,
    /// Where the policy's files of keys are, which it names by relative paths.
    pub policy_folder: &'a Path,
    /// The moment for which it is judged.
    pub now: Timestamp,
    /// Whether it is judged as an image that is made at this moment, whatever date it bears.
    pub is_new: bool,
    /// How many threads work. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The machine and the network, for images in registries.
    pub machine: &'a Machine,
}

/// What is done with a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerUse<'a> {
    /// There is no file: that of the facts counts.
    OfFacts,
    /// It is read, and stays as it is.
    Read(&'a Path),
    /// It is read, and written with what was seen.
    Update(&'a Path),
}

/// What was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The answer.
    pub verdict: Verdict,
    /// All that it was made from, beside the policy.
    pub facts: Facts,
    /// The ledger with what was seen.
    pub ledger: Ledger,
}

/// Gathers all facts about an image but the ledger.
///
/// # Errors
/// [`CheckError`]. What cannot be found out is no error: the facts say so, and then nothing is decided.
pub fn gather(request: &CheckRequest<'_>, progress: &dyn Progress) -> Result<Facts, CheckError> {
    let &CheckRequest { reference, policy, policy_folder, now, is_new, machine, .. } = request;
    let kinds = policy
        .signatures
        .require_attestations
        .iter()
        .map(|kind| kind.parse::<PredicateType>().map_err(|_| CheckError::Kind { kind: kind.clone() }));
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    let authorities = Authorities::read(&policy.signatures, policy_folder)?;
    let named = Named::open(reference, &Places::uncancelled(machine, progress))?;
    let manifests = judged(&named, request.platform)?;
    let mut facts = Facts {
        schema: FACTS.to_owned(),
        now,
        reference: reference.to_string(),
        digest: named.root.digest().to_string(),
        platforms: BTreeMap::new(),
        signatures: SignatureFacts::default(),
        attached: Vec::new(),
        data: DataFacts::default(),
        support: BTreeMap::new(),
        ledger: Ledger::default(),
        ignores: Vec::new(),
        vex_unusable: Vec::new(),
        gaps: authorities.gaps.clone(),
        is_new,
    };
    for (name, manifest) in &manifests {
        let image = Image::read(&named.store, manifest).map_err(ReadError::from)?;
        let platform = documents(&image);
        facts.platforms.insert(name.clone(), inventory::add(platform, &image, request.jobs, progress)?);
    }
    facts.support = support(&facts);
    // An archive of an engine has no place for signatures: nobody signed it then, and nothing is attached.
    if !matches!(reference, Reference::DockerArchive(_)) {
        facts.signatures = authorities.signatures(&named)?;
        facts.attached = authorities.attached(&named, &manifests, &kinds)?;
    }
    Ok(facts)
}

/// Judges facts, with the ledger that is to be used.
///
/// # Errors
/// [`CheckError`] where the ledger cannot be used.
pub fn judge(mut facts: Facts, policy: &Policy, ledger: LedgerUse<'_>) -> Result<Checked, CheckError> {
    let evaluated = match ledger {
        LedgerUse::OfFacts => evaluate(&facts, policy),
        LedgerUse::Read(path) => {
            facts.ledger = ledger_file::read(path)?;
            evaluate(&facts, policy)
        }
        LedgerUse::Update(path) => ledger_file::update(path, |found| {
            facts.ledger = found;
            let evaluated = evaluate(&facts, policy);
            let ledger = evaluated.ledger.clone();
            (evaluated, ledger)
        })?,
    };
    Ok(Checked { verdict: evaluated.verdict, facts, ledger: evaluated.ledger })
}

/// Judges an image: gathers the facts, and judges them.
///
/// # Errors
/// [`CheckError`]
pub fn check(
    request: &CheckRequest<'_>,
    ledger: LedgerUse<'_>,
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    judge(gather(request, progress)?, request.policy, ledger)
}

/// The manifests that are judged, by their platforms.
fn judged(named: &Named, platform: Option<&Platform>) -> Result<BTreeMap<String, Descriptor>, CheckError> {
    let platforms = match platform {
        Some(wanted) => named.only(Choice::Exactly(wanted))?.platforms,
        // An index without images is refused by name.
        None => named.image(Choice::First).map(|_| named.platforms.clone())?,
    };
    Ok(platforms.into_iter().map(|(platform, manifest)| (platform.to_string(), manifest)).collect())
}

/// Until when the releases of all platforms are supported.
fn support(facts: &Facts) -> BTreeMap<String, SupportFacts> {
    let releases = Releases::embedded();
    let known = facts.platforms.values().filter_map(|platform| releases.by_codename(platform.release.as_deref()?));
    let facts = known.map(|release| {
        let support = SupportFacts {
            version: release.version.clone(),
            regular: release.regular,
            lts: release.lts,
            elts: release.elts,
        };
        (release.codename.clone(), support)
    });
    facts.collect()
}
