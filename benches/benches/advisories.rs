//! The advisory database: importing the complete lists of DSAs and DLAs with 100,000 records of OSV that are made here, and
//! looking up the packages of an image.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use distil_pipeline::advisories::{Database, ImportRequest, import};
use distil_pipeline::{Silent, Timestamp};
use tempfile::TempDir;

/// As many as Debian's part of OSV has, and some.
const RECORDS: usize = 100_000;
/// As many source packages as have ever had an advisory.
const SOURCES: usize = 4_000;
/// As many packages as a large image has.
const INSTALLED: usize = 400;

/// Records like those that OSV makes of the tracker: several releases, a vector, some lines of text. Always the same.
fn records() -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..RECORDS {
        let (year, cve) = (2005 + number % 20, 1000 + number);
        let affected: Vec<String> = [10, 11, 12, 13]
            .iter()
            .filter(|release| (number + **release) % 3 != 0)
            .map(|release| {
                let end = if number % 5 == 0 { String::new() } else { format!(",{{\"fixed\":\"1.{}-{release}\"}}", number % 90) };
                format!(
                    "{{\"package\":{{\"ecosystem\":\"Debian:{release}\",\"name\":\"source{}\",\
                     \"purl\":\"pkg:deb/debian/source{}?arch=source\"}},\"ranges\":[{{\"type\":\"ECOSYSTEM\",\
                     \"events\":[{{\"introduced\":\"0\"}}{end}]}}],\"ecosystem_specific\":{{\"urgency\":\"not yet assigned\"}}}}",
                    number * 7 % SOURCES,
                    number * 7 % SOURCES,
                )
            })
            .collect();
        let line = writeln!(
            text,
            "{{\"schema_version\":\"1.7.0\",\"id\":\"DEBIAN-CVE-{year}-{cve}\",\"published\":\"{year}-02-03T04:05:06Z\",\
             \"modified\":\"{year}-03-04T05:06:07.123456Z\",\"upstream\":[\"CVE-{year}-{cve}\"],\
             \"details\":\"A flaw of number {number} lets whoever can reach it do what they should not. {}\",\
             \"severity\":[{{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N\"}}],\
             \"affected\":[{}]}}",
            "It takes some more words to say how. ".repeat(number % 9),
            affected.join(",")
        );
        line.expect("memory takes all");
    }
    text
}

fn run(files: &[PathBuf], database: &Path) {
    let request =
        ImportRequest { files, suites: None, database, now: Timestamp::UNIX_EPOCH, cancelled: &AtomicBool::new(false) };
    import(&request, &Silent).expect("the feeds are sound");
}

fn database(c: &mut Criterion) {
    let dir = TempDir::new().expect("a directory");
    let records_file = dir.path().join("records.jsonl");
    #[expect(clippy::disallowed_methods, reason = "a plain file that nobody else reads")]
    fs::write(&records_file, records()).expect("room");
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/vulns/tests/data/lists");
    let files = [lists, records_file];
    let bytes: u64 = ["DSA.list", "DLA.list"]
        .iter()
        .map(|name| files[0].join(name))
        .chain([files[1].clone()])
        .map(|file| fs::metadata(file).expect("a file").len())
        .sum();
    let path = dir.path().join("advisories.redb");

    let mut group = c.benchmark_group("advisories");
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("imported anew", |b| {
        b.iter(|| {
            let _ = fs::remove_file(&path);
            run(&files, &path);
        });
    });
    group.throughput(Throughput::Bytes(fs::metadata(files[0].join("DLA.list")).expect("a file").len()));
    group.bench_function("one list imported into them", |b| b.iter(|| run(&[files[0].join("DLA.list")], &path)));
    group.throughput(Throughput::Elements(INSTALLED as u64));
    group.bench_function("packages looked up in a database that is opened", |b| {
        b.iter(|| {
            let database = Database::open(&path).expect("it was just made");
            let found = (0..INSTALLED).map(|number| {
                let source = format!("source{}", number * 9);
                let advisories = database.about("bookworm", black_box(&source)).expect("sound");
                let cves = advisories.iter().flat_map(|found| &found.aliases);
                cves.filter(|cve| database.cve(cve).expect("sound").is_some()).count()
            });
            found.sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, database);
criterion_main!(benches);
