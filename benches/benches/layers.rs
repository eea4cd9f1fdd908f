//! The parts of a build apart, in bytes of tar a second, beside the programs that people use for them: decoding packages,
//! hashing, each compression, fragments, and layers made of them.
//!
//! The input is what the packages of the Python set hold; `cargo xtask debs python` downloads them.
#![expect(clippy::print_stderr, reason = "how much smaller a compression makes its input is said beside its speed")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use distil_debunpack::{Deb, Integrity};
use distil_imgcore::compression::{Encoder, decompress};
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{Codec, Composition, Compression, Fragment, FragmentWriter, Origin};
use tempfile::NamedTempFile;

/// The packages of the set, their data archives, and these one after the other in a file.
struct Input {
    paths: Vec<PathBuf>,
    debs: Vec<Vec<u8>>,
    archives: Vec<Vec<u8>>,
    file: NamedTempFile,
    bytes: u64,
}

impl Input {
    fn read() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debs/python");
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "deb"));
        paths.sort();
        assert!(!paths.is_empty(), "no packages in target/debs/python: run cargo xtask debs python");
        let debs = paths.iter().map(|path| fs::read(path).expect("a package")).collect();
        let unpack = |deb: &PathBuf| {
            let out = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(deb).output().expect("dpkg-deb runs");
            assert!(out.status.success(), "{}", deb.display());
            out.stdout
        };
        let archives: Vec<_> = paths.iter().map(unpack).collect();
        let mut file = NamedTempFile::new().expect("a temporary file");
        for archive in &archives {
            file.write_all(archive).expect("room for the tar");
        }
        let bytes = archives.iter().map(|archive| archive.len() as u64).sum();
        Self { paths, debs, archives, file, bytes }
    }

    /// A group of benches that each go once over the whole input.
    fn group<'a>(&self, c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(self.bytes)).sample_size(10);
        group
    }

    /// Runs a program over the file, and gives how many bytes it wrote.
    fn run(&self, program: &str, args: &[&str]) -> u64 {
        let input = File::open(self.file.path()).expect("the tar");
        let mut child =
            Command::new(program).args(args).stdin(input).stdout(Stdio::piped()).spawn().expect("a program");
        let written = io::copy(&mut child.stdout.take().expect("a pipe"), &mut io::sink()).expect("its output");
        assert!(child.wait().expect("its end").success(), "{program}");
        written
    }

    fn fragments(&self, compression: Compression) -> Vec<Fragment> {
        self.archives.iter().map(|archive| fragment(archive, compression)).collect()
    }

    fn say_ratio(&self, name: &str, packed: u64) {
        let shares = packed * 10_000 / self.bytes;
        eprintln!("{name}: {} bytes become {packed}, {}.{:02} %", self.bytes, shares / 100, shares % 100);
    }
}

fn fragment(archive: &[u8], compression: Compression) -> Fragment {
    let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("bench"), None).expect("an encoder");
    let mut reader = TarReader::new(archive, Dialect::Debian, Limits::default());
    while let Some(entry) = reader.next_entry().expect("a tar of dpkg-deb's") {
        writer.add(entry, &mut reader).expect("memory");
    }
    let (packed, index) = writer.finish().expect("memory");
    index.with_content(Arc::new(packed))
}

/// Every kind, at levels that people use.
const ALL: [&str; 7] = ["none", "gzip:1", "gzip:6", "gzip:9", "zstd:1", "zstd:3", "zstd:9"];

/// Packages to entries: the container, xz, the tar. With and without the package's own checks.
fn decoding(c: &mut Criterion, input: &Input) {
    let mut group = input.group(c, "decode");
    for (name, integrity) in [("distil", Integrity::Verified), ("distil, own checks", Integrity::Unverified)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                for deb in &input.debs {
                    let deb = Deb::open(deb.as_slice(), distil_debunpack::Limits::default()).expect("a package");
                    let mut data = deb.into_data(integrity).expect("a data archive");
                    while let Some(entry) = data.next_entry().expect("an entry") {
                        black_box(entry);
                        io::copy(&mut data, &mut io::sink()).expect("a file");
                    }
                    data.finish().expect("a sound package");
                }
            });
        });
    }
    group.bench_function("dpkg-deb", |b| {
        b.iter(|| {
            for deb in &input.paths {
                let mut dpkg = Command::new("dpkg-deb");
                let status = dpkg.arg("--fsys-tarfile").arg(deb).stdout(Stdio::null()).status();
                assert!(status.expect("dpkg-deb runs").success());
            }
        });
    });
    group.finish();
}

