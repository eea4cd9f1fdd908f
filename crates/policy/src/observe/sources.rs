//! What was observed is worth keeping only for the program that observed it: the next one may see more.

/// A fingerprint of all that decides what a [`Looker`](super::Looker) tells of a file: these very sources, and the version of
/// the program, which stands for what the sources use. To be part of the name under which anything of it is kept.
pub const SOURCES: u64 = fingerprint(&[
    env!("CARGO_PKG_VERSION").as_bytes(),
    include_bytes!("../observe.rs"),
    include_bytes!("accounts.rs"),
    include_bytes!("capabilities.rs"),
    include_bytes!("credentials.rs"),
    include_bytes!("elf.rs"),
    include_bytes!("leftovers.rs"),
    include_bytes!("looker.rs"),
    include_bytes!("samples.rs"),
    include_bytes!("secrets.rs"),
    include_bytes!("sources.rs"),
    include_bytes!("start.rs"),
    include_bytes!("switches.rs"),
    include_bytes!("tools.rs"),
    include_bytes!("variables.rs"),
    include_bytes!("view.rs"),
]);

/// Tells pieces of text apart, by FNV-1a with 64 bits. It guards against mistakes alone.
#[must_use]
pub const fn fingerprint(mut pieces: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while let Some((piece, others)) = pieces.split_first() {
        let mut left = *piece;
        while let Some((byte, rest)) = left.split_first() {
            hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
            left = rest;
        }
        // No byte of text has this value, so that it tells where a piece ends.
        hash = (hash ^ 0x1ff).wrapping_mul(0x0100_0000_01b3);
        pieces = others;
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_source_counts() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/observe");
        let own = fs::read_to_string(folder.join("sources.rs")).unwrap();
        for file in fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let is_there = own.contains(&format!("include_bytes!(\"{name}\")"));
            assert!(is_there || name == "tests.rs", "{name} is not part of the fingerprint");
        }
    }

    #[test]
    fn a_fingerprint_tells_pieces_apart() {
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
        let all =
            [fingerprint(&[b"ab"]), fingerprint(&[b"a", b"b"]), fingerprint(&[b"ab", b""]), fingerprint(&[b"ac"])];
        assert_eq!(std::collections::BTreeSet::from(all).len(), all.len());
    }
}
