//! A plan that knows of no older one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::grouping::Group;
use super::spread;

/// Leaves as many groups alone as there is room for, beginning with the largest. The others are spread over a quarter of
/// the room by their source package's name.
///
/// Builds without a lock come here each time, so that this, too, shall change little when the packages do: the spread
/// looks at nothing but the name, and a group that meets no other one there stays as it was. So one package more
/// changes the layer it comes to, and at most drives one that was alone into another. Sizes count by their magnitude
/// alone, for a new version is seldom twice as large.
pub(super) fn groups(mut alone: Vec<Group<'_>>, room: usize) -> Vec<Group<'_>> {
    let buckets = room.div_ceil(4) as u64;
    alone.sort_by_key(|group| (Reverse(group.size.checked_ilog2()), group.name));
    let mut shared: BTreeMap<u64, Group<'_>> = BTreeMap::new();
    while alone.len() + shared.len() > room {
        let Some(smallest) = alone.pop() else { break };
        let bucket = spread(smallest.source()).checked_rem(buckets).unwrap_or(0);
        match shared.get_mut(&bucket) {
            Some(group) => group.absorb(smallest),
            None => {
                shared.insert(bucket, smallest);
            }
        }
    }
    alone.extend(shared.into_values());
    alone
}
