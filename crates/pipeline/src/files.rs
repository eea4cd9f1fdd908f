//! `files`: what an image holds at which path, and where it comes from.

use distil_imgcore::{EntryKind, Escaped, ImagePath, Reference};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contents::{Contents, Located, Sums};
use crate::machine::Machine;
use crate::packages::{Packages, is_record};
use crate::places::Places;
use crate::progress::Progress;
use crate::read::{Choice, Named, ReadError};

/// The files of an image, all layers on top of each other: the JSON document of `files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileList {
    /// `distil.files/v1`.
    pub schema: String,
    /// The digest that the reference stands for.
    pub digest: String,
    /// The platforms that the image is for.
    pub platforms: Vec<String>,
    /// The platform that all that follows is about.
    pub platform: String,
    /// The digests of its layers, lowest first.
    pub layers: Vec<String>,
    /// The files, by path.
    pub files: Vec<FileSummary>,
    /// Paths that were asked for and are not there.
    pub missing: Vec<String>,
}

/// One file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileSummary {
    /// The path; control characters and bytes that are not UTF-8 are escaped as in `\x1b`.
    pub path: String,
    /// `file`, `directory`, `symbolic link`, `hard link`, `character device`, `block device` or `named pipe`.
    pub kind: String,
    /// Bytes of a regular file; 0 for everything else.
    pub size: u64,
    /// Permission bits in octal, as in `0644`.
    pub mode: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// The target of a link, escaped like the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The number of its layer, the lowest being 0.
    pub layer: usize,
    /// The package that it belongs to, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// Lists the files of an image: all, or those at and below some paths.
///
/// # Errors
/// [`ReadError`] where the image cannot be read, or is not there for that platform.
pub fn files(
    reference: &Reference,
    platform: Choice<'_>,
    paths: &[ImagePath],
    machine: &Machine,
    progress: &dyn Progress,
) -> Result<FileList, ReadError> {
    let named = Named::open(reference, &Places::uncancelled(machine, progress))?;
    let (platform, image) = named.image(platform)?;
    let contents = Contents::read(&image, is_record, Sums::Leave, progress)?;
    let packages = Packages::read(&contents);
    let wanted = |path: &ImagePath| paths.is_empty() || paths.iter().any(|wanted| path.starts_with(wanted));
    let listed = contents.entries.iter().filter(|(path, _)| wanted(path));
    let missing = paths.iter().filter(|wanted| !contents.entries.keys().any(|path| path.starts_with(wanted)));
    Ok(FileList {
        schema: "distil.files/v1".to_owned(),
        digest: named.root.digest().to_string(),
        platforms: named.platforms.iter().map(|(platform, _)| platform.to_string()).collect(),
        platform: platform.to_string(),
        layers: image.layers().iter().map(|layer| layer.digest().to_string()).collect(),
        files: listed.map(|(path, at)| summary(path, at, &packages)).collect(),
        missing: missing.map(ImagePath::to_string).collect(),
    })
}

fn summary(path: &ImagePath, Located { layer, entry }: &Located, packages: &Packages) -> FileSummary {
    let target = match &entry.kind {
        EntryKind::Symlink { target } => Some(Escaped(target).to_string()),
        EntryKind::Hardlink { target } => Some(target.to_string()),
        _ => None,
    };
    FileSummary {
        path: path.to_string(),
        kind: entry.kind.noun().to_owned(),
        size: entry.kind.size(),
        mode: format!("{:04o}", entry.meta.mode),
        uid: entry.meta.uid,
        gid: entry.meta.gid,
        mtime: entry.meta.mtime,
        target,
        layer: *layer,
        package: packages.owner(path, &entry.kind, *layer).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::testimage;

    #[test]
    fn files_have_their_layer_and_package() {
        let dir = tempfile::tempdir().unwrap();
        let record = testimage::record("aa", "1", "");
        let layers: [&[(&str, &str)]; 2] = [
            &[("usr/bin/aa", "a"), ("var/lib/dpkg/status.d/aa", &record), ("etc/x", "old"), ("etc/y", "y")],
            &[("etc/x", "new!"), ("etc/.wh.y", "")],
        ];
        let reference = testimage::write(dir.path(), &["linux/amd64"], &layers);
        let path = |text: &str| ImagePath::from_absolute(text.as_bytes()).unwrap();
        let list = |paths: &[&str]| {
            let paths: Vec<ImagePath> = paths.iter().copied().map(path).collect();
            files(&reference, Choice::First, &paths, &Machine::new(0), &Silent).unwrap()
        };
        let shown = |list: &FileList| -> Vec<String> {
            let line = |f: &FileSummary| format!("{} {} {} {:?}", f.path, f.size, f.layer, f.package.as_deref());
            list.files.iter().map(line).collect()
        };
        assert_eq!(shown(&list(&["/etc", "/usr/bin"])), ["/etc/x 4 1 None", "/usr/bin/aa 1 0 Some(\"aa\")"]);
        assert_eq!(list(&[]).files.len(), 3);
        let some = list(&["/etc/y", "/etc/x"]);
        assert_eq!((some.files.len(), some.missing), (1, vec!["/etc/y".to_owned()]));
    }
}
