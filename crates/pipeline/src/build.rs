//! A recipe, or packages as they are, to an image.

mod assemble;
mod attach;
mod bases;
mod chunked;
mod convert;
mod directories;
mod error;
mod inventory;
mod layer_records;
mod memo;
mod order;
mod output;
mod own;
pub(crate) mod plan;
mod record;
mod records;
mod settings;
mod supply;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_cache::Session;
use distil_imgcore::{Descriptor, DiffId, Digest, Image, Index, Layer, Platform, Press, Reference};

pub use assemble::Warning;
pub(crate) use attach::in_statement;
pub use error::BuildError;
pub use record::ResultDifference;

use crate::lock::{LockUse, LockWarning};
use crate::machine::Machine;
use crate::package::Package;
use crate::parallel::{self, SideWork};
use crate::places::Places;
use crate::progress::{Phase, Progress};
use crate::recipe::Recipe;
use crate::shelf::{Converted, Rules, Shelf};
use crate::signing::{Formats, Signer};
use assemble::Parts;
use convert::Workshop;
use inventory::Made;
use memo::{Known, Memo};
use order::Order;
use record::Record;
use supply::{Prospect, Supply};

type Jobs = NonZeroUsize;

/// What to build, and where to.
#[derive(Debug)]
pub struct BuildRequest<'a> {
    /// What to build.
    pub what: What,
    /// For which platforms, in place of the recipe's; none for those.
    pub platforms: Vec<Platform>,
    /// The platform of this machine, for what names none.
    pub host: Platform,
    /// Where the image goes: at least one place.
    pub outputs: Vec<Reference>,
    /// Whether a name in a layout or registry that is another image's is an error; a recipe may ask for that, too.
    pub immutable: bool,
    /// `SOURCE_DATE_EPOCH`: the time of the image in seconds since 1970, in place of that of its newest package.
    pub epoch: Option<i64>,
    /// How many threads work. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// The directory for what is kept between builds.
    pub cache_dir: PathBuf,
    /// The machine and the network, for recipes that name packages.
    pub machine: Machine,
    /// With what to sign the image and what is attached to it; unsigned where nothing is said.
    pub signing: Option<BuildSigning<'a>>,
    /// Set to true from elsewhere, ends the build soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// How a build signs.
#[derive(Debug, Clone, Copy)]
pub struct BuildSigning<'a> {
    /// The key.
    pub signer: &'a dyn Signer,
    /// In which forms.
    pub formats: Formats,
    /// The repository that the image is signed for, in place of the one that it is written to.
    pub name: Option<&'a str>,
}

/// What an image is made of.
#[derive(Debug, Clone)]
pub enum What {
    /// A recipe.
    Recipe {
        /// The recipe, no variant applied.
        recipe: Box<Recipe>,
        /// The variant that is wanted.
        variant: Option<String>,
        /// Where the files lie that it names.
        dir: PathBuf,
        /// Its lock; without one packages are chosen anew.
        lock: Option<LockUse>,
    },
    /// Packages as they are, and archives as layers of their own. Nothing is added but the records of the packages.
    Packages {
        /// The .debs.
        debs: Vec<PathBuf>,
        /// The archives, the lowest first.
        tars: Vec<PathBuf>,
    },
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image in each place it was written to.
    pub images: Vec<BuiltImage>,
    /// What somebody should know, none of it a reason to stop, with the platform it is about.
    pub warnings: Vec<(Platform, Warning)>,
    /// The same about the choice of packages.
    pub lock_warnings: Vec<LockWarning>,
    /// Whether a lock was made for it, and written, since there was none.
    pub new_lock: bool,
}

/// An image in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The place.
    pub reference: Reference,
    /// The digest of the index, or of the manifest where there is none. A docker archive holds neither: its digest is that of
    /// the manifest that readers make for it.
    pub digest: Digest,
    /// The images of the platforms.
    pub platforms: Vec<BuiltPlatform>,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPlatform {
    /// The platform.
    pub platform: Platform,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The layers by their uncompressed content, the lowest first.
    pub diff_ids: Vec<DiffId>,
}

impl BuiltImage {
    /// An image that was written as `root`, and that readers of the place find as `found`.
    pub(crate) fn new(
        reference: &Reference,
        root: &Descriptor,
        found: &Descriptor,
        mut platforms: Vec<BuiltPlatform>,
    ) -> Self {
        for platform in platforms.iter_mut().filter(|platform| platform.digest == *root.digest()) {
            platform.digest = found.digest().clone();
        }
        Self { reference: reference.clone(), digest: found.digest().clone(), platforms }
    }
}

