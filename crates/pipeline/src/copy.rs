//! `copy`: an image from one place to others, by digest, with all that belongs to it.

mod error;
mod freight;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Digest, Platform, Reference, Referrers};

pub use error::CopyError;

use crate::build::BuiltImage;
use crate::destination::Names;
use crate::machine::Machine;
use crate::parallel;
use crate::places::Places;
use crate::progress::{Phase, Progress};
use crate::read::{Choice, Named, ReadError};
pub(crate) use freight::{Freight, stoppable};

/// What to copy, and where to.
#[derive(Debug)]
pub struct CopyRequest<'a> {
    /// The image or artifact.
    pub source: &'a Reference,
    /// Where it goes: at least one place.
    pub destinations: &'a [Reference],
    /// The image for this platform alone, under its own digest, with what is about that; a docker archive can hold no more.
    /// What only the index ties to it, as `BuildKit`'s statements without a subject are, nobody would find there: it is
    /// [left](Copied::left).
    pub platform: Option<&'a Platform>,
    /// Whether a name in a layout or registry that is another image's is an error.
    pub immutable: bool,
    /// The machine and the network.
    pub machine: &'a Machine,
    /// Set to true from elsewhere, ends the copy soon.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// The image in each place where it is now, in the order of the request.
    pub images: Vec<BuiltImage>,
    /// Places where it is not, and why. Those are as they were, some blobs apart that nothing names.
    pub failed: Vec<(Reference, CopyError)>,
    /// Statements about the image of the one platform that was asked for which were not copied, since only the index of the
    /// source ties them to it: the digests of their manifests.
    pub left: Vec<Digest>,
}

/// Destinations that are written to at the same time. Each takes several blobs at once by itself.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");

