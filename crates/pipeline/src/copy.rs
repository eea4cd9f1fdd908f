//! `copy`: an image from one place to another, by digest, with all that refers to it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use distil_imgcore::{Descriptor, Error, Image, Platform, Progress as Step, Reference, Referrers, copy_graph};

use crate::build::{BuiltImage, BuiltPlatform};
use crate::machine::Machine;
use crate::observed::Observed;
use crate::places::Places;
use crate::progress::{Phase, Progress};
use crate::read::{Choice, Named, ReadError};
use crate::stores::{self, StoreError};

/// Why an image was not copied. The destination may hold some of its blobs then, but nothing names them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The source cannot be read.
    #[error("cannot read {reference}")]
    Source {
        /// The source.
        reference: String,
        /// Why not.
        #[source]
        source: Box<ReadError>,
    },
    /// The destination cannot be opened, or asks for another image.
    #[error(transparent)]
    Destination(#[from] StoreError),
    /// One of the two failed on the way.
    #[error(transparent)]
    Store(#[from] Error),
    /// The image is for several platforms, of which the destination can hold one.
    #[error("{reference} holds one platform, and the image has {}", .known.len())]
    SeveralPlatforms {
        /// The destination.
        reference: String,
        /// The platforms of the image.
        known: Vec<Platform>,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl CopyError {
    /// Whether what was asked for cannot be, rather than something failing.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Source { source, .. } => source.is_mistake(),
            Self::Destination(error) => error.is_mistake(),
            Self::SeveralPlatforms { .. } => true,
            _ => false,
        }
    }
}

/// Copies an image or artifact with all that refers to it: signatures, statements, SBOMs. The source's tag is resolved
/// once, everything else goes by digest, and the destination's tag comes last.
///
/// All platforms are copied under the same digest. With `platform` the image for that one is copied alone, under its own
/// digest; a docker archive can hold no more.
///
/// # Errors
/// [`CopyError`].
pub fn copy(
    source: &Reference,
    destination: &Reference,
    platform: Option<&Platform>,
    machine: &Machine,
    cancelled: &Arc<AtomicBool>,
    progress: &dyn Progress,
) -> Result<BuiltImage, CopyError> {
    let places = Places::new(machine, progress, cancelled);
    let unreadable = |error: ReadError| CopyError::Source { reference: source.to_string(), source: Box::new(error) };
    let mut named = Named::open(source, &places).map_err(unreadable)?;
    let docker = matches!(destination, Reference::DockerArchive(_));
    if docker && platform.is_none() && named.platforms.len() > 1 {
        let known = named.platforms.iter().map(|(platform, _)| platform.clone()).collect();
        return Err(CopyError::SeveralPlatforms { reference: destination.to_string(), known });
    }
    if docker || platform.is_some() {
        named = named.only(platform.map_or(Choice::First, Choice::Exactly)).map_err(unreadable)?;
    }
    let mut platforms = Vec::new();
    for (platform, manifest) in &named.platforms {
        let image = Image::read(&named.store, manifest).map_err(|e| unreadable(e.into()))?;
        let (digest, diff_ids) = (image.digest().clone(), image.config().diff_ids().to_vec());
        platforms.push(BuiltPlatform { platform: platform.clone(), digest, diff_ids });
    }
    stores::check_digest(destination, named.root.digest())?;
    let to = places.destination(destination)?;
    let stopping = |_: &Descriptor, inner| -> Box<dyn Read + Send> {
        Box::new(Stopping { inner, cancelled: Arc::clone(cancelled) })
    };
    let from = Observed { inner: named.store.as_ref(), open: stopping };
    progress.phase(Phase::Copy);
    let result = copy_graph(&from, to.store(), &named.root, Referrers::Copy, &mut |step| match step {
        Step::Started(blob) => progress.started(&blob.digest().to_string()),
        Step::Bytes(blob, bytes) => progress.advanced(&blob.digest().to_string(), bytes),
        Step::Finished(blob) => progress.finished(&blob.digest().to_string()),
        _ => {}
    });
    if cancelled.load(Ordering::Relaxed) {
        return Err(CopyError::Cancelled);
    }
    let attached = result?;
    if !docker {
        attached.name_in(to.store())?;
    }
    let found = to.finish(&named.root, attached.referrers())?;
    Ok(BuiltImage::new(destination, &named.root, &found, platforms))
}

/// A blob that ends with an error as soon as somebody asks to stop.
struct Stopping {
    inner: Box<dyn Read + Send>,
    cancelled: Arc<AtomicBool>,
}

impl Read for Stopping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Not `Interrupted`, which readers take as a wish to be called again.
        if self.cancelled.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { self.inner.read(buf) }
    }
}

#[cfg(test)]
mod tests {
    use distil_imgcore::{MediaType, Store as _};

    use super::*;
    use crate::progress::Silent;
    use crate::testimage;
    use crate::validate::validate;

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
            copy(&self.source, to, platform.as_ref(), &Machine::new(0), &Arc::new(AtomicBool::new(cancelled)), &Silent)
        }
    }

    fn named(reference: &Reference) -> Result<Named, ReadError> {
        Named::open(reference, &Places::uncancelled(&Machine::new(0), &Silent))
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
            let found = named(&to).unwrap();
            assert_eq!((&told.digest, &told.platforms[0].digest), (found.root.digest(), found.platforms[0].1.digest()));
        }
    }

    /// An artifact alone, such as a chart or a signature, is copied as it is; archives for engines hold images only.
    #[test]
    fn an_artifact_is_copied_where_artifacts_can_be() {
        let fixture = Fixture::new(&["linux/amd64"]);
        let Reference::Layout(at) = &fixture.source else { panic!() };
        let layout = distil_imgcore::Layout::open(at.path()).unwrap();
        let put = |media_type: &str, bytes: &[u8]| {
            let blob = Descriptor::of(media_type.parse().unwrap(), bytes);
            layout.put(&blob, &mut &*bytes).unwrap();
            blob.to_json()
        };
        let chart = serde_json::json!({
            "schemaVersion": 2, "mediaType": MediaType::MANIFEST,
            "config": put("application/vnd.cncf.helm.config.v1+json", b"{}"),
            "layers": [put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"chart")],
        });
        let bytes = chart.to_string().into_bytes();
        put(MediaType::MANIFEST, &bytes);
        let root = Descriptor::of(MediaType::MANIFEST.parse().unwrap(), &bytes);
        layout.tag(Some(&"chart".parse().unwrap()), &root).unwrap();

        let copy = |to: &Reference, platform: Option<&Platform>| {
            copy(&fixture.reference("oci", "image:chart"), to, platform, &Machine::new(0), &Arc::default(), &Silent)
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
        let root = named(&fixture.source).unwrap().root.digest().clone();
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
        let digest = named(&fixture.source).unwrap().root.digest().clone();
        assert!(fixture.copy(&fixture.reference("oci", &format!("copy@{digest}")), None, false).is_ok());
    }
}
