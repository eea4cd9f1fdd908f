//! Promotions between layouts.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use distil_imgcore::{Layout, PathReference, Selector, Store as _};
use distil_signing::key::{PrivateKey, sign};
use distil_signing::legacy::{Layer, manifest};
use distil_signing::simple::Payload;

use super::*;
use crate::check::Checked;
use crate::progress::Silent;
use crate::testimage;

const NAME: &str = "registry.example.org/live/app";

/// An image in a layout that an internal key signed.
struct Fixture {
    dir: tempfile::TempDir,
    source: Reference,
    root: Descriptor,
    internal: PrivateKey,
    release: PrivateKey,
    verification: Requirements,
    machine: Machine,
    cancelled: Arc<AtomicBool>,
    log: PathBuf,
}

fn by_key(key: &PrivateKey) -> Requirements {
    Requirements::new(Trust::Keys(vec![key.public_key().clone()]))
}

fn at(reference: &Reference) -> &PathReference {
    let Reference::Layout(at) = reference else { panic!("{reference}") };
    at
}

impl Fixture {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let source = testimage::write(dir.path(), &["linux/amd64"], &[&[("etc/x", text)]]);
        let layout = Layout::open(at(&source).path()).unwrap();
        let root = layout.resolve(at(&source).selector()).unwrap();
        let internal = PrivateKey::generate().unwrap();
        let digest = root.digest().clone();
        let payload = Payload { reference: "registry.internal/app".into(), digest, optional: BTreeMap::new() };
        let payload = payload.to_bytes();
        let written = manifest(&[Layer::signature(payload.clone(), &sign(&internal, &payload).unwrap())]).unwrap();
        for blob in written.blobs.iter().chain([&written.manifest]) {
            layout.put(&blob.descriptor, &mut &*blob.bytes).unwrap();
        }
        let name = format!("sha256-{}.sig", root.digest().hex()).parse().unwrap();
        layout.tag(Some(&name), &written.manifest.descriptor).unwrap();
        Self {
            source,
            root,
            verification: by_key(&internal),
            internal,
            release: PrivateKey::generate().unwrap(),
            machine: Machine::new(1_800_000_000),
            cancelled: Arc::default(),
            log: dir.path().join("log"),
            dir,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn reference(&self, name: &str) -> Reference {
        format!("oci:{}:v1", self.path(name).display()).parse().unwrap()
    }

    fn request<'a>(&'a self, to: &'a Reference) -> PromoteRequest<'a> {
        PromoteRequest {
            source: &self.source,
            destination: to,
            verification: &self.verification,
            approved: None,
            signer: &self.release,
            formats: Formats::Both,
            name: Some(NAME),
            internal_names: &[],
            by: None,
            immutable: false,
            log: &self.log,
            machine: &self.machine,
            cancelled: &self.cancelled,
        }
    }

    fn promote(&self, to: &Reference) -> Result<Promoted, PromoteError> {
        promote(&self.request(to), &Silent)
    }

    /// Whether the destination has a good signature by this key.
    fn is_signed(&self, to: &Reference, key: &PrivateKey) -> bool {
        let layout = Layout::open(at(to).path()).unwrap();
        verify_in(&layout, &self.root, &by_key(key)).unwrap().is_verified()
    }

    fn lines(&self) -> usize {
        fs::read_to_string(&self.log).map_or(0, |text| text.lines().count())
    }
}

#[test]
fn a_promotion_is_signed_by_the_new_key_alone_and_recorded_once() {
    let fixture = Fixture::new("x");
    let to = fixture.reference("to");
    let first = fixture.promote(&to).unwrap();
    assert_eq!(first.image.digest, *fixture.root.digest());
    assert!(fixture.is_signed(&to, &fixture.release) && !fixture.is_signed(&to, &fixture.internal));
    assert_eq!((first.left.len(), first.entry.promotion.from), (1, PlaceKind::Layout));
    let names = || Layout::open(at(&to).path()).unwrap().tags().unwrap();
    let before = (names(), fs::read(fixture.path("to/index.json")).unwrap());
    let again = fixture.promote(&to).unwrap();
    assert_eq!((again.entry, fixture.lines()), (first.entry, 1));
    assert_eq!((names(), fs::read(fixture.path("to/index.json")).unwrap()), before);
}

#[test]
fn what_is_not_signed_as_asked_for_is_not_promoted() {
    let fixture = Fixture::new("x");
    let to = fixture.reference("to");
    let other = by_key(&fixture.release);
    let two = Requirements {
        threshold: NonZeroUsize::new(2).unwrap(),
        ..Requirements::new(Trust::Keys(vec![
            fixture.internal.public_key().clone(),
            fixture.release.public_key().clone(),
        ]))
    };
    for wanted in [&other, &two] {
        let request = PromoteRequest { verification: wanted, ..fixture.request(&to) };
        let error = promote(&request, &Silent).unwrap_err();
        assert!(matches!(&error, PromoteError::NotVerified { .. }) && error.is_no(), "{error}");
    }
    assert!(!fixture.path("to").exists() && fixture.lines() == 0);
}

#[test]
fn what_would_tell_where_it_comes_from_is_refused() {
    let fixture = Fixture::new("see registry.internal");
    let to = fixture.reference("to");
    let names = ["Registry.Internal".to_owned()];
    let request = PromoteRequest { internal_names: &names, ..fixture.request(&to) };
    let error = promote(&request, &Silent).unwrap_err();
    let PromoteError::Traces { traces } = &error else { panic!("{error}") };
    assert!(error.is_no() && traces.len() == 1);
    assert_eq!(traces[0].path.as_ref().unwrap().to_string(), "/etc/x");
    for (by, name) in [(Some("ann@registry.internal"), NAME), (None, "registry.internal/app")] {
        let request = PromoteRequest { internal_names: &names, by, name: Some(name), ..fixture.request(&to) };
        let error = promote(&request, &Silent).unwrap_err();
        assert!(matches!(&error, PromoteError::Told { .. }) && error.is_mistake(), "{error}");
    }
    assert!(!fixture.path("to").exists());
    // A name that stands nowhere.
    let names = ["other.internal".to_owned()];
    let request = PromoteRequest { internal_names: &names, ..fixture.request(&to) };
    assert!(promote(&request, &Silent).is_ok());
}

#[test]
fn places_that_cannot_be_are_mistakes() {
    let fixture = Fixture::new("x");
    let error = fixture.promote(&fixture.source).unwrap_err();
    assert!(matches!(&error, PromoteError::SamePlace { .. }) && error.is_mistake());
    let docker: Reference = format!("docker-archive:{}", fixture.path("d.tar").display()).parse().unwrap();
    let error = fixture.promote(&docker).unwrap_err();
    assert!(matches!(&error, PromoteError::NoSignatures { .. }) && error.is_mistake());
    let to = fixture.reference("to");
    let request = PromoteRequest { log: Path::new("/dev/null"), ..fixture.request(&to) };
    let error = promote(&request, &Silent).unwrap_err();
    assert!(matches!(error, PromoteError::Log(_)));
    assert!(!fixture.path("to").exists());
}

/// Stops a promotion after so many steps that are told.
#[derive(Debug)]
struct Stopping<'a> {
    left: AtomicUsize,
    cancelled: &'a AtomicBool,
}

