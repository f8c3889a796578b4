//! The rule: a claim stands if all land on other continents is refuted.

use crate::{Direction, cosine_of_km, land};
use serde::Serialize;
use types::{ChainId, Place, presence::PresenceParams};

/// What a claim is worth (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Refuted or not covered: nothing.
    Unproven,
    /// No land elsewhere fits at the speeds that the Internet usually has: may work, may neither vote nor witness.
    Provisional,
    /// No land elsewhere fits at the speed of light in fibre, nor at the usual speeds by more witnesses than a third of
    /// liars are by chance.
    Certified,
}

impl Tier {
    /// The name on the command line, such as `certified`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Provisional => "provisional",
            Self::Certified => "certified",
        }
    }
}

/// What one witness of the committee brings.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Where it stands.
    pub witness: Direction,
    /// What it would measure if the claim were true ([`Reference::expected_us`](crate::Reference::expected_us)).
    pub expected_us: u32,
    /// What it measured; `None` if it said nothing.
    pub rtt_us: Option<u32>,
}

/// Land that a claim could not be told from: where the node may stand instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Weakness {
    /// A place on land that could not be ruled out.
    pub cell: Place,
    /// The continent it is on.
    pub continent: ChainId,
    /// Witnesses that would exclude it, were the claim true.
    pub able: u16,
    /// Those of them that did.
    pub refuted: u16,
}

/// What the measured times say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The strictest tier that holds.
    pub tier: Tier,
    /// The land that keeps the claim from `Certified`, and from `Provisional`: of all, the one with the least part refuted.
    pub not_certified: Option<Weakness>,
    /// What keeps the claim from the weakest tier, if anything does.
    pub not_provisional: Option<Weakness>,
    /// Pairs of land and witness that were looked at: the work this took.
    pub looked_at: u64,
}

/// Judge the claim to stand at `place` and to be of `continent`. The answer does not depend on the order of the sights.
#[must_use]
pub fn judge(
    place: Place,
    continent: ChainId,
    sights: &[Sight],
    params: &PresenceParams,
) -> Judgement {
    let here = Direction::of_place(place);
    let far = cosine_of_km(u32::from(params.far_km));
    let witnesses: Vec<Witnessed> =
        sights.iter().map(|sight| Witnessed::new(sight, &here, params)).collect();
    let mut worst = [Worst::default(), Worst::default(), Worst::default()];
    let mut looked_at = 0;
    let mut unsure = Vec::new();
    for block in land::blocks() {
        // Most witnesses are on one side of a block with all of it.
        let mut sure = Counts::default();
        unsure.clear();
        for witnessed in &witnesses {
            match witnessed.excludes_all_or_nothing(witnessed.witness.dot(&block.middle)) {
                Some(excluded) => sure.add(excluded),
                None => unsure.push(witnessed),
            }
        }
        for cell in &block.cells {
            if cell.continent == continent || cell.direction.dot(&here) >= far {
                continue;
            }
            let mut counts = sure;
            for witnessed in &unsure {
                counts.add(witnessed.excludes(witnessed.witness.dot(&cell.direction)));
            }
            looked_at += sights.len() as u64;
            let [strict, usual] = [(counts.0[0], counts.0[1]), (counts.0[2], counts.0[3])];
            let usually = is_quorum(usual, params);
            worst[0].see(cell, strict, is_quorum(strict, params), params);
            worst[1].see(cell, usual, usually, params);
            worst[2].see(cell, usual, usually && is_beyond_chance(usual), params);
        }
    }
    let [strict, usual, chance] = worst.map(|worst| worst.found);
    let not_certified = strict.or(chance);
    let tier = match (not_certified, usual) {
        (None, _) => Tier::Certified,
        (Some(_), None) => Tier::Provisional,
        (Some(_), Some(_)) => Tier::Unproven,
    };
    Judgement { tier, not_certified, not_provisional: usual, looked_at }
}

