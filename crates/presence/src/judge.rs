//! The rule: a claim stands if all land on other continents is refuted.

use crate::{Direction, cosine_of_metres, land};
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
    /// No land elsewhere fits at the speed of light in fibre.
    Certified,
}

impl Tier {
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
    pub cell: Place,
    pub continent: ChainId,
    /// Witnesses that would exclude it, were the claim true.
    pub able: u16,
    /// Those of them that did.
    pub refuted: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub tier: Tier,
    /// The land that keeps the claim from `Certified`, and from `Provisional`: of all, the one with the least part refuted.
    pub not_certified: Option<Weakness>,
    pub not_provisional: Option<Weakness>,
    /// Pairs of land and witness that were looked at: the work this took.
    pub looked_at: u64,
}

/// Judge the claim to stand at `place` and to be of `continent`. At most [`WITNESSES_MAX`](types::presence::WITNESSES_MAX)
/// sights count. The answer does not depend on their order.
#[must_use]
pub fn judge(
    place: Place,
    continent: ChainId,
    sights: &[Sight],
    params: &PresenceParams,
) -> Judgement {
    let here = Direction::of_place(place);
    let discs = Discs::new(&here, sights, params);
    let far = cosine_of_metres(u64::from(params.far_km) * 1_000);
    let (mut strict, mut usual) = (Worst::default(), Worst::default());
    let mut looked_at = 0;
    for cell in land::cells() {
        if cell.continent == continent || cell.direction.dot(&here) >= far {
            continue;
        }
        let [strict_counts, usual_counts] = discs.count(&cell.direction);
        looked_at += sights.len() as u64;
        strict.see(cell, strict_counts, params);
        usual.see(cell, usual_counts, params);
    }
    let tier = match (strict.found, usual.found) {
        (None, _) => Tier::Certified,
        (Some(_), None) => Tier::Provisional,
        (Some(_), Some(_)) => Tier::Unproven,
    };
    Judgement { tier, not_certified: strict.found, not_provisional: usual.found, looked_at }
}

/// Could a signal get from `a` to `b` and back in `rtt_us`? If not, somebody lies about its place or about the time.
#[must_use]
pub fn is_within_reach(a: &Direction, b: &Direction, rtt_us: u32, params: &PresenceParams) -> bool {
    a.dot(b) >= cosine_of_metres(reach_m(rtt_us, params.strict_m_per_ms))
}

/// Metres that a round trip may lead away, rounded up.
fn reach_m(rtt_us: u32, m_per_ms: u32) -> u64 {
    (u64::from(rtt_us) * u64::from(m_per_ms)).div_ceil(1_000)
}

/// By witness, the cosines (Q60) below which a cell is out of reach: in the expected time, and in the measured one as well.
struct Discs {
    witnesses: Vec<Direction>,
    able: [Vec<i64>; 2],
    refuted: [Vec<i64>; 2],
}

impl Discs {
    fn new(here: &Direction, sights: &[Sight], params: &PresenceParams) -> Self {
        // All of a cell has to be out of reach.
        let cell_m = u64::from(land::CELL_RADIUS_KM) * 1_000;
        let beyond = |us: u32, speed: u32| cosine_of_metres(reach_m(us, speed) + cell_m);
        let mut discs = Self {
            witnesses: Vec::with_capacity(sights.len()),
            able: [Vec::new(), Vec::new()],
            refuted: [Vec::new(), Vec::new()],
        };
        for sight in sights {
            discs.witnesses.push(sight.witness);
            // Who measured a time in which nothing gets to the claim and back does not speak for it.
            let measured =
                sight.rtt_us.filter(|us| is_within_reach(here, &sight.witness, *us, params));
            for (tier, speed) in [params.strict_m_per_ms, params.usual_m_per_ms].into_iter().enumerate()
            {
                let able = beyond(sight.expected_us, speed);
                discs.able[tier].push(able);
                let refuted = measured.map_or(i64::MIN, |us| beyond(us, speed));
                discs.refuted[tier].push(refuted.min(able));
            }
        }
        discs
    }

    /// Of each tier, how many witnesses could exclude a cell and how many do.
    fn count(&self, cell: &Direction) -> [(u16, u16); 2] {
        let mut counts = [(0_u16, 0_u16); 2];
        let thresholds = self.able[0].iter().zip(&self.refuted[0]);
        let usual = self.able[1].iter().zip(&self.refuted[1]);
        for ((witness, (able, refuted)), (able_usual, refuted_usual)) in
            self.witnesses.iter().zip(thresholds).zip(usual)
        {
            let cosine = witness.dot(cell);
            counts[0].0 += u16::from(cosine < *able);
            counts[0].1 += u16::from(cosine < *refuted);
            counts[1].0 += u16::from(cosine < *able_usual);
            counts[1].1 += u16::from(cosine < *refuted_usual);
        }
        counts
    }
}

/// The cell that is refuted least, of those that are not refuted enough.
#[derive(Default)]
struct Worst {
    found: Option<Weakness>,
}

impl Worst {
    fn see(&mut self, cell: &land::Cell, (able, refuted): (u16, u16), params: &PresenceParams) {
        let enough =
            u64::from(refuted) * 10_000 >= u64::from(able) * u64::from(params.refuted_bps);
        if able >= params.able_min && enough {
            return;
        }
        // By what part of the committee's least it lacks; the first of equals, from the south.
        let lacks = |able: u16, refuted: u16| (u32::from(refuted), u32::from(able.max(params.able_min)));
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
