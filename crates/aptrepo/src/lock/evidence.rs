//! Checks a lock against the signed files that it was made from, with no network and at any later time.
//!
//! The chain has these links: a key signed a file, the file names indices by size and sum, an index names packages by
//! size, sum and path. A lock holds the last and the sums of all; who kept the files can follow it.

use std::collections::BTreeSet;
use std::fmt;

use distil_debunpack::decompress::{Codec, Decoder, OutputLimits};
use distil_imgcore::{Digest, Escaped};
use sha2::{Digest as _, Sha512};

use super::{IndexEvidence, Lock, LockedPackage, LockedPlatform, PackageOrigin, RepositoryEvidence, SignedFile};
use crate::{Expected, Index, IndexError, Keyring, Release, ReleaseError, Signed, Timestamp};

/// What is kept of one repository.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceFiles<'a> {
    /// The signed file.
    pub signed: Signed<'a>,
    /// The keys that are trusted for it.
    pub keys: &'a Keyring,
    /// Its indices. Where all that the lock names are there, packages are looked for in them.
    pub indices: &'a [KeptIndex<'a>],
}

/// An index as it was fetched.
#[derive(Debug, Clone, Copy)]
pub struct KeptIndex<'a> {
    /// Its path below the suite.
    pub path: &'a str,
    /// Its bytes, compressed if the path says so.
    pub bytes: &'a [u8],
}

/// What came out of a check.
#[derive(Debug, Default)]
pub struct EvidenceReport {
    /// All that does not fit; none where the chain holds.
    pub findings: Vec<EvidenceFinding>,
    /// How many packages a key vouches for through an index. Others could not be looked for, or are told of in the
    /// findings.
    pub proved: usize,
}

/// One link of the chain that does not hold.
#[derive(Debug)]
pub struct EvidenceFinding {
    /// The number of the repository in the lock.
    pub repository: usize,
    /// Its suite.
    pub suite: String,
    /// What is wrong.
    pub fault: EvidenceFault,
}

