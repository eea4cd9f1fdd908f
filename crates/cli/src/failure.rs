//! Why a command did not do what it was asked for, with which status it ends then, and how to get out.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use distil_pipeline::inputs::InputError;
use distil_pipeline::recipe::{RecipeError, UnknownVariant};
use distil_pipeline::stores::StoreError;
use distil_pipeline::{BuildError, CopyError, Escaped, InitError, Platform, PlatformError, ReadError};

use crate::status::Status;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("SOURCE_DATE_EPOCH is {}, which is no number of seconds that have passed since 1970", Escaped(.found.as_bytes()))]
    Epoch { found: String },
    #[error("no directory for the cache: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCacheDir,
    /// Drawn into the recipe's text by the printer.
    #[error("{} is not in order", Escaped(.path.as_os_str().as_bytes()))]
    Recipe {
        path: PathBuf,
        text: String,
        #[source]
        error: RecipeError,
    },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Variant(#[from] UnknownVariant),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Open(#[from] StoreError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error("cannot write {}", Escaped(.path.as_os_str().as_bytes()))]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write the result")]
    Stdout(#[source] io::Error),
    #[error("cannot tell the platform of this machine")]
    Host(#[source] PlatformError),
    #[error("cannot watch for signals")]
    Signals(#[source] io::Error),
}

impl Failure {
    /// The exit status. What the user has to write or ask differently is a mistake, everything else has failed.
    pub(crate) fn status(&self) -> Status {
        let mistake = match self {
            Self::Epoch { .. } | Self::NoCacheDir | Self::Recipe { .. } | Self::Variant(_) => true,
            Self::Input(e) => e.is_mistake(),
            Self::Build(e) => e.is_mistake(),
            Self::Read(e) | Self::Copy(CopyError::Source { source: e, .. }) => is_mistake(e),
            Self::Open(e) | Self::Copy(CopyError::Destination(e)) => matches!(e, StoreError::NotYet { .. }),
            Self::Copy(e) => matches!(e, CopyError::OtherDigest { .. }),
            Self::Init(e) => matches!(e, InitError::Exists { .. }),
            _ => false,
        };
        if mistake { Status::Mistake } else { Status::Failed }
    }

    /// Findings that do not fit into the line of the message.
    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Self::Build(BuildError::Conflicts { conflicts, .. }) => conflicts.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// How to get out.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Epoch { .. } => Some("unset it, or set it to the output of `date +%s`".to_owned()),
            Self::NoCacheDir => Some("name a directory with --cache-dir".to_owned()),
            Self::Input(InputError::Read { path, source })
            | Self::Build(BuildError::Input(InputError::Read { path, source }))
                if source.kind() == io::ErrorKind::NotFound && path.file_name().is_some_and(|n| n == "distil.toml") =>
            {
                Some("`distil init` writes a recipe to start from".to_owned())
            }
            Self::Build(BuildError::Input(InputError::NoMatch { .. })) => {
                Some("patterns under debs are relative to the recipe's directory".to_owned())
            }
            Self::Build(BuildError::Conflicts { .. }) => {
                Some("leave one of the two out, or exclude the path in [filter]".to_owned())
            }
            Self::Variant(error) => Some(variant_advice(error)),
            Self::Read(error) | Self::Copy(CopyError::Source { source: error, .. }) => read_advice(error),
            Self::Init(InitError::Exists { .. }) => Some("it was left as it is".to_owned()),
            _ => None,
        }
    }
}

fn is_mistake(error: &ReadError) -> bool {
    matches!(error, ReadError::NoPlatform { .. } | ReadError::Open(StoreError::NotYet { .. }))
}

fn variant_advice(error: &UnknownVariant) -> String {
    let list = |names: &[String]| names.join(", ");
    match &error.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if error.known.is_empty() => "add a table [variants.NAME] to it".to_owned(),
        None => format!("it has {}", list(&error.known)),
    }
}

fn read_advice(error: &ReadError) -> Option<String> {
    match error {
        ReadError::NoPlatform { known, .. } => {
            let known: Vec<String> = known.iter().map(Platform::to_string).collect();
            Some(format!("it is there for {}", known.join(", ")))
        }
        _ => None,
    }
}
