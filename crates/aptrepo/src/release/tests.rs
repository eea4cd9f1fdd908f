//! Every case is a whole signed file whose one fault is in its name. They are of the corpus that the project is measured
//! with; see the note beside them.

use std::path::{Path, PathBuf};

use super::*;
use crate::clearsign::ClearsignError;
use crate::keyring::{KeyringError, SignatureReason};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/inrelease")
}

fn file(case: &str, name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join(case).join(name)).ok()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn keyring(case: &str) -> Result<Keyring, KeyringError> {
    Keyring::parse(case, &file(case, "keyring.pgp").unwrap())
}

fn verify_with(case: &str, keyring: &Keyring, expected: &Expected<'_>) -> Result<Release, ReleaseError> {
    let (release, signature) = (file(case, "Release"), file(case, "Release.gpg"));
    match (file(case, "InRelease"), &release, &signature) {
        (Some(inline), ..) => Release::verify(Signed::Inline(&inline), keyring, expected),
        (None, Some(release), Some(signature)) => {
            Release::verify(Signed::Detached { release, signature }, keyring, expected)
        }
        _ => panic!("no files of case {case}"),
    }
}

const NOW: Expected<'_> = Expected { suite: "test", at: Timestamp::from_seconds(1_790_000_000), pinned: false };

fn verify(case: &str) -> Result<Release, ReleaseError> {
    verify_with(case, &keyring(case).unwrap(), &NOW)
}

/// The reason why the only signature does not count.
fn reason(error: &ReleaseError) -> Option<&SignatureReason> {
    match error {
        ReleaseError::Signature(VerifyError::NoneValid { faults, .. }) if faults.len() == 1 => Some(&faults[0].reason),
        _ => None,
    }
}

#[test]
fn good_repositories_are_believed() {
    for case in ["ok", "ok-detached", "ok-rsa2048", "ok-subkey", "ok-two-keys"] {
        let release = verify(case).unwrap_or_else(|error| panic!("{case}: {error:?}"));
        assert_eq!(release.date(), time("2026-01-01T00:00:00Z"), "{case}");
        assert_eq!(release.valid_until(), Some(time("2099-01-01T00:00:00Z")), "{case}");
        assert_eq!((release.suite(), release.codename()), (Some("test"), Some("test")), "{case}");
        assert_eq!(release.signer().primary != release.signer().key, case == "ok-subkey");
        let index = release.file("main/binary-amd64/Packages.gz").unwrap();
        assert!(index.size > 0 && index.sha256.is_some());
        assert!(release.file("main/binary-amd64/packages").is_none());
    }
    let release = verify("ok").unwrap();
    assert_eq!((release.origin(), release.label(), release.version()), (Some("Distil"), Some("Distil"), None));
    assert_eq!(release.components(), ["main"]);
    assert_eq!(release.architectures(), ["amd64".parse().unwrap()]);
    assert!(!release.by_hash() && !release.lists_all_apart());
}

