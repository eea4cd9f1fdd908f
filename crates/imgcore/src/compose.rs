//! How layers are composed of fragments.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use crate::checkpoint::Checkpoint;
use crate::compression::{Codec, Compression, Encoder, Part, head, tail};
use crate::content::{Content, InRow};
use crate::digest::{DiffId, Digest, Hasher};
use crate::entry::Entry;
use crate::fragment::{Fragment, LayerHash};
use crate::layer::Layer;
use crate::part_decoder::PartDecoder;
use crate::running::RunningSha256;
use crate::tar::writer::{END, headers};

/// Fragments and directories on their way to a layer: the fragments' parts in order, one last part with the directories,
/// and the end of the archive. Nothing of a fragment is compressed again.
///
/// Directories come last, so that a layer starts like its first fragment: what was hashed when that was made need not be
/// hashed again, and a package that changes leaves the hashes of those before it as they are.
#[derive(Debug)]
pub struct Composition<'a> {
    fragments: Vec<&'a Fragment>,
    codec: Codec,
    /// The last part as it is in the tar and as it is stored, the second with what stands after all parts.
    last: (Vec<u8>, Vec<u8>),
}

/// What a manifest and a configuration state of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSums {
    /// The digest of the bytes as they are stored.
    pub digest: Digest,
    /// How many bytes are stored.
    pub size: u64,
    /// The digest of the tar.
    pub diff_id: DiffId,
}

impl LayerSums {
    /// A form to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{} {} {}", self.digest, self.size, self.diff_id).into_bytes()
    }

    /// What [`LayerSums::to_bytes`] gave, if it is that.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(bytes).ok()?.split(' ');
        let digest = words.next()?.parse().ok()?;
        let size = words.next()?.parse().ok()?;
        let sums = Self { digest, size, diff_id: words.next()?.parse().ok()? };
        words.next().is_none().then_some(sums)
    }
}

