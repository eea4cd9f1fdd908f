//! Names that must not be in what is promoted, found in bytes that come in pieces.

use aho_corasick::{AhoCorasick, BuildError};
use distil_imgcore::RegistryName;

/// Names that are looked for, in every spelling that they have in documents.
#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<String>,
    /// Which of the names each spelling is one of.
    spelled: Vec<usize>,
    finder: AhoCorasick,
    /// Bytes of the longest spelling.
    longest: usize,
}

/// How the two signs of a name are written where they mean something else: in a URL, and in JSON by writers that are
/// careful.
const SPELLINGS: [(&str, &str); 4] = [(":", "/"), ("%3a", "%2f"), (":", "\\/"), ("%3a", "/")];

impl Names {
    /// Names without the empty ones. Case does not matter, since it does not in names of hosts.
    pub(super) fn new(texts: Vec<String>) -> Result<Self, BuildError> {
        let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let mut spellings: Vec<(usize, String)> = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            for (colon, slash) in SPELLINGS {
                let spelling = (number, text.replace('/', slash).replace(':', colon));
                if !spellings.contains(&spelling) {
                    spellings.push(spelling);
                }
            }
        }
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(spellings.iter().map(|(_, spelling)| spelling.as_bytes()))?;
        let longest = finder.max_pattern_len();
        Ok(Self { texts, spelled: spellings.into_iter().map(|(number, _)| number).collect(), finder, longest })
    }

    /// The names as they were given.
    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The first name in a text.
    pub(super) fn in_text(&self, text: &str) -> Option<&str> {
        self.first(text.as_bytes()).map(|(name, _)| name)
    }

    /// The name that ends first, and where it begins.
    fn first(&self, bytes: &[u8]) -> Option<(&str, usize)> {
        let found = self.finder.find(bytes)?;
        let name = self.spelled.get(found.pattern().as_usize()).and_then(|number| self.texts.get(*number))?;
        Some((name, found.start()))
    }
}

/// The names by which a registry and a repository in it are known: the host alone, or with its port where it is an address
/// or this machine, which stand in files of everybody; and the host with the repository. What the name of the place that
/// it goes to has in it is left out, since it says nothing of the place that it comes from.
pub(super) fn of(source: &RegistryName, destination: Option<&RegistryName>) -> Vec<String> {
    let host = source.host();
    let bare = match host.rsplit_once(':') {
        Some((bare, _)) if is_known_to_one(bare) => bare,
        _ => host,
    };
    let there = destination.map(|name| format!("{}/{}", name.host(), name.repository()).to_ascii_lowercase());
    let is_there = |name: &str| there.as_ref().is_some_and(|there| there.contains(&name.to_ascii_lowercase()));
    let widest_first = [bare.to_owned(), host.to_owned(), format!("{host}/{}", source.repository())];
    // Whatever holds one of the longer names holds the first that is left.
    widest_first.into_iter().find(|name| !is_there(name)).into_iter().collect()
}

/// Whether a host has a name that nobody else uses.
fn is_known_to_one(host: &str) -> bool {
    let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    host.contains('.') && !is_address
}

/// Looks for names in bytes that come in pieces. What is in memory beside a piece is shorter than the longest name.
#[derive(Debug)]
pub(super) struct Sieve<'a> {
    names: &'a Names,
    /// The last bytes of what passed.
    tail: Vec<u8>,
    /// How many passed before them.
    before: u64,
    found: Option<Hit>,
}

