//! The indices of a repository, each by the size and sums that were signed.

use std::io;
use std::sync::Arc;

use distil_debunpack::Architecture;
use distil_debunpack::decompress::{Codec, Decoder, OutputLimits};
use distil_imgcore::Digest;
use distil_imgcore::digest::ContentMismatch;
use distil_net::{Limit, shown};
use url::Url;

use super::error::Failed;
use super::release::address;
use super::{AcquireError, Acquirer, IndexFile, MirrorError, RepositoryIndex, sums};
use crate::index::{Index, IndexError};
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
#[derive(Clone)]
struct Form<'a> {
    path: String,
    codec: Codec,
    file: &'a ReleaseFile,
    /// One of its digests that are stated.
    stated: Digest,
}

/// An index that is wanted.
struct Wanted<'a> {
    component: &'a str,
    architecture: Architecture,
    /// What stands for it, whichever form is fetched.
    first: Form<'a>,
    /// All forms that are listed, best first.
    forms: Vec<Form<'a>>,
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
        let wanted = wanted(source, release, architectures)?;
        wanted.iter().map(|wanted| self.index(source, base, release, wanted)).collect()
    }

    /// Fetches the file of an index again.
    pub(super) fn refetch(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        index: &RepositoryIndex,
    ) -> Result<IndexFile, Failed> {
        let wanted = wanted(source, release, &[&index.architecture])?;
        let Some(wanted) = wanted.iter().find(|wanted| wanted.first.path == index.path) else {
            return Err(unlisted(source, &index.path).into());
        };
        let (form, url, bytes) = self.fetch_form(source, base, release, wanted)?;
        // Nothing is kept that would not be taken.
        unpack(&bytes, form.codec, wanted.plain(), &url)?;
        Ok(IndexFile { path: form.path.clone(), bytes })
    }

    fn index(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        wanted: &Wanted<'_>,
    ) -> Result<RepositoryIndex, Failed> {
        let key = wanted.first.stated.to_string();
        let stored = self.values.get(STORED, &key)?;
        let (index, sha256) = match stored.and_then(|bytes| restored(&bytes)) {
            Some(restored) => restored,
            None if self.offline => {
                let url = shown(&address(source, base, &wanted.first.path)?);
                return Err(MirrorError::Offline { url }.into());
            }
            None => {
                let (form, url, bytes) = self.fetch_form(source, base, release, wanted)?;
                let index = unpack(&bytes, form.codec, wanted.plain(), &url)?;
                let sha256 = wanted.first.file.sha256.clone().unwrap_or_else(|| Digest::of(&bytes));
                self.values.put(STORED, &key, &[sha256.hex().as_bytes(), &index.to_bytes()].concat())?;
                (index, sha256)
            }
        };
        Ok(RepositoryIndex {
            component: wanted.component.to_owned(),
            architecture: wanted.architecture.clone(),
            index: Arc::new(index),
            path: wanted.first.path.clone(),
            sha256,
            size: wanted.first.file.size,
        })
    }

    /// Fetches an index in the first form that the mirror has. The text is the form's address, for messages.
    fn fetch_form<'w>(
        &self,
        source: &Source,
        base: &Url,
        release: &Release,
        wanted: &'w Wanted<'_>,
    ) -> Result<(&'w Form<'w>, String, Vec<u8>), Failed> {
        let mut missing = None;
        for form in &wanted.forms {
            for path in form.paths(release) {
                let url = address(source, base, &path)?;
                match self.fetch_file(&url, form.file) {
                    Ok(bytes) => return Ok((form, shown(&url), bytes)),
                    // Lists name forms that only the archive's own machines have, the plain one above all.
                    Err(MirrorError::Net(error)) if error.is_missing() => missing = missing.or(Some(error)),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        match missing {
            Some(error) => Err(MirrorError::Net(error).into()),
            // There is a form of everything that is wanted.
            None => Err(unlisted(source, &wanted.first.path).into()),
        }
    }

    fn fetch_file(&self, url: &Url, file: &ReleaseFile) -> Result<Vec<u8>, MirrorError> {
        if file.size > MOST {
            return Err(MirrorError::TooLarge { url: shown(url), size: file.size, limit: MOST });
        }
        let mut bytes = Vec::new();
        self.client.download(url, Limit::exactly(file.size), &mut bytes, self.watch)?;
        match sums::check(&bytes, file) {
            Ok(()) => Ok(bytes),
            Err(source) => Err(MirrorError::Sum { url: shown(url), source }),
        }
    }
}

/// Decodes a file that is as it was signed, up to the size that was signed of its content, which must be as it was
/// signed, too.
fn unpack(bytes: &[u8], codec: Codec, plain: Option<&ReleaseFile>, url: &str) -> Result<Index, MirrorError> {
    let decode = |source: io::Error| match source.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(mismatch) => MirrorError::Unpacked { url: url.to_owned(), source: ContentMismatch::clone(mismatch) },
        None => MirrorError::Decode { url: url.to_owned(), source },
    };
    let decoder = |limits| Decoder::new(bytes, codec, limits).map_err(decode);
    let mut text = match plain.filter(|_| codec != Codec::Stored) {
        Some(plain) if plain.size > MOST => {
            return Err(MirrorError::TooLarge { url: url.to_owned(), size: plain.size, limit: MOST });
        }
        Some(plain) => {
            let limits = OutputLimits { bytes: plain.size, ratio: u64::MAX, free: plain.size };
            sums::checked(decoder(limits)?, plain)
        }
        None => Box::new(decoder(UNSIGNED)?),
    };
    Index::parse(&mut text).map_err(|error| match error {
        IndexError::Read(source) => decode(source),
        source => MirrorError::Index { url: url.to_owned(), source: Box::new(source) },
    })
}

/// An index as it was stored, behind the digits of its digest.
fn restored(bytes: &[u8]) -> Option<(Index, Digest)> {
    let (digits, index) = bytes.split_first_chunk::<64>()?;
    let sha256 = format!("sha256:{}", std::str::from_utf8(digits).ok()?).parse().ok()?;
    Some((Index::from_bytes(index).ok()?, sha256))
}

impl Form<'_> {
    /// Where it may lie: under the name of its sum where that is offered, which fits this Release file for as long as
    /// the mirror has it, and under its own name.
    fn paths(&self, release: &Release) -> impl Iterator<Item = String> {
        let by_hash = self.file.sha256.as_ref().filter(|_| release.by_hash()).map(|digest| {
            let directory = self.path.rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{directory}/by-hash/SHA256/{}", digest.hex())
        });
        by_hash.into_iter().chain([self.path.clone()])
    }
}

