//! Honest claims and lies by the thousand, and what came of them.

use crate::{
    Attack, Network,
    dice::Dice,
    lies::{self, Lie},
    trial::Trial,
};
use crate::{Locator, Reading};
use presence::{Direction, PresenceParams, Tier};
use serde::Serialize;
use types::ChainId;

/// A node is covered if so many others measured it within so many microseconds: where there are fewer, nobody near it can
/// testify (DESIGN §4).
const COVERED_BY: usize = 9;
const COVERED_US: u32 = 25_000;
/// A node that fewer measured is neither prover nor target.
const MEASURED_MIN: usize = 12;

/// What is to be tried.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Parts of all nodes that lie, 0 to 1.
    pub liars: Vec<f64>,
    /// How liars lie.
    pub attack: Attack,
    /// What chance starts from: the same seed gives the same report.
    pub seed: u64,
    /// Claims of each honest node, each with other liars and another committee.
    pub rounds: usize,
    /// Lies that are tried.
    pub lies: usize,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// How many it happened to.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// The same in percent; 0 of nothing is 0.
    pub percent: f64,
}

impl Rate {
    fn new(count: u64, of: u64) -> Self {
        let percent = if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 };
        Self { count, of, percent }
    }
}

/// What came of all that was tried on one network.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Nodes of the network.
    pub nodes: usize,
    /// Nodes that at least nine others measured within 25 ms.
    pub covered: usize,
    /// What was tried.
    pub asked: Asked,
    /// The rule that claims were judged by.
    pub params: PresenceParams,
    /// One for each part of liars, in the order of [`Asked::liars`].
    pub results: Vec<LiarsReport>,
}

/// What came of it when one part of all nodes lied.
#[derive(Clone, Debug, Serialize)]
pub struct LiarsReport {
    /// The part of nodes that lied, 0 to 1.
    pub liars: f64,
    /// Where nodes were found without a claim.
    pub located: LocatedReport,
    /// One for each tier.
    pub tiers: Vec<TierReport>,
}

/// Where nodes were found without a claim, with lying witnesses that together point to one place on another continent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LocatedReport {
    /// Of the continents that nodes.csv says.
    pub continent: Rate,
    /// Half of the nodes were found nearer than this to where they stand, in kilometres.
    pub median_km: u32,
    /// Nine in ten were found nearer than this, in kilometres.
    pub p90_km: u32,
}

/// What a tier let in.
#[derive(Clone, Debug, Serialize)]
pub struct TierReport {
    /// The tier.
    pub tier: Tier,
    /// Honest claims, with lying witnesses that refute nothing.
    pub accepted_all: Rate,
    /// Of these claims, those of covered nodes.
    pub accepted_covered: Rate,
    /// Claims of another continent from over 2,500 km away.
    pub accepted_falsely: Rate,
    /// Some of these lies: who really is where nodes.csv says, and who it claimed to stand beside.
    pub some_accepted: Vec<AcceptedLie>,
}

/// A lie that the rule let through.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptedLie {
    /// The name of the node that lied.
    pub prover: String,
    /// The name of the node beside which it claimed to stand.
    pub claimed: String,
}

/// No report lists more of them.
const LISTED_MAX: usize = 20;
/// To locate one node takes time with the square of how many there are: of large networks fewer are located, so that one part
/// of liars takes a minute or two. All cities of wn2020 are, up to 40 rounds.
const LOCATED_PAIRS_MAX: usize = 2_400_000_000;

/// Try all that is asked.
#[must_use]
pub fn evaluate(network: &Network, asked: Asked, params: PresenceParams) -> Report {
    let trial = Trial::new(network, &params);
    let provers: Vec<usize> = (0..network.nodes.len())
        .filter(|node| network.measured_with(*node).count() >= MEASURED_MIN)
        .collect();
    let results = asked
        .liars
        .iter()
        .map(|part| {
            let mut dice = Dice::new(asked.seed);
            let honest = honest(&trial, &provers, *part, asked.rounds, &mut dice);
            let lies = lying(&trial, &provers, *part, &asked, &mut dice);
            let tiers = [Tier::Certified, Tier::Provisional].map(|tier| TierReport {
                tier,
                accepted_all: rate(honest.iter().map(|(_, found)| *found >= tier)),
                accepted_covered: rate(
                    honest.iter().filter(|(covered, _)| *covered).map(|(_, found)| *found >= tier),
                ),
                accepted_falsely: rate(lies.iter().map(|(_, found)| *found >= tier)),
                some_accepted: lies
                    .iter()
                    .filter(|(_, found)| *found >= tier)
                    .take(LISTED_MAX)
                    .map(|(lie, _)| AcceptedLie {
                        prover: network.nodes[lie.prover].name.clone(),
                        claimed: network.nodes[lie.claimed].name.clone(),
                    })
                    .collect(),
            });
            let located = located(network, &provers, *part, asked.rounds, &mut dice);
            LiarsReport { liars: *part, located, tiers: tiers.into() }
        })
        .collect();
    let covered = provers.iter().filter(|node| is_covered(network, **node)).count();
    Report { nodes: network.nodes.len(), covered, asked, params, results }
}

