//! `/etc/ssl/certs/ca-certificates.crt`, byte for byte as [update-ca-certificates(8)] makes it.
//!
//! The program is a shell script, and what it does follows from its parts: the order is that of `sort` (over whole
//! paths, and with the locale `C`, whatever the machine's is), names go through the shell's `read`, and `find` follows
//! links below the local directory. A certificate listed twice is in the bundle twice.
//!
//! [update-ca-certificates(8)]: https://manpages.debian.org/bookworm/ca-certificates/update-ca-certificates.8.en.html

use std::collections::BTreeSet;

use distil_imgcore::{EntryKind, FileTree, ImagePath, Node};

use crate::finish::{Error, Warning};
use crate::follow;
use crate::places::{CA_BUNDLE, CA_CONF, CA_LOCAL, CA_PACKAGED, OPENSSL_CERT_FILE, at};
use crate::plan::{Plan, from_base};

/// Entries looked at below one directory, those behind links counted each time: a bound against links that lead to
/// directories full of links.
const MAX_ENTRIES: usize = 10_000;

/// Every file that may become part of the bundle.
pub(crate) fn wanted(tree: &FileTree, base: Option<&FileTree>, wanted: &mut BTreeSet<ImagePath>) {
    if tree.contains(&at(CA_BUNDLE)) {
        if !is_outdated(tree, base) {
            return;
        }
        wanted.insert(at(CA_BUNDLE));
    }
    wanted.extend(follow::file(tree, &at(CA_CONF)).map(|node| node.entry.path.clone()));
    // The configuration may name files without the ending, and files behind links.
    wanted.extend(certificates(tree));
}

/// Adds the bundle, and the link by which OpenSSL finds it without being told.
pub(crate) fn add(plan: &mut Plan<'_>) -> Result<(), Error> {
    let path = at(CA_BUNDLE);
    if !plan.has(&path) {
        // Without any certificate the program makes no file: it would be a list that trusts nobody.
        if let Some(bundle) = bundle(plan, Vec::new())? {
            plan.file(path.clone(), bundle)?;
        }
    } else if let Some(node) = plan.kept_from_base(&path).filter(|_| is_outdated(plan.tree(), plan.base())) {
        let old = plan.content(&path)?.to_vec();
        // Some images have the bundle and nothing that it was made of. What it trusts must not be lost then.
        let start = if plan.base().is_some_and(has_certificates) { Vec::new() } else { old.clone() };
        if let Some(new) = bundle(plan, start)?.filter(|new| *new != old) {
            plan.rewrite(node, new)?;
        }
    }
    if plan.has(&path) && plan.kept_from_base(&path).is_none() {
        plan.symlink(at(OPENSSL_CERT_FILE), "/etc/ssl/certs/ca-certificates.crt")?;
    }
    Ok(())
}

/// All certificates behind those of `start`; `None` where there are none.
fn bundle(plan: &mut Plan<'_>, start: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
    let mut files = packaged(plan)?;
    files.extend(local(plan)?);
    let mut bundle = start;
    let end_line = |bundle: &mut Vec<u8>| {
        if bundle.last().is_some_and(|b| *b != b'\n') {
            bundle.push(b'\n');
        }
    };
    for file in &files {
        end_line(&mut bundle);
        bundle.extend_from_slice(plan.content(file)?);
    }
    end_line(&mut bundle);
    Ok((!files.is_empty()).then_some(bundle))
}

/// Whether the bundle is that of a base, and lists or certificates are there that the base did not have.
fn is_outdated(tree: &FileTree, base: Option<&FileTree>) -> bool {
    let of_base = |path: &ImagePath| from_base(tree, base, path);
    let is_file = |node: &Node| matches!(node.entry.kind, EntryKind::File { .. });
    let mut sources = certificates(tree);
    sources.extend(follow::file(tree, &at(CA_CONF)).map(|node| node.entry.path.clone()));
    of_base(&at(CA_BUNDLE)).is_some_and(is_file) && sources.iter().any(|path| of_base(path).is_none())
}

fn has_certificates(tree: &FileTree) -> bool {
    !certificates(tree).is_empty()
}

/// The files of both folders of certificates, whatever they are called.
fn certificates(tree: &FileTree) -> Vec<ImagePath> {
    let below = |folder| Walk::new(tree).below(&at(folder)).into_iter().map(|found| found.file);
    [CA_PACKAGED, CA_LOCAL].into_iter().flat_map(below).collect()
}

