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
    /// The same, and of all places it claims the one around which most of the witnesses that matter are on its side.
    Targeted,
    /// The prover answers through a relay that stands at the claimed place, and the key is where the prover is.
    Proxy,
}

impl Attack {
    pub const ALL: [Self; 4] = [Self::Framing, Self::Mimic, Self::Targeted, Self::Proxy];

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
            && network.km(prover, *other) > u32::from(trial.params.far_km)
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

/// Of the witnesses around the claim that could exclude the prover's true place, the part that will say so though it is
/// true, in millionths.
fn friendly(trial: &Trial<'_>, lie: Lie, liars: &[bool]) -> u64 {
    let expected = trial.expectation(lie.claimed, lie.prover);
    let (able, friends) = trial
        .pool(lie.claimed, &[lie.prover, lie.claimed])
        .into_iter()
        .filter(|witness| trial.excludes(*witness, lie.prover, expected(*witness)))
        .fold((0, 0), |(able, friends), witness| {
            let measured = trial.network.rtt_us(lie.prover, witness);
            let errs = measured.is_some_and(|us| trial.excludes(witness, lie.prover, us));
            (able + 1, friends + u64::from(liars[witness] || errs))
        });
    if able < u64::from(trial.params.able_min) { 0 } else { friends * 1_000_000 / able }
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
            let from_relay = network.rtt_us(lie.claimed, witness)?;
            from_relay.saturating_add(network.rtt_us(lie.prover, lie.claimed)?)
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
