//! Writing what `docker load` and `podman load` take.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::archive::shown;
use crate::compression::{Codec, ZSTD_WINDOW_LOG_MAX};
use crate::descriptor::Descriptor;
use crate::digest::{Digest, Hasher, VerifyingReader};
use crate::docker_archive::MANIFEST_JSON;
use crate::document::{Document, DocumentError, MAX_DOCUMENT};
use crate::error::Error;
use crate::json;
use crate::manifest::Manifest;
use crate::media_type::{MediaKind, MediaType};
use crate::ref_name::RefName;
use crate::store::{Selector, Store};
use crate::tar_file::TarFileWriter;
use crate::temp::{TempFile, copy_verified};

/// Writes one image as `docker save` does. The file appears in [`DockerArchiveWriter::finish`] and not before; dropped
/// without that, it leaves nothing.
///
/// The image is put like into any store, its manifest last, and named; an index cannot be written in this form, so the
/// caller takes one image out of it first ([`image_for`](trait.Store.html#method.image_for)). Plain and gzip layers are kept
/// as they are. zstd layers are unpacked, since engines before 2023 cannot read them. Diff ids stay the same either way.
/// Artifacts have no place in this form, and are passed over.
#[derive(Debug)]
pub struct DockerArchiveWriter {
    place: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tar: TarFileWriter,
    /// What became of each layer that was put.
    layers: BTreeMap<Digest, Stored>,
    documents: BTreeMap<Digest, Arc<[u8]>>,
    image: Option<Manifest>,
    names: BTreeSet<RefName>,
}

/// A layer as it stands in the archive.
#[derive(Debug, Clone)]
struct Stored {
    /// The member that holds it.
    member: String,
    /// What [`DockerArchive`](crate::DockerArchive) will say of it.
    descriptor: Descriptor,
}

/// Bytes that one layer may unpack to.
const MAX_PLAIN: u64 = 64 << 30;
/// Bytes copied at a time.
const CHUNK: usize = 128 << 10;

