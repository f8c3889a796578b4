//! Presence: every claim and every measurement gets a verdict, and only questions that were asked are answered.

use measure::Prover;
use presence::{Direction, PresenceParams, Reference, Sight, judge, land};
use survey::{Locator, READINGS_MIN, Reading};
use types::{ChainId, Place};

/// Nodes of the made-up earth, one for each so many cells of land.
const EVERY: usize = 400;

pub(crate) fn run(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let mut word = || {
        let mut word = [0; 4];
        word.iter_mut().for_each(|byte| *byte = bytes.next().unwrap_or(0));
        u32::from_le_bytes(word)
    };
    let (lat, lon) = (word() % 1_800_001, word() % 3_600_000);
    let small = |value: u32, from: i32| i32::try_from(value).expect("below 2³¹") - from;
    let place = Place::new(small(lat, 900_000), small(lon, 1_800_000)).expect("on earth");
    let continent = ChainId::ALL[usize::try_from(word() % 7 + 1).expect("small")];
    let nodes: Vec<&land::Cell> = land::cells().step_by(EVERY).collect();

    let mut sights = Vec::new();
    let mut readings = Vec::new();
    for (witness, node) in nodes.iter().enumerate() {
        let (expected_us, rtt_us) = (word(), word());
        let rtt_us = (rtt_us % 4 != 0).then_some(rtt_us);
        sights.push(Sight { witness: node.direction, expected_us, rtt_us });
        readings.extend(rtt_us.map(|rtt_us| Reading { witness, rtt_us }));
    }
    let params = PresenceParams::DEFAULT;
    let judgement = judge(place, continent, &sights, &params);
    sights.reverse();
    assert_eq!(judgement, judge(place, continent, &sights, &params), "in any order");

    let directions: Vec<Direction> = nodes.iter().map(|node| node.direction).collect();
    let continents: Vec<ChainId> = nodes.iter().map(|node| node.continent).collect();
    let pairs = (1..nodes.len()).map(|node| (node - 1, node, word()));
    let reference = Reference::new(directions, pairs);
    let located = Locator::new(&reference, &continents).locate(&readings, None);
    assert_eq!(located.is_some(), readings.len() >= READINGS_MIN);

    let mut prover = Prover::default();
    prover.open(3, [7; 8], &measure::SessionKey([9; 32])).expect("the first session");
    assert!(prover.receive(input).is_none(), "nobody without the key is answered");
}