/// The certificates of packages: those that `/etc/ca-certificates.conf` lists, in its order, or where nothing ships
/// that file all of them, in the order in which the package's maintainer script would have listed them.
fn packaged(plan: &mut Plan<'_>) -> Result<Vec<ImagePath>, Error> {
    let tree = plan.tree();
    let listed = match follow::file(tree, &at(CA_CONF)) {
        Some(conf) => lines(plan.content(&conf.entry.path)?),
        None => available(plan),
    };
    let mut files = Vec::new();
    for name in listed {
        // The program pastes the name behind the folder: a slash in front does no harm. A way out by `..` is not taken,
        // since what it leads to is no certificate that a package has installed; nor is a name with a backslash, of
        // which the shell's `read` makes something else.
        let path = ImagePath::from_archive(&[CA_PACKAGED.as_bytes(), b"/", &name].concat());
        let path = path.ok().filter(|_| !name.contains(&b'\\'));
        match path.and_then(|path| follow::file(tree, &path)) {
            Some(node) => files.push(node.entry.path.clone()),
            None => plan.warn(Warning::NoCertificate { name }),
        }
    }
    Ok(files)
}

/// What the maintainer script offers and, unasked, enables: regular files, links left aside.
fn available(plan: &mut Plan<'_>) -> Vec<Vec<u8>> {
    let tree = plan.tree();
    let Some(folder) = follow::resolve(tree, &at(CA_PACKAGED)) else { return Vec::new() };
    let is_file = |kind: &EntryKind| matches!(kind, EntryKind::File { .. } | EntryKind::Hardlink { .. });
    let files = tree.below(&folder).filter(|node| is_file(&node.entry.kind));
    let names = files.filter_map(|node| node.entry.path.strip_prefix(&folder)).map(|path| path.as_bytes().to_vec());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(b".crt")).collect();
    names.sort_unstable();
    // The script splits its list at blanks and commas and passes it through `read`: such a name is never found again.
    names.retain(|name| {
        let survives = !name.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b',' | b'\\'));
        if !survives {
            plan.warn(Warning::NoCertificate { name: name.clone() });
        }
        survives
    });
    names
}

/// The certificates that an administrator, here the recipe, has put beside those of packages.
fn local(plan: &mut Plan<'_>) -> Result<Vec<ImagePath>, Error> {
    let mut walk = Walk::new(plan.tree());
    let mut found = walk.below(&at(CA_LOCAL));
    if walk.is_exhausted() {
        return Err(Error::TooManyEntries { path: at(CA_LOCAL) });
    }
    found.retain(|found| found.shown.ends_with(b".crt"));
    found.sort_by(|a, b| a.shown.cmp(&b.shown));
    let mut files = Vec::new();
    for Found { shown, file } in found {
        // `read` ends a name at a line break and takes a backslash for an escape; the program fails on the rest.
        if shown.iter().any(|b| matches!(b, b'\n' | b'\\')) {
            plan.warn(Warning::NoCertificate { name: shown });
        } else {
            files.push(file);
        }
    }
    Ok(files)
}

/// The lines of `/etc/ca-certificates.conf` that name a certificate, as `sed` and the shell's `read` pass them on:
/// empty lines, `#` and `!` are skipped, blanks around a name go, and a last line that does not end is not read.
fn lines(conf: &[u8]) -> Vec<Vec<u8>> {
    let whole = conf.split_inclusive(|b| *b == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let named = whole.filter(|line| !matches!(line.first(), None | Some(b'#' | b'!')));
    named.map(|line| trim_blanks(line).to_vec()).collect()
}

/// Not `trim_ascii`: a carriage return stays, and makes a name that is not found, for the shell too.
fn trim_blanks(line: &[u8]) -> &[u8] {
    let is_name = |b: &u8| !matches!(b, b' ' | b'\t');
    let start = line.iter().position(is_name).unwrap_or(line.len());
    let end = line.iter().rposition(is_name).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}

/// A walk through a directory that follows links, as `find -L` does.
struct Walk<'a> {
    tree: &'a FileTree,
    left: usize,
}