impl DockerArchiveWriter {
    /// Starts an archive beside the place where it will be. A file that is there is replaced at the end.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let state = State {
            tar: TarFileWriter::create(path)?,
            layers: BTreeMap::new(),
            documents: BTreeMap::new(),
            image: None,
            names: BTreeSet::new(),
        };
        Ok(Self { place: shown(path), state: Mutex::new(state) })
    }

    /// Writes configuration and names, flushes the file and gives it its name. The form holds no manifest: what comes back
    /// describes the one that [`DockerArchive`](crate::DockerArchive) makes of what was written.
    ///
    /// # Errors
    /// [`Error::NoImage`] where no image was named with [`Store::tag`], [`Error::NoBlob`] where a blob of it was not put.
    pub fn finish(self) -> Result<Descriptor, Error> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let missing = |digest: &Digest| Error::NoBlob { digest: digest.clone(), place: self.place.clone() };
        let Some(image) = state.image.take() else {
            return Err(Error::NoImage { wanted: Selector::Only, place: self.place });
        };
        let config = image.config().digest();
        let config_name = format!("{}.json", config.hex());
        let bytes = state.documents.get(config).cloned().ok_or_else(|| missing(config))?;
        state.tar.bytes(&config_name, &bytes)?;
        let (mut members, mut layers) = (Vec::new(), Vec::new());
        for layer in image.layers() {
            let stored = state.layers.get(layer.digest()).cloned().ok_or_else(|| missing(layer.digest()))?;
            members.push(stored.member);
            layers.push(stored.descriptor);
        }
        let names: Vec<&str> = state.names.iter().map(RefName::as_str).collect();
        let saved = json!([{"Config": config_name, "RepoTags": names, "Layers": members}]);
        state.tar.bytes(MANIFEST_JSON, &json::to_canonical(&saved))?;
        let config = Descriptor::new(MediaType::known(MediaType::CONFIG), Digest::of(&bytes), bytes.len() as u64);
        let manifest = Manifest::new(&config, &layers, &BTreeMap::new())
            .map_err(|source| Error::invalid(&MANIFEST_JSON, self.place.clone(), source))?;
        state.tar.finish()?;
        Ok(manifest.descriptor().clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_layer(&self, blob: &Descriptor, codec: Codec, content: &mut dyn Read) -> Result<(), Error> {
        let mut state = self.state();
        let hex = blob.digest().hex();
        if state.layers.contains_key(blob.digest()) {
            return copy_verified(blob, content, &self.place, |_| Ok(()));
        }
        let member = match codec {
            Codec::None | Codec::Zstd => format!("{hex}.tar"),
            Codec::Gzip => format!("{hex}.tar.gz"),
        };
        let descriptor = if codec == Codec::Zstd {
            let (spool, plain) = self.unpack(blob, content, &state.tar)?;
            state.tar.file(&member, plain.size(), |write| copy_spool(&spool, plain.size(), write))?;
            plain
        } else {
            // Readers of the archive know of SHA-256 alone.
            let mut other = (blob.digest().algorithm() != "sha256").then(Hasher::sha256);
            let copy = |write: &mut dyn FnMut(&[u8]) -> Result<(), Error>| {
                copy_verified(blob, content, &self.place, |piece| {
                    if let Some(hasher) = &mut other {
                        hasher.update(piece);
                    }
                    write(piece)
                })
            };
            state.tar.file(&member, blob.size(), copy)?;
            let digest = other.map_or_else(|| blob.digest().clone(), Hasher::finish);
            Descriptor::new(MediaType::of_layer(codec), digest, blob.size())
        };
        state.layers.insert(blob.digest().clone(), Stored { member, descriptor });
        Ok(())
    }

    /// Unpacks a zstd layer beside the archive: its size stands before it there, and is known only afterwards.
    fn unpack(
        &self,
        blob: &Descriptor,
        content: &mut dyn Read,
        tar: &TarFileWriter,
    ) -> Result<(TempFile, Descriptor), Error> {
        let failed = |source| (self as &dyn Store).bad_blob(blob, source);
        let mut spool = tar.spool()?;
        let packed = VerifyingReader::new(content, blob.digest().clone(), blob.size());
        let mut plain = zstd::stream::read::Decoder::new(packed).map_err(failed)?;
        plain.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
        let (mut hasher, mut size) = (Hasher::sha256(), 0);
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = plain.read(&mut chunk).map_err(failed)?;
            if n == 0 {
                break;
            }
            size += n as u64;
            if size > MAX_PLAIN {
                return Err(failed(io::ErrorKind::FileTooLarge.into()));
            }
            let piece = chunk.get(..n).unwrap_or_default();
            hasher.update(piece);
            spool.write(piece)?;
        }
        // The end of the blob is where its digest is compared.
        io::copy(&mut plain.finish(), &mut io::sink()).map_err(failed)?;
        Ok((spool, Descriptor::new(MediaType::known(MediaType::LAYER), hasher.finish(), size)))
    }
}

fn copy_spool(spool: &TempFile, size: u64, write: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while at < size {
        let n = spool.file().read_at(&mut chunk, at).map_err(Error::io("read", spool.path()))?;
        if n == 0 {
            return Err(Error::io("read", spool.path())(io::ErrorKind::UnexpectedEof.into()));
        }
        write(chunk.get(..n).unwrap_or_default())?;
        at += n as u64;
    }
    Ok(())
}

