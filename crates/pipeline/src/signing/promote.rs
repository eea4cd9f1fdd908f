//! `promote`: an image goes from one place to another only where it is signed as asked for, and is signed anew there.
//!
//! 1. The source's tag is resolved once; from then on the digest counts.
//! 2. Where a policy was asked, its approval must be about this very digest. Its signatures are verified as asked for.
//! 3. All that will be copied is searched for names of the place that it comes from.
//! 4. It is copied without what was signed.
//! 5. Image, SBOMs and provenance are signed with the new key, and so is a record of the promotion, and the policy's verdict
//!    with the ledger that it was made with.
//! 6. Signature, record, verdict and ledger are verified at the destination.
//! 7. The tag is written, and looked at again.
//! 8. A line is added to a log of this machine.
//!
//! Whoever repeats what was interrupted finds what is there already: no signature and no record is written twice.

mod error;
mod log;
mod names;
mod record;
mod said;
mod traces;
mod unsigned;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Artifact, Descriptor, Digest, Error, Reference, Referrers};
use distil_signing::key::Signer;
use distil_signing::predicate::PredicateType;
use distil_signing::verify::{Requirements, Trust, VerifiedStatement};
use schemars::JsonSchema;
use serde::Serialize;

use self::log::Log;
use self::names::Names;
use self::said::Said;
use self::unsigned::Unsigned;
use super::attest::attest_attached;
use super::beside::{Beside, Formats};
use super::error::SignError;
use super::name;
use super::not_verified::NotVerified;
use super::sign::manifests;
use super::verify::{attestation_in, predicate, verify_in};
use crate::build::BuiltImage;
use crate::check::Approved;
use crate::copy::{Freight, stoppable};
use crate::destination::{self, Destination};
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::{Phase, Progress};
use crate::read::{Named, ReadError};
use crate::written::{ImageDocument, WrittenDocument};

pub use self::error::PromoteError;
pub use self::log::{LogEntry, LogError};
pub use self::record::{PROMOTION, PlaceKind, PolicyVerdict, Promoter, Promotion, PromotionVerdict, SignerDocument};
pub use self::traces::Trace;
pub use self::unsigned::{Because, LeftBehind};

/// What to promote, where to, and by whom.
#[derive(Debug)]
pub struct PromoteRequest<'a> {
    /// The image or artifact.
    pub source: &'a Reference,
    /// Where it goes.
    pub destination: &'a Reference,
    /// What is asked of the source's signatures.
    pub verification: &'a Requirements,
    /// What a policy approved of, where one was asked: nothing but this digest is promoted then, and the verdict is said beside
    /// it.
    pub approved: Option<&'a Approved<'a>>,
    /// The key that signs at the destination.
    pub signer: &'a dyn Signer,
    /// How it signs.
    pub formats: Formats,
    /// The name that is signed, `HOST/REPOSITORY`. Without one that of the destination, where that has one.
    pub name: Option<&'a str>,
    /// Names that must not be in what is promoted, beside that of the source's registry.
    pub internal_names: &'a [String],
    /// Who promotes, for the record.
    pub by: Option<&'a str>,
    /// Whether a name that is another image's is an error.
    pub immutable: bool,
    /// Where the log is. It is made where it is missing.
    pub log: &'a Path,
    /// The machine and the network.
    pub machine: &'a Machine,
    /// Set to true from elsewhere, ends it soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// What was promoted.
#[derive(Debug)]
pub struct Promoted {
    /// The image where it is now.
    pub image: BuiltImage,
    /// What the log has of it.
    pub entry: LogEntry,
    /// What is about the image and was left where it was.
    pub left: Vec<LeftBehind>,
    /// The names that were looked for, and are nowhere in what was promoted.
    pub searched: Vec<String>,
}

