//! The package sets.

/// The package that changes, of middling size in every set. No other one asks for its exact version.
pub(super) const CHANGING: &str = "libzstd1";

/// A set of packages that fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    Python,
    Jre,
    Large,
}

impl Set {
    pub(super) const ALL: [Self; 3] = [Self::Python, Self::Jre, Self::Large];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Jre => "jre",
            Self::Large => "large",
        }
    }

    /// How many rounds are timed: more where a command takes half a second, of which a moment of the disk is a tenth.
    pub(super) fn rounds(self) -> u32 {
        match self {
            Self::Python => 21,
            Self::Jre => 5,
            Self::Large => 2,
        }
    }

    /// In how many of them the pipelines of other programs run. On the large set they take minutes, and are compared with
    /// nothing that is close.
    pub(super) fn rounds_of_others(self) -> u32 {
        match self {
            Self::Python => 3,
            Self::Jre => 2,
            Self::Large => 1,
        }
    }
}
