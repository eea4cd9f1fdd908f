//! What a build keeps of the layers that it makes is what reading them would give, so that the first scan reads no layer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use distil_tests::program::{Ran, folder};
use distil_tests::tar::{Entry, archive};
use distil_tests::{Deb, Program, layout};

/// No layer is looked into for more than its records.
const POLICY: &str = "version = 1\n[hardening]\nprofile = 'none'\n";
const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\n";

struct Project {
    home: PathBuf,
    _guard: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let (guard, home) = folder();
        for name in ["debs", "files"] {
            fs::create_dir(home.join(name)).unwrap();
        }
        fs::write(home.join("policy.toml"), POLICY).unwrap();
        fs::write(home.join("files/os-release"), "ID=debian\nVERSION_ID=\"13\"\n").unwrap();
        let base_files = Deb::new("base-files").file("/usr/lib/os-release", OS_RELEASE);
        let base_files = base_files.entry(Entry::symlink("./etc/os-release", "../usr/lib/os-release"));
        let base_files = base_files.file("/etc/debian_version", "12.1\n").file("/usr/share/man/a", "a page");
        let app = Deb::new("app").file("/usr/bin/app", &"an app\n".repeat(100_000));
        for deb in [base_files, app, Deb::new("lib").file("/usr/lib/lib", "of lib")] {
            let _file = deb.write(&home.join("debs"));
        }
        let tar = [
            Entry::directory("var/"),
            Entry::file("var/lib/dpkg/status.d/more", "Package: more\nVersion: 1\nArchitecture: all\n"),
            Entry::file("var/lib/dpkg/status.d/.wh.lib", ""),
            Entry::file("etc/debian_version", ""),
            Entry::file("app/data", "of the app"),
            Entry::hardlink("usr/lib/os-release", "app/data"),
        ];
        fs::write(home.join("own.tar"), archive(&tar)).unwrap();
        Self { home, _guard: guard }
    }

    fn run(&self, words: &[&str]) -> Ran {
        Program::distil().args(words).current_dir(&self.home).env("HOME", &self.home).run()
    }

    fn build(&self, name: &str, words: &[&str]) {
        let output = format!("oci:{name}:test");
        let _built = self.run(&[&["build", "--cache-dir", "cache", "-o", &output], words].concat()).success();
    }

    fn recipe(&self, name: &str, recipe: &str) {
        let file = format!("{name}.toml");
        fs::write(self.home.join(&file), recipe).unwrap();
        self.build(name, &[&file]);
    }

    /// Judges the image with a cache of this name.
    fn judged(&self, name: &str, cache: &str) -> Ran {
        let words = ["check", &format!("oci:{name}:test"), "--policy", "policy.toml", "--now", "2026-03-01"];
        self.run(&[&words[..], &["--json", "--cache-dir", cache, "--save-facts", &format!("{cache}.facts")]].concat())
    }

    /// The records that a cache keeps.
    fn kept(&self, cache: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let Ok(folder) = fs::read_dir(self.home.join(cache).join("values/derived/layer-records-2")) else {
            return BTreeMap::new();
        };
        let files = folder.map(|file| file.unwrap().path());
        files.map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap())).collect()
    }

    /// Wants the build to have kept what a judgement without its cache keeps, byte for byte, and a judgement with its cache to
    /// do without the layers.
    #[track_caller]
    fn check(&self, name: &str) {
        let by_reading = format!("{name}.cache");
        let read = self.judged(name, &by_reading);
        let (built, found) = (self.kept("cache"), self.kept(&by_reading));
        let layers = layout::image(&self.home.join(name), "test").layers;
        assert!(!layers.is_empty() && found.len() == layers.len(), "{read}");
        for (value, bytes) in &found {
            assert!(built.get(value) == Some(bytes), "{name}: the build has kept something else, or nothing");
        }
        let set_aside = self.home.join("aside");
        set_apart(&layers, &set_aside);
        let known = self.judged(name, "cache");
        assert_eq!((known.code(), known.text()), (read.code(), read.text()), "{known}");
        let facts = |cache: &str| fs::read(self.home.join(format!("{cache}.facts"))).unwrap();
        assert!(facts("cache") == facts(&by_reading));
        for layer in &layers {
            fs::rename(set_aside.join(layer.file_name().unwrap()), layer).unwrap();
        }
    }
}

fn set_apart(layers: &[PathBuf], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for layer in layers {
        fs::rename(layer, folder.join(layer.file_name().unwrap())).unwrap();
    }
}

const DEBS: &str = "[debian]\ndebs = ['debs/*.deb']\n";

#[test]
fn a_build_keeps_what_a_scan_would_read() {
    let project = Project::new();
    for (name, more) in [
        ("directory", ""),
        ("file", "database = 'status'\n"),
        ("single", "database = 'status'\n[layers]\nstrategy = 'single'\n"),
        ("one", "[layers]\nmax = 2\ncompression = 'gzip'\n"),
        ("chunked", "[layers]\ncompression = 'zstd-chunked'\n"),
        ("estargz", "database = 'status'\n[layers]\ncompression = 'estargz'\n"),
        ("own", "[files]\n'/etc/os-release' = { source = 'files/os-release' }\n"),
        ("less", "[filter]\nexclude = ['/usr/lib/os-release', '/etc/debian_version', '/usr/share/man/**']\n"),
    ] {
        project.recipe(name, &format!("{DEBS}{more}"));
        project.check(name);
    }
}

#[test]
fn archives_and_the_layers_of_a_base_are_kept_too() {
    let project = Project::new();
    project.build("packages", &["--deb", "debs/app_1.0_all.deb", "--deb", "debs/lib_1.0_all.deb", "--tar", "own.tar"]);
    project.check("packages");
    let debs =
        |form: &str, more: &str| format!("{more}[debian]\ndebs = ['debs/base-files*.deb']\ndatabase = '{form}'\n");
    for form in ["status", "status.d"] {
        let below = format!("below-{form}");
        project.recipe(&below, &debs(form, ""));
        fs::remove_dir_all(project.home.join("cache/values/derived/layer-records-2")).unwrap();
        let base = format!("[base]\nimage = 'oci:{below}:test'\n");
        let more = "[files]\n'/etc/debian_version' = { source = 'files/os-release' }\n";
        let above = format!("above-{form}");
        project.recipe(&above, &format!("{base}{}{more}", debs(form, "").replace("base-files", "lib")));
        project.check(&above);
    }
}

#[test]
fn a_build_that_makes_nothing_leaves_them_there() {
    let project = Project::new();
    project.recipe("app", DEBS);
    let kept = project.kept("cache");
    assert!(!kept.is_empty());
    fs::remove_dir_all(project.home.join("cache/values/derived/layer-records-2")).unwrap();
    project.build("app", &["app.toml"]);
    assert!(project.kept("cache") == kept);
    project.check("app");
}