fn hashing(c: &mut Criterion, input: &Input) {
    let mut group = input.group(c, "hash");
    group.bench_function("distil", |b| {
        b.iter(|| {
            let mut writer = DigestWriter::new(io::sink());
            for archive in &input.archives {
                writer.write_all(archive).expect("a sink");
            }
            writer.finish().1
        });
    });
    for (program, args) in [("sha256sum", [].as_slice()), ("openssl", &["dgst", "-sha256"])] {
        group.bench_function(program, |b| b.iter(|| input.run(program, args)));
    }
    group.finish();
}

fn compressing(c: &mut Criterion, input: &Input) {
    let mut group = input.group(c, "compress");
    for name in ALL {
        let compression: Compression = name.parse().expect("a compression");
        let mut encoder = Encoder::new(compression).expect("an encoder");
        // As large as the parts of fragments are.
        let part = if compression.codec() == Codec::Gzip { 1 << 20 } else { 4 << 20 };
        let mut compress = || {
            let chunks = input.archives.iter().flat_map(|archive| archive.chunks(part));
            chunks.map(|chunk| encoder.encode(black_box(chunk)).expect("memory").0.packed).sum::<u64>()
        };
        input.say_ratio(name, compress());
        group.bench_function(BenchmarkId::new("distil", name), |b| b.iter(&mut compress));
    }
    for (program, args) in [("zstd", "-1cq"), ("zstd", "-3cq"), ("zstd", "-9cq"), ("pigz", "-6cp1"), ("gzip", "-6c")] {
        input.say_ratio(&format!("{program} {args}"), input.run(program, &[args]));
        group.bench_function(BenchmarkId::new(program, args), |b| b.iter(|| input.run(program, &[args])));
    }
    group.finish();
}

/// Fragments of tars, a layer of fragments, and the way back.
fn layers(c: &mut Criterion, input: &Input) {
    let mut group = input.group(c, "layer");
    for name in ["none", "gzip:6", "zstd:3"] {
        let compression: Compression = name.parse().expect("a compression");
        group.bench_function(BenchmarkId::new("fragments", name), |b| b.iter(|| input.fragments(compression)));
        let made = input.fragments(compression);
        let compose = || Composition::new(made.iter().collect(), &[], compression).expect("memory");
        let whole = compose();
        let mut checkpoints = Vec::new();
        let sums = whole.hash(&[], NonZeroUsize::MIN, &mut |point| checkpoints.push(point)).expect("memory");
        for threads in [1, 2].into_iter().filter_map(NonZeroUsize::new) {
            group.bench_function(BenchmarkId::new(format!("compose, {threads} threads"), name), |b| {
                b.iter(|| compose().hash(&[], threads, &mut |_| {}).expect("memory"));
            });
        }
        // As it is when the package in the middle has changed: what comes before it is known.
        checkpoints.truncate(checkpoints.len() / 2);
        group.bench_function(BenchmarkId::new("compose, first half known", name), |b| {
            b.iter(|| compose().hash(&checkpoints, NonZeroUsize::MIN, &mut |_| {}).expect("memory"));
        });
        group.bench_function(BenchmarkId::new("compose, sums known", name), |b| {
            b.iter(|| {
                let composition = compose();
                (composition.id(), composition.layer(sums.clone()))
            });
        });
        if compression.codec() == Codec::None {
            continue;
        }
        let layer = whole.layer(sums);
        group.bench_function(BenchmarkId::new("decompress", name), |b| {
            b.iter(|| {
                let packed = BufReader::new(layer.content().open().expect("memory"));
                io::copy(&mut decompress(layer.codec(), packed).expect("a decoder"), &mut io::sink())
            });
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let input = Input::read();
    decoding(c, &input);
    hashing(c, &input);
    compressing(c, &input);
    layers(c, &input);
}

criterion_group!(benches, all);
criterion_main!(benches);