/// Are enough able, and have enough of them refuted?
fn is_quorum((able, refuted): (u16, u16), params: &PresenceParams) -> bool {
    able >= params.able_min
        && u64::from(refuted) * 10_000 >= u64::from(able) * u64::from(params.refuted_bps)
}

/// Is `refuted` of `able` more than a third by √5 standard deviations and a half for counting: 6r − 3 − 2n ≥ √40n? Where each
/// of them lies with a chance of a third, so many do in one case of 69 at most, and one fewer in one of 70 at least.
///
/// It is asked at the usual speeds, where more witnesses are able than light leaves: a bare quorum of few is what a liar finds
/// who may choose its neighbourhood (ADR 14).
fn is_beyond_chance((able, refuted): (u16, u16)) -> bool {
    let (able, refuted) = (u64::from(able), u64::from(refuted));
    (6 * refuted).checked_sub(2 * able + 3).is_some_and(|beyond| beyond * beyond >= 40 * able)
}

/// Could a signal get from `a` to `b` and back in `rtt_us`? If not, somebody lies about its place or about the time.
#[must_use]
pub fn is_within_reach(a: &Direction, b: &Direction, rtt_us: u32, params: &PresenceParams) -> bool {
    a.km(b) <= reach_km(rtt_us, params.strict_m_per_ms)
}

/// Whole kilometres that a round trip may lead away, rounded up.
fn reach_km(rtt_us: u32, m_per_ms: u32) -> u32 {
    let km = (u64::from(rtt_us) * u64::from(m_per_ms)).div_ceil(1_000_000);
    u32::try_from(km).unwrap_or(u32::MAX)
}

/// What is asked of a witness and a cell, at the strict speed and then at the usual one: is the cell out of reach in the
/// time that was expected, and is it in the one measured as well?
type Four<T> = [T; 4];

/// Numbers of witnesses for which each of these holds.
#[derive(Clone, Copy, Default)]
struct Counts(Four<u16>);

impl Counts {
    #[inline]
    fn add(&mut self, excluded: Four<bool>) {
        for (count, excluded) in self.0.iter_mut().zip(excluded) {
            *count += u16::from(excluded);
        }
    }
}

/// A witness, and the cosines (Q60) below which a cell is out of reach.
struct Witnessed {
    witness: Direction,
    cell: Four<i64>,
    /// Of the middle of a block, below which all of it is, and below which some of it may be.
    all_of_block: Four<i64>,
    some_of_block: Four<i64>,
}

impl Witnessed {
    fn new(sight: &Sight, here: &Direction, params: &PresenceParams) -> Self {
        // Who measured a time in which nothing gets to the claim and back does not speak for it.
        let measured = sight.rtt_us.filter(|us| is_within_reach(here, &sight.witness, *us, params));
        let beyond_km = |speed: u32| {
            // All of a cell has to be out of reach.
            let beyond = |us: u32| reach_km(us, speed).saturating_add(land::CELL_RADIUS_KM);
            let able = beyond(sight.expected_us);
            [able, measured.map_or(u32::MAX, |us| beyond(us).max(able))]
        };
        let [a, b] = beyond_km(params.strict_m_per_ms);
        let [c, d] = beyond_km(params.usual_m_per_ms);
        let cosines = |of: fn(u32) -> u32| [a, b, c, d].map(|km| cosine_of_km(of(km)));
        Self {
            witness: sight.witness,
            cell: cosines(|km| km),
            all_of_block: cosines(|km| km.saturating_add(land::BLOCK_RADIUS_KM)),
            some_of_block: cosines(|km| km.saturating_sub(land::BLOCK_RADIUS_KM)),
        }
    }

    #[inline]
    fn excludes(&self, cosine: i64) -> Four<bool> {
        below(cosine, &self.cell)
    }

    /// What holds for all cells of a block, by its middle's cosine; `None` if it is not one thing.
    #[inline]
    fn excludes_all_or_nothing(&self, cosine: i64) -> Option<Four<bool>> {
        let all = below(cosine, &self.all_of_block);
        (all == below(cosine, &self.some_of_block)).then_some(all)
    }
}