/// Why a link of the chain does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceFault {
    /// There is nothing to check with.
    #[error("the signed file is missing")]
    Missing,
    /// `InRelease` where the lock was made with `Release` and `Release.gpg`, or the other way round.
    #[error("the signature is not where it was when the lock was made: in the signed file, or beside it")]
    Form,
    /// A file that is not the one that the lock was made from.
    #[error("{file} has the digest {found}, where the lock has {expected}")]
    Digest {
        /// The file.
        file: &'static str,
        /// The digest in the lock.
        expected: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// The signed file would not have been trusted at the time that the lock states.
    #[error("the signed file cannot be trusted")]
    Release(#[source] Box<ReleaseError>),
    /// The lock states of the signed file what is not in it.
    #[error("the lock has {} as {field}, where the signed file has {}", Escaped(.expected.as_bytes()), Escaped(.found.as_bytes()))]
    Statement {
        /// What is stated, as the lock names it.
        field: &'static str,
        /// What the lock states.
        expected: String,
        /// What is so.
        found: String,
    },
    /// An index that the signed file does not name, or not with the size and sum of the lock.
    #[error("the signed file does not vouch for {} with the sum of the lock", Escaped(.path.as_bytes()))]
    IndexNotSigned {
        /// The path of the index.
        path: String,
    },
    /// An index whose bytes are others.
    #[error("{} has the digest {found}, where the lock has {expected}", Escaped(.path.as_bytes()))]
    IndexDigest {
        /// The path of the index.
        path: String,
        /// The digest in the lock.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// An index whose bytes are right and that cannot be read.
    #[error("{} cannot be read", Escaped(.path.as_bytes()))]
    Index {
        /// The path of the index.
        path: String,
        /// Why not.
        #[source]
        cause: Box<IndexError>,
    },
    /// A package that is in no index of the repository with the size, sum and path of the lock.
    #[error("no index has {package} with the size, the sum and the path of the lock")]
    Package {
        /// The package with its version and architecture.
        package: String,
    },
}

/// What an index may unpack to: many times what those of the largest repositories do.
const LIMITS: OutputLimits = OutputLimits { bytes: 1 << 30, ratio: 1000, free: 64 << 20 };

impl Lock {
    /// Checks the evidence for each repository, in the order of [`Lock::repositories`], and reports all that does not
    /// fit.
    ///
    /// Signatures are judged as of when they were made, or of the snapshot: a key that expired since was good then.
    #[must_use]
    pub fn check_evidence(&self, files: &[Option<EvidenceFiles<'_>>]) -> EvidenceReport {
        let mut report = EvidenceReport::default();
        for (number, repository) in self.repositories.iter().enumerate() {
            let mut faults = Vec::new();
            match files.get(number).copied().flatten() {
                None => faults.push(EvidenceFault::Missing),
                Some(files) => {
                    check_signed(repository, &files, &mut faults);
                    if let Some(indices) = check_indices(repository, &files, &mut faults) {
                        // A package in an index that nobody vouches for is not proved.
                        let is_whole = faults.is_empty();
                        let found = self.check_packages(number, &indices, &mut faults);
                        report.proved += if is_whole { found } else { 0 };
                    }
                }
            }
            let suite = || repository.suite.clone();
            let finding = |fault| EvidenceFinding { repository: number, suite: suite(), fault };
            report.findings.extend(faults.into_iter().map(finding));
        }
        report
    }

    /// Looks for the packages of one repository, each once, and counts those that are there.
    fn check_packages(&self, number: usize, indices: &[Index], faults: &mut Vec<EvidenceFault>) -> usize {
        let mut seen = BTreeSet::new();
        let platforms = self.all().flat_map(|locked| locked.platforms.values());
        for package in platforms.flat_map(LockedPlatform::packages) {
            let PackageOrigin::Repository { repository, path } = &package.origin else { continue };
            let id = (&package.name, package.version.as_str(), &package.architecture, &package.sha256, path);
            if *repository != number || !seen.insert(id) {
                continue;
            }
            if !indices.iter().any(|index| lists(index, package, path)) {
                let package = format!("{} {} ({})", package.name, package.version, package.architecture);
                faults.push(EvidenceFault::Package { package });
            }
        }
        seen.len() - faults.iter().filter(|fault| matches!(fault, EvidenceFault::Package { .. })).count()
    }
}

fn lists(index: &Index, package: &LockedPackage, path: &str) -> bool {
    index.named(package.name.as_str()).any(|stanza| {
        (stanza.version(), stanza.architecture()) == (package.version.as_str(), package.architecture.as_str())
            && (stanza.size(), stanza.path()) == (package.size, path)
            && stanza.sha256() == package.sha256
            && (stanza.source_name(), stanza.source_version())
                == (package.source.name.as_str(), package.source.version.as_str())
    })
}

/// Checks the signed file, and what the lock says of it.
fn check_signed(repository: &RepositoryEvidence, files: &EvidenceFiles<'_>, faults: &mut Vec<EvidenceFault>) {
    let mut digest = |file, expected: &Digest, bytes: &[u8]| {
        let found = Digest::of(bytes);
        if found != *expected {
            faults.push(EvidenceFault::Digest { file, expected: expected.clone(), found });
        }
    };
    match (&repository.signed, files.signed) {
        (SignedFile::Inline { digest: expected }, Signed::Inline(bytes)) => digest("InRelease", expected, bytes),
        (SignedFile::Detached { release: expected, signature: detached }, Signed::Detached { release, signature }) => {
            digest("Release", expected, release);
            digest("Release.gpg", detached, signature);
        }
        _ => faults.push(EvidenceFault::Form),
    }
    // What was signed cannot be judged as of a time before it was.
    let at = repository.snapshot.map_or(repository.date.max(repository.signed_at), crate::Snapshot::time);
    let expected = Expected { suite: &repository.suite, at, pinned: true };
    match Release::verify(files.signed, files.keys, &expected) {
        Err(cause) => faults.push(EvidenceFault::Release(Box::new(cause))),
        Ok(release) => {
            check_statements(repository, &release, faults);
            let unsigned = repository.indices.iter().filter(|index| !is_signed(index, &release, files));
            faults.extend(unsigned.map(|index| EvidenceFault::IndexNotSigned { path: index.path.clone() }));
        }
    }
}

fn check_statements(repository: &RepositoryEvidence, release: &Release, faults: &mut Vec<EvidenceFault>) {
    let signer = release.signer();
    let text = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
    let time = |value: Option<Timestamp>| value.map_or("nothing".to_owned(), |time| time.to_string());
    let statements = [
        ("codename", text(repository.codename.as_deref()), text(release.codename())),
        ("origin", text(repository.origin.as_deref()), text(release.origin())),
        ("label", text(repository.label.as_deref()), text(release.label())),
        ("version", text(repository.version.as_deref()), text(release.version())),
        ("primary-key", repository.primary_key.to_string(), signer.primary.to_string()),
        ("key", repository.key.to_string(), signer.key.to_string()),
        ("signed-at", repository.signed_at.to_string(), signer.created.to_string()),
        ("date", repository.date.to_string(), release.date().to_string()),
        ("valid-until", time(repository.valid_until), time(release.valid_until())),
    ];
    let wrong = statements.into_iter().filter(|(_, expected, found)| expected != found);
    faults.extend(wrong.map(|(field, expected, found)| EvidenceFault::Statement { field, expected, found }));
}

/// Whether the signed file names an index with the sum of the lock. One that states only another kind of sum says
/// nothing unless the index is there.
fn is_signed(index: &IndexEvidence, release: &Release, files: &EvidenceFiles<'_>) -> bool {
    let Some(listed) = release.file(&index.path).filter(|listed| listed.size == index.size) else { return false };
    match (&listed.sha256, listed.sha512) {
        (Some(sha256), _) => *sha256 == index.sha256,
        (None, Some(sha512)) => {
            let file = files.indices.iter().find(|file| file.path == index.path);
            file.is_some_and(|file| Sha512::digest(file.bytes).as_slice() == sha512)
        }
        (None, None) => false,
    }
}

/// Checks the bytes of the indices that are there, and reads them if they are all.
fn check_indices(
    repository: &RepositoryEvidence,
    files: &EvidenceFiles<'_>,
    faults: &mut Vec<EvidenceFault>,
) -> Option<Vec<Index>> {
    let mut indices = Some(Vec::new());
    for expected in &repository.indices {
        let path = expected.path.clone();
        let file = files.indices.iter().find(|file| file.path == path);
        let index = file.and_then(|file| {
            let found = Digest::of(file.bytes);
            if found != expected.sha256 {
                faults.push(EvidenceFault::IndexDigest { path, expected: expected.sha256.clone(), found });
                return None;
            }
            let unreadable = |cause| EvidenceFault::Index { path, cause: Box::new(cause) };
            read_index(file).map_err(|cause| faults.push(unreadable(cause))).ok()
        });
        indices = indices.zip(index).map(|(mut indices, index)| {
            indices.push(index);
            indices
        });
    }
    indices
}

fn read_index(file: &KeptIndex<'_>) -> Result<Index, IndexError> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let suffix = name.find('.').and_then(|dot| name.get(dot..)).unwrap_or_default();
    let codec = Codec::from_suffix(suffix).unwrap_or(Codec::Stored);
    Index::parse(Decoder::new(file.bytes, codec, LIMITS).map_err(IndexError::Read)?)
}

/// As `bookworm: the signed file is missing`.
impl fmt::Display for EvidenceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Escaped(self.suite.as_bytes()), self.fault)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use distil_debunpack::Source;

    use super::*;
    use crate::lock::{Asked, AskedLayers, AskedSources, Locked, LockedPlatform};

    const IN_RELEASE: &[u8] = include_bytes!("../../testdata/inrelease/ok/InRelease");
    const KEYS: &[u8] = include_bytes!("../../testdata/inrelease/ok/keyring.pgp");
    // The index of the repository whose signed file that is.
    const COMPRESSED: &[u8] = include_bytes!("../../testdata/lock/Packages.gz");
    const PATH: &str = "main/binary-amd64/Packages.gz";

    fn package() -> LockedPackage {
        let (name, version) = ("distil-hello", "1.0-1");
        LockedPackage {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            architecture: "amd64".parse().unwrap(),
            source: Source { name: name.parse().unwrap(), version: version.parse().unwrap() },
            size: 6896,
            sha256: "sha256:f3e088e6063f9e7b29a71fd74edd69e0da22ee8709d9c7f862b47cf01f843442".parse().unwrap(),
            origin: PackageOrigin::Repository {
                repository: 0,
                path: "pool/main/d/distil-hello/distil-hello_1.0-1_amd64.deb".to_owned(),
            },
        }
    }

    /// A lock of one package, made from the signed file.
    fn lock(package: &LockedPackage) -> Lock {
        let repository = RepositoryEvidence {
            suite: "test".into(),
            codename: Some("test".into()),
            origin: Some("Distil".into()),
            label: Some("Distil".into()),
            version: None,
            signed: SignedFile::Inline { digest: Digest::of(IN_RELEASE) },
            primary_key: "53A65CBF74459B82B76F60D2DF691D7754600519".parse().unwrap(),
            key: "53A65CBF74459B82B76F60D2DF691D7754600519".parse().unwrap(),
            signed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            date: "2026-01-01T00:00:00Z".parse().unwrap(),
            valid_until: Some("2099-01-01T00:00:00Z".parse().unwrap()),
            snapshot: None,
            indices: vec![IndexEvidence { path: PATH.into(), size: 349, sha256: Digest::of(COMPRESSED) }],
        };
        let platform = LockedPlatform::new(vec![package.clone()], vec![vec![package.name.clone()]]).unwrap();
        Lock {
            asked: Asked {
                platforms: BTreeSet::new(),
                packages: BTreeSet::new(),
                debs: BTreeSet::new(),
                exclude: BTreeSet::new(),
                recommends: false,
                sources: AskedSources::Host { suites: None },
                base: None,
                layers: AskedLayers { strategy: "package".into(), max: 40 },
                variants: BTreeMap::new(),
            },
            epoch: 0,
            repositories: vec![repository],
            base: None,
            main: Locked { platforms: [("linux/amd64".parse().unwrap(), platform)].into(), result: None },
            variants: BTreeMap::new(),
        }
    }

    fn check(lock: &Lock, signed: &[u8], index: &[u8]) -> EvidenceReport {
        let keys = Keyring::parse("test", KEYS).unwrap();
        let indices = [KeptIndex { path: PATH, bytes: index }];
        let files = EvidenceFiles { signed: Signed::Inline(signed), keys: &keys, indices: &indices };
        let report = lock.check_evidence(&[Some(files)]);
        assert_eq!(report.findings.is_empty(), report.proved == 1, "{report:?}");
        report
    }

    fn faults(lock: &Lock, signed: &[u8], index: &[u8]) -> Vec<EvidenceFault> {
        check(lock, signed, index).findings.into_iter().map(|finding| finding.fault).collect()
    }

    #[test]
    fn the_chain_of_a_good_lock_holds() {
        let report = check(&lock(&package()), IN_RELEASE, COMPRESSED);
        assert_eq!((report.findings.len(), report.proved), (0, 1), "{report:?}");
    }

    #[test]
    fn without_indices_the_rest_of_the_chain_is_checked() {
        let keys = Keyring::parse("test", KEYS).unwrap();
        let files = EvidenceFiles { signed: Signed::Inline(IN_RELEASE), keys: &keys, indices: &[] };
        let report = lock(&package()).check_evidence(&[Some(files)]);
        assert_eq!((report.findings.len(), report.proved), (0, 0), "{report:?}");
    }

    #[test]
    fn each_broken_link_is_found() {
        use EvidenceFault as F;
        let expect = |change: &dyn Fn(&mut RepositoryEvidence), is: &dyn Fn(&F) -> bool| {
            let mut lock = lock(&package());
            change(&mut lock.repositories[0]);
            let keys = Keyring::parse("test", KEYS).unwrap();
            let indices = [KeptIndex { path: PATH, bytes: COMPRESSED }];
            let files = EvidenceFiles { signed: Signed::Inline(IN_RELEASE), keys: &keys, indices: &indices };
            let found = lock.check_evidence(&[Some(files)]).findings;
            assert!(found.len() == 1 && is(&found[0].fault), "{found:?}");
        };
        let other = || Digest::of(b"other");
        expect(&|r| r.signed = SignedFile::Inline { digest: other() }, &|f| {
            matches!(f, F::Digest { file: "InRelease", .. })
        });
        expect(&|r| r.signed = SignedFile::Detached { release: other(), signature: other() }, &|f| {
            matches!(f, F::Form)
        });
        expect(&|r| r.suite = "stable".into(), &|f| matches!(f, F::Release(_)));
        expect(&|r| r.snapshot = Some("20200101T000000Z".parse().unwrap()), &|f| matches!(f, F::Release(_)));
        expect(&|r| r.codename = None, &|f| matches!(f, F::Statement { field: "codename", .. }));
        expect(&|r| r.origin = Some("Debian".into()), &|f| matches!(f, F::Statement { field: "origin", .. }));
        expect(&|r| r.version = Some("12".into()), &|f| matches!(f, F::Statement { field: "version", .. }));
        expect(&|r| r.valid_until = None, &|f| matches!(f, F::Statement { field: "valid-until", .. }));
        expect(&|r| r.date = Timestamp::from_seconds(1_767_225_601), &|f| {
            matches!(f, F::Statement { field: "date", .. })
        });
        expect(&|r| r.signed_at = Timestamp::from_seconds(1_767_225_601), &|f| {
            matches!(f, F::Statement { field: "signed-at", .. })
        });
        let zero = "0".repeat(40);
        expect(&|r| r.key = zero.parse().unwrap(), &|f| matches!(f, F::Statement { field: "key", .. }));
        expect(&|r| r.primary_key = zero.parse().unwrap(), &|f| matches!(f, F::Statement { field: "primary-key", .. }));
        expect(&|r| r.indices[0].size = 350, &|f| matches!(f, F::IndexNotSigned { .. }));
    }

    #[test]
    fn other_bytes_are_found() {
        use EvidenceFault as F;
        let good = lock(&package());
        let text = String::from_utf8(IN_RELEASE.to_vec()).unwrap().replace("Codename: test", "Codename: tent");
        let found = faults(&good, text.as_bytes(), COMPRESSED);
        assert!(matches!(found.as_slice(), [F::Digest { .. }, F::Release(_)]), "{found:?}");
        let found = faults(&good, IN_RELEASE, b"");
        assert!(matches!(found.as_slice(), [F::IndexDigest { .. }]), "{found:?}");
        let report = good.check_evidence(&[]);
        assert!(matches!(report.findings[0].fault, F::Missing));
        assert_eq!(report.findings[0].to_string(), "test: the signed file is missing");
    }

    /// A forger who changes the lock and the index still lacks the key.
    #[test]
    fn an_index_that_fits_the_lock_alone_is_found() {
        let index = b"Package: distil-hello\nVersion: 1.0-1\nArchitecture: amd64\nSize: 6896\nFilename: x.deb\n\
            SHA256: 0000000000000000000000000000000000000000000000000000000000000000\n";
        let mut forged = lock(&package());
        forged.repositories[0].indices[0] =
            IndexEvidence { path: "main/binary-amd64/Packages".into(), size: 326, sha256: Digest::of(index) };
        let keys = Keyring::parse("test", KEYS).unwrap();
        let indices = [KeptIndex { path: "main/binary-amd64/Packages", bytes: index }];
        let files = EvidenceFiles { signed: Signed::Inline(IN_RELEASE), keys: &keys, indices: &indices };
        let found = forged.check_evidence(&[Some(files)]).findings;
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert!(matches!(first.fault, EvidenceFault::IndexNotSigned { .. }));
        assert!(matches!(second.fault, EvidenceFault::Package { .. }));
    }

    #[test]
    fn a_package_is_found_by_all_that_a_lock_says_of_it() {
        let expect_unlisted = |change: &dyn Fn(&mut LockedPackage)| {
            let mut package = package();
            change(&mut package);
            let found = faults(&lock(&package), IN_RELEASE, COMPRESSED);
            assert!(matches!(found.as_slice(), [EvidenceFault::Package { .. }]), "{found:?}");
        };
        expect_unlisted(&|p| p.name = "distil-hallo".parse().unwrap());
        expect_unlisted(&|p| p.version = "1.00-1".parse().unwrap());
        expect_unlisted(&|p| p.architecture = "arm64".parse().unwrap());
        expect_unlisted(&|p| p.size = 6897);
        expect_unlisted(&|p| p.sha256 = Digest::of(b"other"));
        expect_unlisted(&|p| p.source.name = "other".parse().unwrap());
        expect_unlisted(&|p| p.source.version = "1.0".parse().unwrap());
        expect_unlisted(&|p| p.origin = PackageOrigin::Repository { repository: 0, path: "other.deb".to_owned() });
    }
}