/// Copies an image or artifact with all that belongs to it: what refers to it (signatures, statements, SBOMs), what cosign
/// keeps about it under names of its own, and what is said about these. The source's tag is resolved once, everything else
/// goes by digest, and a destination's tag comes last; it is looked at again afterwards.
///
/// All platforms are copied under the same digest. Where one of several destinations fails the others are completed.
///
/// # Errors
/// [`CopyError`] where the source cannot be read, somebody asked to stop, or there is one destination alone, which failed.
pub fn copy(request: &CopyRequest<'_>, progress: &dyn Progress) -> Result<Copied, CopyError> {
    let &CopyRequest { source, destinations, platform, machine, cancelled, .. } = request;
    let places = Places::new(machine, progress, cancelled);
    let unreadable = |error: ReadError| {
        if cancelled.load(Ordering::Relaxed) {
            return CopyError::Cancelled;
        }
        CopyError::Source { reference: source.to_string(), source: Box::new(error) }
    };
    let mut named = Named::open(source, &places).map_err(unreadable)?;
    if let Some(platform) = platform {
        named = named.only(Choice::Exactly(platform)).map_err(unreadable)?;
    }
    progress.phase(Phase::Copy);
    let from = stoppable(named.store.as_ref(), cancelled);
    let is_archive = |destination: &Reference| matches!(destination, Reference::DockerArchive(_));
    let all = (!destinations.iter().all(is_archive)).then(|| Freight::of(&named, &from, Referrers::Copy));
    let all = all.transpose().map_err(unreadable)?;
    let send = |destination: &Reference| {
        let policy = Names::of(request.immutable);
        match &all {
            Some(freight) if !is_archive(destination) => freight.send(destination, policy, &places),
            // Engines load one image, and nothing that is about it.
            _ if named.platforms.len() > 1 => Err(CopyError::SeveralPlatforms {
                reference: destination.to_string(),
                known: named.platforms.iter().map(|(platform, _)| platform.clone()).collect(),
            }),
            _ => {
                let one = named.only(Choice::First).map_err(unreadable)?;
                let freight = Freight::of(&one, &from, Referrers::Leave).map_err(unreadable)?;
                freight.send(destination, policy, &places)
            }
        }
    };
    let results = parallel::map(AT_ONCE, destinations, |destination| Ok::<_, CopyError>(send(destination)))?;
    if cancelled.load(Ordering::Relaxed) {
        return Err(CopyError::Cancelled);
    }
    // An index that is copied names them there, too.
    let left = platform.and(all.as_ref()).map(|freight| freight.lacks(&named.statements)).unwrap_or_default();
    let mut copied = Copied { images: Vec::new(), failed: Vec::new(), left };
    for (destination, result) in destinations.iter().zip(results) {
        match result {
            Ok(image) => copied.images.push(image),
            Err(error) if destinations.len() == 1 => return Err(error),
            Err(error) => copied.failed.push((destination.clone(), error)),
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use distil_imgcore::{Descriptor, Error, Layout, MediaType, Store as _};

    use super::*;
    use crate::places::StoreError;
    use crate::progress::Silent;
    use crate::testimage;
    use crate::validate::validate;

    fn found_at(reference: &Reference) -> Result<Named, ReadError> {
        let machine = Machine::new(0);
        Named::open(reference, &Places::uncancelled(&machine, &Silent))
    }

    struct Fixture {
        dir: tempfile::TempDir,
        source: Reference,
    }

    impl Fixture {
        fn new(platforms: &[&str]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let source = testimage::write(dir.path(), platforms, &[&[("etc/x", "x")]]);
            Self { dir, source }
        }

        fn reference(&self, transport: &str, rest: &str) -> Reference {
            format!("{transport}:{}/{rest}", self.dir.path().display()).parse().unwrap()
        }

        fn copy(&self, to: &Reference, platform: Option<&str>, cancelled: bool) -> Result<BuiltImage, CopyError> {
            let platform = platform.map(|text| text.parse().unwrap());
            copy_to(&self.source, std::slice::from_ref(to), platform.as_ref(), false, cancelled)
                .map(|mut copied| copied.images.remove(0))
        }
    }

    fn copy_to(
        source: &Reference,
        destinations: &[Reference],
        platform: Option<&Platform>,
        immutable: bool,
        cancelled: bool,
    ) -> Result<Copied, CopyError> {
        let (machine, cancelled) = (Machine::new(0), Arc::new(AtomicBool::new(cancelled)));
        let request =
            CopyRequest { source, destinations, platform, immutable, machine: &machine, cancelled: &cancelled };
        copy(&request, &Silent)
    }

    #[test]
    fn every_local_place_takes_an_image() {
        let fixture = Fixture::new(&["linux/amd64"]);
        for (transport, rest) in [("oci", "copy:v1"), ("oci-archive", "a.tar:v1"), ("docker-archive", "d.tar:x:v1")] {
            let to = fixture.reference(transport, rest);
            let copied = fixture.copy(&to, None, false).unwrap();
            assert_eq!(copied.platforms.len(), 1, "{transport}");
            let found = validate(&to, &Machine::new(0), &Silent).unwrap();
            assert!(found.valid, "{transport}: {found:?}");
        }
    }

    #[test]
    fn what_is_told_of_a_copy_is_what_readers_find_there() {
        let fixture = Fixture::new(&["linux/amd64", "linux/arm64"]);
        for (transport, rest) in [("oci", "copy:v1"), ("oci-archive", "a.tar:v1"), ("docker-archive", "d.tar:x:v1")] {
            let to = fixture.reference(transport, rest);
            let told = fixture.copy(&to, Some("linux/arm64"), false).unwrap();
            let found = found_at(&to).unwrap();
            assert_eq!((&told.digest, &told.platforms[0].digest), (found.root.digest(), found.platforms[0].1.digest()));
        }
    }

    fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
        let blob = Descriptor::of(media_type.parse().unwrap(), bytes);
        layout.put(&blob, &mut &*bytes).unwrap();
        blob
    }

    /// An artifact alone, such as a chart or a signature, is copied as it is; archives for engines hold images only.
    #[test]
    fn an_artifact_is_copied_where_artifacts_can_be() {
        let fixture = Fixture::new(&["linux/amd64"]);
        let Reference::Layout(at) = &fixture.source else { panic!() };
        let layout = Layout::open(at.path()).unwrap();
        let content = put(&layout, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"chart");
        let chart = serde_json::json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST,
            "config": put(&layout, "application/vnd.cncf.helm.config.v1+json", b"{}").to_json(),
            "layers": [content.to_json()],
        });
        let root = put(&layout, MediaType::MANIFEST, chart.to_string().as_bytes());
        layout.tag(Some(&"chart".parse().unwrap()), &root).unwrap();

        let copy = |to: &Reference, platform: Option<&Platform>| {
            let source = fixture.reference("oci", "image:chart");
            copy_to(&source, std::slice::from_ref(to), platform, false, false).map(|mut copied| copied.images.remove(0))
        };
        for (transport, rest) in [("oci", "copy:v1"), ("oci-archive", "a.tar:v1")] {
            let to = fixture.reference(transport, rest);
            let copied = copy(&to, None).unwrap();
            assert_eq!((&copied.digest, copied.platforms.len()), (root.digest(), 0), "{transport}");
            assert!(validate(&to, &Machine::new(0), &Silent).unwrap().valid, "{transport}");
        }
        let refused = |error: CopyError| {
            let CopyError::Source { source, .. } = error else { return false };
            matches!(*source, ReadError::NotAnImage { .. })
        };
        assert!(refused(copy(&fixture.reference("docker-archive", "d.tar:x:v1"), None).unwrap_err()));
        assert!(refused(copy(&fixture.reference("oci", "b:v1"), Some(&"linux/amd64".parse().unwrap())).unwrap_err()));
    }

    #[test]
    fn all_platforms_keep_the_digest_and_one_has_its_own() {
        let fixture = Fixture::new(&["linux/amd64", "linux/arm64"]);
        let root = found_at(&fixture.source).unwrap().root.digest().clone();
        let all = fixture.copy(&fixture.reference("oci", "all:v1"), None, false).unwrap();
        assert_eq!((all.digest, all.platforms.len()), (root.clone(), 2));
        let one = fixture.copy(&fixture.reference("oci", "one:v1"), Some("linux/arm64"), false).unwrap();
        assert_eq!(one.digest, one.platforms[0].digest);
        assert_ne!(one.digest, root);
        let docker = fixture.reference("docker-archive", "d.tar:x:v1");
        assert!(matches!(fixture.copy(&docker, None, false), Err(CopyError::SeveralPlatforms { .. })));
        assert!(fixture.copy(&docker, Some("linux/amd64"), false).is_ok());
    }

    #[test]
    fn a_copy_that_is_cancelled_leaves_nothing() {
        let fixture = Fixture::new(&["linux/amd64"]);
        for (transport, rest) in [("oci", "copy:v1"), ("oci-archive", "a.tar:v1")] {
            let to = fixture.reference(transport, rest);
            assert!(matches!(fixture.copy(&to, None, true), Err(CopyError::Cancelled)), "{transport}");
        }
        let left: Vec<_> = std::fs::read_dir(fixture.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["image"]);
    }

    #[test]
    fn a_destination_with_a_digest_takes_that_image_alone() {
        let fixture = Fixture::new(&["linux/amd64"]);
        let other = format!("copy@sha256:{}", "0".repeat(64));
        let error = fixture.copy(&fixture.reference("oci", &other), None, false).unwrap_err();
        assert!(matches!(error, CopyError::Destination(StoreError::OtherDigest { .. })));
        let digest = found_at(&fixture.source).unwrap().root.digest().clone();
        assert!(fixture.copy(&fixture.reference("oci", &format!("copy@{digest}")), None, false).is_ok());
    }

    #[test]
    fn where_one_place_fails_the_others_are_completed() {
        let fixture = Fixture::new(&["linux/amd64", "linux/arm64"]);
        std::fs::create_dir_all(fixture.dir.path().join("photos/summer")).unwrap();
        let places =
            [("oci", "photos:v1"), ("oci", "a:v1"), ("docker-archive", "d.tar:x:v1"), ("oci-archive", "b.tar")];
        let to: Vec<Reference> = places.iter().map(|(transport, rest)| fixture.reference(transport, rest)).collect();
        let copied = copy_to(&fixture.source, &to, None, false, false).unwrap();
        let done: Vec<_> = copied.images.iter().map(|image| &image.reference).collect();
        assert_eq!(done, [&to[1], &to[3]]);
        let [(photos, occupied), (engine, several)] = copied.failed.as_slice() else { panic!("{copied:?}") };
        assert_eq!((photos, engine), (&to[0], &to[2]));
        assert!(matches!(occupied, CopyError::Destination(StoreError::Store(Error::Occupied { .. }))));
        assert!(matches!(several, CopyError::SeveralPlatforms { .. }) && several.is_mistake());
        for reference in done {
            assert_eq!(found_at(reference).unwrap().root.digest(), &copied.images[0].digest);
        }
    }

    #[test]
    fn a_name_that_stays_is_that_of_one_image_for_good() {
        let fixture = Fixture::new(&["linux/amd64", "linux/arm64"]);
        let to = [fixture.reference("oci", "copy:v1")];
        let copy = |platform: Option<&str>, immutable| {
            let platform = platform.map(|text| text.parse().unwrap());
            copy_to(&fixture.source, &to, platform.as_ref(), immutable, false)
        };
        let first = copy(None, true).unwrap().images.remove(0).digest;
        assert_eq!(copy(None, true).unwrap().images[0].digest, first);
        let error = copy(Some("linux/amd64"), true).unwrap_err();
        assert!(error.is_mistake());
        let CopyError::Destination(StoreError::Taken(taken)) = error else { panic!("{error}") };
        assert_eq!((taken.name.as_str(), &taken.found), ("v1", &first));
        assert_eq!(found_at(&to[0]).unwrap().root.digest(), &first);
        let moved = copy(Some("linux/amd64"), false).unwrap().images.remove(0).digest;
        assert_eq!(moved, taken.wanted);
        assert_eq!(found_at(&to[0]).unwrap().root.digest(), &moved);
    }

    /// Without a subject a statement belongs to an image by what the index says of the two, as `BuildKit` writes it by default.
    #[test]
    fn statements_that_only_the_index_ties_to_an_image_are_told_where_they_stay() {
        let fixture = Fixture::new(&["linux/amd64", "linux/arm64"]);
        let Reference::Layout(at) = &fixture.source else { panic!() };
        let layout = Layout::open(at.path()).unwrap();
        let images = found_at(&fixture.source).unwrap().platforms;
        let (amd64, arm64) = (&images[0].1, &images[1].1);
        let config = put(&layout, MediaType::CONFIG, b"{}").to_json();
        let statement = |image: &Descriptor, text: &str, subject: Option<&Descriptor>| {
            let mut manifest = serde_json::json!({
                "schemaVersion": 2, "mediaType": MediaType::MANIFEST, "config": config,
                "layers": [put(&layout, MediaType::IN_TOTO, text.as_bytes()).to_json()],
            });
            if let Some(subject) = subject {
                manifest["subject"] = subject.bare().to_json();
            }
            let mut entry = put(&layout, MediaType::MANIFEST, manifest.to_string().as_bytes()).to_json();
            entry["platform"] = serde_json::json!({"os": "unknown", "architecture": "unknown"});
            entry["annotations"] = serde_json::json!({
                "vnd.docker.reference.digest": image.digest().to_string(),
                "vnd.docker.reference.type": "attestation-manifest",
            });
            entry
        };
        let (tied, other) = (statement(amd64, "1", None), statement(arm64, "2", None));
        let refers = statement(amd64, "3", Some(amd64));
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": MediaType::INDEX,
            "manifests": [amd64.to_json(), arm64.to_json(), tied, other, refers],
        });
        let root = put(&layout, MediaType::INDEX, index.to_string().as_bytes());
        layout.tag(Some(&"stated".parse().unwrap()), &root).unwrap();

        let source = fixture.reference("oci", "image:stated");
        let digest = |entry: &serde_json::Value| entry["digest"].as_str().unwrap().parse::<Digest>().unwrap();
        let amd64_alone: Platform = "linux/amd64".parse().unwrap();
        let left = |transport: &str, rest: &str, platform: Option<&Platform>| {
            copy_to(&source, &[fixture.reference(transport, rest)], platform, false, false).unwrap().left
        };
        assert_eq!(left("oci", "one:v1", Some(&amd64_alone)), [digest(&tied)]);
        let one = found_at(&fixture.reference("oci", "one:v1")).unwrap();
        let referrers = one.store.referrers(amd64.digest()).unwrap();
        assert_eq!(referrers.iter().map(Descriptor::digest).collect::<Vec<_>>(), [&digest(&refers)]);
        assert_eq!(left("oci", "all:v1", None), []);
        // An archive for engines holds nothing but the image.
        assert_eq!(left("docker-archive", "d.tar:x:v1", Some(&amd64_alone)), []);
    }

    /// What is found by its name alone stands beside the image, and does not make unclear which image a place holds.
    #[test]
    fn what_cosign_keeps_by_its_name_is_copied_and_is_no_image() {
        let fixture = Fixture::new(&["linux/amd64"]);
        let Reference::Layout(at) = &fixture.source else { panic!() };
        let layout = Layout::open(at.path()).unwrap();
        let root = found_at(&fixture.source).unwrap().root;
        let name = distil_imgcore::Attachment::names_for(root.digest()).next().unwrap();
        layout.tag(Some(&name), &found_at(&fixture.source).unwrap().platforms[0].1).unwrap();
        let to = fixture.reference("oci", "copy:v1");
        fixture.copy(&to, None, false).unwrap();
        assert_eq!(found_at(&fixture.reference("oci", "copy")).unwrap().root.digest(), root.digest());
        assert!(found_at(&fixture.reference("oci", &format!("copy:{name}"))).is_ok());
    }
}