fn rate(outcomes: impl Iterator<Item = bool>) -> Rate {
    let (count, of) = outcomes.fold((0, 0), |(count, of), yes| (count + u64::from(yes), of + 1));
    Rate::new(count, of)
}

fn is_covered(network: &Network, node: usize) -> bool {
    let near = network
        .measured_with(node)
        .filter(|other| network.rtt_us(node, *other).is_some_and(|us| us <= COVERED_US));
    near.count() >= COVERED_BY
}

fn liars(network: &Network, part: f64, dice: &mut Dice) -> Vec<bool> {
    let count = (network.nodes.len() as f64 * part).round() as usize;
    dice.choose(count, network.nodes.len())
}

fn located(
    network: &Network,
    targets: &[usize],
    part: f64,
    rounds: usize,
    dice: &mut Dice,
) -> LocatedReport {
    let continents: Vec<ChainId> = network.nodes.iter().map(|node| node.continent).collect();
    let locator = Locator::new(&network.reference, &continents);
    let (mut right, mut km) = (0, Vec::new());
    let trials = (LOCATED_PAIRS_MAX / network.nodes.len().pow(2) / rounds.max(1)).max(1);
    // Every second, third, ...: files often have their nodes by continent.
    for target in targets.iter().step_by(targets.len().div_ceil(trials).max(1)) {
        for _ in 0..rounds {
            let liars = liars(network, part, dice);
            let elsewhere: Vec<usize> = targets
                .iter()
                .copied()
                .filter(|other| continents[*other] != continents[*target])
                .collect();
            if elsewhere.is_empty() {
                continue;
            }
            let fake = elsewhere[dice.below(elsewhere.len())];
            let readings: Vec<Reading> = network
                .measured_with(*target)
                .filter_map(|witness| {
                    let true_us = network.rtt_us(*target, witness)?;
                    // A liar beside the fake place has not measured itself: it says a millisecond.
                    let fake_us = || network.rtt_us(fake, witness).unwrap_or(1_000);
                    Some(Reading {
                        witness,
                        rtt_us: if liars[witness] { fake_us() } else { true_us },
                    })
                })
                .collect();
            let Some(found) = locator.locate(&readings, Some(*target)) else { continue };
            right += u64::from(found.continent == continents[*target]);
            km.push(Direction::of_place(found.place).km(network.direction(*target)));
        }
    }
    km.sort_unstable();
    let at = |percent: usize| km.get((km.len() * percent / 100).min(km.len().saturating_sub(1)));
    LocatedReport {
        continent: Rate::new(right, km.len() as u64),
        median_km: at(50).copied().unwrap_or(0),
        p90_km: at(90).copied().unwrap_or(0),
    }
}

/// For each claim, whether its node is covered, and what tier it got.
fn honest(
    trial: &Trial<'_>,
    provers: &[usize],
    part: f64,
    rounds: usize,
    dice: &mut Dice,
) -> Vec<(bool, Tier)> {
    let network = trial.network;
    let mut found = Vec::new();
    for node in provers {
        let covered = is_covered(network, *node);
        for _ in 0..rounds {
            let lies = liars(network, part, dice);
            let committee = trial.committee(*node, &[*node], &dice.bytes());
            let continent = network.nodes[*node].continent;
            let judgement = trial.judge(*node, continent, &committee, *node, |witness| {
                if lies[witness] { None } else { network.rtt_us(*node, witness) }
            });
            found.push((covered, judgement.tier));
        }
    }
    found
}

/// Lies, and what tier each got.
fn lying(
    trial: &Trial<'_>,
    provers: &[usize],
    part: f64,
    asked: &Asked,
    dice: &mut Dice,
) -> Vec<(Lie, Tier)> {
    let network = trial.network;
    let mut found = Vec::new();
    let provers = lies::who_can_lie(asked.attack, trial, provers);
    if provers.is_empty() {
        return found;
    }
    while found.len() < asked.lies {
        let liars = liars(network, part, dice);
        let lie = lies::choose(asked.attack, trial, &provers, &liars, dice);
        let committee = trial.committee(lie.claimed, &[lie.prover, lie.claimed], &dice.bytes());
        let continent = network.nodes[lie.claimed].continent;
        let judgement = trial.judge(lie.claimed, continent, &committee, lie.prover, |witness| {
            lies::reported_us(asked.attack, network, lie, witness, liars[witness], trial.params)
        });
        found.push((lie, judgement.tier));
    }
    found
}