/// A name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which.
    pub(super) name: String,
    /// The offset of its first byte.
    pub(super) at: u64,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self { names, tail: Vec::new(), before: 0, found: None }
    }

    /// The first that was found.
    pub(super) fn found(&self) -> Option<&Hit> {
        self.found.as_ref()
    }

    /// Takes the next piece.
    pub(super) fn pass(&mut self, piece: &[u8]) {
        if self.found.is_some() || piece.is_empty() {
            return;
        }
        let keep = self.names.longest.saturating_sub(1);
        let tail = self.tail.len();
        let (border, _) = piece.split_at(piece.len().min(keep));
        self.tail.extend_from_slice(border);
        let across = self.names.first(&self.tail).map(|(name, at)| (name, self.before + at as u64));
        let found = across.or_else(|| {
            let (name, at) = self.names.first(piece)?;
            Some((name, self.before + (tail + at) as u64))
        });
        self.found = found.map(|(name, at)| Hit { name: name.to_owned(), at });
        let passed = self.before + (tail + piece.len()) as u64;
        if piece.len() > keep {
            self.tail.clear();
            self.tail.extend_from_slice(piece.split_at(piece.len() - keep).1);
        } else {
            // All of the piece is in it by now.
            self.tail.drain(..self.tail.len().saturating_sub(keep));
        }
        self.before = passed - self.tail.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(texts: &[&str]) -> Names {
        Names::new(texts.iter().map(ToString::to_string).collect()).unwrap()
    }

    fn sift(names: &Names, pieces: &[&[u8]]) -> Option<Hit> {
        let mut sieve = Sieve::new(names);
        for piece in pieces {
            sieve.pass(piece);
        }
        sieve.found().cloned()
    }

    #[test]
    fn names_are_found_in_every_spelling() {
        let names = names(&["Registry.internal:5000/team/app", "other.internal"]);
        for (text, name, at) in [
            ("see registry.INTERNAL:5000/team/app", 0, 4),
            ("registry.internal%3A5000%2Fteam%2fapp", 0, 0),
            (r#"{"a":"registry.internal:5000\/team\/app"}"#, 0, 6),
            ("?repository_url=registry.internal%3a5000/team/app", 0, 16),
            ("https://mirror.other.internal.", 1, 15),
        ] {
            let expected = Hit { name: names.texts()[name].clone(), at };
            assert_eq!(sift(&names, &[text.as_bytes()]), Some(expected), "{text}");
        }
        for text in ["", "registry.internal:5000/team", "registry.internal:5000/team/ap", "other-internal"] {
            assert_eq!(sift(&names, &[text.as_bytes()]), None, "{text}");
        }
    }

    #[test]
    fn the_widest_name_that_says_something_is_looked_for() {
        let check = |source: &str, destination: &str| -> Vec<String> {
            let destination = (!destination.is_empty()).then(|| destination.parse().unwrap());
            of(&source.parse().unwrap(), destination.as_ref())
        };
        assert_eq!(check("registry.internal/team/app", ""), ["registry.internal"]);
        assert_eq!(check("registry.internal:5000/team/app", "public.example/app"), ["registry.internal"]);
        assert_eq!(check("127.0.0.1:5000/team/app", "127.0.0.1:5001/team/app"), ["127.0.0.1:5000"]);
        assert_eq!(check("[::1]:5000/app", ""), ["[::1]:5000"]);
        assert_eq!(check("localhost:5000/app", ""), ["localhost:5000"]);
        assert_eq!(check("a.example:1/team/app", "A.example:2/app"), ["a.example:1"]);
        assert_eq!(check("a.example/team/app", "a.example/live/app"), ["a.example/team/app"]);
        assert!(check("a.example/team/app", "a.example/team/app").is_empty());
    }

    proptest! {
        /// However bytes are cut into pieces, the same is found at the same place.
        #[test]
        fn a_name_is_found_across_pieces(
            before in proptest::collection::vec(any::<u8>(), 0..40),
            after in proptest::collection::vec(any::<u8>(), 0..40),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
            is_there: bool,
        ) {
            let names = names(&["host.internal:5000"]);
            let name: &[u8] = if is_there { b"Host.Internal:5000" } else { b"" };
            let whole = [&before[..], name, &after].concat();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            cuts.extend([0, whole.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            let expected = is_there.then(|| Hit { name: "host.internal:5000".into(), at: before.len() as u64 });
            prop_assert_eq!(sift(&names, &pieces), expected.clone());
            prop_assert_eq!(sift(&names, &whole.chunks(1).collect::<Vec<_>>()), expected);
        }
    }
}
