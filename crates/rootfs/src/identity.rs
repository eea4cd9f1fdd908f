//! The files that say what system an image is.

use distil_imgcore::ImagePath;

use crate::finish::Warning;
use crate::follow;
use crate::places::at;
use crate::plan::Plan;

/// What a scanner needs to know whose packages it sees: syft gives no package URL without the first, trivy reports no
/// package at all without the second.
const FILES: [&str; 2] = ["etc/os-release", "etc/debian_version"];

/// Warns of what is missing. Nothing is invented: a made-up release would send scanners to the wrong advisories.
pub(crate) fn check(plan: &mut Plan<'_>) {
    let missing: Vec<ImagePath> =
        FILES.into_iter().map(at).filter(|path| follow::file(plan.tree(), path).is_none()).collect();
    for path in missing {
        plan.warn(Warning::NoIdentity { path });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sample;

    #[test]
    fn what_is_missing_or_dangling_is_told() {
        for (lines, missing) in [
            (&["etc/os-release -> ../usr/lib/os-release", "usr/lib/os-release", "etc/debian_version"][..], &[][..]),
            (&["etc/os-release -> ../usr/lib/os-release", "etc/debian_version"], &["etc/os-release"]),
            (&[], &FILES),
        ] {
            let (tree, contents) = (sample::tree(lines), BTreeMap::new());
            let mut plan = Plan::new(&tree, &contents, 0);
            check(&mut plan);
            let finished = plan.finish();
            let expected: Vec<_> = missing.iter().map(|path| Warning::NoIdentity { path: at(path) }).collect();
            assert_eq!(finished.warnings, expected);
            assert!(finished.files.is_empty());
        }
    }
}
