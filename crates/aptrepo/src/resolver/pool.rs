//! Candidates by name, and what a relation means in terms of them. Everything is looked up when it is first asked for:
//! most of an index is never visited.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use distil_debunpack::{
    Architecture, Control, Group, MultiArch, PackageName, Qualifier, Relation, RelationError, RelationField, Relations,
    Version,
};

use super::needs::Needs;
use super::{Offered, Universe, Wanted};
use crate::Request;
use crate::index::Stanza;

/// A name, numbered in the order of first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(pub(super) u32);

/// A candidate, numbered in the order of first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u32);

/// One version of a package from one place.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: Name,
    pub(super) package: &'a str,
    /// That of something that is nowhere is never looked at.
    pub(super) version: Version,
    pub(super) place: Place<'a>,
    needs: OnceCell<Rc<Needs>>,
    provides: OnceCell<Relations>,
}

/// Where a candidate is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// Installed: the place in the base.
    Base(usize, &'a Control),
    /// A file: the place in the list.
    Local(usize, &'a Control),
    /// Offered: the place of the index.
    Index(usize, Stanza<'a>),
    /// Nowhere: it stands for an excluded package.
    Excluded,
    /// Nowhere: it stands for doing without a recommendation.
    Without,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) universe: &'a Universe<'a>,
    pub(super) wanted: &'a Wanted,
    names: RefCell<HashMap<&'a str, Name>>,
    texts: RefCell<Vec<&'a str>>,
    entries: RefCell<Vec<Rc<Entry<'a>>>>,
    named: RefCell<HashMap<Name, Rc<[Id]>>>,
    /// What each stanza became: by index and place in it.
    stanzas: RefCell<HashMap<(usize, usize), Id>>,
    /// Who of the base and the local packages provides a name.
    own_providers: HashMap<PackageName, Vec<&'a str>>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(universe: &'a Universe<'a>, wanted: &'a Wanted) -> Self {
        let mut own_providers: HashMap<PackageName, Vec<&'a str>> = HashMap::new();
        for control in universe.base.iter().chain(universe.local) {
            let Ok(provides) = control.relations(RelationField::Provides) else { continue };
            for relation in provides.groups().iter().flat_map(Group::alternatives) {
                own_providers.entry(relation.package.clone()).or_default().push(control.package().as_str());
            }
        }
        Self {
            universe,
            wanted,
            names: RefCell::default(),
            texts: RefCell::default(),
            entries: RefCell::default(),
            named: RefCell::default(),
            stanzas: RefCell::default(),
            own_providers,
        }
    }

    /// The number of a name.
    pub(super) fn name(&self, text: &'a str) -> Name {
        *self.names.borrow_mut().entry(text).or_insert_with(|| {
            let mut texts = self.texts.borrow_mut();
            texts.push(text);
            Name(number(texts.len() - 1))
        })
    }

    /// The text of a name.
    pub(super) fn text(&self, name: Name) -> &'a str {
        self.texts.borrow().get(name.0 as usize).copied().unwrap_or_default()
    }

    /// A candidate.
    pub(super) fn entry(&self, id: Id) -> Rc<Entry<'a>> {
        Rc::clone(self.entries.borrow().get(id.0 as usize).expect("every id has an entry"))
    }

    /// What a candidate needs and does not bear.
    pub(super) fn needs(&self, id: Id) -> Rc<Needs> {
        let entry = self.entry(id);
        Rc::clone(entry.needs.get_or_init(|| Rc::new(Needs::of(self, &entry))))
    }

    /// The candidates of a name, the best first: those that could be chosen at all.
    ///
    /// What is in the base hides all else, then a local package, then the version that an older choice had, then the
    /// newest. Of equal versions that of the first source is better. What some request for the name or a limit rules out
    /// is not among them.
    pub(super) fn named(&self, name: Name) -> Rc<[Id]> {
        if let Some(found) = self.named.borrow().get(&name) {
            return Rc::clone(found);
        }
        let found: Rc<[Id]> = self.find(name).into();
        self.named.borrow_mut().insert(name, Rc::clone(&found));
        found
    }

    /// The candidate that is taken unless something speaks against it.
    pub(super) fn best(&self, name: Name) -> Option<Id> {
        self.named(name).first().copied()
    }

    fn find(&self, name: Name) -> Vec<Id> {
        let text = self.text(name);
        let requests: Vec<&Request> = self.requests(text).collect();
        let mut found = self.all(text);
        found.retain(|id| {
            let entry = self.entry(*id);
            requests.iter().all(|request| self.fulfils(&entry, request)) && self.is_within_limits(&entry)
        });
        let kept = |entry: &Entry<'_>| self.kept(text).is_some_and(|version| *version == entry.version);
        found.sort_by(|a, b| {
            let (a, b) = (self.entry(*a), self.entry(*b));
            let place = |entry: &Entry<'_>| match entry.place {
                Place::Index(number, stanza) => (number, stanza.position()),
                _ => (0, 0),
            };
            kept(&b).cmp(&kept(&a)).then_with(|| b.version.cmp(&a.version)).then_with(|| place(&a).cmp(&place(&b)))
        });
        found
    }

    /// All that has a name, in no order, before requests and limits rule any out.
    pub(super) fn all(&self, text: &'a str) -> Vec<Id> {
        let native = &self.universe.architecture;
        let own = |controls: &'a [Control]| {
            let suits = |c: &&Control| c.package().as_str() == text && suits(c.architecture().as_str(), native);
            controls.iter().enumerate().filter(move |(_, control)| suits(control))
        };
        let base: Vec<Id> = own(self.universe.base).map(|(n, c)| self.intern_control(Place::Base(n, c), c)).collect();
        if !base.is_empty() {
            return base;
        }
        // What is installed cannot be left out any more.
        if self.is_excluded(text) {
            return vec![self.stand_in(text)];
        }
        let local: Vec<Id> =
            own(self.universe.local).map(|(n, c)| self.intern_control(Place::Local(n, c), c)).collect();
        if !local.is_empty() {
            return local;
        }
        let offered = self.universe.indices.iter().enumerate();
        offered.flat_map(|(number, offered)| self.stanzas(number, offered, text)).collect()
    }

    fn stanzas(&self, number: usize, offered: &'a Offered<'a>, text: &str) -> Vec<Id> {
        let native = &self.universe.architecture;
        let found = offered.index.named(text).filter(|stanza| suits(stanza.architecture(), native));
        found.filter_map(|stanza| self.intern_stanza(number, stanza)).collect()
    }

    fn requests(&self, text: &str) -> impl Iterator<Item = &'a Request> {
        self.wanted.requests.iter().filter(move |request| request.package().as_str() == text)
    }

    /// Whether a candidate is what a request for its name asks for.
    pub(super) fn fulfils(&self, entry: &Entry<'_>, request: &Request) -> bool {
        let suite = match (entry.place, request.suite()) {
            (_, None) => true,
            (Place::Index(number, _), Some(suite)) => self.universe.indices.get(number).is_some_and(|o| o.is(suite)),
            _ => false,
        };
        suite && request.allows(&entry.version)
    }

    /// Whether no limit on its source package rules a candidate out.
    pub(super) fn is_within_limits(&self, entry: &Entry<'_>) -> bool {
        let Place::Index(_, stanza) = entry.place else { return true };
        if self.wanted.limits.is_empty() {
            return true;
        }
        let limit = stanza.source_name().parse::<PackageName>().ok().and_then(|name| self.wanted.limits.get(&name));
        limit.is_none_or(|limit| stanza.source_version().parse::<Version>().is_ok_and(|version| version <= *limit))
    }

    /// The version that an older choice had of a name.
    pub(super) fn kept(&self, text: &str) -> Option<&'a Version> {
        if self.wanted.keep.is_empty() {
            return None;
        }
        text.parse::<PackageName>().ok().and_then(|name| self.wanted.keep.get(&name))
    }

    fn is_excluded(&self, text: &str) -> bool {
        !self.wanted.exclude.is_empty() && self.wanted.exclude.iter().any(|name| name.as_str() == text)
    }

    fn stand_in(&self, text: &'a str) -> Id {
        let name = self.name(text);
        let known = self.entries.borrow().iter().position(|e| e.name == name && matches!(e.place, Place::Excluded));
        if let Some(known) = known {
            return Id(number(known));
        }
        self.add(text, no_version(), Place::Excluded)
    }

    fn intern_control(&self, place: Place<'a>, control: &'a Control) -> Id {
        let same = |entry: &Rc<Entry<'_>>| match (entry.place, place) {
            (Place::Base(a, _), Place::Base(b, _)) | (Place::Local(a, _), Place::Local(b, _)) => a == b,
            _ => false,
        };
        let known = self.entries.borrow().iter().position(same);
        known.map_or_else(
            || self.add(control.package().as_str(), control.version().clone(), place),
            |known| Id(number(known)),
        )
    }

    fn intern_stanza(&self, offered: usize, stanza: Stanza<'a>) -> Option<Id> {
        let key = (offered, stanza.position());
        if let Some(known) = self.stanzas.borrow().get(&key) {
            return Some(*known);
        }
        let id = self.add(stanza.name(), stanza.version().parse().ok()?, Place::Index(offered, stanza));
        self.stanzas.borrow_mut().insert(key, id);
        Some(id)
    }

    fn add(&self, package: &'a str, version: Version, place: Place<'a>) -> Id {
        let name = self.name(package);
        let entry = Entry { name, package, version, place, needs: OnceCell::new(), provides: OnceCell::new() };
        let mut entries = self.entries.borrow_mut();
        entries.push(Rc::new(entry));
        Id(number(entries.len() - 1))
    }

    /// A new candidate, alone under a name of its own, that stands for doing without a recommendation.
    pub(super) fn without(&self) -> Id {
        let name = self.unnamed();
        let mut entries = self.entries.borrow_mut();
        let (needs, provides) = (OnceCell::new(), OnceCell::new());
        entries.push(Rc::new(Entry {
            name,
            package: "",
            version: no_version(),
            place: Place::Without,
            needs,
            provides,
        }));
        let id = Id(number(entries.len() - 1));
        self.named.borrow_mut().insert(name, [id].into());
        id
    }

    /// A new name that no candidate has.
    pub(super) fn nothing(&self) -> Name {
        let name = self.unnamed();
        self.named.borrow_mut().insert(name, [].into());
        name
    }

    fn unnamed(&self) -> Name {
        let mut texts = self.texts.borrow_mut();
        texts.push("");
        Name(number(texts.len() - 1))
    }

    /// The candidates that meet a relation: first those of its name, the best first, then who provides it, in the order
    /// of libapt.
    pub(super) fn matching(&self, relation: &Relation) -> Vec<Id> {
        let mut found = self.matching_by_name(relation);
        let mut providers = self.providers(relation);
        providers.sort_by_cached_key(|id| self.provider_rank(*id));
        providers.retain(|id| !found.contains(id));
        found.append(&mut providers);
        found
    }

    fn matching_by_name(&self, relation: &Relation) -> Vec<Id> {
        let Some(text) = self.known_text(relation.package.as_str()) else { return Vec::new() };
        let named = self.named(self.name(text));
        let meets = |id: &Id| {
            let entry = self.entry(*id);
            matches!(entry.place, Place::Excluded)
                || (self.suits_qualifier(relation.qualifier.as_ref(), &entry)
                    && relation.constraint.as_ref().is_none_or(|constraint| constraint.allows(&entry.version)))
        };
        named.iter().copied().filter(meets).collect()
    }

    /// The text of a name where it lives as long as the pool does, if anything has that name.
    pub(super) fn known_text(&self, text: &str) -> Option<&'a str> {
        if let Some((known, _)) = self.names.borrow().get_key_value(text) {
            return Some(known);
        }
        let excluded = self.wanted.exclude.iter().find(|name| name.as_str() == text).map(PackageName::as_str);
        let own = || self.universe.base.iter().chain(self.universe.local).map(|c| c.package().as_str());
        let offered = || self.universe.indices.iter().find_map(|offered| offered.index.named(text).next());
        excluded.or_else(|| own().find(|name| *name == text)).or_else(|| offered().map(Stanza::name))
    }

    fn providers(&self, relation: &Relation) -> Vec<Id> {
        let own = self.own_providers.get(&relation.package).into_iter().flatten().copied();
        let offered = self.universe.indices.iter().flat_map(|o| o.index.providers(relation.package.as_str()));
        let mut names: Vec<Name> = own.chain(offered.map(Stanza::name)).map(|text| self.name(text)).collect();
        names.sort_unstable();
        names.dedup();
        let ids = names.into_iter().flat_map(|name| self.named(name).to_vec());
        ids.filter(|id| self.provides(*id, relation)).collect()
    }

    /// Whether a candidate provides what a relation asks for. A relation with a version is met only by a `Provides` with
    /// a version.
    fn provides(&self, id: Id, relation: &Relation) -> bool {
        let entry = self.entry(id);
        if matches!(entry.place, Place::Excluded) {
            return true;
        }
        self.suits_qualifier(relation.qualifier.as_ref(), &entry)
            && entry.provides().groups().iter().flat_map(Group::alternatives).any(|provided| {
                provided.package == relation.package
                    && match (&relation.constraint, &provided.constraint) {
                        (None, _) => true,
                        (Some(_), None) => false,
                        (Some(wanted), Some(given)) => wanted.allows(&given.version),
                    }
            })
    }

    /// Essential packages first, then by priority, then the one whose name was mentioned last.
    fn provider_rank(&self, id: Id) -> (bool, bool, u8, std::cmp::Reverse<(usize, u32)>, Name, u32) {
        let entry = self.entry(id);
        let order = self.named(entry.name).iter().position(|other| *other == id).map_or(u32::MAX, number);
        let mut indices = self.universe.indices.iter().enumerate();
        let first = indices.find_map(|(number, offered)| Some((number, offered.index.named(entry.package).next()?)));
        let (essential, priority) = match (entry.place, first) {
            (Place::Base(_, control) | Place::Local(_, control), _) => (control.is_essential(), 0),
            // An excluded package is as good as the real one, or others would come in that would not have.
            (Place::Index(_, stanza), _) | (_, Some((_, stanza))) => (stanza.is_essential(), stanza.priority()),
            (Place::Excluded | Place::Without, None) => (false, 0),
        };
        let installed = matches!(entry.place, Place::Base(..));
        let mention = first.map_or((usize::MAX, u32::MAX), |(number, stanza)| (number, stanza.mention()));
        let mention = std::cmp::Reverse(mention);
        (!installed, !essential, priority, mention, entry.name, order)
    }

    fn suits_qualifier(&self, qualifier: Option<&Qualifier>, entry: &Entry<'_>) -> bool {
        match qualifier {
            None | Some(Qualifier::Native) => true,
            // As for dpkg and libapt: even the native package does not serve `:any` unless it allows that.
            Some(Qualifier::Any) => entry.multi_arch() == MultiArch::Allowed,
            Some(Qualifier::Architecture(architecture)) => *architecture == self.universe.architecture,
        }
    }
}

