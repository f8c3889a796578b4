//! Where a node stands, without its word for it: whose measurements do its own resemble, and who of the witnesses sings
//! another song?
//!
//! Readings are compared, in logarithms, with what each known node measures to the same witnesses (a fingerprint). Liars who
//! collude point to one other place; averaging does not get rid of them, so each reading is explained by the place that is
//! sought *or*, at a price, by one other place far from it, and what the other explains better is left out. The price makes
//! the majority win. Then physics may judge hard: what a remaining witness makes impossible is out. The point is a mean of
//! the known nodes near there that the node itself is near to.
//!
//! Constants are in units of the rule, lie on plateaus (docs/presence.md has the sensitivities), and know no node or city.

use presence::{Direction, Reference};
use std::collections::BTreeMap;
use types::{ChainId, Place};

/// Logarithms to the base 2 are Q16.
const ONE: i64 = 1 << 16;
const fn hundredths(value: i64) -> i64 {
    value * ONE / 100
}

/// Added to times before they are compared: below 4 ms a difference is the last mile's.
const OFFSET_US: u64 = 4_000;
/// No reading speaks louder than a factor of four against a place.
const MISFIT_MAX: i64 = 2 * ONE;
/// What a pair that nobody measured counts as.
const MISFIT_UNKNOWN: i64 = hundredths(30);
/// Beyond light by a factor of four is no worse than that, and counts a fifth.
const IMPOSSIBLE_MAX: i64 = 2 * ONE;
const IMPOSSIBLE_PART: i64 = 5;
/// A place, and a node, are known to so many kilometres.
const SLACK_KM: u64 = 100;
/// Places that may be the one sought.
const CANDIDATES: usize = 10;
/// What it costs to call a witness a liar: so much, and four times what its reading differs from the liars' song.
const LIAR: i64 = hundredths(30);
const LIAR_TIMES: i64 = 4;
/// What it costs that there are liars at all.
const LIARS: i64 = hundredths(5);
/// Most of the witnesses that may be called so, in hundredths.
const LIARS_PERCENT_MAX: usize = 42;
/// The liars' place is on another continent, or as good as.
const ELSEWHERE_KM: u32 = 2_000;
/// Known nodes that say about where it is, and from how far around.
const ABOUT: usize = 5;
const AROUND_KM: u32 = 1_500;
/// Of those, the ones whose mean is the point.
const NEAREST: usize = 6;
/// Known nodes that vote on the continent.
const VOTERS: usize = 12;
/// Added to misfits before they become weights, so that none is infinite.
const WEIGHT_SLACK: i64 = hundredths(3);
const NEAR_SLACK: i64 = hundredths(7);
const NEAR_SLACK_US: u64 = 1_000;
/// Light in fibre, there and back.
const M_PER_MS: u64 = 99_931;
/// What a node measures of a witness on the same machine.
const SELF_US: u32 = 500;
/// Fewer readings locate nothing.
pub const READINGS_MIN: usize = 3;

/// Where a node seems to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The most likely place.
    pub place: Place,
    /// The continent of that place.
    pub continent: ChainId,
    /// Readings that were believed.
    pub believed: usize,
}

/// A time that was measured between the node and a known one, by its place in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which witness, by its place in the list.
    pub witness: usize,
    /// Its quickest round trip, in microseconds.
    pub rtt_us: u32,
}

/// Known nodes, prepared.
#[derive(Clone, Debug)]
pub struct Locator<'a> {
    reference: &'a Reference,
    continents: &'a [ChainId],
    /// Row by row: kilometres between two nodes, and the logarithms of what was measured and of what light needs.
    km: Vec<u32>,
    measured: Vec<Option<i64>>,
    light: Vec<i64>,
}

impl<'a> Locator<'a> {
    /// `continents` are those of the reference's nodes, in their order.
    #[must_use]
    pub fn new(reference: &'a Reference, continents: &'a [ChainId]) -> Self {
        let directions = reference.directions();
        assert_eq!(directions.len(), continents.len(), "one list");
        let (mut km, mut measured, mut light) = (Vec::new(), Vec::new(), Vec::new());
        for (a, from) in directions.iter().enumerate() {
            for (b, to) in directions.iter().enumerate() {
                let away = from.km(to);
                km.push(away);
                let us = if a == b { Some(SELF_US) } else { reference.rtt_us(a, b) };
                measured.push(us.map(log_of_time));
                let us = u64::from(away) * 1_000_000 / M_PER_MS;
                light.push(log2(us + OFFSET_US));
            }
        }
        Self { reference, continents, km, measured, light }
    }