#[inline]
fn below(cosine: i64, limits: &Four<i64>) -> Four<bool> {
    let [a, b, c, d] = *limits;
    [cosine < a, cosine < b, cosine < c, cosine < d]
}

/// The cell that is refuted least, of those that are not refuted enough.
#[derive(Default)]
struct Worst {
    found: Option<Weakness>,
}

impl Worst {
    fn see(
        &mut self,
        cell: &land::Cell,
        counts: (u16, u16),
        enough: bool,
        params: &PresenceParams,
    ) {
        if enough {
            return;
        }
        let (able, refuted) = counts;
        // By what part of the committee's least it lacks; the first of equals, from the south.
        let lacks =
            |able: u16, refuted: u16| (u32::from(refuted), u32::from(able.max(params.able_min)));
        let (part, whole) = lacks(able, refuted);
        let worse = self.found.is_none_or(|known| {
            let (known_part, known_whole) = lacks(known.able, known.refuted);
            part * known_whole < known_part * whole
        });
        if worse {
            self.found =
                Some(Weakness { cell: cell.place, continent: cell.continent, able, refuted });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of `witnesses` stand at the claim and could exclude all that is far away; `said` of them do.
    fn tier(witnesses: usize, said: usize) -> Tier {
        let place: Place = "50.11,8.68".parse().unwrap();
        let witness = Direction::of_place(place);
        let sights: Vec<Sight> = (0..witnesses)
            .map(|index| Sight {
                witness,
                expected_us: 2_000,
                rtt_us: (index < said).then_some(1_000),
            })
            .collect();
        let judgement = judge(place, ChainId::Europe, &sights, &PresenceParams::DEFAULT);
        let missing = [judgement.not_certified, judgement.not_provisional];
        for weakness in missing.into_iter().flatten() {
            assert_eq!(
                (usize::from(weakness.able), usize::from(weakness.refuted)),
                (witnesses, said)
            );
        }
        judgement.tier
    }

    #[test]
    fn few_are_a_quorum_for_work_and_more_for_a_vote() {
        assert_eq!(tier(8, 8), Tier::Unproven);
        assert_eq!([4, 5, 6, 7, 9].map(|said| tier(9, said)), {
            use Tier::{Certified as C, Provisional as P, Unproven as U};
            [U, P, P, C, C]
        });
        // Of many, 45 % are beyond chance.
        assert_eq!([43, 44].map(|said| tier(96, said)), [Tier::Unproven, Tier::Certified]);
    }

    /// Of the 3ⁿ ways in which each of `n` is one of three, those in which `k` or more are the first.
    fn ways(n: u32, k: u32) -> u128 {
        let choose =
            |j: u32| (0..j).fold(1_u128, |all, i| all * u128::from(n - i) / u128::from(i + 1));
        (k..=n).map(|j| choose(j) << (n - j)).sum()
    }

    #[test]
    fn a_third_of_liars_are_beyond_chance_in_one_case_of_seventy() {
        assert_eq!((ways(4, 0), ways(2, 1)), (81, 5));
        for able in 9..=70_u16 {
            let least = (0..=able).find(|refuted| is_beyond_chance((able, *refuted))).unwrap();
            assert!((least..=able).all(|refuted| is_beyond_chance((able, refuted))));
            let all = 3_u128.pow(able.into());
            let (n, k) = (u32::from(able), u32::from(least));
            assert!(ways(n, k) <= all / 69, "{least} of {able}");
            assert!(ways(n, k - 1) > all / 70, "{least} of {able}");
        }
        let of = |able: u16| (0..=able).find(|refuted| is_beyond_chance((able, *refuted)));
        assert_eq!([3, 9, 30, 60, 96].map(of), [None, Some(7), Some(17), Some(29), Some(43)]);
    }
}
