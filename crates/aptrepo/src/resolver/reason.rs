//! Why there is no set, as data that can be said in words.

use std::fmt;

use distil_debunpack::{Architecture, PackageName, RelationError, RelationField, Version};
use distil_imgcore::Escaped;

use crate::Request;

/// There is no set of packages that has all that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Joined(.reasons, "; "))]
pub struct Unresolvable {
    /// Why, one reason for each thing that fails on its own. Never empty.
    pub reasons: Vec<Reason>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No package has the name.
    Unknown {
        /// The request.
        request: Request,
        /// Names that are near to it, the nearest first.
        nearest: Vec<String>,
    },
    /// The name is a virtual one, of which several packages are the real ones.
    Virtual {
        /// The request.
        request: Request,
        /// The packages that provide it.
        providers: Vec<String>,
    },
    /// There is such a package, but not so.
    NotOffered {
        /// The request.
        request: Request,
        /// What there is.
        offered: Vec<Offer>,
    },
    /// No source has the suite.
    UnknownSuite {
        /// The request.
        request: Request,
        /// The suites that there are.
        suites: Vec<String>,
    },
    /// The package is for another architecture.
    Architecture {
        /// The package.
        package: PackageName,
        /// Its architecture.
        architecture: Architecture,
        /// That of the system.
        native: Architecture,
    },
    /// The package is asked for and excluded.
    Excluded {
        /// The package.
        package: PackageName,
    },
    /// What is wanted needs what cannot be.
    Chain(Chain),
    /// Each could be had, but not all of them, and no single need is to blame.
    Together {
        /// The requests and local packages.
        wanted: Vec<String>,
    },
}

/// A version of a package that is offered, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The package; not the one that is looked for where it provides that.
    pub package: String,
    /// The version.
    pub version: Version,
    /// The suite; `base` or `local` for what does not come from one.
    pub from: String,
    /// Why it is not taken although it suits, if it does.
    pub barred: Option<Barred>,
}

/// What keeps an offer from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Barred {
    /// A request for its name asks for another version.
    ByRequest,
    /// Other platforms do not have its source version.
    ByPlatforms,
}

/// From something that is wanted to something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Who needs whom, from what is wanted on.
    pub links: Vec<Link>,
    /// Why the last link cannot be met; where there is none, why what is wanted cannot be.
    pub end: DeadEnd,
}

/// One package needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: Version,
    /// The field in which it says so.
    pub field: RelationField,
    /// The relation.
    pub relation: String,
}

/// Why a need cannot be met.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadEnd {
    /// Nothing meets it.
    Missing {
        /// What is offered under the names in it.
        offered: Vec<Offer>,
    },
    /// What meets it conflicts with something that is needed as well.
    Clash {
        /// Who does not bear whom: the field is Conflicts or Breaks.
        by: Link,
        /// The package that the relation hits.
        hit: String,
        /// Why the other of the two is needed.
        because: Vec<Link>,
    },
    /// It wants another version than something else needs.
    OtherVersion {
        /// The package.
        package: String,
        /// The version that meets it.
        wanted: Version,
        /// The version that is needed elsewhere.
        chosen: Version,
        /// Why.
        because: Vec<Link>,
    },
    /// What meets it has a field that cannot be understood.
    Unreadable {
        /// The package.
        package: String,
        /// Its version.
        version: Version,
        /// The field.
        field: RelationField,
        /// Why.
        error: RelationError,
    },
    /// Each of what meets it fails.
    All(Vec<Chain>),
}

fn verb(offered: &[Offer]) -> &'static str {
    if offered.len() == 1 { "is" } else { "are" }
}

struct Joined<'a, T>(&'a [T], &'a str);

impl<T: fmt::Display> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, item) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(self.1)?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { request, nearest } if nearest.is_empty() => {
                write!(f, "no package is called {}", request.package())
            }
            Self::Unknown { request, nearest } => {
                write!(f, "no package is called {} (near: {})", request.package(), Joined(nearest, ", "))
            }
            Self::Virtual { request, providers } => {
                write!(f, "{} is a virtual package, provided by {}", request.package(), Joined(providers, ", "))
            }
            Self::NotOffered { request, offered } => {
                write!(f, "{request} is asked for, but only {} {} offered", Joined(offered, ", "), verb(offered))
            }
            Self::UnknownSuite { request, suites } => {
                // A code name is what a repository says of itself.
                let suites: Vec<Escaped<'_>> = suites.iter().map(|suite| Escaped(suite.as_bytes())).collect();
                write!(f, "{request} is asked for, but the suites are {}", Joined(&suites, ", "))
            }
            Self::Architecture { package, architecture, native } => {
                write!(f, "{package} is for {architecture}, not for {native}")
            }
            Self::Excluded { package } => write!(f, "{package} is both asked for and excluded"),
            Self::Chain(chain) => write!(f, "{chain}"),
            Self::Together { wanted } => write!(f, "{} cannot be installed together", Joined(wanted, " and ")),
        }
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({}", self.package, self.version, Escaped(self.from.as_bytes()))?;
        match self.barred {
            None => f.write_str(")"),
            Some(Barred::ByRequest) => f.write_str("; another version is asked for)"),
            Some(Barred::ByPlatforms) => f.write_str("; not on all platforms)"),
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.links.is_empty() {
            write!(f, "{}", self.end)
        } else {
            write!(f, "{}; {}", Joined(&self.links, ", "), self.end)
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.field {
            RelationField::PreDepends => "pre-depends on",
            RelationField::Depends => "depends on",
            RelationField::Recommends => "recommends",
            RelationField::Suggests => "suggests",
            RelationField::Enhances => "enhances",
            RelationField::Breaks => "breaks",
            RelationField::Conflicts => "conflicts with",
            RelationField::Replaces => "replaces",
            RelationField::Provides => "provides",
            RelationField::BuiltUsing => "was built using",
            RelationField::StaticBuiltUsing => "was built statically using",
        };
        write!(f, "{} {verb} {}", self.package, self.relation)
    }
}

impl fmt::Display for DeadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { offered } if offered.is_empty() => f.write_str("no package has or provides that name"),
            Self::Missing { offered } => write!(f, "only {} {} offered", Joined(offered, ", "), verb(offered)),
            Self::Clash { by, hit, because } => {
                write!(f, "{by}")?;
                // The relation may name what the package hit only provides.
                if by.relation.split(' ').next() != Some(hit.as_str()) {
                    write!(f, ", which is {hit} here")?;
                }
                because.last().map_or(Ok(()), |link| write!(f, ", and {link}"))
            }
            Self::OtherVersion { package, wanted, chosen, because } => {
                write!(f, "that is {package} {wanted}, but {package} {chosen} is needed")?;
                because.last().map_or(Ok(()), |link| write!(f, ": {link}"))
            }
            Self::Unreadable { package, version, field, error } => {
                write!(f, "{package} {version} has a field {} that cannot be understood: {error}", field.name())
            }
            Self::All(chains) => {
                for (n, chain) in chains.iter().enumerate() {
                    write!(f, "{}[{chain}]", if n > 0 { " " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}
