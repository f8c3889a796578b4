//! So many things kept for one group of strangers: one with many names still has one share.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Shares of what is kept for others. `Group`: the owner of a share; `Thing`: what is kept.
pub(crate) struct Quota<Group, Thing> {
    /// Things of one group.
    each: usize,
    /// Things of all groups.
    all: usize,
    /// A thing counts for so long after it came last.
    lives: Duration,
    held: HashMap<Group, HashMap<Thing, Instant>>,
    count: usize,
}

impl<Group: Eq + Hash, Thing: Eq + Hash> Quota<Group, Thing> {
    pub(crate) fn new(each: usize, all: usize, lives: Duration) -> Self {
        Self { each, all, lives, held: HashMap::new(), count: 0 }
    }

    /// Whether `thing` may be kept for `group`. One that is kept already counts from `now`.
    pub(crate) fn admit(&mut self, group: Group, thing: Thing, now: Instant) -> bool {
        if self.count >= self.all {
            self.forget(now);
        }
        let room = self.count < self.all;
        // No entry for a group that gets nothing: otherwise strangers would fill this map instead of the store.
        if !room && !self.held.contains_key(&group) {
            return false;
        }
        let held = self.held.entry(group).or_default();
        if let Some(at) = held.get_mut(&thing) {
            *at = now;
            return true;
        }
        if held.len() >= self.each {
            let before = held.len();
            held.retain(|_, at| now.saturating_duration_since(*at) < self.lives);
            self.count -= before - held.len();
        }
        let admitted = room && held.len() < self.each;
        if admitted {
            held.insert(thing, now);
            self.count += 1;
        }
        admitted
    }

    fn forget(&mut self, now: Instant) {
        let lives = self.lives;
        self.held.retain(|_, held| {
            held.retain(|_, at| now.saturating_duration_since(*at) < lives);
            !held.is_empty()
        });
        self.count = self.held.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_group_has_its_share_and_no_more() {
        let (mut quota, start) = (Quota::new(3, 100, HOUR), Instant::now());
        let admitted = (0..50).filter(|thing| quota.admit("crowd", *thing, start)).count();
        assert_eq!(admitted, 3);
        assert!(quota.admit("other", 1, start), "another group has its own");
        assert!(quota.admit("crowd", 2, start), "what is kept stays kept");
        // Half an hour later one of three is renewed; after an hour the others have ended.
        assert!(quota.admit("crowd", 0, start + HOUR / 2));
        let later = (50..90).filter(|thing| quota.admit("crowd", *thing, start + HOUR)).count();
        assert_eq!(later, 2);
    }

    #[test]
    fn all_groups_together_are_bounded() {
        let (mut quota, start) = (Quota::new(3, 100, HOUR), Instant::now());
        assert_eq!((0..500).filter(|group| quota.admit(*group, (), start)).count(), 100);
        assert_eq!((500..900).filter(|group| quota.admit(*group, (), start + HOUR)).count(), 100);
        assert_eq!(quota.held.len(), 100, "nothing is left of those turned away");
    }
}
