//! A lock held against the directory that was vendored with it: from the signature to every package, with no network.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use distil_aptrepo::lock::{EvidenceFiles, KeptIndex, Lock, LockedPackage, LockedPlatform, PackageOrigin, SignedFile};
use distil_aptrepo::{Keyring, Signed, Source};
use distil_imgcore::digest::DigestWriter;
use distil_imgcore::{Digest, Escaped};

use super::error::LockError;
use super::vendor;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// What does not fit, in words; nothing where all does.
    pub findings: Vec<String>,
    /// How many packages of the lock a key vouches for, through a signed file and an index.
    pub proved: usize,
    /// How many packages of the lock lie in the directory with the bytes that it states.
    pub present: usize,
}

/// The files of one repository.
struct Kept {
    signed: Option<(Vec<u8>, Option<Vec<u8>>)>,
    keys: Option<Keyring>,
    indices: Vec<(String, Vec<u8>)>,
}

/// The largest signed file or index that is read.
const MAX_FILE: u64 = 1 << 30;

/// Checks everything in `dir` that a lock names. `sources` have the keys.
pub(super) fn check(lock: &Lock, dir: &Path, sources: &[Source]) -> Result<Proof, LockError> {
    let suites: Vec<&str> = lock.repositories.iter().map(|repository| repository.suite.as_str()).collect();
    let roots: Vec<PathBuf> = vendor::names(&suites).iter().map(|name| dir.join(name)).collect();
    let mut kept = Vec::new();
    for (repository, root) in lock.repositories.iter().zip(&roots) {
        let suite = &repository.suite;
        let folder = if suite.ends_with('/') { root.join(suite) } else { root.join("dists").join(suite) };
        let signed = match repository.signed {
            SignedFile::Inline { .. } => read(&folder.join("InRelease"))?.map(|bytes| (bytes, None)),
            SignedFile::Detached { .. } => {
                let (release, signature) = (read(&folder.join("Release"))?, read(&folder.join("Release.gpg"))?);
                release.zip(signature).map(|(release, signature)| (release, Some(signature)))
            }
        };
        let mut indices = Vec::new();
        for index in &repository.indices {
            indices.extend(read(&folder.join(&index.path))?.map(|bytes| (index.path.clone(), bytes)));
        }
        let rings = sources.iter().filter(|source| source.suite == *suite).map(|source| (*source.keys).clone());
        let keys = Keyring::merged(suite, rings.collect()).ok();
        kept.push(Kept { signed, keys, indices });
    }
    let mut proof = chain(lock, &kept);
    for ((repository, root), kept) in lock.repositories.iter().zip(&roots).zip(&kept) {
        let there = |path: &String| kept.indices.iter().any(|(kept, _)| kept == path);
        let missing = repository.indices.iter().filter(|index| !there(&index.path));
        proof.findings.extend(missing.map(|index| {
            format!("{}: {} is missing in {}", Escaped(repository.suite.as_bytes()), index.path, Escaped::path(root))
        }));
    }
    let wanted = packages(lock).filter(|package| matches!(package.origin, PackageOrigin::Repository { .. }));
    let wanted: BTreeSet<&Digest> = wanted.map(|package| &package.sha256).collect();
    if proof.findings.is_empty() && proof.proved < wanted.len() {
        let (proved, wanted) = (proof.proved, wanted.len());
        proof.findings.push(format!("a key vouches for {proved} packages, and the lock has {wanted}"));
    }
    files(lock, &roots, &mut proof)?;
    Ok(proof)
}

fn chain(lock: &Lock, kept: &[Kept]) -> Proof {
    let indices: Vec<Vec<KeptIndex<'_>>> =
        kept.iter().map(|kept| kept.indices.iter().map(|(path, bytes)| KeptIndex { path, bytes }).collect()).collect();
    let files: Vec<Option<EvidenceFiles<'_>>> = kept
        .iter()
        .zip(&indices)
        .map(|(kept, indices)| {
            let (bytes, signature) = kept.signed.as_ref()?;
            let signed = match signature {
                None => Signed::Inline(bytes),
                Some(signature) => Signed::Detached { release: bytes, signature },
            };
            Some(EvidenceFiles { signed, keys: kept.keys.as_ref()?, indices })
        })
        .collect();
    let report = lock.check_evidence(&files);
    let told = |finding: &distil_aptrepo::lock::EvidenceFinding| {
        let fault: &dyn std::error::Error = &finding.fault;
        let causes = std::iter::successors(fault.source(), |cause| (*cause).source());
        causes.fold(format!("{}: {fault}", Escaped(finding.suite.as_bytes())), |text, cause| format!("{text}: {cause}"))
    };
    Proof { findings: report.findings.iter().map(told).collect(), proved: report.proved, present: 0 }
}

/// Compares the packages that lie in the directory with the lock.
fn files(lock: &Lock, roots: &[PathBuf], proof: &mut Proof) -> Result<(), LockError> {
    let mut seen = BTreeSet::new();
    for package in packages(lock) {
        let PackageOrigin::Repository { repository, path } = &package.origin else { continue };
        let Some(root) = roots.get(*repository) else { continue };
        if !seen.insert(&package.sha256) {
            continue;
        }
        let path = root.join(path);
        match digest(&path)? {
            None => proof.findings.push(format!("{} is missing", Escaped::path(&path))),
            Some(found) if found != package.sha256 => proof.findings.push(format!(
                "{} has the digest {found}, where the lock has {}",
                Escaped::path(&path),
                package.sha256
            )),
            Some(_) => proof.present += 1,
        }
    }
    Ok(())
}

fn packages(lock: &Lock) -> impl Iterator<Item = &LockedPackage> {
    let all = std::iter::once(&lock.main).chain(lock.variants.values());
    all.flat_map(|locked| locked.platforms.values()).flat_map(LockedPlatform::packages)
}

/// The digest of a file, if it is there.
pub(super) fn digest(path: &Path) -> Result<Option<Digest>, LockError> {
    let failed = |source| LockError::Read { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let mut hashed = DigestWriter::new(io::sink());
    io::copy(&mut file, &mut hashed).map_err(failed)?;
    Ok(Some(hashed.finish().1))
}

/// The content of a file, if it is there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, LockError> {
    let failed = |source| LockError::Read { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(e)),
        Ok(metadata) if metadata.len() > MAX_FILE => Err(failed(io::ErrorKind::FileTooLarge.into())),
        Ok(_) => std::fs::read(path).map(Some).map_err(failed),
    }
}