impl<'a> Composition<'a> {
    /// Lays fragments in a row and encodes the directories.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] where a fragment is compressed in another format, and errors of the encoder.
    pub fn new(fragments: Vec<&'a Fragment>, directories: &[Entry], compression: Compression) -> io::Result<Self> {
        let codec = compression.codec();
        if fragments.iter().any(|fragment| fragment.codec() != codec) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "fragments of one layer in several compressions"));
        }
        let mut plain: Vec<u8> = directories.iter().flat_map(headers).collect();
        plain.extend(END);
        let mut encoder = Encoder::new(compression)?;
        let mut parts: Vec<Part> = fragments.iter().flat_map(|fragment| fragment.parts()).copied().collect();
        let mut stored = Vec::new();
        for chunk in plain.chunks(compression.part_size()) {
            let (part, packed) = encoder.encode(chunk)?;
            stored.extend_from_slice(packed);
            parts.push(part);
        }
        stored.extend(tail(codec, &parts));
        Ok(Self { fragments, codec, last: (plain, stored) })
    }

    /// Names the layer's bytes before they were hashed: compositions with the same id give the same layer.
    #[must_use]
    pub fn id(&self) -> Digest {
        let mut hasher = Hasher::sha256();
        hasher.update(
            self.prefixes().last().unwrap_or_else(|| Digest::of(self.codec.as_str().as_bytes())).to_string().as_bytes(),
        );
        hasher.update(&self.last.1);
        hasher.finish()
    }

    /// The first fragment's id, which layers that start alike have in common.
    #[must_use]
    pub fn start(&self) -> Option<&Digest> {
        self.fragments.first().map(|fragment| fragment.id())
    }

    /// Those of some checkpoints that this layer passes.
    #[must_use]
    pub fn passed(&self, checkpoints: Vec<Checkpoint>) -> Vec<Checkpoint> {
        let prefixes: BTreeSet<Digest> = self.prefixes().collect();
        checkpoints.into_iter().filter(|checkpoint| prefixes.contains(&checkpoint.prefix)).collect()
    }

    /// The layer, where its sums are known from an earlier composition of the same id.
    #[must_use]
    pub fn layer(&self, sums: LayerSums) -> Layer {
        let mut row: Vec<Arc<dyn Content>> = vec![Arc::new(head(self.codec).to_vec())];
        row.extend(self.fragments.iter().map(|fragment| Arc::clone(fragment.packed())));
        row.push(Arc::new(self.last.1.clone()));
        Layer::stated(sums.digest, sums.size, sums.diff_id, self.codec, Arc::new(InRow(row)))
    }

    /// Bytes of tar that [`Composition::hash`] has to hash, where it reads no fragment for it and is given no checkpoints: then
    /// there is one, and its hashes are known.
    #[must_use]
    pub fn bytes_behind_known(&self) -> Option<usize> {
        let [only] = self.fragments.as_slice() else { return None };
        only.start.is_some().then_some(self.last.0.len())
    }

    /// Hashes the layer. Fragments are read only where their share of the hashes is not known: the first one's is, and that
    /// of all up to a checkpoint. `keep` is given a checkpoint for each fragment that was read.
    ///
    /// # Errors
    /// Errors of reading the fragments; [`io::ErrorKind::InvalidData`] where one does not hold what its parts say.
    pub fn hash(
        &self,
        known: &[Checkpoint],
        threads: NonZeroUsize,
        keep: &mut dyn FnMut(Checkpoint),
    ) -> io::Result<LayerSums> {
        let prefixes: Vec<Digest> = self.prefixes().collect();
        let at = |prefix: &Digest| known.iter().find(|checkpoint| checkpoint.prefix == *prefix);
        let found = prefixes.iter().enumerate().rev().find_map(|(i, prefix)| Some((i + 1, at(prefix)?.hash.clone())));
        let first = || Some((1, self.fragments.first()?.start.clone()?));
        let (done, mut hash) = found.or_else(first).unwrap_or_else(|| (0, LayerHash::new(self.codec)));
        let rest: Vec<(&Fragment, &Digest)> = self.fragments.iter().copied().zip(&prefixes).skip(done).collect();
        let size: u64 = rest.iter().map(|(fragment, _)| fragment.plain_size()).sum();
        hash = if threads.get() > 1 && size > WORTH_THREADS {
            feed_pipelined(&rest, hash, keep)?
        } else {
            feed(&rest, hash, keep)?
        };
        hash.plain.update(&self.last.0);
        hash.packed.update(&self.last.1);
        let size = hash.packed.length();
        let LayerHash { plain, packed } = hash;
        Ok(LayerSums { digest: packed.finish(), size, diff_id: DiffId::new(plain.finish()) })
    }

    /// For each fragment what names it and all before it.
    fn prefixes(&self) -> impl Iterator<Item = Digest> + '_ {
        let mut before = Digest::of(self.codec.as_str().as_bytes());
        self.fragments.iter().map(move |fragment| {
            before = Digest::of(format!("{before} {}", fragment.id()).as_bytes());
            before.clone()
        })
    }
}

/// Fewer bytes of tar are hashed before threads have started.
const WORTH_THREADS: u64 = 4 << 20;
/// Parts that one thread may be ahead of the next.
const AHEAD: usize = 2;

/// A fragment, and what names it and all before it.
type Named<'a> = (&'a Fragment, &'a Digest);

