//! The packages of an image, read from the records that its layers hold.

use std::collections::BTreeMap;

use distil_debunpack::records::{Recorded, Records, STATUS_DIRECTORY, STATUS_FILE};
use distil_debunpack::{Control, Md5Sum, Md5sums};
use distil_imgcore::{EntryKind, ImagePath};
use distil_rootfs::usr_merge;

use crate::contents::Contents;

/// A package of an image.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    pub(crate) control: Control,
    /// Whether all of it is there, and not merely unpacked.
    pub(crate) is_whole: bool,
    /// The number of the layer that brought it, the lowest being 0.
    pub(crate) layer: usize,
    /// The file that records it.
    pub(crate) record: ImagePath,
}

/// The packages of an image.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// By name and architecture.
    pub(crate) installed: Vec<Installed>,
    /// The package that each file belongs to, as far as the records say.
    owners: BTreeMap<ImagePath, String>,
    /// The sums that records state for each file: several where several packages have it.
    pub(crate) sums: BTreeMap<ImagePath, Vec<Md5Sum>>,
    /// The layers that brought exactly one package, with its name.
    alone: BTreeMap<usize, String>,
    /// Records that are broken.
    pub(crate) unreadable: Vec<ImagePath>,
}

const STATUS_D: &[u8] = STATUS_DIRECTORY.as_bytes();
const STATUS: &[u8] = STATUS_FILE.as_bytes();
const INFO: &[u8] = b"var/lib/dpkg/info";
const MD5SUMS: &[u8] = b".md5sums";
/// What dpkg keeps beside a record. Some images have these in `status.d`, too.
const BESIDE: [&[u8]; 12] = [
    b".md5sums",
    b".list",
    b".conffiles",
    b".preinst",
    b".postinst",
    b".prerm",
    b".postrm",
    b".config",
    b".templates",
    b".triggers",
    b".shlibs",
    b".symbols",
];

/// Whether a file holds records of packages.
pub(crate) fn is_record(path: &ImagePath) -> bool {
    let in_folder = |folder: &[u8]| path.parent().is_some_and(|parent| parent.as_bytes() == folder);
    path.as_bytes() == STATUS || in_folder(STATUS_D) || in_folder(INFO) && path.as_bytes().ends_with(MD5SUMS)
}

impl Packages {
    /// Reads the records, for which [`Contents::read`] was told to keep what [`is_record`] names.
    pub(crate) fn read(contents: &Contents) -> Self {
        let mut packages = Self::default();
        packages.read_status_d(contents);
        packages.read_status(contents);
        packages.read_md5sums(contents);
        packages.installed.sort_by(|a, b| {
            let key = |p: &Installed| (p.control.package().to_string(), p.control.architecture().to_string());
            key(a).cmp(&key(b))
        });
        let mut names: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for package in &packages.installed {
            names.entry(package.layer).or_default().push(package.control.package().to_string());
        }
        let one = |(layer, names): (usize, Vec<String>)| match <[String; 1]>::try_from(names) {
            Ok([name]) => Some((layer, name)),
            Err(_) => None,
        };
        packages.alone = names.into_iter().filter_map(one).collect();
        packages
    }

    /// The package that an entry belongs to: the one whose record lists it, or the only one of its layer.
    pub(crate) fn owner(&self, path: &ImagePath, kind: &EntryKind, layer: usize) -> Option<&str> {
        let only = || self.alone.get(&layer).filter(|_| !kind.is_dir());
        self.owners.get(path).or_else(only).map(String::as_str)
    }

    /// The package whose record lists a path.
    pub(crate) fn listed(&self, path: &ImagePath) -> Option<&str> {
        self.owners.get(path).map(String::as_str)
    }

    /// A record a file, as distroless has them.
    fn read_status_d(&mut self, contents: &Contents) {
        for (path, layer, bytes) in visible(contents, STATUS_D) {
            if BESIDE.iter().any(|end| path.as_bytes().ends_with(end)) {
                continue;
            }
            let records = Records::read(bytes);
            if !records.broken.is_empty() {
                self.unreadable.push(path.clone());
            }
            self.installed.extend(records.packages.into_iter().map(|found| installed(found, layer, path)));
        }
    }

    /// All records in one file, of which a later layer has another version. A package belongs to the layer whose version
    /// of the file was the first to have it as it is now.
    fn read_status(&mut self, contents: &Contents) {
        let Ok(status) = ImagePath::from_archive(STATUS) else { return };
        let Some(last) = contents.entries.get(&status) else { return };
        let versions = contents.kept.iter().enumerate().take(last.layer + 1);
        let mut known: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for (layer, bytes) in versions.filter_map(|(layer, kept)| Some((layer, kept.get(&status)?))) {
            let Records { packages: records, broken } = Records::read(bytes);
            if layer == last.layer && !broken.is_empty() {
                self.unreadable.push(status.clone());
            }
            let key = |c: &Control| (c.package().to_string(), c.architecture().to_string(), c.version().to_string());
            let first: Vec<usize> = records.iter().map(|r| *known.get(&key(&r.control)).unwrap_or(&layer)).collect();
            known = records.iter().map(|r| key(&r.control)).zip(first.iter().copied()).collect();
            if layer == last.layer {
                let found = records.into_iter().zip(first);
                self.installed.extend(found.map(|(found, layer)| installed(found, layer, &status)));
            }
        }
    }

