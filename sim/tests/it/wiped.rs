//! A validator whose disk is empty when it comes back.

use sim::{Fault, Outcome, Plants, Property, Scenario, run};
use types::network::TERM_BLOCKS_MIN;

fn wiped(validators: usize, seed: u64) -> Outcome {
    let mut scenario = Scenario::calm(seed, validators);
    scenario.faults = vec![(9_000, Fault::Wipe { validator: 1, ms: 300 })];
    scenario.healed = 11_000;
    run(&scenario, Plants::default())
}

/// The oldest block it has after the wipe.
fn back_at(outcome: &Outcome) -> u64 {
    let line = outcome.log.iter().rfind(|line| line.contains("validator 1 begins at height"));
    let height = line.and_then(|line| line.rsplit(' ').next()).and_then(|word| word.parse().ok());
    height.expect("the wiped validator is back")
}

#[test]
fn it_syncs_the_state_instead_of_replaying_the_chain() {
    for validators in [4, 7] {
        for seed in 1..=3 {
            let outcome = wiped(validators, seed);
            assert_eq!(outcome.violations, [], "seed {seed}");
            // A validator that replays has block 1.
            assert!(back_at(&outcome) > 16, "seed {seed}: back at {}", back_at(&outcome));
        }
    }
}

/// The others cannot agree without it, so it comes back to the very view in which it voted before.
#[test]
fn one_that_votes_at_once_signs_twice_and_is_caught() {
    let caught = (1..=20).any(|seed| {
        let mut scenario = Scenario::calm(seed, 4);
        scenario.block_ms = 200;
        scenario.faults = vec![
            (3_000, Fault::Crash { validator: 3, ms: 4_000 }),
            (3_100, Fault::Wipe { validator: 1, ms: 200 }),
        ];
        scenario.healed = 9_000;
        let honest = run(&scenario, Plants::default());
        assert_eq!(honest.violations, [], "seed {seed}");
        let outcome = run(&scenario, Plants { forgetful: true, ..Plants::default() });
        outcome.violations.iter().any(|violation| violation.property == Property::OneVote)
    });
    assert!(caught, "none of 20 seeds saw it vote twice");
}

/// Its share of a later term was on the disk. It follows until it is dealt the next, and then the others can do without
/// another one.
#[test]
fn in_a_later_term_it_votes_again_with_the_next_shares() {
    let mut scenario = Scenario::calm(7, 4);
    (scenario.block_ms, scenario.term_blocks) = (150, TERM_BLOCKS_MIN);
    // What it was dealt in this term it has acknowledged and lost: only the term after next has it vote.
    let (wiped, away) = (9_000, 33_000);
    scenario.faults = vec![
        (wiped, Fault::Wipe { validator: 1, ms: 300 }),
        (away, Fault::Crash { validator: 2, ms: 6_000 }),
    ];
    scenario.healed = 40_000;
    let outcome = run(&scenario, Plants::default());
    assert_eq!(outcome.violations, []);
    assert!(back_at(&outcome) > TERM_BLOCKS_MIN, "it was wiped after the first term");
    let height = |from: u64, to: u64| {
        let of = |line: &String| {
            let (ms, rest) = line.trim_start().split_once(" ms")?;
            let ms: u64 = ms.parse().ok()?;
            let height = rest.split_once(": block ")?.1.split_once(' ')?.0.parse::<u64>().ok()?;
            (from..to).contains(&ms).then_some(height)
        };
        outcome.log.iter().filter_map(of).max().unwrap_or(0)
    };
    let (before, after) = (height(wiped, away), height(away, away + 6_000));
    println!(
        "wiped in term {}, blocks {before} to {after} while another was away",
        back_at(&outcome) / TERM_BLOCKS_MIN
    );
    assert!(after > before + 10, "without its vote the others stand still: {before} to {after}");
}