/// Adds fragments to the hashes of a layer, all on this thread.
fn feed(fragments: &[Named<'_>], mut hash: LayerHash, keep: &mut dyn FnMut(Checkpoint)) -> io::Result<LayerHash> {
    let mut plain = Vec::new();
    for (fragment, prefix) in fragments {
        let mut decoder = PartDecoder::new(fragment.codec())?;
        read_parts(fragment, Vec::new, |part, packed| {
            hash.packed.update(&packed);
            decoder.decode(&part, &packed, &mut plain)?;
            hash.plain.update(&plain);
            Ok(packed)
        })?;
        keep(Checkpoint { prefix: (*prefix).clone(), hash: hash.clone() });
    }
    Ok(hash)
}

/// What goes from one thread of the pipeline to the next.
enum Step<'a> {
    Part(Part, Vec<u8>),
    /// All parts of a fragment have gone by; with the hash of what is stored up to there.
    End(&'a Digest, RunningSha256),
}

/// Adds fragments to the hashes of a layer: this thread reads and hashes what is stored, one decodes, one hashes the tar.
fn feed_pipelined(fragments: &[Named<'_>], hash: LayerHash, keep: &mut dyn FnMut(Checkpoint)) -> io::Result<LayerHash> {
    let Some((first, _)) = fragments.first() else { return Ok(hash) };
    let LayerHash { plain: mut tar, packed: mut stored } = hash;
    let (codec, spare) = (first.codec(), Mutex::new(Vec::new()));
    let buffer = || spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
    let recycle = |buffer: Vec<u8>| spare.lock().map(|mut spare| spare.push(buffer)).unwrap_or_default();
    let (to_decode, packed) = sync_channel::<Step<'_>>(AHEAD);
    let (to_hash, plain) = sync_channel::<Step<'_>>(AHEAD);
    std::thread::scope(|scope| {
        let decoding = scope.spawn(move || {
            let mut decoder = PartDecoder::new(codec)?;
            for step in packed {
                let step = match step {
                    Step::Part(part, bytes) => {
                        let mut tar = buffer();
                        decoder.decode(&part, &bytes, &mut tar)?;
                        recycle(bytes);
                        Step::Part(part, tar)
                    }
                    end @ Step::End(..) => end,
                };
                // The one who hashes ends early only in a panic, which the scope passes on.
                if to_hash.send(step).is_err() {
                    break;
                }
            }
            Ok::<_, io::Error>(())
        });
        let hashing = scope.spawn(move || {
            let mut checkpoints = Vec::new();
            for step in plain {
                match step {
                    Step::Part(_, bytes) => {
                        tar.update(&bytes);
                        recycle(bytes);
                    }
                    Step::End(prefix, stored) => {
                        let hash = LayerHash { plain: tar.clone(), packed: stored };
                        checkpoints.push(Checkpoint { prefix: prefix.clone(), hash });
                    }
                }
            }
            (tar, checkpoints)
        });
        let mut read = Ok(());
        for (fragment, prefix) in fragments {
            read = read_parts(fragment, buffer, |part, bytes| {
                stored.update(&bytes);
                // Nobody takes it where decoding has failed, which is told below.
                to_decode.send(Step::Part(part, bytes)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
                Ok(buffer())
            });
            if read.is_err() || to_decode.send(Step::End(prefix, stored.clone())).is_err() {
                break;
            }
        }
        drop(to_decode);
        let ended = |_| io::Error::other("a thread that hashes a layer has ended");
        decoding.join().map_err(ended)??;
        read?;
        let (tar, checkpoints) = hashing.join().map_err(ended)?;
        checkpoints.into_iter().for_each(keep);
        Ok(LayerHash { plain: tar, packed: stored })
    })
}

/// Reads the parts of a fragment one by one. The reader is asked for its end too: only then has one that compares its bytes
/// done so.
fn read_parts(
    fragment: &Fragment,
    buffer: impl Fn() -> Vec<u8>,
    mut each: impl FnMut(Part, Vec<u8>) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let mut reader = fragment.packed().open()?;
    let mut bytes = buffer();
    for part in fragment.parts() {
        bytes.clear();
        let read = reader.by_ref().take(part.packed).read_to_end(&mut bytes)?;
        if read as u64 != part.packed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a fragment is shorter than its parts"));
        }
        bytes = each(*part, bytes)?;
    }
    if reader.read(&mut [0])? != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a fragment is longer than its parts"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::sync::atomic::{AtomicBool, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::compression::decompress;
    use crate::entry::{EntryKind, Metadata};
    use crate::fragment_writer::FragmentWriter;
    use crate::path::ImagePath;
    use crate::press::Press;
    use crate::tar::{Dialect, Limits, TarReader};
    use crate::tree::Origin;

    fn path(name: &str) -> ImagePath {
        ImagePath::from_archive(name.as_bytes()).unwrap()
    }

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { path: path(name), kind, meta: Metadata::root(0o755, 5) }
    }

    fn fragment(compression: Compression, files: &[(&str, usize)]) -> Fragment {
        fragment_with(compression, files, None)
    }

    fn fragment_with(compression: Compression, files: &[(&str, usize)], press: Option<&Press>) -> Fragment {
        let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
        if let Some(press) = press {
            writer = writer.with_press(press);
        }
        for (name, size) in files {
            let content: Vec<u8> = name.bytes().cycle().take(*size).collect();
            writer.add(entry(name, EntryKind::File { size: *size as u64 }), &mut &content[..]).unwrap();
        }
        let (packed, index) = writer.finish().unwrap();
        index.with_content(Arc::new(packed))
    }

    fn layer(directories: &[Entry], fragments: &[&Fragment], compression: Compression) -> Layer {
        let composition = Composition::new(fragments.to_vec(), directories, compression).unwrap();
        let sums = composition.hash(&[], NonZeroUsize::MIN, &mut |_| {}).unwrap();
        composition.layer(sums)
    }

    fn names_in(layer: &Layer) -> Vec<String> {
        let tar = decompress(layer.codec(), BufReader::new(layer.content().open().unwrap())).unwrap();
        let mut reader = TarReader::new(tar, Dialect::Own, Limits::default());
        std::iter::from_fn(|| reader.next_entry().unwrap()).map(|e| e.path.to_string()).collect()
    }

    const ALL: [Compression; 3] = [Compression::NONE, Compression::GZIP, Compression::ZSTD];

    #[test]
    fn links_follow_their_files_and_directories_come_last() {
        for compression in ALL {
            let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
            writer.add(entry("z", EntryKind::File { size: 1 }), &mut &b"z"[..]).unwrap();
            writer.add(entry("b", EntryKind::Hardlink { target: path("z") }), &mut io::empty()).unwrap();
            writer.add(entry("c", EntryKind::Symlink { target: b"z".to_vec() }), &mut io::empty()).unwrap();
            writer.add(entry("a", EntryKind::File { size: 1 }), &mut &b"a"[..]).unwrap();
            let (packed, index) = writer.finish().unwrap();
            let fragment = index.with_content(Arc::new(packed));
            assert_eq!(
                fragment.tree().get(&path("b")).unwrap().content,
                fragment.tree().get(&path("z")).unwrap().content
            );
            let layer = layer(&[entry("usr", EntryKind::Directory)], &[&fragment], compression);
            assert_eq!(names_in(&layer), ["/a", "/z", "/c", "/b", "/usr"]);
        }
    }

    #[test]
    fn a_file_larger_than_a_part_takes_several_and_reads_back() {
        for compression in ALL {
            let size = compression.part_size() * 2 + 700;
            let large = fragment(compression, &[("small", 10), ("large", size), ("after", 3)]);
            assert_eq!(large.parts().len(), 5);
            assert!(
                large.parts().iter().all(|part| part.plain % 512 == 0 && part.plain <= compression.part_size() as u64)
            );
            let wanted = [path("large"), path("after"), path("none")].into();
            let read = large.read_files(&wanted, size as u64).unwrap();
            assert_eq!(read.len(), 2);
            assert_eq!(read.get(&path("after")).unwrap(), b"aft");
            assert_eq!(read.get(&path("large")).unwrap().len(), size);
            let error = large.read_files(&wanted, size as u64 - 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
    }

    #[test]
    fn links_and_directories_can_be_taken_out_and_files_cannot() {
        for compression in ALL {
            let mut writer = FragmentWriter::new(Vec::new(), compression, Origin::new("p"), None).unwrap();
            writer.add(entry("d", EntryKind::Directory), &mut io::empty()).unwrap();
            writer.add(entry("f", EntryKind::File { size: 1 }), &mut &b"f"[..]).unwrap();
            writer.add(entry("s", EntryKind::Symlink { target: b"f".to_vec() }), &mut io::empty()).unwrap();
            writer.add(entry("t", EntryKind::Symlink { target: b"f".to_vec() }), &mut io::empty()).unwrap();
            let (packed, index) = writer.finish().unwrap();
            let whole = index.with_content(Arc::new(packed));
            let less = whole.without(&[path("d"), path("s")].into(), compression).unwrap();
            assert_eq!(names_in(&layer(&[], &[&less], compression)), ["/f", "/t"]);
            assert!(!less.tree().contains(&path("d")));
            let error = whole.without(&[path("f")].into(), compression).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn a_hard_link_to_nothing_is_refused() {
        let mut writer = FragmentWriter::new(Vec::new(), Compression::ZSTD, Origin::new("p"), None).unwrap();
        let link = entry("b", EntryKind::Hardlink { target: path("z") });
        assert_eq!(writer.add(link, &mut io::empty()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn nothing_depends_on_who_compresses() {
        let large = Compression::ZSTD.part_size() * 3 + 1000;
        let files = [("a", 10), ("b", large), ("c", 300_000), ("d", large), ("e", 7)];
        for compression in ALL {
            let alone = fragment(compression, &files);
            for helpers in [0, 1, 4] {
                let (press, done) = (Press::new(compression, 3), AtomicBool::new(false));
                let pressed = std::thread::scope(|scope| {
                    for _ in 0..helpers {
                        scope.spawn(|| {
                            while !done.load(Ordering::Relaxed) {
                                if !press.help() {
                                    press.wait_while(&|| !done.load(Ordering::Relaxed));
                                }
                            }
                        });
                    }
                    let pressed = fragment_with(compression, &files, Some(&press));
                    done.store(true, Ordering::Relaxed);
                    press.wake();
                    pressed
                });
                assert_eq!((pressed.id(), pressed.parts()), (alone.id(), alone.parts()), "{helpers} helpers");
                assert_eq!(pressed.to_bytes(), alone.to_bytes());
            }
        }
    }

    #[test]
    fn hashes_are_the_same_from_any_checkpoint_and_with_any_number_of_threads() {
        let size = usize::try_from(WORTH_THREADS).unwrap();
        for compression in ALL {
            let made = [("a", size), ("b", 3), ("c", 2 * size)].map(|file| fragment(compression, &[file]));
            let fragments: Vec<&Fragment> = made.iter().collect();
            let composition = Composition::new(fragments.clone(), &[], compression).unwrap();
            let hash = |known: &[Checkpoint], threads: usize| {
                let mut kept = Vec::new();
                let threads = NonZeroUsize::new(threads).unwrap();
                let sums = composition.hash(known, threads, &mut |checkpoint| kept.push(checkpoint)).unwrap();
                (sums, kept)
            };
            let (sums, kept) = hash(&[], 1);
            assert_eq!(kept.len(), 2, "what the first fragment knows of itself is not kept again");
            let mut packed = Vec::new();
            composition.layer(sums.clone()).content().open().unwrap().read_to_end(&mut packed).unwrap();
            assert_eq!(sums.digest, Digest::of(&packed));
            assert_eq!(hash(&[], 3).0, sums);
            assert_eq!(LayerSums::from_bytes(&sums.to_bytes()), Some(sums.clone()));
            let bytes = Checkpoint::list_to_bytes(&kept);
            let (again, read) = hash(&Checkpoint::list_from_bytes(&bytes).unwrap(), 1);
            assert_eq!((again, read.len()), (sums.clone(), 0));
            assert_eq!(hash(&kept[..1], 2).1.len(), 1);
            let other = Composition::new(fragments[..2].to_vec(), &[], compression).unwrap();
            assert_ne!(other.id(), composition.id());
        }
    }

    #[test]
    fn a_fragment_of_other_bytes_is_an_error() {
        for compression in [Compression::GZIP, Compression::ZSTD] {
            let good = fragment(compression, &[("a", 3000)]);
            let mut packed = Vec::new();
            good.packed().open().unwrap().read_to_end(&mut packed).unwrap();
            let short = packed[..packed.len() - 1].to_vec();
            let long = [&packed[..], b"x"].concat();
            let mut changed = packed.clone();
            changed[packed.len() / 2] ^= 1;
            // Frames have no checksum of their own: contents that may change compare their bytes.
            let changed = (compression == Compression::GZIP).then_some(changed);
            for bytes in [short, long].into_iter().chain(changed) {
                let bad = Fragment::from_bytes(&good.to_bytes().unwrap(), |_, _| Some(Arc::new(bytes))).unwrap();
                let composition = Composition::new(vec![&good, &bad], &[], compression).unwrap();
                for threads in [1, 2] {
                    let threads = NonZeroUsize::new(threads).unwrap();
                    let error = composition.hash(&[], threads, &mut |_| {}).unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn digests_are_those_of_the_bytes(sizes in proptest::collection::vec(0..3000_usize, 0..6), codec in 0..3_usize) {
            let compression = ALL[codec];
            let names: Vec<_> = (0..sizes.len()).map(|i| format!("f{i}")).collect();
            let files: Vec<_> = names.iter().map(String::as_str).zip(sizes).collect();
            let (left, right) = files.split_at(files.len() / 2);
            let (left, right) = (fragment(compression, left), fragment(compression, right));
            let layer = layer(&[], &[&left, &right], compression);
            let mut packed = Vec::new();
            layer.content().open().unwrap().read_to_end(&mut packed).unwrap();
            prop_assert_eq!(layer.digest(), &Digest::of(&packed));
            prop_assert_eq!(layer.size(), packed.len() as u64);
            let mut plain = Vec::new();
            decompress(compression.codec(), &packed[..]).unwrap().read_to_end(&mut plain).unwrap();
            prop_assert_eq!(layer.diff_id().as_digest(), &Digest::of(&plain));
            prop_assert_eq!(names_in(&layer).len(), files.len());
        }
    }
}
