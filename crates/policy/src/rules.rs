//! The catalogue of rules: every name that a violation can bear, why it is one, and what to do.
//!
//! Identifiers are stable: what a rule is about never changes, and the number of one that is gone is not given again.

mod admission;
mod configuration;
mod elf;
mod files;
mod freshness;
mod packages;
mod vulnerabilities;

use std::sync::LazyLock;

use crate::Weight;
use crate::document::Profile;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as in `DSTL-FS-001`.
    pub id: &'static str,
    /// What it is against, in a few words.
    pub title: &'static str,
    /// Why.
    pub help: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// What others call it: `CIS Docker 4.1`, `CIS-DI-0001`, `CCI-002235`.
    pub references: &'static [&'static str],
    weights: Weights,
}

/// How much a rule counts where the policy does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weights {
    /// The same under every profile: the rule is asked for by the policy itself.
    Always(Weight),
    /// For distroless, CIS and DISA; under no profile it does not count at all.
    Hardening([Option<Weight>; 3]),
}

impl Rule {
    /// How much it counts under a profile; none where it is off.
    #[must_use]
    pub fn weight(&self, profile: Profile) -> Option<Weight> {
        match (self.weights, profile) {
            (Weights::Always(weight), _) => Some(weight),
            (Weights::Hardening([distroless, _, _]), Profile::Distroless) => distroless,
            (Weights::Hardening([_, cis, _]), Profile::Cis) => cis,
            (Weights::Hardening([_, _, disa]), Profile::Disa) => disa,
            (Weights::Hardening(_), Profile::None) => None,
        }
    }

    /// Whether it is about how an image is made, so that profiles and `[hardening.rules]` decide how much it counts.
    #[must_use]
    pub fn is_hardening(&self) -> bool {
        matches!(self.weights, Weights::Hardening(_))
    }

    const fn hardening(
        id: &'static str,
        title: &'static str,
        weights: [Option<Weight>; 3],
        help: &'static str,
        fix: &'static str,
        references: &'static [&'static str],
    ) -> Self {
        Self { id, title, help, fix, references, weights: Weights::Hardening(weights) }
    }

    const fn always(
        id: &'static str,
        title: &'static str,
        weight: Weight,
        help: &'static str,
        fix: &'static str,
        references: &'static [&'static str],
    ) -> Self {
        Self { id, title, help, fix, references, weights: Weights::Always(weight) }
    }
}

// Short, since tables of them are read as tables.
const E: Option<Weight> = Some(Weight::Error);
const W: Option<Weight> = Some(Weight::Warning);
const N: Option<Weight> = Some(Weight::Note);
const OFF: Option<Weight> = None;

/// Every rule, sorted by identifier.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let families = [
        admission::RULES,
        configuration::RULES,
        elf::RULES,
        files::RULES,
        freshness::RULES,
        packages::RULES,
        vulnerabilities::RULES,
    ];
    let mut rules = families.concat();
    rules.sort_by_key(|rule| rule.id);
    rules
});

/// The rule of this name.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    let at = RULES.binary_search_by(|rule| rule.id.cmp(id)).ok()?;
    RULES.get(at)
}

/// What no image can show, and somebody has to look after, with its name: nobody may read silence about it as a pass.
pub const MANUAL: &[(&str, &str)] = &[
    ("DSTL-MAN-001", "that the base is one that the organisation trusts is a decision of people (CIS Docker 4.2)"),
    ("DSTL-MAN-002", "that daemons and clusters refuse images without signatures is set there (CIS Docker 4.5)"),
    (
        "DSTL-MAN-003",
        "memory, processor and process limits are set where a container is started (CIS Docker 5.11, 5.12, 5.29)",
    ),
    (
        "DSTL-MAN-004",
        "capabilities, seccomp and privileged mode are set where a container is started (CIS Docker 5.4, 5.5, 5.22)",
    ),
    (
        "DSTL-MAN-005",
        "a root file system without write access and mounts of the host are set where a container is started (CIS Docker 5.6, 5.13)",
    ),
    (
        "DSTL-MAN-006",
        "that traffic of the application is encrypted with TLS 1.2 or newer shows when it runs (CCI-002418)",
    ),
    ("DSTL-MAN-007", "that images are rebuilt when fixes appear shows over time (CIS Docker 4.4)"),
];

#[cfg(test)]
mod tests;