/// The JSON document of `promote`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PromotedDocument {
    /// `distil.promoted/v1`.
    pub schema: String,
    /// The image where it is now: one.
    pub images: Vec<ImageDocument>,
    /// What is kept of it.
    pub record: LogEntry,
    /// What is about the image and stayed behind: digests of referrers, and names under which cosign keeps something.
    pub left: Vec<String>,
    /// The names that were looked for, and are nowhere in it.
    pub searched: Vec<String>,
}

impl PromotedDocument {
    /// The document about a promotion.
    #[must_use]
    pub fn new(promoted: &Promoted) -> Self {
        Self {
            schema: "distil.promoted/v1".to_owned(),
            images: WrittenDocument::new(std::slice::from_ref(&promoted.image)).images,
            record: promoted.entry.clone(),
            left: promoted.left.iter().map(|left| left.what.clone()).collect(),
            searched: promoted.searched.clone(),
        }
    }
}

/// Promotes an image: verifies it, looks for traces of where it comes from, copies and signs it, and names it last.
///
/// SBOMs and statements that nobody signed go with it, and are signed; signatures, signed statements and whatever is of
/// another type stay behind. All platforms go.
///
/// # Errors
/// [`PromoteError`]; the destination's name is as it was then, but where the last step, the log, failed.
pub fn promote(request: &PromoteRequest<'_>, progress: &dyn Progress) -> Result<Promoted, PromoteError> {
    let places = Places::new(request.machine, progress, request.cancelled);
    let promoted = Run { request, places: &places }.all();
    match promoted {
        Err(_) if request.cancelled.load(Ordering::Relaxed) => Err(PromoteError::Cancelled),
        promoted => promoted,
    }
}

struct Run<'a> {
    request: &'a PromoteRequest<'a>,
    places: &'a Places<'a>,
}

