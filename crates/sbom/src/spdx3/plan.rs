//! What a document will have in it, gone through once before it is written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use distil_imgcore::Digest;

use super::id::{Base, Id};
use super::value::Hash;
use crate::document::About;
use crate::expression;
use crate::inventory::{
    Agent, Artefact, Contact, Context, File, Inventory, Owner, Package, PackageKind, SourcePackage,
};

/// How deep packages may lie within packages.
const MAX_DEPTH: usize = 16;
/// What the names of annotations that the OCI has words for begin with.
const ANNOTATIONS: &str = "org.opencontainers.image.";

/// The elements that many others mention, each with its number, and who owns which file.
///
/// Everything here is some bytes for each package and eight for each file.
pub(super) struct Plan<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) about: &'a About,
    base: Base,
    agents: BTreeMap<Agent, usize>,
    licences: BTreeMap<Cow<'a, str>, usize>,
    sources: BTreeMap<&'a SourcePackage, Users>,
    /// Numbers of packages that lie in others, those in one together.
    by_holder: Vec<(usize, usize)>,
    /// Numbers of files, those of one owner together.
    by_owner: Vec<usize>,
    /// Files that are the form in which a package came.
    distributed: BTreeSet<usize>,
}

/// The packages that code of a source package is in, by their numbers.
#[derive(Default)]
pub(super) struct Users {
    /// Those that it was built to.
    pub(super) built: Vec<usize>,
    /// Those that name it in `Built-Using`.
    pub(super) using: Vec<usize>,
    /// Those that name it in `Static-Built-Using`.
    pub(super) linking: Vec<usize>,
    /// Whether any of them is from Debian's own repositories.
    pub(super) is_debian: bool,
}

/// A licence of a package, and whether its own record or another one's tells of it.
pub(super) struct Concluded<'a> {
    pub(super) expression: &'a str,
    pub(super) is_inferred: bool,
}

