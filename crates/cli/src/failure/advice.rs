//! How to get out of what is wrong with recipes, locks, images and places.

use std::io;

use distil_pipeline::init::RECIPE_NAME;
use distil_pipeline::inputs::InputError;
use distil_pipeline::recipe::UnknownVariant;
use distil_pipeline::{BaseError, BuildError, CopyError, LockError, ReadError, SourcesError, StoreError, TagsError};

use super::{beside, signing};

pub(super) fn of_input(error: &InputError) -> Option<String> {
    match error {
        InputError::Read { path, source }
            if source.kind() == io::ErrorKind::NotFound && path.file_name().is_some_and(|n| n == RECIPE_NAME) =>
        {
            Some("`distil init` writes a recipe to start from".to_owned())
        }
        _ => None,
    }
}

pub(super) fn of_build(error: &BuildError) -> Option<String> {
    match error {
        BuildError::Destination(error) => of_store(error),
        BuildError::Sign(error) => beside::advice(error),
        BuildError::Lock(error) => of_lock(error),
        BuildError::Differs { .. } => Some(
            "the lock, the recipe and the files are the same: look for what else differs, and record with --record only \
             what you know to be right"
                .to_owned(),
        ),
        BuildError::Table { .. } => Some("set layers.compression to zstd or gzip, or leave the file out".to_owned()),
        BuildError::Architecture { .. } => Some("choose the platform with --platform or in the recipe".to_owned()),
        BuildError::Base(error) => of_base(error),
        BuildError::Conflicts { .. } => Some("leave one of the two out, or exclude the path in [filter]".to_owned()),
        _ => None,
    }
}

pub(super) fn of_lock(error: &LockError) -> Option<String> {
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
        LockError::Sources(error) => of_sources(error),
        LockError::Machine(_) => Some(MACHINE.to_owned()),
        LockError::Variant(error) => Some(of_variant(error)),
        LockError::Base(error) => of_base(error),
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

fn of_sources(error: &SourcesError) -> Option<String> {
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

fn of_base(error: &BaseError) -> Option<String> {
    match error {
        BaseError::Read { source, .. } => of_read(source),
        BaseError::Trust { source, .. } => signing::trust_advice(source),
        BaseError::NotVerified { source, .. } => Some(signing::not_verified_advice(source)),
        BaseError::Unverifiable { .. } => {
            Some("run it once without --offline: signatures that are good are kept for the next time".to_owned())
        }
        BaseError::Version { .. } => Some("take the version of the base, or make the base anew".to_owned()),
        BaseError::Database { .. } => Some("leave debian.database out".to_owned()),
        BaseError::Layers { found, .. } if *found > 98 => Some("start from an image of fewer layers".to_owned()),
        BaseError::Layers { found, .. } => Some(format!("set layers.max to {} or more", found + 2)),
        _ => None,
    }
}

pub(super) fn of_copy(error: &CopyError) -> Option<String> {
    match error {
        CopyError::Source { source, .. } => of_read(source),
        CopyError::Destination(error) => of_store(error),
        CopyError::SeveralPlatforms { known, .. } => Some(format!("choose one with --platform: {}", list(known))),
        _ => None,
    }
}

pub(super) fn of_variant(error: &UnknownVariant) -> String {
    match &error.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if error.known.is_empty() => "add a table [variants.NAME] to it".to_owned(),
        None => format!("it has {}", error.known.join(", ")),
    }
}

pub(super) fn of_read(error: &ReadError) -> Option<String> {
    match error {
        ReadError::NoPlatform { known, .. } => Some(format!("it is there for {}", list(known))),
        ReadError::Open(error) => of_store(error),
        _ => None,
    }
}

pub(super) fn of_tags(error: &TagsError) -> Option<String> {
    match error {
        TagsError::OneImage { .. } => {
            Some("leave the tag or digest out; `distil inspect` tells what one image is".to_owned())
        }
        TagsError::Open(error) => of_store(error),
        _ => None,
    }
}

pub(super) fn of_store(error: &StoreError) -> Option<String> {
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
pub(super) const MOST: usize = 20;

fn list<T: ToString>(names: &[T]) -> String {
    let shown = names.iter().take(MOST).map(T::to_string).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
