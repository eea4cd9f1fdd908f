//! Why a command did not do what it was asked for, with which status it ends then, and how to get out.

mod advice;
mod beside;
mod check;
mod database;
mod key;
mod keyless;
mod promote;
mod refresh;
mod registry;
mod signing;

use std::io;
use std::path::PathBuf;

use distil_pipeline::advisories::DatabaseError;
use distil_pipeline::check::CheckError;
use distil_pipeline::inputs::InputError;
use distil_pipeline::policy::Verdict;
use distil_pipeline::recipe::{RecipeError, UnknownVariant};
use distil_pipeline::scan::ScanError;
use distil_pipeline::signing::{
    BlobError, KeyFileError, KeylessError, NotVerified, PromoteError, RefreshError, SignError, TrustError, VerifyError,
};
use distil_pipeline::{
    BaseError, BuildError, CacheError, CopyError, Escaped, InitError, LockError, Obstacle, PlatformError, ReadError,
    StoreError, TagsError,
};

use crate::policy_file::MistakenPolicy;
use crate::status::Status;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("SOURCE_DATE_EPOCH is \"{}\", which is no number of seconds that have passed since 1970", Escaped(.found.as_bytes()))]
    Epoch { found: String },
    #[error("no directory for the cache: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCacheDir,
    #[error("no directory for state: neither XDG_STATE_HOME nor HOME is an absolute path")]
    NoStateDir,
    #[error("{} is not a directory", Escaped::path(.path))]
    NoCertificates { path: PathBuf },
    /// Drawn into the recipe's text by the printer.
    #[error("{} is not in order", Escaped::path(&.0.path))]
    Recipe(Box<Mistaken>),
    /// Drawn into the policy's text by the printer.
    #[error("{} is not in order", Escaped::path(&.0.path))]
    Policy(Box<MistakenPolicy>),
    #[error("no image is named, and no facts")]
    NoImage,
    #[error("{} would be written over, though it is read", Escaped::path(.path))]
    WrittenOver { path: PathBuf },
    #[error("two outputs are to be written to {}", Escaped::path(.path))]
    WrittenTwice { path: PathBuf },
    #[error(transparent)]
    Check(Box<CheckError>),
    #[error("the policy {} does not approve of {}", Escaped(.verdict.policy.as_bytes()), Escaped(.verdict.reference.as_bytes()))]
    NotApproved { verdict: Box<Verdict> },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Variant(#[from] UnknownVariant),
    #[error(transparent)]
    Build(Box<BuildError>),
    #[error(transparent)]
    Lock(Box<LockError>),
    #[error(transparent)]
    Read(Box<ReadError>),
    #[error(transparent)]
    Open(Box<StoreError>),
    #[error(transparent)]
    Copy(Box<CopyError>),
    #[error("cannot copy the image to {}", Escaped(.reference.as_bytes()))]
    NotCopied { reference: String, source: Box<CopyError> },
    #[error(transparent)]
    Tags(Box<TagsError>),
    #[error(transparent)]
    Trust(Box<TrustError>),
    #[error(transparent)]
    Verify(Box<VerifyError>),
    #[error("{} is not verified", Escaped(.what.as_bytes()))]
    NotVerified {
        what: String,
        #[source]
        found: Box<NotVerified>,
    },
    #[error(transparent)]
    Refresh(Box<RefreshError>),
    #[error(transparent)]
    Database(Box<DatabaseError>),
    #[error(transparent)]
    Scan(Box<ScanError>),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Key(Box<KeyFileError>),
    #[error(transparent)]
    Keyless(Box<KeylessError>),
    #[error("nothing says who signs")]
    NoSignatory,
    #[error("a signature by a certificate is nothing without that, and only a bundle has both")]
    NoBundle,
    #[error("standard input cannot be both the file and the identity token")]
    OneInput,
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Sign(Box<SignError>),
    #[error(transparent)]
    Promote(Box<PromoteError>),
    #[error("cannot write {}", Escaped::path(.path))]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write the result")]
    Stdout(#[source] io::Error),
    #[error("cannot tell the platform of this machine")]
    Host(#[source] PlatformError),
    #[error("cannot watch for signals")]
    Signals(#[source] io::Error),
}

/// A recipe that was read, and is not in order.
#[derive(Debug)]
pub(crate) struct Mistaken {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) error: RecipeError,
}

/// The large errors of the library, each in a box.
macro_rules! boxed {
    ($($variant:ident($error:ty)),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        })*
    };
}

boxed!(
    Build(BuildError),
    Check(CheckError),
    Lock(LockError),
    Read(ReadError),
    Open(StoreError),
    Copy(CopyError),
    Tags(TagsError),
    Trust(TrustError),
    Verify(VerifyError),
    Key(KeyFileError),
    Keyless(KeylessError),
    Sign(SignError),
    Promote(PromoteError),
    Refresh(RefreshError),
    Database(DatabaseError),
    Scan(ScanError)
);