/// Somebody, and whether they only stand in for somebody who is not known.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) agent: &'a Agent,
    pub(super) is_stand_in: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(inventory: &'a Inventory, about: &'a About) -> Self {
        let mut by_owner: Vec<usize> = (0..inventory.files.len()).collect();
        by_owner.sort_by_key(|number| inventory.files.get(*number).map(|file| rank(inventory, file)));
        let holders = inventory.packages.iter().enumerate();
        let mut by_holder: Vec<_> = holders.filter_map(|(number, package)| Some((package.part_of?, number))).collect();
        by_holder.sort_unstable();
        let mut plan = Self {
            inventory,
            about,
            base: Base::of(inventory, about),
            agents: BTreeMap::new(),
            licences: BTreeMap::new(),
            sources: BTreeMap::new(),
            by_holder,
            by_owner,
            distributed: BTreeSet::new(),
        };
        plan.collect();
        plan
    }

    pub(super) fn only(&self, name: &'static str) -> Id<'_> {
        self.base.only(name)
    }

    pub(super) fn one(&self, kind: char, number: usize) -> Id<'_> {
        self.base.one(kind, number)
    }

    /// All persons and organisations, in the order of their numbers.
    pub(super) fn agents(&self) -> impl Iterator<Item = (Id<'_>, &Agent)> {
        self.agents.iter().map(|(agent, number)| (self.one('a', *number), agent))
    }

    pub(super) fn agent(&self, agent: &Agent) -> Option<Id<'_>> {
        self.agents.get(agent).map(|number| self.one('a', *number))
    }

    /// All expressions of licences.
    pub(super) fn licences(&self) -> impl Iterator<Item = (Id<'_>, &str)> {
        self.licences.iter().map(|(expression, number)| (self.one('l', *number), &**expression))
    }

    pub(super) fn licence(&self, expression: &str) -> Option<Id<'_>> {
        self.licences.get(expression).map(|number| self.one('l', *number))
    }

    /// All source packages.
    pub(super) fn sources(&self) -> impl Iterator<Item = (Id<'_>, &'a SourcePackage, &Users)> {
        self.sources.iter().zip(0..).map(|((source, users), number)| (self.one('s', number), *source, users))
    }

    /// The numbers of the packages that lie in another one.
    pub(super) fn within(&self, holder: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        let from = self.by_holder.partition_point(|(found, _)| *found < holder);
        let all = self.by_holder.get(from..).unwrap_or_default();
        all.iter().take_while(move |(found, _)| *found == holder).map(|(_, within)| *within)
    }

    pub(super) fn digests_of_image(&self) -> impl Iterator<Item = Hash<'a>> + Clone {
        let image = &self.inventory.image;
        let sha256 = image.digest.as_ref().and_then(Digest::as_sha256);
        let sha512 = image.sha512.as_ref().map(|bytes| Hash::new("sha512", bytes));
        sha256.map(|bytes| Hash::new("sha256", bytes)).into_iter().chain(sha512)
    }

    pub(super) fn is_build(&self) -> bool {
        self.inventory.image.context == Context::Build
    }

    /// A package, and the packages around it that it was found in, the nearest first.
    pub(super) fn around(&self, number: usize) -> impl Iterator<Item = (usize, &'a Package)> + use<'a> {
        let packages = &self.inventory.packages;
        let first = packages.get(number).map(|package| (number, package));
        std::iter::successors(first, |(_, package)| {
            let holder = package.part_of?;
            packages.get(holder).map(|package| (holder, package))
        })
        .take(MAX_DEPTH)
    }

    /// Whether the image holds a package without another one around it. Packages that hold each other have no outermost one,
    /// and would not be reached from the image at all.
    pub(super) fn is_outermost(&self, number: usize) -> bool {
        let outermost = self.around(number).last();
        outermost.is_none_or(|(_, last)| last.part_of.is_some_and(|holder| holder < self.inventory.packages.len()))
            || outermost.is_some_and(|(last, _)| last == number)
    }

    /// The numbers of the files of an owner that are listed, by path.
    pub(super) fn files_of(&self, owner: Owner) -> impl Iterator<Item = usize> + Clone + '_ {
        let rank_of = |number: &usize| self.inventory.files.get(*number).map(|file| rank(self.inventory, file));
        let wanted = Some(rank_of_owner(self.inventory, owner));
        let from = self.by_owner.partition_point(|number| rank_of(number) < wanted);
        let to = self.by_owner.partition_point(|number| rank_of(number) <= wanted);
        self.by_owner.get(from..to).unwrap_or_default().iter().copied().filter(|number| self.lists(*number))
    }

    /// Whether a file is in the document. A team's own files are, since they are components by themselves.
    pub(super) fn lists(&self, number: usize) -> bool {
        let file = self.inventory.files.get(number);
        self.about.files || file.is_some_and(|file| file.owner == Owner::Recipe) || self.distributed.contains(&number)
    }

    /// Whether some package came as this file.
    pub(super) fn is_distributed(&self, number: usize) -> bool {
        self.distributed.contains(&number)
    }

    /// The file that a package came as: its archive, that of the package it was found in, or the program it was found in.
    pub(super) fn distribution(&self, number: usize) -> Option<Id<'_>> {
        if let Some((holder, _)) = self.around(number).find(|(_, package)| package.artefact.is_some()) {
            return Some(self.one('d', holder));
        }
        self.program(number).map(|file| self.one('f', file))
    }

    /// The image's supplier: who built it, or whom its annotations name.
    pub(super) fn supplier_of_image(&self) -> Option<Cow<'a, Agent>> {
        if self.is_build() {
            return self.about.author.as_ref().map(Cow::Borrowed);
        }
        let annotation = |key: &str| self.inventory.image.annotations.get(&format!("{ANNOTATIONS}{key}"));
        let name = annotation("vendor").filter(|name| !name.is_empty())?.clone();
        let contact = annotation("url").map(|url| Contact::Url(url.clone()));
        Some(Cow::Owned(Agent { name, contact, is_person: false }))
    }

    /// Who supplied a package: where nothing says, who supplied what it was found in, and last who built the image.
    pub(super) fn supplier(&self, number: usize) -> Option<Known<'a>> {
        let known = self.around(number).find_map(|(at, package)| Some((at, package.supplier.as_ref()?)));
        let known = known.map(|(at, agent)| Known { agent, is_stand_in: at != number });
        let builder = || self.about.author.as_ref().filter(|_| self.is_build());
        known.or_else(|| Some(Known { agent: builder()?, is_stand_in: true }))
    }

    /// Who made a package. Where nothing says, whoever made what it was found in can at least be asked.
    pub(super) fn originator(&self, number: usize) -> Option<Known<'a>> {
        let known = self.around(number).find_map(|(at, package)| Some((at, package.maintainer.as_ref()?)));
        let known = known.map(|(at, agent)| Known { agent, is_stand_in: at != number });
        known.or_else(|| Some(Known { is_stand_in: true, ..self.supplier(number)? }))
    }

    /// Who can be asked about a package whose maker left no address: whoever made what it was found in, and last who built
    /// the image.
    pub(super) fn asked(&self, number: usize) -> Option<&'a Agent> {
        if self.originator(number)?.agent.contact.is_some() {
            return None;
        }
        let around = self.around(number).filter_map(|(_, package)| package.maintainer.as_ref());
        around.chain(self.about.author.iter().filter(|_| self.is_build())).find(|agent| agent.contact.is_some())
    }

    /// The licence that holds for a package: what was concluded, or declared, or what holds for the package it was found in,
    /// whose terms cover everything in it.
    pub(super) fn concluded(&self, number: usize) -> Option<Concluded<'a>> {
        self.around(number).find_map(|(at, package)| {
            let concluded = package.licences.concluded.as_deref().filter(|text| expression::is_valid(text));
            let declared = package.licences.declared.as_deref().filter(|text| expression::is_valid(text));
            let is_inferred = at != number || concluded.is_none();
            Some(Concluded { expression: concluded.or(declared)?, is_inferred })
        })
    }

    /// The licence that the annotation of the image states.
    pub(super) fn declared_of_image(&self) -> Option<&'a str> {
        let annotation = self.inventory.image.annotations.get(&format!("{ANNOTATIONS}licenses"));
        annotation.map(String::as_str).filter(|text| expression::is_valid(text))
    }

    /// The licence of the image: what its annotation says, or that of all packages together, if each has one.
    pub(super) fn concluded_of_image(&self) -> Option<Cow<'a, str>> {
        if let Some(expression) = self.declared_of_image() {
            return Some(Cow::Borrowed(expression));
        }
        let mut terms = BTreeSet::new();
        for number in 0..self.inventory.packages.len() {
            terms.extend(conjuncts(self.concluded(number)?.expression));
        }
        let terms: Vec<_> = terms.into_iter().collect();
        (!terms.is_empty()).then(|| Cow::Owned(terms.join(" AND ")))
    }

    /// The file of the image that a package without an archive of its own is part of.
    fn program(&self, number: usize) -> Option<usize> {
        let package = self.inventory.packages.get(number).filter(|package| package.kind != PackageKind::Deb)?;
        let files = &self.inventory.files;
        package.locations.iter().find_map(|path| files.binary_search_by(|file| file.path.cmp(path)).ok())
    }

    fn collect(&mut self) {
        let all = 0..self.inventory.packages.len();
        let mut agents: BTreeSet<Agent> = self.about.author.iter().cloned().collect();
        agents.extend(self.supplier_of_image().map(Cow::into_owned));
        let mut licences: BTreeSet<Cow<'a, str>> = BTreeSet::new();
        for (number, package) in all.zip(&self.inventory.packages) {
            agents.extend(self.supplier(number).map(|supplier| supplier.agent.clone()));
            agents.extend(self.originator(number).map(|originator| originator.agent.clone()));
            agents.extend(self.asked(number).cloned());
            licences.extend(self.concluded(number).map(|licence| Cow::Borrowed(licence.expression)));
            let declared = package.licences.declared.as_deref().filter(|text| expression::is_valid(text));
            licences.extend(declared.map(Cow::Borrowed));
            self.collect_sources(number, package);
            if self.around(number).all(|(_, package)| package.artefact.is_none()) {
                self.distributed.extend(self.program(number));
            }
        }
        licences.extend(self.concluded_of_image());
        self.agents = numbered(agents);
        self.licences = numbered(licences);
    }

    fn collect_sources(&mut self, number: usize, package: &'a Package) {
        let is_debian = package.artefact.as_ref().is_some_and(Artefact::is_of_debian);
        let mut users = |source: &'a SourcePackage, of: fn(&mut Users) -> &mut Vec<usize>| {
            let users = self.sources.entry(source).or_default();
            users.is_debian |= is_debian;
            of(users).push(number);
        };
        if let Some(source) = &package.source {
            users(source, |users| &mut users.built);
        }
        for built in &package.built_using {
            users(&built.source, if built.is_static { |users| &mut users.linking } else { |users| &mut users.using });
        }
    }
}

