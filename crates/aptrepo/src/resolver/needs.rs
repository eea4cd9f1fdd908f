//! What a candidate needs and does not bear, in terms of other candidates.

use distil_debunpack::{Group, Relation, RelationError, RelationField};

use super::pool::{Entry, Id, Place, Pool};

/// The relations of one candidate.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// What it needs, in the order in which libapt looks at it: Pre-Depends, Depends, then Recommends where they count.
    pub(super) groups: Vec<Need>,
    /// What it does not bear.
    pub(super) clashes: Vec<Clash>,
    /// A field that cannot be understood. Such a candidate is never chosen.
    pub(super) error: Option<(RelationField, RelationError)>,
}

/// One group of alternatives.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) field: RelationField,
    pub(super) group: Group,
    /// For each alternative the best candidate of each package that meets it, in libapt's order.
    pub(super) alternatives: Vec<Vec<Id>>,
    /// All candidates that meet it, the preferred one first: those in [`Need::alternatives`], then other versions.
    pub(super) options: Vec<Id>,
}

/// A relation that must not be met by any chosen package.
#[derive(Debug)]
pub(super) struct Clash {
    pub(super) field: RelationField,
    pub(super) relation: Relation,
    pub(super) hits: Vec<Id>,
}

impl Needs {
    pub(super) fn of(pool: &Pool<'_>, entry: &Entry<'_>) -> Self {
        Self::read(pool, entry).unwrap_or_else(|error| Self { error: Some(error), ..Self::default() })
    }

    fn read(pool: &Pool<'_>, entry: &Entry<'_>) -> Result<Self, (RelationField, RelationError)> {
        let mut found = Self::default();
        let installed = matches!(entry.place, Place::Base(..));
        let recommends = pool.wanted.recommends.then_some(RelationField::Recommends);
        for field in [RelationField::PreDepends, RelationField::Depends].into_iter().chain(recommends) {
            // An installed package has what it needs, or whoever made the base left that out.
            if installed {
                break;
            }
            let relations = entry.relations(field).map_err(|error| (field, error))?;
            found.groups.extend(relations.groups().iter().map(|group| Need::of(pool, field, group)));
        }
        for field in [RelationField::Conflicts, RelationField::Breaks] {
            let relations = match entry.relations(field) {
                Err(_) if installed => continue,
                relations => relations.map_err(|error| (field, error))?,
            };
            for relation in relations.groups().iter().flat_map(Group::alternatives) {
                let mut hits = pool.matching(relation);
                // A package never conflicts with itself, nor with another version of itself, which it replaces anyway.
                hits.retain(|id| {
                    let other = pool.entry(*id);
                    let both_installed = installed && matches!(other.place, Place::Base(..));
                    other.name != entry.name && !both_installed && !matches!(other.place, Place::Excluded)
                });
                if !hits.is_empty() {
                    found.clashes.push(Clash { field, relation: relation.clone(), hits });
                }
            }
        }
        Ok(found)
    }
}

impl Need {
    fn of(pool: &Pool<'_>, field: RelationField, group: &Group) -> Self {
        let is_best = |id: &Id| pool.best(pool.entry(*id).name) == Some(*id);
        let mut alternatives: Vec<Vec<Id>> = Vec::new();
        let (mut options, mut others) = (Vec::new(), Vec::new());
        for relation in group.alternatives() {
            let (best, older): (Vec<Id>, Vec<Id>) = pool.matching(relation).into_iter().partition(is_best);
            options.extend(best.iter().copied().filter(|id| !options.contains(id)).collect::<Vec<_>>());
            others.extend(older);
            alternatives.push(best);
        }
        for id in others {
            if !options.contains(&id) {
                options.push(id);
            }
        }
        if !pool.wanted.keep.is_empty() {
            let kept = |id: &Id| pool.kept(pool.entry(*id).package).is_some();
            options.sort_by_key(|id| !kept(id));
            alternatives = vec![options.iter().copied().filter(is_best).collect()];
        }
        Self { field, group: group.clone(), alternatives, options }
    }

    /// Whether a system cannot do without it.
    pub(super) fn is_critical(&self) -> bool {
        self.field != RelationField::Recommends
    }
}
