//! Whatever becomes of the files of a cache, the image is the same, and the cache is sound again afterwards.

use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use distil_tests::{Program, Random, layout};

use crate::shop::{Image, Shop, check_sound, check_valid, files};

/// A file of this many bytes has several parts in every kind of layer.
const LARGE: usize = 6 << 20;
const SMALL: usize = 300_000;
/// How long damage is done, and how often at least on a slow machine.
const TIME: Duration = Duration::from_secs(12);
const ROUNDS: usize = 12;

/// What can happen to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flipped,
    Cut,
    Emptied,
    Longer,
    Swapped,
    Gone,
    Directory,
    FullDirectory,
    Link,
    DeadLink,
    LinkToItself,
}

const DAMAGES: &[Damage] = &[
    Damage::Flipped,
    Damage::Flipped,
    Damage::Cut,
    Damage::Emptied,
    Damage::Longer,
    Damage::Swapped,
    Damage::Gone,
    Damage::Directory,
    Damage::FullDirectory,
    Damage::Link,
    Damage::DeadLink,
    Damage::LinkToItself,
];

impl Damage {
    /// Does it to the first of these files.
    fn inflict(self, path: &Path, other: &Path, random: &mut Random) {
        let Ok(mut bytes) = fs::read(path) else { return };
        match self {
            Self::Flipped | Self::Cut if bytes.is_empty() => return,
            Self::Flipped => {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            Self::Cut => bytes.truncate(random.below(bytes.len())),
            Self::Emptied => bytes.clear(),
            Self::Longer => bytes.push(b'x'),
            Self::Swapped => bytes = fs::read(other).unwrap_or_default(),
            Self::Gone | Self::Directory | Self::FullDirectory | Self::Link | Self::DeadLink | Self::LinkToItself => {
                fs::remove_file(path).unwrap();
                match self {
                    Self::Directory => fs::create_dir(path).unwrap(),
                    Self::FullDirectory => fs::create_dir_all(path.join("more")).unwrap(),
                    Self::Link => symlink(other, path).unwrap(),
                    Self::DeadLink => symlink("/nonexistent", path).unwrap(),
                    Self::LinkToItself => symlink(path, path).unwrap(),
                    _ => {}
                }
                return;
            }
        }
        fs::write(path, bytes).unwrap();
    }
}

/// Builds into a layout that is new, and looks at it closely.
fn rebuild(shop: &Shop, image: &Image, cache: &Path, number: usize, options: &[&str]) {
    let layout = shop.folder.join("again");
    let ran = image.build(cache, &layout, options).run();
    image.check(&ran);
    let (expected, found) = (layout::files(&shop.expected(number)), layout::files(&layout));
    let differing: Vec<_> = expected.iter().filter(|(path, bytes)| found.get(*path) != Some(bytes)).collect();
    let differing: Vec<_> = differing.iter().map(|(path, _)| path).collect();
    assert!(differing.is_empty() && expected.len() == found.len(), "{}: {differing:?}", image.recipe.display());
    fs::remove_dir_all(&layout).unwrap();
}

#[test]
fn threads_and_what_is_cached_do_not_show() {
    let shop = Shop::new(LARGE);
    let mut random = Random::of_this_run();
    for (number, image) in shop.images.iter().enumerate() {
        for jobs in ["1", "2", "8"] {
            let cache = shop.folder.join(format!("cache-{number}-{jobs}"));
            let options = ["--jobs", jobs];
            rebuild(&shop, image, &cache, number, &options);
            rebuild(&shop, image, &cache, number, &options);
            // Half of it goes, as where it is bounded.
            for file in files(&cache) {
                if random.below(2) == 0 {
                    fs::remove_file(file).unwrap();
                }
            }
            rebuild(&shop, image, &cache, number, &options);
            let ran = Program::distil().args(["cache", "prune", "--max-size", "0", "--cache-dir"]).arg(&cache).run();
            assert!(ran.status.success(), "{ran}");
            rebuild(&shop, image, &cache, number, &options);
        }
    }
}

#[test]
fn a_damaged_cache_gives_the_same_image_and_is_mended() {
    let shop = Shop::new(SMALL);
    let cache = shop.full_cache("cache");
    let mut random = Random::of_this_run();
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < TIME || rounds < ROUNDS {
        let there = files(&cache);
        for _ in 0..=random.below(4) {
            let (path, other) = (random.of(&there), random.of(&there));
            let mut damage = *random.of(DAMAGES);
            if matches!(damage, Damage::FullDirectory) && path.ends_with("sessions/lock") {
                // What lies in a directory of that name is somebody's, and its place is told.
                damage = Damage::Directory;
            }
            println!("round {rounds}: {damage:?} {}", path.strip_prefix(&cache).unwrap().display());
            damage.inflict(path, other, &mut random);
        }
        let number = random.below(shop.images.len());
        let image = &shop.images[number];
        if random.below(3) == 0 {
            // Nothing of a layer is read that is there already.
            let layout = shop.expected(number);
            image.check(&image.build(&cache, &layout, &[]).run());
            check_valid(&layout);
        } else {
            rebuild(&shop, image, &cache, number, &[]);
        }
        if rounds % 4 == 3 {
            // What was not looked at so far is looked at now: without what was derived every fragment is made anew, and
            // none is believed that has its name already.
            fs::remove_dir_all(cache.join("values")).unwrap();
            for (number, image) in shop.images.iter().enumerate() {
                rebuild(&shop, image, &cache, number, &[]);
            }
            check_sound(&cache);
        }
        rounds += 1;
    }
    println!("{rounds} rounds");
}

/// One bit is wrong in each fragment, and nothing else is known of layers than what they are made of.
#[test]
fn no_fragment_counts_before_all_of_it_was_compared() {
    let shop = Shop::new(SMALL);
    let cache = shop.full_cache("cache");
    let mut random = Random::of_this_run();
    for round in 0..6 {
        for (number, image) in shop.images.iter().enumerate() {
            for fragment in files(&cache.join("fragments/sha256")) {
                flip_in_place(&fragment, &mut random);
            }
            for kind in fs::read_dir(cache.join("values/derived")).unwrap() {
                let kind = kind.unwrap();
                if kind.file_name().to_str().unwrap().starts_with("layer") {
                    fs::remove_dir_all(kind.path()).unwrap();
                }
            }
            println!("round {round} of recipe {number}");
            rebuild(&shop, image, &cache, number, &[]);
        }
    }
}

/// Files are damaged at any moment, such as between the look at one and its being copied.
#[test]
fn damage_during_a_build_never_gets_into_an_image() {
    let shop = Shop::new(LARGE);
    let cache = shop.full_cache("cache");
    let mut random = Random::of_this_run();
    let mut vandals = random.clone();
    let over = AtomicBool::new(false);
    let start = Instant::now();
    rebuild(&shop, &shop.images[0], &cache, 0, &[]);
    let pause = start.elapsed() / 8;
    let (built, refused) = thread::scope(|scope| {
        scope.spawn(|| {
            // It ends where the test fails, too.
            while !over.load(Ordering::Relaxed) && start.elapsed() < 5 * TIME {
                // Builds remove and make files all the time.
                let there = files(&cache);
                let fragments: Vec<_> = there.iter().filter(|path| path.starts_with(cache.join("fragments"))).collect();
                if let Some(path) = fragments.get(vandals.below(fragments.len().max(1))) {
                    flip_in_place(path, &mut vandals);
                }
                thread::sleep(pause);
            }
        });
        let (mut built, mut refused) = (0, 0);
        while start.elapsed() < TIME || built < ROUNDS && start.elapsed() < 4 * TIME {
            let number = random.below(shop.images.len());
            let (image, layout) = (&shop.images[number], shop.folder.join("beside"));
            let ran = image.build(&cache, &layout, &[]).run();
            if ran.status.success() {
                image.check(&ran);
                check_valid(&layout);
                built += 1;
            } else {
                // A build that is damaged again and again gives up, and says why.
                assert_eq!(ran.code(), 4, "{ran}");
                assert!(!layout::is_finished(&layout), "{ran}");
                refused += 1;
            }
            let _ = fs::remove_dir_all(&layout);
        }
        over.store(true, Ordering::Relaxed);
        (built, refused)
    });
    println!("{built} built, {refused} refused");
    assert!(built > 0, "none were built, {refused} were refused");
    for (number, image) in shop.images.iter().enumerate() {
        rebuild(&shop, image, &cache, number, &[]);
    }
}

/// Changes a bit of a file that others may have open.
fn flip_in_place(path: &Path, random: &mut Random) {
    let Ok(file) = fs::OpenOptions::new().read(true).write(true).open(path) else { return };
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    if length > 0 {
        let (at, mut byte) = (random.below(length) as u64, [0]);
        file.read_exact_at(&mut byte, at).unwrap();
        byte[0] ^= 1 << random.below(8);
        file.write_all_at(&byte, at).unwrap();
    }
}
