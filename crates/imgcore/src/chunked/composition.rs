//! Ordinary fragments to a layer of which single files can be fetched.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;

use super::{Chunking, Run, RunWriter, close};
use crate::compose::LayerSums;
use crate::compression::{Codec, decompress};
use crate::content::{Content, InRow};
use crate::digest::{DiffId, Digest, DigestWriter, Hasher, VerifyingReader};
use crate::entry::Entry;
use crate::fragment::Fragment;
use crate::layer::Layer;
use crate::running::RunningSha256;
use crate::tar::{Dialect, Limits, TarReader};

impl Run {
    /// Compresses a fragment anew, file by file. Other threads may do so with other fragments of the same layer.
    ///
    /// What is read is compared with the fragment's tree, since a run states digests of its own: what a disk has changed
    /// would be right by them.
    ///
    /// # Errors
    /// Errors of reading the fragment and of the sink; [`io::ErrorKind::InvalidData`] where its bytes are not those of its tree.
    pub fn of_fragment<W: Write>(fragment: &Fragment, chunking: Chunking, sink: W) -> io::Result<(W, Self)> {
        let changed = || io::Error::new(io::ErrorKind::InvalidData, "a fragment does not hold what its tree says");
        let mut writer = RunWriter::new(sink, chunking)?;
        let mut entries = 0;
        fragment.read_tar(|tar| {
            let mut reader = TarReader::new(&mut *tar, Dialect::Foreign, Limits::default());
            while let Some(entry) = reader.next_entry()? {
                let node = fragment.tree().get(&entry.path).filter(|node| node.entry == entry).ok_or_else(changed)?;
                if writer.append(entry, &mut reader)?.is_some_and(|content| node.content != Some(content)) {
                    return Err(changed());
                }
                entries += 1;
            }
            // Contents that compare their bytes have done so only when they were read to the end.
            io::copy(tar, &mut io::sink())
        })?;
        let stated = fragment.tree().iter().filter(|node| !node.entry.kind.is_dir()).count();
        if entries == stated { writer.finish() } else { Err(changed()) }
    }
}

/// Runs and directories on their way to a layer. Nothing of a run is compressed again.
#[derive(Debug)]
pub struct Composition {
    id: Digest,
    codec: Codec,
    runs: Vec<Stated>,
    end: Arc<dyn Content>,
    annotations: BTreeMap<String, String>,
}

impl Composition {
    /// Lays runs in a row, whose bytes come with them, and encodes the directories and the table of contents.
    ///
    /// # Errors
    /// Those of [`close`].
    pub fn new(runs: Vec<(Run, Arc<dyn Content>)>, directories: &[Entry], chunking: Chunking) -> io::Result<Self> {
        let mut last = RunWriter::new(Vec::new(), chunking)?;
        for directory in directories {
            last.append(directory.clone(), &mut io::empty())?;
        }
        let (mut end, last) = last.finish()?;
        let closing = close(chunking, &runs.iter().map(|(run, _)| run).chain([&last]).collect::<Vec<_>>())?;
        end.extend(closing.packed);
        let mut id = Hasher::sha256();
        for (run, _) in &runs {
            id.update(run.digest.to_string().as_bytes());
        }
        id.update(&end);
        let stated = |(run, packed): (Run, _)| Stated { digest: run.digest, size: run.packed, packed };
        let (codec, annotations) = (chunking.form().codec(), closing.annotations);
        Ok(Self {
            id: id.finish(),
            codec,
            runs: runs.into_iter().map(stated).collect(),
            end: Arc::new(end),
            annotations,
        })
    }

    /// Names the layer's bytes before they were hashed: compositions with the same id give the same layer.
    #[must_use]
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// Hashes the layer, and compares each run with its digest.
    ///
    /// # Errors
    /// Errors of reading the runs; [`io::ErrorKind::InvalidData`] where one has changed.
    pub fn hash(&self) -> io::Result<LayerSums> {
        let mut row: Vec<Arc<dyn Content>> = Vec::new();
        row.extend(self.runs.iter().map(|run| Arc::new(run.clone()) as Arc<dyn Content>));
        row.push(Arc::clone(&self.end));
        let row = InRow(row);
        let mut packed = Hashed { inner: row.open()?, hasher: RunningSha256::new() };
        let mut plain = DigestWriter::new(io::sink());
        io::copy(&mut decompress(self.codec, BufReader::with_capacity(CHUNK, &mut packed))?, &mut plain)?;
        // What a decoder leaves behind its last frame still belongs to the layer.
        io::copy(&mut packed, &mut io::sink())?;
        let (_, diff_id, _) = plain.finish();
        let Hashed { hasher, .. } = packed;
        Ok(LayerSums { size: hasher.length(), digest: hasher.finish(), diff_id: DiffId::new(diff_id) })
    }

    /// The layer, whose sums are known from now or from an earlier composition of the same id.
    #[must_use]
    pub fn layer(self, sums: LayerSums) -> Layer {
        let row = self.runs.into_iter().map(|run| run.packed).chain([self.end]);
        let content = Arc::new(InRow(row.collect()));
        Layer::stated(sums.digest, sums.size, sums.diff_id, self.codec, content).with_annotations(self.annotations)
    }
}

/// The bytes of a run, compared with their digest while they are read.
#[derive(Debug, Clone)]
struct Stated {
    digest: Digest,
    size: u64,
    packed: Arc<dyn Content>,
}

