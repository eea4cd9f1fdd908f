//! `[hardening]`: which rules about files and configuration count, and what they let pass.

use std::collections::{BTreeMap, BTreeSet};

use super::glob::Glob;
use crate::verdict::Weight;

/// Which rules count how much, and what they let pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardening {
    /// How much each rule counts from the start.
    pub profile: Profile,
    /// How much single rules count instead, by identifier; none where one does not count at all.
    pub rules: BTreeMap<String, Option<Weight>>,
    /// What is let pass.
    pub allow: Allow,
    /// The annotations or labels that an image must have, not empty.
    pub annotations_required: Vec<String>,
}

/// A choice of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Profile {
    /// Images that hold an application and what it needs to run: no shell, no package manager, no root.
    #[default]
    Distroless,
    /// What section 4 of the CIS Docker Benchmark asks.
    Cis,
    /// What DISA's Container Image Creation and Deployment Guide asks.
    Disa,
    /// Nothing.
    None,
}

/// What rules let pass. Patterns of files are absolute, `*` stays within a name and `**` does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allow {
    /// Files that may have the setuid or setgid bit.
    pub setuid: Vec<Glob>,
    /// Files that everybody may write, and directories without the sticky bit.
    pub world_writable: Vec<Glob>,
    /// Names of variables and labels whose values are no secrets.
    pub env_keys: Vec<Glob>,
    /// Files in which what looks like a secret is none.
    pub secret_paths: Vec<Glob>,
    /// Files that a rule lets pass, by the rule's identifier.
    pub files: BTreeMap<String, Vec<Glob>>,
    /// Capabilities (`cap_net_bind_service`) that files may have, the first pattern that fits decides.
    pub capabilities: Vec<(Glob, BTreeSet<String>)>,
    /// Privileged ports that may be exposed.
    pub ports: BTreeSet<u16>,
}