impl Failure {
    /// The exit status. What the user has to write or ask differently is a mistake, everything else has failed.
    pub(crate) fn status(&self) -> Status {
        if let Self::Key(error) = self
            && error.is_interrupted()
        {
            // The key that sends this signal was pressed where a password was asked for.
            return Status::Signal(2);
        }
        let (no, undecided) = match self {
            Self::Build(e) => (e.is_no(), e.is_undecided()),
            Self::Lock(e) => (e.is_no(), e.is_undecided()),
            Self::NotVerified { .. } => (true, false),
            Self::NotApproved { verdict } => check::answer(verdict),
            Self::Check(e) => (false, e.is_undecided()),
            Self::Trust(e) => (false, e.is_undecided()),
            Self::Sign(e) => (e.is_no(), e.is_undecided()),
            Self::Blob(e) => (e.is_no(), false),
            Self::Keyless(e) => (false, e.is_undecided()),
            Self::Promote(e) => (e.is_no(), false),
            Self::Database(e) => (false, e.is_undecided()),
            Self::Scan(e) => (false, e.is_undecided()),
            _ => (false, false),
        };
        if no {
            return Status::No;
        }
        if undecided {
            return Status::Undecided;
        }
        let mistake = match self {
            Self::Epoch { .. }
            | Self::NoCacheDir
            | Self::NoStateDir
            | Self::NoImage
            | Self::WrittenOver { .. }
            | Self::WrittenTwice { .. }
            | Self::Policy(_)
            | Self::NoCertificates { .. }
            | Self::NoSignatory
            | Self::NoBundle
            | Self::OneInput
            | Self::Recipe(_)
            | Self::Variant(_) => true,
            Self::Input(e) => e.is_mistake(),
            Self::Build(e) => e.is_mistake(),
            Self::Lock(e) => e.is_mistake(),
            Self::Read(e) => e.is_mistake(),
            Self::Open(e) => e.is_mistake(),
            Self::Copy(e) | Self::NotCopied { source: e, .. } => e.is_mistake(),
            Self::Tags(e) => e.is_mistake(),
            Self::Trust(e) => e.is_mistake(),
            Self::Verify(e) => e.is_mistake(),
            Self::Refresh(e) => e.is_mistake(),
            Self::Init(e) => matches!(e, InitError::Exists { .. }),
            Self::Key(e) => e.is_mistake(),
            Self::Keyless(e) => e.is_mistake(),
            Self::Blob(e) => e.is_mistake(),
            Self::Sign(e) => e.is_mistake(),
            Self::Promote(e) => e.is_mistake(),
            Self::Database(e) => e.is_mistake(),
            Self::Check(e) => e.is_mistake(),
            Self::Scan(e) => e.is_mistake(),
            _ => false,
        };
        if mistake { Status::Mistake } else { Status::Failed }
    }

    /// Findings that do not fit into the line of the message.
    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Self::Build(e) => match &**e {
                BuildError::Conflicts { conflicts, .. } => conflicts.iter().map(ToString::to_string).collect(),
                BuildError::Lock(e) => lock_details(e),
                BuildError::Base(e) => base_details(e),
                BuildError::Differs { differences } => differences.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            },
            Self::Lock(e) => lock_details(e),
            Self::NotVerified { found, .. } => signing::refused(found),
            Self::Promote(e) => promote::details(e),
            Self::NotApproved { verdict } => check::details(verdict),
            _ => Vec::new(),
        }
    }

    /// How to get out.
    pub(crate) fn advice(&self) -> Option<String> {
        let own = self.own_advice();
        own.or_else(|| Obstacle::of(self).as_ref().and_then(registry::advice))
    }

    /// What this level has to say.
    fn own_advice(&self) -> Option<String> {
        match self {
            Self::Epoch { .. } => Some("unset it, or set it to the output of `date +%s`".to_owned()),
            Self::NoCacheDir => Some("name a directory with --cache-dir".to_owned()),
            Self::WrittenOver { .. } | Self::WrittenTwice { .. } => Some("name another file to be written".to_owned()),
            Self::NoStateDir => Some("name a file with --log, or with --database".to_owned()),
            Self::Check(error) => check::advice(error),
            Self::NotApproved { .. } => Some("`distil check --new` shows the whole verdict".to_owned()),
            Self::Input(error) => advice::of_input(error),
            Self::Build(error) => advice::of_build(error),
            Self::Lock(error) => advice::of_lock(error),
            Self::Variant(error) => Some(advice::of_variant(error)),
            Self::Read(error) => advice::of_read(error),
            Self::Open(error) => advice::of_store(error),
            Self::Copy(error) | Self::NotCopied { source: error, .. } => advice::of_copy(error),
            Self::Tags(error) => advice::of_tags(error),
            Self::Trust(error) => signing::trust_advice(error),
            Self::Verify(error) => signing::verify_advice(error),
            Self::NotVerified { found, .. } => Some(signing::not_verified_advice(found)),
            Self::Refresh(error) => refresh::advice(error),
            Self::Cache(_) => Some(
                "the cache is the directory that --cache-dir names, or distil in the user's cache directory".to_owned(),
            ),
            Self::Init(InitError::Exists { .. }) => Some("it was left as it is".to_owned()),
            Self::Key(error) => key::advice(error),
            Self::Keyless(error) => keyless::advice(error),
            Self::NoBundle => Some("write one with --bundle FILE".to_owned()),
            Self::Sign(error) => beside::advice(error),
            Self::Promote(error) => promote::advice(error),
            Self::Database(error) => database::advice(error),
            _ => None,
        }
    }
}

fn lock_details(error: &LockError) -> Vec<String> {
    match error {
        LockError::Stale { reasons, .. } => reasons.iter().map(ToString::to_string).collect(),
        LockError::Base(e) => base_details(e),
        _ => Vec::new(),
    }
}

fn base_details(error: &BaseError) -> Vec<String> {
    match error {
        BaseError::NotVerified { source, .. } => signing::refused(source),
        _ => Vec::new(),
    }
}
