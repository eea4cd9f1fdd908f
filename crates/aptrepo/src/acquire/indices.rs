//! The indices of a repository, each by the size and sums that were signed.

use std::io::Read;
use std::sync::Arc;

use distil_debunpack::Architecture;
use distil_debunpack::decompress::{Codec, Decoder, OutputLimits};
use distil_imgcore::Digest;
use distil_net::{Limit, shown};
use url::Url;

use super::error::Failed;
use super::release::folder;
use super::sums::{self, Mismatch};
use super::{AcquireError, Acquirer, MirrorError, RepositoryIndex};
use crate::index::Index;
use crate::mirror;
use crate::release::{Release, ReleaseFile};
use crate::source::Source;

/// The forms of an index, the smallest one that is fast enough first.
const FORMS: [(&str, Codec); 5] =
    [(".xz", Codec::Xz), (".zst", Codec::Zstd), (".gz", Codec::Gzip), (".bz2", Codec::Bzip2), ("", Codec::Stored)];

/// Bytes of an index in any form.
const MOST: u64 = 512 << 20;
/// Where the size of the plain file is not signed, this bounds what a small file can become.
const UNSIGNED: OutputLimits = OutputLimits { bytes: MOST, ratio: 200, free: 16 << 20 };

/// Stored indices of other versions of this crate are none of ours.
const STORED: &str = concat!("index-", env!("CARGO_PKG_VERSION"));

/// One form of an index, as the Release file lists it.
struct Form<'a> {
    path: String,
    codec: Codec,
    file: &'a ReleaseFile,
}

/// An index that is wanted.
struct Wanted<'a> {
    component: &'a str,
    architecture: Architecture,
    /// The forms that are listed, best first, the plain one last. At least one.
    forms: Vec<Form<'a>>,
    /// The one that stands for all of them.
    first: FormRef,
}

/// What identifies an index whatever the form it is fetched in.
struct FormRef {
    path: String,
    digest: Digest,
    size: u64,
}

