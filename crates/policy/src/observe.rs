//! What is in an image's files that a rule may be about.
//!
//! Fed, and opens nothing. Somebody reads the layers once: a [`Looker`] gets the bytes of every regular file in pieces, and
//! what it [`Looked`] at is kept by layer and path. Then an [`Observer`] is told what a container sees, and what a layer
//! holds that a later one hides.

mod accounts;
pub mod capabilities;
mod credentials;
mod elf;
mod leftovers;
mod looker;
mod samples;
mod secrets;
mod sources;
mod start;
mod switches;
mod tools;
mod variables;
mod view;

use std::collections::BTreeMap;

use distil_imgcore::{Entry, EntryKind, Escaped, ImagePath};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub use looker::{Looked, Looker, MAX_ELF};
pub use sources::{SOURCES, fingerprint};

pub(crate) use accounts::{Number, number};
pub(crate) use credentials::has_login;
pub(crate) use secrets::in_text;
pub(crate) use tools::REMOTE_LOGINS;
pub(crate) use variables::secret;

use crate::facts::ConfigFacts;
use crate::observation::Observation;
use capabilities::Capabilities;
use view::View;

/// One thing about one file, before it is known where the file is. Of a secret it has no more than an observation shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Sight {
    rule: &'static str,
    seen: String,
}

impl<'de> Deserialize<'de> for Sight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Kept {
            rule: String,
            seen: String,
        }
        let Kept { rule, seen } = Kept::deserialize(deserializer)?;
        let known = crate::rules::rule(&rule).ok_or_else(|| D::Error::custom("there is no such rule"))?;
        Ok(Self { rule: known.id, seen })
    }
}

impl Sight {
    fn new(rule: &'static str, seen: &str) -> Self {
        Self { rule, seen: seen.to_owned() }
    }
}

/// Where a file is, and whose.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The layer, from 0.
    pub layer: usize,
    /// The package whose file it is.
    pub package: Option<&'a str>,
}

/// Gathers what is to be seen.
#[derive(Debug)]
pub struct Observer<'a> {
    config: &'a ConfigFacts,
    view: View,
    found: Vec<Observation>,
    /// What is told once for many files: the rule and the folder, what it is, the layer, and how many.
    many: BTreeMap<(&'static str, String), (String, usize, u64)>,
    /// Files of the system that no package owns, by folder.
    unowned: BTreeMap<String, (String, usize, u64)>,
    has_packages: bool,
    passwd: Option<String>,
    /// Links with the name of a tool, whose targets are not known yet.
    links: Vec<(ImagePath, Sight, Option<String>, usize)>,
    /// Secrets that a container sees, so that the same one below is not told again.
    seen: BTreeMap<ImagePath, Vec<Sight>>,
}

