//! Who lies, and how.

use crate::{Network, Trial, dice::Dice};
use presence::{PresenceParams, is_within_reach};
use serde::Serialize;

/// What liars do. In each of them they know everything: the witnesses, each other, the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attack {
    /// Only witnesses lie: of honest provers they say nothing that helps, and all point to one other place. Provers that
    /// lie are those of `Mimic`.
    Framing,
    /// A prover claims a place on another continent, over 2,500 km away; it adds any delay, and lying witnesses say what
    /// helps it most.
    Mimic,
    /// The same, and of all places it claims the one where the witnesses that matter are most on its side, as the rule counts
    /// them: it has no say in who of them is drawn.
    Targeted,
    /// The prover answers through a proxy that stands at the claimed place, and the key is where the prover is.
    Proxy,
}

impl Attack {
    /// Every attack, in the order in which reports list them.
    pub const ALL: [Self; 4] = [Self::Framing, Self::Mimic, Self::Targeted, Self::Proxy];

    /// The name on the command line, such as `framing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Mimic => "mimic",
            Self::Targeted => "targeted",
            Self::Proxy => "proxy",
        }
    }
}

/// A prover and the node it claims to stand beside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lie {
    pub prover: usize,
    pub claimed: usize,
}

/// Where a prover could claim to stand.
fn claims(attack: Attack, trial: &Trial<'_>, provers: &[usize], prover: usize) -> Vec<usize> {
    let network = trial.network;
    let far = |other: &usize| {
        network.nodes[*other].continent != network.nodes[prover].continent
            && trial.km(prover, *other) > u32::from(trial.params.far_km)
            && (attack != Attack::Proxy || network.rtt_us(prover, *other).is_some())
    };
    provers.iter().copied().filter(far).collect()
}

/// The provers that are far enough from somebody to lie.
pub(crate) fn who_can_lie(attack: Attack, trial: &Trial<'_>, provers: &[usize]) -> Vec<usize> {
    let can = |prover: &usize| !claims(attack, trial, provers, *prover).is_empty();
    provers.iter().copied().filter(can).collect()
}

/// One of `provers`, all of whom can lie, and a place that it claims.
pub(crate) fn choose(
    attack: Attack,
    trial: &Trial<'_>,
    provers: &[usize],
    liars: &[bool],
    dice: &mut Dice,
) -> Lie {
    let prover = provers[dice.below(provers.len())];
    let claims = claims(attack, trial, provers, prover);
    let claimed = match attack {
        Attack::Targeted => {
            let friends =
                |claimed: &usize| friendly(trial, Lie { prover, claimed: *claimed }, liars);
            claims.into_iter().max_by_key(friends).expect("it can lie")
        }
        _ => claims[dice.below(claims.len())],
    };
    Lie { prover, claimed }
}

/// How far the witnesses around the claim that will exclude the prover's true place, though it is true, are beyond what the
/// rule asks, at the speed at which they are less so: in thousandths of a standard deviation of a draw.
fn friendly(trial: &Trial<'_>, lie: Lie, liars: &[bool]) -> i64 {
    let params = trial.params;
    let mut counts = [(0_u32, 0_u32); 2];
    for (witness, expected) in trial.pool(lie.claimed, lie.prover) {
        let measured = trial.network.rtt_us(lie.prover, witness);
        for (count, speed) in counts.iter_mut().zip([params.strict_m_per_ms, params.usual_m_per_ms])
        {
            let excludes = |us: u32| trial.excludes(witness, lie.prover, us, speed);
            if excludes(expected) {
                count.0 += 1;
                count.1 += u32::from(liars[witness] || measured.is_some_and(excludes));
            }
        }
    }
    let [(able, friends), (usual_able, usual_friends)] =
        counts.map(|(able, friends)| (f64::from(able), f64::from(friends)));
    // So many of the pool are drawn, and one more may come from anywhere.
    let drawn = f64::from(params.witnesses_near) / f64::from(params.pool.max(1));
    if able * drawn + 1.0 < f64::from(params.able_min) {
        return i64::MIN;
    }
    let beyond =
        |friends: f64, able: f64, needed: f64| (friends - needed) / (able * 2.0 / 9.0).sqrt();
    let quorum = able * f64::from(params.refuted_bps) / 10_000.0;
    let chance = 0.5 + usual_able / 3.0 + (usual_able * 10.0 / 9.0).sqrt();
    let least = beyond(friends, able, quorum).min(beyond(usual_friends, usual_able, chance));
    (least * 1_000.0) as i64
}

/// What a witness reports of a lie. The prover waits, where it would be too quick for the claim; who colludes reports the
/// quickest time that light allows.
pub(crate) fn reported_us(
    attack: Attack,
    network: &Network,
    lie: Lie,
    witness: usize,
    colludes: bool,
    params: &PresenceParams,
) -> Option<u32> {
    let quickest = quickest_us(network, lie.claimed, witness, params);
    if colludes {
        return Some(quickest);
    }
    let measured = match attack {
        Attack::Proxy => {
            let from_proxy = network.rtt_us(lie.claimed, witness)?;
            from_proxy.saturating_add(network.rtt_us(lie.prover, lie.claimed)?)
        }
        _ => network.rtt_us(lie.prover, witness)?,
    };
    Some(measured.max(quickest))
}

/// The quickest time in which light gets from one node to another and back.
pub(crate) fn quickest_us(network: &Network, a: usize, b: usize, params: &PresenceParams) -> u32 {
    let (from, to) = (network.direction(a), network.direction(b));
    let mut us = network.km(a, b) * 1_000 / params.strict_m_per_ms.div_ceil(1_000);
    while !is_within_reach(from, to, us, params) {
        us += 1;
    }
    us
}
