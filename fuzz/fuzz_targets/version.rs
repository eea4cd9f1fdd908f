//! Versions show as they were written; their order is total; equal ones have equal hashes and compare alike.

#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};

use distil_debunpack::Version;
use libfuzzer_sys::fuzz_target;

fn hash(version: &Version) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    hasher.finish()
}

fuzz_target!(|input: &str| {
    let versions: Vec<Version> = input.split([' ', '\n', ',']).take(6).filter_map(|text| text.parse().ok()).collect();
    for a in &versions {
        assert_eq!(a.to_string().parse::<Version>().as_ref().map(Version::as_str), Ok(a.as_str()));
        let epoch = a.as_str().strip_suffix(a.without_epoch()).expect("the epoch stands before the rest");
        assert!(epoch.is_empty() || epoch.ends_with(':'));
        let tail = a.revision().map_or(String::new(), |revision| format!("-{revision}"));
        assert_eq!(format!("{}{tail}", a.upstream()), a.without_epoch());
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse());
            assert_eq!(a == b, a.cmp(b).is_eq());
            if a == b {
                assert_eq!(hash(a), hash(b));
            }
            for c in &versions {
                if a <= b && b <= c {
                    assert!(a <= c, "{a} {b} {c}");
                }
                if a == b {
                    assert_eq!(a.cmp(c), b.cmp(c), "{a} {b} {c}");
                }
            }
        }
    }
});
