//! The order of versions, as far as the names of images have any in common.

use std::cmp::Ordering;

/// Compares two tags as people order versions.
///
/// A tag is taken apart into numbers and words; what stands between them only separates. Numbers compare as numbers, so that
/// `1.10` comes after `1.9`, words as text, and words come before numbers, so that `latest` comes before all versions. A tag
/// comes before those that go on where it ends, `1.0` before `1.0.1` and `1.0-slim`, unless they go on with the name of a
/// state before a release: `1.0-rc1` comes before `1.0`. A `v` before a number is no matter. Tags that are the same by all
/// this, as `1.1` and `v1.01`, are ordered as text, so that no two different ones are equal.
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    Parts::of(a).cmp(Parts::of(b)).then_with(|| a.cmp(b))
}

/// A part of a tag. The order of the variants is that of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    /// The name of a state before a release, by its place in [`BEFORE`].
    Before(usize),
    /// The end of the tag.
    End,
    Word(&'a str),
    /// A number without the zeros at its start. A longer one is larger.
    Number {
        length: usize,
        digits: &'a str,
    },
}

/// States of software before its release, the earliest first.
const BEFORE: [&str; 8] = ["dev", "nightly", "snapshot", "alpha", "beta", "preview", "pre", "rc"];

/// The parts of a tag, with its end as the last.
struct Parts<'a> {
    /// None after the end.
    rest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(tag: &'a str) -> Self {
        let version = tag.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        Self { rest: Some(version.unwrap_or(tag)) }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.rest.take()?.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let Some(first) = rest.chars().next() else { return Some(Part::End) };
        let number = first.is_ascii_digit();
        let same = |c: char| if number { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (part, rest) = rest.split_at(end);
        self.rest = Some(rest);
        Some(if number {
            let digits = part.trim_start_matches('0');
            Part::Number { length: digits.len(), digits }
        } else {
            BEFORE.iter().position(|name| *name == part).map_or(Part::Word(part), Part::Before)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_in_the_order_of_releases() {
        let ordered = [
            "nightly",
            "latest",
            "stable",
            "1",
            "1.0-alpha",
            "1.0-beta.2",
            "1.0-rc1",
            "1.0-rc2",
            "1.0-rc10",
            "1.0",
            "1.0-slim",
            "1.0.1",
            "1.1",
            "v1.01",
            "1.9",
            "1.10-rc1",
            "1.10",
            "v2.0",
            "2.0.1",
            "10",
            "20260801",
            "99999999999999999999999999999998",
            "99999999999999999999999999999999",
        ];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by(|a, b| by_version(a, b));
        assert_eq!(sorted, ordered);
    }

    fn tag() -> impl Strategy<Value = String> {
        "(v|rc|pre|[a-c]|[0-2]|00|[._-]|é){0,6}"
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in tag(), b in tag(), c in tag()) {
            prop_assert_eq!(by_version(&a, &b), by_version(&b, &a).reverse());
            prop_assert_eq!(by_version(&a, &b) == Ordering::Equal, a == b);
            if by_version(&a, &b).is_le() && by_version(&b, &c).is_le() {
                prop_assert!(by_version(&a, &c).is_le());
            }
        }

        #[test]
        fn numbers_compare_as_numbers(a: u64, b: u64, before in "[a-z]{0,3}[.-]") {
            let tag = |n: u64| format!("{before}{n}");
            prop_assert_eq!(by_version(&tag(a), &tag(b)), a.cmp(&b));
        }
    }
}
