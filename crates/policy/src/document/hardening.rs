//! `[hardening]`: which rules about files and configuration count, and what they let pass.

use super::reading::{names_list, or, paths, paths_list, texts, weight_or_off};
use crate::problem::{PolicyProblem, Problems};
use crate::rules::{RULES, rule};
use distil_settings::{Keys, Section, Value, nearest};
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
    /// What section 4 of the CIS Docker Benchmark asks, version 1.6.
    Cis,
    /// What DISA's Container Image Creation and Deployment Guide asks, version 2, release 6.
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
    /// Packages that may come from no repository.
    pub local_packages: Vec<Glob>,
}

pub(crate) const KEYS: Keys = Keys::all(&["profile", "rules", "allow", "annotations-required"]);
pub(crate) const ALLOW_KEYS: Keys = Keys::all(&[
    "setuid",
    "world-writable",
    "env-keys",
    "secret-paths",
    "files",
    "capabilities",
    "ports",
    "local-packages",
]);

const PROFILES: &[&str] = &["distroless", "cis-docker-1.6", "disa-2.6", "none"];
const CAPABILITY: &str = "a capability as in cap_net_bind_service";
const MOST_PORT: i64 = 65535;

impl Hardening {
    /// Whether any rule can count.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.profile != Profile::None || self.rules.values().any(Option::is_some)
    }

    pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Self {
        let default = Self::default();
        Self {
            profile: or(section, "profile", default.profile, problems, |value, problems| {
                let values = [Profile::Distroless, Profile::Cis, Profile::Disa, Profile::None];
                value.choice(PROFILES, &values, problems)
            }),
            rules: or(section, "rules", default.rules, problems, |value, problems| {
                by_rule(value, problems, weight_or_off)
            }),
            allow: or(section, "allow", default.allow, problems, Allow::read),
            annotations_required: or(section, "annotations-required", default.annotations_required, problems, texts),
        }
    }
}

impl Allow {
    fn read(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Self> {
        let section = value.section(ALLOW_KEYS, problems)?;
        let mut list = |key| or(&section, key, Vec::new(), problems, paths_list);
        let (setuid, world_writable, secret_paths) = (list("setuid"), list("world-writable"), list("secret-paths"));
        Some(Self {
            setuid,
            world_writable,
            secret_paths,
            env_keys: or(&section, "env-keys", Vec::new(), problems, names_list),
            local_packages: or(&section, "local-packages", Vec::new(), problems, names_list),
            files: or(&section, "files", BTreeMap::new(), problems, |value, problems| {
                by_rule(value, problems, paths_list)
            }),
            capabilities: or(&section, "capabilities", Vec::new(), problems, capabilities),
            ports: or(&section, "ports", BTreeSet::new(), problems, |value, problems| {
                let ports = value.elements(problems)?;
                let read = ports.iter().filter_map(|port| port.integer(1..=MOST_PORT, problems));
                Some(read.filter_map(|port| u16::try_from(port).ok()).collect())
            }),
        })
    }
}

/// A table whose keys are rules.
fn by_rule<T>(
    value: &Value<'_, '_>,
    problems: &mut Problems<'_>,
    mut read: impl FnMut(&Value<'_, '_>, &mut Problems<'_>) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let mut rules = BTreeMap::new();
    for entry in value.entries(problems)? {
        let key = value.key.clone();
        match rule(entry.name) {
            Some(rule) if rule.is_hardening() => {}
            Some(rule) => problems.add(entry.span.clone(), PolicyProblem::NotHardening { key, found: rule.id }),
            None => {
                let nearest = nearest_rule(entry.name);
                let found = entry.name.to_owned();
                problems.add(entry.span.clone(), PolicyProblem::UnknownRule { key, found, nearest });
            }
        }
        rules.extend(read(&entry.value, problems).map(|read| (entry.name.to_owned(), read)));
    }
    Some(rules)
}

fn nearest_rule(name: &str) -> Option<String> {
    // Identifiers are in upper case, and what is compared with is not.
    let known: Vec<String> =
        RULES.iter().filter(|rule| rule.is_hardening()).map(|rule| rule.id.to_lowercase()).collect();
    nearest(name, known.iter().map(String::as_str)).map(|found| found.to_uppercase())
}

fn capabilities(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Vec<(Glob, BTreeSet<String>)>> {
    let capability = |value: &Value<'_, '_>, text: &str, problems: &mut Problems<'_>| {
        let name = text.strip_prefix("cap_").unwrap_or_default();
        let fits = (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        fits.then(|| text.to_owned()).or_else(|| value.malformed(text, CAPABILITY, problems))
    };
    let mut found = Vec::new();
    for entry in value.entries(problems)? {
        let files = paths(entry.name, &entry.value, problems);
        let names = entry.value.list(problems, capability);
        found.extend(files.zip(names).map(|(files, names)| (files, names.into_iter().collect())));
    }
    Some(found)
}
