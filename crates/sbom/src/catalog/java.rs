//! Java archives: what their manifests and Maven's properties say, of the archive and of those packed into it.

mod archive;
mod manifest;

use distil_imgcore::ImagePath;

use self::archive::{Archive, Budget};
use self::manifest::Manifest;
use super::found::{Found, value};
use crate::inventory::PackageKind;

/// How the names of archives end.
const ENDINGS: [&[u8]; 6] = [b".jar", b".war", b".ear", b".jpi", b".hpi", b".rar"];
/// Bytes of a manifest or of Maven's properties, at most.
const MAX_METADATA: u64 = 1 << 20;
/// Bytes of an archive within another one, at most.
const MAX_NESTED: u64 = 32 << 20;

/// Whether a file is called as Java archives are. Their first bytes decide.
pub(super) fn is_archive(path: &[u8]) -> bool {
    ENDINGS.iter().any(|ending| path.len() > ending.len() && path.ends_with(ending))
}

/// The packages of an archive and of the archives in it, one level deep.
pub(super) fn find(path: &ImagePath, bytes: &[u8]) -> Vec<Found> {
    let mut budget = Budget::default();
    let mut found = Vec::new();
    let Some(archive) = Archive::open(bytes) else { return found };
    look(path.file_name().unwrap_or_default(), &archive, &mut budget, &mut found);
    archive.visit(is_archive, MAX_NESTED, &mut budget, &mut |name, bytes, budget| {
        if let Some(inner) = Archive::open(bytes) {
            look(name.rsplit(|b| *b == b'/').next().unwrap_or_default(), &inner, budget, &mut found);
        }
    });
    found
}

fn look(file_name: &[u8], archive: &Archive<'_>, budget: &mut Budget, found: &mut Vec<Found>) {
    let mut manifest = Manifest::default();
    let mut artefacts = Vec::new();
    archive.visit(is_metadata, MAX_METADATA, budget, &mut |name, bytes, _| {
        if name == manifest::PATH {
            manifest = Manifest::parse(bytes);
        } else {
            artefacts.extend(properties(bytes));
        }
    });
    let file_name = String::from_utf8_lossy(file_name);
    let stem = file_name.rsplit_once('.').map_or(&*file_name, |(stem, _)| stem);
    // An archive of one artefact is that artefact. Where there are several, others were packed into it, and it is the one
    // that it is called after.
    let own = match artefacts.as_mut_slice() {
        [only] => Some(only),
        several => several.iter_mut().find(|artefact| is_called_after(stem, artefact)),
    };
    match own {
        Some(own) => {
            own.licence = manifest.licence();
            own.homepage = manifest.value("Bundle-DocURL");
            own.summary = manifest.value("Bundle-Description");
        }
        None => found.extend(manifest.found(stem)),
    }
    found.append(&mut artefacts);
}

fn is_called_after(stem: &str, artefact: &Found) -> bool {
    stem.strip_prefix(artefact.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether a file is the manifest, or one of those that Maven's archiver adds:
/// `META-INF/maven/GROUP/ARTEFACT/pom.properties`.
fn is_metadata(name: &[u8]) -> bool {
    name == manifest::PATH || (name.starts_with(b"META-INF/maven/") && name.ends_with(b"/pom.properties"))
}

fn properties(bytes: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(bytes);
    let field = |key: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(['=', ':']));
        pairs.find(|(known, _)| known.trim() == key).and_then(|(_, text)| value(text))
    };
    let found = Found::new(&PackageKind::Maven, &field("artifactId")?, field("version").as_deref())?;
    Some(Found { namespace: field("groupId"), ..found })
}
