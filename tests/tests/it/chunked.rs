//! Layers of which single files can be fetched, read by those who fetch them.

use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::layout::Image;
use distil_tests::program::{Ran, folder};
use distil_tests::{Deb, Program, layout};
use serde_json::Value;

use crate::example::reference;

const FORMS: [&str; 2] = ["zstd-chunked", "estargz"];

/// Text that no encoder makes much smaller.
fn noise(seed: u64, size: usize) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from(state >> 58).unwrap())
    };
    std::iter::repeat_with(&mut next).take(size).collect()
}

/// Small files, one over the size of a chunk, and what has no content.
struct Project {
    folder: PathBuf,
    files: Vec<(&'static str, String)>,
    _guard: tempfile::TempDir,
}

impl Project {
    fn new(compression: &str, strategy: &str) -> Self {
        let (guard, folder) = folder();
        let files = vec![
            ("/usr/share/alpha/first", noise(1, 3000)),
            ("/usr/share/alpha/large", noise(2, 4_500_001)),
            ("/usr/share/alpha/middle", noise(3, 700_000)),
            ("/usr/share/beta/block", noise(4, 512)),
            ("/usr/share/beta/last", noise(5, 100)),
        ];
        let project = Self { folder, files, _guard: guard };
        project.recipe(compression, strategy);
        project.write_debs();
        project
    }

    fn recipe(&self, compression: &str, strategy: &str) {
        let text = format!(
            "[debian]\ndebs = [\"*.deb\"]\n\n[files]\n\"/app/own\" = {{ source = \"own\" }}\n\n\
             [layers]\nstrategy = \"{strategy}\"\ncompression = \"{compression}\"\n"
        );
        fs::write(self.folder.join("distil.toml"), text).unwrap();
        fs::write(self.folder.join("own"), "own\n").unwrap();
    }

    fn write_debs(&self) {
        let mut alpha = Deb::new("alpha")
            .file("/usr/share/alpha/empty", "")
            .entry(distil_tests::tar::Entry::symlink("./usr/share/alpha/soft", "large"));
        let mut beta = Deb::new("beta");
        for (path, content) in &self.files {
            let deb = if path.contains("alpha") { &mut alpha } else { &mut beta };
            *deb = deb.clone().file(path, content);
        }
        alpha = alpha.entry(distil_tests::tar::Entry::hardlink("./usr/share/alpha/hard", "./usr/share/alpha/first"));
        for deb in [alpha, beta] {
            assert!(deb.write(&self.folder).is_file());
        }
    }

