//! The options of commands that judge an image by a policy: what the judgement is made from.

use std::path::{Path, PathBuf};

use clap::Args;
use distil_pipeline::check::{CheckRequest, Checked, Evidence, LedgerUse, Timestamp, check};
use distil_pipeline::{Machine, Platform, Progress, Reference};

use crate::commands::Context;
use crate::failure::Failure;
use crate::policy_file::PolicyFile;

/// What a judgement is made from, beside the image.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct Judging {
    /// The database of advisories; the default is the one that `distil db import` fills
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Take in this report of Trivy, Grype or osv-scanner, or in SARIF; may be repeated
    #[arg(long = "report", value_name = "FILE")]
    reports: Vec<PathBuf>,
    /// Take in this VEX document, in the form of CSAF or of openvex.dev, beside those that the policy names; may be repeated. A
    /// signature beside it, in FILE.sigstore.json or FILE.sig, is verified by the policy's authorities
    #[arg(long = "vex", value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// Leave out what this ignore file of a scanner does: .trivyignore, .trivyignore.yaml, osv-scanner.toml, .grype.yaml; may be
    /// repeated
    #[arg(long = "ignore-file", value_name = "FILE")]
    ignores: Vec<PathBuf>,
    /// Count resolution times from what this ledger has; what is seen is written there. It is made where it is missing. The
    /// default is the one that the policy names
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Leave the ledger as it is
    #[arg(long)]
    no_ledger_update: bool,
    /// Count from what the ledger has that is attested beside this image, that of the release before; it has to be signed by an
    /// authority of the policy. Joined with that of --ledger
    #[arg(long, value_name = "REF", value_parser = crate::commands::reference)]
    ledger_from: Option<Reference>,
}

/// The image that is judged, and for when.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    pub(crate) reference: &'a Reference,
    pub(crate) platform: Option<&'a Platform>,
    /// None for now.
    pub(crate) now: Option<Timestamp>,
    pub(crate) is_new: bool,
    /// A log of promotions that may have something about its tag.
    pub(crate) record: Option<&'a Path>,
}

impl Judging {
    /// Judges an image.
    pub(crate) fn judge(
        &self,
        image: &Image<'_>,
        file: &PolicyFile,
        machine: &Machine,
        context: &Context<'_>,
        progress: &dyn Progress,
    ) -> Result<Checked, Failure> {
        let (global, environment) = (&context.global, context.environment);
        let cache_dir = environment.cache_dir(global.cache_dir.as_deref()).ok();
        let now = image.now.or_else(|| Timestamp::from_second(machine.now).ok());
        let request = CheckRequest {
            reference: image.reference,
            platform: image.platform,
            policy: &file.policy,
            policy_folder: file.folder(),
            evidence: &Evidence { record: image.record.map(Path::to_owned), ..self.evidence(context)? },
            now: now.unwrap_or(Timestamp::UNIX_EPOCH),
            is_new: image.is_new,
            cache_dir: cache_dir.as_deref(),
            jobs: environment.jobs(None),
            machine,
        };
        let ledger = self.ledger_file(file);
        Ok(check(&request, self.ledger_use(ledger.as_deref()), progress)?)
    }

    /// The files that are known beside the image. Without a named database it is the usual one, where that is there.
    fn evidence(&self, context: &Context<'_>) -> Result<Evidence, Failure> {
        let database = match &self.database {
            Some(named) => Some(named.clone()),
            None => Some(context.environment.advisories(None)?).filter(|usual| usual.exists()),
        };
        Ok(Evidence {
            database,
            reports: self.reports.clone(),
            vex: self.vex.clone(),
            ignores: self.ignores.clone(),
            record: None,
            ledger_from: self.ledger_from.clone(),
        })
    }

    /// The files that are read, and the ledger.
    pub(crate) fn files(&self, file: &PolicyFile) -> Vec<PathBuf> {
        let lists = [&self.reports, &self.vex, &self.ignores].into_iter().flatten().cloned();
        lists.chain(self.database.clone()).chain(self.ledger_file(file)).collect()
    }

    /// Whether there is a ledger that is kept.
    pub(crate) fn has_ledger(&self, file: &PolicyFile) -> bool {
        self.ledger_file(file).is_some() || self.ledger_from.is_some()
    }

    /// The ledger that is named here, or else by the policy.
    fn ledger_file(&self, file: &PolicyFile) -> Option<PathBuf> {
        self.ledger.clone().or_else(|| file.ledger())
    }

    /// What is done with the ledger.
    fn ledger_use<'a>(&self, ledger: Option<&'a Path>) -> LedgerUse<'a> {
        match ledger {
            None => LedgerUse::OfFacts,
            Some(path) if self.no_ledger_update => LedgerUse::Read(path),
            Some(path) => LedgerUse::Update(path),
        }
    }
}