impl Store for DockerArchiveWriter {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        let state = self.state();
        Ok(state.layers.contains_key(blob.digest()) || state.documents.contains_key(blob.digest()))
    }

    /// Gives configurations and manifests alone: layers may have become others.
    fn open(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        match self.state().documents.get(blob.digest()) {
            Some(bytes) => {
                let reader = io::Cursor::new(Arc::clone(bytes));
                Ok(Box::new(VerifyingReader::new(reader, blob.digest().clone(), blob.size())))
            }
            None => Err(Error::NoBlob { digest: blob.digest().clone(), place: self.place() }),
        }
    }

    fn put(&self, blob: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        match blob.kind() {
            MediaKind::Layer(codec) => self.put_layer(blob, codec, content),
            MediaKind::Config | MediaKind::Manifest | MediaKind::Index if blob.size() <= MAX_DOCUMENT as u64 => {
                let mut bytes = Vec::new();
                let collect = |piece: &[u8]| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                };
                copy_verified(blob, content, &self.place, collect)?;
                self.state().documents.insert(blob.digest().clone(), bytes.into());
                Ok(())
            }
            _ => copy_verified(blob, content, &self.place, |_| Ok(())),
        }
    }

    /// Names the one image of the archive; several names may name it. Referrers are passed over.
    fn tag(&self, name: Option<&RefName>, root: &Descriptor) -> Result<(), Error> {
        let store: &dyn Store = self;
        let document = store.document(root)?;
        if document.subject().is_some() {
            return Ok(());
        }
        let Document::Manifest(manifest) = document else {
            return Err(store.bad_document(root, DocumentError::NotAManifest(root.media_type().clone())));
        };
        let mut state = self.state();
        if state.image.as_ref().is_some_and(|image| image.digest() != manifest.digest()) {
            return Err(Error::Ambiguous { found: 2, place: self.place() });
        }
        state.image = Some(*manifest);
        state.names.extend(name.cloned());
        Ok(())
    }

    fn resolve(&self, wanted: &Selector) -> Result<Descriptor, Error> {
        let state = self.state();
        let named = |image: &&Manifest| match wanted {
            Selector::Only => true,
            Selector::Name(name) => state.names.contains(name),
            Selector::Digest(digest) => image.digest() == digest,
        };
        let found = state.image.as_ref().filter(named).map(|image| image.descriptor().clone());
        found.ok_or_else(|| Error::NoImage { wanted: wanted.clone(), place: self.place() })
    }

    fn tags(&self) -> Result<Vec<RefName>, Error> {
        Ok(self.state().names.iter().cloned().collect())
    }

    fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>, Error> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::digest::DiffId;
    use crate::layer::Layer;
    use crate::tar::TarWriter;
    use crate::tar_file::{Digests, TarFile};
    use crate::validate::{Limits, validate};
    use crate::{DockerArchive, Image, ImageBuilder, Index};

    const NAME: &str = "registry.example.org/app:1.0";

    fn layer(codec: Codec, seed: u8) -> Layer {
        let mut tar = TarWriter::new(Vec::new());
        let entry = crate::Entry {
            path: crate::ImagePath::from_archive(&[b'a' + seed]).unwrap(),
            kind: crate::EntryKind::File { size: 3000 },
            meta: crate::Metadata::root(0o644, 0),
        };
        tar.append(&entry, &mut &[seed; 3000][..]).unwrap();
        let plain = tar.finish().unwrap();
        let packed = match codec {
            Codec::None => plain.clone(),
            Codec::Gzip => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                io::Write::write_all(&mut out, &plain).unwrap();
                out.finish().unwrap()
            }
            Codec::Zstd => zstd::bulk::compress(&plain, 3).unwrap(),
        };
        let (digest, size) = (Digest::of(&packed), packed.len() as u64);
        Layer::stated(digest, size, DiffId::new(Digest::of(&plain)), codec, Arc::new(packed))
    }

    fn image() -> Image {
        let builder = ImageBuilder::new("linux/amd64".parse().unwrap(), 0);
        builder.layer(layer(Codec::None, 1)).layer(layer(Codec::Gzip, 2)).layer(layer(Codec::Zstd, 3)).finish().unwrap()
    }

    fn written(temp: &TempDir, image: &Image, name: Option<&str>) -> DockerArchive {
        let path = temp.path().join("a.tar");
        let writer = DockerArchiveWriter::create(&path).unwrap();
        let root = image.write_to(&writer, &mut |_| {}).unwrap();
        writer.tag(name.map(|name| name.parse().unwrap()).as_ref(), &root).unwrap();
        let described = writer.finish().unwrap();
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
        let archive = DockerArchive::open(&path).unwrap();
        assert_eq!(archive.resolve(&Selector::Only).unwrap().digest(), described.digest());
        archive
    }

    #[test]
    fn what_is_written_is_a_valid_image_with_the_same_diff_ids() {
        let temp = TempDir::new().unwrap();
        let image = image();
        let archive = written(&temp, &image, Some(NAME));
        assert_eq!(archive.tags().unwrap(), [NAME.parse().unwrap()]);
        let wanted = Selector::Name(NAME.parse().unwrap());
        assert_eq!(validate(&archive, &wanted, &Limits::default()).unwrap(), []);
        let root = archive.resolve(&wanted).unwrap();
        let store: Arc<dyn Store> = Arc::new(archive);
        let back = Image::read(&store, &root).unwrap();
        assert_eq!(back.config().digest(), image.config().digest());
        let codecs: Vec<Codec> = back.layers().iter().map(Layer::codec).collect();
        assert_eq!(codecs, [Codec::None, Codec::Gzip, Codec::None]);
    }

    #[test]
    fn an_image_without_a_name_is_the_only_one() {
        let temp = TempDir::new().unwrap();
        let archive = written(&temp, &image(), None);
        assert!(archive.resolve(&Selector::Only).is_ok());
    }

    #[test]
    fn an_index_is_refused_and_a_missing_blob_too() {
        let temp = TempDir::new().unwrap();
        let image = image();
        let writer = DockerArchiveWriter::create(&temp.path().join("a.tar")).unwrap();
        let index = Index::new(vec![image.clone()], &BTreeMap::new()).unwrap();
        index.write_to(&writer, &mut |_| {}).unwrap();
        let error = writer.tag(None, index.descriptor()).unwrap_err();
        assert!(matches!(error.document(), Some(DocumentError::NotAManifest(_))));
        assert!(matches!(writer.finish(), Err(Error::NoImage { .. })));

        let writer = DockerArchiveWriter::create(&temp.path().join("a.tar")).unwrap();
        let bytes = image.manifest().bytes();
        writer.put(image.manifest().descriptor(), &mut &*bytes).unwrap();
        writer.tag(None, image.manifest().descriptor()).unwrap();
        assert!(matches!(writer.finish(), Err(Error::NoBlob { .. })));
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_layer_that_is_not_what_was_stated_is_refused() {
        let temp = TempDir::new().unwrap();
        let writer = DockerArchiveWriter::create(&temp.path().join("a.tar")).unwrap();
        for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
            let (one, other) = (layer(codec, 1), layer(codec, 2));
            let media_type = MediaType::of_layer(codec);
            let stated = Descriptor::new(media_type, one.digest().clone(), one.size());
            let result = writer.put(&stated, &mut other.content().open().unwrap());
            assert!(result.unwrap_err().mismatch().is_some(), "{codec:?}");
            assert!(!writer.has(&stated).unwrap());
        }
    }

    #[test]
    fn archives_of_others_are_read() {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("a.tar");
        let image = image();
        let check = |names: &[&str], config: &str, manifest: &str| {
            let mut tar = TarFileWriter::create(&path).unwrap();
            let mut layer = Vec::new();
            image.layers()[0].content().open().unwrap().read_to_end(&mut layer).unwrap();
            for name in names {
                tar.bytes(name, &layer).unwrap();
            }
            tar.bytes(config, image.config().bytes()).unwrap();
            tar.bytes(MANIFEST_JSON, manifest.as_bytes()).unwrap();
            tar.finish().unwrap();
            assert!(TarFile::open(&path, Digests::Skip).is_ok());
            DockerArchive::open(&path)
        };
        let hex = image.config().digest().hex();
        let named = format!("{hex}.json");
        let manifest = |config: &str, layer: &str| {
            format!(r#"[{{"Config":"{config}","RepoTags":null,"Layers":["{layer}","{layer}"]}}]"#)
        };
        let archive = check(&["x/layer.tar"], &named, &manifest(&named, "x/layer.tar")).unwrap();
        assert!(archive.resolve(&Selector::Only).is_ok());
        let error = check(&["x"], &named, &manifest(&named, "y")).unwrap_err();
        assert!(matches!(error.document(), Some(DocumentError::NoMember(_))));
        let lie = format!("{}.json", "0".repeat(64));
        assert!(check(&["x"], &lie, &manifest(&lie, "x")).unwrap_err().mismatch().is_some());
        let lie = format!("blobs/sha256/{}", "0".repeat(64));
        assert!(check(&[&lie], &named, &manifest(&named, &lie)).unwrap_err().mismatch().is_some());
        let twice = r#"[{"Config":"c","config":"d","Layers":[]}]"#;
        assert!(matches!(check(&["x"], &named, twice), Err(Error::Document { .. })));
        assert!(matches!(check(&["x"], &named, "{}").unwrap_err().document(), Some(DocumentError::NoArray)));
    }
}
