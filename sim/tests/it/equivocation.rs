//! Equivocation proofs name the validator that signs twice, and nobody else.

use sim::{Fault, Outcome, Plants, Scenario, Treason, run};
use std::collections::{BTreeMap, BTreeSet};

fn outcome(scenario: &Scenario) -> Outcome {
    let outcome = run(scenario, Plants::default());
    assert_eq!(outcome.violations, [], "seed {}", scenario.seed);
    outcome
}

/// That equivocation proofs hold and name traitors only is a property of every run.
#[test]
fn all_honest_validators_can_prove_who_signed_twice() {
    for (validators, seed) in [(4, 1), (4, 2), (7, 3)] {
        let mut scenario = Scenario::calm(seed, validators);
        scenario.traitors = vec![(2, Treason::DoubleSign)];
        let outcome = outcome(&scenario);
        let honest: BTreeSet<usize> = (0..validators).filter(|number| *number != 2).collect();
        assert_eq!(outcome.accused, BTreeMap::from([(2, honest)]), "seed {seed}");
    }
}

#[test]
fn honest_validators_that_crash_or_lose_their_disks_are_never_accused() {
    for seed in 1..=3 {
        let mut scenario = Scenario::calm(seed, 4);
        scenario.faults = vec![
            (2_000, Fault::Crash { validator: 0, ms: 700 }),
            (5_000, Fault::Crash { validator: 3, ms: 50 }),
            (9_000, Fault::Wipe { validator: 1, ms: 300 }),
        ];
        scenario.healed = 12_000;
        let outcome = outcome(&scenario);
        assert_eq!(outcome.accused, BTreeMap::new(), "seed {seed}");
        assert!(outcome.faults.contains_key("restart"));
    }
}
