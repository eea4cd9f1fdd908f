//! Which packages a system needs so that those asked for work.

mod explain;
mod marks;
mod needs;
mod platforms;
mod pool;
mod reason;
mod roots;
mod solver;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use distil_debunpack::{Architecture, Control, PackageName, RelationField, Version};

pub use platforms::{PlatformsError, resolve_platforms};
pub use reason::{Barred, Chain, DeadEnd, Link, Offer, Reason, Unresolvable};
pub use why::{Why, why};

use crate::{Candidate, Index, Request};
use marks::Marks;
use pool::Pool;
use roots::Roots;

/// What there is to choose from, for one architecture.
#[derive(Debug, Clone)]
pub struct Universe<'a> {
    /// The architecture of the system. Packages of others are not looked at, but for `all`.
    pub architecture: Architecture,
    /// The indices, those of the first source first.
    pub indices: &'a [Offered<'a>],
    /// Packages that lie here as files. All of them are wanted, and each comes before what indices offer under its name.
    pub local: &'a [Control],
    /// Packages that are installed already: they neither change nor go.
    pub base: &'a [Control],
}

/// An index, and by which names a request may call it.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// The suite, as `stable`.
    pub suite: &'a str,
    /// Its code name, as `bookworm`.
    pub codename: Option<&'a str>,
    /// The packages.
    pub index: &'a Index,
}

/// What the system shall have.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The packages asked for.
    pub requests: Vec<Request>,
    /// Packages that count as installed though they are not: their dependents do not bring them in.
    pub exclude: BTreeSet<PackageName>,
    /// Whether Recommends bring packages in where that is possible.
    pub recommends: bool,
    /// The versions of an older choice. Where one is still offered, it is preferred to newer ones, and its package to
    /// other alternatives.
    pub keep: BTreeMap<PackageName, Version>,
    /// For each source package the newest version that may be taken.
    pub limits: BTreeMap<PackageName, Version>,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The packages, sorted by name, those of the base among them.
    pub packages: Vec<Chosen>,
    /// What was excluded and would not have come in anyway.
    pub unused_excludes: Vec<PackageName>,
}

/// A chosen package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub origin: Origin,
    /// What brought it in.
    pub because: Because,
}

/// Where a chosen package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An index.
    Index {
        /// The place of the index in [`Universe::indices`].
        offered: usize,
        /// The package.
        candidate: Box<Candidate>,
    },
    /// A file: the place in [`Universe::local`].
    Local(usize),
    /// The base: the place in [`Universe::base`].
    Base(usize),
}

/// What brought a package in. Following [`Because::Dependency`] from package to package leads to one of the others on the
/// shortest way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// It is in the base.
    Base,
    /// It is there as a file.
    Local,
    /// It was asked for: the place in [`Wanted::requests`].
    Requested(usize),
    /// Another needs it.
    Dependency {
        /// The other.
        of: PackageName,
        /// The field in which it says so.
        field: RelationField,
        /// The relation, all alternatives of it.
        relation: String,
    },
}

/// Chooses packages.
///
/// A first choice is made the way apt-get makes it on an empty system. Then a complete solver, which prefers what is in
/// that choice, finds a set in which every Depends and Pre-Depends is met and no Conflicts or Breaks is: the same set
/// where apt's choice is one, another where it is not, and none only if there is none. At last whatever nothing in the
/// set leads to is left out.
///
/// A virtual package stands for whoever provides it; only `Provides` with a version meet a relation with a version.
/// `Replaces` alone says nothing about what may be installed. Essential packages are not added: what needs them says so,
/// or means what every Debian system has.
///
/// # Errors
/// [`Unresolvable`] where no set has all that is wanted, with the reasons.
pub fn resolve(universe: &Universe<'_>, wanted: &Wanted) -> Result<Resolution, Unresolvable> {
    let pool = Pool::new(universe, wanted);
    let roots = Roots::find(&pool)?;
    let preferred = Marks::choose(&pool, &roots.base, &roots.names);
    match solver::solve(&pool, &preferred, &roots.options()) {
        Some(found) => Ok(roots.resolution(&pool, &found)),
        None => Err(explain::explain(&pool, &roots)),
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