/// Builds an image and writes it to every output. Nothing is written before the whole image is known to be good.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use distil_pipeline::{BuildRequest, Machine, Silent, What, build};
///
/// let request = BuildRequest {
///     what: What::Packages { debs: vec!["hello.deb".into()], tars: Vec::new() },
///     platforms: Vec::new(),
///     host: "linux/amd64".parse()?,
///     outputs: vec!["oci:hello:latest".parse()?],
///     immutable: false,
///     epoch: None,
///     jobs: std::num::NonZeroUsize::MIN,
///     cache_dir: ".cache".into(),
///     machine: Machine::new(1_800_000_000),
///     signing: None,
///     cancelled: &Arc::default(),
/// };
/// println!("{}", build(&request, &Silent)?.images[0].digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`BuildError`]; [`BuildError::is_mistake`] tells what was asked for wrongly from what failed.
pub fn build(request: &BuildRequest<'_>, progress: &dyn Progress) -> Result<Built, BuildError> {
    let places = Places::new(&request.machine, progress, request.cancelled);
    output::check(request, &places)?;
    let order = Order::new(request)?;
    let platforms = order.platforms(request)?;
    let session = Session::start(&request.cache_dir)?;
    let shelf = Shelf::open(&session)?;
    let prospect = Prospect::new(request, &platforms, &places, &session)?;
    if let Some(built) = known(&prospect, &order, request, &places, &shelf)? {
        return Ok(built);
    }
    let mut supply = prospect.supply(Some((&shelf, order.rules(None))))?;
    let mut damaged = 0;
    loop {
        let built = build_of(&supply, &order, request, &places, (&session, &shelf));
        match &built {
            // Something else has to be made of packages of which fragments were there. That is rare.
            Err(e) if supply.has_shelved() && e.is_not_fetched() => {}
            // What was kept is made again where the disk has changed it.
            Err(_) if damaged < MOST_DAMAGED && shelf.discard_damaged() => {
                damaged += 1;
                // Where there is more than one place, there may be any number, and each costs a build to find.
                if damaged > 1 {
                    shelf.distrust();
                }
            }
            _ => return built,
        }
        if supply.has_shelved() {
            supply = Prospect::new(request, &platforms, &places, &session)?.supply(None)?;
        }
    }
}

/// The image of an earlier build by the same lock, where every destination holds its layers still.
fn known(
    prospect: &Prospect<'_>,
    order: &Order<'_>,
    request: &BuildRequest<'_>,
    places: &Places<'_>,
    shelf: &Shelf,
) -> Result<Option<Built>, BuildError> {
    let Prospect::Lock { fitting, .. } = prospect else { return Ok(None) };
    let lasts = |output: &Reference| matches!(output, Reference::Layout(_) | Reference::Registry(_));
    if !request.outputs.iter().all(lasts) {
        return Ok(None);
    }
    let own = order.own_digest(&order.own_files(fitting.lock().epoch)?)?;
    let memo = Memo::new(shelf, fitting.lock(), (&own, fitting.base_signers()), order.packing, request);
    let Some(Known { index, about, warnings }) = memo.find() else { return Ok(None) };
    let record = Record::new(fitting.lock(), request, &index, &own, order.packing);
    if let Some(record) = &record {
        record.compare()?;
    }
    let images = output::write(&index, &about, order.names(request), request, places);
    let images = match images {
        Ok(images) => images,
        // No build would change that.
        Err(error) if error.is_mistake() || error.is_remote() => return Err(error),
        // Where a layer is missing, or anything else is wrong, the whole build tells of it or mends it.
        Err(_) => return Ok(None),
    };
    if let Some(record) = record {
        record.write()?;
    }
    layer_records::make_again(&index, &images, shelf, request.jobs, places);
    Ok(Some(Built { images, warnings, lock_warnings: fitting.warnings(), new_lock: false }))
}

/// How often a build is begun again because of a damaged cache. A disk that changes all that is written must end it.
const MOST_DAMAGED: usize = 3;

