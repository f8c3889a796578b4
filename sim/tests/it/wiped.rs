//! A validator whose disk is empty when it comes back.

use sim::{Fault, Outcome, Plants, Scenario, run};

fn wiped(validators: usize, seed: u64) -> Outcome {
    let mut scenario = Scenario::calm(seed, validators);
    scenario.faults = vec![(4_000, Fault::Wipe { validator: 1, ms: 300 })];
    scenario.healed = 6_000;
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
            assert!(back_at(&outcome) > 5, "seed {seed}: back at {}", back_at(&outcome));
        }
    }
}