impl Run<'_> {
    fn all(&self) -> Result<Promoted, PromoteError> {
        let &PromoteRequest { source, destination: to, immutable, cancelled, .. } = self.request;
        self.check_places()?;
        let signed_name = name::of_image(to, self.request.name)?;
        let signed_name = signed_name.ok_or_else(|| SignError::NoName { reference: to.to_string() })?;
        let names = self.names()?;
        let image = Named::open(source, self.places).map_err(|error| self.unreadable(error))?;
        destination::check_digest(to, image.root.digest())?;
        self.check_approval(image.root.digest())?;
        self.places.progress.phase(Phase::Check);
        let record = self.verified(&image)?;
        let said = self.request.approved.map(|approved| said::all(approved, &signed_name)).unwrap_or_default();
        self.check_told(&names, &signed_name, &record, &said)?;

        let from = stoppable(image.store.as_ref(), cancelled);
        let unsigned = Unsigned::new(&from);
        let freight = Freight::of(&image, &unsigned, Referrers::Copy).map_err(|error| self.unreadable(error))?;
        if !names.texts().is_empty() {
            let traces = traces::search(&names, &from, &freight.blobs(), self.places.progress)
                .map_err(|error| self.unreadable(error.into()))?;
            if !traces.is_empty() {
                return Err(PromoteError::Traces { traces });
            }
        }

        self.places.progress.phase(Phase::Copy);
        let policy = destination::Names::of(immutable);
        let destination = self.places.destination(to)?;
        destination.check(image.root.digest(), policy)?;
        let mut log = Log::open(self.request.log).map_err(|source| self.log_error("open", source))?;
        let was_there = destination.means(image.root.digest())?;
        let about = freight.put(&destination, self.places)?;
        if let Some((first, others)) = about.split_first() {
            // Findable, so that they can be signed; the image has no name yet.
            destination.store().publish(None, first, others)?;
        }
        let beside =
            Beside::new(destination.store(), self.request.signer, self.request.formats, self.request.machine.now);
        // No other writer takes anything away from a place of one's own, or from an index under a lock.
        let beside = beside.undisturbed(!matches!(to, Reference::Registry(_)));
        beside.sign(&image.root, &signed_name, &BTreeMap::new())?;
        let documents = documents(&image, &freight)?;
        let all = manifests(&image, true);
        attest_attached(&all, &documents, None, (&beside, &signed_name), cancelled)?;
        let promotion = self.record(&beside, &destination, &image.root, &signed_name, record)?;
        let said = said
            .into_iter()
            .map(|said| said.put(&beside, destination.store(), (&image.root, &signed_name), &self.wanted()));
        let said = said.collect::<Result<Vec<_>, _>>()?;
        let statement = self.verify_there(&destination, &image.root, &promotion, &said)?;
        let found = destination.finish(&image.root, &about, policy)?;
        let entry = LogEntry::new(found.digest().to_string(), to.to_string(), statement.to_string(), promotion);
        let is_known = was_there && log.has(&entry).map_err(|source| self.log_error("read", source))?;
        if !is_known {
            log.append(&entry).map_err(|source| self.log_error("write to", source))?;
        }
        Ok(Promoted {
            image: freight.written(to, &found),
            entry,
            left: unsigned.left(),
            searched: names.texts().to_vec(),
        })
    }

    fn unreadable(&self, source: ReadError) -> PromoteError {
        PromoteError::Source { reference: self.request.source.to_string(), source: Box::new(source) }
    }

    fn log_error(&self, action: &'static str, source: std::io::Error) -> PromoteError {
        LogError { action, path: self.request.log.to_owned(), source }.into()
    }

    fn check_places(&self) -> Result<(), PromoteError> {
        let &PromoteRequest { source, destination, .. } = self.request;
        let is_same = match (source, destination) {
            (Reference::Registry(one), Reference::Registry(other)) => {
                one.host() == other.host() && one.repository() == other.repository()
            }
            (Reference::Layout(one), Reference::Layout(other))
            | (Reference::Archive(one), Reference::Archive(other)) => one.path() == other.path(),
            _ => false,
        };
        let reference = destination.to_string();
        match destination {
            Reference::DockerArchive(_) => Err(PromoteError::NoSignatures { reference }),
            _ if is_same => Err(PromoteError::SamePlace { reference }),
            _ => Ok(()),
        }
    }

    /// Nothing is promoted with an approval of something else.
    fn check_approval(&self, found: &Digest) -> Result<(), PromoteError> {
        match self.request.approved.map(Approved::approval) {
            Some(approval) if approval.digest() != found => Err(PromoteError::NotApproved {
                reference: self.request.source.to_string(),
                approved: approval.digest().clone(),
                found: found.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The names to look for.
    fn names(&self) -> Result<Names, PromoteError> {
        let registry = |reference: &Reference| match reference {
            Reference::Registry(name) => Some(name.clone()),
            _ => None,
        };
        let (source, destination) = (registry(self.request.source), registry(self.request.destination));
        let mut texts = self.request.internal_names.to_vec();
        texts.extend(source.iter().flat_map(|source| names::of(source, destination.as_ref())));
        let found = texts.iter().map(String::len).sum();
        Names::new(texts).map_err(|_| PromoteError::Names { found })
    }

    /// What will be signed tells nobody where the image comes from.
    fn check_told(&self, names: &Names, signed: &str, record: &Promotion, said: &[Said]) -> Result<(), PromoteError> {
        let destination = match self.request.destination {
            Reference::Registry(name) => format!("{}/{}", name.host(), name.repository()),
            _ => String::new(),
        };
        let record = record.to_json();
        let own = [
            ("the name of the destination", destination.as_str()),
            ("the name that is signed", signed),
            ("the record of the promotion", &record),
        ];
        let said = said.iter().map(|said| ("the verdict or the ledger", said.predicate.as_str()));
        for (what, text) in own.into_iter().chain(said) {
            if let Some(name) = names.in_text(text) {
                return Err(PromoteError::Told { what, name: name.to_owned() });
            }
        }
        Ok(())
    }

    /// Verifies the source, and gives what there is to record.
    fn verified(&self, named: &Named) -> Result<Promotion, PromoteError> {
        let &PromoteRequest { source, verification, signer, by, machine, .. } = self.request;
        let report = verify_in(named.store.as_ref(), &named.root, verification)
            .map_err(|error| self.unreadable(error.into()))?;
        if let Some(found) = NotVerified::of(&report) {
            return Err(PromoteError::NotVerified { reference: source.to_string(), found: Box::new(found) });
        }
        let by = Promoter::new(signer.public_key(), by);
        let approval = self.request.approved.map(Approved::approval);
        Promotion::new(by, source, &report, approval, machine.now).ok_or(PromoteError::Time(machine.now))
    }

    /// Signs the record, and gives the one that is there now: an earlier attempt may have written it, in all forms or in one.
    fn record(
        &self,
        beside: &Beside<'_>,
        destination: &Destination,
        root: &Descriptor,
        signed_name: &str,
        promotion: Promotion,
    ) -> Result<Promotion, PromoteError> {
        let before = attestation_in(destination.store(), root, &kind(), &self.wanted())?;
        let before = before.verified().iter().filter_map(recorded).find(|before| before.repeats(&promotion));
        let promotion = before.unwrap_or(promotion);
        beside.attest(root, signed_name, &kind(), &promotion.to_json())?;
        Ok(promotion)
    }

    /// Verifies the signature, the record and what else was said from the destination, and gives the digest of the record's
    /// statement.
    fn verify_there(
        &self,
        destination: &Destination,
        root: &Descriptor,
        promotion: &Promotion,
        said: &[Said],
    ) -> Result<Digest, PromoteError> {
        let to = self.request.destination;
        let opened;
        let there = match to {
            // It is a file when it is complete, and not before.
            Reference::Archive(_) | Reference::DockerArchive(_) => destination.store(),
            // Opened anew, so that nothing is answered from what was just sent.
            Reference::Layout(_) | Reference::Registry(_) => {
                opened = self.places.source(to)?.0;
                opened.as_ref()
            }
        };
        let reference = || to.to_string();
        if let Some(found) = NotVerified::of(&verify_in(there, root, &self.wanted())?) {
            return Err(PromoteError::Unverified { reference: reference(), found: Box::new(found) });
        }
        let records = attestation_in(there, root, &kind(), &self.wanted())?;
        let record = records.verified().iter().find(|statement| recorded(statement).as_ref() == Some(promotion));
        let record = record.ok_or_else(|| PromoteError::Unrecorded { reference: reference() })?;
        for said in said {
            if !said.is_in(there, root, &self.wanted())? {
                return Err(PromoteError::Unrecorded { reference: reference() });
            }
        }
        Ok(Digest::of(record.payload()))
    }

    /// What is asked of what was just signed.
    fn wanted(&self) -> Requirements {
        Requirements::new(Trust::Keys(vec![self.request.signer.public_key().clone()]))
    }
}

/// The type of the record.
fn kind() -> PredicateType {
    PROMOTION.parse().expect("a URI is a type of predicates")
}

/// What goes along about the image, to be signed.
fn documents(named: &Named, freight: &Freight<'_>) -> Result<Vec<Artifact>, Error> {
    let read = |document: Descriptor| match Artifact::read(&named.store, &document) {
        Ok(artifact) => Some(Ok(artifact)),
        Err(error) if error.is_io() => Some(Err(error)),
        // No artifact, so that there is nothing to sign in it.
        Err(_) => None,
    };
    freight.documents().into_iter().filter_map(read).collect()
}

/// The record that a statement has, where it has one of this form.
fn recorded(statement: &VerifiedStatement) -> Option<Promotion> {
    serde_json::from_str(predicate(statement)?).ok()
}

#[cfg(test)]
mod tests;
