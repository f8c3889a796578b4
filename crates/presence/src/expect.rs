//! How long a round trip would take if a claim were true: what published measurements near there say.

use crate::Direction;
use std::collections::BTreeMap;

/// No such pair was measured.
pub const UNKNOWN_US: u32 = u32::MAX;
/// Nodes near a claim whose measurements speak for it.
const NEIGHBOURS: usize = 7;
/// Of their times the third shortest counts: a claim is not tied to the one with the best line, nor to the worst.
const RANK: usize = 2;
/// A claim may be slower than its neighbours by a fifth and 2 ms.
const SLOWER_PERCENT: u64 = 120;
const SLOWER_US: u64 = 2_000;
/// What a machine that is both claimant's neighbour and witness would have measured of itself.
const SELF_US: u32 = 500;
/// Where nobody measured: 6 ms and 25 µs for each kilometre, which three of four pairs of well-connected cities keep.
const PLAIN_US: u64 = 6_000;
const PLAIN_US_PER_KM: u64 = 25;

/// Nodes whose places are known, and the shortest round trips between them.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    directions: Vec<Direction>,
    times: Times,
}

/// Microseconds between two nodes, as short both ways.
#[derive(Clone, Debug)]
enum Times {
    /// Row by row; [`UNKNOWN_US`] where not measured.
    Table(Vec<u32>),
    /// Where few are known; the lower number first.
    Pairs(BTreeMap<(u16, u16), u32>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Table(Vec::new())
    }
}

impl Reference {
    /// Nodes in order, and of pairs of them what was measured in either direction, in microseconds. Pairs of a node with
    /// itself or with one that is not there are passed over.
    #[must_use]
    pub fn new(
        directions: Vec<Direction>,
        pairs: impl IntoIterator<Item = (usize, usize, u32)>,
    ) -> Self {
        let count = directions.len();
        let mut rtt_us = vec![UNKNOWN_US; count * count];
        for (a, b, us) in pairs {
            if a != b && a < count && b < count {
                let shorter = us.min(rtt_us[a * count + b]);
                rtt_us[a * count + b] = shorter;
                rtt_us[b * count + a] = shorter;
            }
        }
        Self { directions, times: Times::Table(rtt_us) }
    }

    /// [`new`](Self::new) for at most 65,535 nodes of which only some are asked about: no table of all pairs is made.
    #[must_use]
    pub fn sparse(
        directions: Vec<Direction>,
        pairs: impl IntoIterator<Item = (u16, u16, u32)>,
    ) -> Self {
        let count = directions.len();
        let mut times = BTreeMap::new();
        for (a, b, us) in pairs {
            if a != b && usize::from(a.max(b)) < count {
                let known = times.entry((a.min(b), a.max(b))).or_insert(us);
                *known = us.min(*known);
            }
        }
        Self { directions, times: Times::Pairs(times) }
    }

    /// Where the measured places stand, in the order of their numbers.
    #[must_use]
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// The round trip between two of them in microseconds, as measured; none if nobody measured it.
    #[must_use]
    pub fn rtt_us(&self, a: usize, b: usize) -> Option<u32> {
        let us = match &self.times {
            Times::Table(rtt_us) => rtt_us[a * self.directions.len() + b],
            Times::Pairs(times) => {
                let place = |node: usize| u16::try_from(node).ok();
                *times.get(&(place(a.min(b))?, place(a.max(b))?))?
            }
        };
        (us != UNKNOWN_US).then_some(us)
    }

    /// The nodes whose measurements speak for a place, nearest first. `without` (a few) do not: a node that is judged does not
    /// speak for itself.
    #[must_use]
    pub fn neighbours(&self, place: &Direction, without: &[usize]) -> Vec<usize> {
        let mut nodes: Vec<(i64, usize)> = (0..self.directions.len())
            .filter(|node| !without.contains(node))
            .map(|node| (-self.directions[node].dot(place), node))
            .collect();
        if nodes.len() > NEIGHBOURS {
            nodes.select_nth_unstable(NEIGHBOURS);
            nodes.truncate(NEIGHBOURS);
        }
        nodes.sort_unstable();
        nodes.into_iter().map(|(_, node)| node).collect()
    }

    /// Microseconds that a witness would measure at most, as a rule, if the claim were true. `witness` is a node of this
    /// reference, `neighbours` are those of the claim, `km` the distance between claim and witness.
    #[must_use]
    pub fn expected_us(&self, neighbours: &[usize], witness: usize, km: u32) -> u32 {
        let mut times: Vec<u32> = neighbours
            .iter()
            .filter_map(|node| match *node == witness {
                true => Some(SELF_US),
                false => self.rtt_us(*node, witness),
            })
            .collect();
        times.sort_unstable();
        let us = match times.get(RANK) {
            Some(third) => u64::from(*third) * SLOWER_PERCENT / 100 + SLOWER_US,
            None => PLAIN_US + PLAIN_US_PER_KM * u64::from(km),
        };
        u32::try_from(us).unwrap_or(UNKNOWN_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Place;

    fn direction(text: &str) -> Direction {
        Direction::of_place(text.parse::<Place>().unwrap())
    }

    #[test]
    fn a_sparse_reference_says_what_a_table_says() {
        let cities = ["52.5,13.4", "48.1,11.6", "50.1,8.7", "40.7,-74"].map(direction).to_vec();
        let pairs = [(0, 3, 90_000), (3, 0, 95_000), (1, 3, 100_000), (1, 1, 5), (2, 9, 7)];
        let table = Reference::new(
            cities.clone(),
            pairs.map(|(a, b, us)| (usize::from(a), usize::from(b), us)),
        );
        let sparse = Reference::sparse(cities, pairs);
        for (a, b) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            assert_eq!(sparse.rtt_us(a, b), table.rtt_us(a, b), "{a} {b}");
        }
        assert_eq!(sparse.rtt_us(3, 0), Some(90_000));
    }

    #[test]
    fn neighbours_speak_for_a_place_and_where_there_are_none_a_rule_does() {
        let cities = ["52.5,13.4", "48.1,11.6", "50.1,8.7", "40.7,-74"].map(direction).to_vec();
        let pairs = [(0, 3, 90_000), (1, 3, 100_000), (3, 1, 95_000), (2, 3, 80_000), (1, 1, 5)];
        let reference = Reference::new(cities, pairs);
        assert_eq!(reference.rtt_us(1, 3), Some(95_000), "the shorter of both ways");
        assert_eq!(reference.rtt_us(0, 1), None);
        let near = reference.neighbours(&direction("51,12"), &[]);
        assert_eq!(near, [0, 2, 1, 3]);
        // Itself, 80, 90, 95 ms: 90 · 1.2 + 2.
        assert_eq!(reference.expected_us(&near, 3, 6_300), 110_000);
        let near = reference.neighbours(&direction("51,12"), &[3]);
        assert_eq!(reference.expected_us(&near, 3, 6_300), 95_000 * 6 / 5 + 2_000);
        assert_eq!(reference.expected_us(&near, 0, 100), 6_000 + 2_500, "one was not enough");
    }
}
