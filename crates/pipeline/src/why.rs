//! Why a package is in an image.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use distil_aptrepo::{Because, Link, Why};
use distil_cache::Session;
use distil_debunpack::{PackageName, Version};
use distil_imgcore::Platform;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lock::{Draft, Kept, LockError, platforms, read};
use crate::machine::Machine;
use crate::places::Places;
use crate::progress::Progress;
use crate::provision::Provider;
use crate::recipe::Recipe;

/// What is asked.
#[derive(Debug)]
pub struct WhyRequest<'a> {
    /// The recipe, no variant applied.
    pub recipe: &'a Recipe,
    /// The variant that is meant.
    pub variant: Option<&'a str>,
    /// Where the files lie that the recipe names.
    pub dir: &'a Path,
    /// Where its lock is, if it has one: what it names is preferred.
    pub lock: &'a Path,
    /// The package.
    pub package: &'a PackageName,
    /// The platform; none for the first of the recipe.
    pub platform: Option<Platform>,
    /// The platform of this machine, for a recipe that names none.
    pub host: Platform,
    /// How many threads work.
    pub jobs: NonZeroUsize,
    /// The directory for what is kept between runs.
    pub cache_dir: PathBuf,
    /// The machine and the network.
    pub machine: Machine,
    /// Set to true from elsewhere, ends the work soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// The answer, and the JSON document of `why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WhyAnswer {
    /// `distil.why/v1`.
    pub schema: String,
    /// The package.
    pub package: String,
    /// Its version, where it is in the image.
    pub version: Option<String>,
    /// The platform.
    pub platform: String,
    /// Whether it is in the image.
    pub presence: Presence,
    /// The shortest chain from something that was asked for to the package: each link needs the next. Empty where the
    /// package itself was asked for, or is not there.
    pub chain: Vec<LinkDocument>,
    /// Packages of the image that need it; for one that is not there, those that mention it, or would need it were it not
    /// excluded.
    pub dependents: Vec<LinkDocument>,
    /// Packages of the image that provide its name.
    pub providers: Vec<String>,
}

/// Whether a package is in an image, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The recipe asks for it, or for what the chain starts with.
    Requested,
    /// It is a file that the recipe names, or what the chain starts with is.
    Local,
    /// The base holds it, or what the chain starts with.
    Base,
    /// The recipe excludes it.
    Excluded,
    /// It is not in the image.
    Absent,
}

/// One package needs another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LinkDocument {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The field in which it says so, as in `Depends`.
    pub field: String,
    /// The relation, with all alternatives.
    pub relation: String,
}

impl WhyAnswer {
    /// Whether the package is in the image.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self.presence, Presence::Requested | Presence::Local | Presence::Base)
    }

    fn new(why: Why, version: Option<Version>, request: &WhyRequest<'_>, platform: &Platform) -> Self {
        let (presence, chain, dependents, providers) = match why {
            Why::Chosen { start, links, dependents } => (presence(&start), links, dependents, Vec::new()),
            Why::Excluded { dependents } => (Presence::Excluded, Vec::new(), dependents, Vec::new()),
            Why::Absent { mentions, providers } => (Presence::Absent, Vec::new(), mentions, providers),
            _ => (Presence::Absent, Vec::new(), Vec::new(), Vec::new()),
        };
        Self {
            schema: "distil.why/v1".to_owned(),
            package: request.package.to_string(),
            version: version.map(|version| version.to_string()),
            platform: platform.to_string(),
            presence,
            chain: chain.iter().map(LinkDocument::new).collect(),
            dependents: dependents.iter().map(LinkDocument::new).collect(),
            providers: providers.iter().map(ToString::to_string).collect(),
        }
    }
}

impl LinkDocument {
    fn new(link: &Link) -> Self {
        Self {
            package: link.package.clone(),
            version: link.version.to_string(),
            field: link.field.name().to_owned(),
            relation: link.relation.clone(),
        }
    }
}

fn presence(start: &Because) -> Presence {
    match start {
        Because::Base => Presence::Base,
        Because::Local => Presence::Local,
        _ => Presence::Requested,
    }
}

/// Tells why a package is in the image of a recipe, or that it is not. Packages are chosen for that as for a lock, those of
/// the lock that is there first; nothing but indices is fetched.
///
/// # Errors
/// [`LockError`], as [`crate::lock()`] has it, but for those of packages themselves.
pub fn why(request: &WhyRequest<'_>, progress: &dyn Progress) -> Result<WhyAnswer, LockError> {
    let old = read(request.lock)?;
    let kept = old
        .map(|lock| Ok::<_, LockError>(Kept::of(&lock, &[], request.lock)?.with_base(&lock)))
        .transpose()?
        .unwrap_or_default();
    if let Some(name) = request.variant {
        request.recipe.with_variant(name)?;
    }
    let mut platforms = platforms(request.recipe, &request.host);
    let wanted = request.platform.clone().or_else(|| platforms.first().cloned()).unwrap_or(request.host.clone());
    if !platforms.contains(&wanted) {
        platforms = vec![wanted.clone()];
    }
    let places = Places::new(&request.machine, progress, request.cancelled);
    let provider = Provider::new(&places, &Session::start(&request.cache_dir)?, request.jobs)?;
    let draft = Draft::new(request.recipe, request.dir, platforms, &kept, &provider)?;
    let found = draft.why(request.variant, &wanted, request.package)?;
    let (why, version) = found.ok_or_else(|| LockError::Platform(wanted.clone()))?;
    Ok(WhyAnswer::new(why, version, request, &wanted))
}
