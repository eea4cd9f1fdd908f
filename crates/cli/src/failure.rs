//! Why a command did not do what it was asked for, with which status it ends then, and how to get out.

mod registry;

use std::io;
use std::path::PathBuf;

use distil_pipeline::init::RECIPE_NAME;
use distil_pipeline::inputs::InputError;
use distil_pipeline::recipe::{RecipeError, UnknownVariant};
use distil_pipeline::{
    BaseError, BuildError, CacheError, CopyError, Escaped, InitError, LockError, Obstacle, PlatformError, ReadError,
    SourcesError, StoreError, TagsError,
};

use crate::status::Status;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("SOURCE_DATE_EPOCH is \"{}\", which is no number of seconds that have passed since 1970", Escaped(.found.as_bytes()))]
    Epoch { found: String },
    #[error("no directory for the cache: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCacheDir,
    #[error("{} is not a directory", Escaped::path(.path))]
    NoCertificates { path: PathBuf },
    /// Drawn into the recipe's text by the printer.
    #[error("{} is not in order", Escaped::path(&.0.path))]
    Recipe(Box<Mistaken>),
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
    Cache(#[from] CacheError),
    #[error(transparent)]
    Init(#[from] InitError),
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

boxed!(Build(BuildError), Lock(LockError), Read(ReadError), Open(StoreError), Copy(CopyError), Tags(TagsError));

impl Failure {
    /// The exit status. What the user has to write or ask differently is a mistake, everything else has failed.
    pub(crate) fn status(&self) -> Status {
        let (no, undecided) = match self {
            Self::Build(e) => (e.is_no(), e.is_undecided()),
            Self::Lock(e) => (e.is_no(), e.is_undecided()),
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
            | Self::NoCertificates { .. }
            | Self::Recipe(_)
            | Self::Variant(_) => true,
            Self::Input(e) => e.is_mistake(),
            Self::Build(e) => e.is_mistake(),
            Self::Lock(e) => e.is_mistake(),
            Self::Read(e) => e.is_mistake(),
            Self::Open(e) => e.is_mistake(),
            Self::Copy(e) | Self::NotCopied { source: e, .. } => e.is_mistake(),
            Self::Tags(e) => e.is_mistake(),
            Self::Init(e) => matches!(e, InitError::Exists { .. }),
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
                BuildError::Differs { differences } => differences.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            },
            Self::Lock(e) => lock_details(e),
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
            Self::Input(error) => input_advice(error),
            Self::Build(error) => build_advice(error),
            Self::Lock(error) => lock_advice(error),
            Self::Variant(error) => Some(variant_advice(error)),
            Self::Read(error) => read_advice(error),
            Self::Open(error) => store_advice(error),
            Self::Copy(error) | Self::NotCopied { source: error, .. } => copy_advice(error),
            Self::Tags(error) => tags_advice(error),
            Self::Cache(_) => Some(
                "the cache is the directory that --cache-dir names, or distil in the user's cache directory".to_owned(),
            ),
            Self::Init(InitError::Exists { .. }) => Some("it was left as it is".to_owned()),
            _ => None,
        }
    }
}

fn input_advice(error: &InputError) -> Option<String> {
    match error {
        InputError::Read { path, source }
            if source.kind() == io::ErrorKind::NotFound && path.file_name().is_some_and(|n| n == RECIPE_NAME) =>
        {
            Some("`distil init` writes a recipe to start from".to_owned())
        }
        _ => None,
    }
}

fn build_advice(error: &BuildError) -> Option<String> {
    match error {
        BuildError::Destination(error) => store_advice(error),
        BuildError::Lock(error) => lock_advice(error),
        BuildError::Differs { .. } => Some(
            "the lock, the recipe and the files are the same: look for what else differs, and record with --record only \
             what you know to be right"
                .to_owned(),
        ),
        BuildError::Table { .. } => Some("set layers.compression to zstd or gzip, or leave the file out".to_owned()),
        BuildError::Architecture { .. } => Some("choose the platform with --platform or in the recipe".to_owned()),
        BuildError::Base(error) => base_advice(error),
        BuildError::Conflicts { .. } => Some("leave one of the two out, or exclude the path in [filter]".to_owned()),
        _ => None,
    }
}

fn lock_details(error: &LockError) -> Vec<String> {
    match error {
        LockError::Stale { reasons, .. } => reasons.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn lock_advice(error: &LockError) -> Option<String> {
    match error {
        LockError::Missing { .. } => Some("`distil lock` writes one".to_owned()),
        LockError::Stale { .. } => Some("`distil lock` makes it anew, and shows what changes".to_owned()),
        error if error.is_of_another_format() => {
            Some("use the version of distil that wrote it, or remove it and run `distil lock`".to_owned())
        }
        LockError::File { .. } => Some("take it from version control again, or remove it and run `distil lock`".to_owned()),
        LockError::NotLocked { .. } => Some(
            "--update takes names of packages that the lock has; to add one, write it into the recipe and run `distil lock`"
                .to_owned(),
        ),
        LockError::Sources(error) => sources_advice(error),
        LockError::Machine(_) => Some(MACHINE.to_owned()),
        LockError::Variant(error) => Some(variant_advice(error)),
        LockError::Base(error) => base_advice(error),
        LockError::RolledBack { .. } => {
            Some("wait for the mirror, or take another; to go back on purpose, state a snapshot or remove the lock".to_owned())
        }
        LockError::PartialRecord => Some("leave out --platform".to_owned()),
        error if error.lacks_architecture() => {
            Some("add a source that has it to the recipe or to this machine, or leave the platform out".to_owned())
        }
        LockError::Acquire(error) if error.is_offline() => Some("run it once without --offline".to_owned()),
        LockError::Acquire(error) if error.is_unreachable() || error.is_missing() => Some(
            "to do without it, name the suites that are wanted with host-suites in [debian], or leave it out of sources"
                .to_owned(),
        ),
        LockError::Uncached { .. } => Some("run it once without --offline".to_owned()),
        LockError::Fetch(error) if error.is_offline() => Some("run it once without --offline".to_owned()),
        LockError::Fetch(error) if error.is_missing() => Some(
            "mirrors drop old versions: `distil lock` takes what they have now, and a snapshot keeps what they had; `distil lock \
             --vendor DIR` fills a vendored directory again"
                .to_owned(),
        ),
        LockError::NoSource { .. } => {
            Some("add a source with that suite to the recipe or to this machine, or name a directory with --vendor".to_owned())
        }
        _ => None,
    }
}

/// Where it stands what the machine says of itself.
const MACHINE: &str = "certificates are those of SSL_CERT_FILE or SSL_CERT_DIR, credentials those of NETRC or ~/.netrc, and \
                       proxies those of http_proxy, https_proxy and all_proxy";

fn sources_advice(error: &SourcesError) -> Option<String> {
    match error {
        SourcesError::NoHostSuite { known, .. } => Some(format!("they have {}", known.join(", "))),
        SourcesError::NoHostSources { .. } => {
            Some("state sources in [debian], or name apt's directory with --apt-dir".to_owned())
        }
        SourcesError::Host(_) => {
            Some("mend it there, or state sources in [debian], in place of those of this machine".to_owned())
        }
        SourcesError::Keyring { .. } | SourcesError::KeyringFile { .. } | SourcesError::Uri { .. } => Some(
            "mend it there; to do without it, name the suites that are wanted with host-suites in [debian], or leave it out \
             of sources"
                .to_owned(),
        ),
        _ => None,
    }
}

fn base_advice(error: &BaseError) -> Option<String> {
    match error {
        BaseError::Read { source, .. } => read_advice(source),
        BaseError::Version { .. } => Some("take the version of the base, or make the base anew".to_owned()),
        BaseError::Database { .. } => Some("leave debian.database out".to_owned()),
        BaseError::Layers { found, .. } if *found > 98 => Some("start from an image of fewer layers".to_owned()),
        BaseError::Layers { found, .. } => Some(format!("set layers.max to {} or more", found + 2)),
        _ => None,
    }
}

fn copy_advice(error: &CopyError) -> Option<String> {
    match error {
        CopyError::Source { source, .. } => read_advice(source),
        CopyError::Destination(error) => store_advice(error),
        CopyError::SeveralPlatforms { known, .. } => Some(format!("choose one with --platform: {}", list(known))),
        _ => None,
    }
}

fn variant_advice(error: &UnknownVariant) -> String {
    match &error.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if error.known.is_empty() => "add a table [variants.NAME] to it".to_owned(),
        None => format!("it has {}", error.known.join(", ")),
    }
}

fn read_advice(error: &ReadError) -> Option<String> {
    match error {
        ReadError::NoPlatform { known, .. } => Some(format!("it is there for {}", list(known))),
        ReadError::Open(error) => store_advice(error),
        _ => None,
    }
}

fn tags_advice(error: &TagsError) -> Option<String> {
    match error {
        TagsError::OneImage { .. } => {
            Some("leave the tag or digest out; `distil inspect` tells what one image is".to_owned())
        }
        TagsError::Open(error) => store_advice(error),
        _ => None,
    }
}

fn store_advice(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Unclear { known, .. } => Some(format!("the names are {}", list(known))),
        StoreError::Taken(_) => Some(
            "choose a tag that is free; without --immutable, and publish.immutable in a recipe, tags move".to_owned(),
        ),
        StoreError::OtherDigest { .. } => Some("leave the digest out, or name the image with a tag".to_owned()),
        StoreError::Offline { .. } => Some(
            "run it without --offline, or copy the image to a directory first: `distil copy REF oci:DIR:TAG`"
                .to_owned(),
        ),
        StoreError::Machine(_) => Some(MACHINE.to_owned()),
        _ => None,
    }
}

/// Names that are listed; a repository may have thousands.
const MOST: usize = 20;

fn list<T: ToString>(names: &[T]) -> String {
    let shown = names.iter().take(MOST).map(T::to_string).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