    /// Locate a node by its readings, each of another witness. `itself`, if it is a known node, does not speak.
    ///
    /// `None` if there are fewer than [`READINGS_MIN`] readings or as few other nodes.
    #[must_use]
    pub fn locate(&self, readings: &[Reading], itself: Option<usize>) -> Option<Located> {
        let count = self.continents.len();
        let known: Vec<usize> = (0..count).filter(|node| Some(*node) != itself).collect();
        let readings: Vec<Reading> =
            readings.iter().copied().filter(|reading| reading.witness < count).collect();
        if readings.len() < READINGS_MIN || known.len() < READINGS_MIN {
            return None;
        }
        let fits = self.fits(&known, &readings);
        let honest = self.believe(&known, &fits, readings.len());
        let scores = scores(&fits, &honest);
        let order = ascending(scores.iter().copied());

        let about =
            self.mean(order.iter().take(ABOUT).map(|index| (known[*index], scores[*index])));
        let near = self.nearest(&known, &readings, &honest, &scores, &about);
        let direction = if near.is_empty() {
            about
        } else {
            self.centre(near.iter().map(|(node, weight)| (*node, *weight)))
        };
        Some(Located {
            place: direction.place(),
            continent: self.vote(&known, &order, &scores, &near),
            believed: honest.iter().filter(|honest| **honest).count(),
        })
    }

    /// How each reading fits each known node.
    fn fits(&self, known: &[usize], readings: &[Reading]) -> Vec<Vec<Fit>> {
        let logs: Vec<(i64, i64)> = readings
            .iter()
            .map(|reading| {
                let reach = u64::from(reading.rtt_us) * M_PER_MS / 1_000_000;
                (log_of_time(reading.rtt_us), log2(reach + SLACK_KM))
            })
            .collect();
        let count = self.continents.len();
        let fit = |node: usize, reading: &Reading, (time, reach): (i64, i64)| {
            let pair = node * count + reading.witness;
            let misfit = self.measured[pair]
                .map_or(MISFIT_UNKNOWN, |known| (time - known).abs().min(MISFIT_MAX));
            let song = misfit.min((time - self.light[pair]).abs());
            let beyond = log2(u64::from(self.km[pair]) + 1) - reach;
            Fit {
                misfit,
                liar: LIAR + LIAR_TIMES * song,
                impossible: beyond.clamp(0, IMPOSSIBLE_MAX) / IMPOSSIBLE_PART,
            }
        };
        known
            .iter()
            .map(|node| {
                readings
                    .iter()
                    .zip(&logs)
                    .map(|(reading, logs)| fit(*node, reading, *logs))
                    .collect()
            })
            .collect()
    }

    /// Which readings are believed: those that the best explanation does not leave to liars.
    fn believe(&self, known: &[usize], fits: &[Vec<Fit>], readings: usize) -> Vec<bool> {
        let all = vec![true; readings];
        let length = i64::try_from(readings).expect("a list's length");
        let plain: Vec<i64> =
            fits.iter().map(|row| row.iter().map(|fit| fit.misfit).sum::<i64>()).collect();
        let mut best = i64::MAX;
        let mut honest = all.clone();
        for here in ascending(plain.iter().copied()).into_iter().take(CANDIDATES) {
            let alone = plain[here] / length + worst(&fits[here], &all);
            if alone < best {
                best = alone;
                honest.clone_from(&all);
            }
            // The song that explains most beside this place.
            let song = (0..known.len())
                .filter(|there| self.km_between(known[here], known[*there]) > ELSEWHERE_KM)
                .filter_map(|there| {
                    let (mut taken, mut cost) = (0_usize, 0_i64);
                    for (main, other) in fits[here].iter().zip(&fits[there]) {
                        taken += usize::from(other.liar < main.misfit);
                        cost += other.liar.min(main.misfit);
                    }
                    (taken * 100 <= readings * LIARS_PERCENT_MAX).then_some((cost, there))
                })
                .min();
            let Some((cost, there)) = song else { continue };
            let left: Vec<bool> = fits[here]
                .iter()
                .zip(&fits[there])
                .map(|(main, other)| other.liar >= main.misfit)
                .collect();
            let cost = cost / length + LIARS + worst(&fits[here], &left);
            if cost < best {
                best = cost;
                honest = left;
            }
        }
        honest
    }

