//! What can be wrong with a policy, as data: a front end draws the place, and knows what to advise.

use distil_imgcore::Escaped;
use distil_settings::{Invalid, Quoted, ValueProblem};

/// A policy with mistakes: all that were found, in the order of the text.
pub type PolicyError = Invalid<PolicyProblem>;

/// The mistakes found so far.
pub(crate) type Problems<'t> = distil_settings::Problems<'t, PolicyProblem>;

/// What is wrong. Keys are given with their tables, as in `hardening.profile`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// What can be wrong with a value of any document.
    #[error(transparent)]
    Value(#[from] ValueProblem),
    /// A rule that does not exist.
    #[error("{} names the unknown rule {}", Escaped(.key.as_bytes()), Quoted(.found))]
    UnknownRule {
        /// The key.
        key: String,
        /// The identifier that stands there.
        found: String,
        /// The existing one that looks most like it.
        nearest: Option<String>,
    },
    /// A rule that counts as the rest of the policy says, and nowhere else.
    #[error("{} names {found}, which is no rule about how an image is made", Escaped(.key.as_bytes()))]
    NotHardening {
        /// The key.
        key: String,
        /// The rule.
        found: &'static str,
    },
    /// A signature is asked for, and nobody's would do.
    #[error("{} asks for signatures, and no [[{table}.authority]] says whose", Escaped(.key.as_bytes()))]
    NoAuthority {
        /// The key.
        key: String,
        /// The table that would say so.
        table: &'static str,
    },
    /// Two authorities have one name, by which verdicts name them.
    #[error("{} is another authority than the one before it that is named {}, too", Escaped(.key.as_bytes()), Quoted(.name))]
    OtherAuthority {
        /// The key.
        key: String,
        /// The name.
        name: String,
    },
    /// Something stands in two lists that say the opposite.
    #[error("{} forbids {}, which {allowed} asks for", Escaped(.key.as_bytes()), Quoted(.found))]
    Contradiction {
        /// The key that forbids it.
        key: String,
        /// What stands in both.
        found: String,
        /// The key of the other list.
        allowed: &'static str,
    },
}
