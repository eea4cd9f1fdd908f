//! `check`: may an image go out?
//!
//! 1. Facts are gathered: what the image is, what is known of its packages, who signed it, what is attached to it, and which
//!    ledger is attested beside an earlier one. From then on nothing is read but the ledger's file.
//! 2. The ledger says what was seen first when. It is read, judged with and written while nobody else does the same.
//! 3. The facts are judged by the policy. Facts that were kept are judged again in the same way, without the image.

mod approved;
mod attested;
mod base;
mod built;
mod error;
mod evidence;
mod facts_file;
mod image;
mod inventory;
mod layers;
mod ledger_beside;
mod ledger_file;
mod moment;
mod openvex;
mod recorded;
mod signed;
mod summary;
mod vex;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;

use distil_imgcore::{Descriptor, Digest, Escaped, Platform, Reference};
use distil_policy::document::Signatures;
use distil_policy::facts::{DataFacts, FACTS, SupportFacts};
use distil_policy::{Approval, Facts, Ledger, Policy, Verdict, evaluate};
use distil_signing::predicate::PredicateType;
use distil_vulns::release::Releases;
use jiff::SignedDuration;

use self::layers::{Asked, Seen};
use self::signed::{Authorities, Beside};
use self::vex::{AttachedVex, VexFiles};
use crate::advisories::Database;
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named};
use crate::records;
use crate::scan::{ScanRequest, scan_by};

pub(crate) use self::image::documents;
pub(crate) use self::inventory::package;
pub(crate) use self::summary::summary_for;

pub use self::approved::Approved;
pub use self::error::CheckError;
pub use self::evidence::{Evidence, MAX_POLICY_FILE, read_policy};
pub use self::facts_file::{MAX_FACTS, read_facts, write_facts};
pub use self::ledger_file::LedgerFileError;
pub use self::moment::{MomentError, moment};
pub use self::openvex::openvex;
pub use self::summary::summary;
pub use jiff::Timestamp;