    fn km_between(&self, a: usize, b: usize) -> u32 {
        self.km[a * self.continents.len() + b]
    }

    /// The mean of nodes, those that fit better counting more.
    fn mean(&self, nodes: impl Iterator<Item = (usize, i64)>) -> Direction {
        self.centre(nodes.map(|(node, score)| (node, weight(score))))
    }

    fn centre(&self, nodes: impl Iterator<Item = (usize, i64)>) -> Direction {
        let mut sum = [0_i128; 3];
        let mut first = None;
        for (node, weight) in nodes {
            let direction = self.reference.directions()[node];
            first.get_or_insert(direction);
            for (sum, part) in sum.iter_mut().zip(direction.0) {
                *sum += i128::from(part) * i128::from(weight);
            }
        }
        // Opposite places may cancel out.
        Direction::of(sum).unwrap_or_else(|| first.expect("there are nodes"))
    }

    /// Witnesses that are believed, around `about`, with a short time and a good fit, and what each weighs (Q30).
    fn nearest(
        &self,
        known: &[usize],
        readings: &[Reading],
        honest: &[bool],
        scores: &[i64],
        about: &Direction,
    ) -> Vec<(usize, i64)> {
        let times: BTreeMap<usize, u32> = readings
            .iter()
            .zip(honest)
            .filter(|(_, honest)| **honest)
            .map(|(reading, _)| (reading.witness, reading.rtt_us))
            .collect();
        let mut costs: Vec<(i64, usize)> = known
            .iter()
            .zip(scores)
            .filter(|(node, _)| self.reference.directions()[**node].km(about) < AROUND_KM)
            .filter_map(|(node, score)| {
                let us = u64::from(*times.get(node)?) + NEAR_SLACK_US;
                let us = i64::try_from(us).expect("a time of 32 bits");
                Some((us * (score + NEAR_SLACK), *node))
            })
            .collect();
        costs.sort_unstable();
        costs.truncate(NEAREST);
        let least = costs.first().map_or(1, |(cost, _)| *cost);
        let weight = |cost: i64| {
            let part = (i128::from(least) << 15) / i128::from(cost);
            i64::try_from(part * part).expect("at most one in Q30")
        };
        costs.into_iter().map(|(cost, node)| (node, weight(cost))).collect()
    }

    /// The continent of those that fit best and of those that are nearest, both as a whole counting alike.
    fn vote(
        &self,
        known: &[usize],
        order: &[usize],
        scores: &[i64],
        near: &[(usize, i64)],
    ) -> ChainId {
        let voters: Vec<(usize, i64)> = order
            .iter()
            .take(VOTERS)
            .map(|index| (known[*index], weight(scores[*index])))
            .collect();
        let mut votes: BTreeMap<ChainId, i128> = BTreeMap::new();
        for side in [voters.as_slice(), near] {
            let whole: i128 = side.iter().map(|(_, weight)| i128::from(*weight)).sum();
            for (node, weight) in side {
                let part = (i128::from(*weight) << 30) / whole;
                *votes.entry(self.continents[*node]).or_default() += part;
            }
        }
        let best = votes
            .into_iter()
            .max_by_key(|(continent, votes)| (*votes, std::cmp::Reverse(*continent)));
        best.expect("there are voters").0
    }
}

/// How a reading fits a known node.
#[derive(Clone, Copy)]
struct Fit {
    /// From what that node measured.
    misfit: i64,
    /// The price of calling it a lie that points to that node.
    liar: i64,
    /// How far beyond light.
    impossible: i64,
}

/// The most impossible of the readings that are believed.
fn worst(fits: &[Fit], honest: &[bool]) -> i64 {
    let believed = fits.iter().zip(honest).filter(|(_, honest)| **honest);
    believed.map(|(fit, _)| fit.impossible).max().unwrap_or(0)
}

/// By node, how badly what is believed fits it.
fn scores(fits: &[Vec<Fit>], honest: &[bool]) -> Vec<i64> {
    let count = honest.iter().filter(|honest| **honest).count().max(1);
    let count = i64::try_from(count).expect("a list's length");
    fits.iter()
        .map(|row| {
            let believed = row.iter().zip(honest).filter(|(_, honest)| **honest);
            believed.map(|(fit, _)| fit.misfit).sum::<i64>() / count + worst(row, honest)
        })
        .collect()
}