impl Progress for Stopping<'_> {
    fn phase(&self, _: Phase) {}
    fn started(&self, _: &str) {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            self.cancelled.store(true, Ordering::Relaxed);
        }
    }
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
    fn resolved(&self, _: &Reference, _: &Digest) {}
}

#[test]
fn what_is_stopped_leaves_the_name_and_is_finished_by_the_next() {
    for steps in 0..6 {
        let fixture = Fixture::new("x");
        let (to, cancelled) = (fixture.reference("to"), Arc::new(AtomicBool::new(false)));
        let progress = Stopping { left: AtomicUsize::new(steps), cancelled: &cancelled };
        let names = ["other.internal".to_owned()];
        let request = PromoteRequest { internal_names: &names, cancelled: &cancelled, ..fixture.request(&to) };
        let stopped = promote(&request, &progress);
        let name = Selector::Name("v1".parse().unwrap());
        let is_there = Layout::open(at(&to).path()).and_then(|layout| layout.resolve(&name)).is_ok();
        assert_eq!(stopped.is_ok(), is_there, "{steps}: {stopped:?}");
        assert!(stopped.is_ok() || matches!(stopped, Err(PromoteError::Cancelled)));
        assert!(fixture.promote(&to).is_ok() && fixture.is_signed(&to, &fixture.release));
    }
}