/// Builds an image of packages that are there.
fn build_of(
    supply: &Supply,
    order: &Order<'_>,
    request: &BuildRequest<'_>,
    places: &Places<'_>,
    (session, shelf): (&Session, &Shelf),
) -> Result<Built, BuildError> {
    let progress = places.progress;
    // A part for each thread to take and one that is on its way; a single thread compresses its own.
    let press = Press::new(order.compression, if request.jobs.get() > 1 { request.jobs.get() + 1 } else { 0 });
    let workshop =
        Workshop { decoding: NonZeroUsize::MIN, session, shelf, press: &press, progress, cancelled: request.cancelled };

    let Supply { packages, sets, epoch, lock, warnings: lock_warnings, is_new } = supply;
    let bases = order.bases(sets.iter().map(|set| &set.platform), lock.as_deref(), places, session)?;
    let converted = convert_all(packages, order.rules(*epoch), request.jobs, workshop)?;
    // Trees and layers are next, which want memory themselves.
    press.rest();
    let archives =
        parallel::map(request.jobs, &order.tars, |path| own::archive(path, order.compression, *epoch, workshop))?;

    let own = order.own_files(epoch.unwrap_or(0))?;
    let parts = Parts {
        own: &own,
        archives: &archives,
        layers: order.layers,
        compression: order.compression,
        packing: order.packing,
        database: order.database,
        recipe: order.recipe.as_ref().map(|asked| &*asked.recipe),
        bases: &bases,
        annotations: &order.annotations,
        epoch: epoch.unwrap_or(0),
        filter: order.filter.as_ref(),
        jobs: request.jobs,
        describe: order.describes(),
    };
    let scribe = order.scribe(lock.as_deref(), (&own, bases.signers()), request.jobs, workshop);
    let mut images = Vec::new();
    let mut documents = BTreeMap::new();
    let mut warnings = Vec::new();
    for set in sets {
        let chosen: Vec<(&Package, &Converted)> =
            set.members.iter().filter_map(|i| packages.get(*i).zip(converted.get(*i).map(|c| &**c))).collect();
        let plan = match &set.plan {
            Some(plan) => plan.clone(),
            None => order.plan(&chosen)?,
        };
        let assembled = parts.image(&set.platform, &chosen, &plan, workshop)?;
        if order.describes() {
            let made = Made { assembled: &assembled, packages: &chosen, plan: &plan };
            let inventory = made.inventory(&parts, lock.as_deref(), (shelf, order.rules(*epoch)), progress)?;
            documents.insert(set.platform.clone(), scribe.describe(&assembled.image, &inventory)?);
        }
        images.push(assembled.image);
        warnings.extend(assembled.warnings.into_iter().map(|warning| (set.platform.clone(), warning)));
    }
    let mut index = Index::new(images, &bases.of_index(&order.annotations))?;
    if order.attestations.in_index {
        index = scribe.inside(index, &documents)?;
    }
    let about = attach::artifacts(&index, &documents)?;
    if request.cancelled.load(Ordering::Relaxed) {
        return Err(BuildError::Cancelled);
    }
    let own = order.own_digest(&own)?;
    let record = lock.as_ref().and_then(|lock| Record::new(lock, request, &index, &own, order.packing));
    if let Some(record) = &record {
        record.compare()?;
    }
    let known = Known { index, about, warnings };
    if let Some(lock) = lock {
        Memo::new(shelf, lock, (&own, bases.signers()), order.packing, request).keep(&known)?;
    }
    let Known { index, about, mut warnings } = known;
    let layers: Vec<&Layer> = index.images().iter().flat_map(Image::layers).collect();
    progress.phase(Phase::Write { layers: layers.len(), bytes: Some(layers.iter().map(|layer| layer.size()).sum()) });
    let images = output::write(&index, &about, order.names(request), request, places)?;
    for image in &images {
        if let ([one], true) = (image.platforms.as_slice(), sets.len() > 1) {
            warnings.push((one.platform.clone(), Warning::OnePlatform { reference: image.reference.clone() }));
        }
    }
    if let Some(record) = record {
        record.write()?;
    }
    Ok(Built { images, warnings, lock_warnings: lock_warnings.clone(), new_lock: *is_new })
}

/// With fewer threads than this, none is idle before the largest package is done.
const ENOUGH_TO_SPLIT: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
/// Threads that decode the largest package.
const SPLIT: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");

/// Converts every package, the largest first, so that no thread ends with a large one alone. The results have the order of
/// the packages.
fn convert_all(
    packages: &[Package],
    rules: Rules<'_>,
    jobs: Jobs,
    workshop: Workshop<'_>,
) -> Result<Vec<Arc<Converted>>, BuildError> {
    let bytes = packages.iter().map(Package::size).sum();
    workshop.progress.phase(Phase::Convert { packages: packages.len(), bytes });
    let mut largest_first: Vec<(usize, &Package)> = packages.iter().enumerate().collect();
    largest_first.sort_by_key(|(_, package)| std::cmp::Reverse(package.size()));
    // While the largest one is decoded others wait for it, on machines with cores for that. It takes memory: one is enough.
    let largest = largest_first.first().map(|(i, _)| *i).filter(|_| jobs >= ENOUGH_TO_SPLIT);
    let none = BTreeSet::new();
    let convert = |(i, package): &(usize, &Package)| {
        workshop.progress.started(package.name());
        let decoding = if largest == Some(*i) { SPLIT } else { NonZeroUsize::MIN };
        let converted = package.convert(rules, &none, Workshop { decoding, ..workshop })?;
        workshop.progress.finished(package.name());
        Ok::<_, BuildError>((*i, converted))
    };
    let mut converted = parallel::map_beside(jobs, &largest_first, convert, &PartsLeft(workshop.press))?;
    converted.sort_by_key(|(i, _)| *i);
    Ok(converted.into_iter().map(|(_, converted)| converted).collect())
}

/// Parts of large packages, which threads compress that have no package of their own.
struct PartsLeft<'a>(&'a Press);

impl SideWork for PartsLeft<'_> {
    fn help(&self) -> bool {
        self.0.help()
    }

    fn wait_while(&self, goes_on: &dyn Fn() -> bool) {
        self.0.wait_while(goes_on);
    }

    fn wake(&self) {
        self.0.wake();
    }
}