/// What is to be judged, and with what.
#[derive(Debug)]
pub struct CheckRequest<'a> {
    /// The image.
    pub reference: &'a Reference,
    /// The one platform that is judged; all where none is given. Its own digest is judged then, and not that of the index.
    pub platform: Option<&'a Platform>,
    /// What it is judged by.
    pub policy: &'a Policy,
    /// Where the policy's files of keys and VEX documents are, which it names by relative paths. Its ledger is for the caller
    /// to open, who says what is done with it.
    pub policy_folder: &'a Path,
    /// What is known beside the image.
    pub evidence: &'a Evidence,
    /// The moment for which it is judged.
    pub now: Timestamp,
    /// Whether it is judged as an image that is made at this moment, whatever date it bears.
    pub is_new: bool,
    /// Where it is kept what layers hold.
    pub cache_dir: Option<&'a Path>,
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
    /// It is read, joined with that of the facts, and stays as it is.
    Read(&'a Path),
    /// The same, and it is written with what was seen.
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

impl Checked {
    /// The approval of the digest that was judged, where the verdict gives one.
    #[must_use]
    pub fn approval(&self) -> Option<Approval> {
        let digest: Digest = self.verdict.digest.parse().ok()?;
        self.verdict.approve(&digest)
    }
}

/// Gathers all facts about an image but the ledger of a file.
///
/// # Errors
/// [`CheckError`]. What cannot be found out is no error: the facts say so, and then nothing is decided.
pub fn gather(request: &CheckRequest<'_>, progress: &dyn Progress) -> Result<Facts, CheckError> {
    let &CheckRequest { reference, policy, policy_folder, evidence, now, is_new, machine, .. } = request;
    let asked: Vec<&Signatures> = policy.asked_of(&reference.to_string()).map(|(_, asked)| asked).collect();
    let kinds = kinds(&asked)?;
    // What is said of vulnerabilities and packages is believed of those alone who are trusted for all images.
    let authorities = Authorities::read(&policy.signatures.authorities, policy_folder)?;
    let signers = Authorities::read(asked.iter().flat_map(|asked| &asked.authorities), policy_folder)?;
    let database = evidence.database.as_deref().map(Database::open).transpose()?;
    let releases = database.as_ref().map_or_else(Releases::embedded, Database::releases);
    let files = vex::files(&evidence.vex, &policy.vex, policy_folder)?;
    let files = vex::read(&files, &policy.vex, &authorities)?;
    let (ignores, ignores_left_out) = evidence.ignores()?;
    let places = Places::uncancelled(machine, progress);
    let before = evidence.ledger_from.as_ref();
    let before = before.map(|image| ledger_beside::read(image, &authorities, &places)).transpose()?;
    let (ledger, ledger_from) = before.map(|(ledger, origin)| (ledger, Some(origin))).unwrap_or_default();
    let named = Named::open(reference, &places)?;
    let present = named.root.digest().clone();
    let named = match request.platform {
        Some(wanted) => named.only(Choice::Exactly(wanted))?,
        None => named,
    };
    let manifests: BTreeMap<String, Descriptor> =
        named.platforms.iter().map(|(platform, manifest)| (platform.to_string(), manifest.clone())).collect();
    // An archive of an engine has no place for signatures: nobody signed it then, and nothing is attached.
    let beside = match reference {
        Reference::DockerArchive(_) => Beside::default(),
        _ => signers.beside(&named, &manifests, &kinds, (&policy.vex, &authorities))?,
    };
    let mut facts = Facts {
        schema: FACTS.to_owned(),
        now,
        reference: reference.to_string(),
        digest: named.root.digest().to_string(),
        platforms: BTreeMap::new(),
        signatures: beside.signatures,
        attached: beside.attached,
        data: DataFacts::default(),
        support: BTreeMap::new(),
        ledger,
        ledger_from,
        ignores,
        ignores_left_out,
        notes: Vec::new(),
        vex_unusable: [&files.unusable[..], &beside.vex.unusable].concat(),
        gaps: signers.gaps,
        is_new,
        recorded: None,
    };
    add_vulnerabilities(&mut facts, request, (database.as_ref(), &files, &beside.vex), &named, progress)?;
    facts.notes.extend(files.notes.into_iter().chain(beside.vex.notes));
    if let Some(record) = &evidence.record {
        add_recorded(&mut facts, record, reference, &present)?;
    }
    if !matches!(reference, Reference::DockerArchive(_)) && policy.hardening.asks() {
        for (name, manifest) in &manifests {
            let Some(platform) = facts.platforms.get_mut(name) else { continue };
            built::add(platform, &named.store, manifest, &authorities)?;
        }
    }
    base::add(&mut facts, policy, machine);
    facts.support = support(&facts, &releases);
    Ok(facts)
}

/// The types of the statements that are asked for.
fn kinds(asked: &[&Signatures]) -> Result<Vec<PredicateType>, CheckError> {
    let kinds: BTreeSet<&String> = asked.iter().flat_map(|asked| &asked.require_attestations).collect();
    kinds.into_iter().map(|kind| kind.parse().map_err(|_| CheckError::Kind { kind: kind.clone() })).collect()
}

/// Adds packages and findings of each platform, what else is asked of its files, and the data that findings are from.
fn add_vulnerabilities(
    facts: &mut Facts,
    request: &CheckRequest<'_>,
    (database, files, attached): (Option<&Database>, &VexFiles, &AttachedVex),
    named: &Named,
    progress: &dyn Progress,
) -> Result<(), CheckError> {
    let asked = Asked::by(request.policy);
    // By the digest of the manifest.
    let seen: RefCell<BTreeMap<String, Seen>> = RefCell::default();
    let scanned = scan_by(
        &ScanRequest {
            reference: request.reference,
            platform: request.platform,
            database,
            reports: &request.evidence.reports()?,
            vex: &files.documents,
            vex_of: &attached.documents,
            // How old data may be is for the policy to say.
            max_data_age: SignedDuration::MAX,
            all: false,
            cache_dir: request.cache_dir,
            jobs: request.jobs,
            machine: request.machine,
        },
        request.now,
        progress,
        // Each layer is read once for all.
        &|image, cache| {
            if asked.is_nothing() {
                return records::read(image, cache, request.jobs, progress);
            }
            let (records, found) = asked.look(image, cache, request.jobs, progress)?;
            seen.borrow_mut().insert(image.digest().to_string(), found);
            Ok(records)
        },
    )?;
    if scanned.digest != *named.root.digest() {
        return Err(CheckError::Moved { reference: request.reference.to_string() });
    }
    // Without any data the policy says so itself.
    if !scanned.sources.is_empty() {
        facts.gaps.extend(scanned.undecided);
    }
    facts.data.sources = scanned.sources;
    facts.vex_unusable.extend(scanned.vex_unusable);
    facts.notes = scanned.notes.into_iter().collect();
    let seen = seen.into_inner();
    for (name, platform) in scanned.platforms {
        let mut platform = platform.facts;
        if let Some(seen) = seen.get(&platform.digest) {
            seen.add_to(&mut platform);
        }
        facts.platforms.insert(name, platform);
    }
    Ok(())
}

/// Adds what a log of promotions says of the tag.
fn add_recorded(facts: &mut Facts, record: &Path, reference: &Reference, present: &Digest) -> Result<(), CheckError> {
    let (recorded, broken) = recorded::read(record, reference, present)?;
    facts.recorded = recorded;
    if broken > 0 {
        facts.notes.push(format!("{broken} lines of {} are none of a log of promotions", Escaped::path(record)));
    }
    Ok(())
}

/// Judges facts, with the ledger that is to be used.
///
/// # Errors
/// [`CheckError`] where the ledger cannot be used.
pub fn judge(mut facts: Facts, policy: &Policy, ledger: LedgerUse<'_>) -> Result<Checked, CheckError> {
    let evaluated = match ledger {
        LedgerUse::OfFacts => evaluate(&facts, policy),
        LedgerUse::Read(path) => {
            facts.ledger = facts.ledger.joined(&ledger_file::read(path)?);
            evaluate(&facts, policy)
        }
        LedgerUse::Update(path) => ledger_file::update(path, |found| {
            facts.ledger = facts.ledger.joined(&found);
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

/// Until when the releases of all platforms are supported.
fn support(facts: &Facts, releases: &Releases) -> BTreeMap<String, SupportFacts> {
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