impl Acquirer<'_> {
    /// All indices that a source asks for, for the architectures and for `all` where those lie apart.
    pub(super) fn indices(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        architectures: &[&Architecture],
    ) -> Result<Vec<RepositoryIndex>, Failed> {
        let folder = folder(source, base)?;
        let wanted = wanted(source, release, architectures)?;
        wanted.iter().map(|wanted| self.index(&folder, release, wanted)).collect()
    }

    fn index(&self, folder: &Url, release: &Release, wanted: &Wanted<'_>) -> Result<RepositoryIndex, Failed> {
        let key = wanted.first.digest.to_string();
        let stored = self.values.get(STORED, &key)?;
        let index = match stored.and_then(|bytes| Index::from_bytes(&bytes).ok()) {
            Some(index) => index,
            None if self.offline => {
                let url = mirror::file(folder, &wanted.first.path).unwrap_or_else(|| folder.clone());
                return Err(MirrorError::Offline { url: shown(&url) }.into());
            }
            None => {
                let index = self.fetch_index(folder, release, wanted)?;
                self.values.put(STORED, &key, &index.to_bytes())?;
                index
            }
        };
        Ok(RepositoryIndex {
            component: wanted.component.to_owned(),
            architecture: wanted.architecture.clone(),
            index: Arc::new(index),
            path: wanted.first.path.clone(),
            digest: wanted.first.digest.clone(),
            size: wanted.first.size,
        })
    }

    /// Fetches an index in the first form that the mirror has.
    fn fetch_index(&self, folder: &Url, release: &Release, wanted: &Wanted<'_>) -> Result<Index, MirrorError> {
        let plain = wanted.forms.iter().find(|form| form.codec == Codec::Stored).map(|form| form.file);
        let mut missing = None;
        for form in &wanted.forms {
            for url in addresses(folder, release, form) {
                match self.fetch_form(&url, form.file) {
                    Ok(bytes) => return unpack(&bytes, form.codec, plain, &shown(&url)),
                    // Lists name forms that only the archive's own machines have, the plain one above all.
                    Err(MirrorError::Net(error)) if error.is_missing() => missing = missing.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
        }
        // Whoever asks for an index has found a form of it.
        Err(missing.map_or_else(|| MirrorError::Offline { url: shown(folder) }, MirrorError::Net))
    }

    fn fetch_form(&self, url: &Url, file: &ReleaseFile) -> Result<Vec<u8>, MirrorError> {
        if file.size > MOST {
            return Err(MirrorError::TooLarge { url: shown(url), size: file.size, limit: MOST });
        }
        let mut bytes = Vec::new();
        self.client.download(url, Limit::exactly(file.size), &mut bytes, self.watch)?;
        match sums::check(&bytes, file) {
            Ok(()) => Ok(bytes),
            Err(Mismatch::Digest { expected, found }) => Err(MirrorError::Sum { url: shown(url), expected, found }),
            Err(mismatch) => Err(unpacked(shown(url), &mismatch)),
        }
    }
}

/// Decodes a file that is as it was signed, up to the size that was signed of its content, which must be as it was
/// signed, too.
fn unpack(bytes: &[u8], codec: Codec, plain: Option<&ReleaseFile>, url: &str) -> Result<Index, MirrorError> {
    let decode = |source| MirrorError::Decode { url: url.to_owned(), source };
    let parse = |text: &[u8]| {
        Index::parse(text).map_err(|source| MirrorError::Index { url: url.to_owned(), source: Box::new(source) })
    };
    if codec == Codec::Stored {
        return parse(bytes);
    }
    if let Some(size) = plain.map(|file| file.size).filter(|size| *size > MOST) {
        return Err(MirrorError::TooLarge { url: url.to_owned(), size, limit: MOST });
    }
    let signed = |file: &ReleaseFile| OutputLimits { bytes: file.size, ratio: u64::MAX, free: file.size };
    let mut text = Vec::new();
    let mut decoder = Decoder::new(bytes, codec, plain.map_or(UNSIGNED, signed)).map_err(decode)?;
    decoder.read_to_end(&mut text).map_err(decode)?;
    if let Some(file) = plain {
        sums::check(&text, file).map_err(|mismatch| unpacked(url.to_owned(), &mismatch))?;
    }
    parse(&text)
}

fn unpacked(url: String, mismatch: &Mismatch) -> MirrorError {
    let (expected, found) = match mismatch {
        Mismatch::Size { expected, found } => (format!("{expected} bytes"), found.to_string()),
        Mismatch::Digest { expected, found } => (expected.to_string(), found.to_string()),
    };
    MirrorError::Unpacked { url, expected, found }
}

/// Where a form may lie: under the name of its sum where that is offered, which fits this Release file for as long as
/// the mirror has it, and under its own name.
fn addresses(folder: &Url, release: &Release, form: &Form<'_>) -> impl Iterator<Item = Url> {
    let by_hash = form.file.sha256.as_ref().filter(|_| release.by_hash()).and_then(|digest| {
        let directory = form.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        mirror::file(folder, &format!("{directory}/by-hash/SHA256/{}", digest.hex()))
    });
    by_hash.into_iter().chain(mirror::file(folder, &form.path))
}

fn wanted<'a>(
    source: &'a Source,
    release: &'a Release,
    architectures: &[&Architecture],
) -> Result<Vec<Wanted<'a>>, AcquireError> {
    let (source_name, suite) = (|| source.name.clone(), || source.suite.clone());
    let unlisted = |path: String| AcquireError::Unlisted { source_name: source_name(), suite: suite(), path };
    if source.is_flat() {
        let forms = forms(release, "Packages").or_else(|| forms(release, "./Packages"));
        let (forms, first) = forms.ok_or_else(|| unlisted("Packages".to_owned()))?;
        // One index for whatever is asked for; packages say themselves what they are for.
        let Some(architecture) = architectures.first() else { return Ok(Vec::new()) };
        return Ok(vec![Wanted { component: "", architecture: (*architecture).clone(), forms, first }]);
    }
    let known = release.architectures();
    if let Some(architecture) = architectures.iter().find(|one| !known.is_empty() && !known.contains(one)) {
        let (architecture, known) = ((*architecture).clone(), known.to_vec());
        return Err(AcquireError::Architecture { source_name: source_name(), suite: suite(), architecture, known });
    }
    let all = known.iter().find(|one| one.is_all() && release.lists_all_apart() && !architectures.is_empty());
    let mut wanted = Vec::new();
    for component in &source.components {
        if !has_component(release, component) {
            let (component, known) = (component.clone(), release.components().to_vec());
            return Err(AcquireError::Component { source_name: source_name(), suite: suite(), component, known });
        }
        for architecture in architectures.iter().copied().chain(all) {
            let path = format!("{component}/binary-{architecture}/Packages");
            match forms(release, &path) {
                Some((forms, first)) => {
                    wanted.push(Wanted { component, architecture: architecture.clone(), forms, first });
                }
                // The signed list says that there is none, so that nothing is left out.
                None if architecture.is_all() => {}
                None => return Err(unlisted(path)),
            }
        }
    }
    Ok(wanted)
}

/// The forms in which an index is listed, if there are any.
fn forms<'a>(release: &'a Release, stem: &str) -> Option<(Vec<Form<'a>>, FormRef)> {
    let listed = FORMS.iter().filter_map(|(suffix, codec)| {
        let path = format!("{stem}{suffix}");
        Some(Form { file: release.file(&path)?, path, codec: *codec })
    });
    let forms: Vec<Form<'a>> = listed.collect();
    let first = forms.iter().find(|form| form.codec == Codec::Stored).or(forms.first())?;
    let digest = sums::stated(first.file).next()?;
    let first = FormRef { path: first.path.clone(), digest, size: first.file.size };
    Some((forms, first))
}

/// Debian's security archive writes `updates/` before its components, and nobody else does in paths or sources. A
/// Release file without the field has whatever it lists.
fn has_component(release: &Release, component: &str) -> bool {
    let known = release.components();
    known.is_empty() || known.iter().any(|one| one == component || one.strip_prefix("updates/") == Some(component))
}
