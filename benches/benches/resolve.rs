//! Reading a package index, loading its stored form, and resolving, beside `apt-get -s` on an empty system with its own
//! cache warm.
//!
//! The input is this machine's package lists as `cargo xtask debs python` fetches them.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use distil_aptrepo::{Index, Offered, Request, Universe, Wanted, resolve};
use distil_debunpack::Architecture;
use tempfile::TempDir;

/// A small set, a large one, and the one of a whole desktop.
const PACKAGES: [&str; 3] = ["curl", "libreoffice", "gnome"];

struct Input {
    config: PathBuf,
    architecture: Architecture,
    /// Suite and text, in the order of the sources.
    texts: Vec<(String, Vec<u8>)>,
}

impl Input {
    fn read() -> Self {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/apt/host/apt.conf");
        assert!(config.is_file(), "no package lists in target/apt/host: run cargo xtask debs python");
        let architecture = output(Command::new("dpkg").arg("--print-architecture"));
        let format = ["indextargets", "--format", "$(RELEASE) $(ARCHITECTURE) $(FILENAME)", "Created-By: Packages"];
        let targets = output(Command::new("apt-get").arg("-c").arg(&config).args(format));
        let words = targets.lines().filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            Some((words.next()?, words.next()?, words.next()?))
        });
        let ours = words.filter(|(_, is, _)| [architecture.trim(), "all"].contains(is));
        let texts = ours.map(|(suite, _, file)| (suite.to_owned(), fs::read(file).expect("a package list"))).collect();
        Self { config, architecture: architecture.trim().parse().expect("an architecture"), texts }
    }
}

fn output(command: &mut Command) -> String {
    let out = command.output().expect("the program runs");
    assert!(out.status.success(), "{command:?}");
    String::from_utf8(out.stdout).expect("text")
}

fn indices(criterion: &mut Criterion) {
    let input = Input::read();
    let mut group = criterion.benchmark_group("index");
    group.sample_size(20);
    let Some((_, largest)) = input.texts.iter().max_by_key(|(_, text)| text.len()) else { return };
    group.throughput(Throughput::Bytes(largest.len() as u64));
    group.bench_function("parse", |b| b.iter(|| Index::parse(black_box(largest.as_slice())).expect("an index")));
    let stored = Index::parse(largest.as_slice()).expect("an index").to_bytes();
    group.bench_function("load", |b| b.iter(|| Index::from_bytes(black_box(&stored)).expect("an index")));
    group.finish();
}

fn sets(criterion: &mut Criterion) {
    let input = Input::read();
    let stored: Vec<(&str, Vec<u8>)> = input
        .texts
        .iter()
        .map(|(suite, text)| (suite.as_str(), Index::parse(text.as_slice()).expect("an index").to_bytes()))
        .collect();
    let cache = TempDir::new().expect("a folder");
    fs::create_dir_all(cache.path().join("archives/partial")).expect("a folder");
    let mut group = criterion.benchmark_group("resolve");
    group.sample_size(10);
    for package in PACKAGES {
        group.bench_function(BenchmarkId::new("distil", package), |b| b.iter(|| one_run(&input, &stored, package)));
        group.bench_function(BenchmarkId::new("apt-get", package), |b| b.iter(|| apt(&input, cache.path(), package)));
    }
    group.finish();
}

/// All that a run does once everything is downloaded: loading the indices, resolving.
fn one_run(input: &Input, stored: &[(&str, Vec<u8>)], package: &str) -> usize {
    let indices: Vec<(&str, Index)> =
        stored.iter().map(|(suite, bytes)| (*suite, Index::from_bytes(bytes).expect("an index"))).collect();
    let offered: Vec<Offered<'_>> =
        indices.iter().map(|(suite, index)| Offered { suite, codename: None, index }).collect();
    let universe = Universe { architecture: input.architecture.clone(), indices: &offered, local: &[], base: &[] };
    let requests = vec![Request::of(package.parse().expect("a name"))];
    resolve(&universe, &Wanted { requests, ..Wanted::default() }).expect("a set").packages.len()
}

fn apt(input: &Input, cache: &Path, package: &str) -> usize {
    let mut command = Command::new("apt-get");
    command.args(["-s", "--no-install-recommends", "-c"]).arg(&input.config).arg("-o");
    command.arg(format!("Dir::Cache={}", cache.display()));
    command.args(["-o", "Dir::Cache::pkgcache=pkgcache.bin", "-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin"]);
    output(command.args(["install", package])).len()
}

criterion_group!(benches, indices, sets);
criterion_main!(benches);
