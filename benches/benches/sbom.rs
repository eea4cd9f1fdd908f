//! Describing an image: licences of copyright files, digests of a package, and documents in each format over 397 packages
//! and 60,000 files, which is more than the large set has.
//!
//! The copyright files are those in the packages of the Python set; `cargo xtask debs python` downloads them.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use distil_imgcore::{Digest, ImagePath};
use distil_sbom::licence::analyse;
use distil_sbom::{
    About, Dependency, Digests, File, Format, Inventory, Owner, Package, PackageKind, SourcePackage, System,
};

const PACKAGES: usize = 397;
const FILES: usize = 60_000;

fn inventory() -> Inventory {
    let mut inventory = Inventory { system: System::parse(b"ID=debian\nVERSION_ID=12\n"), ..Inventory::default() };
    inventory.image.digest = Some(Digest::of(b"image"));
    for number in 0..PACKAGES {
        let mut package = Package::new(PackageKind::Deb, format!("package{number:03}"), Some("1.2-3".to_owned()));
        package.source = Some(SourcePackage { name: format!("source{}", number / 3), version: "1.2-3".to_owned() });
        package.licences.declared = Some("MIT AND (GPL-2.0-or-later OR Artistic-1.0-Perl)".to_owned());
        package.licences.concluded.clone_from(&package.licences.declared);
        package.dependencies = (0..number % 7).map(|before| Dependency::Package(number - before - 1)).collect();
        package.dependencies.sort();
        inventory.packages.push(package);
    }
    for number in 0..FILES {
        let path = format!("usr/share/package{:03}/folder/file{number:05}", number * PACKAGES / FILES);
        let owner = Owner::Package { number: number * PACKAGES / FILES, is_conffile: false };
        inventory.files.push(File {
            path: ImagePath::from_archive(path.as_bytes()).expect("a path"),
            size: 1000,
            digests: Digests::of(path.as_bytes()),
            is_executable: false,
            layer: None,
            owner,
        });
    }
    inventory
}

/// Copyright files with the names of their packages.
fn copyright_files() -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debs/python");
    let mut found = Vec::new();
    for deb in fs::read_dir(&dir).into_iter().flatten().flatten() {
        let name = deb.file_name().to_string_lossy().split('_').next().unwrap_or_default().to_owned();
        let script = "dpkg-deb --fsys-tarfile \"$1\" | tar -xO \"./usr/share/doc/$2/copyright\" 2>/dev/null";
        let out = Command::new("sh").args(["-c", script, "sh"]).arg(deb.path()).arg(&name).output().expect("sh runs");
        if !out.stdout.is_empty() {
            found.push((name, out.stdout));
        }
    }
    assert!(!found.is_empty(), "no packages in target/debs/python: run cargo xtask debs python");
    found.sort();
    found
}

fn licences(c: &mut Criterion) {
    let files = copyright_files();
    let mut group = c.benchmark_group("licences");
    group.throughput(Throughput::Bytes(files.iter().map(|(_, bytes)| bytes.len() as u64).sum())).sample_size(10);
    group.bench_function("of copyright files", |b| {
        b.iter(|| files.iter().filter(|(name, bytes)| analyse(bytes, name).licences.declared.is_some()).count());
    });
    group.finish();
}

fn digests(c: &mut Criterion) {
    let bytes = vec![7_u8; 4 << 20];
    let mut group = c.benchmark_group("digests");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    group.bench_function("MD5, SHA-1, SHA-256 and SHA-512", |b| b.iter(|| Digests::of(black_box(&bytes))));
    group.finish();
}

fn documents(c: &mut Criterion) {
    let inventory = inventory();
    for format in Format::ALL {
        let about = About { author: None, created: 0, version: "0".to_owned(), files: format != Format::CycloneDx16 };
        let mut bytes = Vec::new();
        format.write(&inventory, &about, &mut bytes).expect("memory");
        let mut group = c.benchmark_group(format.as_str());
        group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
        group.bench_function("written", |b| {
            b.iter(|| {
                let mut out = Vec::with_capacity(bytes.len());
                format.write(&inventory, &about, &mut out).expect("memory");
                out.len()
            });
        });
        group.bench_function("read", |b| b.iter(|| distil_sbom::read(&bytes).expect("what was written").1));
        group.finish();
    }
}

criterion_group!(benches, licences, digests, documents);
criterion_main!(benches);
