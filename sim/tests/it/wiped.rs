//! A validator whose disk is empty when it comes back.

use sim::{Fault, Outcome, Plants, Property, Scenario, run};

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
            // Whoever replays has block 1.
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
