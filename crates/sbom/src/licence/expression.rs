//! Licence expressions while they are put together.

use std::collections::BTreeSet;
use std::fmt;

/// Terms joined by `AND` and `OR`. Joins are flat: none holds a join of its own kind, or fewer than two parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expression<T> {
    /// One licence.
    Term(T),
    /// All of these hold.
    All(Vec<Self>),
    /// One of these may be chosen.
    Any(Vec<Self>),
}

impl<T: Ord + Clone> Expression<T> {
    /// All parts at once, each once, in the order of first use. None of no parts.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(parts) => parts,
            other => vec![other],
        });
        join(flat, Self::All)
    }

    /// Any of the parts, each once, in the order of first use. None of no parts.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(parts) => parts,
            other => vec![other],
        });
        join(flat, Self::Any)
    }

    /// The expression with each term replaced by what `resolve` makes of it.
    pub(super) fn map<U: Ord + Clone>(self, resolve: &mut impl FnMut(T) -> Expression<U>) -> Expression<U> {
        let joined = match self {
            Self::Term(term) => return resolve(term),
            Self::All(parts) => Expression::all(parts.into_iter().map(|part| part.map(resolve))),
            Self::Any(parts) => Expression::any(parts.into_iter().map(|part| part.map(resolve))),
        };
        joined.expect("a join has parts, and each becomes one")
    }

    /// How many terms there are, each as often as it is written.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Term(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::len).sum(),
        }
    }
}

fn join<T: Ord + Clone>(
    parts: impl Iterator<Item = Expression<T>>,
    join: fn(Vec<Expression<T>>) -> Expression<T>,
) -> Option<Expression<T>> {
    let mut seen = BTreeSet::new();
    let mut parts: Vec<_> = parts.filter(|part| seen.insert(part.clone())).collect();
    if parts.len() > 1 { Some(join(parts)) } else { parts.pop() }
}

/// In SPDX's grammar. A join within a join has brackets, also where the grammar needs none: not every reader gives `AND`
/// precedence.
impl<T: fmt::Display> fmt::Display for Expression<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match self {
            Self::Term(term) => return term.fmt(f),
            Self::All(parts) => (parts, " AND "),
            Self::Any(parts) => (parts, " OR "),
        };
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                f.write_str(operator)?;
            }
            match part {
                Self::Term(term) => term.fmt(f)?,
                inner => write!(f, "({inner})")?,
            }
        }
        Ok(())
    }
}