/// A file met on a walk.
struct Found {
    /// Its path as the walk came to it.
    shown: Vec<u8>,
    /// The entry that holds its content.
    file: ImagePath,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a FileTree) -> Self {
        Self { tree, left: MAX_ENTRIES }
    }

    fn is_exhausted(&self) -> bool {
        self.left == 0
    }

    /// Every regular file below a directory, behind links too.
    fn below(&mut self, folder: &ImagePath) -> Vec<Found> {
        let mut found = Vec::new();
        if let Some(place) = follow::resolve(self.tree, folder) {
            self.visit(folder.as_bytes(), &place, &mut Vec::new(), &mut found);
        }
        found
    }

    /// `came_by` holds the links on the way here, to notice one that leads back above itself.
    fn visit(&mut self, shown: &[u8], place: &ImagePath, came_by: &mut Vec<ImagePath>, found: &mut Vec<Found>) {
        for node in self.tree.below(place) {
            self.left = self.left.saturating_sub(1);
            let path = &node.entry.path;
            let (false, Some(inside)) = (self.is_exhausted(), path.strip_prefix(place)) else { return };
            let shown = [shown, b"/", inside.as_bytes()].concat();
            if let Some(file) = follow::file(self.tree, path) {
                found.push(Found { shown, file: file.entry.path.clone() });
            } else if matches!(node.entry.kind, EntryKind::Symlink { .. }) {
                let Some(to) = follow::resolve(self.tree, path) else { continue };
                came_by.push(path.clone());
                if !came_by.iter().any(|link| link.starts_with(&to)) {
                    self.visit(&shown, &to, came_by, found);
                }
                came_by.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use distil_imgcore::Origin;
    use proptest::prelude::*;

    use super::*;
    use crate::finish::Finished;
    use crate::sample;

    /// Finishes a tree in which the content of each file is the last component of its name and, but for the
    /// configuration, no line break.
    fn finished(lines: &[&str], conf: &str) -> Finished {
        let tree = sample::tree(lines);
        let mut paths = BTreeSet::new();
        wanted(&tree, None, &mut paths);
        let content = |path: &ImagePath| {
            if *path == at(CA_CONF) { conf.as_bytes().to_vec() } else { path.file_name().unwrap().to_vec() }
        };
        let contents: BTreeMap<_, _> = paths.into_iter().map(|path| (path.clone(), content(&path))).collect();
        let mut plan = Plan::new(&tree, &contents, 7);
        add(&mut plan).unwrap();
        plan.finish()
    }

    #[track_caller]
    fn check(lines: &[&str], conf: &str, bundle: Option<&str>, missing: &[&str]) {
        let finished = finished(lines, conf);
        let text = |f: &crate::Generated| String::from_utf8(f.bytes.clone()).unwrap();
        let file = finished.files.iter().find(|f| f.entry.path == at(CA_BUNDLE));
        assert_eq!(file.map(text).as_deref(), bundle);
        let warnings: Vec<_> = missing.iter().map(|n| Warning::NoCertificate { name: n.as_bytes().to_vec() }).collect();
        assert_eq!(finished.warnings, warnings);
    }

    #[test]
    fn without_configuration_all_certificates_are_listed_by_path() {
        check(
            &[
                "usr/share/ca-certificates/a/x.crt",
                "usr/share/ca-certificates/a-b.crt",
                "usr/share/ca-certificates/B.crt",
                "usr/share/ca-certificates/README",
                "usr/share/ca-certificates/link.crt -> a-b.crt",
                "usr/share/ca-certificates/with blank.crt",
            ],
            "",
            Some("B.crt\na-b.crt\nx.crt\n"),
            &["with blank.crt"],
        );
    }

    #[test]
    fn the_configuration_decides_where_it_is_there() {
        check(
            &[
                CA_CONF,
                "usr/share/ca-certificates/a.crt",
                "usr/share/ca-certificates/b.crt",
                "usr/share/ca-certificates/c.pem -> a.crt",
                "usr/share/ca-certificates/d/",
            ],
            "# comment\n\nb.crt\n!a.crt\n c.pem \nnosuch.crt\nd\n../b.crt\nb.crt\na.crt",
            Some("b.crt\na.crt\nb.crt\n"),
            &["nosuch.crt", "d", "../b.crt"],
        );
    }

    #[test]
    fn local_certificates_follow_in_their_own_order() {
        check(
            &[
                "usr/share/ca-certificates/z.crt",
                "usr/local/share/ca-certificates/b.crt",
                "usr/local/share/ca-certificates/a/d.crt",
                "usr/local/share/ca-certificates/a/up -> ..",
                "usr/local/share/ca-certificates/c -> /opt/certs",
                "usr/local/share/ca-certificates/e.crt -> nosuch",
                "opt/certs/f.crt",
                "opt/certs/README",
            ],
            "",
            Some("z.crt\nd.crt\nb.crt\nf.crt\n"),
            &[],
        );
    }

    #[test]
    fn no_certificate_no_bundle() {
        check(&["usr/share/ca-certificates/README"], "", None, &[]);
        check(&[CA_CONF, "usr/share/ca-certificates/a.crt"], "", None, &[]);
        assert!(finished(&[], "").files.is_empty());
    }

    #[test]
    fn a_bundle_that_is_there_stays_and_openssl_finds_it() {
        let finished = finished(&["etc/", CA_BUNDLE, "usr/share/ca-certificates/a.crt", "usr/lib/ssl/"], "");
        let paths: Vec<_> = finished.files.iter().map(|f| f.entry.path.clone()).collect();
        assert!(paths.contains(&at(OPENSSL_CERT_FILE)) && !paths.contains(&at(CA_BUNDLE)));
    }

    /// The bundle that replaces that of a base, where one does, and whether OpenSSL gets a link to it.
    fn anew(below: &[&str], above: &[&str]) -> (Option<String>, bool) {
        let base = sample::tree(below);
        let mut tree = base.clone();
        for mut node in sample::tree(above).iter().cloned() {
            node.origin = Origin::new("above");
            tree.insert(node);
        }
        let mut paths = BTreeSet::new();
        wanted(&tree, Some(&base), &mut paths);
        let content = |path: ImagePath| (path.clone(), path.file_name().unwrap().to_vec());
        let contents: BTreeMap<_, _> = paths.into_iter().map(content).collect();
        let mut plan = Plan::new(&tree, &contents, 7).on(&base);
        add(&mut plan).unwrap();
        let finished = plan.finish();
        let file = |path| finished.files.iter().find(|f| f.entry.path == at(path));
        let bundle = file(CA_BUNDLE).map(|f| String::from_utf8(f.bytes.clone()).unwrap());
        assert_eq!(finished.replaced.contains(&at(CA_BUNDLE)), bundle.is_some());
        (bundle, file(OPENSSL_CERT_FILE).is_some())
    }

    #[test]
    fn the_bundle_of_a_base_is_made_anew_for_new_certificates_alone() {
        const OLD: &str = "usr/share/ca-certificates/old.crt";
        const NEW: &str = "usr/local/share/ca-certificates/new.crt";
        assert_eq!(anew(&[CA_BUNDLE, OLD], &["usr/bin/x"]), (None, false));
        assert_eq!(anew(&[CA_BUNDLE, OLD], &[NEW]), (Some("old.crt\nnew.crt\n".into()), true));
        // A base with nothing but the bundle goes on trusting whom it trusted.
        assert_eq!(anew(&[CA_BUNDLE], &[NEW]), (Some("ca-certificates.crt\nnew.crt\n".into()), true));
        assert_eq!(anew(&[CA_BUNDLE], &[NEW, CA_BUNDLE]), (None, true));
    }

    #[test]
    fn lines_are_read_as_the_shell_reads_them() {
        let read = |conf: &str| -> Vec<String> {
            lines(conf.as_bytes()).into_iter().map(|name| String::from_utf8(name).unwrap()).collect()
        };
        assert_eq!(read("a\n\n#b\n!c\n \td e \t\n"), ["a", "d e"]);
        assert_eq!(read("a\r\n  \nb\nlast"), ["a\r", "", "b"]);
    }

    #[test]
    fn links_full_of_links_come_to_an_end() {
        let line = |n: usize, m: usize| format!("usr/local/share/ca-certificates/{n}/{m} -> ../../{}", n + 1);
        let lines: Vec<_> =
            (0..12).flat_map(|n| (0..12).map(move |m| line(n, m))).map(|l| l.replace("../../", "../")).collect();
        let tree = sample::tree(&lines);
        let contents = BTreeMap::new();
        assert!(matches!(add(&mut Plan::new(&tree, &contents, 0)), Err(Error::TooManyEntries { .. })));
    }

    proptest! {
        #[test]
        fn any_configuration_is_read(conf in proptest::collection::vec(proptest::sample::select(b"a \t\\\n#!/.".to_vec()), 0..40)) {
            prop_assert!(lines(&conf).len() <= conf.split_inclusive(|b| *b == b'\n').count());
        }
    }
}