impl<'a> Observer<'a> {
    /// For an image with this configuration.
    #[must_use]
    pub fn new(config: &'a ConfigFacts) -> Self {
        Self {
            config,
            view: View::default(),
            found: Vec::new(),
            many: BTreeMap::new(),
            unowned: BTreeMap::new(),
            has_packages: false,
            passwd: None,
            links: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    /// An entry as a container sees it, with what its bytes told; for another name of a file, what those of the file did.
    pub fn visible(&mut self, entry: &Entry, place: Place<'_>, looked: Option<&Looked>) {
        self.view.add(entry);
        self.has_packages |= place.package.is_some();
        let path = String::from_utf8_lossy(entry.path.as_bytes()).into_owned();
        let is_file = matches!(entry.kind, EntryKind::File { .. } | EntryKind::Hardlink { .. });
        self.mode(entry, is_file, place);
        self.name(entry, &path, is_file, place);
        if is_file {
            self.leftover(entry, &path, place);
            self.ownership(entry, &path, place, looked.is_some_and(|looked| looked.is_elf));
        }
        let Some(looked) = looked else { return };
        if let Some(accounts) = &looked.accounts {
            self.passwd = Some(accounts.clone());
        }
        let is_sample = samples::is_sample(&path, place.package.is_some(), looked.is_elf);
        let is_tool = is_file && tool(&path, entry).is_some();
        for sight in &looked.sights {
            let is_told = is_tool && sight.rule == "DSTL-FS-004";
            if !(is_told || is_sample && looker::SECRETS.contains(&sight.rule)) {
                self.tell(&entry.path, place, sight);
            }
        }
        let secrets = looked.sights.iter().filter(|sight| looker::SECRETS.contains(&sight.rule));
        let secrets: Vec<Sight> = secrets.cloned().collect();
        if !secrets.is_empty() {
            self.seen.insert(entry.path.clone(), secrets);
        }
    }

    /// A file that a later layer deletes or replaces: whoever pulls the image has it all the same. To be told after all that
    /// is visible.
    pub fn hidden(&mut self, path: &ImagePath, layer: usize, looked: &Looked) {
        let name = String::from_utf8_lossy(path.as_bytes()).into_owned();
        if samples::is_sample(&name, true, looked.is_elf) {
            return;
        }
        let seen = self.seen.get(path).cloned().unwrap_or_default();
        let place = Place { layer, package: None };
        let secrets = looked.sights.iter().filter(|sight| looker::SECRETS.contains(&sight.rule));
        for sight in secrets.filter(|sight| !seen.contains(sight)) {
            self.tell(path, place, &Sight { rule: "DSTL-FS-013", seen: sight.seen.clone() });
        }
    }

    /// Where a path leads, with all links followed. To be asked after all that is visible.
    #[must_use]
    pub fn leads_to(&self, path: &ImagePath) -> Option<ImagePath> {
        self.view.resolve(path.as_bytes()).map(|(at, _)| at)
    }

    /// A file whose content is not the one that its package says, or that leads somewhere else, to such content or to none.
    pub fn altered(&mut self, path: &ImagePath, place: Place<'_>, leads_to: Option<&ImagePath>) {
        // Configuration is made to be edited.
        if !path.as_bytes().starts_with(b"etc/") {
            let mut seen = "its MD5 is not the one in the package's record".to_owned();
            if let Some(at) = leads_to {
                seen = format!("it leads to {at}, which is not the file of the package's record");
            }
            self.tell(path, place, &Sight { rule: "DSTL-FS-016", seen });
        }
    }

    /// All that was seen, sorted.
    #[must_use]
    pub fn finish(mut self) -> Vec<Observation> {
        for (path, sight, package, layer) in std::mem::take(&mut self.links) {
            if self.view.file(path.as_bytes()).is_some() {
                self.tell(&path, Place { layer, package: package.as_deref() }, &sight);
            }
        }
        self.user();
        self.search_path();
        self.entrypoint();
        let unowned = if self.has_packages { std::mem::take(&mut self.unowned) } else { BTreeMap::new() };
        for (folder, (first, layer, count)) in unowned {
            let seen = format!("{}, the first {}", files(count), Escaped(first.as_bytes()));
            self.found.push(observation("DSTL-FS-015", &folder, seen, None, Some(layer)));
        }
        for ((rule, folder), (what, layer, count)) in std::mem::take(&mut self.many) {
            self.found.push(observation(rule, &folder, format!("{what}: {}", files(count)), None, Some(layer)));
        }
        self.found.sort();
        self.found.dedup();
        self.found
    }

    fn tell(&mut self, path: &ImagePath, place: Place<'_>, sight: &Sight) {
        self.found.push(Observation {
            rule: sight.rule.to_owned(),
            path: path.to_string(),
            seen: Escaped(sight.seen.as_bytes()).to_string(),
            package: place.package.map(str::to_owned),
            layer: Some(place.layer),
        });
    }

    /// Bits, owners, attributes, and what is no file at all.
    fn mode(&mut self, entry: &Entry, is_file: bool, place: Place<'_>) {
        let (mode, path) = (entry.meta.mode, &entry.path);
        if is_file && mode & 0o6000 != 0 {
            let bits = match mode & 0o6000 {
                0o4000 => "setuid",
                0o2000 => "setgid",
                _ => "setuid and setgid",
            };
            let owner = format!("{bits} of {}:{}, mode {:04o}", entry.meta.uid, entry.meta.gid, mode & 0o7777);
            self.tell(path, place, &Sight { rule: "DSTL-FS-001", seen: owner });
        }
        if let Some(value) = entry.meta.xattrs.get(capabilities::ATTRIBUTE) {
            let seen = match Capabilities::parse(value) {
                Ok(capabilities) => capabilities.to_string(),
                Err(error) => error.to_string(),
            };
            self.tell(path, place, &Sight { rule: "DSTL-FS-002", seen });
        }
        let is_open = mode & 0o002 != 0 && (is_file || entry.kind.is_dir() && mode & 0o1000 == 0);
        if is_open {
            self.tell(path, place, &Sight { rule: "DSTL-FS-003", seen: format!("mode {:04o}", mode & 0o7777) });
        }
        if matches!(entry.kind, EntryKind::CharDevice { .. } | EntryKind::BlockDevice { .. } | EntryKind::Fifo) {
            self.tell(path, place, &Sight::new("DSTL-FS-014", entry.kind.noun()));
        }
    }

    fn name(&mut self, entry: &Entry, path: &str, is_file: bool, place: Place<'_>) {
        let name = entry.path.file_name().unwrap_or_default();
        if hides(name) {
            self.tell(&entry.path, place, &Sight::new("DSTL-FS-026", "the name is not what it looks like"));
        }
        if let Some((rule, what)) = tool(path, entry) {
            if is_file {
                self.tell(&entry.path, place, &Sight::new(rule, what));
            } else {
                let sight = Sight { rule, seen: format!("{what}, as a link") };
                self.links.push((entry.path.clone(), sight, place.package.map(str::to_owned), place.layer));
            }
        }
        if is_file && path.starts_with("usr/include/") {
            self.count("DSTL-FS-007", "usr/include", "header files", place.layer);
        }
        let plain = path.rsplit('/').next().unwrap_or_default();
        let is_host_key = path.starts_with("etc/ssh/ssh_host_") && path.ends_with("_key");
        let lets_in = matches!(
            plain,
            "authorized_keys" | "authorized_keys2" | ".rhosts" | ".shosts" | "hosts.equiv" | "shosts.equiv"
        );
        if is_file && (is_host_key || lets_in && entry.kind.size() > 0) {
            self.tell(
                &entry.path,
                place,
                &Sight::new("DSTL-FS-020", if is_host_key { "a host key" } else { "it says who comes in" }),
            );
        }
        let holds_hashes = matches!(path, "etc/shadow" | "etc/gshadow" | "etc/shadow-" | "etc/gshadow-");
        if is_file && holds_hashes && entry.meta.mode & 0o004 != 0 {
            let seen = format!("mode {:04o}", entry.meta.mode & 0o7777);
            self.tell(&entry.path, place, &Sight { rule: "DSTL-FS-019", seen });
        }
    }

    fn leftover(&mut self, entry: &Entry, path: &str, place: Place<'_>) {
        let is_empty = matches!(entry.kind, EntryKind::File { size: 0 });
        if let Some((at, what)) = leftovers::of_path(path)
            && !is_empty
            && place.package.is_none()
        {
            self.count("DSTL-FS-012", at, what, place.layer);
        }
    }

    /// Whether another than root may change a program, or nobody knows where one is from.
    fn ownership(&mut self, entry: &Entry, path: &str, place: Place<'_>, is_elf: bool) {
        let is_executable = entry.meta.mode & 0o111 != 0;
        let of_system = SYSTEM.iter().any(|folder| path.starts_with(folder)) && !path.starts_with("usr/local/");
        let (uid, gid) = (entry.meta.uid, entry.meta.gid);
        let searched = self
            .config
            .env
            .iter()
            .any(|(name, value)| name == "PATH" && value.split(':').any(|folder| is_in(folder, path)));
        let is_program = of_system || searched || path.starts_with("usr/local/") && (is_executable || is_elf);
        let (user, group) = ids(self.config.user.as_deref().unwrap_or_default());
        let by_group =
            entry.meta.mode & 0o020 != 0 && gid != 0 && (Some(gid) == group || group.is_none() && Some(gid) == user);
        if is_program && (uid != 0 || by_group) {
            let seen = format!("owner {uid}:{gid}, mode {:04o}", entry.meta.mode & 0o7777);
            self.tell(&entry.path, place, &Sight { rule: "DSTL-FS-017", seen });
        }
        if of_system && place.package.is_none() && !is_made(path) {
            let folder = entry.path.parent().unwrap_or_else(ImagePath::root).to_string();
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let found = self.unowned.entry(folder).or_insert((name, place.layer, 0));
            found.2 += 1;
        }
    }

    fn count(&mut self, rule: &'static str, folder: &str, what: &str, layer: usize) {
        let key = (rule, format!("/{}", Escaped(folder.as_bytes())));
        self.many.entry(key).or_insert((what.to_owned(), layer, 0)).2 += 1;
    }
}

/// Where programs and libraries of the system are.
const SYSTEM: &[&str] = &[
    "bin/",
    "sbin/",
    "lib/",
    "lib32/",
    "lib64/",
    "usr/bin/",
    "usr/sbin/",
    "usr/lib/",
    "usr/lib32/",
    "usr/lib64/",
    "usr/libexec/",
];

/// Whether a file is made when packages are put together, so that no record lists it.
fn is_made(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_cache = [".cache", ".pyc", ".jsa", ".bin", ".cache-2"].iter().any(|end| name.ends_with(end));
    is_cache
        || matches!(name, "locale-archive" | "os-release" | "modules.dep" | "cacerts" | "ca-certificates.crt")
        || path.starts_with("usr/lib/locale/")
        || path.starts_with("usr/lib/sysimage/")
        || path.starts_with("usr/lib/dpkg/")
}

/// The rule about the name of a program in a folder of programs.
fn tool(path: &str, entry: &Entry) -> Option<(&'static str, &'static str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let in_programs = matches!(folder.rsplit('/').next(), Some("bin" | "sbin" | "libexec"))
        || matches!(folder, "usr/games" | "usr/lib/openssh");
    let can_run =
        matches!(entry.kind, EntryKind::Symlink { .. }) || entry.meta.mode & 0o111 != 0 && !entry.kind.is_dir();
    (in_programs && can_run).then(|| tools::of_name(name)).flatten()
}

/// Whether a name is made to be overlooked, or taken for another.
fn hides(name: &[u8]) -> bool {
    let shown = Escaped(name).to_string();
    let is_dots = name.len() > 2 && name.iter().all(|b| *b == b'.');
    // What is not UTF-8 is an old encoding, as in lists of certificates; what is invisible is neither.
    let is_invisible = std::str::from_utf8(name).is_ok() && shown.as_bytes() != name;
    is_invisible || is_dots || name.ends_with(b" ") || name.starts_with(b" ")
}

/// Whether a file is in a directory, which is written as an absolute path.
fn is_in(folder: &str, path: &str) -> bool {
    let folder = folder.trim_matches('/');
    !folder.is_empty()
        && path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') && !rest.get(1..).is_some_and(|rest| rest.contains('/')))
}

/// User and group, where they are numbers.
fn ids(user: &str) -> (Option<u32>, Option<u32>) {
    let mut parts = user.split(':').map(|part| part.parse().ok());
    (parts.next().flatten(), parts.next().flatten())
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn observation(rule: &str, path: &str, seen: String, package: Option<String>, layer: Option<usize>) -> Observation {
    Observation { rule: rule.to_owned(), path: path.to_owned(), seen, package, layer }
}

#[cfg(test)]
mod tests;