impl Content for Stated {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(VerifyingReader::new(self.packed.open()?, self.digest.clone(), self.size)))
    }
}

/// Hashes what is read through it.
struct Hashed<R> {
    inner: R,
    hasher: RunningSha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Bytes read at a time.
const CHUNK: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunked::Form;
    use crate::compose;
    use crate::compression::Compression;
    use crate::entry::{EntryKind, Metadata};
    use crate::fragment_writer::FragmentWriter;
    use crate::path::ImagePath;
    use crate::tree::{FileTree, Origin};

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { path: ImagePath::from_archive(name.as_bytes()).unwrap(), kind, meta: Metadata::root(0o755, 5) }
    }

    fn fragment(files: &[(&str, usize)]) -> Fragment {
        let mut writer = FragmentWriter::new(Vec::new(), Compression::ZSTD, Origin::new("p"), None).unwrap();
        for (name, size) in files {
            let content: Vec<u8> = name.bytes().cycle().take(*size).collect();
            writer.add(entry(name, EntryKind::File { size: *size as u64 }), &mut &content[..]).unwrap();
        }
        let (packed, index) = writer.finish().unwrap();
        index.with_content(Arc::new(packed))
    }

    fn read(layer: &Layer) -> (Vec<u8>, Vec<u8>) {
        let (mut packed, mut plain) = (Vec::new(), Vec::new());
        layer.content().open().unwrap().read_to_end(&mut packed).unwrap();
        decompress(layer.codec(), &packed[..]).unwrap().read_to_end(&mut plain).unwrap();
        (packed, plain)
    }

    #[test]
    fn a_layer_has_the_files_of_its_fragments() {
        let fragments = [fragment(&[("b", 3), ("a", 5_000_000)]), fragment(&[]), fragment(&[("c", 0), ("d", 600)])];
        let directories = [entry("usr", EntryKind::Directory)];
        let plain = compose::Composition::new(fragments.iter().collect(), &directories, Compression::ZSTD).unwrap();
        let plain = plain.layer(plain.hash(&[], std::num::NonZeroUsize::MIN, &mut |_| {}).unwrap());
        let (_, tar) = read(&plain);
        for form in [Form::ZstdChunked, Form::Estargz] {
            let run = |fragment| {
                let (packed, run) = Run::of_fragment(fragment, form.into(), Vec::new()).unwrap();
                (run, Arc::new(packed) as Arc<dyn Content>)
            };
            let composition = Composition::new(fragments.iter().map(run).collect(), &directories, form.into()).unwrap();
            let sums = composition.hash().unwrap();
            let layer = composition.layer(sums);
            let (packed, read) = read(&layer);
            assert_eq!((layer.digest(), layer.size()), (&Digest::of(&packed), packed.len() as u64));
            assert_eq!(layer.diff_id().as_digest(), &Digest::of(&read));
            if form == Form::ZstdChunked {
                assert_eq!(layer.diff_id(), plain.diff_id());
            }
            assert_eq!(read[..tar.len() - 1024], tar[..tar.len() - 1024]);
            assert!(!layer.annotations().is_empty());
        }
    }

    /// A frame or member of other bytes than were written may well be a sound one.
    #[test]
    fn a_run_of_other_bytes_is_an_error() {
        for form in [Form::ZstdChunked, Form::Estargz] {
            let run = |content: usize| Run::of_fragment(&fragment(&[("a", content)]), form.into(), Vec::new()).unwrap();
            let ((_, stated), (other, _)) = (run(70_000), run(70_001));
            let composition = Composition::new(vec![(stated, Arc::new(other))], &[], form.into()).unwrap();
            assert_eq!(composition.hash().unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    /// Other bytes are another format, which the changelog has to name.
    #[test]
    fn the_bytes_are_those_of_this_format() {
        let fragment = fragment(&[("b", 3), ("a", 5_000_000), ("c", 0)]);
        for (form, expected) in [
            (Form::ZstdChunked, "sha256:b7ed7982fc2bf0f5c6372e5f233fdc75016f95abc04a7b2f72d6f26422c2bfe4"),
            (Form::Estargz, "sha256:80e54873c848e78d786c72918b3cc81f5904a21215e6bb4014d310eb040ace69"),
        ] {
            let (packed, run) = Run::of_fragment(&fragment, form.into(), Vec::new()).unwrap();
            let runs = vec![(run, Arc::new(packed) as Arc<dyn Content>)];
            let composition = Composition::new(runs, &[entry("usr", EntryKind::Directory)], form.into()).unwrap();
            assert_eq!(composition.hash().unwrap().digest.to_string(), expected, "{}", form.as_str());
        }
    }

    #[test]
    fn a_fragment_that_is_damaged_is_an_error() {
        let good = fragment(&[("a", 70_000)]);
        let mut bytes = Vec::new();
        good.packed().open().unwrap().read_to_end(&mut bytes).unwrap();
        bytes.truncate(bytes.len() / 2);
        let short = Fragment { packed: Arc::new(bytes), ..good.clone() };
        assert!(Run::of_fragment(&short, Form::ZstdChunked.into(), Vec::new()).is_err());
        let other = fragment(&[("b", 70_000)]);
        for tree in [other.tree().clone(), FileTree::new(), fragment(&[("a", 70_000), ("b", 1)]).tree().clone()] {
            let bad = Fragment { tree, ..good.clone() };
            let error = Run::of_fragment(&bad, Form::ZstdChunked.into(), Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