/// The terms of an expression that all hold. One with a choice in it is a term as a whole.
fn conjuncts(expression: &str) -> Vec<String> {
    if expression.split_whitespace().any(|word| word.trim_matches(['(', ')']).eq_ignore_ascii_case("or")) {
        return vec![format!("({expression})")];
    }
    let plain = expression.replace(['(', ')'], " ");
    let words: Vec<_> = plain.split_whitespace().collect();
    words.split(|word| word.eq_ignore_ascii_case("and")).map(|term| term.join(" ")).collect()
}

fn numbered<T: Ord>(values: BTreeSet<T>) -> BTreeMap<T, usize> {
    values.into_iter().zip(0..).collect()
}

fn rank(inventory: &Inventory, file: &File) -> (u8, usize) {
    rank_of_owner(inventory, file.owner)
}

fn rank_of_owner(inventory: &Inventory, owner: Owner) -> (u8, usize) {
    match owner {
        Owner::Package { number, .. } if number < inventory.packages.len() => (0, number),
        Owner::Recipe => (1, 0),
        Owner::Generated => (2, 0),
        Owner::Package { .. } | Owner::Unknown => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, expected: &[&str]) {
        assert_eq!(conjuncts(expression), expected);
    }

    #[test]
    fn only_terms_that_all_hold_come_apart() {
        check("MIT", &["MIT"]);
        check(
            "MIT AND (Zlib AND GPL-2.0-only WITH GCC-exception-2.0)",
            &["MIT", "Zlib", "GPL-2.0-only WITH GCC-exception-2.0"],
        );
        check("MIT AND (Zlib OR ISC)", &["(MIT AND (Zlib OR ISC))"]);
        check("MIT or ISC", &["(MIT or ISC)"]);
    }
}