/// Inversely as the square of a score: at most 2⁴⁴/1966².
fn weight(score: i64) -> i64 {
    let score = score + WEIGHT_SLACK;
    (1 << 44) / (score * score)
}

/// The indices of values, by value, equal ones by index.
fn ascending(values: impl Iterator<Item = i64>) -> Vec<usize> {
    let mut order: Vec<(i64, usize)> = values.zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

fn log_of_time(us: u32) -> i64 {
    log2(u64::from(us) + OFFSET_US)
}

/// The logarithm to the base 2 in Q16, rounded down; of 0 that of 1. Bit by bit: a square above two gives a one.
fn log2(value: u64) -> i64 {
    let value = value.max(1);
    let whole = value.ilog2();
    // 1 ≤ x < 2 in Q62.
    let mut x = u128::from(value) << (62 - whole.min(62)) >> whole.saturating_sub(62);
    let mut log = i64::from(whole);
    for _ in 0..16 {
        x = (x * x) >> 62;
        log <<= 1;
        if x >= 1 << 63 {
            x >>= 1;
            log |= 1;
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_tables() {
        assert_eq!((log2(0), log2(1), log2(2), log2(1 << 40)), (0, 0, ONE, 40 * ONE));
        // log₂ 3 = 1.58496, log₂ 10 = 3.32193.
        assert_eq!((log2(3), log2(10)), (103_872, 217_705));
        assert_eq!(log2(u64::MAX), 64 * ONE - 1);
        for value in 1..5_000 {
            assert!(log2(value) <= log2(value + 1));
        }
    }

    /// Nodes on a grid from Lisbon to Warsaw and from Boston to Denver; times as light in fibre with detours has them.
    fn world() -> (Reference, Vec<ChainId>, Vec<Direction>) {
        let mut directions = Vec::new();
        let mut continents = Vec::new();
        for (continent, west) in [(ChainId::Europe, -9), (ChainId::NorthAmerica, -105)] {
            for lat in (38..54).step_by(3) {
                for lon in (west..west + 32).step_by(4) {
                    let place = Place::new(lat * 10_000, lon * 10_000).unwrap();
                    directions.push(Direction::of_place(place));
                    continents.push(continent);
                }
            }
        }
        let mut pairs = Vec::new();
        for a in 0..directions.len() {
            for b in 0..a {
                pairs.push((a, b, time(&directions[a], &directions[b])));
            }
        }
        (Reference::new(directions.clone(), pairs), continents, directions)
    }

    fn time(a: &Direction, b: &Direction) -> u32 {
        a.km(b) * 16 + 1_500
    }

    #[test]
    fn a_node_is_found_though_a_third_point_elsewhere() {
        let (reference, continents, directions) = world();
        let locator = Locator::new(&reference, &continents);
        let here = Direction::of_place("48.86,2.35".parse().unwrap());
        let fake = directions[directions.len() - 20];
        for liars in [0, 3] {
            let readings: Vec<Reading> = directions
                .iter()
                .enumerate()
                .map(|(witness, direction)| {
                    let lies = liars > 0 && witness % liars == 0;
                    Reading { witness, rtt_us: time(if lies { &fake } else { &here }, direction) }
                })
                .collect();
            let located = locator.locate(&readings, None).unwrap();
            assert_eq!(located.continent, ChainId::Europe);
            let away = Direction::of_place(located.place).km(&here);
            assert!(away < 250, "{away} km away with every {liars}th lying: {located:?}");
            assert_eq!(located.believed < readings.len(), liars > 0);
        }
    }

    #[test]
    fn nothing_is_located_by_nothing() {
        let (reference, continents, _) = world();
        let locator = Locator::new(&reference, &continents);
        assert_eq!(locator.locate(&[], None), None);
        let strange = [Reading { witness: 9_999, rtt_us: 1 }; 5];
        assert_eq!(locator.locate(&strange, None), None);
        let zeros: Vec<Reading> = (0..5).map(|witness| Reading { witness, rtt_us: 0 }).collect();
        assert!(locator.locate(&zeros, Some(2)).is_some(), "contradictions end in some place");
        let ages: Vec<Reading> =
            (0..5).map(|witness| Reading { witness, rtt_us: u32::MAX }).collect();
        assert!(locator.locate(&ages, None).is_some());
    }
}
