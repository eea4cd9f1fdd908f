//! A sample of the archive, the same on every machine with the same index: the packages whose names hash lowest.

/// How many packages the sample has.
const COUNT: usize = 200;
/// Larger packages would make the sample slow to fetch without testing anything else.
const LARGEST: u64 = 20_000_000;
/// Another seed gives another sample.
const SEED: u64 = 20_261_122;

/// The names of the sample, from `Packages` files.
pub(crate) fn names(indices: &[String]) -> Vec<String> {
    lowest(indices, COUNT, LARGEST)
}

/// The names of this many packages of at most this size, from `Packages` files.
pub(crate) fn lowest(indices: &[String], count: usize, largest: u64) -> Vec<String> {
    let mut ranked: Vec<(u64, &str)> = indices
        .iter()
        .flat_map(|index| index.split("\n\n"))
        .filter(|stanza| {
            field(stanza, "Size").and_then(|size| size.parse().ok()).is_some_and(|size: u64| size <= largest)
        })
        .filter_map(|stanza| field(stanza, "Package"))
        .map(|name| (rank(name), name))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(count).map(|(_, name)| name.to_owned()).collect()
}

fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

/// FNV-1a over the name, mixed once more so that names with a common start do not stay together.
fn rank(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ SEED, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_depends_on_names_alone() {
        let stanza = |name: &str, size: u64| format!("Package: {name}\nSize: {size}");
        let one = [format!("{}\n\n{}\n", stanza("a", 1), stanza("b", 2)), stanza("c", 3)];
        let other = [stanza("c", 9), stanza("b", 1), format!("{}\n\n{}", stanza("a", 7), stanza("a", 8))];
        assert_eq!(names(&one), names(&other));
        assert_eq!(names(&one).len(), 3);
        assert_eq!(names(&[stanza("huge", LARGEST + 1)]), Vec::<String>::new());
    }
}
