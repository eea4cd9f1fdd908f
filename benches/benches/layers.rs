//! Layer hashing and each compression, in bytes of tar a second, beside the programs that people use for them.
//!
//! The input is what the packages of the Python example hold, as one tar; `cargo xtask debs python` downloads them.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use distil_imgcore::compression::{Encoder, decompress};
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::tar::{Dialect, Limits, TarReader};
use distil_imgcore::{Codec, Compression, Fragment, FragmentWriter, Origin, compose};
use tempfile::NamedTempFile;

/// The data archives of the example's packages, one after the other, and in memory.
struct Input {
    archives: Vec<Vec<u8>>,
    file: NamedTempFile,
    bytes: u64,
}

impl Input {
    fn read() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debs/python");
        let mut debs: Vec<PathBuf> =
            fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        debs.retain(|path| path.extension().is_some_and(|e| e == "deb"));
        debs.sort();
        assert!(!debs.is_empty(), "no packages in target/debs/python: run cargo xtask debs python");
        let unpack = |deb: &PathBuf| {
            let out = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(deb).output().expect("dpkg-deb runs");
            assert!(out.status.success(), "{}", deb.display());
            out.stdout
        };
        let archives: Vec<_> = debs.iter().map(unpack).collect();
        let mut file = NamedTempFile::new().expect("a temporary file");
        for archive in &archives {
            file.write_all(archive).expect("room for the tar");
        }
        let bytes = archives.iter().map(|archive| archive.len() as u64).sum();
        Self { archives, file, bytes }
    }

    /// Runs a program over the file.
    fn run(&self, program: &str, args: &[&str]) {
        let input = File::open(self.file.path()).expect("the tar");
        let status = Command::new(program).args(args).stdin(input).stdout(Stdio::null()).status();
        assert!(status.expect("the program runs").success(), "{program}");
    }

    fn fragments(&self, compression: Compression) -> Vec<Fragment> {
        self.archives.iter().map(|archive| fragment(archive, compression)).collect()
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

const ALL: [&str; 5] = ["none", "gzip:1", "gzip:6", "zstd:1", "zstd:3"];

fn hashing(c: &mut Criterion, input: &Input) {
    let mut group = c.benchmark_group("hash");
    group.throughput(Throughput::Bytes(input.bytes)).sample_size(10);
    group.bench_function("distil", |b| {
        b.iter(|| {
            let mut writer = DigestWriter::new(io::sink());
            for archive in &input.archives {
                writer.write_all(archive).expect("a sink");
            }
            writer.finish().1
        });
    });
    group.bench_function("sha256sum", |b| b.iter(|| input.run("sha256sum", &[])));
    group.finish();
}

fn compressing(c: &mut Criterion, input: &Input) {
    let mut group = c.benchmark_group("compress");
    group.throughput(Throughput::Bytes(input.bytes)).sample_size(10);
    for name in ALL {
        let compression: Compression = name.parse().expect("a compression");
        group.bench_function(BenchmarkId::new("distil", name), |b| {
            let mut encoder = Encoder::new(compression).expect("an encoder");
            b.iter(|| {
                for chunk in input.archives.iter().flat_map(|archive| archive.chunks(1 << 20)) {
                    black_box(encoder.encode(chunk).expect("memory"));
                }
            });
        });
    }
    for (program, args) in [("zstd", "-3cq"), ("zstd", "-1cq"), ("pigz", "-6cp1"), ("gzip", "-6c")] {
        group.bench_function(BenchmarkId::new(program, args), |b| b.iter(|| input.run(program, &[args])));
    }
    group.finish();
}

fn fragments(c: &mut Criterion, input: &Input) {
    let mut group = c.benchmark_group("layer");
    group.throughput(Throughput::Bytes(input.bytes)).sample_size(10);
    for name in ["none", "gzip:6", "zstd:3"] {
        let compression: Compression = name.parse().expect("a compression");
        group.bench_function(BenchmarkId::new("fragments", name), |b| b.iter(|| input.fragments(compression)));
        let made = input.fragments(compression);
        let made: Vec<&Fragment> = made.iter().collect();
        group.bench_function(BenchmarkId::new("compose", name), |b| {
            b.iter(|| compose(&[], &made, compression).expect("memory"));
        });
        if compression.codec() == Codec::None {
            continue;
        }
        let layer = compose(&[], &made, compression).expect("memory");
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
    hashing(c, &input);
    compressing(c, &input);
    fragments(c, &input);
}

criterion_group!(benches, all);
criterion_main!(benches);
