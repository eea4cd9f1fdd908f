//! A plan that changes an older one as little as it can.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::grouping::Group;

/// Leaves packages in the layers in which they were, and gives those that are new layers of their own while there is
/// room, the largest first. Each one beyond that joins the layer where it costs least: a small one a small layer, a
/// large one a layer of few. Room that packages leave behind is for new ones, and moves none that are there.
pub(super) fn groups(units: Vec<Group<'_>>, room: usize) -> Vec<Group<'_>> {
    let mut kept: BTreeMap<usize, Group<'_>> = BTreeMap::new();
    let mut new = Vec::new();
    for unit in units {
        match unit.before {
            None => new.push(unit),
            Some(before) => match kept.get_mut(&before) {
                Some(group) => group.absorb(unit),
                None => {
                    kept.insert(before, unit);
                }
            },
        }
    }
    let mut layers: Vec<Group<'_>> = kept.into_values().collect();
    // There was more room before.
    while layers.len() > room {
        let smallest = layers.iter().enumerate().min_by_key(|(at, layer)| (layer.size, Reverse(*at)));
        let Some((at, _)) = smallest else { break };
        let smallest = layers.remove(at);
        join(&mut layers, smallest);
    }
    new.sort_by_key(|unit| (Reverse(unit.size), unit.name));
    for unit in new {
        if layers.len() < room { layers.push(unit) } else { join(&mut layers, unit) }
    }
    layers
}

/// Puts a group into the layer where it costs least.
fn join<'a>(layers: &mut Vec<Group<'a>>, group: Group<'a>) {
    match layers.iter_mut().min_by_key(|layer| layer.cost_of_joining(&group)) {
        Some(layer) => layer.absorb(group),
        None => layers.push(group),
    }
}
