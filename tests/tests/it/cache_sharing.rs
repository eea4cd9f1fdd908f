//! Builds that share a cache harm each other in no way, not even where one of them is killed or the cache is pruned.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use distil_tests::{Program, Random, layout};

use crate::example::reference;
use crate::shop::{Shop, check_sound, check_valid};

const KILLS: usize = 200;
const PRUNED: usize = 60;
const SIZE: usize = 150_000;

/// What is in the cache that should not be: files of sessions that are over, and parts of files.
fn leftovers(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("sessions")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.ends_with("lock")).collect()
}

#[test]
fn a_killed_build_harms_neither_the_cache_nor_the_build_beside_it() {
    let shop = Shop::new(SIZE);
    let mut random = Random::of_this_run();
    let mut cache = shop.folder.join("cache");
    let start = Instant::now();
    shop.images[0].check(&shop.images[0].build(&cache, &shop.folder.join("measured"), &[]).run());
    // How long a build takes here and now.
    let mut whole = start.elapsed();
    let mut killed = 0;
    for round in 0..KILLS {
        // Some rounds begin with nothing, others with what killed builds left.
        if round % 7 == 3 {
            cache = shop.folder.join(format!("cache-{round}"));
        }
        if round % 5 == 1 && cache.join("values").exists() {
            fs::remove_dir_all(cache.join("values")).unwrap();
        }
        // Both want the same half of the time, so that both make the same.
        let victim = random.of(&shop.images);
        let other = if random.below(2) == 0 { victim } else { random.of(&shop.images) };
        let part = 1 + u32::try_from(random.below(1000)).unwrap();
        let seconds = (whole * part / 900).as_secs_f64();
        let (left, kept) = (shop.folder.join("killed"), shop.folder.join("kept"));
        let (dead, alive) = thread::scope(|scope| {
            let dead = scope.spawn(|| victim.build_within(seconds, &cache, &left).run());
            let start = Instant::now();
            let alive = other.build(&cache, &kept, &[]).run();
            whole = start.elapsed();
            (dead.join().unwrap(), alive)
        });
        other.check(&alive);
        if dead.code() == 137 {
            killed += 1;
        } else {
            victim.check(&dead);
        }
        check_valid(&kept);
        if layout::is_finished(&left) {
            check_valid(&left);
            let ran = Program::distil().args(["inspect", "--json", &reference(&left, "test")]).run().success();
            let found = ran.json()["digest"].as_str().unwrap().to_owned();
            assert!(shop.images.iter().any(|image| image.digest == found), "round {round}: {ran}");
        }
        if round % 10 == 9 {
            // One more, and all that the killed ones left is gone.
            other.check(&other.build(&cache, &kept, &[]).run());
            assert_eq!(leftovers(&cache), Vec::<PathBuf>::new(), "round {round}");
            check_sound(&cache);
            for folder in [&left, &kept].into_iter().filter(|folder| folder.exists()) {
                fs::remove_dir_all(folder).unwrap();
            }
        }
    }
    println!("{killed} of {KILLS} builds were killed, the last one took {whole:?}");
    assert!(killed >= KILLS / 4, "only {killed} of {KILLS} builds were still running when killed");
    for image in &shop.images {
        image.check(&image.build(&cache, &shop.folder.join("last"), &[]).run());
    }
    assert_eq!(leftovers(&cache), Vec::<PathBuf>::new());
}

#[test]
fn pruning_all_the_time_harms_no_build() {
    let shop = Shop::new(SIZE);
    let cache = shop.folder.join("cache");
    let over = AtomicBool::new(false);
    let prune = || {
        let ran = Program::distil().args(["cache", "prune", "--max-size", "0", "--cache-dir"]).arg(&cache).run();
        assert!(ran.status.success(), "{ran}");
    };
    let builder = |seed: usize| {
        for round in 0..PRUNED / 2 {
            let image = &shop.images[(seed + round) % shop.images.len()];
            let layout = shop.folder.join(format!("layout-{seed}-{}", round % 3));
            image.check(&image.build(&cache, &layout, &[]).run());
            check_valid(&layout);
        }
    };
    let prunes = thread::scope(|scope| {
        let pruner = scope.spawn(|| {
            let mut prunes = 0;
            while !over.load(Ordering::Relaxed) {
                prune();
                prunes += 1;
            }
            prunes
        });
        let builders = [scope.spawn(|| builder(0)), scope.spawn(|| builder(1))];
        let ended = builders.map(thread::ScopedJoinHandle::join);
        over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a build failed while the cache was pruned");
        pruner.join().unwrap()
    });
    println!("{prunes} prunes beside {PRUNED} builds");
    assert!(prunes >= 5, "only {prunes} prunes");
    prune();
    assert_eq!(leftovers(&cache), Vec::<PathBuf>::new());
    let status = Program::distil().args(["cache", "status", "--json", "--cache-dir"]).arg(&cache).run().success();
    assert_eq!(status.json()["prunable-bytes"], 0, "{status}");
}