/// A verdict about a digest that nothing is against.
fn clean(digest: &Digest) -> distil_policy::Verdict {
    distil_policy::Verdict {
        schema: distil_policy::VERDICT.into(),
        verdict: distil_policy::Outcome::Pass,
        reference: "oci:image:test".into(),
        digest: digest.to_string(),
        now: jiff::Timestamp::UNIX_EPOCH,
        good_until: None,
        policy: "production".into(),
        policy_sha256: "cc".into(),
        sources: Vec::new(),
        violations: Vec::new(),
        suppressed: Vec::new(),
        undecided: Vec::new(),
        manual: BTreeMap::new(),
    }
}

#[test]
fn an_approval_is_for_one_digest_and_recorded() {
    let fixture = Fixture::new("public");
    let to = fixture.reference("live");
    let other = Digest::of(b"another image");
    let judged = checked(&other);
    let approved = judged.approved(true).unwrap();
    let request = PromoteRequest { approved: Some(&approved), ..fixture.request(&to) };
    let error = promote(&request, &Silent).unwrap_err();
    assert!(matches!(&error, PromoteError::NotApproved { found, .. } if found == fixture.root.digest()), "{error}");
    assert!(error.is_no() && !fixture.path("live").exists());

    let judged = checked(fixture.root.digest());
    let approved = judged.approved(true).unwrap();
    let request = PromoteRequest { approved: Some(&approved), ..fixture.request(&to) };
    let promoted = promote(&request, &Silent).unwrap();
    let policy = PolicyVerdict::Pass { policy: "sha256:cc".into() };
    assert_eq!(promoted.entry.promotion.verdict.policy, policy);
    let said = |kind: &PredicateType| -> Vec<String> {
        let layout = Layout::open(at(&to).path()).unwrap();
        let report = attestation_in(&layout, &fixture.root, kind, &by_key(&fixture.release)).unwrap();
        report.verified().iter().filter_map(predicate).map(str::to_owned).collect()
    };
    let (verdicts, ledgers) = (said(&PredicateType::VSA), said(&PredicateType::LEDGER));
    // Each in both forms.
    assert_eq!((verdicts.len(), ledgers.len()), (2, 2));
    assert!(verdicts[0].contains("PASSED") && verdicts[0].contains("registry.example.org"), "{}", verdicts[0]);
    assert_eq!(ledgers[0], judged.ledger.to_predicate());
    let again = promote(&request, &Silent).unwrap();
    assert_eq!((again.entry.record, said(&PredicateType::VSA)), (promoted.entry.record, verdicts));
    // Where the ledger tells where the image comes from, nothing goes out.
    let names = ["zlib-internal".to_owned()];
    let request = PromoteRequest { internal_names: &names, ..request };
    assert!(matches!(promote(&request, &Silent), Err(PromoteError::Told { name, .. }) if name == names[0]));
}

/// A clean verdict about this digest, with facts and a ledger.
fn checked(digest: &Digest) -> Checked {
    let line = r#"{"release":"bookworm","source":"zlib-internal","id":"CVE-2026-0001","first-seen":"2026-01-10","first-fixable":null,"last-seen":"2026-02-03","severity-at-first-seen":"high"}"#;
    let facts = serde_json::json!({
        "schema": "distil.facts/v1", "now": "2026-11-23T12:00:00Z", "reference": "oci:app", "digest": digest.to_string(),
        "platforms": {}, "signatures": { "verified": [], "refused": [] }, "attached": [], "data": { "sources": [] },
        "support": {}, "ledger": []
    });
    Checked {
        verdict: clean(digest),
        facts: serde_json::from_value(facts).unwrap(),
        ledger: distil_policy::Ledger::parse(line.as_bytes()).unwrap(),
    }
}
