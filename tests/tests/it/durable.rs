//! A build that is killed leaves the old image or the new one, whole, and a cache that can be used.

use std::time::Instant;

use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program};

use crate::example;

const KILLS: u32 = 30;

#[test]
fn a_killed_build_leaves_the_old_image_or_the_new_one() {
    let (_guard, folder) = folder();
    let layout = folder.join("layout");
    let reference = example::reference(&layout, "test");
    let small = Deb::new("hello").file("/usr/bin/hello", "hello\n").write(&folder);
    let build_small = || {
        let ran = Program::distil().arg("build").arg("--deb").arg(&small).arg("--json").arg("-o").arg(&reference);
        digest(&ran.arg("--cache-dir").arg(folder.join("cache-small")).run().success())
    };
    let build = |seconds: f64, cache: &str| {
        let ran = Program::distil_within(seconds).arg("build").arg(example::recipe()).arg("--json");
        ran.arg("--cache-dir").arg(folder.join(cache)).arg("-o").arg(&reference).run()
    };
    let start = Instant::now();
    let new = digest(&build(120.0, "cache-measured").success());
    let whole = start.elapsed().as_secs_f64();
    let old = build_small();
    let mut killed = 0;
    for n in 0..KILLS {
        // Every other one meets the cache that the killed ones before it left.
        let cache = if n % 2 == 0 { format!("cache-{n}") } else { "cache-shared".to_owned() };
        let ran = build(whole * f64::from(n + 1) / f64::from(KILLS), &cache);
        if ran.code() == 137 {
            killed += 1;
        } else {
            assert!(ran.status.success(), "{ran}");
        }
        let valid = Program::distil().args(["validate", &reference]).run();
        assert!(valid.status.success(), "after kill {n}: {valid}");
        let inspected = Program::distil().args(["inspect", "--json", &reference]).run().success().json();
        let found = inspected["digest"].as_str().unwrap();
        assert!(found == old || found == new, "after kill {n}: {found} is neither {old} nor {new}");
        if found == new {
            assert_eq!(build_small(), old);
        }
    }
    assert!(killed >= KILLS / 4, "only {killed} of {KILLS} builds were still running when killed");
    assert_eq!(digest(&build(120.0, "cache-shared").success()), new, "what killed builds left in a cache is usable");
}

fn digest(ran: &Ran) -> String {
    ran.json()["images"][0]["digest"].as_str().unwrap().to_owned()
}