    fn read_md5sums(&mut self, contents: &Contents) {
        for (path, _, bytes) in visible(contents, STATUS_D).chain(visible(contents, INFO)) {
            let Some(name) = path.file_name().and_then(|name| name.strip_suffix(MD5SUMS)) else { continue };
            // dpkg adds the architecture where several may be installed.
            let name = String::from_utf8_lossy(name.split(|b| *b == b':').next().unwrap_or(name)).into_owned();
            match Md5sums::parse(bytes) {
                Ok(sums) => {
                    for (listed, sum) in sums.lines() {
                        // Records name files as their package does, which may be from before the merge of /usr.
                        let merged = usr_merge::rewrite(listed).map(std::borrow::Cow::into_owned).ok();
                        let merged = merged.filter(|path| !contents.entries.contains_key(listed) && path != listed);
                        let path = merged.unwrap_or_else(|| listed.clone());
                        self.sums.entry(path.clone()).or_default().push(*sum);
                        self.owners.insert(path, name.clone());
                    }
                }
                Err(_) => self.unreadable.push(path.clone()),
            }
        }
    }
}

fn installed(found: Recorded, layer: usize, record: &ImagePath) -> Installed {
    Installed { control: found.control, is_whole: found.is_whole, layer, record: record.clone() }
}

/// The kept files in a folder that no later layer hides, with their layers.
fn visible<'a>(contents: &'a Contents, folder: &'a [u8]) -> impl Iterator<Item = (&'a ImagePath, usize, &'a [u8])> {
    contents.entries.iter().filter_map(move |(path, at)| {
        let inside = path.parent().is_some_and(|parent| parent.as_bytes() == folder);
        let bytes = contents.kept.get(at.layer)?.get(path)?;
        (inside && is_record(path)).then_some((path, at.layer, bytes.as_slice()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use distil_imgcore::{Entry, Metadata};

    use super::*;
    use crate::contents::Located;
    use crate::testimage::record;

    /// An image whose layers hold these files.
    fn image(layers: &[&[(&str, &str)]]) -> Contents {
        let mut contents = Contents::default();
        for (layer, files) in layers.iter().enumerate() {
            let mut kept = BTreeMap::new();
            for (name, text) in *files {
                let path = ImagePath::from_archive(name.as_bytes()).unwrap();
                let kind = EntryKind::File { size: text.len() as u64 };
                let entry = Entry { path: path.clone(), kind, meta: Metadata::root(0o644, 0) };
                contents.entries.insert(path.clone(), Located { layer, entry });
                kept.insert(path, text.as_bytes().to_vec());
            }
            contents.kept.push(kept);
        }
        contents
    }

    fn shown(packages: &Packages) -> Vec<String> {
        packages
            .installed
            .iter()
            .map(|p| format!("{} {} {}", p.control.package(), p.control.version(), p.layer))
            .collect()
    }

    #[test]
    fn records_belong_to_the_layer_that_holds_them() {
        let (a, b) = (record("aa", "1", ""), record("bb", "2", ""));
        let image = image(&[
            &[("var/lib/dpkg/status.d/bb", &b), ("usr/bin/b", "")],
            &[
                ("var/lib/dpkg/status.d/aa", &a),
                ("var/lib/dpkg/status.d/aa.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n"),
                ("usr/bin/a", ""),
            ],
        ]);
        let packages = Packages::read(&image);
        assert_eq!(shown(&packages), ["aa 1 1", "bb 2 0"]);
        let owner = |path: &str, layer| {
            let path = ImagePath::from_archive(path.as_bytes()).unwrap();
            packages.owner(&path, &EntryKind::File { size: 0 }, layer).map(str::to_owned)
        };
        assert_eq!(owner("usr/bin/a", 1).as_deref(), Some("aa"));
        assert_eq!(owner("usr/bin/b", 0).as_deref(), Some("bb"));
        assert_eq!(owner("etc/x", 2), None);
        assert!(packages.unreadable.is_empty());
    }

    #[test]
    fn a_package_in_a_database_belongs_to_the_layer_that_brought_this_version() {
        let installed = "Status: install ok installed\n";
        let gone = "Status: deinstall ok config-files\n";
        let base = [record("aa", "1", installed), record("bb", "1", installed), record("cc", "1", gone)].join("\n");
        let next = [record("aa", "1", installed), record("bb", "2", installed)].join("\n");
        let image = image(&[&[("var/lib/dpkg/status", &base)], &[], &[("var/lib/dpkg/status", &next)]]);
        assert_eq!(shown(&Packages::read(&image)), ["aa 1 0", "bb 2 2"]);
    }

    #[test]
    fn files_of_records_from_before_the_merge_are_found() {
        let sums = "d41d8cd98f00b204e9800998ecf8427e  bin/a\n";
        let image = image(&[&[("var/lib/dpkg/info/a:amd64.md5sums", sums), ("usr/bin/a", "")]]);
        let path = ImagePath::from_archive(b"usr/bin/a").unwrap();
        assert_eq!(Packages::read(&image).owner(&path, &EntryKind::File { size: 0 }, 0), Some("a"));
    }

    #[test]
    fn what_dpkg_keeps_beside_a_record_is_none() {
        let script = ("var/lib/dpkg/status.d/aa.preinst", "#!/bin/sh\nexit 0\n");
        let list = ("var/lib/dpkg/status.d/aa.conffiles", "/etc/aa\n");
        // The name of the file says nothing of the package.
        let image = image(&[&[("var/lib/dpkg/status.d/libc", &record("aa", "1", "")), script, list]]);
        let packages = Packages::read(&image);
        assert_eq!(shown(&packages), ["aa 1 0"]);
        assert!(packages.unreadable.is_empty());
    }

    #[test]
    fn broken_records_are_named() {
        let image = image(&[&[("var/lib/dpkg/status.d/x", "nothing"), ("var/lib/dpkg/status.d/y.md5sums", "z")]]);
        let packages = Packages::read(&image);
        let names: Vec<String> = packages.unreadable.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["/var/lib/dpkg/status.d/x", "/var/lib/dpkg/status.d/y.md5sums"]);
    }
}