    fn layout(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn ran(&self, name: &str, cache: &str, arguments: &[&str]) -> Ran {
        let program = Program::distil().arg("build").arg("-o").arg(reference(&self.layout(name), "test"));
        let program = program.arg("--cache-dir").arg(self.folder.join(cache)).args(arguments);
        program.current_dir(&self.folder).run()
    }

    fn build(&self, name: &str) -> Image {
        let ran = self.ran(name, "cache", &[]);
        assert!(ran.status.success(), "{ran}");
        let valid = Program::distil().args(["validate", &reference(&self.layout(name), "test")]).run();
        assert!(valid.status.success(), "{valid}");
        layout::image(&self.layout(name), "test")
    }
}

fn annotations(image: &Image, layer: usize) -> &Value {
    &image.manifest["layers"][layer]["annotations"]
}

/// What a reader says of the ranges that it asked for: of how many bytes, and how many these were.
fn asked(ran: &Ran) -> (u64, u64) {
    let errors = ran.errors();
    let report: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
    (report["size"].as_u64().unwrap(), report["read"].as_u64().unwrap())
}

fn fetch(compression: &str, image: &Image, layer: &Path, path: &str) -> Ran {
    let stated = annotations(image, 0);
    let program = Program::new("readers").arg(compression).arg(layer);
    let program = match compression {
        "estargz" => program.arg(stated["containerd.io/snapshot/stargz/toc.digest"].as_str().unwrap()),
        _ => program.arg(stated.to_string()),
    };
    program.arg(path.trim_start_matches('/')).run()
}

#[test]
fn single_files_are_fetched_without_the_rest() {
    for compression in FORMS {
        let project = Project::new(compression, "single");
        let image = project.build("layout");
        let [layer] = image.layers.as_slice() else { panic!("{:?}", image.layers) };
        for (path, content) in project
            .files
            .iter()
            .map(|(path, content)| (*path, content))
            .chain([("/usr/share/alpha/hard", &project.files[0].1), ("/app/own", &"own\n".to_owned())])
        {
            let ran = fetch(compression, &image, layer, path);
            assert!(ran.status.success(), "{compression} {path}: {ran}");
            assert!(ran.stdout == content.as_bytes(), "{compression} {path}");
            let (size, read) = asked(&ran);
            // The table and the footer come with every file; readers take some of what follows it.
            let most = content.len() as u64 + 40_000;
            assert!(read < most && read < size, "{compression} {path}: {read} of {size} bytes");
        }
    }
}

#[test]
fn a_table_that_is_not_the_stated_one_is_refused() {
    for compression in FORMS {
        let project = Project::new(compression, "single");
        let mut image = project.build("layout");
        let layer = image.layers[0].clone();
        let digest = format!("sha256:{}", "0".repeat(64));
        for (key, value) in image.manifest["layers"][0]["annotations"].as_object_mut().unwrap() {
            if key.ends_with("digest") || key.ends_with("checksum") {
                *value = digest.clone().into();
            }
        }
        assert!(!fetch(compression, &image, &layer, "/app/own").status.success(), "{compression}");
    }
}

/// Pulls layers into one store, as podman does where it may leave out what it has.
fn pull(store: &Path, layers: &[(&Image, usize)]) -> Vec<Value> {
    let mut program = Program::new("readers").arg("storage").arg(store);
    for (image, layer) in layers {
        program = program.arg(&image.layers[*layer]).arg(annotations(image, *layer).to_string());
    }
    let ran = program.run();
    assert!(ran.status.success(), "{ran}");
    ran.errors().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn a_store_pulls_only_what_it_lacks_and_rebuilds_the_tar() {
    let mut project = Project::new("zstd-chunked", "single");
    let old = project.build("old");
    project.files[0].1 = noise(6, 3000);
    project.write_debs();
    fs::remove_file(project.folder.join("distil.lock")).unwrap_or_default();
    let new = project.build("new");
    let (_guard, store) = folder();
    let pulled = pull(&store, &[(&old, 0), (&new, 0)]);
    for (image, report) in [&old, &new].into_iter().zip(&pulled) {
        let diff_id = &image.config["rootfs"]["diff_ids"][0];
        assert_eq!((&report["diff_id"], &report["exported"]), (diff_id, diff_id), "{report}");
    }
    let read = |report: &Value| (report["read"].as_u64().unwrap(), report["size"].as_u64().unwrap());
    let ((first, size), (second, _)) = (read(&pulled[0]), read(&pulled[1]));
    assert!(first > size / 10 * 9 && second < size / 100, "{first} and {second} of {size} bytes");
}

#[test]
fn a_store_that_does_not_care_pulls_estargz_by_its_table() {
    let project = Project::new("estargz", "package");
    let image = project.build("layout");
    let (_guard, store) = folder();
    let layers: Vec<_> = (0..image.layers.len()).map(|layer| (&image, layer)).collect();
    assert_eq!(pull(&store, &layers).len(), image.layers.len());
}

#[test]
fn the_layers_of_a_base_can_still_be_fetched() {
    for compression in FORMS {
        let project = Project::new(compression, "package");
        let base = project.build("layout");
        let text = format!(
            "[base]\nimage = \"{}\"\n\n[files]\n\"/app/more\" = {{ source = \"own\" }}\n",
            reference(&project.layout("layout"), "test")
        );
        fs::write(project.folder.join("distil.toml"), text).unwrap();
        let image = project.build("above");
        assert_eq!(image.layers.len(), base.layers.len() + 1);
        for layer in 0..base.layers.len() {
            assert_eq!(annotations(&image, layer), annotations(&base, layer), "{compression}");
            assert!(annotations(&base, layer).is_object(), "{compression}");
        }
    }
}

#[test]
fn threads_and_caches_do_not_show() {
    for compression in FORMS {
        for strategy in ["single", "package"] {
            let project = Project::new(compression, strategy);
            let blobs = |name: &str, cache: &str, jobs: &str| {
                let ran = project.ran(name, cache, &["--jobs", jobs]);
                assert!(ran.status.success(), "{ran}");
                layout::files(&project.layout(name))
            };
            let expected = blobs("cold-1", "cache-1", "1");
            for (name, cache, jobs) in
                [("cold-2", "cache-2", "2"), ("cold-8", "cache-8", "8"), ("warm", "cache-1", "2")]
            {
                assert!(blobs(name, cache, jobs) == expected, "{compression}, {strategy}: {name}");
            }
            let prune = Program::distil().args(["cache", "prune", "--max-size", "0", "--cache-dir"]);
            assert!(prune.arg(project.folder.join("cache-1")).run().status.success());
            assert!(blobs("pruned", "cache-1", "2") == expected, "{compression}, {strategy}: pruned");
            // The packages were converted for zstd layers; these are made of the same fragments.
            project.recipe("zstd", strategy);
            let plain = project.build("plain");
            let chunked = layout::image(&project.layout("warm"), "test");
            assert_eq!(plain.layers.len(), chunked.layers.len());
            if compression == "zstd-chunked" {
                assert_eq!(plain.config["rootfs"], chunked.config["rootfs"]);
            }
        }
    }
}

#[test]
fn levels_and_names_are_those_of_the_schema() {
    for compression in ["zstd-chunked:1", "zstd-chunked:19", "estargz:1", "estargz:9"] {
        let project = Project::new(compression, "package");
        assert!(project.ran("layout", "cache", &[]).status.success(), "{compression}");
    }
    for compression in ["zstd-chunked:20", "estargz:0", "chunked"] {
        let ran = Project::new(compression, "package").ran("layout", "cache", &[]).exits(2);
        assert!(ran.errors().contains("layers.compression"), "{ran}");
    }
}

#[test]
fn what_a_table_cannot_state_is_refused() {
    for (compression, path, said) in [
        ("zstd-chunked", &b"./usr/share/caf\xe9"[..], "UTF-8"),
        ("estargz", b"./usr/share/caf\xe9", "UTF-8"),
        ("estargz", b"./stargz.index.json", "stargz.index.json"),
        ("estargz", b"./.no.prefetch.landmark", ".no.prefetch.landmark"),
    ] {
        let project = Project::new(compression, "package");
        let mut entry = distil_tests::tar::Entry::file("./usr", "x");
        entry.name = path.to_vec();
        let mut deb = Deb::new("gamma");
        if path.starts_with(b"./usr") {
            deb = deb.file("/usr/share/gamma", "");
        }
        deb.data.push(entry);
        assert!(deb.write(&project.folder).is_file());
        let ran = project.ran("layout", "cache", &[]).exits(2);
        assert!(ran.errors().contains(said) && ran.errors().contains("layers.compression"), "{ran}");
        assert!(!layout::is_finished(&project.layout("layout")));
    }
}