impl<'a> Wanted<'a> {
    /// The index in the forms that are listed, if there are any.
    fn listed(component: &'a str, architecture: &Architecture, release: &'a Release, stem: &str) -> Option<Self> {
        let listed = FORMS.iter().filter_map(|(suffix, codec)| {
            let path = format!("{stem}{suffix}");
            let file = release.file(&path)?;
            // A Release file that states none has been refused.
            let stated = sums::stated(file).next()?;
            Some(Form { path, codec: *codec, file, stated })
        });
        let mut forms: Vec<Form<'a>> = listed.collect();
        let first = forms.first()?.clone();
        // A lock states the SHA-256 of the first form. Where it is not signed, that form itself has to be there.
        if first.file.sha256.is_none() {
            forms.truncate(1);
        }
        Some(Self { component, architecture: architecture.clone(), first, forms })
    }

    /// What is signed of the plain form.
    fn plain(&self) -> Option<&'a ReleaseFile> {
        self.forms.iter().find(|form| form.codec == Codec::Stored).map(|form| form.file)
    }
}

fn unlisted(source: &Source, path: &str) -> AcquireError {
    let (source_name, suite) = (source.name.clone(), source.suite.clone());
    AcquireError::Unlisted { source_name, suite, path: path.to_owned() }
}

fn wanted<'a>(
    source: &'a Source,
    release: &'a Release,
    architectures: &[&Architecture],
) -> Result<Vec<Wanted<'a>>, AcquireError> {
    if source.is_flat() {
        // One index for whatever is asked for; packages say themselves what they are for.
        let (Some(_), Ok(all)) = (architectures.first(), "all".parse()) else { return Ok(Vec::new()) };
        let listed = |stem| Wanted::listed("", &all, release, stem);
        let found = listed("Packages").or_else(|| listed("./Packages"));
        return found.map(|wanted| vec![wanted]).ok_or_else(|| unlisted(source, "Packages"));
    }
    let known = release.architectures();
    if let Some(architecture) = architectures.iter().find(|one| !known.is_empty() && !known.contains(one)) {
        let (source_name, suite) = (source.name.clone(), source.suite.clone());
        let (architecture, known) = ((*architecture).clone(), known.to_vec());
        return Err(AcquireError::Architecture { source_name, suite, architecture, known });
    }
    let all = known.iter().find(|one| one.is_all() && release.lists_all_apart() && !architectures.is_empty());
    let mut wanted = Vec::new();
    for component in &source.components {
        if !has_component(release, component) {
            let (source_name, suite) = (source.name.clone(), source.suite.clone());
            let (component, known) = (component.clone(), release.components().to_vec());
            return Err(AcquireError::Component { source_name, suite, component, known });
        }
        for architecture in architectures.iter().copied().chain(all) {
            let path = format!("{component}/binary-{architecture}/Packages");
            match Wanted::listed(component, architecture, release, &path) {
                Some(index) => wanted.push(index),
                // The signed list says that there is none, so that nothing is left out.
                None if architecture.is_all() => {}
                None => return Err(unlisted(source, &path)),
            }
        }
    }
    Ok(wanted)
}

/// Debian's security archive writes `updates/` before its components, and nobody else does in paths or sources. A
/// Release file without the field has whatever it lists.
fn has_component(release: &Release, component: &str) -> bool {
    let known = release.components();
    known.is_empty() || known.iter().any(|one| one == component || one.strip_prefix("updates/") == Some(component))
}
