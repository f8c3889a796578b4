//! A seed means one run, on every machine and at any time.

use sim::{Outcome, Plants, Scenario, run};

fn drawn(seed: u64) -> Outcome {
    run(&Scenario::draw(seed), Plants::default())
}

#[test]
fn a_seed_replays_to_the_last_event() {
    for seed in [1, 2] {
        let (first, second) = (drawn(seed), drawn(seed));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.log, second.log, "seed {seed}");
    }
}

#[test]
fn two_seeds_are_two_stories() {
    assert_ne!(drawn(1).log, drawn(2).log);
}

#[test]
fn a_calm_network_keeps_every_promise() {
    for validators in [4, 7, 10] {
        let outcome = run(&Scenario::calm(1, validators), Plants::default());
        assert_eq!(outcome.violations, []);
        assert!(outcome.heights > 12 && outcome.jobs > 0 && outcome.acknowledged > 0);
    }
}

/// Power fails after view 21 is notarised; its block becomes final with a later one and never gets a
/// certificate of its own. Its jobs must be drawn all the same.
#[test]
fn jobs_of_a_block_without_its_own_certificate_are_drawn() {
    assert_eq!(drawn(38).violations, []);
}