impl Entry<'_> {
    /// The value of a relation field.
    ///
    /// # Errors
    /// [`RelationError`] where it cannot be understood.
    pub(super) fn relations(&self, field: RelationField) -> Result<Relations, RelationError> {
        match self.place {
            Place::Base(_, control) | Place::Local(_, control) => control.relations(field),
            Place::Index(_, stanza) => stanza.relations(field).parse(),
            Place::Excluded | Place::Without => Ok(Relations::default()),
        }
    }

    fn multi_arch(&self) -> MultiArch {
        match self.place {
            Place::Base(_, control) | Place::Local(_, control) => control.multi_arch(),
            Place::Index(_, stanza) => stanza.multi_arch(),
            Place::Excluded | Place::Without => MultiArch::Allowed,
        }
    }

    /// What it provides; a field that cannot be understood provides nothing.
    fn provides(&self) -> &Relations {
        self.provides.get_or_init(|| self.relations(RelationField::Provides).unwrap_or_default())
    }
}

impl Offered<'_> {
    fn is(&self, suite: &str) -> bool {
        self.suite == suite || self.codename == Some(suite)
    }
}

fn suits(architecture: &str, native: &Architecture) -> bool {
    architecture == native.as_str() || architecture == "all"
}

/// The version of what is nowhere: such a candidate meets every relation, so that nobody compares it.
fn no_version() -> Version {
    "0".parse().expect("a digit is a version")
}

/// Places in tables as the small numbers that ids are. Tables of four thousand million entries do not fit into memory.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
