//! The directories and links that every Debian system has.

use crate::finish::{Error, Warning};
use crate::places::at;
use crate::plan::Plan;
use crate::usr_merge;

/// Directories with their modes, as base-files and its maintainer script leave them. The mount points are among them
/// for runtimes that start an image with a read-only root.
const DIRECTORIES: [(&str, u32); 11] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr/bin", 0o755),
    ("usr/lib", 0o755),
    ("usr/sbin", 0o755),
    ("var/tmp", 0o1777),
];

/// What base-files ships as empty directories and turns into links when it is configured.
const MIGRATED: [(&str, &str); 2] = [("var/run", "/run"), ("var/lock", "/run/lock")];

/// Adds what the packages have not brought.
pub(crate) fn add(plan: &mut Plan<'_>) -> Result<(), Error> {
    for (path, mode) in DIRECTORIES {
        plan.directory(at(path), mode)?;
    }
    let tree = plan.tree();
    for link in usr_merge::links(|dir| tree.below(dir).next().is_some(), plan.epoch()) {
        if let Some(node) = tree.get(&link.path).filter(|node| !usr_merge::is_alias_link(&node.entry)) {
            let origin = node.origin.clone();
            plan.warn(Warning::NotMerged { path: link.path, origin });
            continue;
        }
        plan.entry(link)?;
    }
    for (path, target) in MIGRATED {
        let path = at(path);
        let is_dir = tree.get(&path).is_some_and(|node| node.entry.kind.is_dir());
        if is_dir && plan.kept_from_base(&path).is_none() && tree.below(&path).next().is_none() {
            plan.replace(&path);
            plan.symlink(path, target)?;
        }
    }
    if plan.has(&at("var/lock")) {
        plan.directory(at("run/lock"), 0o1777)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finish::Finished;
    use crate::sample;

    fn finished(lines: &[&str]) -> Result<Finished, Error> {
        let (tree, contents) = (sample::tree(lines), BTreeMap::new());
        let mut plan = Plan::new(&tree, &contents, 7);
        add(&mut plan)?;
        Ok(plan.finish())
    }

    fn names(finished: &Finished) -> Vec<String> {
        finished.files.iter().map(|f| f.entry.path.to_string()).collect()
    }

    #[test]
    fn an_empty_tree_gets_all_of_it() {
        let finished = finished(&[]).unwrap();
        assert_eq!(
            names(&finished).join(" "),
            "/bin /dev /etc /home /lib /proc /run /sbin /sys /tmp /usr /usr/bin /usr/lib /usr/sbin /var /var/tmp"
        );
        let tmp = finished.files.iter().find(|f| f.entry.path == at("tmp")).unwrap();
        assert_eq!((tmp.entry.meta.mode, tmp.entry.meta.mtime), (0o1777, 7));
    }

    #[test]
    fn what_packages_ship_is_left_alone() {
        let finished =
            finished(&["bin -> usr/bin", "tmp/", "usr/", "usr/lib64/ld.so", "var/", "var/run -> /run"]).unwrap();
        let names = names(&finished);
        for shipped in ["/bin", "/tmp", "/usr", "/var", "/var/run"] {
            assert!(!names.contains(&shipped.to_owned()), "{shipped}");
        }
        assert!(names.contains(&"/lib64".to_owned()) && names.contains(&"/var/tmp".to_owned()));
        assert!(finished.replaced.is_empty());
    }

    #[test]
    fn empty_directories_of_base_files_become_links() {
        let finished = finished(&["var/lock/", "var/run/", "var/run/own/"]).unwrap();
        assert_eq!(finished.replaced, [at("var/lock")]);
        assert!(names(&finished).contains(&"/run/lock".to_owned()));
        assert!(!names(&finished).contains(&"/var/run".to_owned()));
    }

    #[test]
    fn what_stands_in_the_place_of_an_alias_is_told() {
        for line in ["bin/", "lib64 -> usr/lib", "sbin"] {
            let warnings = finished(&[line, "usr/lib64/x"]).unwrap().warnings;
            assert!(matches!(&*warnings, [Warning::NotMerged { .. }]), "{line}");
        }
    }
}