#[test]
fn each_fault_has_its_own_name() {
    use {ClearsignError as C, ReleaseError as E, SignatureReason as S};
    type Is = fn(&ReleaseError) -> bool;
    let cases: [(&str, Is); 22] = [
        ("dash-escaped-field", |e| matches!(e, E::Fields(_))),
        ("dash-line-unescaped", |e| matches!(e, E::Clearsign(C::Dash { line: 4, .. }))),
        ("date-garbage", |e| matches!(e, E::Date { field: "Date", .. })),
        ("detached-junk-before", |e| matches!(e, E::Clearsign(C::NotASignature { line: 1 }))),
        ("empty", |e| matches!(e, E::Clearsign(C::Empty))),
        ("key-certify-only", |e| matches!(reason(e), Some(S::MayNotSign))),
        ("key-expired", |e| matches!(reason(e), Some(S::KeyExpired { .. }))),
        ("key-revoked", |e| matches!(reason(e), Some(S::KeyRevoked { .. }))),
        ("md5-only", |e| matches!(e, E::WeakSums)),
        ("not-signed", |e| matches!(e, E::Clearsign(C::NotSigned))),
        ("sig-expired", |e| matches!(reason(e), Some(S::Expired { .. }))),
        ("sig-md5", |e| matches!(reason(e), Some(S::WeakHash { hash }) if hash == "MD5")),
        ("sig-sha1", |e| matches!(reason(e), Some(S::WeakHash { hash }) if hash == "SHA-1")),
        ("suite-other", |e| matches!(e, E::Suite { asked, codename, .. } if asked == "test" && codename == "sid")),
        ("sums-conflict", |e| matches!(e, E::Conflict { path } if path == "main/binary-amd64/Packages")),
        ("tampered", |e| matches!(reason(e), Some(S::Bad))),
        ("two-messages", |e| matches!(e, E::Clearsign(C::SecondMessage { .. }))),
        ("unknown-key", |e| matches!(reason(e), Some(S::UnknownKey))),
        ("unsigned-after", |e| matches!(e, E::Clearsign(C::UnsignedAfter { .. }))),
        ("unsigned-before", |e| matches!(e, E::Clearsign(C::UnsignedBefore))),
        ("valid-until-garbage", |e| matches!(e, E::Date { field: "Valid-Until", .. })),
        ("valid-until-past", |e| matches!(e, E::Stale { .. })),
    ];
    for (case, expected) in cases {
        let found = verify(case).unwrap_err();
        assert!(expected(&found), "{case}: {found:?}");
        assert_eq!(found.is_stale(), case == "valid-until-past", "{case}");
    }
    assert_eq!(keyring("keyring-empty").unwrap_err(), KeyringError::Empty);
    let known = std::fs::read_dir(folder()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(known.count(), cases.len() + 5 + 1, "a case without a test");
}

#[test]
fn the_suite_is_what_was_asked_for() {
    let keyring = keyring("ok").unwrap();
    let verify = |suite| verify_with("ok", &keyring, &Expected { suite, ..NOW });
    assert!(verify("test").is_ok() && verify("./").is_ok() && verify("flat/").is_ok());
    for suite in ["", "tes", "test-security", "Test", "stable/updates"] {
        assert!(matches!(verify(suite), Err(ReleaseError::Suite { .. })), "{suite}");
    }
}

#[test]
fn a_wrong_clock_is_told_from_an_old_repository() {
    use ReleaseError as E;
    let ring = keyring("ok").unwrap();
    let at = |at: &str, pinned| verify_with("ok", &ring, &Expected { at: time(at), pinned, ..NOW });
    // It is dated and signed at the start of 2026, and good until 2099.
    assert!(matches!(at("1970-01-02T00:00:00Z", false), Err(E::Clock { .. })));
    assert!(matches!(at("2097-01-01T00:00:00Z", false), Err(E::Clock { .. })));
    assert!(at("2025-12-31T23:51:00Z", false).is_ok());
    let early = at("2025-12-31T23:49:00Z", false).unwrap_err();
    assert!(matches!(reason(&early), Some(SignatureReason::FromFuture { .. })), "{early:?}");
    assert!(matches!(at("2025-12-31T23:51:00Z", true), Err(E::AfterSnapshot { .. })));
    assert!(at("2026-01-01T00:00:00Z", true).is_ok());
    assert!(matches!(at("2099-01-01T00:00:00Z", true), Err(E::Stale { .. })));
}

/// What a text would say, had it been signed.
fn unsigned(text: &str) -> Result<Release, ReleaseError> {
    let primary = "53A65CBF74459B82B76F60D2DF691D7754600519".parse().unwrap();
    let signer = Signer { primary, key: primary, created: time("2026-01-01T00:00:00Z") };
    let mut paragraphs = Paragraphs::new(text.as_bytes(), Comments::Refused, Limits::default());
    Release::read(&paragraphs.next().unwrap().unwrap(), signer)
}

#[test]
fn fields_say_what_they_say_in_debian() {
    let read = |fields: &str| unsigned(&format!("Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n{fields}\n")).unwrap();
    let bookworm = read(
        "Suite: oldstable\nCodename: bookworm\nVersion: 12.11\nAcquire-By-Hash: yes\nArchitectures: all amd64 riscv64\n\
         No-Support-for-Architecture-all: Packages\nComponents: main contrib",
    );
    assert!(bookworm.by_hash() && !bookworm.lists_all_apart());
    assert_eq!(bookworm.components(), ["main", "contrib"]);
    assert_eq!((bookworm.version(), bookworm.origin(), bookworm.valid_until()), (Some("12.11"), None, None));
    assert_eq!(bookworm.architectures().len(), 3);
    assert!(read("Architectures: all amd64").lists_all_apart());
    assert!(read("Architectures: all amd64\nNo-Support-for-Architecture-all: Contents").lists_all_apart());
    assert!(!read("Architectures: all amd64\nNo-Support-for-Architecture-all: Contents Packages").lists_all_apart());
    assert!(!read("Architectures: amd64").lists_all_apart());
    assert!(!read("Acquire-By-Hash: no").by_hash() && !read("Suite:").by_hash());
    assert_eq!(read("Suite:").suite(), None);
    assert!(matches!(unsigned("SHA256:\n"), Err(ReleaseError::Missing { field: "Date" })));
}

#[test]
fn a_snapshot_is_judged_at_its_own_time() {
    let text = "Date: Wed, 01 Jan 2025 00:00:00 UTC\nValid-Until: Wed, 08 Jan 2025 00:00:00 UTC\nSHA256:\n";
    let release = unsigned(text).unwrap();
    let judge = |at: &str, pinned| release.check_dates(&Expected { at: time(at), pinned, ..NOW });
    assert!(judge("2025-01-01T00:00:00Z", true).is_ok() && judge("2025-01-07T23:59:59Z", true).is_ok());
    assert!(matches!(judge("2025-01-08T00:00:00Z", true), Err(ReleaseError::Stale { .. })));
    assert!(matches!(judge("2024-12-31T23:59:59Z", true), Err(ReleaseError::AfterSnapshot { .. })));
    assert!(judge("2024-12-31T23:50:00Z", false).is_ok());
    assert!(matches!(judge("2024-12-31T23:49:59Z", false), Err(ReleaseError::FromFuture { .. })));
    assert!(matches!(judge("2026-01-01T00:00:00Z", false), Err(ReleaseError::Stale { .. })));
    assert!(matches!(judge("2023-01-01T00:00:00Z", false), Err(ReleaseError::Clock { .. })));
    assert!(matches!(judge("2065-06-01T00:00:00Z", false), Err(ReleaseError::Clock { .. })));
    assert!(judge("2065-06-01T00:00:00Z", true).unwrap_err().is_stale());
}
